//! The report for people: a table to read at a glance, then whatever failed.

use std::{cmp::Reverse, fmt::Write as _};

use scenario::{
    cause::{Cause, Consequence, moment},
    record::RunRecord,
    report::{FailureReport, Report, ScenarioReport},
};
use timeline::{escaped, fit_lines};

use super::table;

/// How many different causes of one scenario are shown in full.
const KINDS_SHOWN: usize = 3;
/// How much of the evidence of a cause is shown.
const EVIDENCE_SHOWN: usize = 4;

/// How the report is shown.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// How many cells of a terminal a line may take.
    pub(super) width: usize,
    /// Which rows the table has.
    pub(super) rows: table::Rows,
}

/// The report. For a single run, what happened in it stands first.
pub(super) fn report(report: &Report, single: Option<&RunRecord>, view: View) -> String {
    let mut out = String::new();
    if let Some(record) = single {
        out.push_str(&timeline::side_by_side(&record.timeline, view.width));
        out.push('\n');
    }
    out += &failures(report, view);
    table::push(&mut out, report, view);
    push_totals(&mut out, report);
    fit_lines(&out, view.width)
}

/// What failed, and why.
pub(super) fn failures(report: &Report, view: View) -> String {
    let mut out = String::new();
    for scenario in report.scenarios.iter().filter(|scenario| !scenario.failures.is_empty()) {
        push_failures(&mut out, scenario);
    }
    fit_lines(&out, view.width)
}

fn push_failures(out: &mut String, scenario: &ScenarioReport) {
    let kinds = kinds(&scenario.failures);
    for kind in kinds.iter().take(KINDS_SHOWN) {
        push_kind(out, scenario, kind);
    }
    let more = kinds.len().saturating_sub(KINDS_SHOWN);
    if more > 0 {
        let what = if more == 1 { "cause" } else { "causes" };
        let name = escaped(&scenario.name);
        let _ = writeln!(out, "… and {more} other {what} in {name} (`--format json` has them all)\n");
    }
}

/// Runs that failed for the same cause, or failures of all runs together that say the same.
struct Kind<'a> {
    /// The first of them.
    failure: &'a FailureReport,
    seeds: Vec<u64>,
}

/// What failed, by cause: what most runs failed for stands first. What follows from a cause is no kind of its own.
fn kinds(failures: &[FailureReport]) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    let explained = |failure: &FailureReport| {
        failure.cause.is_none()
            && failures.iter().any(|other| other.seed == failure.seed && other.cause.is_some())
    };
    for failure in failures.iter().filter(|failure| !explained(failure)) {
        let same = |kind: &&mut Kind<'_>| match (&kind.failure.cause, &failure.cause) {
            (Some(one), Some(other)) => (one.code, &one.subjects) == (other.code, &other.subjects),
            (None, None) => (kind.failure.check, &kind.failure.message) == (failure.check, &failure.message),
            _ => false,
        };
        match kinds.iter_mut().find(same) {
            Some(kind) => kind.seeds.extend(failure.seed),
            None => kinds.push(Kind { failure, seeds: failure.seed.into_iter().collect() }),
        }
    }
    kinds.sort_by_key(|kind| Reverse(kind.seeds.len()));
    kinds
}

fn push_kind(out: &mut String, scenario: &ScenarioReport, kind: &Kind<'_>) {
    let Kind { failure, seeds } = kind;
    let FailureReport { seed, code, message, repro, transcript, cause, .. } = failure;
    let runs = match (scenario.runs, seeds.as_slice()) {
        (runs, []) => format!("over {runs} runs"),
        (1, [seed]) => format!("seed {seed}"),
        (runs, [seed]) => format!("1 of {runs} runs: seed {seed}"),
        (runs, seeds) => format!("{} of {runs} runs: seeds {}", seeds.len(), ranges(seeds)),
    };
    let _ = writeln!(out, "FAILED  {}  {code}  ({runs})", escaped(&scenario.name));
    match cause {
        Some(cause) => push_cause(out, cause),
        None => {
            let _ = writeln!(out, "  {}", escaped(message));
        }
    }
    if let (Some(cause), Some(seed), false) = (cause, seed, transcript.is_empty()) {
        let _ = writeln!(out, "  around {} of seed {seed}:", moment(cause.at));
    }
    for line in transcript {
        let _ = writeln!(out, "  │ {}", escaped(line));
    }
    let _ = writeln!(out, "  repeat: {}\n", escaped(repro));
}

fn push_cause(out: &mut String, cause: &Cause) {
    let _ = writeln!(out, "  {}.", escaped(&cause.sentence));
    if !cause.recommendation.is_empty() {
        let _ = writeln!(out, "  What to do: {}", escaped(&cause.recommendation));
    }
    for evidence in cause.evidence.iter().take(EVIDENCE_SHOWN) {
        let who = evidence.who.as_ref().map(|who| format!("{who}: ")).unwrap_or_default();
        let _ = writeln!(out, "  seen at {}: {who}{}", moment(evidence.at), escaped(&evidence.what));
    }
    let more = cause.evidence.len().saturating_sub(EVIDENCE_SHOWN);
    if more > 0 {
        let _ = writeln!(out, "  … and {more} more (`--format json` has them all)");
    }
    for Consequence { code, sentence } in &cause.consequences {
        let _ = writeln!(out, "  so {code}: {}", escaped(sentence));
    }
}

/// `1–4, 7`.
fn ranges(seeds: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &seed in seeds {
        match ranges.last_mut() {
            Some((_, last)) if seed == *last + 1 => *last = seed,
            _ => ranges.push((seed, seed)),
        }
    }
    let word = |&(first, last): &(u64, u64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    ranges.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn push_totals(out: &mut String, report: &Report) {
    let totals = &report.totals;
    let verdict = match (report.passed, totals.failed_runs) {
        (true, _) => "all good".to_owned(),
        (false, 0) => "FAILED".to_owned(),
        (false, failed) => format!("{failed} runs FAILED"),
    };
    let cpu = totals.cpu_s.map(|cpu| format!(" ({cpu:.1} s of processor time)")).unwrap_or_default();
    let speed_up = report.speed_up().map(|times| format!(": {times:.0} × real time")).unwrap_or_default();
    let _ = writeln!(out, "\n{verdict}: {} scenarios, {} runs", totals.scenarios, totals.runs);
    let _ = writeln!(out, "{:.1} virtual s in {:.1} s{cpu}{speed_up}", totals.virtual_s, totals.wall_s);
    if report.scenarios.iter().any(|scenario| scenario.rates == Some("skipped")) {
        let least = scenario::checks::MIN_RUNS_FOR_RATES;
        let _ = writeln!(out, "rates are judged from {least} seeds on");
    }
}

#[cfg(test)]
mod tests {
    use scenario::{cause::Code, report::Times};
    use timeline::cells;

    use super::*;
    use crate::run::{table::Rows, testing};

    fn report(report: &Report, single: Option<&RunRecord>) -> String {
        super::report(report, single, View { width: 200, rows: Rows::All })
    }

    #[test]
    fn no_line_is_wider_than_it_may_be_and_nothing_is_lost() {
        for width in [60, 80, 100, 200] {
            let mut whole = with_seeds(4);
            whole.scenarios[0].recovery_ms = Some(Times { p50: 3480, p95: 3501, max: 3510, slowest_seed: 1 });
            for rows in [Rows::Folded, Rows::All] {
                let text = super::report(&whole, None, View { width, rows });
                for line in text.lines() {
                    assert!(cells(line) <= width, "{width}: {line}");
                }
                for said in ["ringing/busy", "not-answered", "nobody takes", "--seed 1", "4 runs"] {
                    let said = said.replace("nobody takes", "nobody took");
                    assert!(text.contains(&said), "{width}: {said}\n{text}");
                }
            }
        }
    }

    #[test]
    fn table_failures_and_totals() {
        insta::assert_snapshot!(report(&testing::report(), None));
    }

    #[test]
    fn recovery_times_have_columns_where_there_are_any() {
        let mut whole = testing::report();
        whole.scenarios[0].recovery_ms = Some(Times { p50: 3480, p95: 3501, max: 3510, slowest_seed: 1 });
        let text = report(&whole, None);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("recovery p95")).collect();
        assert_eq!(lines.len(), 1, "{text}");
        let row = text.lines().find(|line| line.contains("happy/host-candidates")).unwrap_or_default();
        let row = row.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(row.ends_with("3480 ms 3501 ms seed 1: 3510 ms"), "{row}");
        assert!(!report(&testing::report(), None).contains("recovery"));
    }

    /// Seeds 1 to 4, all for the cause of the sketch.
    fn with_seeds(count: u64) -> Report {
        let mut whole = testing::report();
        let failure = whole.scenarios[1].failures[0].clone();
        let of_seed = |seed| FailureReport { seed: Some(seed), ..failure.clone() };
        whole.scenarios[1].failures = (1..=count).map(of_seed).collect();
        whole.scenarios[1].runs = 10;
        whole
    }

    #[test]
    fn runs_that_failed_for_one_cause_are_counted_and_shown_once() {
        let text = report(&with_seeds(4), None);
        assert_eq!(text.matches("FAILED  ringing/busy").count(), 1);
        assert!(text.contains("FAILED  ringing/busy  not-answered  (4 of 10 runs: seeds 1–4)"), "{text}");
    }

    #[test]
    fn only_the_first_different_causes_are_shown() {
        let mut whole = with_seeds(5);
        let codes = [Code::NotAnswered, Code::LinkDown, Code::PacketLoss, Code::UdpBlocked, Code::LinkDown];
        for (failure, code) in whole.scenarios[1].failures.iter_mut().zip(codes) {
            failure.code = code;
            failure.cause.as_mut().unwrap().code = code;
        }
        let text = report(&whole, None);
        let shown: Vec<&str> = text.lines().filter(|line| line.starts_with("FAILED")).collect();
        // What most runs failed for stands first.
        assert!(shown[0].contains("link-down  (2 of 10 runs: seeds 2, 5)"), "{shown:?}");
        assert_eq!(shown.len(), 3);
        assert!(text.contains("… and 1 other cause in ringing/busy"), "{text}");
    }

    #[test]
    fn what_follows_from_a_cause_is_folded_below_it() {
        let mut whole = with_seeds(1);
        let consequence = FailureReport {
            check: "media-both-ways",
            code: Code::MediaBothWays,
            cause: None,
            ..whole.scenarios[1].failures[0].clone()
        };
        whole.scenarios[1].failures.push(consequence);
        assert_eq!(report(&whole, None).matches("FAILED  ringing/busy").count(), 1);
    }

    #[test]
    fn seeds_are_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1–3, 5, 7, 8");
        assert_eq!(ranges(&[]), "");
    }
}
