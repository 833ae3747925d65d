use std::{net::IpAddr, time::Duration};

use call_engine::{Codecs, FacingMode, IceTransportPolicy, Permission, Recovery};
use netsim::ProcessingDelay;
use timeline::Name;

use super::{Access, DEFAULT_ACCESS, Schedule, SignalingPlan, TurnCredentials};

/// One peer: its machine, its network, its media and its user.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerPlan {
    /// Its name, which is also its host's.
    pub name: Name,
    /// The program that it runs instead of the engine, by its name; the engine's settings mean nothing then.
    pub program: Option<String>,
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
    /// A peer as it is where a file says nothing, without an address and ICE servers.
    pub fn new(name: Name) -> Self {
        Self {
            name,
            program: None,
            profile: None,
            addresses: Vec::new(),
            access: DEFAULT_ACCESS,
            schedule: None,
            ice_servers: Vec::new(),
            ice_transport_policy: IceTransportPolicy::All,
            turn_credentials: TurnCredentials::Valid,
            device: Device::Laptop,
            media: MediaPlan::AUDIO_VIDEO,
            permission: Permission::Granted,
            on_ring: OnRing::Accept { after: Duration::ZERO },
            ring_timeout: Self::DEFAULT_RING_TIMEOUT,
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            codecs: Codecs::OpusVp8,
            crypto: Crypto::Ring,
            frame_rate: Self::DEFAULT_FRAME_RATE,
            facing_mode: FacingMode::User,
            signaling: SignalingPlan::default(),
            engine: EnginePlan::default(),
        }
    }

    /// How long a call rings where a file says nothing.
    pub(crate) const DEFAULT_RING_TIMEOUT: Duration = Duration::from_secs(30);
    /// How long a call may take to connect where a file says nothing.
    pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
    /// The frame rate where a file says nothing.
    pub(crate) const DEFAULT_FRAME_RATE: u32 = 30;
}

timeline::words! {
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

impl From<Device> for ProcessingDelay {
    fn from(device: Device) -> Self {
        match device {
            Device::Instant => Self::ZERO,
            Device::Server => Self::SERVER,
            Device::Desktop => Self::DESKTOP,
            Device::Laptop => Self::LAPTOP,
            Device::Phone => Self::PHONE,
        }
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
    pub(crate) const AUDIO_VIDEO: Self = Self { audio: true, video: VideoPlan::Enabled };
    /// Audio, and a video track that is there but disabled: `voice`, the call guide's voice call.
    pub(crate) const VOICE: Self = Self { audio: true, video: VideoPlan::Disabled };
    /// Audio and no video track: `audio-only`.
    pub(crate) const AUDIO_ONLY: Self = Self { audio: true, video: VideoPlan::None };
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

timeline::words! {
    /// Where a peer's cryptography comes from.
    pub enum Crypto {
        /// `ring`, with its randomness drawn from the seed.
        Ring = "ring",
        /// The project's own provider, every key drawn from the seed.
        Seeded = "seeded",
    }
}
