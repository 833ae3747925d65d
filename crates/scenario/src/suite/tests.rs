//! Order, isolation, cancelling, and what is kept.

use timeline::EndReason;

use super::*;
use crate::testing::{Sketch, plan};

fn options(jobs: usize, seeds: Seeds) -> Options {
    Options { seeds, jobs: NonZeroUsize::new(jobs).expect("a job"), keep: Keep::Nothing }
}

/// Later seeds finish first: each waits until the one after it is done.
fn backwards(seed: u64, last: u64, done: &AtomicUsize) {
    while seed != last && done.load(Ordering::SeqCst) < (last - seed) as usize {
        thread::yield_now();
    }
    done.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn results_stand_in_order_whatever_finishes_first() {
    let done = AtomicUsize::new(0);
    let play = |_: &Plan, seed| {
        backwards(seed, 4, &done);
        Ok::<_, Broken>(Sketch::connected().seed(seed).record())
    };
    let result = run(&[plan("")], &options(4, Seeds::Count(4)), &Cancel::new(), play, |_| {});
    let seeds: Vec<u64> = result.scenarios[0].iter().map(|run| run.seed).collect();
    assert_eq!(seeds, [1, 2, 3, 4]);
    assert!(!result.is_partial());
}

#[test]
fn a_broken_run_stops_no_other() {
    let play = |_: &Plan, seed| match seed {
        1 => panic!("a bug at seed {seed}"),
        2 => Err(Broken::NotPlayed("no such host".into())),
        _ => Ok(Sketch::connected().seed(seed).record()),
    };
    let result = run(&[plan("")], &options(2, Seeds::Count(3)), &Cancel::new(), play, |_| {});
    let [first, second, third] = result.scenarios[0].as_slice() else { panic!("three runs") };
    assert_eq!(first.result.as_ref().err(), Some(&Broken::Panicked("a bug at seed 1".into())));
    assert_eq!(second.result.as_ref().err(), Some(&Broken::NotPlayed("no such host".into())));
    assert!(third.passed());
}

#[test]
fn a_cancelled_suite_yields_what_took_place() {
    let cancel = Cancel::new();
    let play = |_: &Plan, seed| {
        if seed == 3 {
            cancel.cancel();
        }
        Ok::<_, Broken>(Sketch::connected().seed(seed).record())
    };
    let result = run(&[plan(""), plan("")], &options(1, Seeds::Count(5)), &cancel, play, |_| {});
    assert_eq!((result.played(), result.asked, result.is_partial()), (3, 10, true));
    assert_eq!(result.scenarios.iter().map(Vec::len).collect::<Vec<_>>(), [3, 0]);
}

#[test]
fn progress_counts_runs_and_failures() {
    let seen = Mutex::new(Vec::new());
    let play = |_: &Plan, seed: u64| {
        let sketch = if seed == 2 { Sketch::never_connected(EndReason::Busy) } else { Sketch::connected() };
        Ok::<_, Broken>(sketch.seed(seed).record())
    };
    let plans = [plan(r#"outcome = "connected""#)];
    let result = run(&plans, &options(1, Seeds::Count(3)), &Cancel::new(), play, |progress| {
        lock(&seen).push((progress.done, progress.failed, progress.total));
    });
    assert_eq!(*lock(&seen), [(1, 0, 3), (2, 1, 3), (3, 1, 3)]);
    let (failure, tail) = &result.scenarios[0][1].result.as_ref().expect("played").failures[0];
    assert_eq!(failure.check, "outcome");
    assert_eq!(tail.last().map(String::as_str), Some("     4000  callee  call: connected → ended: hung-up"));
}

#[test]
fn records_are_kept_where_they_are_asked_for() {
    for (keep, expect) in [(Keep::Nothing, 0), (Keep::FirstSeed, 1), (Keep::Everything, 3)] {
        let options = Options { keep, ..options(1, Seeds::Count(3)) };
        let play = |_: &Plan, seed| Ok::<_, Broken>(Sketch::connected().seed(seed).record());
        let result = run(&[plan("")], &options, &Cancel::new(), play, |_| {});
        let kept = |run: &&Run| run.result.as_ref().is_ok_and(|played| played.record.is_some());
        assert_eq!(result.scenarios[0].iter().filter(kept).count(), expect);
    }
}

#[test]
fn seeds_begin_at_one() {
    let plan = plan("");
    assert_eq!(Seeds::OfScenario.of(&plan).len(), 20);
    assert_eq!(Seeds::Count(2).of(&plan), [1, 2]);
    assert_eq!(Seeds::One(7).of(&plan), [7]);
}
