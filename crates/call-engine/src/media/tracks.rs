//! A local stream and its tracks.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use timeline::MediaKind;
use webrtc::runtime::Notify;

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
    /// The other side cannot decode (PLI, FIR): the next frame is to be a key frame. By default nothing
    /// changes.
    fn want_key_frame(&mut self) {}
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

impl MediaStream {
    /// A stream of `tracks`: new ones, or those of other streams ([`Self::tracks`]).
    pub fn new<T: Into<Arc<LocalTrack>>>(id: impl Into<String>, tracks: impl IntoIterator<Item = T>) -> Self {
        Self { id: id.into(), tracks: tracks.into_iter().map(Into::into).collect() }
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

    /// Puts `track` in the place of the one of its kind: that one, which is not stopped.
    pub(crate) fn replace(&mut self, track: Arc<LocalTrack>) -> Option<Arc<LocalTrack>> {
        let place = self.tracks.iter_mut().find(|present| present.kind == track.kind)?;
        Some(std::mem::replace(place, track))
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

    /// `MediaStreamTrack.enabled`.
    pub fn enabled(&self) -> Enabled {
        if self.is_enabled() { Enabled::Yes } else { Enabled::No }
    }

    /// Sets `enabled`.
    pub fn set_enabled(&self, enabled: Enabled) {
        self.enabled.store(enabled == Enabled::Yes, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Told of each change of `enabled` and of the track's end.
    pub(super) const fn changed(&self) -> &Notify {
        &self.changed
    }

    /// The other side needs a key frame.
    pub(super) fn want_key_frame(&self) {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).want_key_frame();
    }

    /// Whether its media is to be sent.
    pub(super) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// The next frame, `None` while the track is disabled or stopped.
    pub(super) fn frame(&self) -> Option<Frame> {
        if !self.is_live() || !self.enabled.load(Ordering::Relaxed) {
            return None;
        }
        Some(self.source.lock().unwrap_or_else(PoisonError::into_inner).next_frame())
    }
}

/// The kind in `webrtc`'s words.
pub(crate) const fn codec_kind(kind: MediaKind) -> RtpCodecKind {
    match kind {
        MediaKind::Audio => RtpCodecKind::Audio,
        MediaKind::Video => RtpCodecKind::Video,
    }
}

/// The kind from `webrtc`'s words.
pub(crate) const fn kind_of_codec(kind: RtpCodecKind) -> Option<MediaKind> {
    match kind {
        RtpCodecKind::Audio => Some(MediaKind::Audio),
        RtpCodecKind::Video => Some(MediaKind::Video),
        _ => None,
    }
}

impl fmt::Debug for LocalTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTrack").field("kind", &self.kind).field("live", &self.is_live()).finish()
    }
}
