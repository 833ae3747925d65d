use serde::{Deserialize, Serialize};

use super::{WallSettings, settings::Limits};
use crate::statistics::{detectable_shift, robust_spread};

/// How well a set of epochs can see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// The spread of the effects of the epochs: the standard deviation that their MAD stands for.
    pub spread: f64,
    /// The smallest true slowdown, as a fraction, that this many epochs of this spread call a regression
    /// with 95 % probability, confirmation included. `None` where no slowdown suffices.
    pub detectable: Option<f64>,
}

impl Power {
    /// The probability with which [`detectable`](Self::detectable) is caught.
    pub(crate) const PROBABILITY: f64 = 0.95;

    /// Of `effects` in a family of `family` metrics, at the strictest level that Holm asks of it.
    pub(crate) fn of(effects: &[f64], family: usize, limits: Limits, settings: &WallSettings) -> Self {
        let spread = robust_spread(effects).unwrap_or_default();
        // First set and confirmation are independent, and both must see it.
        let each = Self::PROBABILITY.sqrt();
        let level = settings.alpha_of_look() / family.max(1) as f64;
        let shift = detectable_shift(effects.len(), level, each);
        let detectable = shift.map(|shift| (limits.min_effect + shift.max(0.0) * spread).exp_m1());
        Self { spread, detectable }
    }
}
