//! The grid for people: the nine by nine as a square, everything else as lines.

use std::fmt::Write as _;

use comfy_table::Table;
use scenario::nat_grid::{Cell, Part};

use super::Grid;
use crate::TABLE_STYLE;

/// The whole grid.
pub(super) fn tables(grid: &Grid) -> String {
    let mut out = String::from(
        "Over which candidates a call goes: host, srflx, prflx, relay, none. Rows are callers, columns callees.\n\
         NATs by mapping/filtering (RFC 4787 §4.1, §5), each independent of the remote endpoint (I), or dependent on\n\
         its address (A) or on its address and port (P). Where oracle and simulator differ: ✗ simulated ≠ predicted.\n",
    );
    for (part, title) in [(Part::Nats, "NATs"), (Part::Places, "Places")] {
        for (turn, servers) in [(false, "STUN only"), (true, "STUN and TURN")] {
            let _ = writeln!(out, "\n{title}, {servers}\n{}", square(grid, part, turn));
        }
    }
    let _ = writeln!(out, "\nIPv6, and peers that share a gateway\n{}", lines(grid));
    let (agree, cells) = (grid.agree(), grid.cells.len());
    let _ = writeln!(out, "\n{agree} of {cells} cells agree, {:.1} s", grid.wall.as_secs_f64());
    out
}

/// A few cells with the oracle's reasons, and what to play.
pub(super) fn explained(grid: &Grid) -> String {
    let mut out = String::new();
    for cell in &grid.cells {
        let row = &cell.row;
        let servers = if row.turn { "STUN and TURN" } else { "STUN only" };
        let _ = writeln!(out, "{} calls {}, {servers}: {}\n", row.caller, row.callee, word(cell));
        for reason in &row.predicted.because {
            let _ = writeln!(out, "  {reason}");
        }
        let _ = writeln!(out, "\n{}\n", row.scenario.trim_end());
    }
    out
}

fn square(grid: &Grid, part: Part, turn: bool) -> Table {
    let cells: Vec<&Cell> =
        grid.cells.iter().filter(|cell| cell.row.part == part && cell.row.turn == turn).collect();
    let mut callees: Vec<&str> = Vec::new();
    for cell in &cells {
        if !callees.contains(&cell.row.callee.as_str()) {
            callees.push(&cell.row.callee);
        }
    }
    let mut table = Table::new();
    table.load_style(TABLE_STYLE);
    table.set_header(["caller"].into_iter().map(str::to_owned).chain(callees.iter().map(|name| short(name))));
    for row in cells.chunks(callees.len()) {
        let name = row.first().map(|cell| short(&cell.row.caller));
        table.add_row(name.into_iter().chain(row.iter().map(|cell| word(cell))));
    }
    table
}

fn lines(grid: &Grid) -> Table {
    let mut table = Table::new();
    table.load_style(TABLE_STYLE);
    table.set_header(["caller", "callee", "STUN only", "STUN and TURN"]);
    let others: Vec<&Cell> = grid.cells.iter().filter(|cell| cell.row.part == Part::Others).collect();
    for pair in others.chunks(2) {
        let Some(first) = pair.first() else { continue };
        let names = [&first.row.caller, &first.row.callee].map(|name| (*name).clone());
        table.add_row(names.into_iter().chain(pair.iter().map(|cell| word(cell))));
    }
    table
}

/// `endpoint-independent/address-dependent` as `I/A`; other names as they are.
fn short(name: &str) -> String {
    let letter = |word: &str| match word {
        "endpoint-independent" => Some('I'),
        "address-dependent" => Some('A'),
        "address-and-port-dependent" => Some('P'),
        _ => None,
    };
    let both =
        name.split_once('/').and_then(|(mapping, filtering)| Some((letter(mapping)?, letter(filtering)?)));
    both.map_or_else(|| name.to_owned(), |(mapping, filtering)| format!("{mapping}/{filtering}"))
}

fn word(cell: &Cell) -> String {
    let predicted = cell.row.predicted.path;
    match &cell.simulated {
        Ok(path) if *path == predicted => path.to_string(),
        Ok(path) => format!("✗ {path} ≠ {predicted}"),
        Err(error) => format!("✗ {error}"),
    }
}
