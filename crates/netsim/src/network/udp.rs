//! UDP: sockets, and the stages of a datagram.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::{Context, Poll, Waker},
};

use timeline::{Verdict, VirtualTime};

use super::{
    Effects, Event, HostIndex, Network,
    half::{Crossing, Exposure},
    host::{FIRST_EPHEMERAL_PORT, HostState},
};
use crate::{classify, draw::Transport, log::RecordId};

/// The most that fits into one datagram (RFC 768, RFC 791). Links have no MTU.
const MAX_PAYLOAD_BYTES: usize = 65_507;

/// Linux's `EMSGSIZE`, for which the standard library has no stable kind.
const EMSGSIZE: i32 = 90;
/// Linux's `EAFNOSUPPORT`.
const EAFNOSUPPORT: i32 = 97;

/// What a bound socket has received and nobody has read.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    queue: VecDeque<(SocketAddr, Box<[u8]>)>,
    /// Everybody who has asked: a later question never makes an earlier one forgotten.
    wakers: Vec<Waker>,
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
#[derive(Debug)]
pub(super) struct Datagram {
    record: RecordId,
    from: SocketAddr,
    to: SocketAddr,
    to_host: Option<HostIndex>,
    payload: Box<[u8]>,
}

impl Network {
    /// Binds a socket; port 0 stands for a free one from 49152 up.
    pub(crate) fn udp_bind(&mut self, host: HostIndex, address: SocketAddr) -> io::Result<SocketAddr> {
        let host = &mut self.hosts[host];
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

    pub(crate) fn udp_close(&mut self, host: HostIndex, address: SocketAddr) -> Effects {
        self.socket_closed(host);
        let inbox = self.hosts[host].udp.remove(&(address.ip(), address.port()));
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
        let to_host = self.destination(host, to.ip());
        let record = self.record(now, host, (from, to), classify(payload), payload);
        let datagram = Datagram { record, from, to, to_host, payload: payload.into() };
        if to_host == Some(host) {
            self.events.plan(now, Event::Udp(Stage::Program, datagram));
            return Ok(());
        }
        match self.hosts[host].up.cross(Transport::Udp, Exposure::Full) {
            Crossing::Passes(delay) => self.events.plan(now + delay, Event::Udp(Stage::Core, datagram)),
            Crossing::Lost => self.log.set_verdict(record, Verdict::LostUp),
            Crossing::Down => self.log.set_verdict(record, Verdict::LinkDown),
        }
        Ok(())
    }

    /// Reads the oldest datagram of a socket into `buf`; what does not fit is gone, as with `recvfrom`.
    pub(crate) fn udp_poll_receive(
        &mut self,
        host: HostIndex,
        bound: SocketAddr,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let Some(inbox) = self.hosts[host].udp.get_mut(&(bound.ip(), bound.port())) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        if let Some((from, payload)) = inbox.queue.pop_front() {
            let len = payload.len().min(buf.len());
            buf[..len].copy_from_slice(&payload[..len]);
            return Poll::Ready(Ok((len, from)));
        }
        if !inbox.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            inbox.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The next stage of a datagram's way.
    pub(super) fn udp_stage(
        &mut self,
        at: VirtualTime,
        stage: Stage,
        datagram: Datagram,
        effects: &mut Effects,
    ) {
        let Some(host) = datagram.to_host else {
            self.log.set_verdict(datagram.record, Verdict::NoRoute);
            return;
        };
        match stage {
            Stage::Core => match self.hosts[host].down.cross(Transport::Udp, Exposure::Full) {
                Crossing::Passes(delay) => self.events.plan(at + delay, Event::Udp(Stage::Host, datagram)),
                Crossing::Lost => self.log.set_verdict(datagram.record, Verdict::LostDown),
                Crossing::Down => self.log.set_verdict(datagram.record, Verdict::LinkDown),
            },
            Stage::Host => match self.hosts[host].processing.admit(at, Transport::Udp) {
                Some(done) => self.events.plan(done, Event::Udp(Stage::Program, datagram)),
                None => self.udp_deliver(host, datagram, effects),
            },
            Stage::Program => self.udp_deliver(host, datagram, effects),
        }
    }

    fn udp_deliver(&mut self, host: HostIndex, datagram: Datagram, effects: &mut Effects) {
        let Some(inbox) = self.hosts[host].inbox(datagram.to) else {
            self.log.set_verdict(datagram.record, Verdict::NoSocket);
            return;
        };
        inbox.queue.push_back((datagram.from, datagram.payload));
        effects.wakers.append(&mut inbox.wakers);
        self.log.set_verdict(datagram.record, Verdict::Delivered);
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
            // Nothing leaves a host from its loopback address.
            let leaves = bound.ip().is_loopback() && !self.owns(to.ip());
            return if leaves { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(bound) };
        }
        if to.ip().is_loopback() {
            return Ok(SocketAddr::new(to.ip(), bound.port()));
        }
        let of_family = self.addresses.iter().find(|address| address.is_ipv4() == to.is_ipv4());
        let address = of_family.ok_or(io::ErrorKind::NetworkUnreachable)?;
        Ok(SocketAddr::new(*address, bound.port()))
    }
}

/// The wildcard address of the family of `ip`.
fn wildcard(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}
