//! The grid for people: the nine by nine as a square, everything else as lines.

use std::fmt::Write as _;

use scenario::nat_grid::{Cell, Part};
use timeline::{Column, Table, fit_lines};

use super::Grid;

/// The whole grid, in lines of at most `width` cells of a terminal.
pub(super) fn tables(grid: &Grid, width: usize) -> String {
    let mut out = String::from(
        "Over which candidates a call goes: host, srflx, prflx, relay, none. Rows are callers, columns callees.\n\
         NATs by mapping/filtering (RFC 4787 §4.1, §5), each independent of the remote endpoint (I), or dependent on\n\
         its address (A) or on its address and port (P). Where oracle and simulator differ: ✗ simulated ≠ predicted.\n",
    );
    for (part, title) in [(Part::Nats, "NATs"), (Part::Places, "Places")] {
        for (turn, servers) in [(false, "STUN only"), (true, "STUN and TURN")] {
            let _ = write!(out, "\n{title}, {servers}\n{}", square(grid, part, turn, width));
        }
    }
    let _ = write!(out, "\nIPv6, and peers that share a gateway\n{}", lines(grid).fit(width));
    let (agree, cells) = (grid.agree(), grid.cells.len());
    let _ = writeln!(out, "\n{agree} of {cells} cells agree, {:.1} s", grid.wall.as_secs_f64());
    fit_lines(&out, width)
}

/// A few cells with the oracle's reasons, and what to play.
pub(super) fn explained(grid: &Grid, width: usize) -> String {
    let mut out = String::new();
    for cell in &grid.cells {
        let row = &cell.row;
        let servers = if row.turn { "STUN and TURN" } else { "STUN only" };
        let _ = writeln!(out, "{} calls {}, {servers}: {}\n", row.caller, row.callee, word(cell));
        for reason in &row.predicted.because {
            out += &fit_lines(&format!("  {reason}\n"), width);
        }
        // A file: its lines stay as they are.
        let _ = writeln!(out, "\n{}\n", row.scenario.trim_end());
    }
    out
}

/// Callers against callees; in several blocks of callees where one is too wide.
fn square(grid: &Grid, part: Part, turn: bool, width: usize) -> String {
    let cells: Vec<&Cell> =
        grid.cells.iter().filter(|cell| cell.row.part == part && cell.row.turn == turn).collect();
    let mut callees: Vec<&str> = Vec::new();
    for cell in &cells {
        if !callees.contains(&cell.row.callee.as_str()) {
            callees.push(&cell.row.callee);
        }
    }
    let callers = || cells.iter().map(|cell| timeline::cells(&short(&cell.row.caller)));
    let mut room = width.saturating_sub(callers().max().unwrap_or(0).max("caller".len()));
    let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
    let whole = room;
    for (index, callee) in callees.iter().enumerate() {
        let column = cells.iter().filter(|cell| cell.row.callee == *callee).map(|cell| word(cell));
        let widest = column.chain([short(callee)]).map(|text| timeline::cells(&text)).max().unwrap_or(0) + 2;
        if widest > room && blocks.last().is_some_and(|block| !block.is_empty()) {
            blocks.push(Vec::new());
            room = whole;
        }
        room = room.saturating_sub(widest);
        blocks.last_mut().expect("there is always a block").push(index);
    }
    let block = |columns: &Vec<usize>| {
        let heads = columns.iter().map(|index| Column::left(short(callees[*index])).wraps(12));
        let mut table = Table::new([Column::left("caller").wraps(12)].into_iter().chain(heads));
        for row in cells.chunks(callees.len().max(1)) {
            let name = row.first().map(|cell| short(&cell.row.caller));
            table.push(
                name.into_iter()
                    .chain(columns.iter().filter_map(|index| row.get(*index)).map(|cell| word(cell))),
            );
        }
        table.fit(width)
    };
    blocks.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn lines(grid: &Grid) -> Table {
    let heads = ["caller", "callee", "STUN only", "STUN and TURN"];
    let mut table = Table::new(heads.map(|head| Column::left(head).wraps(12)));
    let others: Vec<&Cell> = grid.cells.iter().filter(|cell| cell.row.part == Part::Others).collect();
    for pair in others.chunks(2) {
        let Some(first) = pair.first() else { continue };
        let names = [&first.row.caller, &first.row.callee].map(|name| (*name).clone());
        table.push(names.into_iter().chain(pair.iter().map(|cell| word(cell))));
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
