use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::MAX_ALTERNATIONS;
use crate::metric::{Metric, Percent};

/// The most epochs of a look.
pub(crate) const MAX_EPOCHS: usize = 1_000;

/// The most resamples of an interval.
pub(crate) const MAX_RESAMPLES: usize = 20_000;

/// How the wall tier measures and judges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Unchecked")]
pub struct WallSettings {
    /// Where random orders and resamples come from.
    pub seed: u64,
    /// After how many epochs a verdict is tried, ascending.
    pub looks: Vec<usize>,
    /// How often the two processes of an epoch take turns.
    pub alternations: usize,
    /// The largest chance that any metric is wrongly called a regression.
    pub alpha: f64,
    /// The smallest slowdown of interest, for a metric without a budget.
    pub min_effect_pct: Percent,
    /// The slowdown that a pass rules out, for a metric without a budget.
    pub claim_pct: Percent,
    /// How often the epochs are drawn again for the interval that is shown.
    pub resamples: usize,
}

/// Settings that make no sense together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WallSettingsError {
    /// Looks are none, not ascending, 0, or beyond [`MAX_EPOCHS`].
    #[error("looks must be 1 to 10 ascending numbers of epochs from 1 to {MAX_EPOCHS}")]
    Looks,
    /// Not between 0 and ½.
    #[error("alpha must lie between 0 and 0.5")]
    Alpha,
    /// Not 0 ≤ smallest effect < claim.
    #[error("the smallest effect must not be negative and must be below the claim")]
    Effects,
    /// Alternations or resamples are 0 or too many.
    #[error("alternations must be 1 to {MAX_ALTERNATIONS}, resamples 1 to {MAX_RESAMPLES}")]
    Counts,
}

impl WallSettings {
    /// Looks at 20, 40 and 80 epochs of 20 alternations, α 1 %, 2 % of interest, 5 % ruled out.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            looks: vec![20, 40, 80],
            alternations: 20,
            alpha: 0.01,
            min_effect_pct: Percent::from_ppm(20_000),
            claim_pct: Percent::from_ppm(50_000),
            resamples: 10_000,
        }
    }

    /// Whether they make sense together.
    ///
    /// # Errors
    ///
    /// [`WallSettingsError`] names the first that does not.
    pub fn check(&self) -> Result<(), WallSettingsError> {
        let ascending = self.looks.windows(2).all(|pair| pair[0] < pair[1]);
        let in_range = self.looks.iter().all(|look| (1..=MAX_EPOCHS).contains(look));
        if !ascending || !in_range || !(1..=10).contains(&self.looks.len()) {
            return Err(WallSettingsError::Looks);
        }
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            return Err(WallSettingsError::Alpha);
        }
        if self.min_effect_pct < Percent::ZERO || self.min_effect_pct >= self.claim_pct {
            return Err(WallSettingsError::Effects);
        }
        let counts = (1..=MAX_ALTERNATIONS).contains(&self.alternations);
        if !counts || !(1..=MAX_RESAMPLES).contains(&self.resamples) {
            return Err(WallSettingsError::Counts);
        }
        Ok(())
    }

    /// The level of one look.
    pub(crate) fn alpha_of_look(&self) -> f64 {
        self.alpha / self.looks.len().max(1) as f64
    }

    /// The limits of `metric`: with a budget, that is the smallest slowdown of interest, and the claim
    /// lies as far above as it does without.
    pub(crate) fn limits(&self, metric: &Metric) -> Limits {
        let (mut min_effect, mut claim) = (self.min_effect_pct, self.claim_pct);
        if let Some(budget) = metric.budget {
            let gap = claim.ppm() - min_effect.ppm();
            min_effect = budget.max_change();
            claim = Percent::from_ppm(min_effect.ppm().saturating_add(gap));
        }
        Limits { min_effect: min_effect.log_ratio(), claim: claim.log_ratio() }
    }
}

/// What is of interest, and what a pass rules out, as logarithms of ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) min_effect: f64,
    pub(crate) claim: f64,
}

/// As it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    seed: u64,
    looks: Vec<usize>,
    alternations: usize,
    alpha: f64,
    min_effect_pct: Percent,
    claim_pct: Percent,
    resamples: usize,
}

impl TryFrom<Unchecked> for WallSettings {
    type Error = WallSettingsError;

    fn try_from(unchecked: Unchecked) -> Result<Self, WallSettingsError> {
        let Unchecked { seed, looks, alternations, alpha, min_effect_pct, claim_pct, resamples } = unchecked;
        let settings = Self { seed, looks, alternations, alpha, min_effect_pct, claim_pct, resamples };
        settings.check().map(|()| settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut WallSettings), expect: Result<(), WallSettingsError>) {
        let mut settings = WallSettings::new(1);
        change(&mut settings);
        assert_eq!(settings.check(), expect);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        check(|_| {}, Ok(()));
        check(|settings| settings.looks = vec![], Err(WallSettingsError::Looks));
        check(|settings| settings.looks = vec![20, 20], Err(WallSettingsError::Looks));
        check(|settings| settings.alpha = f64::NAN, Err(WallSettingsError::Alpha));
        check(|settings| settings.claim_pct = settings.min_effect_pct, Err(WallSettingsError::Effects));
        check(|settings| settings.resamples = 0, Err(WallSettingsError::Counts));
        check(|settings| settings.alternations = 0, Err(WallSettingsError::Counts));
    }
}
