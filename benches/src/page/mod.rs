//! Results as pages: HTML with charts, and Markdown for the documentation. Pure functions of the results.

mod chart;
mod ratios;
mod table;

use std::fmt::Write as _;

use ::page::{Block, ReportPage};

use self::table::Table;
use crate::results::Results;

const INTRODUCTION: &str = "\
A *set-up* lasts from the dial until both sides are connected, in virtual time: exact, and the same on every machine.
The *floor* is the shortest one that the protocols allow: one-way trips times delay, without jitter, rates, processing or
losses (`benches/src/latency/floor.rs` derives the trips from the RFCs; S is a trip between the peers by way of the
signaller, P one between the peers). What the callee took to answer the bell is left out of mean ÷ floor. What a set-up
was spent on is read off its critical path, and adds up to the whole (`benches/src/latency/attribution/`). One call, step
by step: `cargo run --release -p benches --bin measure -- path profiles/lte-to-wifi --seed 1`.";

const COSTS: &str = "\
Processor and wall-clock time on one machine, for one unit: the median of the runs, in the least disturbed of three rounds
(one with `--quick`); memory is what one run adds at its peak. These figures depend on the machine and on what else it
does: compare only what was measured in one run. There are three floors
(`benches/src/workload/floor/`): `floor/handshake` is the public-key operations of a call and nothing else, `floor/stack` two
peer connections of the library's sans-I/O half back to back, without its driver, timers or delay, and `floor/driver` the
whole library as it ships, under its own driver, on queues in memory and tokio's paused clock: what a call of ours costs if
all that we add costs nothing. This is *library alone*. Where ours is below it, it is because the engine makes interceptors
quiet that have nothing to say, and keeps fewer packets to be sent again, and because both ends of a handshake are in one
world, where a signature or a secret that one end worked out is not worked out again by the other one. The calls of `calls-in-one-world/` and of
`floor/driver-many` are dialled ten a millisecond, and all of them are under way before the first one ends.";

/// The page of the documentation.
pub fn markdown(results: &Results) -> String {
    let mut out = String::from("# How long a call takes to stand, and what it costs\n\n");
    let _ = writeln!(out, "Written by `cargo xtask bench --docs`. Do not edit.\n\n{INTRODUCTION}\n");
    for (title, table) in latency_tables(results, is_telling) {
        let _ = writeln!(out, "## {title}\n\n{}", table.markdown());
    }
    if !results.costs.is_empty() {
        let _ = writeln!(out, "## Costs\n\n{COSTS}\n\nMeasured on: {}\n", results.machine);
        for (title, table) in cost_tables(results) {
            let _ = writeln!(out, "### {title}\n\n{}", table.markdown());
        }
    }
    out
}

/// What the command says: the tables alone.
pub fn text(results: &Results) -> String {
    let mut out = String::new();
    for (title, table) in latency_tables(results, is_telling).into_iter().chain(cost_tables(results)) {
        let _ = writeln!(out, "{title}\n\n{}", table.text());
    }
    out
}

/// The page for a browser; it links to criterion's, which lie beside it.
pub fn html(results: &Results) -> String {
    let prose = |text: &str| Block::Prose(text.replace('\n', " "));
    let heading = |text: &str| Block::Heading(text.to_owned());
    let mut blocks = vec![
        Block::Prose(results.machine.clone()),
        Block::Link {
            to: "criterion/report/index.html".to_owned(),
            text: "All plots of criterion".to_owned(),
        },
        heading("Set-up and floor"),
        prose(INTRODUCTION),
        Block::Picture(chart::setups(&results.latency).to_string()),
    ];
    for (title, table) in latency_tables(results, |_| true) {
        blocks.extend([heading(title), table.block()]);
    }
    if !results.costs.is_empty() {
        let picture = chart::growth(&results.costs).to_string();
        blocks.extend([heading("Costs"), prose(COSTS), Block::Picture(picture)]);
        for (title, table) in cost_tables(results) {
            blocks.extend([heading(title), table.block()]);
        }
    }
    ReportPage { title: "callsim benches".to_owned(), blocks }.render()
}

/// The cases whose phases are shown where there is not room for all: one network, a home's, a carrier's with a relay.
fn is_telling(id: &str) -> bool {
    ["happy/host-candidates", "profiles/wifi-to-wifi", "profiles/lte-to-wifi"].contains(&id)
}

/// Those of set-ups; phases are shown of the cases that are `telling`.
fn latency_tables(results: &Results, telling: impl Fn(&str) -> bool) -> Vec<(&'static str, Table)> {
    if results.latency.is_empty() {
        return Vec::new();
    }
    vec![
        ("Measured and floor", table::floors(&results.latency)),
        ("What set-ups are spent on", table::causes(&results.latency)),
        ("When each phase is reached, from the dial: p50 / p95 in ms", table::phases(&results.latency)),
        ("What phases are spent on", table::causes_by_phase(&results.latency, telling)),
    ]
}

fn cost_tables(results: &Results) -> Vec<(&'static str, Table)> {
    let mut tables =
        vec![("Workloads", table::costs(results)), ("Beside the floors", ratios::beside_the_floors(results))];
    tables.push(("Complete calls a second", table::worlds(&results.worlds)));
    tables.retain(|(_, table)| !table.is_empty());
    tables
}

#[cfg(test)]
mod tests;
