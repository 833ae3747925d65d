use std::{fmt, net::IpAddr, time::Duration};

use timeline::Name;

use super::SignalingPlan;
use crate::words::words;

/// One peer: its machine, its network, its media and its user.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerPlan {
    /// Its name, which is also its host's.
    pub name: Name,
    /// Its host's address: `10.0.0.N` for the N-th peer of a file that gives none.
    pub address: IpAddr,
    /// Its way into the network.
    pub access: AccessPlan,
    /// How fast its machine is.
    pub device: Device,
    /// Which tracks it brings.
    pub media: MediaPlan,
    /// What `getUserMedia` answers.
    pub permission: Permission,
    /// What its user does when it rings.
    pub on_ring: OnRing,
    /// How long a dialled or ringing call waits for an answer.
    pub ring_timeout: Duration,
    /// How long an accepted call may take to connect.
    pub connect_timeout: Duration,
    /// Which codecs it offers.
    pub codecs: Codecs,
    /// Where its cryptography comes from.
    pub crypto: Crypto,
    /// Video frames per second, 1 to 120.
    pub frame_rate: u32,
    /// Which camera it asks for.
    pub facing_mode: FacingMode,
    /// How it reaches the signaller.
    pub signaling: SignalingPlan,
}

impl PeerPlan {
    /// How long a call rings where a file says nothing.
    pub const DEFAULT_RING_TIMEOUT: Duration = Duration::from_secs(30);
    /// How long a call may take to connect where a file says nothing.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
    /// The frame rate where a file says nothing.
    pub const DEFAULT_FRAME_RATE: u32 = 30;
}

/// A host's way into the network, each direction for itself.
///
/// What a packet from one host to another meets is the sender's `up` and then the receiver's `down`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccessPlan {
    /// From the host into the network.
    pub up: HalfPlan,
    /// From the network to the host.
    pub down: HalfPlan,
}

impl AccessPlan {
    /// 10 ms each way without jitter or loss: two such hosts are 20 ms apart, a round trip takes 40 ms.
    pub const DEFAULT: Self = Self::symmetric(HalfPlan {
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss: Probability::ZERO,
    });

    /// The same both ways.
    pub const fn symmetric(half: HalfPlan) -> Self {
        Self { up: half, down: half }
    }
}

/// One direction of a host's access.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfPlan {
    /// How long every packet takes.
    pub delay: Duration,
    /// How much longer a packet may take: drawn evenly from zero to this.
    pub jitter: Duration,
    /// How likely a packet is lost.
    pub loss: Probability,
}

/// A probability, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Never.
    pub const ZERO: Self = Self(0.0);
    /// Always.
    pub const ONE: Self = Self(1.0);

    /// The probability `fraction`, `None` unless it lies between 0 and 1.
    pub fn new(fraction: f64) -> Option<Self> {
        (0.0..=1.0).contains(&fraction).then_some(Self(fraction))
    }

    /// Its value, 0 to 1.
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}

/// In per cent, without idle digits: `5 %`, `0.25 %`.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 1e6).round() / 1e4;
        write!(f, "{rounded} %")
    }
}

words! {
    /// Named classes of machines: how long one takes over a message.
    pub enum Device {
        /// Takes no time at all: two peers' timers then stand in lockstep.
        Instant = "instant",
        /// A server.
        Server = "server",
        /// A desktop computer.
        Desktop = "desktop",
        /// A laptop computer; the default of peers.
        Laptop = "laptop",
        /// A telephone.
        Phone = "phone",
    }
}

/// The tracks of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaPlan {
    /// Whether there is an audio track; always enabled at the start.
    pub audio: bool,
    /// The video track.
    pub video: VideoPlan,
}

impl MediaPlan {
    /// Audio and video, both enabled: `audio-video`.
    pub const AUDIO_VIDEO: Self = Self { audio: true, video: VideoPlan::Enabled };
    /// Audio, and a video track that is there but disabled: `voice`, the call guide's voice call.
    pub const VOICE: Self = Self { audio: true, video: VideoPlan::Disabled };
    /// Audio and no video track: `audio-only`.
    pub const AUDIO_ONLY: Self = Self { audio: true, video: VideoPlan::None };
}

/// The video track of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoPlan {
    /// There is none.
    None,
    /// There is one that sends nothing until it is enabled.
    Disabled,
    /// There is one that sends from the start.
    Enabled,
}

words! {
    /// The two kinds of media (W3C mediacapture-streams §4.3, `kind`).
    pub enum MediaKind {
        /// Sound.
        Audio = "audio",
        /// Pictures.
        Video = "video",
    }
}

words! {
    /// What `getUserMedia` answers.
    pub enum Permission {
        /// The tracks.
        Granted = "granted",
        /// `NotAllowedError`.
        Denied = "denied",
        /// `NotFoundError`.
        NoDevice = "no-device",
    }
}

/// What a user does when it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRing {
    /// Takes the call.
    Accept {
        /// How long after the first ring.
        after: Duration,
    },
    /// Declines the call.
    Reject {
        /// How long after the first ring.
        after: Duration,
    },
    /// Nothing; steps may still accept or reject.
    Ignore,
}

words! {
    /// Which codecs a peer offers.
    pub enum Codecs {
        /// Opus and VP8: what calls use, and 3.5 times cheaper to set up.
        OpusVp8 = "opus-vp8",
        /// All that `webrtc` registers by default.
        Full = "full",
    }
}

words! {
    /// Where a peer's cryptography comes from.
    pub enum Crypto {
        /// `ring`, with its randomness drawn from the seed.
        Ring = "ring",
        /// The project's own provider, every key drawn from the seed.
        Seeded = "seeded",
    }
}

words! {
    /// Which camera a peer asks for (W3C mediacapture-streams §4.3.9, `facingMode`).
    pub enum FacingMode {
        /// The one that looks at the user.
        User = "user",
        /// The one that looks away from the user.
        Environment = "environment",
    }
}
