//! TCP: the stages of a segment, and the states of the flows that [`hold`](crate::hold) keeps.
//!
//! - A segment with data, SYN or FIN that is lost, and any segment but a reset that meets a link that is
//!   down (or an address that nobody has), is held until its retransmission timeout.
//! - A reset is never lost at random; a link that is down drops it, as nobody would repeat it.
//! - A connection that gets nowhere for the user timeout is reset at both ends at once.
//! - Data for a program that has closed its stream is answered with a reset, as Linux does.

use std::net::SocketAddr;

use timeline::{Protocol, Verdict, VirtualTime};

use super::{
    Effects, Event, HostIndex, Network,
    half::{Crossing, Exposure},
};
use crate::{
    draw::Transport,
    hold::{Alarm, HoldQueue, Order, Parcel, RTO, Ring, SYN_RTO},
    kernel::Segment,
    log::RecordId,
};

/// One direction of one connection: from, to.
pub(super) type FlowKey = (SocketAddr, SocketAddr);

const fn reverse((from, to): FlowKey) -> FlowKey {
    (to, from)
}

/// The state of one direction of one connection.
#[derive(Debug)]
pub(super) struct Flow {
    /// Which connection this is: a later one with the same addresses has another number.
    connection: u64,
    hold: HoldQueue<Packet>,
    /// Jitter reorders no segments of a flow: each arrives no earlier than the one before.
    last_at_core: VirtualTime,
    last_at_host: VirtualTime,
    /// Segments between the sender's stack and the receiver's.
    under_way: u32,
    /// A SYN has been sent, and not yet the acknowledgement that a listener waits for.
    handshake: bool,
    /// The receiver has the FIN.
    finished: bool,
    /// The program at the sending end has closed its stream.
    orphaned: bool,
}

/// A segment and its record.
#[derive(Debug)]
pub(super) struct Packet {
    record: RecordId,
    segment: Segment,
}

/// A segment between two stages.
#[derive(Debug)]
pub(super) struct Transit {
    key: FlowKey,
    /// `None` for a segment of no known connection: the answer to a stray one.
    connection: Option<u64>,
    passage: Passage,
}

/// How a segment travels.
#[derive(Debug)]
enum Passage {
    /// With its place in its flow.
    Placed(Parcel<Packet>),
    /// Without: a reset, or a stray segment.
    Bare(Packet),
}

/// Where a segment is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// At the core, before the downlink.
    Core,
    /// At its host, before processing.
    Host,
    /// In front of its stack.
    Stack,
}

/// A retransmission timeout of a flow of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowAlarm {
    connection: u64,
    id: u64,
}

/// Whether a segment got across a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crossed {
    Yes,
    No,
}

impl Network {
    /// A stack sends a segment.
    pub(crate) fn tcp_send(&mut self, now: VirtualTime, segment: Segment) {
        let key = (segment.from(), segment.to());
        let Some(&host) = self.by_address.get(&key.0.ip()) else { return };
        let flags = segment.flags();
        let record = self.record(now, host, key, Protocol::Tcp(flags), segment.payload());
        let packet = Packet { record, segment };
        if flags.syn && !flags.ack {
            self.tcp_open(key);
        }
        let (connection, passage) = match self.flows.get_mut(&key) {
            None => (None, Passage::Bare(packet)),
            Some(flow) if flags.rst => {
                flow.hold.clear();
                (Some(flow.connection), Passage::Bare(packet))
            }
            Some(flow) => (Some(flow.connection), Passage::Placed(flow.accept(packet))),
        };
        self.tcp_pass(now, host, Stage::Core, Transit { key, connection, passage });
    }

    /// The program that had the stream from `local` to `peer` has closed it.
    pub(crate) fn tcp_orphan(&mut self, local: SocketAddr, peer: SocketAddr) {
        self.timed_out.remove(&(local, peer));
        if let Some(flow) = self.flows.get_mut(&(local, peer)) {
            flow.orphaned = true;
        }
    }

    /// Whether the user timeout ended the connection from `local` to `peer`.
    pub(crate) fn tcp_timed_out(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        self.timed_out.contains(&(local, peer))
    }

    /// The next stage of a segment's way.
    pub(super) fn tcp_stage(
        &mut self,
        at: VirtualTime,
        stage: Stage,
        transit: Box<Transit>,
        effects: &mut Effects,
    ) {
        match stage {
            Stage::Core => match self.by_address.get(&transit.key.1.ip()) {
                Some(&host) => {
                    self.tcp_pass(at, host, Stage::Host, *transit);
                }
                None => self.tcp_stop(at, *transit, Verdict::NoRoute),
            },
            Stage::Host => self.tcp_arrive(at, *transit, effects),
            Stage::Stack => self.tcp_deliver(*transit, effects),
        }
    }

    /// A retransmission timeout is over.
    pub(super) fn tcp_alarm(
        &mut self,
        at: VirtualTime,
        key: FlowKey,
        alarm: FlowAlarm,
        effects: &mut Effects,
    ) {
        let Some(flow) = flow_of(&mut self.flows, key, Some(alarm.connection)) else { return };
        match flow.hold.ring(at, alarm.id) {
            Ring::Stale => {}
            Ring::TimedOut => self.tcp_time_out(key, effects),
            Ring::Retransmit => self.tcp_retransmit(at, key, alarm.connection),
        }
    }

    /// Sends what is held again, until something is lost.
    fn tcp_retransmit(&mut self, at: VirtualTime, key: FlowKey, connection: u64) {
        let Some(&host) = self.by_address.get(&key.0.ip()) else { return };
        while let Some(flow) = flow_of(&mut self.flows, key, Some(connection)) {
            let Some(parcel) = flow.hold.pop() else { return };
            self.retransmissions += u64::from(parcel.was_lost());
            let passage = Passage::Placed(parcel);
            let transit = Transit { key, connection: Some(connection), passage };
            if self.tcp_pass(at, host, Stage::Core, transit) == Crossed::No {
                return;
            }
        }
    }

    /// Resets both ends at once, whatever the links do.
    fn tcp_time_out(&mut self, key: FlowKey, effects: &mut Effects) {
        self.user_timeouts += 1;
        for (from, to) in [reverse(key), key] {
            self.flows.remove(&(from, to));
            self.timed_out.insert((from, to));
            effects.segments.push(Segment::reset(from, to));
        }
    }

    /// A new connection begins: nothing of an earlier one with the same addresses counts any more.
    fn tcp_open(&mut self, key: FlowKey) {
        self.next_connection += 1;
        for (key, handshake) in [(key, true), (reverse(key), false)] {
            self.timed_out.remove(&key);
            let hold = HoldQueue::new(self.user_timeout);
            self.flows.insert(key, Flow::new(self.next_connection, hold, handshake));
        }
    }

    /// Sends a segment over the half of `host`'s link that leads to `next`.
    fn tcp_pass(&mut self, at: VirtualTime, host: HostIndex, next: Stage, transit: Transit) -> Crossed {
        let mut flow = flow_of(&mut self.flows, transit.key, transit.connection);
        let transit = match (&mut flow, transit) {
            (Some(flow), Transit { passage: Passage::Placed(parcel), .. })
                if flow.hold.must_wait(&parcel) =>
            {
                self.log.set_verdict(parcel.content.record, Verdict::Held);
                flow.hold.keep(parcel);
                return Crossed::No;
            }
            (_, transit) => transit,
        };
        let host = &mut self.hosts[host];
        let half = if matches!(next, Stage::Core) { &mut host.up } else { &mut host.down };
        match half.cross(Transport::Tcp, transit.packet().exposure()) {
            Crossing::Passes(delay) => {
                let arrival = flow.map_or(at + delay, |flow| flow.in_order(next, at + delay));
                self.events.plan(arrival, Event::Tcp(next, Box::new(transit)));
                return Crossed::Yes;
            }
            Crossing::Lost if matches!(next, Stage::Core) => self.tcp_stop(at, transit, Verdict::LostUp),
            Crossing::Lost => self.tcp_stop(at, transit, Verdict::LostDown),
            Crossing::Down => self.tcp_stop(at, transit, Verdict::LinkDown),
        }
        Crossed::No
    }

    /// A segment gets no further for now; one without a place in a flow never does.
    fn tcp_stop(&mut self, at: VirtualTime, transit: Transit, verdict: Verdict) {
        let Transit { key, connection, passage } = transit;
        match (flow_of(&mut self.flows, key, connection), passage) {
            (Some(flow), Passage::Placed(parcel)) => {
                self.log.set_verdict(parcel.content.record, Verdict::Held);
                let connection = flow.connection;
                if let Some(Alarm { at, id }) = flow.hold.lose(at, parcel) {
                    self.events.plan(at, Event::Alarm(key, FlowAlarm { connection, id }));
                }
            }
            (_, passage) => self.log.set_verdict(passage.packet().record, verdict),
        }
    }

    /// A segment is at its host: what is in order goes to processing, or to the stack.
    fn tcp_arrive(&mut self, at: VirtualTime, transit: Transit, effects: &mut Effects) {
        let Some(&host) = self.by_address.get(&transit.key.1.ip()) else { return };
        let Transit { key, connection, passage } = transit;
        let mut ready = Vec::new();
        match (flow_of(&mut self.flows, key, connection), passage) {
            (Some(flow), Passage::Placed(parcel)) => flow.hold.arrive(parcel, &mut ready),
            (_, passage) => {
                self.tcp_deliver(Transit { key, connection, passage }, effects);
                return;
            }
        }
        for parcel in ready {
            let takes_time = parcel.content.is_message();
            let done = takes_time.then(|| self.hosts[host].processing.admit(at, Transport::Tcp)).flatten();
            let transit = Transit { key, connection, passage: Passage::Placed(parcel) };
            match done {
                Some(done) => self.events.plan(done, Event::Tcp(Stage::Stack, Box::new(transit))),
                None => self.tcp_deliver(transit, effects),
            }
        }
    }

    /// Hands a segment to its stack.
    fn tcp_deliver(&mut self, transit: Transit, effects: &mut Effects) {
        let Transit { key, connection, passage } = transit;
        let late = matches!(&passage, Passage::Placed(parcel) if parcel.was_held());
        let Packet { record, segment } = passage.into_packet();
        self.log.set_verdict(record, if late { Verdict::DeliveredLate } else { Verdict::Delivered });
        let has_data = !segment.payload().is_empty();
        let to_orphan = flow_of(&mut self.flows, reverse(key), connection).is_some_and(|flow| flow.orphaned);
        if has_data && to_orphan {
            effects.segments.push(Segment::reset(key.0, key.1));
            self.tcp_send(self.now, Segment::reset(key.1, key.0));
            return;
        }
        self.tcp_note_delivery(key, connection, &segment);
        effects.segments.push(segment);
    }

    /// Keeps the books of a connection, and closes them when it is over.
    fn tcp_note_delivery(&mut self, key: FlowKey, connection: Option<u64>, segment: &Segment) {
        let Some(flow) = flow_of(&mut self.flows, key, connection) else { return };
        flow.under_way = flow.under_way.saturating_sub(1);
        let flags = segment.flags();
        flow.finished |= flags.fin;
        // The acknowledgement of the second FIN is the last segment of a connection.
        let is_over = !flags.fin
            && [key, reverse(key)]
                .iter()
                .all(|key| self.flows.get(key).is_none_or(|flow| flow.finished && flow.under_way == 0));
        if flags.rst || is_over {
            self.flows.remove(&key);
            self.flows.remove(&reverse(key));
        }
    }
}

/// The flow `key`, if it still belongs to `connection`.
fn flow_of(
    flows: &mut std::collections::BTreeMap<FlowKey, Flow>,
    key: FlowKey,
    connection: Option<u64>,
) -> Option<&mut Flow> {
    flows.get_mut(&key).filter(|flow| Some(flow.connection) == connection)
}

impl Flow {
    const fn new(connection: u64, hold: HoldQueue<Packet>, handshake: bool) -> Self {
        Self {
            connection,
            hold,
            last_at_core: VirtualTime::ZERO,
            last_at_host: VirtualTime::ZERO,
            under_way: 0,
            handshake,
            finished: false,
            orphaned: false,
        }
    }

    /// Gives a segment its place.
    fn accept(&mut self, packet: Packet) -> Parcel<Packet> {
        self.under_way += 1;
        let is_syn = packet.segment.flags().syn;
        // A listener discards data that comes before the acknowledgement of its SYN-ACK, so that one
        // acknowledgement keeps its place too.
        let completes_handshake = self.handshake && !is_syn;
        self.handshake &= is_syn;
        let is_sequenced = packet.is_message() || completes_handshake;
        let order = if is_sequenced { Order::Sequenced } else { Order::Loose };
        self.hold.accept(order, if is_syn { SYN_RTO } else { RTO }, packet)
    }

    /// The time at which a segment arrives that would arrive at `at` without its predecessors.
    fn in_order(&mut self, stage: Stage, at: VirtualTime) -> VirtualTime {
        let last = if matches!(stage, Stage::Core) { &mut self.last_at_core } else { &mut self.last_at_host };
        *last = at.max(*last);
        *last
    }
}

impl Packet {
    /// Whether it carries something that its receiver has to acknowledge: data, SYN or FIN.
    fn is_message(&self) -> bool {
        let flags = self.segment.flags();
        flags.syn || flags.fin || !self.segment.payload().is_empty()
    }

    fn exposure(&self) -> Exposure {
        if self.is_message() { Exposure::Full } else { Exposure::Spared }
    }
}

impl Passage {
    const fn packet(&self) -> &Packet {
        match self {
            Self::Placed(parcel) => &parcel.content,
            Self::Bare(packet) => packet,
        }
    }

    fn into_packet(self) -> Packet {
        match self {
            Self::Placed(parcel) => parcel.content,
            Self::Bare(packet) => packet,
        }
    }
}

impl Transit {
    const fn packet(&self) -> &Packet {
        self.passage.packet()
    }
}
