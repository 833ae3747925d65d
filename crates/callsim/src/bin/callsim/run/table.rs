//! The table of the report for people: a line per theme, and whatever is not plainly good.

use std::collections::BTreeMap;

use scenario::{
    plan::Outcome,
    report::{Report, ScenarioReport, Times},
};
use timeline::{Column, Table, escaped};

use super::human::View;

/// Which rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Scenarios of one theme whose runs all came out in one way, as they should, share a line.
    Folded,
    /// Every scenario has one.
    All,
}

/// A line of the table.
enum Line<'a> {
    Scenario(&'a ScenarioReport),
    Theme(&'a str, Vec<&'a ScenarioReport>),
}

/// Adds the table of `report` to `out`.
pub(super) fn push(out: &mut String, report: &Report, view: View) {
    let lines = lines(report, view.rows);
    let mut columns = vec![
        Column::left("scenario").wraps(25),
        Column::right("passed"),
        Column::left("outcomes").wraps(23),
        Column::right("setup p50").may_go(2),
        Column::right("setup p95").may_go(4),
        Column::right("slowest setup").may_go(5),
    ];
    let recovers = report.scenarios.iter().any(|scenario| scenario.recovery_ms.is_some());
    if recovers {
        columns.push(Column::right("recovery p50").may_go(3));
        columns.push(Column::right("recovery p95").may_go(6));
        columns.push(Column::right("slowest recovery").may_go(7));
    }
    let mut table = Table::new(columns);
    for line in &lines {
        let (cells, setup, recovery) = match line {
            Line::Scenario(scenario) => {
                (of_scenario(scenario), times(scenario.setup_ms), times(scenario.recovery_ms))
            }
            Line::Theme(theme, scenarios) => (
                of_theme(theme, scenarios),
                spans(scenarios.iter().filter_map(|scenario| scenario.setup_ms)),
                spans(scenarios.iter().filter_map(|scenario| scenario.recovery_ms)),
            ),
        };
        table.push(cells.into_iter().chain(setup).chain(recovery.into_iter().filter(|_| recovers)));
    }
    *out += &table.fit(view.width);
    if lines.iter().any(|line| matches!(line, Line::Theme(..))) {
        *out += "(a line with `/*` stands for scenarios whose runs are all as they should be; `--all` shows each)\n";
    }
}

fn lines(report: &Report, rows: Rows) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = report.scenarios.as_slice();
    while let Some(first) = rest.first() {
        let theme = theme(first);
        let count = rest.iter().take_while(|scenario| self::theme(scenario) == theme).count();
        let (of_theme, others) = rest.split_at(count);
        let (good, notable): (Vec<_>, Vec<_>) =
            of_theme.iter().partition(|scenario| is_plainly_good(scenario));
        match rows {
            // Folding one saves nothing.
            Rows::Folded if good.len() > 1 && !theme.is_empty() => {
                lines.push(Line::Theme(theme, good));
                lines.extend(notable.into_iter().map(Line::Scenario));
            }
            _ => lines.extend(of_theme.iter().map(Line::Scenario)),
        }
        rest = others;
    }
    lines
}

fn theme(scenario: &ScenarioReport) -> &str {
    scenario.name.rsplit_once('/').map_or("", |(theme, _)| theme)
}

/// Everything held, and every run came out in the same way.
fn is_plainly_good(scenario: &ScenarioReport) -> bool {
    scenario.failures.is_empty() && scenario.passed == scenario.runs && scenario.outcomes.len() == 1
}

fn of_scenario(scenario: &ScenarioReport) -> [String; 3] {
    let ScenarioReport { runs, passed, .. } = scenario;
    let passed = match runs - passed {
        0 if scenario.failures.is_empty() => format!("{passed} of {runs}"),
        0 => "FAILED".to_owned(),
        failed => format!("{failed} of {runs} FAILED"),
    };
    let rates = match scenario.rates {
        Some("failed") => " (rates FAILED)",
        Some("skipped") => " (rates not judged)",
        _ => "",
    };
    [escaped(&scenario.name).into_owned(), passed, outcomes(&scenario.outcomes) + rates]
}

fn of_theme(theme: &str, scenarios: &[&ScenarioReport]) -> [String; 3] {
    let mut all: BTreeMap<Outcome, usize> = BTreeMap::new();
    for (outcome, count) in scenarios.iter().flat_map(|scenario| &scenario.outcomes) {
        *all.entry(*outcome).or_default() += count;
    }
    let runs: usize = scenarios.iter().map(|scenario| scenario.runs).sum();
    let name = format!("{}/* ({})", escaped(theme), scenarios.len());
    [name, format!("{runs} of {runs}"), outcomes(&all)]
}

fn outcomes(outcomes: &BTreeMap<Outcome, usize>) -> String {
    outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect::<Vec<_>>().join(", ")
}

/// Median, 95th percentile and longest; dashes where nothing was measured.
fn times(times: Option<Times>) -> [String; 3] {
    match times {
        Some(Times { p50, p95, max, slowest_seed }) => {
            [format!("{p50} ms"), format!("{p95} ms"), format!("seed {slowest_seed}: {max} ms")]
        }
        None => ["–", "–", "–"].map(str::to_owned),
    }
}

/// Of several scenarios: the least and the greatest median, the greatest 95th percentile, and the longest.
fn spans(times: impl Iterator<Item = Times>) -> [String; 3] {
    let all: Vec<Times> = times.collect();
    let medians = || all.iter().map(|times| times.p50);
    let (Some(least), Some(greatest)) = (medians().min(), medians().max()) else { return self::times(None) };
    let of_all = |of: fn(&Times) -> u64| all.iter().map(of).max().unwrap_or_default();
    let median = if least == greatest { format!("{least} ms") } else { format!("{least}–{greatest} ms") };
    [median, format!("{} ms", of_all(|times| times.p95)), format!("{} ms", of_all(|times| times.max))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing;

    fn many() -> Report {
        let mut whole = testing::report();
        let good = whole.scenarios[0].clone();
        let mut mixed = good.clone();
        mixed.name = "loss/uniform-20pct".to_owned();
        mixed.outcomes = [(Outcome::Connected, 1), (Outcome::ConnectTimeout, 1)].into();
        let named = |name: &str, p50| {
            let mut scenario = good.clone();
            scenario.name = name.to_owned();
            scenario.setup_ms = Some(Times { p50, p95: p50 + 50, max: p50 + 80, slowest_seed: 2 });
            scenario
        };
        let ill = whole.scenarios.remove(1);
        whole.scenarios = vec![
            named("happy/callee-hangs-up", 516),
            named("happy/host-candidates", 616),
            named("loss/uniform-1pct", 700),
            mixed,
            named("loss/uniform-2pct", 720),
            named("nat/only-one", 900),
            ill,
        ];
        whole
    }

    fn text(rows: Rows, width: usize) -> String {
        let mut out = String::new();
        push(&mut out, &many(), View { width, rows });
        out
    }

    #[test]
    fn what_is_plainly_good_shares_a_line_and_all_else_has_its_own() {
        insta::assert_snapshot!(format!("{}\n{}", text(Rows::Folded, 80), text(Rows::All, 120)));
    }

    #[test]
    fn all_shows_each() {
        let all = text(Rows::All, 200);
        assert!(many().scenarios.iter().all(|scenario| all.contains(&scenario.name)), "{all}");
        assert!(!all.contains("--all"));
    }
}
