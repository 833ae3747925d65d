//! `cargo xtask gate accept`

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use gate::{
    Evidence, Report, Verdict,
    baseline::{AcceptError, Acceptance, Baseline, Date, Expected, Fingerprint},
    instructions::Counts,
    metric::{Metric, Tier},
    nearest, recompute,
    report::Row,
    value::Value,
};

use super::{
    baselines::{Baselines, Unusable},
    build, outputs,
    tier::Wanted,
};
use crate::{exit::Code, output, today};

/// The options of the command.
#[derive(Args)]
pub(super) struct Arguments {
    /// Ids of metrics, or globs
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Why, in one line: it stands in the baseline beside the new value
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The report that is accepted [default: that of the last gate]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Where baselines stand
    #[arg(long, value_name = "DIR", default_value = "benches/baselines")]
    baselines: PathBuf,
}

/// Why nothing was accepted: nothing that the gate did wrong.
struct Refused(String);

/// Writes what the last report measured into the baselines; all that is asked for, or nothing.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    match accept(arguments)? {
        Ok(lines) => {
            output::print(&lines.join(""))?;
            Ok(Code::Good)
        }
        Err(Refused(why)) => {
            output::complain(&format!("error: {why}"));
            Ok(Code::BadInput)
        }
    }
}

fn accept(arguments: &Arguments) -> anyhow::Result<Result<Vec<String>, Refused>> {
    let file = match &arguments.report {
        Some(file) => file.clone(),
        None => outputs::last_report(&build::gate_dir()?),
    };
    let Ok(text) = fs::read_to_string(&file) else {
        return Ok(Err(Refused(format!("no report in {}: run `cargo xtask gate` first", file.display()))));
    };
    let report = match recompute(&text) {
        Ok(recomputed) => recomputed.report,
        Err(error) => return Ok(Err(Refused(format!("{}: {error}", file.display())))),
    };
    let rows = match chosen(&report, &arguments.ids) {
        Ok(rows) => rows,
        Err(refused) => return Ok(Err(refused)),
    };
    let acceptance = Acceptance {
        reason: arguments.reason.clone(),
        date: Date::new(today()).context("the machine's clock")?,
    };
    let baselines = Baselines::new(arguments.baselines.clone());
    let mut changed = Vec::new();
    for tier in [Tier::Virtual, Tier::Instructions] {
        let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.case.metric.tier == tier).collect();
        if rows.is_empty() {
            continue;
        }
        let before = match baselines.here(tier) {
            Ok(before) => before,
            Err(error @ Unusable::Io { .. }) => return Err(error.into()),
            Err(error) => return Ok(Err(Refused(error.to_string()))),
        };
        match take(before, tier, &rows, &report, &acceptance) {
            Ok(Some(taken)) => changed.push(taken),
            Ok(None) => {}
            Err(refused) => return Ok(Err(refused)),
        }
    }
    if changed.is_empty() {
        return Ok(Err(Refused("all of that is as expected already: there is nothing to accept".to_owned())));
    }
    let mut said = Vec::new();
    for Taken { baseline, lines } in changed {
        let file = baselines.write(&baseline)?;
        said.extend(lines);
        said.push(format!("written: {}\n", file.display()));
    }
    Ok(Ok(said))
}

/// The rows that are meant, each once; every pattern means some.
fn chosen<'a>(report: &'a Report, patterns: &[String]) -> Result<Vec<&'a Row>, Refused> {
    let stored = || report.rows.iter().filter(|row| row.case.metric.tier != Tier::Wall);
    for pattern in patterns {
        let one = Wanted(vec![pattern.clone()]);
        if !stored().any(|row| one.fits(&row.case.metric.id)) {
            let near = nearest(pattern, stored().map(|row| row.case.metric.id.as_str()));
            let hint = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
            let wall = report.rows.iter().any(|row| one.fits(&row.case.metric.id));
            let why = if wall { "wall time has no baseline" } else { "the last report has no such metric" };
            return Err(Refused(format!("`{pattern}`: {why}{hint}")));
        }
    }
    let wanted = Wanted(patterns.to_vec());
    Ok(stored().filter(|row| wanted.fits(&row.case.metric.id)).collect())
}

/// A baseline after it took what was measured.
struct Taken {
    baseline: Baseline,
    lines: Vec<String>,
}

/// `None` where everything is as expected.
fn take(
    before: Option<Baseline>,
    tier: Tier,
    rows: &[&Row],
    report: &Report,
    acceptance: &Acceptance,
) -> Result<Option<Taken>, Refused> {
    let fingerprint = report.fingerprints.get(&tier).cloned().unwrap_or_default();
    let mut baseline = before.unwrap_or_else(|| Baseline::new(tier, fingerprint.clone()));
    replace_conditions(&mut baseline, fingerprint, rows)?;
    let mut lines = Vec::new();
    for row in rows {
        let metric = &row.case.metric;
        let measured = measured(row)?;
        let declared = measured.map(|value| expected(metric, value));
        let shown =
            |value: Option<u64>| value.map_or("–".to_owned(), |value| format!("{value} {}", metric.unit));
        let before = baseline.value(&metric.id).and_then(Value::figure);
        let after = declared.as_ref().and_then(|expected| expected.value.figure());
        match baseline.accept(&metric.id, declared, acceptance) {
            Ok(()) => lines.push(format!("{}: {} → {}\n", metric.id, shown(before), shown(after))),
            Err(AcceptError::Unchanged { .. }) => {}
            Err(error) => return Err(Refused(error.to_string())),
        }
    }
    Ok((!lines.is_empty()).then_some(Taken { baseline, lines }))
}

/// A baseline has one set of conditions: whoever changes them accepts everything.
fn replace_conditions(baseline: &mut Baseline, now: Fingerprint, rows: &[&Row]) -> Result<(), Refused> {
    if baseline.fingerprint == now {
        return Ok(());
    }
    let left = baseline.metrics.keys().find(|id| rows.iter().all(|row| row.case.metric.id != **id));
    if let Some(left) = left {
        return Err(Refused(format!(
            "the baseline was measured under other conditions (compiler, C library, valgrind …): all of it must be \
             accepted at once, `{left}` among it: `gate accept '*'`"
        )));
    }
    baseline.fingerprint = now;
    Ok(())
}

/// What is taken from a row: a value, or that there is none any more.
fn measured(row: &Row) -> Result<Option<Value>, Refused> {
    let id = &row.case.metric.id;
    let refused =
        |verdict: Verdict, why: &str| Err(Refused(format!("`{id}` cannot be accepted: {verdict}: {why}")));
    match row.finding.verdict {
        Verdict::Vanished => return Ok(None),
        verdict @ (Verdict::Nondeterministic
        | Verdict::Unfit
        | Verdict::Inconclusive
        | Verdict::ToolFailed
        | Verdict::ToolMissing) => return refused(verdict, &row.finding.message),
        _ => {}
    }
    let value = match &row.case.evidence {
        Evidence::Virtual(evidence) => evidence.runs.as_ref().map(|[first, _]| first.value.clone()),
        Evidence::Instructions(evidence) => match &evidence.measured {
            Some(Counts::Counted(counts)) => counts.get(counts.len() / 2).copied().map(Value::Single),
            _ => None,
        },
        Evidence::Wall(_) => None,
    };
    value.map(Some).ok_or_else(|| Refused(format!("`{id}` was not measured")))
}

fn expected(metric: &Metric, value: Value) -> Expected {
    let Metric { unit, better, budget, .. } = *metric;
    Expected { unit, better, budget, value }
}
