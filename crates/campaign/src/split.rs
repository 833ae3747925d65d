//! Cutting the runs of a campaign into shards that take equal time.

use serde::{Deserialize, Serialize};

use crate::seeds::SeedRange;

/// Some seeds of one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// The scenario's place in the plan.
    pub scenario: usize,
    /// The first seed.
    pub first: u64,
    /// The last seed, included.
    pub last: u64,
}

impl Piece {
    /// How many runs.
    pub const fn runs(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Cuts `seeds` of scenarios that cost `costs` a run into `shards` of equal cost, as nearly as whole runs allow. Shards after
/// each other hold scenarios and seeds in their order, no run twice and none left out. None is empty: there are no more shards
/// than runs.
pub(crate) fn split(costs: &[u64], seeds: SeedRange, shards: u64) -> Vec<Vec<Piece>> {
    let runs = seeds.count();
    let total_runs = u128::from(runs) * costs.len() as u128;
    let shards = u128::from(shards).min(total_runs);
    let total: u128 = costs.iter().map(|cost| u128::from(runs) * u128::from((*cost).max(1))).sum();
    let mut cut = Vec::new();
    let mut from = 0;
    for shard in 1..=shards {
        let ideal = run_at(costs, runs, total * shard / shards);
        // At least one run here, and one for each shard to come.
        let to = ideal.clamp(from + 1, total_runs - (shards - shard));
        cut.push(pieces(seeds, from, to));
        from = to;
    }
    cut
}

/// How many runs cost `spent` together, when all are done in order.
fn run_at(costs: &[u64], runs: u64, mut spent: u128) -> u128 {
    let mut before = 0;
    for cost in costs {
        let cost = u128::from((*cost).max(1));
        let whole = cost * u128::from(runs);
        if spent < whole {
            return before + spent / cost;
        }
        spent -= whole;
        before += u128::from(runs);
    }
    before
}

/// Runs `from` to before `to`, counted over all scenarios.
fn pieces(seeds: SeedRange, from: u128, to: u128) -> Vec<Piece> {
    let runs = u128::from(seeds.count());
    let (mut at, mut found) = (from, Vec::new());
    while at < to {
        let end = ((at / runs + 1) * runs).min(to);
        // All of these are less than the number of runs of one scenario, or of scenarios.
        let within = |run: u128| seeds.first + u64::try_from(run % runs).unwrap_or(0);
        let scenario = usize::try_from(at / runs).unwrap_or(usize::MAX);
        found.push(Piece { scenario, first: within(at), last: within(end - 1) });
        at = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seeds(first: u64, last: u64) -> SeedRange {
        SeedRange { first, last }
    }

    fn piece(scenario: usize, first: u64, last: u64) -> Piece {
        Piece { scenario, first, last }
    }

    #[test]
    fn what_costs_more_is_cut_finer() {
        let found = split(&[1, 3], seeds(1, 100), 4);
        let expect = vec![
            vec![piece(0, 1, 100)],
            vec![piece(1, 1, 33)],
            vec![piece(1, 34, 66)],
            vec![piece(1, 67, 100)],
        ];
        assert_eq!(found, expect);
        assert_eq!(split(&[5], seeds(8, 9), 40), [[piece(0, 8, 8)], [piece(0, 9, 9)]]);
        assert_eq!(split(&[2, 2], seeds(1, 3), 1), [[piece(0, 1, 3), piece(1, 1, 3)]]);
    }

    proptest! {
        #[test]
        fn every_run_is_in_one_shard_in_order(
            costs in prop::collection::vec(0u64..5_000_000, 1..6),
            first in 0u64..1_000_000,
            count in 1u64..3_000,
            shards in 1u64..500,
        ) {
            let range = seeds(first, first + count - 1);
            let found = split(&costs, range, shards);
            prop_assert_eq!(found.len() as u64, shards.min(count * costs.len() as u64));
            let runs = found.iter().flatten().flat_map(|piece| {
                (piece.first..=piece.last).map(move |seed| (piece.scenario, seed))
            });
            let all = (0..costs.len()).flat_map(|scenario| {
                (range.first..=range.last).map(move |seed| (scenario, seed))
            });
            prop_assert!(runs.eq(all));
        }

        #[test]
        fn shards_cost_the_same(costs in prop::collection::vec(1u64..50, 1..6), shards in 1u64..40) {
            let found = split(&costs, seeds(1, 1_000), shards);
            let cost = |shard: &Vec<Piece>| -> u64 {
                shard.iter().map(|piece| piece.runs() * costs[piece.scenario]).sum()
            };
            let (least, most) = (found.iter().map(cost).min().unwrap(), found.iter().map(cost).max().unwrap());
            prop_assert!(most - least <= 2 * 50, "{} to {}", least, most);
        }
    }
}
