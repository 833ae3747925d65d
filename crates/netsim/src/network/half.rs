//! One half of an access link at work.

use std::time::Duration;

use timeline::{Name, Verdict, VirtualTime};

use super::weather::{Forecast, Weather};
use crate::{
    Half, HalfCounts, LinkModel,
    draw::{Place, Purpose, Transport},
};

/// A half-link, its weather, its queue, and what it has carried.
///
/// UDP and TCP have weather of their own, so that a change in one shifts no draw of the other; the rate and its
/// queue are common to both.
#[derive(Debug)]
pub(super) struct HalfLink {
    pub(super) model: LinkModel,
    pub(super) counts: HalfCounts,
    udp: Weather,
    tcp: Weather,
    /// When the last packet that entered the queue has been sent.
    busy_until: VirtualTime,
    /// When the last segment of a stack outside of the world arrives.
    last_raw: VirtualTime,
}

/// A packet, as far as a link is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) transport: Transport,
    pub(super) exposure: Exposure,
    pub(super) mtu: MtuFate,
    /// With IP and transport headers.
    pub(super) bytes: u64,
}

/// Whether a packet can be lost at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    /// As the link's model says.
    Full,
    /// Not at random, and not in a queue; only by a link that is down.
    Spared,
}

/// Whether a packet can be too long for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MtuFate {
    /// One that is longer than the link's MTU is dropped.
    Counts,
    /// Its sender knows the MTU of the whole way: a TCP stack of the world.
    Known,
}

/// What became of a packet on a half-link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    /// It arrives at the other end after this time.
    Passes {
        delay: Duration,
        /// As much of it as was spent in the queue and on going out.
        queued: Duration,
        /// Whether a copy follows it.
        copies: Copies,
        damage: Option<Damage>,
    },
    /// It got no further.
    Stopped(Stop),
}

/// How often a datagram arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copies {
    One,
    Two,
}

/// A bit to flip: a number to take modulo the payload's length in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage(u64);

/// What stops a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Down,
    TooBig,
    QueueFull,
    Lost,
}

impl HalfLink {
    pub(super) fn new(seed: u64, host: &Name, place: Place, attachment: u64, model: LinkModel) -> Self {
        let weather = |transport| Weather::new(seed, host, place, transport, attachment);
        Self {
            model,
            counts: HalfCounts::default(),
            udp: weather(Transport::Udp),
            tcp: weather(Transport::Tcp),
            busy_until: VirtualTime::ZERO,
            last_raw: VirtualTime::ZERO,
        }
    }

    /// Sends the next packet across, from `at` on.
    pub(super) fn cross(&mut self, at: VirtualTime, load: Load) -> Crossing {
        let weather = match load.transport {
            Transport::Udp => &mut self.udp,
            Transport::Tcp => &mut self.tcp,
        };
        let forecast = weather.next_packet(&self.model);
        self.counts.sent += 1;
        match self.queue(at, load) {
            Err(stop) => self.stopped(stop),
            Ok(_) if load.exposure == Exposure::Full && self.is_lost(load.transport, forecast) => {
                self.stopped(Stop::Lost)
            }
            Ok(wait) => self.passes(load.transport, wait, forecast),
        }
    }

    /// Whether the packet gets onto the link, and how long until all of it is.
    fn queue(&mut self, at: VirtualTime, load: Load) -> Result<Duration, Stop> {
        let is_too_big = |mtu: u32| load.mtu == MtuFate::Counts && load.bytes > u64::from(mtu);
        if !self.model.up {
            return Err(Stop::Down);
        }
        if self.model.mtu_bytes.is_some_and(is_too_big) {
            return Err(Stop::TooBig);
        }
        let Some(rate) = self.model.rate else { return Ok(Duration::ZERO) };
        let backlog = self.busy_until.since(at);
        if load.exposure == Exposure::Full && !rate.has_room(backlog, load.bytes) {
            return Err(Stop::QueueFull);
        }
        self.busy_until = self.busy_until.max(at) + rate.time_for(load.bytes);
        Ok(self.busy_until.since(at))
    }

    /// When a segment of a stack outside of the world arrives that would at `arrival`: not before the one before it.
    pub(super) fn in_order(&mut self, arrival: VirtualTime) -> VirtualTime {
        self.last_raw = self.last_raw.max(arrival);
        self.last_raw
    }

    fn is_lost(&self, transport: Transport, forecast: Forecast) -> bool {
        let fails_checksum = || forecast.draws.happens(Purpose::Corruption, self.model.corruption);
        forecast.is_lost || (transport == Transport::Tcp && fails_checksum())
    }

    fn passes(&mut self, transport: Transport, wait: Duration, forecast: Forecast) -> Crossing {
        let Forecast { draws, mut delay, .. } = forecast;
        if let Some(detour) = self.model.reordering
            && draws.happens(Purpose::Reordering, detour.probability)
        {
            self.counts.reordered += 1;
            delay += detour.extra;
        }
        let is_datagram = transport == Transport::Udp;
        let is_damaged = is_datagram && draws.happens(Purpose::Corruption, self.model.corruption);
        let has_copy = is_datagram && draws.happens(Purpose::Duplication, self.model.duplication);
        self.counts.corrupted += u64::from(is_damaged);
        self.counts.duplicated += u64::from(has_copy);
        Crossing::Passes {
            delay: wait + delay,
            queued: wait,
            copies: if has_copy { Copies::Two } else { Copies::One },
            damage: is_damaged.then(|| Damage(draws.below(Purpose::FlippedBit, u64::MAX))),
        }
    }

    fn stopped(&mut self, stop: Stop) -> Crossing {
        match stop {
            Stop::Down | Stop::TooBig => self.counts.dropped += 1,
            Stop::QueueFull => self.counts.queue_full += 1,
            Stop::Lost => self.counts.lost += 1,
        }
        Crossing::Stopped(stop)
    }
}

impl Damage {
    /// Flips the bit; a payload without any stays as it is.
    pub(super) fn apply(self, payload: &mut [u8]) {
        let bits = payload.len() as u64 * 8;
        if bits > 0 {
            let bit = self.0 % bits;
            payload[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }
}

impl Stop {
    /// What the record says of it.
    pub(super) const fn verdict(self, half: Half) -> Verdict {
        match (self, half) {
            (Self::Down, _) => Verdict::LinkDown,
            (Self::TooBig, _) => Verdict::TooBig,
            (Self::QueueFull, _) => Verdict::QueueFull,
            (Self::Lost, Half::Up) => Verdict::LostUp,
            (Self::Lost, Half::Down) => Verdict::LostDown,
        }
    }
}

#[cfg(test)]
mod tests;
