//! A calling app's engine: the react-native-webrtc call guide in Rust, on any
//! [`webrtc::runtime::Runtime`] and any [`signaller::Transport`].
//!
//! The guide's eight steps and where they are:
//!
//! | step | where |
//! |---|---|
//! | 1. grab a media stream | [`MediaDevices`], with [`SyntheticDevices`] as the one without hardware |
//! | 2. create the peer | [`PeerSettings`]; every event reaches the [`Observer`] |
//! | 3. signal that a call starts | [`Engine::dial`], [`Engine::accept`], [`Engine::reject`] |
//! | 4. offer | when `negotiationneeded` asks for it, one at a time |
//! | 5. candidates | sent at once, held back until there is a remote description |
//! | 6. answer, 7. apply the answer | by themselves |
//! | 8. connected, and the hang-up | [`Engine::hang_up`]; everything is released |
//!
//! A call has one state machine, [`CallState`], written as a table ([`Outcome::of`]). Each participant has at most one
//! call; a second ring is answered with `busy`.
//!
//! Invariants:
//! - This crate knows no simulator and names no executor: tasks, timers and sockets come from the
//!   [`webrtc::runtime::Runtime`] it is given, so that what is tested is what ships.
//! - After the end of a call nothing of it is left: no live track, no peer connection, no task.
//! - No offer is made while another is in flight; of two that cross, the caller's stands.
//! - No candidate that arrives during a call is dropped: it is applied, held until it can be, or
//!   reported as rejected.
//! - Whatever happens, a call comes to an end: each state has a timer, a recovery that is bounded, or a
//!   person who can hang up.
//!
//! When both sides dial each other at once, one call results: the one with the smaller call id, and of
//! equal ids the one of the smaller participant name. The maker of the other becomes its callee, and
//! has accepted by having dialled.
//!
//! A connection that fails is recovered as [`Recovery`] says.
//!
//! What the other side sends reaches the [`Observer`]: packets, whole frames for a decoder, messages of
//! data channels. What another client than this one has to do is in `docs/signalling.md`.
//!
//! [`DrivenPeer`] is the engine's peer connection without the engine: somebody else makes each call of the API.
//!
//! A call of more than two is a [`Mesh`] of pairs.

mod configuration;
mod data_message;
mod engine;
mod guards;
mod media;
mod mesh;
mod observer;
mod peer;
mod recovery;
mod settings;
mod state;

/// What an application names with this crate: of the same versions.
pub use {bytes, rtc, signaller, webrtc};

pub use configuration::{IceServer, IceTransportPolicy, PeerConstraints, SessionConstraints};
pub use data_message::DataMessage;
pub use engine::{
    Engine, Parts,
    driven::{DrivenError, DrivenParts, DrivenPeer, LocalDescription, RemoteDescription},
};
pub use guards::Guards;
pub use media::{
    Enabled, FacingMode, Frame, FrameSource, LocalTrack, MediaDevices, MediaError, MediaStream,
    MediaStreamConstraints, Permission, ReceivedFrame, RemoteTrack, SyntheticDevices, VideoConstraints,
    Wanted,
};
pub use mesh::{Mesh, MeshEvent, MeshObserver, MeshParts};
pub use observer::{EngineEvent, Observer, PacketPosition, ReceivedPacket};
pub use peer::{DataRefusal, Hold, Statistics};
pub use recovery::{Rebuilds, Recovery, RecoveryCause, RecoveryStep};
pub use settings::{Codecs, DataSettings, PeerSettings, Settings, Timers};
pub use state::{CallEvent, Outcome, Role};
pub use timeline::{
    CallState, CandidateRef, Cause, ConnectionState, Delivery, EndReason, GatheringState, IceState, Machine,
    MediaKind, MessageRef, Needed, SignalingState, State, Trickle,
};
