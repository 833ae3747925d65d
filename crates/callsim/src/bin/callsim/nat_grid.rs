//! `callsim nat-grid`

mod human;

use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};

use clap::{Args, ValueEnum};
use scenario::nat_grid::{self, Cell, Row};
use serde::Serialize;

use crate::{
    exit::Code,
    interrupt, jobs, now,
    output::{self, BadInput, Destination, UnknownName},
    progress::Bar,
    worlds,
};

const EXAMPLE: &str = "\
Examples:
  callsim nat-grid                          the whole grid, disagreements marked
  callsim nat-grid --explain symmetric public       why, and the scenario to play yourself
  callsim nat-grid --format json --out grid.json    for a machine

Exit codes: 0 all cells agree, 1 a call could not be played, 2 usage, 3 a cell disagrees, 130 stopped by Ctrl-C";

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// The seed of every call
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Only the rows of these two places, with the oracle's reasons and the scenario
    #[arg(long, num_args = 2, value_names = ["CALLER", "CALLEE"])]
    explain: Option<Vec<String>>,
    /// On how many threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    report: Destination,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables
    Human,
    /// One object
    Json,
}

/// What the whole grid came to.
struct Grid {
    cells: Vec<Cell>,
    wall: Duration,
}

impl Grid {
    fn agree(&self) -> usize {
        self.cells.iter().filter(|cell| cell.agrees()).count()
    }

    fn passed(&self) -> bool {
        self.agree() == self.cells.len()
    }
}

/// Plays the grid and reports it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    worlds::supported()?;
    arguments.report.check()?;
    let rows = asked(arguments)?;
    interrupt::listen()?;
    let (asked, bar, started) = (rows.len(), Bar::new(), now());
    let show = |progress| bar.show(progress);
    let cells = nat_grid::play(rows, arguments.seed, jobs(arguments.jobs), &interrupt::CANCEL, show);
    let grid = Grid { cells, wall: now().duration_since(started) };
    bar.clear();
    if grid.cells.len() < asked {
        let played = grid.cells.len();
        output::complain(&format!("stopped: {played} of {asked} calls took place, nothing was written"));
        return Ok(Code::Interrupted);
    }
    let width = arguments.report.width();
    match arguments.format {
        Format::Json => arguments.report.write(&json(&grid)?)?,
        Format::Human if arguments.explain.is_some() => {
            arguments.report.show(&human::explained(&grid, width))?
        }
        Format::Human => arguments.report.show(&human::tables(&grid, width))?,
    }
    Ok(verdict(&grid))
}

fn asked(arguments: &Arguments) -> anyhow::Result<Vec<Row>> {
    let rows = nat_grid::rows();
    let Some([caller, callee]) = arguments.explain.as_deref() else { return Ok(rows) };
    let callers: BTreeSet<&str> = rows.iter().map(|row| row.caller.as_str()).collect();
    let callees: BTreeSet<&str> = rows.iter().map(|row| row.callee.as_str()).collect();
    for (name, known) in [(caller, callers), (callee, callees)] {
        if !known.contains(name.as_str()) {
            return Err(UnknownName::new("place", name, known.iter().copied()).into());
        }
    }
    let is_asked = |row: &Row| row.caller == *caller && row.callee == *callee;
    let chosen: Vec<Row> = rows.into_iter().filter(is_asked).collect();
    if chosen.is_empty() {
        return Err(BadInput(format!("the grid has no call from `{caller}` to `{callee}`")).into());
    }
    Ok(chosen)
}

fn verdict(grid: &Grid) -> Code {
    match () {
        () if grid.cells.iter().any(|cell| cell.simulated.is_err()) => Code::ToolFailed,
        () if grid.passed() => Code::Good,
        () => Code::CheckFailed,
    }
}

#[derive(Serialize)]
struct JsonGrid<'a> {
    schema: u32,
    command: &'static str,
    passed: bool,
    cells: usize,
    agree: usize,
    wall_s: f64,
    rows: Vec<JsonRow<'a>>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    caller: &'a str,
    callee: &'a str,
    turn: bool,
    predicted: &'static str,
    simulated: String,
    turn_required: bool,
}

fn json(grid: &Grid) -> anyhow::Result<String> {
    let object = JsonGrid {
        schema: 1,
        command: "nat-grid",
        passed: grid.passed(),
        cells: grid.cells.len(),
        agree: grid.agree(),
        wall_s: grid.wall.as_secs_f64(),
        rows: grid.cells.iter().map(json_row).collect(),
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&object)?))
}

fn json_row(cell: &Cell) -> JsonRow<'_> {
    JsonRow {
        caller: &cell.row.caller,
        callee: &cell.row.callee,
        turn: cell.row.turn,
        predicted: cell.row.predicted.path.as_str(),
        simulated: match &cell.simulated {
            Ok(path) => path.to_string(),
            Err(error) => error.to_string(),
        },
        turn_required: cell.row.predicted.turn_required,
    }
}
