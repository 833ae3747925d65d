//! Everything between the hosts: where a packet is, and what becomes of it next.
//!
//! A packet's way is a row of stages, each planned as an event when the one before it is done:
//! sender → uplink → *core* → downlink → *host* (→ processing → *program*). Stages inside the network
//! are passed silently; what reaches a program is released one at a time by the pump. Times along
//! the way are exact to the nanosecond; only the pump rounds up, once, to the clock's millisecond.
//!
//! No input, no output, no clock: callers say what time it is and carry out the [`Effects`].

mod half;
mod host;
mod processing;
mod tcp;
mod udp;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    task::Waker,
    time::Duration,
};

use timeline::{Digest, Name, PacketRecord, Protocol, Verdict, VirtualTime};

use crate::{
    Access, AccessCounts, Counts, Half, LinkModel, WorldConfig,
    events::Events,
    kernel::Segment,
    log::{PacketLog, RecordId},
};
use host::HostState;

/// A host's place in its world.
pub(crate) type HostIndex = usize;

/// The state of the whole network.
#[derive(Debug)]
pub(crate) struct Network {
    hosts: Vec<HostState>,
    by_name: BTreeMap<Name, HostIndex>,
    by_address: BTreeMap<IpAddr, HostIndex>,
    events: Events<Event>,
    log: PacketLog,
    flows: BTreeMap<tcp::FlowKey, tcp::Flow>,
    timed_out: BTreeSet<tcp::FlowKey>,
    next_connection: u64,
    user_timeout: Duration,
    retransmissions: u64,
    user_timeouts: u64,
    /// The instant of the release that is going on.
    now: VirtualTime,
}

/// What is planned.
#[derive(Debug)]
enum Event {
    Udp(udp::Stage, udp::Datagram),
    Tcp(tcp::Stage, Box<tcp::Transit>),
    Alarm(tcp::FlowKey, tcp::FlowAlarm),
}

/// What callers are to do once they have let go of the network.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Tasks to wake.
    pub(crate) wakers: Vec<Waker>,
    /// Segments to hand to the TCP stacks, in order.
    pub(crate) segments: Vec<Segment>,
}

impl Effects {
    fn reaches_a_host(&self) -> bool {
        !self.wakers.is_empty() || !self.segments.is_empty()
    }
}

impl Network {
    pub(crate) fn new(config: &WorldConfig) -> Self {
        let mut network = Self {
            hosts: Vec::new(),
            by_name: BTreeMap::new(),
            by_address: BTreeMap::new(),
            events: Events::new(),
            log: PacketLog::default(),
            flows: BTreeMap::new(),
            timed_out: BTreeSet::new(),
            next_connection: 0,
            user_timeout: config.user_timeout,
            retransmissions: 0,
            user_timeouts: 0,
            now: VirtualTime::ZERO,
        };
        for (index, spec) in config.hosts.iter().enumerate() {
            network.by_name.insert(spec.name.clone(), index);
            network.by_address.extend(spec.addresses.iter().map(|&address| (address, index)));
            network.hosts.push(HostState::new(config.seed, spec));
        }
        network
    }

    pub(crate) fn host(&self, name: &Name) -> Option<HostIndex> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn host_names(&self) -> impl Iterator<Item = &Name> {
        self.hosts.iter().map(|host| &host.name)
    }

    pub(crate) fn name(&self, host: HostIndex) -> &Name {
        &self.hosts[host].name
    }

    pub(crate) fn addresses(&self, host: HostIndex) -> &[IpAddr] {
        &self.hosts[host].addresses
    }

    pub(crate) fn access(&self, host: HostIndex) -> Access {
        let host = &self.hosts[host];
        Access { up: host.up.model, down: host.down.model }
    }

    pub(crate) fn set_access(&mut self, host: HostIndex, access: Access) {
        self.set_link(host, Half::Up, access.up);
        self.set_link(host, Half::Down, access.down);
    }

    pub(crate) fn set_link(&mut self, host: HostIndex, half: Half, model: LinkModel) {
        self.hosts[host].half(half).model = model;
    }

    /// A program opened a socket on `host`.
    pub(crate) fn socket_opened(&mut self, host: HostIndex) {
        self.hosts[host].open_sockets += 1;
    }

    /// A program closed a socket on `host`.
    pub(crate) fn socket_closed(&mut self, host: HostIndex) {
        self.hosts[host].open_sockets -= 1;
    }

    pub(crate) fn open_sockets(&self, host: HostIndex) -> usize {
        self.hosts[host].open_sockets
    }

    /// When the next event is due.
    pub(crate) fn next_at(&self) -> Option<VirtualTime> {
        self.events.next_at()
    }

    /// Passes stages that are due at `now` until one of them reaches a program that waits, or a stack,
    /// or none is left; says how many.
    pub(crate) fn release(&mut self, now: VirtualTime, effects: &mut Effects) -> u64 {
        self.now = now;
        let mut passed = 0;
        while let Some((at, event)) = self.events.pop_due(now) {
            passed += 1;
            match event {
                Event::Udp(stage, datagram) => self.udp_stage(at, stage, datagram, effects),
                Event::Tcp(stage, transit) => self.tcp_stage(at, stage, transit, effects),
                Event::Alarm(flow, alarm) => self.tcp_alarm(at, flow, alarm, effects),
            }
            if effects.reaches_a_host() {
                break;
            }
        }
        passed
    }

    pub(crate) fn counts(&self) -> Counts {
        let of = |host: &HostState| {
            (host.name.clone(), AccessCounts { up: host.up.counts, down: host.down.counts })
        };
        Counts {
            hosts: self.hosts.iter().map(of).collect(),
            packets: self.log.len() as u64,
            events: 0,
            timers: 0,
            retransmissions: self.retransmissions,
            user_timeouts: self.user_timeouts,
        }
    }

    /// How many directions of TCP connections are being watched.
    pub(crate) fn tcp_flows(&self) -> usize {
        self.flows.len()
    }

    /// Takes the record of all packets, and the digest over them.
    pub(crate) fn take_log(&mut self) -> (Vec<PacketRecord>, Digest) {
        self.log.take()
    }

    /// Enters a packet into the record.
    fn record(
        &mut self,
        at: VirtualTime,
        from_host: HostIndex,
        (from, to): (SocketAddr, SocketAddr),
        protocol: Protocol,
        payload: &[u8],
    ) -> RecordId {
        let to_host = self.destination(from_host, to.ip()).map(|host| self.hosts[host].name.clone());
        let record = PacketRecord {
            at,
            from_host: self.hosts[from_host].name.clone(),
            to_host,
            from,
            to,
            protocol,
            len: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            verdict: Verdict::InFlight,
        };
        self.log.push(record, payload)
    }

    /// Who gets what `from_host` sends to `address`.
    fn destination(&self, from_host: HostIndex, address: IpAddr) -> Option<HostIndex> {
        if address.is_loopback() { Some(from_host) } else { self.by_address.get(&address).copied() }
    }
}
