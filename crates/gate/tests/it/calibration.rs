//! How often the wall tier is wrong, by simulation with fixed seeds. Claims are judged by exact binomial
//! bounds, so that a test fails only where the rate itself is wrong.

use std::convert::Infallible;

use gate::{
    metric::Tier,
    statistics::{Bootstrap, Draw, Proportion, p_value_above},
    wall::{Presence, Role, State, Subject, WallEvidence, WallSettings, assess, measure},
};

use crate::{cases::metric, noise::Noise};

/// The confidence of the bounds. With a dozen claims the chance of a wrong failure stays below 0.02 %, and
/// the seeds are fixed anyway.
const CONFIDENCE: f64 = 0.99999;

/// The interval that is shown decides nothing, and nobody looks here.
fn quick(seed: u64) -> WallSettings {
    WallSettings { resamples: 1, ..WallSettings::new(seed) }
}

fn subject(name: &str, epochs: Vec<gate::wall::Epoch>) -> Subject {
    let mut evidence = WallEvidence::new(Role::Metric, Presence::Both);
    evidence.epochs = epochs;
    Subject { metric: metric(name, Tier::Wall), evidence }
}

/// Families of `size` metrics, each slower by `effect`, with epochs for every look: in how many is
/// any metric suspected to be a regression, before the confirmation that would halve the doubt again?
fn suspicions(noise: Noise, effect: f64, size: usize, families: u64) -> Proportion {
    let mut draw = Draw::new(17, 0);
    let settings = quick(1);
    let mut suspected = 0;
    for _ in 0..families {
        let subjects: Vec<Subject> = (0..size)
            .map(|n| subject(&format!("m{n}"), (0..80).map(|e| noise.epoch(&mut draw, e, effect)).collect()))
            .collect();
        let states = assess(&subjects, &settings);
        suspected += u64::from(states.iter().any(|one| matches!(one.state, State::WantsConfirmation { .. })));
    }
    Proportion::new(suspected, families)
}

#[track_caller]
fn check_at_most(rate: Proportion, nominal: f64, what: &str) {
    assert!(rate.lower_bound(CONFIDENCE) <= nominal, "{what}: {} of {}", rate.hits, rate.trials);
}

#[test]
fn at_the_smallest_effect_of_interest_a_family_is_suspected_at_most_at_alpha_whatever_the_noise() {
    for noise in Noise::ALL {
        let rate = suspicions(noise, 1.02f64.ln(), 10, 400);
        check_at_most(rate, 0.01, &format!("{noise:?}"));
    }
}

#[test]
fn identical_programs_are_never_even_suspected_on_an_ordinary_machine() {
    for noise in [Noise::Normal(0.012), Noise::Drift(0.012), Noise::NoisyEpoch(0.012), Noise::Skewed(0.012)] {
        assert_eq!(suspicions(noise, 0.0, 10, 100).hits, 0, "{noise:?}");
    }
}

#[test]
fn the_level_is_used_and_not_given_away() {
    // One metric, one look: the sign test of 20 at 1 % rejects in 0.59 % of cases, exactly.
    let mut draw = Draw::new(5, 0);
    let trials = 4000;
    let rejected = (0..trials)
        .filter(|_| {
            let effects: Vec<f64> = (0..20).map(|_| crate::noise::normal(&mut draw)).collect();
            p_value_above(&effects, 0.0) <= 0.01
        })
        .count() as u64;
    let rate = Proportion::new(rejected, trials);
    assert!(rate.lower_bound(CONFIDENCE) <= 0.0059 && 0.0059 <= rate.upper_bound(CONFIDENCE), "{rate:?}");
}

#[test]
fn the_bootstrap_alone_would_alarm_more_often_than_its_level_says() {
    // Why it only draws the interval that is shown: 20 epochs, true effect 0, level of one look.
    let level = 0.01 / 3.0;
    let mut draw = Draw::new(5, 0);
    let (mut by_bootstrap, mut by_sign) = (0, 0);
    let trials = 3000;
    for seed in 0..trials {
        let effects: Vec<f64> = (0..20).map(|_| crate::noise::normal(&mut draw)).collect();
        let interval = Bootstrap { resamples: 600, seed }.of_median(&effects, level).unwrap();
        by_bootstrap += u64::from(interval.lower > 0.0);
        by_sign += u64::from(p_value_above(&effects, 0.0) <= level);
    }
    let rate = |hits| Proportion::new(hits, trials);
    assert!(rate(by_bootstrap).lower_bound(0.95) > level, "{by_bootstrap} of {trials}");
    assert!(rate(by_sign).upper_bound(0.95) <= level, "{by_sign} of {trials}");
}

/// Whole procedures, extension and confirmation included: how often does each state come out?
fn outcomes(noise: Noise, effect: f64, trials: u64) -> Vec<State> {
    let mut draw = Draw::new(23, 0);
    let mut states = Vec::new();
    for seed in 0..trials {
        let settings = quick(seed);
        let subjects = vec![subject("m", Vec::new())];
        let measured = measure(subjects, &settings, |request| {
            Ok::<_, Infallible>(Some(noise.epoch(&mut draw, request.epoch, effect)))
        });
        let Ok(measured) = measured;
        states.push(assess(&measured, &settings)[0].state);
    }
    states
}

fn rate(states: &[State], of: State) -> Proportion {
    Proportion::new(states.iter().filter(|state| **state == of).count() as u64, states.len() as u64)
}

#[track_caller]
fn check_caught(noise: Noise, slowdown: f64, at_least: f64) {
    let rate = rate(&outcomes(noise, slowdown.ln_1p(), 200), State::Regression);
    assert!(rate.upper_bound(CONFIDENCE) >= at_least, "{noise:?}: caught {} of {}", rate.hits, rate.trials);
}

#[test]
fn five_per_cent_are_caught_at_the_spread_that_was_measured_and_at_twice_that() {
    check_caught(Noise::Normal(0.012), 0.05, 0.999);
    check_caught(Noise::Normal(0.024), 0.05, 0.99);
    check_caught(Noise::Drift(0.012), 0.05, 0.999);
    check_caught(Noise::NoisyEpoch(0.012), 0.05, 0.999);
    check_caught(Noise::Bimodal(0.012), 0.05, 0.95);
}

#[test]
fn noise_too_loud_for_five_per_cent_is_no_regression_where_there_is_none_and_no_pass_where_there_is_one() {
    let loud = Noise::Normal(0.15);
    check_at_most(rate(&outcomes(loud, 0.0, 400), State::Regression), 0.01, "A/A");
    check_at_most(rate(&outcomes(loud, 0.05f64.ln_1p(), 400), State::Pass), 0.01, "5 % passed");
    let undecided = rate(&outcomes(loud, 0.03, 100), State::Undecided);
    assert!(undecided.lower_bound(CONFIDENCE) > 0.5, "{undecided:?}");
}

#[test]
fn a_quiet_pair_passes_and_a_faster_one_is_improved() {
    let passed = outcomes(Noise::Normal(0.012), 0.0, 100);
    assert_eq!(rate(&passed, State::Pass).hits, 100);
    let improved = outcomes(Noise::Normal(0.012), (-0.05f64).ln_1p(), 100);
    assert_eq!(rate(&improved, State::Improved).hits, 100);
    // One per cent is below interest.
    let little = outcomes(Noise::Normal(0.012), 0.01f64.ln_1p(), 100);
    assert_eq!(rate(&little, State::Regression).hits, 0);
}

#[test]
fn the_stated_power_is_the_power_that_there_is() {
    // What 20 epochs say they can see, found from many of them, is then caught about as often as stated.
    let settings = WallSettings { looks: vec![20], resamples: 1, ..WallSettings::new(1) };
    let noise = Noise::Normal(0.02);
    let mut draw = Draw::new(31, 0);
    let stated: Vec<f64> = (0..200)
        .map(|_| {
            let epochs = (0..20).map(|e| noise.epoch(&mut draw, e, 0.0)).collect();
            assess(&[subject("m", epochs)], &settings)[0].power.unwrap().detectable.unwrap()
        })
        .collect();
    let effect = gate::statistics::median(&stated).unwrap().ln_1p();
    let mut caught = 0;
    for seed in 0..1000 {
        let settings = WallSettings { seed, ..settings.clone() };
        let measured = measure(vec![subject("m", Vec::new())], &settings, |request| {
            Ok::<_, Infallible>(Some(noise.epoch(&mut draw, request.epoch, effect)))
        });
        let Ok(measured) = measured;
        caught += u64::from(assess(&measured, &settings)[0].state == State::Regression);
    }
    // 95 % stated, from an estimated spread.
    assert!((930..=975).contains(&caught), "{caught} of 1000");
}
