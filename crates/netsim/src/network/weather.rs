//! What one transport's packets meet on a half-link: the draws, and the two chains that have a memory.
//!
//! Chains move once per packet, whatever becomes of it, and only while the link's model has them: their state
//! is a function of the seed, the place and the number of the packet.

use std::time::Duration;

use timeline::Name;

use crate::{
    GilbertElliott, LinkModel, Spread,
    draw::{Draws, PacketDraws, Place, Purpose, Transport},
    numeric::{normal_cdf, normal_quantile},
};

#[derive(Debug)]
pub(super) struct Weather {
    draws: Draws,
    /// Which state the losses are in; `None` before the first packet.
    state: Option<State>,
    jitter: Chain,
    spread: Chain,
}

/// The states of [`GilbertElliott`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Bad,
}

/// What awaits one packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forecast {
    pub(super) draws: PacketDraws,
    /// Whether it is lost.
    pub(super) is_lost: bool,
    /// How long it takes, behind the queue.
    pub(super) delay: Duration,
}

impl Weather {
    pub(super) fn new(seed: u64, host: &Name, place: Place, transport: Transport, attachment: u64) -> Self {
        let draws = Draws::new(seed, host, place, transport).of_attachment(attachment);
        Self { draws, state: None, jitter: Chain::default(), spread: Chain::default() }
    }

    /// Looks at what awaits the next packet.
    pub(super) fn next_packet(&mut self, model: &LinkModel) -> Forecast {
        let draws = self.draws.next_packet();
        let is_lost = draws.happens(Purpose::Loss, model.loss)
            | model.bursts.is_some_and(|bursts| self.burst_takes(draws, &bursts));
        Forecast { draws, is_lost, delay: self.delay(draws, model) }
    }

    /// Moves the chain of losses, and asks it.
    fn burst_takes(&mut self, draws: PacketDraws, bursts: &GilbertElliott) -> bool {
        let state = match self.state {
            None if draws.happens(Purpose::FirstState, bursts.bad_share()) => State::Bad,
            None => State::Good,
            Some(State::Good) if draws.happens(Purpose::NextState, bursts.to_bad) => State::Bad,
            Some(State::Bad) if draws.happens(Purpose::NextState, bursts.to_good) => State::Good,
            Some(state) => state,
        };
        self.state = Some(state);
        let loss = if state == State::Bad { bursts.loss_bad } else { bursts.loss_good };
        draws.happens(Purpose::BurstLoss, loss)
    }

    fn delay(&mut self, draws: PacketDraws, model: &LinkModel) -> Duration {
        let correlation = model.correlation.get();
        let jitter = if correlation == 0.0 || model.jitter.is_zero() {
            draws.between(Purpose::Jitter, Duration::ZERO, model.jitter)
        } else {
            let u = self.jitter.next(draws.unit(Purpose::Jitter), correlation);
            Duration::from_nanos((model.jitter.as_nanos() as f64 * u) as u64)
        };
        if model.spread == Spread::None {
            return model.delay + jitter;
        }
        let u = self.spread.next(draws.unit(Purpose::Spread), correlation);
        model.spread.apply(model.delay, u) + jitter
    }
}

/// Uniform numbers of which each may resemble the one before: a first-order autoregressive Gaussian copula.
#[derive(Debug, Default)]
struct Chain {
    last: Option<f64>,
}

impl Chain {
    fn next(&mut self, u: f64, correlation: f64) -> f64 {
        if correlation == 0.0 {
            return u;
        }
        let fresh = normal_quantile(u);
        let z = match self.last {
            None => fresh,
            Some(last) => correlation * last + (1.0 - correlation * correlation).sqrt() * fresh,
        };
        self.last = Some(z);
        // Rounding must not make it one of the ends, which have no quantile.
        normal_cdf(z).clamp(f64::EPSILON, 1.0 - f64::EPSILON)
    }
}
