//! What a run shows of causes: who got which packet when.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use scenario::{metrics::FirstCall, record::RunRecord};
use timeline::{Event, Name, PacketRecord, Protocol, State, StunClass, VirtualTime};

use super::Effect;

/// A packet's place in the order of sending.
pub(super) type Place = usize;

pub(super) struct Evidence<'a> {
    pub(super) dialled: VirtualTime,
    pub(super) caller: &'a Name,
    pub(super) record: &'a RunRecord,
    /// What each host got and can have acted on, by the clock.
    arrivals: BTreeMap<&'a Name, Vec<(VirtualTime, Place)>>,
}

/// How well an arrival explains an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Relevance {
    None,
    Possible,
    Likely,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(record: &'a RunRecord, call: FirstCall<'a>) -> Self {
        let mut arrivals: BTreeMap<&Name, Vec<(VirtualTime, Place)>> = BTreeMap::new();
        for (place, packet) in record.timeline.packets.iter().enumerate() {
            let (Some(at), Some(to)) = (packet.arrived_at(), &packet.to_host) else { continue };
            if says_something(packet) {
                arrivals.entry(to).or_default().push((by_the_clock(at), place));
            }
        }
        arrivals.values_mut().for_each(|arrived| arrived.sort_unstable());
        Self { dialled: call.dialled, caller: call.caller, record, arrivals }
    }

    /// The packet whose arrival at `host` at `now` best explains `effect`: the last of the most relevant. Of packets
    /// that the walk has `seen`, and later ones, none is taken, so that it always goes back.
    pub(super) fn cause_at(
        &self,
        host: &Name,
        now: VirtualTime,
        effect: Effect<'_>,
        seen: Option<Place>,
    ) -> Option<(Place, &'a PacketRecord)> {
        let arrived = self.arrivals.get(host)?;
        let begin = arrived.partition_point(|(at, _)| *at < now);
        let at_once = arrived[begin..].iter().take_while(|(at, _)| *at == now);
        let earlier = at_once.filter(|(_, place)| seen.is_none_or(|seen| *place < seen));
        let rated = earlier.map(|(_, place)| {
            let packet = &self.record.timeline.packets[*place];
            (relevance(packet, effect), *place, packet)
        });
        let best = rated.filter(|(relevance, ..)| *relevance > Relevance::None);
        best.max_by_key(|(relevance, place, _)| (*relevance, *place))
            .map(|(_, place, packet)| (place, packet))
    }

    /// When `host` last got something that can explain `effect`, before `now`.
    pub(super) fn last_cause(
        &self,
        host: &Name,
        now: VirtualTime,
        effect: Effect<'_>,
    ) -> Option<VirtualTime> {
        self.last_arrival(host, now, |packet| relevance(packet, effect) > Relevance::None)
    }

    /// When `host` last got something that `fits`, before `now`.
    pub(super) fn last_arrival(
        &self,
        host: &Name,
        now: VirtualTime,
        fits: impl Fn(&PacketRecord) -> bool,
    ) -> Option<VirtualTime> {
        let arrived = self.arrivals.get(host)?;
        let end = arrived.partition_point(|(at, _)| *at < now);
        let fitting = arrived[..end].iter().rev();
        fitting
            .map(|(at, place)| (*at, &self.record.timeline.packets[*place]))
            .find(|(_, p)| fits(p))
            .map(|(at, _)| at)
    }

    /// When `host` first got something that `fits`, after the dial and before `now`.
    pub(super) fn first_arrival(
        &self,
        host: &Name,
        now: VirtualTime,
        fits: impl Fn(&PacketRecord) -> bool,
    ) -> Option<VirtualTime> {
        let arrived = self.arrivals.get(host)?;
        let begin = arrived.partition_point(|(at, _)| *at <= self.dialled);
        let until_now = arrived[begin..].iter().take_while(|(at, _)| *at < now);
        let mut fitting = until_now.filter(|(_, place)| fits(&self.record.timeline.packets[*place]));
        fitting.next().map(|(at, _)| *at)
    }

    /// The last packet that `host` sent before `now` and that `fits`.
    pub(super) fn last_sent(
        &self,
        host: &Name,
        now: VirtualTime,
        fits: impl Fn(&PacketRecord) -> bool,
    ) -> Option<&'a PacketRecord> {
        let packets = &self.record.timeline.packets;
        let end = packets.partition_point(|packet| packet.at < now);
        packets[..end].iter().rev().find(|packet| packet.from_host == *host && fits(packet))
    }

    /// When `host` began to keep the message back that it let go at `now`.
    pub(super) fn held_until(&self, host: &Name, now: VirtualTime) -> Option<VirtualTime> {
        let own = self.record.timeline.entries.iter().filter(|entry| entry.actor == *host);
        let held = own.filter_map(|entry| match entry.event {
            Event::MessageHeld { for_ms, .. } => Some((entry.at, entry.at + Duration::from_millis(for_ms))),
            _ => None,
        });
        held.filter(|(_, until)| *until == now).map(|(since, _)| since).next()
    }

    /// What `packet` is to the walk: sent by a peer or the signaller, or passed on by a relay.
    pub(super) fn sending(&self, packet: &'a PacketRecord) -> Effect<'a> {
        let is_by_server = !is_tcp(packet) && !self.record.peers.contains_key(&packet.from_host);
        if is_by_server { Effect::Relayed(packet) } else { Effect::Sent(packet) }
    }

    /// When `host` first entered `state`, after the dial.
    pub(super) fn entered(&self, host: &Name, state: State) -> Option<VirtualTime> {
        let mut transitions = self.record.timeline.transitions(host, state.machine());
        transitions.find(|(at, to)| *at >= self.dialled && *to == state).map(|(at, _)| at)
    }
}

/// Bare acknowledgements explain nothing.
fn says_something(packet: &PacketRecord) -> bool {
    match packet.protocol {
        Protocol::Tcp(flags) => packet.len > 0 || flags.syn,
        Protocol::Srtp | Protocol::Srtcp => false,
        _ => true,
    }
}

pub(super) const fn is_tcp(packet: &PacketRecord) -> bool {
    matches!(packet.protocol, Protocol::Tcp(_))
}

/// How well the arrival of a packet at its host explains what that host did.
fn relevance(arrived: &PacketRecord, effect: Effect<'_>) -> Relevance {
    let rated = |likely: bool, possible: bool| match (likely, possible) {
        (true, _) => Relevance::Likely,
        (_, true) => Relevance::Possible,
        _ => Relevance::None,
    };
    match effect {
        Effect::Connected => rated(matches!(arrived.protocol, Protocol::Dtls(_)), !is_tcp(arrived)),
        // A relay passes on what it gets.
        Effect::Relayed(_) => rated(!is_tcp(arrived), false),
        Effect::Sent(sent) => {
            let is_from_there = !is_tcp(arrived) && sender(arrived) == sent.to;
            match sent.protocol {
                // Signalling goes on with signalling; a candidate goes out when a server has answered.
                Protocol::Tcp(_) => rated(is_tcp(arrived), true),
                // The answer to a check comes of that check alone.
                Protocol::Stun { class: StunClass::Success, .. } => {
                    rated(is_from_there && is_request(arrived), false)
                }
                // No signalling message sets a handshake going.
                Protocol::Dtls(_) => rated(is_from_there, false),
                _ => rated(is_from_there, is_tcp(arrived)),
            }
        }
    }
}

const fn is_request(packet: &PacketRecord) -> bool {
    matches!(packet.protocol, Protocol::Stun { class: StunClass::Request, .. })
}

/// Who sent a packet, as its receiver sees it.
pub(super) fn sender(packet: &PacketRecord) -> SocketAddr {
    packet.translated.as_ref().map_or(packet.from, |translated| translated.from)
}

/// The world's next whole millisecond.
pub(super) fn by_the_clock(at: VirtualTime) -> VirtualTime {
    VirtualTime::from_millis(at.as_nanos().div_ceil(1_000_000))
}
