use std::{net::IpAddr, time::Duration};

use call_engine::Recovery;
use timeline::Name;

use super::{Access, IceTransportPolicy, Schedule, SignalingPlan, TurnCredentials};
use crate::words::words;

/// One peer: its machine, its network, its media and its user.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerPlan {
    /// Its name, which is also its host's.
    pub name: Name,
    /// The profile of its network, for people; what the profile says is in the other fields.
    pub profile: Option<String>,
    /// Its host's addresses, at least one.
    pub addresses: Vec<IpAddr>,
    /// Its way into the network.
    pub access: Access,
    /// How that changes in the course of time, from the beginning of the world.
    pub schedule: Option<Schedule>,
    /// The STUN and TURN servers that it uses, by name.
    pub ice_servers: Vec<Name>,
    /// Which candidates it may use.
    pub ice_transport_policy: IceTransportPolicy,
    /// What it shows to TURN servers.
    pub turn_credentials: TurnCredentials,
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
    /// What its engine does besides making calls.
    pub engine: EnginePlan,
}

/// What a peer's engine does besides making calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnginePlan {
    /// How it recovers a connection that fails. `None`: it does not, and what the stack does not survive ends
    /// the call.
    pub recovery: Option<Recovery>,
    /// Whether it has data channels; both sides of a call must have them or not.
    pub data_channels: bool,
    /// How often it takes statistics, `None` for never.
    pub statistics: Option<Duration>,
    /// After which silence it calls a remote track paused, `None` for never.
    pub media_silence: Option<Duration>,
}

impl PeerPlan {
    /// How long a call rings where a file says nothing.
    pub const DEFAULT_RING_TIMEOUT: Duration = Duration::from_secs(30);
    /// How long a call may take to connect where a file says nothing.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
    /// The frame rate where a file says nothing.
    pub const DEFAULT_FRAME_RATE: u32 = 30;
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
