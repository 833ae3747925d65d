//! Devices without hardware: frames of the size and at the pace of a real call.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use timeline::MediaKind;
use webrtc::runtime::Runtime;

use super::{
    FacingMode, Frame, FrameSource, LocalTrack, MediaDevices, MediaError, MediaStream,
    MediaStreamConstraints, VideoConstraints, Wanted,
};

/// A microphone and a camera that make frames out of nothing.
///
/// Audio: one Opus-sized frame of 80 bytes every 20 ms, 50 a second (32 kbit/s, RFC 6716 §2.1.1).
/// The screen is video at 5 frames a second. Video: one VP8 frame (RFC 6386 §9.1 frame header) per tick of the constraints' frame rate, 1,000
/// bytes each, and a key frame of 3,000 bytes at the start and every three seconds: at 30 frames a
/// second about 260 kbit/s. Chosen so that an ordinary frame is one packet and a key frame several.
#[derive(Clone, Debug)]
pub struct SyntheticDevices {
    /// What the person, or the system, says when asked.
    pub permission: Permission,
    /// How long the answer takes.
    pub delay: Duration,
    /// Waits for `delay`.
    pub runtime: Arc<dyn Runtime>,
}

/// The answer to a request for devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Permission {
    /// The devices may be used.
    #[default]
    Granted,
    /// `NotAllowedError`.
    Denied,
    /// `NotFoundError`.
    NoDevice,
}

timeline::words! { impl Permission { Granted = "granted", Denied = "denied", NoDevice = "no-device" } }

const OPUS_FRAME: Duration = Duration::from_millis(20);
const OPUS_FRAME_BYTES: usize = 80;
const VP8_DELTA_BYTES: usize = 1_000;
const VP8_KEY_BYTES: usize = 3_000;
/// Screens show little motion.
const SCREEN_FRAME_RATE: u32 = 5;
const VP8_KEY_EVERY: Duration = Duration::from_secs(3);

impl MediaDevices for SyntheticDevices {
    fn user_media(
        &self,
        constraints: MediaStreamConstraints,
    ) -> Pin<Box<dyn Future<Output = Result<MediaStream, MediaError>> + Send>> {
        let devices = self.clone();
        Box::pin(async move {
            if !devices.delay.is_zero() {
                devices.runtime.sleep(devices.delay).await;
            }
            devices.permission.give(constraints.wanted(), || synthetic_stream(constraints))
        })
    }

    fn display_media(&self) -> Pin<Box<dyn Future<Output = Result<MediaStream, MediaError>> + Send>> {
        let devices = self.clone();
        Box::pin(async move {
            if !devices.delay.is_zero() {
                devices.runtime.sleep(devices.delay).await;
            }
            devices.permission.give(Wanted::Screen, synthetic_screen)
        })
    }
}

impl Permission {
    fn give(self, wanted: Wanted, stream: impl FnOnce() -> MediaStream) -> Result<MediaStream, MediaError> {
        match self {
            Self::Granted => Ok(stream()),
            Self::Denied => Err(MediaError::NotAllowed(wanted)),
            Self::NoDevice => Err(MediaError::NotFound(wanted)),
        }
    }
}

fn synthetic_screen() -> MediaStream {
    let video = VideoConstraints { frame_rate: SCREEN_FRAME_RATE, ..VideoConstraints::default() };
    MediaStream::new("screen", vec![LocalTrack::new(MediaKind::Video, "screen", Box::new(Vp8::new(video)))])
}

fn synthetic_stream(constraints: MediaStreamConstraints) -> MediaStream {
    let mut tracks = Vec::new();
    if constraints.audio {
        let source = Opus { frame: Bytes::from(opus_frame()) };
        tracks.push(LocalTrack::new(MediaKind::Audio, "microphone", Box::new(source)));
    }
    if let Some(video) = constraints.video {
        let label = match video.facing_mode {
            FacingMode::User => "front camera",
            FacingMode::Environment => "back camera",
        };
        tracks.push(LocalTrack::new(MediaKind::Video, label, Box::new(Vp8::new(video))));
    }
    MediaStream::new("synthetic", tracks)
}

struct Opus {
    frame: Bytes,
}

impl FrameSource for Opus {
    fn interval(&self) -> Duration {
        OPUS_FRAME
    }

    fn next_frame(&mut self) -> Frame {
        Frame { data: self.frame.clone(), duration: OPUS_FRAME }
    }
}

struct Vp8 {
    interval: Duration,
    frames_per_key: u64,
    /// Since the newest key frame.
    made: u64,
    key: Bytes,
    delta: Bytes,
}

impl Vp8 {
    fn new(constraints: VideoConstraints) -> Self {
        let rate = constraints.frame_rate.clamp(1, 120);
        Self {
            interval: Duration::from_secs(1) / rate,
            frames_per_key: VP8_KEY_EVERY.as_secs() * u64::from(rate),
            made: 0,
            key: Bytes::from(filled_up(VP8_KEY, VP8_KEY_BYTES)),
            delta: Bytes::from(filled_up(VP8_DELTA, VP8_DELTA_BYTES)),
        }
    }
}

impl FrameSource for Vp8 {
    fn interval(&self) -> Duration {
        self.interval
    }

    fn next_frame(&mut self) -> Frame {
        let is_key = self.made == 0;
        self.made = (self.made + 1) % self.frames_per_key;
        let data = if is_key { self.key.clone() } else { self.delta.clone() };
        Frame { data, duration: self.interval }
    }

    fn want_key_frame(&mut self) {
        self.made = 0;
    }
}

/// TOC byte: CELT fullband, 20 ms, mono, one frame (RFC 6716 §3.1: configuration 31).
fn opus_frame() -> Vec<u8> {
    let mut frame = vec![0; OPUS_FRAME_BYTES];
    frame[0] = 31 << 3;
    frame
}

/// A key frame of one colour, 640 × 480, and one that repeats it, made by libvpx: a decoder takes them.
const VP8_KEY: &[u8] = include_bytes!("synthetic/key.vp8");
const VP8_DELTA: &[u8] = include_bytes!("synthetic/delta.vp8");

/// The frame with zeros behind it: the last partition goes on to the end of a frame, and nobody reads past
/// what it needs (RFC 6386 §9.5).
fn filled_up(frame: &[u8], bytes: usize) -> Vec<u8> {
    let mut filled = frame.to_vec();
    filled.resize(bytes, 0);
    filled
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn devices(permission: Permission) -> SyntheticDevices {
        let runtime = Arc::new(webrtc::runtime::TokioRuntime);
        SyntheticDevices { permission, delay: Duration::ZERO, runtime }
    }

    #[test]
    fn gives_what_was_asked_for_at_its_pace() {
        let constraints = MediaStreamConstraints {
            audio: true,
            video: Some(VideoConstraints { frame_rate: 15, facing_mode: FacingMode::Environment }),
        };
        let stream = block_on(devices(Permission::Granted).user_media(constraints)).unwrap();
        let found: Vec<_> = stream
            .tracks()
            .iter()
            .map(|track| (track.kind(), track.label().to_owned(), track.interval().as_micros()))
            .collect();
        assert_eq!(
            found,
            [
                (MediaKind::Audio, "microphone".to_owned(), 20_000),
                (MediaKind::Video, "back camera".to_owned(), 66_666)
            ]
        );
    }

    #[test]
    fn a_refusal_and_a_missing_device_are_told_apart() {
        let ask = |permission| {
            let asked = devices(permission).user_media(MediaStreamConstraints::default());
            block_on(asked).err().unwrap().to_string()
        };
        assert!(ask(Permission::Denied).starts_with("NotAllowedError"));
        assert!(ask(Permission::NoDevice).starts_with("NotFoundError"));
    }

    #[test]
    fn a_key_frame_comes_first_and_every_three_seconds() {
        let mut camera = Vp8::new(VideoConstraints { frame_rate: 10, facing_mode: FacingMode::User });
        let keys: Vec<usize> = (0..65).filter(|_| camera.next_frame().data.len() == VP8_KEY_BYTES).collect();
        assert_eq!(keys, [0, 30, 60]);
    }

    #[test]
    fn a_key_frame_comes_when_it_is_asked_for() {
        let mut camera = Vp8::new(VideoConstraints { frame_rate: 10, facing_mode: FacingMode::User });
        let mut next_is_key = || camera.next_frame().data.len() == VP8_KEY_BYTES;
        assert!(next_is_key() && !next_is_key());
        camera.want_key_frame();
        let mut next_is_key = || camera.next_frame().data.len() == VP8_KEY_BYTES;
        assert!(next_is_key() && !next_is_key());
    }

    #[test]
    fn the_frames_are_of_vp8_and_have_room() {
        let tag = |frame: &[u8]| u32::from(frame[0]) | u32::from(frame[1]) << 8 | u32::from(frame[2]) << 16;
        for (frame, is_key, bytes) in [(VP8_KEY, true, VP8_KEY_BYTES), (VP8_DELTA, false, VP8_DELTA_BYTES)] {
            assert_eq!(tag(frame) & 1 == 0, is_key);
            let first_partition = (tag(frame) >> 5) as usize;
            assert!(first_partition < frame.len() && frame.len() < bytes);
        }
        assert_eq!(VP8_KEY[3..10], [0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01], "640 × 480");
    }
}
