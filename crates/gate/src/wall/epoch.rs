use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::metric::Better;

/// The most alternations of one epoch.
pub(crate) const MAX_ALTERNATIONS: usize = 10_000;

/// What a fresh pair of processes measured in turns: numbers of the same length, none of them 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Epoch {
    base: Vec<u64>,
    new: Vec<u64>,
}

/// Why numbers are not an [`Epoch`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EpochError {
    /// None, too many, or not the same number on both sides.
    #[error("an epoch has 1 to {MAX_ALTERNATIONS} samples and as many on either side, not {base} and {new}")]
    BadLength {
        /// How many of the base.
        base: usize,
        /// How many of the candidate.
        new: usize,
    },
    /// A sample is 0: the clock did not move, or nothing ran.
    #[error("sample {index} is 0: nothing ran, or the clock is too coarse for it")]
    Zero {
        /// Its place, from 0.
        index: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    base: Vec<u64>,
    new: Vec<u64>,
}

impl Epoch {
    /// Samples of base and candidate, in the metric's unit and in the order of the alternations.
    ///
    /// # Errors
    ///
    /// [`EpochError`] for lengths that differ and samples of 0.
    pub fn new(base: Vec<u64>, new: Vec<u64>) -> Result<Self, EpochError> {
        if base.len() != new.len() || !(1..=MAX_ALTERNATIONS).contains(&base.len()) {
            return Err(EpochError::BadLength { base: base.len(), new: new.len() });
        }
        let zero = base.iter().zip(&new).position(|(base, new)| *base == 0 || *new == 0);
        match zero {
            Some(index) => Err(EpochError::Zero { index }),
            None => Ok(Self { base, new }),
        }
    }

    /// The logarithm of the ratio of the two best samples, positive where the candidate is worse: 0.0488
    /// for 5 % slower.
    pub fn effect(&self, better: Better) -> f64 {
        let ratio = self.best_new(better) as f64 / self.best_base(better) as f64;
        match better {
            Better::Lower => ratio.ln(),
            Better::Higher => -ratio.ln(),
        }
    }

    /// The best sample of the base.
    pub(crate) fn best_base(&self, better: Better) -> u64 {
        best(&self.base, better)
    }

    /// The best sample of the candidate.
    pub(crate) fn best_new(&self, better: Better) -> u64 {
        best(&self.new, better)
    }
}

/// An epoch is never empty and has no 0.
fn best(samples: &[u64], better: Better) -> u64 {
    let best = match better {
        Better::Lower => samples.iter().min(),
        Better::Higher => samples.iter().max(),
    };
    best.copied().unwrap_or(1)
}

impl TryFrom<Fields> for Epoch {
    type Error = EpochError;

    fn try_from(fields: Fields) -> Result<Self, EpochError> {
        Self::new(fields.base, fields.new)
    }
}

impl From<Epoch> for Fields {
    fn from(epoch: Epoch) -> Self {
        Self { base: epoch.base, new: epoch.new }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effect_is_that_of_the_best_samples_and_positive_where_worse() {
        let epoch = Epoch::new(vec![100, 900, 110], vec![105, 120, 1000]).unwrap();
        assert!((epoch.effect(Better::Lower) - 1.05f64.ln()).abs() < 1e-12);
        assert!((epoch.effect(Better::Higher) - (900f64 / 1000.0).ln()).abs() < 1e-12);
    }

    #[test]
    fn unequal_empty_and_zero_are_refused() {
        assert_eq!(Epoch::new(vec![], vec![]), Err(EpochError::BadLength { base: 0, new: 0 }));
        assert_eq!(Epoch::new(vec![1], vec![1, 2]), Err(EpochError::BadLength { base: 1, new: 2 }));
        assert_eq!(Epoch::new(vec![1, 1], vec![1, 0]), Err(EpochError::Zero { index: 1 }));
        assert!(Epoch::new(vec![1; MAX_ALTERNATIONS], vec![1; MAX_ALTERNATIONS]).is_ok());
        assert!(Epoch::new(vec![1; MAX_ALTERNATIONS + 1], vec![1; MAX_ALTERNATIONS + 1]).is_err());
    }
}
