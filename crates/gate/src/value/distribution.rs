use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::statistics::nearest_rank;

/// The fewest seeds whose p95 means something: ten outcomes lie beyond it.
pub const MIN_SEEDS: usize = 200;

/// The most seeds of one distribution.
pub(crate) const MAX_SEEDS: usize = 100_000;

/// The outcome of each seed from a first one on: a number, or a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Distribution {
    first_seed: u64,
    outcomes: Vec<Option<u64>>,
}

/// Why outcomes are not a [`Distribution`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// Fewer than [`MIN_SEEDS`].
    #[error("{found} seeds are too few for a 95th percentile: play at least {MIN_SEEDS}")]
    TooFewSeeds {
        /// How many there are.
        found: usize,
    },
    /// More than [`MAX_SEEDS`].
    #[error("{found} seeds are more than the {MAX_SEEDS} that a distribution holds")]
    TooManySeeds {
        /// How many there are.
        found: usize,
    },
    /// The last seed would be beyond 2⁶⁴.
    #[error("the seeds from {first_seed} on do not fit into 64 bits")]
    SeedOverflow {
        /// The first seed.
        first_seed: u64,
    },
}

/// A distribution in four figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The median of the seeds that did not fail (nearest rank); `None` where all failed.
    pub p50: Option<u64>,
    /// Their 95th percentile.
    pub p95: Option<u64>,
    /// How many seeds failed.
    pub failures: u64,
    /// XXH3 of all outcomes, as 16 hexadecimal digits: two distributions with equal hashes are the same.
    pub outcomes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    first_seed: u64,
    outcomes: Vec<Option<u64>>,
}

impl Distribution {
    /// The outcomes of `first_seed`, `first_seed` + 1 and so on; `None` is a failure.
    ///
    /// # Errors
    ///
    /// [`DistributionError`] for too few or too many of them.
    pub fn new(first_seed: u64, outcomes: Vec<Option<u64>>) -> Result<Self, DistributionError> {
        let found = outcomes.len();
        if found < MIN_SEEDS {
            return Err(DistributionError::TooFewSeeds { found });
        }
        if found > MAX_SEEDS {
            return Err(DistributionError::TooManySeeds { found });
        }
        if first_seed.checked_add(found as u64 - 1).is_none() {
            return Err(DistributionError::SeedOverflow { first_seed });
        }
        Ok(Self { first_seed, outcomes })
    }

    /// The first seed.
    pub(crate) fn first_seed(&self) -> u64 {
        self.first_seed
    }

    /// The outcomes, in the order of their seeds.
    pub fn outcomes(&self) -> &[Option<u64>] {
        &self.outcomes
    }

    /// Whether both cover the same seeds, so that they can be compared seed by seed.
    pub(crate) fn has_seeds_of(&self, other: &Self) -> bool {
        (self.first_seed, self.outcomes.len()) == (other.first_seed, other.outcomes.len())
    }

    /// The seeds whose outcomes differ. Both must cover the same seeds.
    pub(crate) fn changed_seeds(&self, other: &Self) -> BTreeSet<u64> {
        let pairs = self.outcomes.iter().zip(&other.outcomes);
        let seeds = (self.first_seed..=u64::MAX).zip(pairs);
        seeds.filter(|(_, (here, there))| here != there).map(|(seed, _)| seed).collect()
    }

    /// The distribution in four figures.
    pub fn summary(&self) -> Summary {
        let mut sorted: Vec<u64> = self.outcomes.iter().flatten().copied().collect();
        sorted.sort_unstable();
        Summary {
            p50: nearest_rank(&sorted, 50),
            p95: nearest_rank(&sorted, 95),
            failures: (self.outcomes.len() - sorted.len()) as u64,
            outcomes: format!("{:016x}", self.hash()),
        }
    }

    fn hash(&self) -> u64 {
        let mut bytes = self.first_seed.to_le_bytes().to_vec();
        for outcome in &self.outcomes {
            bytes.push(u8::from(outcome.is_some()));
            bytes.extend(outcome.unwrap_or_default().to_le_bytes());
        }
        xxh3_64(&bytes)
    }
}

impl TryFrom<Fields> for Distribution {
    type Error = DistributionError;

    fn try_from(fields: Fields) -> Result<Self, DistributionError> {
        Self::new(fields.first_seed, fields.outcomes)
    }
}

impl From<Distribution> for Fields {
    fn from(distribution: Distribution) -> Self {
        Self { first_seed: distribution.first_seed, outcomes: distribution.outcomes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(count: u64) -> Vec<Option<u64>> {
        (1..=count).map(Some).collect()
    }

    #[test]
    fn two_hundred_seeds_are_enough_and_one_fewer_is_not() {
        assert!(Distribution::new(1, outcomes(200)).is_ok());
        assert_eq!(Distribution::new(1, outcomes(199)), Err(DistributionError::TooFewSeeds { found: 199 }));
    }

    #[test]
    fn the_last_seed_fits_or_the_set_is_refused() {
        assert!(Distribution::new(u64::MAX - 199, outcomes(200)).is_ok());
        assert!(Distribution::new(u64::MAX - 198, outcomes(200)).is_err());
    }

    #[test]
    fn failures_are_counted_and_not_ranked() {
        let mut outcomes = outcomes(200);
        outcomes[0] = None;
        outcomes[199] = None;
        let summary = Distribution::new(1, outcomes).unwrap().summary();
        // Of 2..=199: ranks ⌈0.50 · 198⌉ = 99 and ⌈0.95 · 198⌉ = 189.
        assert_eq!((summary.p50, summary.p95, summary.failures), (Some(100), Some(190), 2));
    }

    #[test]
    fn changed_seeds_are_named_and_change_the_hash() {
        let base = Distribution::new(10, outcomes(200)).unwrap();
        let mut other = outcomes(200);
        other.swap(3, 4);
        other[7] = None;
        let other = Distribution::new(10, other).unwrap();
        assert_eq!(base.changed_seeds(&other), BTreeSet::from([13, 14, 17]));
        assert_ne!(base.summary().outcomes, other.summary().outcomes);
        assert_eq!(base.summary().outcomes, base.clone().summary().outcomes);
    }
}
