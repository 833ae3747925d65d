//! Losses that come in bursts.

use thiserror::Error;

use crate::Probability;

/// The Gilbert–Elliott model: a link is in a good or in a bad state, changes it from packet to packet, and
/// loses packets more often in the bad one (E. N. Gilbert, Bell System Technical Journal 39, 1960; E. O.
/// Elliott, 42, 1963).
///
/// Its states change with every packet of one transport that enters the half-link, lost or not: the chains of
/// UDP and TCP are apart. The first state is drawn from the long-run shares. In the long run the share of
/// packets in the bad state is `to_bad / (to_bad + to_good)`, and a stay there lasts `1 / to_good` packets
/// on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GilbertElliott {
    /// p: how probable a change to the bad state is, at each packet in the good one.
    pub to_bad: Probability,
    /// r: how probable a change to the good state is, at each packet in the bad one.
    pub to_good: Probability,
    /// 1 − k: how many packets are lost in the good state.
    pub loss_good: Probability,
    /// 1 − h: how many packets are lost in the bad state.
    pub loss_bad: Probability,
}

impl GilbertElliott {
    /// Bursts in which every packet is lost, and none between them (the simple Gilbert model): `loss` of all
    /// packets, `mean_burst` of them in a row on average.
    ///
    /// # Errors
    /// Where no such chain exists: bursts are at least one packet long, and shorter ones than
    /// `loss / (1 − loss)` cannot add up to the loss (libwebrtc has the same bound). A loss of 1 has none.
    pub fn bursts(loss: Probability, mean_burst: f64) -> Result<Self, InvalidBursts> {
        let invalid = InvalidBursts { loss, mean_burst };
        if !(mean_burst.is_finite() && mean_burst >= 1.0) || loss.get() >= 1.0 {
            return Err(invalid);
        }
        let to_bad = loss.get() / (1.0 - loss.get()) / mean_burst;
        Ok(Self {
            to_bad: Probability::new(to_bad).map_err(|_| invalid)?,
            to_good: Probability::new(1.0 / mean_burst).map_err(|_| invalid)?,
            loss_good: Probability::ZERO,
            loss_bad: Probability::ONE,
        })
    }

    /// The share of packets that meet the bad state in the long run. A chain that never moves stays good.
    pub(crate) fn bad_share(&self) -> Probability {
        let (to_bad, to_good) = (self.to_bad.get(), self.to_good.get());
        let share = if to_bad == 0.0 { 0.0 } else { to_bad / (to_bad + to_good) };
        Probability::new(share).unwrap_or(Probability::ZERO)
    }

    /// The share of packets that are lost in the long run.
    pub fn mean_loss(&self) -> Probability {
        let bad = self.bad_share().get();
        let loss = bad * self.loss_bad.get() + (1.0 - bad) * self.loss_good.get();
        Probability::new(loss.min(1.0)).unwrap_or(Probability::ZERO)
    }
}

/// No chain has such bursts.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error(
    "a loss of {loss} cannot come in bursts of {mean_burst} packets: their mean length must be a number from 1 \
     up, and at least loss / (1 - loss)"
)]
pub struct InvalidBursts {
    /// The loss.
    pub loss: Probability,
    /// The mean length of a burst, in packets.
    pub mean_burst: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(loss: f64, mean_burst: f64, expect: Option<(f64, f64)>) {
        let found = GilbertElliott::bursts(Probability::new(loss).unwrap(), mean_burst).ok();
        assert_eq!(found.map(|chain| (chain.to_bad.get(), chain.to_good.get())), expect);
    }

    #[test]
    fn bursts_are_checked() {
        check(0.2, 4.0, Some((0.0625, 0.25)));
        check(0.0, 1.0, Some((0.0, 1.0)));
        // A loss of 75 % needs bursts of three: 0.75 / 0.25.
        check(0.75, 3.0, Some((1.0, 1.0 / 3.0)));
        check(0.75, 2.9, None);
        check(0.1, 0.9, None);
        check(0.1, f64::NAN, None);
        check(1.0, 100.0, None);
    }

    #[test]
    fn shares_are_the_stationary_ones() {
        let chain = GilbertElliott::bursts(Probability::new(0.2).unwrap(), 4.0).unwrap();
        assert!((chain.mean_loss().get() - 0.2).abs() < 1e-12);
        let still = GilbertElliott { to_bad: Probability::ZERO, to_good: Probability::ZERO, ..chain };
        assert_eq!(still.mean_loss(), Probability::ZERO);
    }
}
