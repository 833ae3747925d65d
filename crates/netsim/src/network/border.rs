//! Packets of hosts whose programs are outside of the world ([`Tap`](crate::Tap)).
//!
//! Their datagrams go the way of all datagrams. Their TCP segments and ICMP messages come from stacks of their own: each
//! takes its chance at every link and gateway, and what is stopped is gone. A link keeps the order of segments, as a
//! queue does, whatever its jitter says.

use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    task::{Context, Poll, Waker},
};

use timeline::{Protocol, TcpFlags, Verdict, VirtualTime};

use super::{
    Event, Network,
    half::{Crossing as Crossed, Exposure, Load, MtuFate, Stop},
    route::Way,
};
use crate::{
    Arrival, Content, Crossing, Half,
    draw::Transport,
    effects::Effects,
    ids::{HostIndex, RecordId},
    log::Spent,
};

/// Linux's `EINVAL`, for a source address that no interface has.
const EINVAL: i32 = 22;
/// Linux's `EMSGSIZE`.
const EMSGSIZE: i32 = 90;
/// The most that an IP packet can be (RFC 791 §3.1).
const MAX_BYTES: usize = 65_535;

/// What has reached a host and is not taken out of the world yet.
#[derive(Debug, Default)]
pub(super) struct Border {
    queue: VecDeque<Arrival>,
    wakers: Vec<Waker>,
}

/// A segment or ICMP message under way.
#[derive(Debug)]
pub(super) struct Raw {
    record: RecordId,
    content: Content,
    way: Way,
    /// The host that gets it, once that is known.
    to_host: Option<HostIndex>,
    spent: Spent,
    bytes: Box<[u8]>,
}

impl Border {
    pub(super) fn push(&mut self, arrival: Arrival, effects: &mut Effects) {
        self.queue.push_back(arrival);
        effects.wakers.append(&mut self.wakers);
    }
}

impl Network {
    /// From here on nothing that reaches `host` gets to a socket.
    pub(crate) fn open_border(&mut self, host: HostIndex) {
        self.hosts[host].border.get_or_insert_default();
    }

    /// A program outside of the world sends a packet.
    pub(crate) fn border_send(
        &mut self,
        now: VirtualTime,
        host: HostIndex,
        packet: &Crossing,
    ) -> io::Result<()> {
        let (from, to) = (packet.from, packet.to);
        if !self.hosts[host].is_on() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let protocol = match packet.content {
            Content::Udp => return self.udp_send(now, host, from, to, &packet.bytes),
            Content::Tcp(flags) => Protocol::Tcp(flags),
            Content::Icmp => Protocol::Icmp,
        };
        if packet.bytes.len() > MAX_BYTES {
            return Err(io::Error::from_raw_os_error(EMSGSIZE));
        }
        let realm = self.hosts[host].realm_of(from.ip());
        let to_host = self.in_sight(host, realm, to.ip());
        let Some(interface) = self.hosts[host].interface(from.ip()) else {
            return Err(io::Error::from_raw_os_error(EINVAL));
        };
        let raw = Raw {
            record: RecordId::default(),
            content: packet.content,
            way: Way { realm, from, to },
            to_host: None,
            spent: Spent::default(),
            bytes: packet.bytes.clone(),
        };
        let crossed = interface.up.cross(now, raw.load());
        let record = self.record(now, (host, to_host), (from, to), protocol, &packet.bytes);
        self.raw_cross(now, Half::Up, crossed, Box::new(Raw { record, ..raw }));
        Ok(())
    }

    /// The oldest of what has reached a host.
    pub(crate) fn border_poll_receive(&mut self, host: HostIndex, cx: &mut Context<'_>) -> Poll<Arrival> {
        let border = self.hosts[host].border.get_or_insert_default();
        match border.queue.pop_front() {
            Some(arrival) => Poll::Ready(arrival),
            None => {
                border.wakers.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The next stage of the way of a segment or ICMP message.
    pub(super) fn raw_stage(&mut self, at: VirtualTime, mut raw: Box<Raw>, effects: &mut Effects) {
        let Some(host) = raw.to_host else { return self.raw_at_core(at, raw) };
        let state = &mut self.hosts[host];
        let verdict = match (state.is_on(), &mut state.border) {
            (false, _) => Verdict::PowerOff,
            // Sockets of the world have no stack that could tell what it is.
            (true, None) => Verdict::NoSocket,
            (true, Some(border)) => {
                let (content, Way { from, to, .. }) = (raw.content, raw.way);
                let bytes = std::mem::take(&mut raw.bytes);
                border.push(Arrival::Packet(Crossing { content, from, to, bytes }), effects);
                self.log.set_transit(raw.record, at, raw.spent);
                Verdict::Delivered
            }
        };
        self.log.set_verdict(raw.record, verdict);
    }

    /// It is at the core: finds its receiver, and enters the receiver's downlink.
    fn raw_at_core(&mut self, at: VirtualTime, mut raw: Box<Raw>) {
        let (transport, flags) = (raw.transport(), raw.flags());
        let (host, way) = match self.forward(raw.record, at, transport, flags, raw.way) {
            Ok(found) => found,
            Err(verdict) => return self.log.set_verdict(raw.record, verdict),
        };
        self.log.set_receiver(raw.record, &self.hosts[host].name, way.from, way.to);
        (raw.to_host, raw.way) = (Some(host), way);
        let load = raw.load();
        match self.hosts[host].interface(way.to.ip()) {
            None => self.log.set_verdict(raw.record, Verdict::NoRoute),
            Some(interface) => {
                let crossed = interface.down.cross(at, load);
                self.raw_cross(at, Half::Down, crossed, raw);
            }
        }
    }

    fn raw_cross(&mut self, at: VirtualTime, half: Half, crossed: Crossed, mut raw: Box<Raw>) {
        match crossed {
            Crossed::Stopped(stop) => {
                self.log.set_verdict(raw.record, stop.verdict(half));
                if stop == Stop::TooBig {
                    self.refuse(at, half, raw.record, (raw.content, raw.to_host), raw.bytes);
                }
            }
            Crossed::Passes { delay, queued, .. } => {
                raw.spent.queued += queued;
                let mut arrival = at + delay;
                let (host, address) = match raw.to_host {
                    None => (self.sender_of(raw.record), raw.way.from.ip()),
                    Some(host) => (host, raw.way.to.ip()),
                };
                if raw.transport() == Transport::Tcp
                    && let Some(interface) = self.hosts[host].interface(address)
                {
                    arrival = interface.half(half).in_order(arrival);
                }
                self.events.plan(arrival, Event::Raw(raw));
            }
        }
    }

    /// A packet does not fit through a half-link: its sender hears of it, where that is outside of the world, as long
    /// after it has got here as it took to get here.
    pub(super) fn refuse(
        &mut self,
        at: VirtualTime,
        half: Half,
        record: RecordId,
        (content, to_host): (Content, Option<HostIndex>),
        bytes: Box<[u8]>,
    ) {
        let sender = self.sender_of(record);
        if self.hosts[sender].border.is_none() {
            return;
        }
        let (from, to, seen) = self.log.endpoints(record);
        let (host, address): (HostIndex, IpAddr) = match to_host {
            None => (sender, from.ip()),
            Some(host) => (host, seen.ip()),
        };
        let model = self.hosts[host].interface(address).map(|interface| interface.half(half).model);
        let Some(mtu_bytes) = model.and_then(|model| model.mtu_bytes) else { return };
        let back = at + at.since(self.log.sent_at(record));
        let packet = Crossing { content, from, to, bytes };
        self.events.plan(back, Event::Refused(sender, Box::new(Arrival::TooBig { mtu_bytes, packet })));
    }

    /// The sender of a packet that did not fit hears of it.
    pub(super) fn refused(&mut self, host: HostIndex, arrival: Arrival, effects: &mut Effects) {
        if let Some(border) = &mut self.hosts[host].border {
            border.push(arrival, effects);
        }
    }

    fn sender_of(&self, record: RecordId) -> HostIndex {
        self.by_name[self.log.sender(record)]
    }
}

impl Raw {
    const fn transport(&self) -> Transport {
        match self.content {
            Content::Tcp(_) => Transport::Tcp,
            Content::Udp | Content::Icmp => Transport::Udp,
        }
    }

    fn flags(&self) -> TcpFlags {
        match self.content {
            Content::Tcp(flags) => flags,
            Content::Udp | Content::Icmp => TcpFlags::default(),
        }
    }

    fn load(&self) -> Load {
        let headers = if self.way.to.is_ipv4() { 20 } else { 40 };
        let bytes = self.bytes.len() as u64 + headers;
        Load { transport: self.transport(), exposure: Exposure::Full, mtu: MtuFate::Counts, bytes }
    }
}
