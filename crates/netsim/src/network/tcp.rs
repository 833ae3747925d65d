//! TCP: the stages of a segment, and the states of the flows that [`hold`](crate::hold) keeps.
//!
//! - A segment with data, SYN or FIN that is lost, and any segment but a reset that meets a link that is
//!   down (or an address that nobody has), is held until its retransmission timeout.
//! - A reset is never lost at random; a link that is down drops it, as nobody would repeat it.
//! - What a gateway, a powerless host or a lost address stops is held too: its sender would retransmit it.
//! - A segment that reaches a host as part of no connection that the host knows, because a NAT gave it another
//!   source or because the host has rebooted, is answered with a reset.
//! - A connection that gets nowhere for the user timeout is reset at both ends at once.
//! - Data for a program that has closed its stream is answered with a reset, as Linux does.

mod connections;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use timeline::{Protocol, Verdict, VirtualTime};

use super::{
    Event, Network,
    half::{Crossing, Exposure, Load, MtuFate},
    route::Way,
    topology::Realm,
};
use crate::{
    Half,
    draw::Transport,
    effects::Effects,
    hold::{Alarm, Parcel, Ring},
    ids::{EndKey, HostIndex, RecordId},
    kernel::Segment,
    log::Spent,
};
pub(super) use connections::Connections;

/// A segment and its record.
#[derive(Debug)]
pub(super) struct Packet {
    record: RecordId,
    spent: Spent,
    /// When it last reached its host.
    at_host: VirtualTime,
    segment: Segment,
}

/// A segment between two stages.
#[derive(Debug)]
pub(super) struct Transit {
    /// The sender's end.
    key: EndKey,
    /// `None` for a segment of no known connection: the answer to a stray one.
    connection: Option<u64>,
    /// The end that it reaches, once it is through the core.
    receiver: Option<EndKey>,
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
    /// At the core, before the downlink. With the network that it comes from.
    Core(Realm),
    /// At its host, before processing.
    Host,
    /// In front of its stack.
    Stack,
}

/// A retransmission timeout of a flow of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowAlarm {
    key: EndKey,
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
    /// The stack of a host sends a segment.
    pub(crate) fn tcp_send(&mut self, now: VirtualTime, host: HostIndex, segment: Segment) {
        if !self.hosts[host].is_on() {
            return;
        }
        let (local, peer, flags) = (segment.from(), segment.to(), segment.flags());
        let key = EndKey { host, local, peer };
        let to_host = self.in_sight(host, self.hosts[host].realm_of(local.ip()), peer.ip());
        let protocol = Protocol::Tcp(flags);
        let record = self.record(now, (host, to_host), (local, peer), protocol, segment.payload());
        let packet = Packet { record, spent: Spent::default(), at_host: now, segment };
        if flags.syn && !flags.ack {
            self.tcp.open(key);
        }
        let (connection, passage) = match self.tcp.flow_mut(key) {
            None => (None, Passage::Bare(packet)),
            Some(flow) if flags.rst => {
                flow.hold.clear();
                (Some(flow.connection), Passage::Bare(packet))
            }
            Some(flow) => (Some(flow.connection), Passage::Placed(flow.accept(packet))),
        };
        self.tcp_up(now, Transit { key, connection, receiver: None, passage });
    }

    /// A host refuses a segment that came to one of its ends.
    fn tcp_refuse(&mut self, now: VirtualTime, end: EndKey) {
        self.tcp_send(now, end.host, Segment::reset(end.local, end.peer));
    }

    /// The address from which a host connects to `to`, if it can send there at all.
    pub(crate) fn tcp_source(&self, host: HostIndex, to: IpAddr) -> Option<IpAddr> {
        self.hosts[host].source_for(to)
    }

    /// Whether a host has the address `ip`, or it is the wildcard.
    pub(crate) fn can_bind(&self, host: HostIndex, ip: IpAddr) -> bool {
        ip.is_unspecified() || self.hosts[host].owns(ip)
    }

    /// The program that had this end of a connection has closed its stream.
    pub(crate) fn tcp_orphan(&mut self, key: EndKey) {
        self.tcp.orphan(key);
    }

    /// Whether the user timeout ended the connection of this end.
    pub(crate) fn tcp_timed_out(&self, key: EndKey) -> bool {
        self.tcp.has_timed_out(key)
    }

    /// Ends the connections of a host whose local address fits, on that host alone.
    pub(super) fn tcp_abort(
        &mut self,
        host: HostIndex,
        fits: impl Fn(SocketAddr) -> bool,
        effects: &mut Effects,
    ) {
        for key in self.tcp.of_host(host, fits) {
            self.tcp.remove(key);
            effects.reset(key);
        }
    }

    /// A host is back without memory: what it was told in its last moments is answered with a reset.
    pub(super) fn tcp_answer_unanswered(&mut self, now: VirtualTime, host: HostIndex) {
        for receiver in self.tcp.take_unanswered(host) {
            self.tcp_refuse(now, receiver);
        }
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
            Stage::Core(realm) => self.tcp_down(at, realm, *transit),
            Stage::Host => self.tcp_arrive(at, *transit, effects),
            Stage::Stack => self.tcp_deliver(at, *transit, effects),
        }
    }

    /// A retransmission timeout is over.
    pub(super) fn tcp_alarm(&mut self, at: VirtualTime, alarm: FlowAlarm, effects: &mut Effects) {
        let key = alarm.key;
        let Some(flow) = self.tcp.flow_of(key, Some(alarm.connection)) else { return };
        match flow.hold.ring(at, alarm.id) {
            Ring::Stale => {}
            Ring::TimedOut => self.tcp_time_out(key, effects),
            Ring::Retransmit => self.tcp_retransmit(at, key, alarm.connection),
        }
    }

    /// Sends what is held again, until something is lost.
    fn tcp_retransmit(&mut self, at: VirtualTime, key: EndKey, connection: u64) {
        while let Some(flow) = self.tcp.flow_of(key, Some(connection)) {
            let Some(mut parcel) = flow.hold.pop() else { return };
            let held = at.since(self.log.sent_at(parcel.content.record));
            parcel.content.spent = Spent { held, ..Spent::default() };
            self.retransmissions += u64::from(parcel.was_lost());
            let passage = Passage::Placed(parcel);
            let connection = Some(connection);
            let transit = Transit { key, connection, receiver: None, passage };
            if self.tcp_up(at, transit) == Crossed::No {
                return;
            }
        }
    }

    /// Resets both ends at once, whatever the links do.
    fn tcp_time_out(&mut self, key: EndKey, effects: &mut Effects) {
        self.user_timeouts += 1;
        for end in self.tcp.time_out(key) {
            effects.reset(end);
        }
    }

    /// Sends a segment over its host's uplink.
    fn tcp_up(&mut self, at: VirtualTime, transit: Transit) -> Crossed {
        let EndKey { host, local, .. } = transit.key;
        match self.hosts[host].interface(local.ip()).map(|interface| interface.realm) {
            Some(realm) => self.tcp_cross(at, Stage::Core(realm), transit),
            None => self.tcp_stop(at, transit, Verdict::AddressGone),
        }
    }

    /// A segment is at the core: finds its receiver, and enters the receiver's downlink.
    fn tcp_down(&mut self, at: VirtualTime, realm: Realm, mut transit: Transit) {
        let flags = transit.packet().segment.flags();
        let way = Way { realm, from: transit.key.local, to: transit.key.peer };
        let record = transit.packet().record;
        let (host, way) = match self.forward(record, at, Transport::Tcp, flags, way) {
            Ok(found) => found,
            Err(verdict) => {
                self.tcp_stop(at, transit, verdict);
                return;
            }
        };
        self.log.set_receiver(record, &self.hosts[host].name, way.from, way.to);
        let receiver = EndKey { host, local: way.to, peer: way.from };
        if flags.syn && !flags.ack {
            self.tcp.meet(transit.key, transit.connection, receiver);
        }
        transit.receiver = Some(receiver);
        self.tcp_cross(at, Stage::Host, transit);
    }

    /// Sends a segment over the half of a link that leads to `next`: its sender's, or its receiver's once
    /// there is one.
    fn tcp_cross(&mut self, at: VirtualTime, next: Stage, transit: Transit) -> Crossed {
        let mut flow = self.tcp.flow_of(transit.key, transit.connection);
        let mut transit = match (&mut flow, transit) {
            (Some(flow), Transit { passage: Passage::Placed(parcel), .. })
                if flow.hold.must_wait(&parcel) =>
            {
                self.log.set_verdict(parcel.content.record, Verdict::Held);
                flow.hold.keep(parcel);
                return Crossed::No;
            }
            (_, transit) => transit,
        };
        let (half, end) = match transit.receiver {
            None => (Half::Up, transit.key),
            Some(receiver) => (Half::Down, receiver),
        };
        let address = end.local.ip();
        let Some(interface) = self.hosts[end.host].interface(address) else {
            return self.tcp_stop(at, transit, Verdict::NoRoute);
        };
        match interface.half(half).cross(at, transit.packet().load(address)) {
            Crossing::Passes { delay, queued, .. } => {
                transit.packet_mut().spent.queued += queued;
                let arrival = flow.map_or(at + delay, |flow| flow.in_order(half, at + delay));
                self.events.plan(arrival, Event::Tcp(next, Box::new(transit)));
                Crossed::Yes
            }
            Crossing::Stopped(stop) => self.tcp_stop(at, transit, stop.verdict(half)),
        }
    }

    /// A segment gets no further for now; one without a place in a flow never does.
    fn tcp_stop(&mut self, at: VirtualTime, transit: Transit, verdict: Verdict) -> Crossed {
        let Transit { key, connection, passage, .. } = transit;
        match (self.tcp.flow_of(key, connection), passage) {
            (Some(flow), Passage::Placed(parcel)) => {
                self.log.set_verdict(parcel.content.record, Verdict::Held);
                let connection = flow.connection;
                if let Some(Alarm { at, id }) = flow.hold.lose(at, parcel) {
                    self.events.plan(at, Event::Alarm(Box::new(FlowAlarm { key, connection, id })));
                }
            }
            (_, passage) => self.log.set_verdict(passage.packet().record, verdict),
        }
        Crossed::No
    }

    /// A segment is at its host: what is in order goes to processing, or to the stack.
    fn tcp_arrive(&mut self, at: VirtualTime, mut transit: Transit, effects: &mut Effects) {
        let Some(receiver) = transit.receiver else { return };
        if !self.hosts[receiver.host].is_on() {
            self.tcp_stop(at, transit, Verdict::PowerOff);
            return;
        }
        let is_reset = transit.packet().segment.flags().rst;
        if !is_reset && self.tcp.is_stray(transit.key, transit.connection, receiver) {
            self.tcp_refuse(self.now, receiver);
            self.tcp_stop(at, transit, Verdict::NoSocket);
            return;
        }
        transit.packet_mut().at_host = at;
        let Transit { key, connection, passage, .. } = transit;
        let transit = |passage| Transit { key, connection, receiver: Some(receiver), passage };
        let mut ready = Vec::new();
        match (self.tcp.flow_of(key, connection), passage) {
            (Some(flow), Passage::Placed(parcel)) => flow.hold.arrive(parcel, &mut ready),
            (_, passage) => {
                self.tcp_deliver(at, transit(passage), effects);
                return;
            }
        }
        for mut parcel in ready {
            let Packet { spent, at_host, .. } = &mut parcel.content;
            spent.held += at.since(*at_host);
            let takes_time = parcel.content.is_message();
            let processing = &mut self.hosts[receiver.host].processing;
            let done = takes_time.then(|| processing.admit(at, Transport::Tcp)).flatten();
            parcel.content.spent.processing = done.map_or(Duration::ZERO, |done| done.since(at));
            let transit = transit(Passage::Placed(parcel));
            match done {
                Some(done) => self.events.plan(done, Event::Tcp(Stage::Stack, Box::new(transit))),
                None => self.tcp_deliver(at, transit, effects),
            }
        }
    }

    /// Hands a segment to its stack.
    fn tcp_deliver(&mut self, at: VirtualTime, transit: Transit, effects: &mut Effects) {
        let Transit { key, connection, receiver, passage, .. } = transit;
        let Some(receiver) = receiver else { return };
        let late = matches!(&passage, Passage::Placed(parcel) if parcel.was_held());
        let Packet { record, spent, segment, .. } = passage.into_packet();
        if !self.hosts[receiver.host].is_on() {
            self.log.set_verdict(record, Verdict::PowerOff);
            self.tcp.leave_unanswered(key, connection);
            return;
        }
        self.log.set_verdict(record, if late { Verdict::DeliveredLate } else { Verdict::Delivered });
        self.log.set_transit(record, at, spent);
        let has_data = !segment.payload().is_empty();
        let to_orphan = self.tcp.flow_of(receiver, connection).is_some_and(|flow| flow.orphaned);
        if has_data && to_orphan {
            effects.reset(receiver);
            self.tcp_refuse(self.now, receiver);
            return;
        }
        self.tcp.note_delivery(key, connection, receiver, segment.flags());
        effects.segments.push((receiver.host, segment.readdressed(receiver.peer, receiver.local)));
    }
}

impl Packet {
    /// Whether it carries something that its receiver has to acknowledge: data, SYN or FIN.
    fn is_message(&self) -> bool {
        let flags = self.segment.flags();
        flags.syn || flags.fin || !self.segment.payload().is_empty()
    }

    /// What it is to a link; its headers are those of `address`' family.
    fn load(&self, address: IpAddr) -> Load {
        let headers = if address.is_ipv4() { 40 } else { 60 };
        let exposure = if self.is_message() { Exposure::Full } else { Exposure::Spared };
        let bytes = self.segment.payload().len() as u64 + headers;
        Load { transport: Transport::Tcp, exposure, mtu: MtuFate::Known, bytes }
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

    const fn packet_mut(&mut self) -> &mut Packet {
        match &mut self.passage {
            Passage::Placed(parcel) => &mut parcel.content,
            Passage::Bare(packet) => packet,
        }
    }
}
