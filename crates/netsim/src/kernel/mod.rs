//! The TCP stacks of the hosts: `turmoil-net`, and the only module that knows it.
//!
//! The stacks do the handshakes, the states, the ports and the wakers. They never retransmit and their
//! windows never close: what happens between them is the network's business (`network`, `hold`).
//!
//! `turmoil-net` lives in a thread-local variable and has one current host. Everything here makes its host
//! current before it calls in. Dropping one of its sockets where its stack is gone would panic, so a
//! [`Pinned`] socket is only closed on request and otherwise forgotten: it is a number, no memory.

mod pinned;
mod slots;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use timeline::TcpFlags;
use turmoil_net::{
    EnterGuard, HostId, KernelConfig, Net, Packet, TcpFlags as StackFlags, TcpSegment, Transport,
};

pub(crate) use pinned::{Connecting, Listener, Pinned, Stream};
pub(crate) use slots::{SLOTS, host_and_slot, is_reserved, slot};

/// No retransmissions: the stack counts calls, not time, and would need 2³² of them.
const NEVER_RETRANSMIT: u32 = u32::MAX;
/// Simultaneous connection attempts that one listener takes before it ignores more in silence.
const BACKLOG: usize = 1 << 16;
/// So large that the advertised window never shrinks: with a smaller one the stack stalls readers.
const RECEIVE_BUFFER_BYTES: usize = 1 << 30;
/// What a writer may have under way before it has to wait.
const SEND_BUFFER_BYTES: usize = 256 << 10;

/// The stacks of all hosts of this thread's world, for as long as this lives.
pub(crate) struct Kernel {
    guard: EnterGuard,
    outgoing: Vec<Packet>,
}

/// One host's stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack(HostId);

impl Kernel {
    /// Sets up the stacks of so many hosts on this thread, which must have none yet.
    pub(crate) fn enter(hosts: usize) -> (Self, Vec<Stack>) {
        let config = KernelConfig::default()
            .retx_threshold(NEVER_RETRANSMIT)
            .default_backlog(BACKLOG)
            .recv_buf_cap(RECEIVE_BUFFER_BYTES)
            .send_buf_cap(SEND_BUFFER_BYTES);
        let mut net = Net::with_config(config);
        let families = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let addresses = |host| -> Vec<IpAddr> {
            families
                .iter()
                .flat_map(|&family| (0..SLOTS).map(move |number| slot(host, number, family)))
                .collect()
        };
        let stacks = (0..hosts).map(|host| Stack(net.add_host(addresses(host)))).collect();
        (Self { guard: net.enter(), outgoing: Vec::new() }, stacks)
    }

    /// Takes what the stacks want to send to other hosts, stack by stack.
    pub(crate) fn egress(&mut self, mut send: impl FnMut(Segment)) {
        self.guard.egress_all(&mut self.outgoing);
        self.outgoing.drain(..).for_each(|packet| send(Segment(packet)));
    }

    /// Hands a segment to the stack whose slot is its destination.
    pub(crate) fn deliver(&self, segment: Segment) {
        self.guard.deliver(segment.0);
    }
}

/// A TCP segment between two stacks.
#[derive(Debug)]
pub(crate) struct Segment(Packet);

impl Segment {
    /// A reset from `from` to `to`. The stacks take a reset whatever its sequence number.
    pub(crate) fn reset(from: SocketAddr, to: SocketAddr) -> Self {
        let flags = StackFlags { rst: true, ack: true, ..StackFlags::default() };
        let (src_port, dst_port) = (from.port(), to.port());
        let payload = Default::default();
        let segment = TcpSegment { src_port, dst_port, seq: 0, ack: 0, flags, window: 0, payload };
        Self(Packet { src: from.ip(), dst: to.ip(), ttl: 64, payload: Transport::Tcp(segment) })
    }

    /// The same segment with other addresses: those that its receiving stack knows.
    pub(crate) fn readdressed(mut self, from: SocketAddr, to: SocketAddr) -> Self {
        (self.0.src, self.0.dst) = (from.ip(), to.ip());
        if let Transport::Tcp(segment) = &mut self.0.payload {
            (segment.src_port, segment.dst_port) = (from.port(), to.port());
        }
        self
    }

    pub(crate) fn from(&self) -> SocketAddr {
        SocketAddr::new(self.0.src, self.tcp().src_port)
    }

    pub(crate) fn to(&self) -> SocketAddr {
        SocketAddr::new(self.0.dst, self.tcp().dst_port)
    }

    pub(crate) fn flags(&self) -> TcpFlags {
        let StackFlags { syn, ack, fin, rst, .. } = self.tcp().flags;
        TcpFlags { syn, fin, rst, ack }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.tcp().payload
    }

    fn tcp(&self) -> &TcpSegment {
        match &self.0.payload {
            Transport::Tcp(segment) => segment,
            Transport::Udp(_) => unreachable!("no UDP socket is ever bound in a stack"),
        }
    }
}
