//! A local track on its way to the other side, and the task that takes its frames there.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use futures::future::{self, Either};
use rtc::media::Sample;
use webrtc::{
    media_stream::track_local::{TrackLocal as _, TrackLocalEvent, static_sample::TrackLocalStaticSample},
    rtp_transceiver::RtpSender,
    runtime::{Notify, Runtime},
};

use super::LocalTrack;
use crate::{EngineEvent, MediaKind, Observer, peer::asks_for_key_frame};

/// One sender of a peer connection, and what it sends.
pub(crate) struct Outbound {
    /// The local stream that it belongs to.
    pub(crate) stream: String,
    pub(crate) source: Arc<Source>,
    pub(crate) rtp: Arc<TrackLocalStaticSample>,
    pub(crate) sender: Arc<dyn RtpSender>,
    pub(crate) ssrc: u32,
    /// Whether its task runs.
    pub(crate) started: bool,
}

/// Where a sender's frames come from: a track, which can be replaced by another one of its kind without
/// any negotiation (`RTCRtpSender.replaceTrack`, W3C webrtc-pc §5.2), behind a gate.
pub(crate) struct Source {
    track: Mutex<Arc<LocalTrack>>,
    gate: AtomicBool,
    /// The track or the gate changed.
    changed: Notify,
}

/// Whether a sender may send, by what was negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    Shut,
}

impl Source {
    /// An open gate before `track`.
    pub(crate) fn new(track: Arc<LocalTrack>) -> Self {
        Self { track: Mutex::new(track), gate: AtomicBool::new(true), changed: Notify::new() }
    }

    pub(crate) fn kind(&self) -> MediaKind {
        self.track().kind()
    }

    /// Whether `track` is what is sent.
    pub(crate) fn is_of(&self, track: &Arc<LocalTrack>) -> bool {
        Arc::ptr_eq(&self.track(), track)
    }

    /// Opens or shuts the gate.
    pub(crate) fn set_gate(&self, gate: Gate) {
        self.gate.store(gate == Gate::Open, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// From now on `track` is sent. The one before it is to be stopped afterwards, not before.
    pub(crate) fn replace(&self, track: Arc<LocalTrack>) {
        *self.track.lock().unwrap_or_else(PoisonError::into_inner) = track;
        self.changed.notify_waiters();
    }

    fn track(&self) -> Arc<LocalTrack> {
        self.track.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_open(&self) -> bool {
        self.gate.load(Ordering::Relaxed)
    }

    /// Waits without a timer until there is something to send: the track that gives it, `None` once the
    /// track is stopped.
    async fn ready(&self) -> Option<Arc<LocalTrack>> {
        loop {
            let track = self.track();
            // Registered before the look, so that no change falls between the two.
            let own = std::pin::pin!(self.changed.listen());
            let tracks = std::pin::pin!(track.changed().listen());
            if !track.is_live() {
                if Arc::ptr_eq(&self.track(), &track) {
                    return None;
                }
                continue;
            }
            if track.is_enabled() && self.is_open() {
                return Some(track.clone());
            }
            match future::select(own, tracks).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }

    /// The other side needs a key frame.
    fn want_key_frame(&self) {
        self.track().want_key_frame();
    }

    /// The next frame, `None` where `track` is not to be sent (any longer).
    fn frame(&self, track: &Arc<LocalTrack>) -> Option<super::Frame> {
        if !self.is_open() || !Arc::ptr_eq(&self.track(), track) {
            return None;
        }
        track.frame()
    }
}

/// Sends frames at the device's pace until the track is stopped. A muted track costs nothing.
///
/// A frame that cannot be sent is not sent later: media is live or it is nothing.
pub(crate) async fn send_media(
    source: Arc<Source>,
    rtp: Arc<TrackLocalStaticSample>,
    ssrc: u32,
    payload_type: u8,
    runtime: Arc<dyn Runtime>,
    observer: Arc<dyn Observer>,
) {
    while let Some(track) = source.ready().await {
        let mut clock = runtime.interval(track.interval());
        clock.tick().await;
        while let Some(frame) = source.frame(&track) {
            let bytes = frame.data.len();
            let sample = Sample { data: frame.data, duration: frame.duration, ..Sample::new(runtime.now()) };
            if rtp.sample_writer(ssrc, payload_type).write_sample(&sample).await.is_ok() {
                observer.on_frame_sent(track.kind(), bytes);
            }
            clock.tick().await;
        }
    }
}

/// Passes the other side's requests for key frames on to the source, until the peer connection is closed.
pub(crate) async fn answer_requests(
    source: Arc<Source>,
    rtp: Arc<TrackLocalStaticSample>,
    observer: Arc<dyn Observer>,
) {
    while let Some(TrackLocalEvent::OnRtcpPacket(packets)) = rtp.poll().await {
        if packets.iter().any(|packet| asks_for_key_frame(packet.as_ref())) {
            source.want_key_frame();
            observer.on_event(EngineEvent::KeyFrameRequested);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future as _,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use bytes::Bytes;

    use super::*;
    use crate::{Enabled, Frame, FrameSource};

    struct Still;

    impl FrameSource for Still {
        fn interval(&self) -> Duration {
            Duration::from_millis(20)
        }

        fn next_frame(&mut self) -> Frame {
            Frame { data: Bytes::from_static(b"frame"), duration: self.interval() }
        }
    }

    fn track(label: &str) -> Arc<LocalTrack> {
        Arc::new(LocalTrack::new(MediaKind::Video, label, Box::new(Still)))
    }

    /// The label of the track that is ready, `waits` where none is, `over` where none will be.
    fn readiness(source: &Source) -> String {
        let mut ready = std::pin::pin!(source.ready());
        match ready.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(track)) => track.label().to_owned(),
            Poll::Ready(None) => "over".to_owned(),
            Poll::Pending => "waits".to_owned(),
        }
    }

    #[test]
    fn nothing_is_sent_through_a_shut_gate_or_from_a_disabled_track() {
        let front = track("front");
        let source = Source::new(front.clone());
        assert_eq!(readiness(&source), "front");
        source.set_gate(Gate::Shut);
        assert_eq!(readiness(&source), "waits");
        assert!(source.frame(&front).is_none());
        source.set_gate(Gate::Open);
        front.set_enabled(Enabled::No);
        assert_eq!(readiness(&source), "waits");
        front.set_enabled(Enabled::Yes);
        assert!(source.frame(&front).is_some());
    }

    #[test]
    fn a_replaced_track_is_followed_by_the_new_one() {
        let (front, back) = (track("front"), track("back"));
        let source = Source::new(front.clone());
        source.replace(back);
        front.stop();
        assert_eq!(readiness(&source), "back");
        assert!(source.frame(&front).is_none(), "the old camera's clock ends");
    }

    #[test]
    fn a_stopped_track_ends_it() {
        let front = track("front");
        let source = Source::new(front.clone());
        front.stop();
        assert_eq!(readiness(&source), "over");
    }

    #[test]
    fn a_gate_that_opens_wakes_the_sender() {
        let source = Source::new(track("front"));
        source.set_gate(Gate::Shut);
        let mut ready = std::pin::pin!(source.ready());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(ready.as_mut().poll(&mut cx).is_pending());
        source.set_gate(Gate::Open);
        assert!(ready.as_mut().poll(&mut cx).is_ready());
    }
}
