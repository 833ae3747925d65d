//! The harness sees what the engine's guards stand against, guard by guard.

use std::num::NonZeroUsize;

use scenario::{
    guards_off::{Coverage, GuardsOff},
    plan::Plan,
    run::Player,
    suite::{self, Cancel, Keep, Options, Seeds},
};

/// What `cargo xtask scenarios --guards-off` judges, over three seeds.
#[test]
fn a_call_without_one_of_its_guards_goes_red() {
    let plans: Vec<Plan> = super::scenarios().iter().filter_map(Plan::guard_off).collect();
    let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let options = Options { seeds: Seeds::Count(3), jobs, keep: Keep::Nothing };
    let result = suite::run(
        &plans,
        &options,
        &Cancel::new(),
        |plan, seed| Player::new(plan).seed(seed).play(),
        |_| {},
    );
    let found = GuardsOff::new(&plans, &result, Coverage::EveryGuard);
    assert!(found.passed, "{found:#?}");
    assert_eq!((found.caught(), found.out_of_reach()), (17, 0));
    assert!(found.rows.iter().all(|row| row.caught_runs == row.runs), "{found:#?}");
}
