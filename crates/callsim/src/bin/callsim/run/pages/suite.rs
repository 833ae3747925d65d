//! `--html DIR`: scenarios × seeds as a grid, and a page for each failed run.

use std::{fs, path::Path};

use anyhow::Context as _;
use page::{Cell, FailedRun, Row, SuitePage};
use scenario::{
    plan::Plan,
    report::{Report, ScenarioReport},
    suite::{Run, Seeds, SuiteResult},
};

use super::{Asked, of_run, repeat};
use crate::output;

/// Of how many failed runs of one scenario there is a page: more of them mostly say the same.
const PAGES_OF_ONE: usize = 5;

/// Writes `index.html`, and a page for each failed run, into the folder `path`.
pub(super) fn write(
    path: &Path,
    asked: &Asked<'_>,
    report: &Report,
    result: &SuiteResult,
) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
    let plans = &asked.chosen.plans;
    let mut failed = Vec::new();
    for scenario in &report.scenarios {
        let plan = plans.iter().find(|plan| plan.name() == scenario.name);
        let mut written = 0;
        for run in failed_runs(scenario) {
            let page = match (plan, run.seed) {
                (Some(plan), Some(seed)) if written < PAGES_OF_ONE => {
                    write_run(path, plan, seed, &run.command)?.inspect(|_| written += 1)
                }
                _ => None,
            };
            failed.push(FailedRun { page, ..run });
        }
    }
    let rows = plans.iter().zip(&result.scenarios).filter(|(_, runs)| !runs.is_empty());
    let page = SuitePage {
        title: "Scenarios".to_owned(),
        sentence: sentence(report),
        passed: report.passed,
        facts: facts(report),
        rows: rows.map(|(plan, runs)| row(asked, report, plan, runs)).collect(),
        failed,
    };
    output::write_file(&path.join("index.html"), &page.render())
}

/// The page of one run; its path from that of the suite. A run that cannot be played has none.
fn write_run(folder: &Path, plan: &Plan, seed: u64, command: &str) -> anyhow::Result<Option<String>> {
    let Ok(page) = of_run(plan, seed, command) else { return Ok(None) };
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name = format!("{}-seed-{seed}.html", plan.name().chars().map(letter).collect::<String>());
    output::write_file(&folder.join(&name), &page.render())?;
    Ok(Some(name))
}

/// The first failure of each run, which has its cause.
fn failed_runs(scenario: &ScenarioReport) -> Vec<FailedRun> {
    let mut runs: Vec<FailedRun> = Vec::new();
    for failure in &scenario.failures {
        if failure.seed.is_some() && runs.iter().any(|run| run.seed == failure.seed) {
            continue;
        }
        let cause = failure.cause.as_ref();
        runs.push(FailedRun {
            name: scenario.name.clone(),
            seed: failure.seed,
            code: failure.code.to_string(),
            sentence: cause.map_or_else(|| failure.message.clone(), |cause| format!("{}.", cause.sentence)),
            advice: cause.map(|cause| cause.recommendation.to_string()).unwrap_or_default(),
            command: failure.repro.clone(),
            transcript: failure.transcript.clone(),
            page: None,
        });
    }
    runs
}

fn sentence(report: &Report) -> String {
    let totals = &report.totals;
    let (scenarios, runs) = (totals.scenarios, totals.runs);
    match (report.passed, totals.failed_runs) {
        (true, _) => format!("All good: {scenarios} scenarios, {runs} runs."),
        (false, 0) => format!(
            "{scenarios} scenarios, {runs} runs: no run failed by itself, but something does not hold over all."
        ),
        (false, failed) => format!("{failed} of {runs} runs of {scenarios} scenarios failed."),
    }
}

fn facts(report: &Report) -> Vec<(String, String)> {
    let totals = &report.totals;
    vec![
        ("scenarios".to_owned(), totals.scenarios.to_string()),
        ("runs".to_owned(), totals.runs.to_string()),
        ("failed".to_owned(), totals.failed_runs.to_string()),
        ("virtual time".to_owned(), format!("{:.0} s", totals.virtual_s)),
        ("real time".to_owned(), format!("{:.1} s", totals.wall_s)),
    ]
}

fn row(asked: &Asked<'_>, report: &Report, plan: &Plan, runs: &[Run]) -> Row {
    let reported = report.scenarios.iter().find(|scenario| scenario.name == plan.name());
    let command = repeat(asked, plan, Seeds::One(u64::MAX)).replace(&u64::MAX.to_string(), "SEED");
    let cell = |run: &Run| match &run.result {
        Ok(played) => Cell {
            seed: run.seed,
            passed: run.passed(),
            outcome: played.outcome.to_string(),
            setup_ms: played.setup.and_then(|setup| u64::try_from(setup.as_millis()).ok()),
        },
        Err(broken) => {
            Cell { seed: run.seed, passed: false, outcome: broken.check().to_owned(), setup_ms: None }
        }
    };
    Row {
        name: plan.name().to_owned(),
        command,
        setup_ms: reported.and_then(|it| it.setup_ms).map(|times| times.p50),
        cells: runs.iter().map(cell).collect(),
    }
}
