//! Everything between the hosts: where a packet is, and what becomes of it next.
//!
//! A packet's way is a row of stages, each planned as an event when the one before it is done:
//! sender → uplink → *core* (→ gateways) → downlink → *host* (→ processing → *program*). Stages inside the network
//! are passed silently; what reaches a program is released one at a time by the pump. Times along
//! the way are exact to the nanosecond; only the pump rounds up, once, to the clock's millisecond.
//!
//! No input, no output, no clock: callers say what time it is and carry out the [`Effects`].

mod border;
mod half;
mod handover;
mod host;
mod processing;
mod route;
mod tcp;
mod topology;
mod udp;
mod weather;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use timeline::{Digest, Name, PacketRecord, Protocol, Transit, Verdict, VirtualTime};

use crate::{
    Access, Arrival, Counts, Half, HostSpec, LinkModel, UnknownHost, Wire,
    config::Settings,
    effects::Effects,
    events::Events,
    ids::{HostIndex, RecordId},
    log::PacketLog,
};
use host::HostState;
use tcp::Connections;
pub(crate) use topology::Topology;
use topology::{Hop, Realm};

/// The state of the whole network.
#[derive(Debug)]
pub(crate) struct Network {
    hosts: Vec<HostState>,
    by_name: BTreeMap<Name, HostIndex>,
    topology: Topology,
    events: Events<Event>,
    log: PacketLog,
    tcp: Connections,
    retransmissions: u64,
    user_timeouts: u64,
    /// The instant of the release that is going on.
    now: VirtualTime,
}

/// What is planned. Small, since the queue moves it about.
#[derive(Debug)]
enum Event {
    Udp(udp::Stage, Box<udp::Datagram>),
    Tcp(tcp::Stage, Box<tcp::Transit>),
    Raw(Box<border::Raw>),
    Refused(HostIndex, Box<Arrival>),
    Alarm(Box<tcp::FlowAlarm>),
    Change(Box<handover::Change>),
}

impl Network {
    pub(crate) fn new(settings: &Settings, topology: Topology) -> Self {
        let host = |spec: &HostSpec| HostState::new(settings.seed, spec, topology.first_realm(&spec.name));
        let hosts: Vec<_> = settings.hosts.iter().map(host).collect();
        let by_name = hosts.iter().enumerate().map(|(index, host)| (host.name.clone(), index)).collect();
        Self {
            hosts,
            by_name,
            topology,
            events: Events::new(),
            log: if settings.keeps_wire { PacketLog::with_bytes() } else { PacketLog::default() },
            tcp: Connections::new(settings.user_timeout),
            retransmissions: 0,
            user_timeouts: 0,
            now: VirtualTime::ZERO,
        }
    }

    pub(crate) fn host(&self, name: &Name) -> Result<HostIndex, UnknownHost> {
        self.by_name.get(name).copied().ok_or_else(|| {
            let known: Vec<_> = self.host_names().map(Name::as_str).collect();
            UnknownHost { name: name.clone(), known: known.join(", ") }
        })
    }

    pub(crate) fn host_names(&self) -> impl Iterator<Item = &Name> {
        self.hosts.iter().map(|host| &host.name)
    }

    pub(crate) fn name(&self, host: HostIndex) -> &Name {
        &self.hosts[host].name
    }

    /// A host's addresses, those of its newest attachment first.
    pub(crate) fn addresses(&self, host: HostIndex) -> Vec<IpAddr> {
        self.hosts[host].addresses().collect()
    }

    /// How often a host was switched off.
    pub(crate) fn boots(&self, host: HostIndex) -> u64 {
        self.hosts[host].boots
    }

    /// Whether what was opened on a host after so many boots is still alive.
    pub(crate) fn is_alive(&self, host: HostIndex, boots: u64) -> bool {
        let host = &self.hosts[host];
        host.is_on() && host.boots == boots
    }

    /// The link of a host's newest attachment.
    pub(crate) fn access(&self, host: HostIndex) -> Access {
        self.hosts[host].newest().access()
    }

    pub(crate) fn set_access(&mut self, host: HostIndex, access: Access) {
        self.hosts[host].newest_mut().set_access(access);
    }

    pub(crate) fn set_link(&mut self, host: HostIndex, half: Half, model: LinkModel) {
        self.hosts[host].newest_mut().half(half).model = model;
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
                Event::Raw(raw) => self.raw_stage(at, raw, effects),
                Event::Refused(host, arrival) => self.refused(host, *arrival, effects),
                Event::Alarm(alarm) => self.tcp_alarm(at, *alarm, effects),
                Event::Change(change) => self.change(at, *change, effects),
            }
            if effects.reaches_a_host() {
                break;
            }
        }
        passed
    }

    pub(crate) fn counts(&self) -> Counts {
        let of = |host: &HostState| (host.name.clone(), host.counts());
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
        self.tcp.flows()
    }

    /// Takes the record of all packets, and the digest over them.
    pub(crate) fn take_log(&mut self) -> (Vec<PacketRecord>, Digest) {
        self.log.take()
    }

    /// Takes the bytes of all packets, where they were kept.
    pub(crate) fn take_wire(&mut self) -> Option<Wire> {
        self.log.take_wire()
    }

    /// Enters a packet into the record.
    fn record(
        &mut self,
        at: VirtualTime,
        (from_host, to_host): (HostIndex, Option<HostIndex>),
        (from, to): (SocketAddr, SocketAddr),
        protocol: Protocol,
        payload: &[u8],
    ) -> RecordId {
        let record = PacketRecord {
            at,
            from_host: self.hosts[from_host].name.clone(),
            to_host: to_host.map(|host| self.hosts[host].name.clone()),
            from,
            to,
            protocol,
            len: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            verdict: Verdict::InFlight,
            translated: None,
            transit: Transit::default(),
        };
        self.log.push(record, payload)
    }

    /// The host that has the address `to` as `from_host` sees it from `realm`.
    fn in_sight(&self, from_host: HostIndex, realm: Realm, to: IpAddr) -> Option<HostIndex> {
        match self.topology.hop(realm, to) {
            _ if self.hosts[from_host].owns(to) => Some(from_host),
            Some(Hop::Host(host)) => Some(host),
            _ => None,
        }
    }
}
