//! A local stream, its tracks, and the task that takes frames from a track to the wire.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rtc::{media::Sample, rtp_transceiver::rtp_sender::RtpCodecKind};
use webrtc::{
    media_stream::track_local::static_sample::TrackLocalStaticSample,
    rtp_transceiver::RtpSender,
    runtime::{Notify, Runtime},
};

use crate::Observer;

/// Audio or video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

/// Whether a track gives its media or nothing (`MediaStreamTrack.enabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// Its media is sent.
    Yes,
    /// Nothing is sent. (A browser sends silence and black frames; the engine saves the packets, so
    /// that the far side sees a mute by the media that does not come.)
    No,
}

/// What a device gives at each tick.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The encoded frame.
    pub data: Bytes,
    /// How long it plays.
    pub duration: Duration,
}

/// The device behind a track.
pub trait FrameSource: Send + 'static {
    /// The time from one frame to the next.
    fn interval(&self) -> Duration;
    /// The next frame.
    fn next_frame(&mut self) -> Frame;
}

/// What `getUserMedia` gives: tracks that belong together.
#[derive(Clone, Debug)]
pub struct MediaStream {
    id: String,
    tracks: Vec<Arc<LocalTrack>>,
}

/// One microphone or camera in use.
pub struct LocalTrack {
    kind: MediaKind,
    label: String,
    interval: Duration,
    enabled: AtomicBool,
    live: AtomicBool,
    /// `enabled` or `live` changed.
    changed: Notify,
    source: Mutex<Box<dyn FrameSource>>,
}

/// A local track on its way to the other side.
pub(crate) struct Outbound {
    pub(crate) track: Arc<LocalTrack>,
    pub(crate) rtp: Arc<TrackLocalStaticSample>,
    pub(crate) sender: Arc<dyn RtpSender>,
    pub(crate) ssrc: u32,
}

impl MediaStream {
    /// A stream of `tracks`.
    pub fn new(id: impl Into<String>, tracks: Vec<LocalTrack>) -> Self {
        Self { id: id.into(), tracks: tracks.into_iter().map(Arc::new).collect() }
    }

    /// `MediaStream.id`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `MediaStream.getTracks()`.
    pub fn tracks(&self) -> &[Arc<LocalTrack>] {
        &self.tracks
    }

    /// Stops every track: the devices are released.
    pub fn stop(&self) {
        self.tracks.iter().for_each(|track| track.stop());
    }

    /// Enables or disables the tracks of one kind. Nothing is renegotiated.
    pub fn set_enabled(&self, kind: MediaKind, enabled: Enabled) {
        for track in self.tracks.iter().filter(|track| track.kind == kind) {
            track.set_enabled(enabled);
        }
    }
}

impl LocalTrack {
    /// An enabled, live track fed by `source`.
    pub fn new(kind: MediaKind, label: impl Into<String>, source: Box<dyn FrameSource>) -> Self {
        Self {
            kind,
            label: label.into(),
            interval: source.interval(),
            enabled: AtomicBool::new(true),
            live: AtomicBool::new(true),
            changed: Notify::new(),
            source: Mutex::new(source),
        }
    }

    /// `MediaStreamTrack.kind`.
    pub const fn kind(&self) -> MediaKind {
        self.kind
    }

    /// `MediaStreamTrack.label`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The time from one frame to the next.
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether the device is still in use (`readyState` is `live`).
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Releases the device. A stopped track stays stopped.
    pub fn stop(&self) {
        self.live.store(false, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Sets `enabled`.
    pub fn set_enabled(&self, enabled: Enabled) {
        self.enabled.store(enabled == Enabled::Yes, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Waits until the track is enabled, without a timer; false once it is stopped.
    async fn wants_to_send(&self) -> bool {
        loop {
            // Registered before the look, so that no change falls between the two.
            let changed = self.changed.listen();
            if !self.is_live() {
                return false;
            }
            if self.enabled.load(Ordering::Relaxed) {
                return true;
            }
            changed.await;
        }
    }

    /// The next frame, `None` while the track is disabled or stopped.
    fn frame(&self) -> Option<Frame> {
        if !self.is_live() || !self.enabled.load(Ordering::Relaxed) {
            return None;
        }
        Some(self.source.lock().unwrap_or_else(PoisonError::into_inner).next_frame())
    }
}

impl Outbound {
    /// Sends frames at the device's pace until the track is stopped. A muted track costs nothing.
    ///
    /// A frame that cannot be sent is not sent later: media is live or it is nothing.
    pub(crate) async fn run(
        track: Arc<LocalTrack>,
        rtp: Arc<TrackLocalStaticSample>,
        ssrc: u32,
        payload_type: u8,
        runtime: Arc<dyn Runtime>,
        observer: Arc<dyn Observer>,
    ) {
        while track.wants_to_send().await {
            let mut clock = runtime.interval(track.interval());
            clock.tick().await;
            while let Some(frame) = track.frame() {
                let bytes = frame.data.len();
                let sample =
                    Sample { data: frame.data, duration: frame.duration, ..Sample::new(runtime.now()) };
                if rtp.sample_writer(ssrc, payload_type).write_sample(&sample).await.is_ok() {
                    observer.on_frame_sent(track.kind(), bytes);
                }
                clock.tick().await;
            }
        }
    }
}

impl MediaKind {
    /// The kind's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// The kind in `webrtc`'s words.
    pub(crate) const fn codec_kind(self) -> RtpCodecKind {
        match self {
            Self::Audio => RtpCodecKind::Audio,
            Self::Video => RtpCodecKind::Video,
        }
    }

    /// The kind from `webrtc`'s words.
    pub(crate) const fn from_codec_kind(kind: RtpCodecKind) -> Option<Self> {
        match kind {
            RtpCodecKind::Audio => Some(Self::Audio),
            RtpCodecKind::Video => Some(Self::Video),
            _ => None,
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for LocalTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTrack").field("kind", &self.kind).field("live", &self.is_live()).finish()
    }
}
