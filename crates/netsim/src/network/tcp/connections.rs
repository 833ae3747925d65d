//! The books of all TCP connections: what the network knows of each end.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use timeline::{TcpFlags, VirtualTime};

use super::Packet;
use crate::{
    Half,
    hold::{HoldQueue, Order, Parcel, RTO, SYN_RTO},
    ids::{EndKey, HostIndex},
    lookup::Lookup,
};

/// All connections.
#[derive(Debug)]
pub(in crate::network) struct Connections {
    user_timeout: Duration,
    /// What each end sends.
    flows: Lookup<EndKey, Flow>,
    timed_out: BTreeSet<EndKey>,
    opened: u64,
}

/// One direction of a connection, at its sending end.
#[derive(Debug)]
pub(super) struct Flow {
    /// Which connection this is: a later one with the same ends has another number.
    pub(super) connection: u64,
    /// The other end, once a SYN has got there.
    peer: Option<EndKey>,
    pub(super) hold: HoldQueue<Packet>,
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
    pub(super) orphaned: bool,
    /// The receiving host lost its power before its stack saw a segment of this flow.
    unanswered: bool,
}

impl Connections {
    pub(in crate::network) const fn new(user_timeout: Duration) -> Self {
        Self { user_timeout, flows: Lookup::new(), timed_out: BTreeSet::new(), opened: 0 }
    }

    /// How many directions of connections there are.
    pub(in crate::network) fn flows(&self) -> usize {
        self.flows.len()
    }

    pub(super) fn flow_mut(&mut self, key: EndKey) -> Option<&mut Flow> {
        self.flows.get_mut(&key)
    }

    /// The flow of `key`, if it still belongs to `connection`.
    pub(super) fn flow_of(&mut self, key: EndKey, connection: Option<u64>) -> Option<&mut Flow> {
        self.flows.get_mut(&key).filter(|flow| Some(flow.connection) == connection)
    }

    /// A host opens a new connection: nothing of an earlier one with the same ends counts any more.
    pub(super) fn open(&mut self, key: EndKey) {
        self.opened += 1;
        if let Some(peer) = self.remove(key).and_then(|flow| flow.peer) {
            self.remove(peer);
        }
        let flow = Flow::new(self.opened, HoldQueue::new(self.user_timeout));
        self.insert(key, Flow { handshake: true, ..flow });
    }

    /// The SYN with which `key` opens a connection has found its receiver.
    pub(super) fn meet(&mut self, key: EndKey, connection: Option<u64>, receiver: EndKey) {
        let Some(flow) = self.flow_of(key, connection) else { return };
        let connection = flow.connection;
        let earlier = flow.peer.replace(receiver).filter(|peer| *peer != receiver);
        let is_known = self.flow_of(receiver, Some(connection)).is_some();
        if let Some(earlier) = earlier {
            self.remove(earlier);
        }
        if !is_known {
            let flow = Flow::new(connection, HoldQueue::new(self.user_timeout));
            self.insert(receiver, Flow { peer: Some(key), ..flow });
        }
    }

    /// Whether what `key` sends on an open connection reaches an end that does not know it.
    pub(super) fn is_stray(&mut self, key: EndKey, connection: Option<u64>, receiver: EndKey) -> bool {
        let Some(flow) = self.flow_of(key, connection) else { return false };
        flow.peer != Some(receiver) || self.flow_of(receiver, connection).is_none()
    }

    /// The program at `key` has closed its stream.
    pub(super) fn orphan(&mut self, key: EndKey) {
        self.timed_out.remove(&key);
        if let Some(flow) = self.flows.get_mut(&key) {
            flow.orphaned = true;
        }
    }

    pub(super) fn has_timed_out(&self, key: EndKey) -> bool {
        self.timed_out.contains(&key)
    }

    /// The user timeout ends a connection: both of its ends, the other one first.
    pub(super) fn time_out(&mut self, key: EndKey) -> impl Iterator<Item = EndKey> + use<> {
        let peer = self.remove(key).and_then(|flow| flow.peer);
        let peer = peer.filter(|peer| self.remove(*peer).is_some());
        let ends = peer.into_iter().chain([key]);
        self.timed_out.extend(ends.clone());
        ends
    }

    /// The ends of a host whose address fits.
    pub(super) fn of_host(&self, host: HostIndex, fits: impl Fn(SocketAddr) -> bool) -> Vec<EndKey> {
        self.flows.keys_where(|key, _| key.host == host && fits(key.local))
    }

    /// A segment of `key` got as far as a host that lost its power.
    pub(super) fn leave_unanswered(&mut self, key: EndKey, connection: Option<u64>) {
        if let Some(flow) = self.flow_of(key, connection) {
            flow.unanswered = true;
        }
    }

    /// The ends that a host had of connections on which it owes an answer.
    pub(super) fn take_unanswered(&mut self, host: HostIndex) -> Vec<EndKey> {
        let owed =
            |_: &EndKey, flow: &Flow| flow.unanswered && flow.peer.is_some_and(|peer| peer.host == host);
        let owing = self.flows.keys_where(owed);
        let answer = |key: EndKey| {
            let flow = self.flows.get_mut(&key)?;
            flow.unanswered = false;
            flow.peer
        };
        owing.into_iter().filter_map(answer).collect()
    }

    /// Keeps the books when a stack gets a segment, and closes them when the connection is over.
    pub(super) fn note_delivery(
        &mut self,
        key: EndKey,
        connection: Option<u64>,
        receiver: EndKey,
        flags: TcpFlags,
    ) {
        let Some(flow) = self.flow_of(key, connection) else {
            // The answer to a stray segment ends what its receiver took for a connection.
            if flags.rst && connection.is_none() {
                self.remove(receiver);
            }
            return;
        };
        flow.under_way = flow.under_way.saturating_sub(1);
        flow.finished |= flags.fin;
        // The acknowledgement of the second FIN is the last segment of a connection.
        let is_over = !flags.fin
            && [key, receiver]
                .iter()
                .all(|key| self.flows.get(key).is_none_or(|flow| flow.finished && flow.under_way == 0));
        if flags.rst || is_over {
            self.remove(key);
            self.remove(receiver);
        }
    }

    fn insert(&mut self, key: EndKey, flow: Flow) {
        self.timed_out.remove(&key);
        self.flows.insert(key, flow);
    }

    pub(super) fn remove(&mut self, key: EndKey) -> Option<Flow> {
        self.flows.remove(&key)
    }
}

impl Flow {
    const fn new(connection: u64, hold: HoldQueue<Packet>) -> Self {
        Self {
            connection,
            peer: None,
            hold,
            last_at_core: VirtualTime::ZERO,
            last_at_host: VirtualTime::ZERO,
            under_way: 0,
            handshake: false,
            finished: false,
            orphaned: false,
            unanswered: false,
        }
    }

    /// Gives a segment its place.
    pub(super) fn accept(&mut self, packet: Packet) -> Parcel<Packet> {
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

    /// The time at which a segment arrives behind a half-link that would arrive at `at` without its
    /// predecessors.
    pub(super) fn in_order(&mut self, half: Half, at: VirtualTime) -> VirtualTime {
        let last = if half == Half::Up { &mut self.last_at_core } else { &mut self.last_at_host };
        *last = at.max(*last);
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_owed_once() {
        let mut connections = Connections::new(Duration::from_secs(1));
        let (caller, callee) = ("10.0.0.1:1".parse().unwrap(), "10.0.0.9:2".parse().unwrap());
        let key = EndKey { host: 0, local: caller, peer: callee };
        let receiver = EndKey { host: 1, local: callee, peer: caller };
        connections.open(key);
        let connection = connections.flow_mut(key).map(|flow| flow.connection);
        connections.meet(key, connection, receiver);
        connections.leave_unanswered(key, connection);
        assert_eq!(
            (connections.take_unanswered(0), connections.take_unanswered(1)),
            (vec![], vec![receiver])
        );
        assert_eq!(connections.take_unanswered(1), []);
    }
}
