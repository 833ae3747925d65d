//! The report of a campaign, as `campaign report --format json` prints it. Other forms are made from it.
//!
//! Version 1 of its format: fields may be added, none is removed or changes its meaning.

use std::collections::BTreeMap;

use gate::statistics::Proportion;
use scenario::{checks::RateVerdict, plan::Outcome, report::Times};
use serde::Serialize;

use crate::{
    campaign::Campaign,
    merge::{Disagreement, Group, Merged, ScenarioTally},
    seeds::SeedRange,
};

/// The confidence with which each of the two bounds of a rate holds: both hold with 95 %.
const CONFIDENCE: f64 = 0.975;

/// What a campaign came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this format.
    pub schema: u32,
    /// Always `campaign`.
    pub command: &'static str,
    /// Whether everything held, of what is there.
    pub passed: bool,
    /// The commit of the plan.
    pub commit: Option<String>,
    /// The seeds of each scenario.
    pub seeds: SeedRange,
    /// How many runs.
    pub runs: u64,
    /// How many runs are planned and not there.
    pub missing_runs: u64,
    /// Runs in which something did not hold.
    pub failed_runs: u64,
    /// The virtual seconds that all runs together took.
    pub virtual_s: f64,
    /// Each scenario, by name.
    pub scenarios: Vec<ScenarioReport>,
    /// What did not hold, by fingerprint, the most frequent first; then rates that were not held.
    pub findings: Vec<FindingReport>,
    /// How many runs were played twice with different results.
    pub disagreements: u64,
    /// The first of them.
    pub disagreeing: Vec<DisagreementReport>,
}

/// All runs of one scenario. Of the same values, those of `run --seeds` have the same names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// How many runs.
    pub runs: u64,
    /// Runs in which everything held.
    pub passed: u64,
    /// From the dial until both sides were connected; `null` where no run connected.
    pub setup_ms: Option<Times>,
    /// More of its percentiles.
    pub setup_percentiles_ms: Option<Percentiles>,
    /// The slowest set-ups, the slowest first.
    pub slowest: Vec<Slow>,
    /// The longest recovery of a connection in each run where there is one; `null` where there is none.
    pub recovery_ms: Option<Times>,
    /// How often each outcome occurred.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// The same as shares of the runs, with bounds.
    pub outcome_rates: BTreeMap<Outcome, Rate>,
    /// What was said of its rates; `null` where it expects none.
    pub rates: Option<&'static str>,
    /// The digest of all packets of all runs, in the order of the seeds.
    pub digest: String,
}

/// Percentiles by nearest rank, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// One in ten is faster.
    pub p10: u64,
    /// The median.
    pub p50: u64,
    /// One in ten is slower.
    pub p90: u64,
    /// One in twenty is slower.
    pub p95: u64,
    /// One in a hundred is slower.
    pub p99: u64,
}

/// A slow set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// Its seed.
    pub seed: u64,
    /// How long it took, in milliseconds.
    pub setup_ms: u64,
}

/// How often something happened, as a share from 0 to 1, with the bounds of Clopper and Pearson (Biometrika 26, 1934): the true
/// share is within both with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The share of the runs.
    pub share: f64,
    /// The true share is at least this.
    pub at_least: f64,
    /// The true share is at most this.
    pub at_most: f64,
}

/// Runs that failed in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingReport {
    /// What they have in common: 16 hexadecimal digits, the same in every campaign.
    pub fingerprint: String,
    /// The check, or `panicked`, or `rate` for what concerns all runs together.
    pub check: String,
    /// Why.
    pub cause: String,
    /// The last transition before it.
    pub last_transition: String,
    /// The last step of the handshakes before it.
    pub last_step: String,
    /// How many runs.
    pub count: u64,
    /// How many of each scenario.
    pub scenarios: BTreeMap<String, u64>,
    /// The scenario of the first run.
    pub scenario: String,
    /// The seed of the first run; `null` for what concerns all runs together.
    pub seed: Option<u64>,
    /// What was expected and what was found, in the first run.
    pub message: String,
    /// The command that repeats it.
    pub repro: String,
}

/// A run that is not the same in two files of one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisagreementReport {
    /// The shard.
    pub shard: u64,
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The columns that differ.
    pub columns: Vec<&'static str>,
    /// The machine of the file that counts; `null` where it is not known.
    pub machine: Option<String>,
    /// The machine of the other file.
    pub other_machine: Option<String>,
    /// The digests of both.
    pub digests: [Option<String>; 2],
}

impl Report {
    /// The report of what was merged. `repeat` yields the command that plays a scenario again: with one seed, or with all.
    pub fn new(campaign: &Campaign, merged: &Merged, repeat: &dyn Fn(&str, Option<u64>) -> String) -> Self {
        let argument = |name: &str| {
            let planned = campaign.scenarios.iter().find(|scenario| scenario.name == name);
            planned.map_or(name.to_owned(), |scenario| scenario.argument.clone())
        };
        let played = merged.scenarios.iter().filter(|scenario| scenario.runs > 0);
        let runs = merged.scenarios.iter().map(|scenario| scenario.runs).sum();
        let passed: u64 = merged.scenarios.iter().map(|scenario| scenario.passed).sum();
        let mut findings: Vec<FindingReport> = merged
            .findings
            .iter()
            .map(|group| finding(group, repeat(&argument(&group.scenario), Some(group.seed))))
            .collect();
        findings.extend(merged.scenarios.iter().flat_map(|scenario| {
            let repro = repeat(&argument(&scenario.name), None);
            rate_findings(scenario, &repro)
        }));
        Self {
            schema: 1,
            command: "campaign",
            passed: findings.is_empty() && merged.disagreements.count == 0,
            commit: campaign.commit.clone(),
            seeds: campaign.seeds,
            runs,
            missing_runs: campaign.runs() - runs,
            failed_runs: runs - passed,
            virtual_s: merged.scenarios.iter().map(|scenario| scenario.elapsed_ms).sum::<u64>() as f64 / 1e3,
            scenarios: played.map(scenario).collect(),
            findings,
            disagreements: merged.disagreements.count,
            disagreeing: merged.disagreements.rows.iter().map(disagreement).collect(),
        }
    }

    /// The report in JSON, one object on several lines, with a newline at the end.
    ///
    /// # Errors
    /// None that this type can cause; the signature is that of `serde_json`.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

fn scenario(tally: &ScenarioTally) -> ScenarioReport {
    let percentile = |percent| tally.setup.percentile(percent);
    let percentiles = || {
        Some(Percentiles {
            p10: percentile(10)?,
            p50: percentile(50)?,
            p90: percentile(90)?,
            p95: percentile(95)?,
            p99: percentile(99)?,
        })
    };
    let slowest = tally.setup.slowest().iter();
    ScenarioReport {
        name: tally.name.clone(),
        runs: tally.runs,
        passed: tally.passed,
        setup_ms: tally.setup.times(),
        setup_percentiles_ms: percentiles(),
        slowest: slowest.map(|(ms, seed)| Slow { seed: *seed, setup_ms: *ms }).collect(),
        recovery_ms: tally.recovery.times(),
        outcomes: tally.outcomes.clone(),
        outcome_rates: tally
            .outcomes
            .iter()
            .map(|(outcome, count)| (*outcome, Rate::of(*count, tally.runs)))
            .collect(),
        rates: match &tally.rates {
            RateVerdict::NotAsked => None,
            RateVerdict::Skipped => Some("skipped"),
            RateVerdict::Judged(failures) if failures.is_empty() => Some("held"),
            RateVerdict::Judged(_) => Some("failed"),
        },
        digest: tally.digest.to_string(),
    }
}

impl Rate {
    /// `hits` of `trials`.
    pub fn of(hits: u64, trials: u64) -> Self {
        let proportion = Proportion::new(hits, trials);
        // More digits than this are those of the system's logarithm, and no machine's report may differ from another's.
        let rounded = |share: f64| (share * 1e8).round() / 1e8;
        Self {
            share: rounded(proportion.rate().unwrap_or_default()),
            at_least: rounded(proportion.lower_bound(CONFIDENCE)),
            at_most: rounded(proportion.upper_bound(CONFIDENCE)),
        }
    }
}

fn finding(group: &Group, repro: String) -> FindingReport {
    let Group { fingerprint, finding, count, scenarios, scenario, seed } = group;
    FindingReport {
        fingerprint: fingerprint.clone(),
        check: finding.check.clone(),
        cause: finding.cause.clone(),
        last_transition: finding.last_transition.clone(),
        last_step: finding.last_step.clone(),
        count: *count,
        scenarios: scenarios.clone(),
        scenario: scenario.clone(),
        seed: Some(*seed),
        message: finding.message.clone(),
        repro,
    }
}

/// Rates that were not held.
fn rate_findings(tally: &ScenarioTally, repro: &str) -> Vec<FindingReport> {
    let RateVerdict::Judged(failures) = &tally.rates else { return Vec::new() };
    let report = |failure: &scenario::checks::Failure| {
        let finding = crate::row::Finding {
            check: failure.check.to_owned(),
            // Of each scenario its own: how often something may happen is a matter of one.
            cause: tally.name.clone(),
            last_transition: String::new(),
            last_step: String::new(),
            at_ms: 0,
            message: failure.message.clone(),
        };
        FindingReport {
            fingerprint: crate::fingerprint::fingerprint(&finding),
            check: finding.check,
            cause: finding.cause,
            last_transition: finding.last_transition,
            last_step: finding.last_step,
            count: tally.runs,
            scenarios: BTreeMap::from([(tally.name.clone(), tally.runs)]),
            scenario: tally.name.clone(),
            seed: None,
            message: finding.message,
            repro: repro.to_owned(),
        }
    };
    failures.iter().map(report).collect()
}

fn disagreement(row: &Disagreement) -> DisagreementReport {
    DisagreementReport {
        shard: row.shard,
        scenario: row.scenario.clone(),
        seed: row.seed,
        columns: row.columns.clone(),
        machine: row.machine.clone(),
        other_machine: row.other_machine.clone(),
        digests: row.digests.map(|digest| digest.map(|digest| format!("{digest:032x}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds of R's `binom.test(4, 20)` and of nothing in a million.
    #[test]
    fn rates_have_the_bounds_of_clopper_and_pearson() {
        let Rate { share, at_least, at_most } = Rate::of(4, 20);
        assert_eq!(share, 0.2);
        assert!(
            (at_least - 0.057_333_99).abs() < 1e-6 && (at_most - 0.436_614).abs() < 1e-6,
            "{at_least} {at_most}"
        );
        let none = Rate::of(0, 1_000_000);
        assert_eq!((none.share, none.at_least), (0.0, 0.0));
        assert!((none.at_most - 3.688_87e-6).abs() < 1e-8, "{none:?}");
    }
}
