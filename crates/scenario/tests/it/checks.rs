use scenario::{checks, run::play};

/// What `cargo xtask scenarios` judges, over a quarter of the seeds that it plays.
#[test]
fn every_scenario_passes_its_checks() {
    for plan in super::scenarios() {
        for seed in 1..=5 {
            let record = play(&plan, seed).expect("the scenario plays");
            let failures = checks::check(&plan, &record);
            assert!(failures.is_empty(), "{} seed {seed}: {failures:#?}", plan.name);
        }
    }
}
