//! What a gateway remembers of one inside endpoint: to whom it sent, and for how long that counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use timeline::{TcpFlags, VirtualTime};

use super::{
    Glance,
    config::{Dependence, Refresh, Timeouts},
};
use crate::Transport;

/// Which way a packet goes through a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

#[derive(Clone, Debug)]
pub(super) struct Tracking {
    /// To whom something was sent.
    remotes: BTreeSet<SocketAddr>,
    /// The TCP connections, by remote; none for UDP.
    connections: BTreeMap<SocketAddr, Connection>,
    /// Until when it counts, that moment included.
    expires_at: VirtualTime,
}

/// What a gateway knows of a TCP connection (RFC 5382 §2.1).
#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    out: Seen,
    back: Seen,
    is_reset: bool,
    last: VirtualTime,
}

/// What was seen in one direction.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    syn: bool,
    fin: bool,
}

impl Tracking {
    pub(super) const fn new() -> Self {
        Self { remotes: BTreeSet::new(), connections: BTreeMap::new(), expires_at: VirtualTime::ZERO }
    }

    pub(super) fn is_alive(&self, at: VirtualTime) -> bool {
        at <= self.expires_at
    }

    /// Whether what comes from `remote` is let in.
    pub(super) fn admits(&self, remote: SocketAddr, filtering: Dependence) -> bool {
        match filtering {
            Dependence::EndpointIndependent => true,
            Dependence::AddressDependent => self.remotes.iter().any(|known| known.ip() == remote.ip()),
            Dependence::AddressAndPortDependent => self.remotes.contains(&remote),
        }
    }

    /// A packet to or from `remote` passes.
    pub(super) fn passes(
        &mut self,
        glance: Glance,
        direction: Direction,
        remote: SocketAddr,
        timeouts: &Timeouts,
        refresh: Refresh,
    ) {
        if direction == Direction::Out {
            self.remotes.insert(remote);
        }
        match glance.transport {
            Transport::Tcp => self.tcp_passes(glance, direction, remote, timeouts),
            Transport::Udp if direction == Direction::Out || refresh == Refresh::Both => {
                self.expires_at = glance.at + timeouts.udp;
            }
            Transport::Udp => {}
        }
    }

    /// The mapping lives as long as the connection that lives longest.
    fn tcp_passes(&mut self, glance: Glance, direction: Direction, remote: SocketAddr, timeouts: &Timeouts) {
        self.connections.retain(|_, connection| connection.expires_at(timeouts) >= glance.at);
        let connection = self.connections.entry(remote).or_default();
        connection.note(glance.flags, direction);
        connection.last = glance.at;
        let expiries = self.connections.values().map(|connection| connection.expires_at(timeouts));
        self.expires_at = expiries.max().unwrap_or(glance.at);
    }
}

impl Connection {
    fn note(&mut self, flags: TcpFlags, direction: Direction) {
        let is_new = flags.syn && !flags.ack && (self.is_reset || (self.out.fin && self.back.fin));
        if is_new {
            *self = Self::default();
        }
        let seen = if direction == Direction::Out { &mut self.out } else { &mut self.back };
        seen.syn |= flags.syn;
        seen.fin |= flags.fin;
        self.is_reset |= flags.rst;
    }

    /// RFC 5382 §5: established from the SYNs of both sides to the FIN of both, or a reset.
    fn expires_at(&self, timeouts: &Timeouts) -> VirtualTime {
        let is_open = self.out.syn && self.back.syn;
        let is_closing = self.is_reset || (self.out.fin && self.back.fin);
        let silence: Duration =
            if is_open && !is_closing { timeouts.tcp_established } else { timeouts.tcp_transitory };
        self.last + silence
    }
}
