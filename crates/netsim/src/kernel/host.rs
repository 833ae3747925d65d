//! The sockets of one host: which there are, where they are bound, and what they want to send.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io, mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::{Context, Poll},
};

use crate::lookup::Lookup;

use super::{
    connection::{Closing, Connection, Progress, State},
    segment::Segment,
    wakers::{Waiting, Woken},
};

/// The ports that connections are opened from (RFC 6335 §6, "dynamic").
const FIRST_EPHEMERAL_PORT: u16 = 49_152;
/// The first initial sequence number, and by how much each is greater than the one before. Real ones are
/// random; nobody in a world guesses them.
const FIRST_SEQUENCE: u32 = 0x0100_0000;
const SEQUENCE_STEP: u32 = 0x0001_0000;

/// Names a socket of a host; never given twice.
pub(super) type SocketId = u64;

/// The stack of one host.
#[derive(Debug)]
pub(super) struct Host {
    /// Boxed, since a map has room for eleven where most hosts have one.
    connections: BTreeMap<SocketId, Box<Connection>>,
    listeners: BTreeMap<SocketId, Listening>,
    /// Connections by local address and peer.
    by_ends: Lookup<(SocketAddr, SocketAddr), SocketId>,
    listening: BTreeMap<SocketAddr, SocketId>,
    /// How many sockets are bound to what, by port.
    bound: BTreeMap<(u16, IpAddr), usize>,
    next_id: SocketId,
    next_port: u16,
    next_sequence: u32,
    outgoing: Vec<Segment>,
    /// Connections that may have data or a FIN to send.
    eager: BTreeSet<SocketId>,
    /// Connections that may be over, with nobody to see it.
    ending: BTreeSet<SocketId>,
}

/// A listening socket. It takes any number of connection attempts.
#[derive(Debug)]
struct Listening {
    local: SocketAddr,
    /// Established, and accepted by nobody yet.
    ready: VecDeque<SocketId>,
    accepting: Waiting,
}

impl Host {
    pub(super) const fn new() -> Self {
        Self {
            connections: BTreeMap::new(),
            listeners: BTreeMap::new(),
            by_ends: Lookup::new(),
            listening: BTreeMap::new(),
            bound: BTreeMap::new(),
            next_id: 0,
            next_port: FIRST_EPHEMERAL_PORT,
            next_sequence: FIRST_SEQUENCE,
            outgoing: Vec::new(),
            eager: BTreeSet::new(),
            ending: BTreeSet::new(),
        }
    }

    /// How many connections it has.
    #[cfg(test)]
    pub(super) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Takes what it wants to send to other hosts.
    pub(super) fn egress(&mut self, woken: &mut Woken, send: &mut impl FnMut(Segment)) {
        loop {
            for id in mem::take(&mut self.eager) {
                if let Some(connection) = self.connections.get_mut(&id).filter(|it| it.wants_to_send()) {
                    connection.send(&mut self.outgoing);
                }
            }
            if self.outgoing.is_empty() {
                break;
            }
            for segment in mem::take(&mut self.outgoing) {
                match segment.stays_on_its_host() {
                    true => self.deliver(segment, woken),
                    false => send(segment),
                }
            }
        }
        for id in mem::take(&mut self.ending) {
            if self.connections.get(&id).is_some_and(|connection| connection.is_over() && connection.orphaned)
            {
                self.forget(id);
            }
        }
    }

    /// A segment has arrived.
    pub(super) fn deliver(&mut self, segment: Segment, woken: &mut Woken) {
        let (local, peer) = (segment.to(), segment.from());
        let flags = segment.flags();
        if let Some(&id) = self.by_ends.get(&(local, peer)) {
            self.deliver_to(id, &segment, woken);
        } else if flags.syn && !flags.ack && self.listener_at(local).is_some() {
            let sequence = self.sequence();
            let (connection, answer) = Connection::answer(&segment, sequence);
            self.insert(connection);
            self.outgoing.push(answer);
        } else if !flags.rst {
            self.outgoing.push(segment.refusal());
        }
    }

    fn deliver_to(&mut self, id: SocketId, segment: &Segment, woken: &mut Woken) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.state == State::SynReceived && segment.flags().rst {
            // Its listener never hears of it (RFC 9293 §3.10.7.4): nobody else would let it go.
            return self.forget(id);
        }
        let (progress, answer) = connection.receive(segment, woken);
        let local = connection.local;
        self.outgoing.extend(answer);
        // An acknowledgement may have made room, and the last one ends a connection.
        self.eager.insert(id);
        self.ending.insert(id);
        if progress == Progress::Accepted
            && let Some(listener) = self.listener_at(local)
            && let Some(listening) = self.listeners.get_mut(&listener)
        {
            listening.ready.push_back(id);
            listening.accepting.wake(woken);
        }
    }

    /// Opens a connection to `peer`, from its address `ip` and a port of its own.
    pub(super) fn connect(&mut self, ip: IpAddr, peer: SocketAddr) -> io::Result<SocketId> {
        let local = SocketAddr::new(ip, self.free_port(ip)?);
        let sequence = self.sequence();
        let (connection, syn) = Connection::open(local, peer, sequence);
        self.outgoing.push(syn);
        Ok(self.insert(connection))
    }

    /// Listens at `local`, at a port of its own if that is zero.
    pub(super) fn listen(&mut self, mut local: SocketAddr) -> io::Result<(SocketId, SocketAddr)> {
        if local.port() == 0 {
            local.set_port(self.free_port(local.ip())?);
        }
        let clashes =
            |&(_, ip): &(u16, IpAddr)| ip == local.ip() || ip.is_unspecified() || local.ip().is_unspecified();
        if self.bound_to(local.port(), local.ip()).any(clashes) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let id = self.id();
        self.bind(local);
        self.listening.insert(local, id);
        self.listeners.insert(id, Listening { local, ready: VecDeque::new(), accepting: Waiting::default() });
        Ok((id, local))
    }

    /// The next connection of a listener.
    pub(super) fn poll_accept(
        &mut self,
        listener: SocketId,
        cx: &Context<'_>,
    ) -> Poll<io::Result<(SocketId, SocketAddr, SocketAddr)>> {
        let Some(listening) = self.listeners.get_mut(&listener) else {
            return Poll::Ready(Err(io::ErrorKind::NotFound.into()));
        };
        while let Some(id) = listening.ready.pop_front() {
            if let Some(connection) = self.connections.get(&id) {
                return Poll::Ready(Ok((id, connection.local, connection.peer)));
            }
        }
        listening.accepting.add(cx.waker());
        Poll::Pending
    }

    /// A connection that a program holds.
    pub(super) fn connection(&mut self, id: SocketId) -> io::Result<&mut Connection> {
        self.eager.insert(id);
        self.connections.get_mut(&id).map(Box::as_mut).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A program lets a socket go.
    pub(super) fn close(&mut self, id: SocketId) {
        if let Some(listening) = self.listeners.remove(&id) {
            return self.close_listener(&listening);
        }
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match connection.close() {
            Closing::Forget => self.forget(id),
            Closing::Reset(reset) => {
                self.outgoing.push(reset);
                self.forget(id);
            }
            Closing::Linger => {
                self.eager.insert(id);
                self.ending.insert(id);
            }
        }
    }

    /// Resets what nobody has accepted: first what is established, then what is about to be.
    fn close_listener(&mut self, listening: &Listening) {
        let local = listening.local;
        self.listening.remove(&local);
        self.unbind(local);
        let is_child = |connection: &Connection| {
            connection.state == State::SynReceived
                && connection.local.port() == local.port()
                && (local.ip().is_unspecified() || connection.local.ip() == local.ip())
        };
        let handshaking = self.connections.iter().filter(|(_, connection)| is_child(connection));
        let children: Vec<SocketId> =
            listening.ready.iter().copied().chain(handshaking.map(|(&id, _)| id)).collect();
        for id in children {
            if let Some(connection) = self.connections.get(&id) {
                self.outgoing.push(connection.refusal());
                self.forget(id);
            }
        }
    }

    fn insert(&mut self, connection: Connection) -> SocketId {
        let id = self.id();
        self.bind(connection.local);
        self.by_ends.insert((connection.local, connection.peer), id);
        self.connections.insert(id, Box::new(connection));
        id
    }

    fn forget(&mut self, id: SocketId) {
        if let Some(connection) = self.connections.remove(&id) {
            self.by_ends.remove(&(connection.local, connection.peer));
            self.unbind(connection.local);
        }
    }

    fn listener_at(&self, local: SocketAddr) -> Option<SocketId> {
        let wildcard = SocketAddr::new(unspecified(local.ip()), local.port());
        [local, wildcard].iter().find_map(|at| self.listening.get(at)).copied()
    }

    fn bind(&mut self, local: SocketAddr) {
        *self.bound.entry((local.port(), local.ip())).or_default() += 1;
    }

    fn unbind(&mut self, local: SocketAddr) {
        let key = (local.port(), local.ip());
        if let Some(sockets) = self.bound.get_mut(&key) {
            *sockets -= 1;
            if *sockets == 0 {
                self.bound.remove(&key);
            }
        }
    }

    /// What is bound to `port` in the family of `like`.
    fn bound_to(&self, port: u16, like: IpAddr) -> impl Iterator<Item = &(u16, IpAddr)> {
        let last = match like {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::BROADCAST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)),
        };
        self.bound.range((port, unspecified(like))..=(port, last)).map(|(key, _)| key)
    }

    /// A port that nothing of this family is bound to: the next one, in a circle.
    fn free_port(&mut self, like: IpAddr) -> io::Result<u16> {
        for _ in FIRST_EPHEMERAL_PORT..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL_PORT);
            if self.bound_to(port, like).next().is_none() {
                return Ok(port);
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    const fn id(&mut self) -> SocketId {
        self.next_id += 1;
        self.next_id
    }

    const fn sequence(&mut self) -> u32 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(SEQUENCE_STEP);
        sequence
    }
}

const fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
