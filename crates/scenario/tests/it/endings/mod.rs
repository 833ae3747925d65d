//! Whatever the order of events, both ends of a call end, for reasons that a reference model allows, and
//! nothing of it is left.
//!
//! Random scripts of user actions, messages that go wrong, networks that fail and timers that fire are
//! played in whole worlds. What fails is shrunk, and printed as a scenario file.

mod file;
mod model;
mod script;

use std::collections::BTreeSet;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use proptest_state_machine::ReferenceStateMachine as _;
use scenario::{checks, plan::Plan, record::RunRecord, run::Player};
use timeline::{CallState, Event, State};

use self::{
    file::scenario_file,
    model::{Endings, FAILED, Who},
    script::{Script, Scripts},
};

#[test]
fn every_call_ends_as_the_model_says() {
    check::<0>(1_200);
}

#[test]
fn every_call_ends_though_messages_go_astray() {
    check::<1>(700);
}

#[test]
fn every_call_ends_though_networks_fail() {
    check::<2>(600);
}

#[test]
fn every_call_ends_though_everything_goes_wrong() {
    check::<3>(600);
}

/// Plays `cases` scripts; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more, and for others.
#[track_caller]
fn check<const TROUBLE: usize>(cases: u32) {
    let from_environment = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").map(|_| from_environment.cases);
    let rng_seed = match from_environment.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    let config = Config {
        cases: asked.unwrap_or(cases),
        rng_seed,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..from_environment
    };
    let scripts = Scripts::<TROUBLE>::sequential_strategy(1..9);
    let result = TestRunner::new(config).run(&scripts, |(start, moves, seen)| {
        if let Some(seen) = seen {
            seen.store(moves.len(), std::sync::atomic::Ordering::SeqCst);
        }
        let script = moves.iter().fold(start, Scripts::<TROUBLE>::apply);
        judge(&script).map_or(Ok(()), |wrong| Err(TestCaseError::fail(wrong)))
    });
    if let Err(TestError::Fail(why, (start, moves, _))) = &result {
        let script = moves.iter().fold(start.clone(), Scripts::<TROUBLE>::apply);
        let file = scenario_file(&script, script.allowed().as_ref());
        panic!("{why}\n\nThe shortest script that shows it, as a scenario file:\n\n{file}");
    }
    result.expect("scripts are easily found");
}

/// What is wrong with how the calls of this script end.
fn judge(script: &Script) -> Option<String> {
    let allowed = script.allowed();
    let text = scenario_file(script, allowed.as_ref());
    let plan = match Plan::from_toml("endings", &text) {
        Ok(plan) => plan,
        Err(error) => return Some(format!("{:#?}\n{text}", error.problems())),
    };
    let record = match Player::new(&plan).seed(1).play() {
        Ok(record) => record,
        Err(error) => return Some(error.to_string()),
    };
    let failures = checks::check(&plan, &record);
    let mut wrong: Vec<String> =
        failures.into_iter().map(|fail| format!("{}: {}", fail.check, fail.message)).collect();
    let found = endings(&record);
    if let Some(allowed) = allowed.filter(|allowed| !allowed.contains(&found)) {
        wrong.push(format!("the ends {} are not among those allowed: {}", pair(&found), pairs(&allowed)));
    }
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}

/// For what reasons the calls of both ended, in order.
fn endings(record: &RunRecord) -> [Endings; 2] {
    Who::BOTH.map(|who| {
        let of = |entry: &timeline::Entry| match &entry.event {
            Event::Transition { to: State::Call(CallState::Ended(reason)), .. }
                if entry.actor.as_str() == who.name() =>
            {
                let is_failure = FAILED.split([',', ' ']).any(|word| word == reason.as_str());
                Some(if is_failure { FAILED } else { reason.as_str() })
            }
            _ => None,
        };
        record.timeline.entries.iter().filter_map(of).collect()
    })
}

fn pair([caller, callee]: &[Endings; 2]) -> String {
    format!("({} | {})", caller.join(", "), callee.join(", "))
}

fn pairs(allowed: &BTreeSet<[Endings; 2]>) -> String {
    let shown: Vec<String> = allowed.iter().take(12).map(pair).collect();
    shown.join(" ")
}
