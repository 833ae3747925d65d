//! One end of a connection: its state (RFC 9293 §3.3.2), its sequence numbers and its buffers.

use std::{
    io, mem,
    net::SocketAddr,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use timeline::TcpFlags;
use tokio::io::ReadBuf;

use super::{
    segment::{ACK, FIN_ACK, RST_ACK, SYN, SYN_ACK, Segment},
    wakers::{Waiting, Woken},
};

/// What a writer may have under way before it has to wait.
const SEND_BUFFER_BYTES: usize = 256 << 10;
/// What may be sent before it is acknowledged: the largest window without scaling.
const WINDOW_BYTES: usize = 65_535;
/// The largest payload in an Ethernet frame of 1500 bytes.
const MAX_SEGMENT_BYTES_V4: usize = 1460;
const MAX_SEGMENT_BYTES_V6: usize = 1440;

/// RFC 9293 §3.3.2, without LISTEN, which is a listener's, and TIME-WAIT: nothing old is ever under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    Closed,
}

/// Whether this end has said that it sends no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fin {
    Open,
    /// The FIN goes out behind what is not sent yet.
    Wanted,
    Sent,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) state: State,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    /// SND.NXT, SND.UNA and RCV.NXT.
    send_next: u32,
    unacknowledged: u32,
    receive_next: u32,
    unsent: BytesMut,
    received: BytesMut,
    fin: Fin,
    peer_finished: bool,
    reset: bool,
    /// Its program has closed it; the stack brings it to its end.
    pub(super) orphaned: bool,
    connecting: Waiting,
    reading: Waiting,
    writing: Waiting,
}

/// What a segment made of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// A listener's new connection is established.
    Accepted,
    Other,
}

/// How a program's last handle to a connection goes.
#[derive(Debug)]
pub(super) enum Closing {
    /// There is nothing more to say: it is forgotten.
    Forget,
    /// The peer is told that it is gone, and it is forgotten.
    Reset(Segment),
    /// It says FIN and waits for the peer's.
    Linger,
}

impl Connection {
    /// A connection that its host opens, and its SYN.
    pub(super) fn open(local: SocketAddr, peer: SocketAddr, sequence: u32) -> (Self, Segment) {
        let connection = Self::new(State::SynSent, (local, peer), sequence, 0);
        let syn = Segment::new((local, peer), SYN, sequence, 0, Default::default());
        (connection, syn)
    }

    /// The connection that a listener makes of a SYN, and its answer.
    pub(super) fn answer(syn: &Segment, sequence: u32) -> (Self, Segment) {
        let ends = (syn.to(), syn.from());
        let receive_next = syn.sequence.wrapping_add(1);
        let connection = Self::new(State::SynReceived, ends, sequence, receive_next);
        (connection, Segment::new(ends, SYN_ACK, sequence, receive_next, Default::default()))
    }

    fn new(state: State, (local, peer): (SocketAddr, SocketAddr), sequence: u32, receive_next: u32) -> Self {
        let first = sequence.wrapping_add(1);
        Self {
            state,
            local,
            peer,
            send_next: first,
            unacknowledged: first,
            receive_next,
            unsent: BytesMut::new(),
            received: BytesMut::new(),
            fin: Fin::Open,
            peer_finished: false,
            reset: false,
            orphaned: false,
            connecting: Waiting::default(),
            reading: Waiting::default(),
            writing: Waiting::default(),
        }
    }

    /// Whether nothing of it is left to do, so that it can be forgotten once its program has closed it.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether there is something that may be sent now.
    pub(super) fn wants_to_send(&self) -> bool {
        let may_send = matches!(
            self.state,
            State::Established | State::CloseWait | State::FinWait1 | State::Closing | State::LastAck
        );
        may_send && (!self.unsent.is_empty() || self.fin == Fin::Wanted)
    }

    /// Sends what may be sent.
    pub(super) fn send(&mut self, out: &mut impl Extend<Segment>) {
        let max = if self.local.is_ipv4() { MAX_SEGMENT_BYTES_V4 } else { MAX_SEGMENT_BYTES_V6 };
        loop {
            let room = WINDOW_BYTES.saturating_sub(self.in_flight());
            let segment = if room == 0 {
                return;
            } else if !self.unsent.is_empty() {
                let length = self.unsent.len().min(max).min(room);
                // The last of it takes the buffer along: an idle connection keeps no memory.
                let payload = if length == self.unsent.len() {
                    mem::take(&mut self.unsent)
                } else {
                    self.unsent.split_to(length)
                };
                let payload = payload.freeze();
                let length = payload.len() as u32;
                let sequence = self.send_next;
                self.send_next = sequence.wrapping_add(length);
                Segment::new(self.ends(), ACK, sequence, self.receive_next, payload)
            } else if self.fin == Fin::Wanted {
                self.fin = Fin::Sent;
                let sequence = self.send_next;
                self.send_next = sequence.wrapping_add(1);
                self.segment_at(FIN_ACK, sequence)
            } else {
                return;
            };
            out.extend([segment]);
        }
    }

    /// A segment has arrived; the answer to it, if there is one.
    pub(super) fn receive(&mut self, segment: &Segment, woken: &mut Woken) -> (Progress, Option<Segment>) {
        let flags = segment.flags();
        if flags.rst {
            self.abort(woken);
            return (Progress::Other, None);
        }
        match self.state {
            State::SynSent if flags.syn && flags.ack => {
                self.state = State::Established;
                self.receive_next = segment.sequence.wrapping_add(1);
                self.connecting.wake(woken);
                (Progress::Other, Some(self.segment(ACK)))
            }
            State::SynReceived if flags.ack && !flags.syn && segment.acknowledged == self.send_next => {
                self.state = State::Established;
                (Progress::Accepted, None)
            }
            State::SynSent | State::SynReceived | State::Closed => (Progress::Other, None),
            _ => (Progress::Other, self.receive_open(segment, woken)),
        }
    }

    fn receive_open(&mut self, segment: &Segment, woken: &mut Woken) -> Option<Segment> {
        let flags = segment.flags();
        if flags.ack {
            self.acknowledge(segment.acknowledged);
            self.writing.wake(woken);
        }
        let mut advanced = false;
        if !segment.payload.is_empty() && segment.sequence == self.receive_next && !self.peer_finished {
            self.received.extend_from_slice(&segment.payload);
            self.receive_next = self.receive_next.wrapping_add(segment.payload.len() as u32);
            advanced = true;
        }
        let end = segment.sequence.wrapping_add(segment.payload.len() as u32);
        if flags.fin && !self.peer_finished && end == self.receive_next {
            self.peer_finished = true;
            self.receive_next = self.receive_next.wrapping_add(1);
            advanced = true;
            self.state = match self.state {
                State::Established => State::CloseWait,
                State::FinWait1 => State::Closing,
                State::FinWait2 => State::Closed,
                other => other,
            };
        }
        advanced.then(|| {
            self.reading.wake(woken);
            self.segment(ACK)
        })
    }

    fn acknowledge(&mut self, up_to: u32) {
        let acknowledged = up_to.wrapping_sub(self.unacknowledged);
        if acknowledged == 0 || acknowledged > self.send_next.wrapping_sub(self.unacknowledged) {
            return;
        }
        self.unacknowledged = up_to;
        if self.fin == Fin::Sent && up_to == self.send_next {
            self.state = match self.state {
                State::FinWait1 => State::FinWait2,
                State::Closing | State::LastAck => State::Closed,
                other => other,
            };
        }
    }

    fn abort(&mut self, woken: &mut Woken) {
        self.state = State::Closed;
        self.reset = true;
        self.unsent = BytesMut::new();
        self.received = BytesMut::new();
        self.connecting.wake(woken);
        self.reading.wake(woken);
        self.writing.wake(woken);
    }

    /// Whether the connection that this host opens is established.
    pub(super) fn poll_connected(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        match self.state {
            State::SynSent => {
                self.connecting.add(cx.waker());
                Poll::Pending
            }
            _ if self.reset => Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_read(&mut self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        ready!(self.poll_read_ready(cx));
        let length = self.received.len().min(buf.remaining());
        buf.put_slice(&self.received[..length]);
        self.received.advance(length);
        if self.received.is_empty() {
            // An idle connection keeps no memory.
            self.received = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_write(&mut self, cx: &Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        if self.fin != Fin::Open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(self.poll_write_ready(cx));
        let length = buf.len().min(self.room());
        self.unsent.extend_from_slice(&buf[..length]);
        Poll::Ready(Ok(length))
    }

    /// Whether reading would not wait: there is data, an end, or an error.
    pub(super) fn poll_read_ready(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.received.is_empty() && !self.peer_finished && !self.reset {
            self.reading.add(cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Whether writing would not wait: there is room, as after a reset, which discards what was not sent, or
    /// an error.
    pub(super) fn poll_write_ready(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.room() == 0 && self.fin == Fin::Open {
            self.writing.add(cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Says FIN behind what was written; once.
    pub(super) fn shut_down(&mut self) -> io::Result<()> {
        self.check()?;
        self.finish();
        Ok(())
    }

    /// Its program lets it go.
    pub(super) fn close(&mut self) -> Closing {
        match self.state {
            State::Closed | State::SynSent | State::SynReceived => Closing::Forget,
            _ if !self.received.is_empty() => Closing::Reset(self.segment(RST_ACK)),
            _ => {
                self.orphaned = true;
                self.finish();
                Closing::Linger
            }
        }
    }

    /// The reset that tells the peer of a connection that nobody will accept.
    pub(super) fn refusal(&self) -> Segment {
        self.segment(RST_ACK)
    }

    fn finish(&mut self) {
        if self.fin == Fin::Open {
            self.fin = Fin::Wanted;
            self.state = match self.state {
                State::Established => State::FinWait1,
                State::CloseWait => State::LastAck,
                other => other,
            };
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.reset { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    /// What may be written now, in bytes.
    fn room(&self) -> usize {
        SEND_BUFFER_BYTES.saturating_sub(self.unsent.len() + self.in_flight())
    }

    /// What is sent and not acknowledged, in bytes; a FIN counts as one.
    const fn in_flight(&self) -> usize {
        self.send_next.wrapping_sub(self.unacknowledged) as usize
    }

    const fn ends(&self) -> (SocketAddr, SocketAddr) {
        (self.local, self.peer)
    }

    fn segment(&self, flags: TcpFlags) -> Segment {
        self.segment_at(flags, self.send_next)
    }

    fn segment_at(&self, flags: TcpFlags, sequence: u32) -> Segment {
        Segment::new(self.ends(), flags, sequence, self.receive_next, Default::default())
    }
}
