//! `getUserMedia` (W3C Media Capture and Streams §10): what is asked, who answers, how it fails.

use std::{fmt, future::Future, pin::Pin};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use timeline::FacingMode;

use super::MediaStream;

/// Where an application gets its microphone and camera from.
///
/// [`SyntheticDevices`](super::SyntheticDevices) is the one without hardware.
pub trait MediaDevices: Send + Sync + 'static {
    /// Opens the devices that `constraints` ask for. May take as long as a person takes to press a
    /// button; the engine goes on meanwhile.
    ///
    /// # Errors
    ///
    /// [`MediaError`], as `getUserMedia` would reject.
    fn user_media(
        &self,
        constraints: MediaStreamConstraints,
    ) -> Pin<Box<dyn Future<Output = Result<MediaStream, MediaError>> + Send>>;

    /// `getDisplayMedia` (W3C Screen Capture §5.1): a stream with one video track, the screen. Its stream's
    /// id must differ from that of [`Self::user_media`].
    ///
    /// # Errors
    ///
    /// [`MediaError`]. A platform without screen capture, which is what this default stands for, has no
    /// such device.
    fn display_media(&self) -> Pin<Box<dyn Future<Output = Result<MediaStream, MediaError>> + Send>> {
        Box::pin(async { Err(MediaError::NotFound(Wanted::Screen)) })
    }
}

/// `MediaStreamConstraints`: which kinds of media, and of video which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaStreamConstraints {
    /// Whether a microphone is asked for.
    pub audio: bool,
    /// The camera asked for, `None` for none.
    pub video: Option<VideoConstraints>,
}

/// What is asked of a camera, as in the call guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VideoConstraints {
    /// Frames a second, 1 to 120.
    pub frame_rate: u32,
    /// Which camera.
    pub facing_mode: FacingMode,
}

/// Why `getUserMedia` gave no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The person, or the system, said no.
    #[error("NotAllowedError: permission to use {0} was denied")]
    NotAllowed(Wanted),
    /// There is no such device.
    #[error("NotFoundError: no device for {0} was found")]
    NotFound(Wanted),
}

/// The devices that were asked for, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A microphone.
    Microphone,
    /// A camera.
    Camera,
    /// Both.
    MicrophoneAndCamera,
    /// What the screen shows.
    Screen,
    /// Neither.
    Nothing,
}

impl MediaStreamConstraints {
    /// The devices in words.
    pub const fn wanted(&self) -> Wanted {
        match (self.audio, self.video.is_some()) {
            (true, true) => Wanted::MicrophoneAndCamera,
            (true, false) => Wanted::Microphone,
            (false, true) => Wanted::Camera,
            (false, false) => Wanted::Nothing,
        }
    }
}

impl Default for MediaStreamConstraints {
    /// Audio and video, as in the call guide.
    fn default() -> Self {
        Self { audio: true, video: Some(VideoConstraints::default()) }
    }
}

impl Default for VideoConstraints {
    /// 30 frames a second from the camera that faces the person, as in the call guide.
    fn default() -> Self {
        Self { frame_rate: 30, facing_mode: FacingMode::User }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microphone => "the microphone",
            Self::Camera => "the camera",
            Self::MicrophoneAndCamera => "the microphone and the camera",
            Self::Screen => "the screen",
            Self::Nothing => "nothing",
        })
    }
}
