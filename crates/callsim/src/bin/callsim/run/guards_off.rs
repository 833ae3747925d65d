//! `callsim run --guards-off`: the proof that the harness finds bugs.

use std::fmt::Write as _;

use scenario::{
    guards_off::{Coverage, GuardRow, GuardsOff},
    plan::Plan,
};
use timeline::{Column, Table, fit_lines};

use super::{Asked, Format, hand_over, play_all, stopped};
use crate::{exit::Code, output, screen};

/// Plays what is about a guard without it; good only if every one is caught.
pub(super) fn run(asked: &Asked<'_>) -> anyhow::Result<Code> {
    let arguments = asked.arguments;
    if arguments.format == Format::Junit {
        output::complain("error: `--guards-off` reports for people or as JSON");
        return Ok(Code::BadInput);
    }
    let plans: Vec<Plan> = asked.chosen.plans.iter().filter_map(Plan::guard_off).collect();
    let result = play_all(&plans, asked);
    if result.is_partial() {
        return Ok(stopped(&result));
    }
    // Who asks for some scenarios knows that others are about other guards.
    let coverage = if arguments.names.is_empty() { Coverage::EveryGuard } else { Coverage::Played };
    let found = GuardsOff::new(&plans, &result, coverage);
    let text = match arguments.format {
        Format::Json => found.to_json()?,
        _ => table(&found, screen::width(arguments.out.as_deref())),
    };
    hand_over(arguments, &text)?;
    Ok(verdict(&found))
}

fn verdict(found: &GuardsOff) -> Code {
    match found {
        GuardsOff { rows, .. } if rows.iter().all(|row| row.runs == 0) => Code::NothingRan,
        GuardsOff { rows, .. } if rows.iter().any(|row| row.broken_runs > 0) => Code::ToolFailed,
        GuardsOff { passed: false, .. } => Code::CheckFailed,
        _ => Code::Good,
    }
}

fn table(found: &GuardsOff, width: usize) -> String {
    let mut table = Table::new([
        Column::left("guard that is off").wraps(16),
        Column::left("scenario").wraps(16).may_go(1),
        Column::left("caught").wraps(12),
        Column::left("by").wraps(12),
    ]);
    for row in &found.rows {
        table.push(cells(row));
    }
    let (caught, all) = (found.caught(), found.rows.len());
    let mut out = format!("{}\n{caught} of {all} caught\n", table.fit(width));
    for (guard, reason) in found.rows.iter().filter_map(|row| Some((row.guard, row.out_of_reach?))) {
        let _ = writeln!(out, "out of reach: {guard}: {reason}");
    }
    fit_lines(&out, width)
}

fn cells(row: &GuardRow) -> [String; 4] {
    let GuardRow { caught, out_of_reach, caught_runs, runs, broken_runs, .. } = row;
    let mut verdict = match (caught, out_of_reach) {
        (true, _) => format!("{caught_runs} of {runs} runs"),
        (false, Some(_)) => "out of reach".to_owned(),
        (false, None) => "NOT CAUGHT".to_owned(),
    };
    if *broken_runs > 0 {
        let _ = write!(verdict, ", {broken_runs} not played");
    }
    let by: Vec<&str> = row.by.iter().copied().collect();
    let scenario = row.scenario.clone().unwrap_or_else(|| "none is about it".to_owned());
    [row.guard.to_owned(), scenario, verdict, by.join(", ")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(guard: &'static str, caught_runs: usize) -> GuardRow {
        let scenario = Some(format!("guards/{guard}"));
        let by = if caught_runs > 0 { ["outcome", "milestone"].into() } else { [].into() };
        GuardRow {
            guard,
            scenario,
            caught: caught_runs > 0,
            out_of_reach: None,
            by,
            runs: 20,
            caught_runs,
            broken_runs: 0,
        }
    }

    fn found(rows: Vec<GuardRow>) -> GuardsOff {
        let passed = rows.iter().all(|row| row.caught);
        GuardsOff { schema: 1, command: "guards-off", passed, rows }
    }

    #[test]
    fn the_table_says_what_was_not_caught() {
        let alone = GuardRow { scenario: None, runs: 0, ..row("dtls_deadline", 0) };
        let broken = GuardRow { broken_runs: 2, ..row("checking_deadline", 18) };
        let out_of_reach = Some("nobody does that");
        let out_of_reach = GuardRow { scenario: None, out_of_reach, ..row("use_ice_servers", 0) };
        let rows = [row("hold_early_candidates", 20), row("trickle_at_once", 0), broken, alone, out_of_reach];
        let all = found(rows.into());
        insta::assert_snapshot!(table(&all, 100));
    }

    #[test]
    fn the_exit_code_says_what_matters_most() {
        assert_eq!(verdict(&found(vec![row("a", 20), row("b", 1)])), Code::Good);
        assert_eq!(verdict(&found(vec![row("a", 20), row("b", 0)])), Code::CheckFailed);
        let broken = GuardRow { broken_runs: 1, ..row("b", 0) };
        assert_eq!(verdict(&found(vec![row("a", 20), broken])), Code::ToolFailed);
        assert_eq!(verdict(&found(Vec::new())), Code::NothingRan);
    }
}
