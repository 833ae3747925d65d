//! Every NAT against every NAT: real calls in the simulated network, held against an oracle that knows the
//! RFCs and not the simulator ([`nat_oracle`]).
//!
//! A row is one call between two places, once with a STUN server only and once with TURN. Both say over which
//! candidates it goes, or that it does not connect; where they differ, one of the two is wrong.

mod places;

use std::num::NonZeroUsize;

use nat_oracle::{Path, Prediction, Servers, predict};

use self::places::{Pair, pairs};
use crate::{
    metrics::simulated_path,
    plan::Plan,
    record::RunRecord,
    run::Player,
    suite::{self, Broken, Cancel, Keep, Options, Progress, Seeds},
};

/// One call of the grid, not yet played.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which part of the grid it belongs to.
    pub part: Part,
    /// Where the caller is: `endpoint-independent/address-dependent` (mapping, then filtering), or the name of a place.
    pub caller: String,
    /// Where the callee is.
    pub callee: String,
    /// Whether there is a TURN server; if not, a STUN server only.
    pub turn: bool,
    /// What the oracle says.
    pub predicted: Prediction,
    /// The call, as a scenario file would have it.
    pub scenario: String,
    plan: Plan,
}

/// The parts of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The nine NATs of RFC 4787 against each other.
    Nats,
    /// Public hosts, carrier-grade NATs and firewalls against each other.
    Places,
    /// IPv6, and peers that share a gateway.
    Others,
}

/// A row that was played.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The row.
    pub row: Row,
    /// What came of it: over which candidates it went, or what kept it from being played.
    pub simulated: Result<Path, Broken>,
}

impl Cell {
    /// Whether oracle and simulator agree.
    pub fn agrees(&self) -> bool {
        self.simulated.as_ref() == Ok(&self.row.predicted.path)
    }
}

/// All rows: 81 pairs of NATs, 81 pairs of places and some others, each with STUN only and with TURN.
pub fn rows() -> Vec<Row> {
    pairs().iter().flat_map(|pair| [false, true].map(|turn| row(pair, turn))).collect()
}

fn row(pair: &Pair, turn: bool) -> Row {
    let servers = if turn { Servers::STUN_AND_TURN } else { Servers::STUN };
    let servers = Servers { families: pair.server_families, ..servers };
    let scenario = pair.scenario(turn);
    let name = format!("nat-grid/{}-{}-{}", pair.caller, pair.callee, if turn { "turn" } else { "stun" });
    let plan = Plan::from_toml(&name, &scenario);
    Row {
        part: pair.part,
        caller: pair.caller.clone(),
        callee: pair.callee.clone(),
        turn,
        predicted: predict(&pair.situation.clone().with_servers(servers)),
        plan: plan.unwrap_or_else(|error| panic!("{}", error.lines().collect::<Vec<_>>().join("\n"))),
        scenario,
    }
}

/// Plays `rows` with `seed`, on `jobs` threads, until `cancel`; the cells of those that were played, in order.
pub fn play(
    rows: Vec<Row>,
    seed: u64,
    jobs: NonZeroUsize,
    cancel: &Cancel,
    progress: impl Fn(Progress) + Sync,
) -> Vec<Cell> {
    let plans: Vec<Plan> = rows.iter().map(|row| row.plan.clone()).collect();
    let options = Options { seeds: Seeds::One(seed), jobs, keep: Keep::Everything };
    let result =
        suite::run(&plans, &options, cancel, |plan, seed| Player::new(plan).seed(seed).play(), progress);
    let played = rows.into_iter().zip(result.scenarios);
    played
        .filter_map(|(row, runs)| Some(Cell { simulated: path_of(runs.into_iter().next()?), row }))
        .collect()
}

fn path_of(run: suite::Run) -> Result<Path, Broken> {
    let played = run.result?;
    let record: &RunRecord = played.record.as_deref().expect("everything is kept");
    Ok(simulated_path(record, &"caller".into(), &"callee".into()))
}
