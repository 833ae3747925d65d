//! Machines that are never quiet: seeded noise for simulated epochs.

use gate::{statistics::Draw, wall::Epoch};

/// How the effects of epochs scatter around the true one. The median of every noise is 0, unless it says
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Noise {
    /// Normal, with this standard deviation of an epoch's effect.
    Normal(f64),
    /// Normal, and a fifth of the epochs is in a slow mode on one side, a fifth on the other.
    Bimodal(f64),
    /// Normal, and the machine gets slower all the time: base and candidate alike.
    Drift(f64),
    /// Normal, and every twentieth epoch has one side three times as slow.
    NoisyEpoch(f64),
    /// Heavy tails: the ratio of two normal draws (Cauchy).
    HeavyTails(f64),
    /// Long tail on the slow side of the candidate only.
    Skewed(f64),
}

impl Noise {
    pub(crate) const ALL: [Self; 6] = [
        Self::Normal(0.012),
        Self::Bimodal(0.012),
        Self::Drift(0.012),
        Self::NoisyEpoch(0.012),
        Self::HeavyTails(0.006),
        Self::Skewed(0.012),
    ];

    /// The epoch with this number, of a candidate that is slower by `effect` (a logarithm).
    pub(crate) fn epoch(self, draw: &mut Draw, number: usize, effect: f64) -> Epoch {
        let mut base = 1e9f64.ln();
        let noise = match self {
            Self::Normal(spread) => spread * normal(draw),
            Self::Bimodal(spread) => {
                let mode = [-4.0, 0.0, 0.0, 0.0, 4.0][draw.below(5)];
                spread * (mode + normal(draw))
            }
            Self::Drift(spread) => {
                base += 0.05 * number as f64;
                spread * normal(draw)
            }
            Self::NoisyEpoch(spread) => {
                let odd = if draw.below(20) == 0 { 3f64.ln() } else { 0.0 };
                let side = if draw.coin() { odd } else { -odd };
                side + spread * normal(draw)
            }
            Self::HeavyTails(spread) => (spread * normal(draw) / normal(draw)).clamp(-5.0, 5.0),
            Self::Skewed(spread) => spread * (-draw.unit().ln() - std::f64::consts::LN_2),
        };
        let side = |log: f64| vec![log.exp().round() as u64];
        Epoch::new(side(base), side(base + effect + noise)).unwrap()
    }
}

/// Box and Muller.
pub(crate) fn normal(draw: &mut Draw) -> f64 {
    let (radius, angle) = (draw.unit(), draw.unit());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}
