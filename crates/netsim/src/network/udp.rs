//! UDP: sockets, and the stages of a datagram.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::{Context, Poll, Waker},
};

use timeline::{TcpFlags, Verdict, VirtualTime};

use super::{
    Event, Network,
    half::{Copies, Crossing, Damage, Exposure, Load, MtuFate, Stop},
    host::{FIRST_EPHEMERAL_PORT, HostState},
    route::Way,
};
use crate::{
    Arrival, Content, Crossing as Leaving, Half, Power, classify,
    draw::Transport,
    effects::Effects,
    ids::{HostIndex, RecordId},
    log::Spent,
};

/// The most that fits into one datagram (RFC 768, RFC 791).
const MAX_PAYLOAD_BYTES: usize = 65_507;

/// Linux's `EMSGSIZE`, for which the standard library has no stable kind.
const EMSGSIZE: i32 = 90;
/// Linux's `EINVAL`, for a source address that no interface has.
const EINVAL: i32 = 22;
/// Linux's `EAFNOSUPPORT`.
const EAFNOSUPPORT: i32 = 97;

/// What IP and UDP put in front of a payload (RFC 791, RFC 8200, RFC 768).
const fn header_bytes(address: IpAddr) -> u64 {
    if address.is_ipv4() { 28 } else { 48 }
}

/// What a bound socket has received and nobody has read.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    queue: VecDeque<(SocketAddr, Box<[u8]>)>,
    /// If it is connected: the only remote address from which it receives.
    peer: Option<SocketAddr>,
    /// Everybody who has asked: a later question never makes an earlier one forgotten.
    pub(super) wakers: Vec<Waker>,
}

/// Where a datagram is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// At the core, before the downlink.
    Core,
    /// At its host, before processing.
    Host,
    /// In front of its program.
    Program,
}

/// A datagram under way.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    record: RecordId,
    way: Way,
    /// The host that gets it, once that is known.
    to_host: Option<HostIndex>,
    is_damaged: bool,
    spent: Spent,
    payload: Box<[u8]>,
}

impl Network {
    /// Binds a socket; port 0 stands for a free one from 49152 up.
    pub(crate) fn udp_bind(&mut self, host: HostIndex, address: SocketAddr) -> io::Result<SocketAddr> {
        let host = &mut self.hosts[host];
        if !host.is_on() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if !address.ip().is_unspecified() && !host.owns(address.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let mut address = address;
        if address.port() == 0 {
            address.set_port(host.ephemeral_port(address.ip())?);
        } else if !host.is_free(address.ip(), address.port()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        host.udp.insert((address.ip(), address.port()), Inbox::default());
        host.open_sockets += 1;
        Ok(address)
    }

    /// Closes a socket that was bound after so many boots of its host.
    pub(crate) fn udp_close(&mut self, host: HostIndex, address: SocketAddr, boots: u64) -> Effects {
        self.socket_closed(host);
        let host = &mut self.hosts[host];
        let is_alive = host.boots == boots;
        let inbox = is_alive.then(|| host.udp.remove(&(address.ip(), address.port()))).flatten();
        Effects { wakers: inbox.map(|inbox| inbox.wakers).unwrap_or_default(), segments: Vec::new() }
    }

    /// Sends a datagram from a socket bound to `bound`. It may be lost, which is no error.
    pub(crate) fn udp_send(
        &mut self,
        now: VirtualTime,
        host: HostIndex,
        bound: SocketAddr,
        to: SocketAddr,
        payload: &[u8],
    ) -> io::Result<()> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(io::Error::from_raw_os_error(EMSGSIZE));
        }
        if to.port() == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let from = self.hosts[host].source(bound, to)?;
        let realm = self.hosts[host].realm_of(from.ip());
        let to_host = self.in_sight(host, realm, to.ip());
        let record = self.record(now, (host, to_host), (from, to), classify(payload), payload);
        let way = Way { realm, from, to };
        let Some(interface) = self.hosts[host].interface(from.ip()).filter(|_| to_host != Some(host)) else {
            let datagram = Datagram::new(record, way, Some(host), payload);
            self.events.plan(now, Event::Udp(Stage::Program, datagram));
            return Ok(());
        };
        let datagram = Datagram::new(record, way, None, payload);
        let crossing = interface.up.cross(now, datagram.load());
        self.udp_cross(now, Half::Up, crossing, datagram);
        Ok(())
    }

    /// A datagram goes on as the half-link that it entered says.
    fn udp_cross(&mut self, at: VirtualTime, half: Half, crossing: Crossing, mut datagram: Box<Datagram>) {
        let next = if half == Half::Up { Stage::Core } else { Stage::Host };
        match crossing {
            Crossing::Stopped(stop) => {
                self.log.set_verdict(datagram.record, stop.verdict(half));
                if stop == Stop::TooBig {
                    let Datagram { record, to_host, payload, .. } = *datagram;
                    self.refuse(at, half, record, (Content::Udp, to_host), payload);
                }
            }
            Crossing::Passes { delay, queued, copies, damage } => {
                datagram.spent.queued += queued;
                datagram.take(damage);
                let copy = (copies == Copies::Two).then(|| datagram.clone());
                for datagram in [Some(datagram), copy].into_iter().flatten() {
                    self.events.plan(at + delay, Event::Udp(next, datagram));
                }
            }
        }
    }

    /// Connects a socket that was bound after so many boots of its host: from which address it sends from now
    /// on.
    pub(crate) fn udp_connect(
        &mut self,
        host: HostIndex,
        bound: SocketAddr,
        boots: u64,
        to: SocketAddr,
    ) -> io::Result<SocketAddr> {
        let local = self.hosts[host].source(bound, to)?;
        self.live_inbox(host, bound, boots).ok_or(io::ErrorKind::NotConnected)?.peer = Some(to);
        Ok(local)
    }

    /// Reads the oldest datagram of a socket into `buf`; what does not fit is gone, as with `recvfrom`.
    pub(crate) fn udp_poll_receive(
        &mut self,
        host: HostIndex,
        bound: SocketAddr,
        boots: u64,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let Some(inbox) = self.live_inbox(host, bound, boots) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        if let Some((from, payload)) = inbox.queue.pop_front() {
            let len = payload.len().min(buf.len());
            buf[..len].copy_from_slice(&payload[..len]);
            return Poll::Ready(Ok((len, from)));
        }
        inbox.wait(cx);
        Poll::Pending
    }

    /// Whether a socket has something to read, or an error to answer.
    pub(crate) fn udp_poll_ready(
        &mut self,
        host: HostIndex,
        bound: SocketAddr,
        boots: u64,
        cx: &Context<'_>,
    ) -> Poll<()> {
        match self.live_inbox(host, bound, boots) {
            Some(inbox) if inbox.queue.is_empty() => {
                inbox.wait(cx);
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    /// What a socket that was bound after so many boots of its host has received; `None` if it is dead.
    fn live_inbox(&mut self, host: HostIndex, bound: SocketAddr, boots: u64) -> Option<&mut Inbox> {
        let is_alive = self.is_alive(host, boots);
        self.hosts[host].udp.get_mut(&(bound.ip(), bound.port())).filter(|_| is_alive)
    }

    /// The next stage of a datagram's way.
    pub(super) fn udp_stage(
        &mut self,
        at: VirtualTime,
        stage: Stage,
        mut datagram: Box<Datagram>,
        effects: &mut Effects,
    ) {
        let Some(host) = datagram.to_host else { return self.udp_at_core(at, datagram) };
        match stage {
            Stage::Host if self.hosts[host].is_on() => {
                match self.hosts[host].processing.admit(at, Transport::Udp) {
                    Some(done) => {
                        datagram.spent.processing = done.since(at);
                        self.events.plan(done, Event::Udp(Stage::Program, datagram));
                    }
                    None => self.udp_deliver(at, host, *datagram, effects),
                }
            }
            _ => self.udp_deliver(at, host, *datagram, effects),
        }
    }

    /// A datagram finds its way through the core, and enters its receiver's downlink.
    fn udp_at_core(&mut self, at: VirtualTime, mut datagram: Box<Datagram>) {
        let (host, way) =
            match self.forward(datagram.record, at, Transport::Udp, TcpFlags::default(), datagram.way) {
                Ok(found) => found,
                Err(verdict) => return self.log.set_verdict(datagram.record, verdict),
            };
        self.log.set_receiver(datagram.record, &self.hosts[host].name, way.from, way.to);
        (datagram.to_host, datagram.way) = (Some(host), way);
        let load = datagram.load();
        match self.hosts[host].interface(way.to.ip()) {
            None => self.log.set_verdict(datagram.record, Verdict::NoRoute),
            Some(interface) => {
                let crossing = interface.down.cross(at, load);
                self.udp_cross(at, Half::Down, crossing, datagram);
            }
        }
    }

    fn udp_deliver(&mut self, at: VirtualTime, host: HostIndex, datagram: Datagram, effects: &mut Effects) {
        let host = &mut self.hosts[host];
        let from = datagram.way.from;
        let verdict = if datagram.is_damaged { Verdict::Corrupted } else { Verdict::Delivered };
        if let Some(border) = host.border.as_mut().filter(|_| host.power == Power::On) {
            let packet =
                Leaving { content: Content::Udp, from, to: datagram.way.to, bytes: datagram.payload };
            border.push(Arrival::Packet(packet), effects);
            self.log.set_verdict(datagram.record, verdict);
            return self.log.set_transit(datagram.record, at, datagram.spent);
        }
        let is_welcome = |inbox: &&mut Inbox| inbox.peer.is_none_or(|peer| peer == from);
        let Some(inbox) = host.inbox(datagram.way.to).filter(is_welcome) else {
            let verdict = if host.is_on() { Verdict::NoSocket } else { Verdict::PowerOff };
            return self.log.set_verdict(datagram.record, verdict);
        };
        if datagram.is_damaged {
            self.log.set_damaged(datagram.record, &datagram.payload);
        }
        inbox.queue.push_back((from, datagram.payload));
        effects.wakers.append(&mut inbox.wakers);
        self.log.set_verdict(datagram.record, verdict);
        self.log.set_transit(datagram.record, at, datagram.spent);
    }
}

impl Inbox {
    /// Wakes the task of `cx` when something arrives.
    fn wait(&mut self, cx: &Context<'_>) {
        if !self.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
    }
}

impl Datagram {
    fn new(record: RecordId, way: Way, to_host: Option<HostIndex>, payload: &[u8]) -> Box<Self> {
        Box::new(Self {
            record,
            way,
            to_host,
            is_damaged: false,
            spent: Spent::default(),
            payload: payload.into(),
        })
    }

    fn load(&self) -> Load {
        let bytes = self.payload.len() as u64 + header_bytes(self.way.to.ip());
        Load { transport: Transport::Udp, exposure: Exposure::Full, mtu: MtuFate::Counts, bytes }
    }

    fn take(&mut self, damage: Option<Damage>) {
        if let Some(damage) = damage {
            damage.apply(&mut self.payload);
            self.is_damaged = true;
        }
    }
}

impl HostState {
    /// The socket that gets what is sent to `to`: the one with that address, else a wildcard one.
    fn inbox(&mut self, to: SocketAddr) -> Option<&mut Inbox> {
        let exact = (to.ip(), to.port());
        let key = if self.udp.contains_key(&exact) { exact } else { (wildcard(to.ip()), to.port()) };
        self.udp.get_mut(&key)
    }

    /// Whether no socket stands in the way of a new one at `ip` and `port`: none at the same address,
    /// and no wildcard on either side.
    fn is_free(&self, ip: IpAddr, port: u16) -> bool {
        let of_family = self.udp.keys().filter(|(other, _)| other.is_ipv4() == ip.is_ipv4());
        of_family
            .filter(|(_, other)| *other == port)
            .all(|(other, _)| *other != ip && !other.is_unspecified() && !ip.is_unspecified())
    }

    /// The next port of the dynamic range on which no socket of `ip`'s family is bound.
    fn ephemeral_port(&mut self, ip: IpAddr) -> io::Result<u16> {
        for _ in FIRST_EPHEMERAL_PORT..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL_PORT);
            if self.is_free(wildcard(ip), port) {
                return Ok(port);
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// The source address of a datagram to `to` from a socket bound to `bound`.
    fn source(&self, bound: SocketAddr, to: SocketAddr) -> io::Result<SocketAddr> {
        if bound.is_ipv4() != to.is_ipv4() {
            return Err(io::Error::from_raw_os_error(EAFNOSUPPORT));
        }
        if !bound.ip().is_unspecified() {
            if !self.owns(bound.ip()) {
                return Err(io::Error::from_raw_os_error(EINVAL));
            }
            // Nothing leaves a host from its loopback address.
            let leaves = bound.ip().is_loopback() && !self.owns(to.ip());
            return if leaves { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(bound) };
        }
        let address = self.source_for(to.ip()).ok_or(io::ErrorKind::NetworkUnreachable)?;
        Ok(SocketAddr::new(address, bound.port()))
    }
}

/// The wildcard address of the family of `ip`.
fn wildcard(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}
