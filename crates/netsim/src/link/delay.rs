//! Delays that vary.

use std::time::Duration;

use thiserror::Error;

use crate::{
    Probability,
    numeric::{exp, ln, normal_quantile},
};

/// What varies around a link's delay, next to its jitter; drawn per packet.
///
/// Quantiles, for those who check: normal, `delay + sigma · Φ⁻¹(q)` and never below zero; heavy tail,
/// `delay + scale · ((1 − q)^(−1/index) − 1)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Spread {
    /// Nothing.
    #[default]
    None,
    /// Normal around the delay. A sum below zero counts as zero, as in libwebrtc's
    /// `delay_standard_deviation_ms`.
    Normal {
        /// The standard deviation.
        sigma: Duration,
    },
    /// A heavy tail above the delay: the Pareto distribution of the second kind (Lomax), which begins at
    /// zero. Cut off at [`Spread::LONGEST`].
    HeavyTail {
        /// How wide it is: `index` 1 has its median here.
        scale: Duration,
        /// How heavy the tail is.
        index: TailIndex,
    },
}

impl Spread {
    /// The most that a heavy tail adds: one minute. Chosen: beyond it a packet may as well be lost.
    pub const LONGEST: Duration = Duration::from_secs(60);

    /// `delay` with the part of the distribution that `u`, strictly between 0 and 1, stands for.
    pub(crate) fn apply(self, delay: Duration, u: f64) -> Duration {
        match self {
            Self::None => delay,
            Self::Normal { sigma } => {
                let nanos = delay.as_nanos() as f64 + sigma.as_nanos() as f64 * normal_quantile(u);
                Duration::from_nanos(nanos.max(0.0) as u64)
            }
            Self::HeavyTail { scale, index } => {
                let times = exp(-ln(1.0 - u) / index.get()) - 1.0;
                let nanos = scale.as_nanos() as f64 * times;
                delay + Duration::from_nanos(nanos as u64).min(Self::LONGEST)
            }
        }
    }
}

/// How heavy a tail is: the exponent of the Pareto distribution, above 1, where its mean is finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct TailIndex(f64);

impl TailIndex {
    /// The exponent `value`: 3 has a finite variance, 1.5 has not.
    ///
    /// # Errors
    /// Where it is no number above 1.
    pub fn new(value: f64) -> Result<Self, InvalidTailIndex> {
        if value.is_finite() && value > 1.0 { Ok(Self(value)) } else { Err(InvalidTailIndex(value)) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// A number that is no tail index.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{0} is no tail index: it must be a number above 1")]
pub struct InvalidTailIndex(
    /// The number.
    pub f64,
);

/// How much the varying part of a packet's delay resembles that of the packet before it.
///
/// A first-order autoregressive Gaussian copula: the distribution of the delays stays what it is, only
/// their order changes. The coefficient is that of the underlying normal numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Correlation(f64);

impl Correlation {
    /// Each packet on its own.
    pub const NONE: Self = Self(0.0);

    /// The coefficient `value`.
    ///
    /// # Errors
    /// Where it is no number from 0 up to, and not including, 1.
    pub fn new(value: f64) -> Result<Self, InvalidCorrelation> {
        if (0.0..1.0).contains(&value) { Ok(Self(value)) } else { Err(InvalidCorrelation(value)) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// A number that is no correlation of this model.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{0} is no correlation of delays: it must be a number from 0 up to, and not including, 1")]
pub struct InvalidCorrelation(
    /// The number.
    pub f64,
);

/// Some datagrams take a detour, so that later ones overtake them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reordering {
    /// How many take it.
    pub probability: Probability,
    /// How much longer it is. A datagram is overtaken by all that follow it within this time.
    pub extra: Duration,
}
