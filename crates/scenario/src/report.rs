//! The report of `callsim run`, as `--format json` prints it. Other forms are made from it.
//!
//! Version 1 of its format: fields may be added, none is removed or changes its meaning.

use std::{collections::BTreeMap, time::Duration};

use diagnosis::{Cause, Code};
use serde::Serialize;
use timeline::Digest;

use crate::{
    cause,
    checks::{self, Failure, RateVerdict},
    metrics::percentile,
    plan::{Outcome, Plan},
    suite::{Broken, Played, Run, Seeds, SuiteResult},
};

/// What a suite came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this format.
    pub schema: u32,
    /// Always `scenarios`.
    pub command: &'static str,
    /// Whether everything held.
    pub passed: bool,
    /// All scenarios together.
    pub totals: Totals,
    /// Each scenario, in the order of the suite.
    pub scenarios: Vec<ScenarioReport>,
}

/// All scenarios together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// How many scenarios.
    pub scenarios: usize,
    /// How many runs.
    pub runs: usize,
    /// Runs in which something did not hold, or which could not be played.
    pub failed_runs: usize,
    /// Of those: runs which could not be played.
    pub broken_runs: usize,
    /// The virtual seconds that all runs together took.
    pub virtual_s: f64,
    /// The processor seconds that all runs together took; `null` where they cannot be read.
    pub cpu_s: Option<f64>,
    /// The real seconds that the suite took.
    pub wall_s: f64,
}

/// All runs of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// Its file, `null` for a plan made in memory.
    pub file: Option<String>,
    /// How many runs.
    pub runs: usize,
    /// Runs in which everything held.
    pub passed: usize,
    /// From the dial until both sides were connected; `null` where no run connected.
    pub setup_ms: Option<Times>,
    /// The longest recovery of a connection in each run where there is one, from its loss until it stands again
    /// ([`crate::metrics::recoveries`]); `null` where there is none.
    pub recovery_ms: Option<Times>,
    /// How often each outcome occurred.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// What was said of its rates; `null` where it expects none.
    pub rates: Option<&'static str>,
    /// The digest of all packets of all runs, in the order of the seeds.
    pub digest: Digest,
    /// What did not hold, in the order of the seeds.
    pub failures: Vec<FailureReport>,
}

/// Virtual times of several runs in milliseconds, percentiles by nearest rank ([`percentile`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Times {
    /// The median.
    pub p50: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The longest.
    pub max: u64,
    /// The seed of the longest; the first of several.
    pub slowest_seed: u64,
}

/// Something that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailureReport {
    /// The run's seed; `null` for what concerns all runs together.
    pub seed: Option<u64>,
    /// Of the first failure of a run: why the run failed. Of the others, which follow from it or stand beside it, and of
    /// what concerns all runs together: what did not hold. The codes are listed in `docs/causes.md`.
    pub code: Code,
    /// The name of the check; `panicked` or `not-played` for a run that could not be played.
    pub check: &'static str,
    /// The virtual time at which it shows, in milliseconds.
    pub at_ms: u64,
    /// What was expected and what was found.
    pub message: String,
    /// The command that repeats it.
    pub repro: String,
    /// The last lines of the transcript up to that time; of the first failure of a run the lines around the moment of
    /// its cause.
    pub transcript: Vec<String>,
    /// The cause of the run's failures, at the first of them; `null` at the others.
    pub cause: Option<Box<Cause>>,
}

impl Report {
    /// The report of a suite that took `wall` of real time.
    ///
    /// `repeat` yields the command that plays a plan again, with one seed or a number of seeds.
    pub fn new(
        plans: &[Plan],
        result: &SuiteResult,
        wall: Duration,
        repeat: &dyn Fn(&Plan, Seeds) -> String,
    ) -> Self {
        let scenarios: Vec<ScenarioReport> = plans
            .iter()
            .zip(&result.scenarios)
            .filter(|(_, runs)| !runs.is_empty())
            .map(|(plan, runs)| scenario(plan, runs, repeat))
            .collect();
        Self {
            schema: 1,
            command: "scenarios",
            passed: scenarios.iter().all(|scenario| scenario.failures.is_empty()),
            totals: totals(&scenarios, result, wall),
            scenarios,
        }
    }

    /// The report in JSON, one object on several lines, with a newline at the end.
    ///
    /// # Errors
    /// None that this type can cause; the signature is that of `serde_json`.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// How many virtual seconds passed in each real one; `None` where no real time did.
    pub fn speed_up(&self) -> Option<f64> {
        (self.totals.wall_s > 0.0).then(|| self.totals.virtual_s / self.totals.wall_s)
    }
}

fn totals(scenarios: &[ScenarioReport], result: &SuiteResult, wall: Duration) -> Totals {
    let runs = || result.scenarios.iter().flatten();
    let played = || runs().filter_map(|run| run.result.as_ref().ok());
    let cpu: Option<Duration> = played().map(|played| played.cpu).sum();
    Totals {
        scenarios: scenarios.len(),
        runs: result.played(),
        failed_runs: runs().filter(|run| !run.passed()).count(),
        broken_runs: runs().filter(|run| run.result.is_err()).count(),
        virtual_s: seconds(played().map(|played| played.elapsed.elapsed()).sum()),
        cpu_s: cpu.map(seconds),
        wall_s: seconds(wall),
    }
}

/// Seconds with three digits behind the point.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

fn scenario(plan: &Plan, runs: &[Run], repeat: &dyn Fn(&Plan, Seeds) -> String) -> ScenarioReport {
    let mut outcomes = BTreeMap::new();
    let mut digest = Digest::new();
    for played in runs.iter().filter_map(|run| run.result.as_ref().ok()) {
        *outcomes.entry(played.outcome).or_default() += 1;
        digest.update(&played.digest.value().to_le_bytes());
    }
    let count = u32::try_from(runs.len()).unwrap_or(u32::MAX);
    let repro = |seed: Option<u64>| repeat(plan, seed.map_or(Seeds::Count(count), Seeds::One));
    let mut failures: Vec<FailureReport> = runs.iter().flat_map(|run| failures(run, &repro)).collect();
    let verdict = checks::rates(plan, &outcomes, runs.len());
    let rates = rates_word(&verdict);
    if let RateVerdict::Judged(found) = verdict {
        failures.extend(found.into_iter().map(|failure| failure_report(failure, Vec::new(), None, &repro)));
    }
    ScenarioReport {
        name: plan.name.clone(),
        file: plan.file.as_ref().map(|file| file.display().to_string()),
        runs: runs.len(),
        passed: runs.iter().filter(|run| run.passed()).count(),
        setup_ms: times(runs, |played| played.setup),
        recovery_ms: times(runs, |played| played.recovery),
        outcomes,
        rates,
        digest,
        failures,
    }
}

fn rates_word(verdict: &RateVerdict) -> Option<&'static str> {
    match verdict {
        RateVerdict::NotAsked => None,
        RateVerdict::Skipped => Some("skipped"),
        RateVerdict::Judged(failures) if failures.is_empty() => Some("held"),
        RateVerdict::Judged(_) => Some("failed"),
    }
}

fn failures(run: &Run, repro: &impl Fn(Option<u64>) -> String) -> Vec<FailureReport> {
    match &run.result {
        Ok(Played { failures, cause, .. }) => {
            let mut cause = cause.clone();
            let report = |(failure, transcript): &(Failure, Vec<String>)| {
                failure_report(failure.clone(), transcript.clone(), cause.take(), repro)
            };
            failures.iter().map(report).collect()
        }
        Err(broken) => vec![broken_report(run.seed, broken, repro)],
    }
}

fn failure_report(
    failure: Failure,
    transcript: Vec<String>,
    cause: Option<Box<Cause>>,
    repro: &impl Fn(Option<u64>) -> String,
) -> FailureReport {
    let Failure { seed, check, at, message } = failure;
    let code = cause.as_ref().map_or_else(|| cause::code_of(check), |cause| cause.code);
    FailureReport { seed, code, check, at_ms: at.as_millis(), message, repro: repro(seed), transcript, cause }
}

fn broken_report(seed: u64, broken: &Broken, repro: &impl Fn(Option<u64>) -> String) -> FailureReport {
    FailureReport {
        seed: Some(seed),
        code: broken.code(),
        check: broken.check(),
        at_ms: 0,
        message: broken.to_string(),
        repro: repro(Some(seed)),
        transcript: Vec::new(),
        cause: None,
    }
}

fn times(runs: &[Run], of: impl Fn(&Played) -> Option<Duration>) -> Option<Times> {
    let with_seed = |run: &Run| {
        let time = of(run.result.as_ref().ok()?)?;
        Some((u64::try_from(time.as_millis()).unwrap_or(u64::MAX), run.seed))
    };
    let mut times: Vec<(u64, u64)> = runs.iter().filter_map(with_seed).collect();
    times.sort_unstable();
    let (max, _) = *times.last()?;
    let slowest_seed = times.iter().find(|(time, _)| *time == max).map(|(_, seed)| *seed)?;
    Some(Times { p50: percentile(&times, 50)?.0, p95: percentile(&times, 95)?.0, max, slowest_seed })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, num::NonZeroUsize};

    use timeline::{EndReason, Machine};

    use super::*;
    use crate::{
        suite::{Cancel, Keep, Options, Seeds, run},
        testing::{Sketch, plan},
    };

    fn repeat(plan: &Plan, seeds: Seeds) -> String {
        let seeds = match seeds {
            Seeds::One(seed) => format!("--seed {seed}"),
            seeds => format!("{seeds:?}"),
        };
        format!("cargo xtask scenarios {} {seeds}", plan.name)
    }

    /// Seed 2 is not taken, seed 3 cannot be played, the others are connected.
    fn report(expect: &str, seeds: u32) -> Report {
        let options = Options { seeds: Seeds::Count(seeds), jobs: NonZeroUsize::MIN, keep: Keep::Nothing };
        let play = |_: &Plan, seed| match seed {
            2 => Ok(Sketch::never_connected(EndReason::Declined).seed(seed).record()),
            3 => Err(Broken::NotPlayed("no such host".into())),
            _ => Ok(Sketch::connected().seed(seed).record()),
        };
        let plans = [plan(expect)];
        let result = run(&plans, &options, &Cancel::new(), play, |_| {});
        Report::new(&plans, &result, Duration::from_millis(3), &repeat)
    }

    #[test]
    fn json_is_the_documented_object() {
        insta::assert_snapshot!(report(r#"outcome = "connected""#, 4).to_json().expect("JSON"));
    }

    /// Where a key stands in the report: `scenarios[].failures[].check`. Outcomes are data, not keys.
    fn keys_of(value: &serde_json::Value, place: &str, keys: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(object) if place != "scenarios[].outcomes" => {
                for (key, value) in object {
                    let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                    keys_of(value, &place, keys);
                    keys.insert(place);
                }
            }
            serde_json::Value::Array(elements) => {
                elements.iter().for_each(|element| keys_of(element, &format!("{place}[]"), keys));
            }
            _ => {}
        }
    }

    /// What reads version 1 finds all of them, whatever is added.
    #[test]
    fn no_key_of_version_1_is_removed() {
        let json = report(r#"outcome = "connected""#, 4).to_json().expect("JSON");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let mut found = BTreeSet::new();
        keys_of(&json, "", &mut found);
        assert_eq!(json["schema"], 1);
        let version_1 = "schema command passed totals totals.scenarios totals.runs totals.failed_runs \
            totals.broken_runs totals.virtual_s totals.cpu_s totals.wall_s scenarios scenarios[].name \
            scenarios[].file scenarios[].runs scenarios[].passed scenarios[].setup_ms scenarios[].setup_ms.p50 \
            scenarios[].setup_ms.p95 scenarios[].setup_ms.max scenarios[].setup_ms.slowest_seed \
            scenarios[].recovery_ms scenarios[].outcomes scenarios[].rates scenarios[].digest \
            scenarios[].failures scenarios[].failures[].seed scenarios[].failures[].check \
            scenarios[].failures[].at_ms scenarios[].failures[].message scenarios[].failures[].repro \
            scenarios[].failures[].transcript";
        let since = "scenarios[].failures[].code scenarios[].failures[].cause scenarios[].failures[].cause.code \
            scenarios[].failures[].cause.level scenarios[].failures[].cause.subjects \
            scenarios[].failures[].cause.at_ms scenarios[].failures[].cause.sentence \
            scenarios[].failures[].cause.evidence scenarios[].failures[].cause.evidence[].at_ms \
            scenarios[].failures[].cause.evidence[].who scenarios[].failures[].cause.evidence[].what \
            scenarios[].failures[].cause.recommendation scenarios[].failures[].cause.consequences \
            scenarios[].failures[].cause.consequences[].code scenarios[].failures[].cause.consequences[].sentence";
        let version_1 = format!("{version_1} {since}");
        let missing: Vec<&str> = version_1.split_whitespace().filter(|key| !found.contains(*key)).collect();
        assert!(missing.is_empty(), "{missing:?} in {found:?}");
        let added = found.len() - version_1.split_whitespace().count();
        assert_eq!(added, 0, "a key that was added belongs into this list as well: {found:?}");
    }

    #[test]
    fn rates_are_part_of_the_verdict() {
        let rates = |expect: &str, seeds| report(expect, seeds).scenarios[0].rates;
        assert_eq!(rates("", 20), None);
        assert_eq!(rates(r#"rates = { rejected = { at-most = "5%" } }"#, 4), Some("skipped"));
        assert_eq!(rates(r#"rates = { rejected = { at-most = "5%" } }"#, 20), Some("held"));
        let failed = report(r#"rates = { rejected = { at-most = "4%" } }"#, 20);
        assert_eq!((failed.passed, failed.scenarios[0].rates), (false, Some("failed")));
        let failure = failed.scenarios[0].failures.last().expect("a failure");
        assert_eq!((failure.seed, failure.check), (None, "rate"));
        assert_eq!(failure.repro, "cargo xtask scenarios test/sketch Count(20)");
    }

    #[test]
    fn recovery_times_are_those_of_runs_in_which_something_was_recovered() {
        let options = Options { seeds: Seeds::Count(4), jobs: NonZeroUsize::MIN, keep: Keep::Nothing };
        let play = |_: &Plan, seed| {
            let sketch = Sketch::connected().seed(seed).with(|sketch| {
                if seed > 1 {
                    sketch.transition(2000, "caller", Machine::Connection, "connected", "disconnected");
                    sketch.transition(
                        2000 + 100 * seed,
                        "caller",
                        Machine::Connection,
                        "disconnected",
                        "connected",
                    );
                }
            });
            Ok::<_, Broken>(sketch.record())
        };
        let plans = [plan("")];
        let result = run(&plans, &options, &Cancel::new(), play, |_| {});
        let found = Report::new(&plans, &result, Duration::ZERO, &repeat).scenarios[0].recovery_ms;
        assert_eq!(found, Some(Times { p50: 300, p95: 400, max: 400, slowest_seed: 4 }));
    }

    #[test]
    fn setup_is_null_where_no_run_connected() {
        let options = Options { seeds: Seeds::One(2), jobs: NonZeroUsize::MIN, keep: Keep::Nothing };
        let play =
            |_: &Plan, seed| Ok::<_, Broken>(Sketch::never_connected(EndReason::Busy).seed(seed).record());
        let plans = [plan("")];
        let result = run(&plans, &options, &Cancel::new(), play, |_| {});
        let report = Report::new(&plans, &result, Duration::ZERO, &repeat);
        assert!(report.passed && report.scenarios[0].setup_ms.is_none());
        assert_eq!(report.speed_up(), None);
    }
}
