//! An interceptor that sleeps while it has nothing to say.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket},
    sansio::Protocol,
    shared::error::Error,
};

/// Spares a ticking interceptor the ticks that say nothing.
///
/// Those of the crate tick for ever from their first packet on, and each tick takes a peer connection's whole event
/// loop round: in a muted call nearly all that it does. A tick that says nothing leaves its interceptor as it was, so
/// that all the next ones say nothing either, until an RTP packet comes in. This one therefore stops after such a tick, and
/// goes on with the next packet, in the old rhythm: what is sent, and when, stays the same where ticks are on time. The ticks
/// that are left out cannot be late, as those of the crate can, whose rhythm shifts by that.
pub(super) struct Quiet<I> {
    inner: I,
    interval: Duration,
    /// The next tick of the rhythm; `None` before its first packet.
    next: Option<Instant>,
    awake: bool,
    outgoing: VecDeque<TaggedPacket>,
}

impl<I> Quiet<I> {
    /// `inner` ticks every `interval`.
    pub(super) fn new(inner: I, interval: Duration) -> Self {
        Self { inner, interval, next: None, awake: false, outgoing: VecDeque::new() }
    }
}

/// The first beat after `now` of a rhythm with a beat at `beat`.
fn following(beat: Instant, interval: Duration, now: Instant) -> Instant {
    let Some(passed) = now.checked_duration_since(beat) else { return beat };
    let beats = passed.as_nanos() / interval.as_nanos().max(1) + 1;
    beat + interval * u32::try_from(beats).unwrap_or(u32::MAX)
}

impl<I> Protocol<TaggedPacket, TaggedPacket, ()> for Quiet<I>
where
    I: Interceptor,
{
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        let (now, is_media) = (packet.now, matches!(packet.message.packet, Packet::Rtp(_)));
        self.inner.handle_read(packet)?;
        if !is_media {
            return Ok(());
        }
        self.next = match self.next {
            None => self.inner.poll_timeout(),
            Some(beat) if !self.awake => Some(following(beat, self.interval, now)),
            awake => awake,
        };
        self.awake = self.next.is_some();
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inner.poll_read()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.inner.handle_write(packet)
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outgoing.pop_front().or_else(|| self.inner.poll_write())
    }

    fn handle_event(&mut self, (): ()) -> Result<(), Error> {
        self.inner.handle_event(())
    }

    fn poll_event(&mut self) -> Option<()> {
        self.inner.poll_event()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if !self.awake || self.next.is_none_or(|next| now < next) {
            return Ok(());
        }
        self.inner.handle_timeout(now)?;
        self.next = Some(now + self.interval);
        let said = self.outgoing.len();
        self.outgoing.extend(std::iter::from_fn(|| self.inner.poll_write()));
        self.awake = self.outgoing.len() > said;
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.next.filter(|_| self.awake)
    }

    fn close(&mut self) -> Result<(), Error> {
        self.inner.close()
    }
}

impl<I> Interceptor for Quiet<I>
where
    I: Interceptor,
{
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.inner.bind_local_stream(info);
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.inner.unbind_local_stream(info);
    }

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.inner.bind_remote_stream(info);
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.inner.unbind_remote_stream(info);
    }
}

#[cfg(test)]
mod tests;
