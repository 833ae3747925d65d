//! How often the gate is wrong: trials with a known slowdown, counted, with exact bounds.
//!
//! A trial is a whole judgement with fresh evidence, which a closure yields under an injected slowdown. How
//! it injects is its affair: spinning, a loop, link delay, or a simulation.

mod rates;

use std::collections::BTreeMap;

pub use rates::{Claim, Proof, Rates};

use crate::{
    case::{Case, Evidence, Settings, judge},
    metric::{Metric, Percent},
    verdict::Verdict,
};

/// How often to try what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Each slowdown with its number of trials. 0 % is an A/A pair.
    pub injections: Vec<(Percent, u64)>,
}

impl Plan {
    /// 299 A/A pairs and 59 of 5 %: as many as can show, without a single error, that at most 1 % of A/A
    /// pairs alarm and at least 95 % of slowdowns are caught, at 95 % confidence. 1 % and −5 % to see.
    pub fn full() -> Self {
        let percent = |percent: i32| Percent::from_ppm(percent * 10_000);
        Self { injections: vec![(percent(0), 299), (percent(1), 59), (percent(5), 59), (percent(-5), 59)] }
    }

    /// One A/A pair and one of 5 %: shows that the tool runs, and no more.
    pub fn smoke() -> Self {
        Self { injections: vec![(Percent::ZERO, 1), (Percent::from_ppm(50_000), 1)] }
    }
}

/// One trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// By how much the candidate is to be slower.
    pub slowdown: Percent,
    /// Its number among those of the same slowdown, from 0.
    pub number: u64,
    /// A seed that no other trial of the plan has.
    pub seed: u64,
}

/// Runs the plan for one metric and counts the verdicts. `evidence` yields what a whole gate would have
/// measured, for the tier of `metric`.
///
/// # Errors
///
/// Whatever `evidence` fails with.
pub fn run<E>(
    plan: &Plan,
    metric: &Metric,
    settings: &Settings,
    mut evidence: impl FnMut(&Trial, &Settings) -> Result<Evidence, E>,
) -> Result<Vec<Rates>, E> {
    let mut all = Vec::new();
    let mut seed = settings.wall.seed;
    for &(slowdown, trials) in &plan.injections {
        let mut verdicts: BTreeMap<Verdict, u64> = BTreeMap::new();
        for number in 0..trials {
            seed = seed.wrapping_add(1);
            let mut settings = settings.clone();
            settings.wall.seed = seed;
            let evidence = evidence(&Trial { slowdown, number, seed }, &settings)?;
            let case = Case { metric: metric.clone(), evidence };
            let findings = judge(&[case], &settings);
            for finding in findings {
                *verdicts.entry(finding.verdict).or_default() += 1;
            }
        }
        all.push(Rates { slowdown, trials, verdicts });
    }
    Ok(all)
}
