//! The seeds of one call visit every timing that real calls show (`docs/truth.md`).

use std::time::Duration;

use scenario::{metrics, plan::Plan, run::Player};

/// How many of the seeds 1 to 60 are set up in each of the three groups, by the steps of `webrtc`'s timer.
fn groups(stagger: Duration) -> [usize; 3] {
    let plan = super::scenario("happy/host-candidates").edit().stagger(stagger).build().unwrap();
    let mut groups = [0; 3];
    for seed in 1..=60 {
        let record = Player::new(&plan).seed(seed).play().unwrap();
        let setup = metrics::setup(&plan, &record).unwrap();
        groups[match setup.as_millis() {
            440..480 => 0,
            500..540 => 1,
            640..680 => 2,
            other => panic!("seed {seed}: {other} ms is in no group"),
        }] += 1;
    }
    groups
}

#[test]
fn seeds_visit_the_three_groups_of_real_set_ups() {
    let [first, second, third] = groups(Plan::DEFAULT_STAGGER);
    assert!(first > second + third && second >= 5 && third >= 5, "{first}, {second}, {third}");
}

#[test]
fn without_a_stagger_there_is_one_group() {
    assert_eq!(groups(Duration::ZERO), [60, 0, 0]);
}
