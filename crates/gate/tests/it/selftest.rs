use std::convert::Infallible;

use gate::{
    Evidence,
    exact::VirtualEvidence,
    instructions::{Counts, InstructionEvidence},
    metric::Tier,
    selftest::{Claim, Plan, Proof, Rates, Trial, run},
    statistics::Draw,
    value::Value,
    wall::{Presence, Role, Subject, WallEvidence, measure},
};

use crate::{
    cases::{metric, run as virtual_run, settings},
    noise::Noise,
};

const CONFIDENCE: f64 = 0.95;

/// The self-test of the wall tier on a simulated machine.
fn wall(plan: &Plan, noise: Noise) -> Vec<Rates> {
    let mut settings = settings();
    settings.wall.resamples = 1;
    let rates = run(plan, &metric("m", Tier::Wall), &settings, |trial, settings| {
        let mut draw = Draw::new(trial.seed, 9);
        let subject = Subject {
            metric: metric("m", Tier::Wall),
            evidence: WallEvidence::new(Role::Metric, Presence::Both),
        };
        let measured = measure(vec![subject], &settings.wall, |request| {
            Ok::<_, Infallible>(Some(noise.epoch(&mut draw, request.epoch, trial.slowdown.log_ratio())))
        })?;
        Ok::<_, Infallible>(Evidence::Wall(measured.into_iter().next().unwrap().evidence))
    });
    let Ok(rates) = rates;
    rates
}

#[test]
fn the_wall_tier_shows_its_claims_on_a_simulated_machine() {
    let [same, one, five, faster] = wall(&Plan::full(), Noise::Normal(0.012)).try_into().unwrap();
    assert_eq!(Claim::AtMost(0.01).check(same.regressions(), CONFIDENCE), Proof::Shown);
    assert_eq!(Claim::AtLeast(0.99).check(same.passes(), CONFIDENCE), Proof::Shown);
    assert_eq!(one.regressions().hits, 0);
    assert_eq!(Claim::AtLeast(0.95).check(five.regressions(), CONFIDENCE), Proof::Shown);
    assert_eq!(Claim::AtLeast(0.95).check(faster.improvements(), CONFIDENCE), Proof::Shown);
}

#[test]
fn a_machine_too_loud_refutes_the_catch_and_raises_no_alarm() {
    let plan = Plan { injections: vec![Plan::full().injections[0], Plan::full().injections[2]] };
    let [same, five] = wall(&plan, Noise::Normal(0.2)).try_into().unwrap();
    assert_eq!(Claim::AtMost(0.01).check(same.regressions(), CONFIDENCE), Proof::Shown);
    assert_eq!(Claim::AtLeast(0.95).check(five.regressions(), CONFIDENCE), Proof::Refuted);
}

/// 40 ms of link delay and 10 ms of everything else.
fn delayed(trial: &Trial) -> Value {
    Value::Single((40_000.0 * (1.0 + trial.slowdown.fraction())).round() as u64 + 10_000)
}

#[test]
fn the_virtual_tier_sees_every_slowdown_and_no_other() {
    let metric = metric("m", Tier::Virtual);
    let rates = run(&Plan::full(), &metric, &settings(), |trial, _| {
        let runs = Some([virtual_run(delayed(trial)), virtual_run(delayed(trial))]);
        let evidence = VirtualEvidence { base: Some(Value::Single(50_000)), runs, stale: None, failed: None };
        Ok::<_, Infallible>(Evidence::Virtual(evidence))
    });
    let Ok(rates) = rates;
    let hits: Vec<u64> = rates.iter().map(|rates| rates.regressions().hits).collect();
    assert_eq!(hits, [0, 59, 59, 0]);
    assert_eq!(rates[3].improvements().hits, 59);
}

#[test]
fn the_instruction_tier_catches_five_per_cent_and_one() {
    let metric = metric("m", Tier::Instructions);
    let rates = run(&Plan::full(), &metric, &settings(), |trial, _| {
        let mut draw = Draw::new(trial.seed, 9);
        let count = 1e7 * (1.0 + trial.slowdown.fraction());
        let counts = (0..10).map(|_| count as u64 + draw.below(1000) as u64).collect();
        let measured = Some(Counts::Counted(counts));
        let evidence = InstructionEvidence { base: Some(10_000_500), measured, stale: None };
        Ok::<_, Infallible>(Evidence::Instructions(evidence))
    });
    let Ok(rates) = rates;
    let hits: Vec<u64> = rates.iter().map(|rates| rates.regressions().hits).collect();
    assert_eq!(hits, [0, 59, 59, 0]);
}

#[test]
fn no_two_trials_share_a_seed_and_a_failure_ends_the_run() {
    let mut seeds = Vec::new();
    let result = run(&Plan::full(), &metric("m", Tier::Wall), &settings(), |trial, settings| {
        assert_eq!(settings.wall.seed, trial.seed);
        seeds.push(trial.seed);
        if seeds.len() == 400 {
            Err("the worker died")
        } else {
            Ok(Evidence::Wall(WallEvidence::new(Role::Metric, Presence::Both)))
        }
    });
    assert_eq!(result, Err("the worker died"));
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 400);
}
