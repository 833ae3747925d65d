//! A peer connection of the engine in the hands of somebody else: an application that makes every call of the
//! API itself, by rules of its own. What a captured call is played again with.
//!
//! Of the engine's own rules none applies: nothing is held back, ignored, offered or recovered here. What
//! stays is what the engine does for W3C webrtc-pc where `webrtc` 0.21.1 does not, below those rules: an offer
//! of ours is rolled back when one of the other side is applied (§4.4.1.5), `gathering` is reported, candidates
//! carry the section and the generation that they belong to.

mod actor;

use std::sync::Arc;

use futures::channel::{
    mpsc::{UnboundedSender, unbounded},
    oneshot,
};
use signaller::Candidate;
use thiserror::Error;
use webrtc::runtime::Runtime;

use crate::{Enabled, MediaDevices, MediaError, MediaKind, Observer, Settings};
use actor::Actor;

/// What a driven peer is made of besides its settings.
pub struct DrivenParts {
    /// Where tasks, timers and sockets come from.
    pub runtime: Arc<dyn Runtime>,
    /// Where media comes from.
    pub devices: Arc<dyn MediaDevices>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
    /// Who gets each local candidate, in the order of gathering.
    pub candidates: UnboundedSender<Candidate>,
}

/// A peer connection whose API calls its owner makes, one at a time. The connection is made with the first of
/// them, and ends with [`Self::close`].
///
/// Each method returns when the call has ended.
#[derive(Clone, Debug)]
pub struct DrivenPeer {
    orders: UnboundedSender<Order>,
}

/// The local descriptions that can be made and set (W3C webrtc-pc §4.2.7, `RTCSdpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalDescription {
    /// `createOffer`, `setLocalDescription`.
    Offer,
    /// `createAnswer`, `setLocalDescription` as a provisional answer.
    Pranswer,
    /// `createAnswer`, `setLocalDescription`.
    Answer,
}

/// A description of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteDescription {
    /// An offer, as SDP.
    Offer(String),
    /// A provisional answer, as SDP.
    Pranswer(String),
    /// An answer, as SDP.
    Answer(String),
}

/// Why a call of the API failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DrivenError {
    /// The connection was closed before.
    #[error("InvalidStateError: the peer connection is closed")]
    Closed,
    /// The peer was dropped.
    #[error("the peer connection is gone")]
    Gone,
    /// There is no such track to remove.
    #[error("there is no {kind} track")]
    NoTrack {
        /// Of which kind.
        kind: MediaKind,
    },
    /// The device gave no media.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// `webrtc` refused the call.
    #[error(transparent)]
    Refused(#[from] rtc::shared::error::Error),
}

/// One call of the API.
#[derive(Debug)]
pub(super) enum Call {
    AddTrack(MediaKind),
    RemoveTrack(MediaKind),
    CreateDataChannels,
    RestartIce,
    SetLocal(LocalDescription),
    RollBack,
    SetRemote(RemoteDescription),
    AddCandidate(Candidate),
    SetEnabled(MediaKind, Enabled),
    Close,
}

/// A call, and who waits for its end. A description that was made is its value.
#[derive(Debug)]
pub(super) struct Order {
    call: Call,
    done: oneshot::Sender<Result<String, DrivenError>>,
}

impl DrivenPeer {
    /// A peer without a connection yet.
    pub fn start(settings: Settings, parts: DrivenParts) -> Self {
        let (orders, waiting) = unbounded();
        let runtime = parts.runtime.clone();
        runtime.spawn(Box::pin(Actor::new(settings, parts, waiting).run())).detach();
        Self { orders }
    }

    /// `getUserMedia` for this kind, and `addTrack`.
    ///
    /// # Errors
    /// What the device or the connection says.
    pub async fn add_track(&self, kind: MediaKind) -> Result<(), DrivenError> {
        self.call(Call::AddTrack(kind)).await.map(drop)
    }

    /// `removeTrack` for the newest track of this kind, which is stopped.
    ///
    /// # Errors
    /// There is none, or what the connection says.
    pub async fn remove_track(&self, kind: MediaKind) -> Result<(), DrivenError> {
        self.call(Call::RemoveTrack(kind)).await.map(drop)
    }

    /// `createDataChannel`, for each channel of [`Delivery`](crate::Delivery).
    ///
    /// # Errors
    /// What the connection says.
    pub async fn create_data_channels(&self) -> Result<(), DrivenError> {
        self.call(Call::CreateDataChannels).await.map(drop)
    }

    /// `restartIce`: the next offer restarts ICE.
    ///
    /// # Errors
    /// There is no connection any more.
    pub async fn restart_ice(&self) -> Result<(), DrivenError> {
        self.call(Call::RestartIce).await.map(drop)
    }

    /// Makes a description and sets it: its SDP.
    ///
    /// # Errors
    /// What the connection says, such as that it is in the wrong state.
    pub async fn set_local_description(&self, description: LocalDescription) -> Result<String, DrivenError> {
        self.call(Call::SetLocal(description)).await
    }

    /// `setLocalDescription({ type: "rollback" })`.
    ///
    /// # Errors
    /// What the connection says.
    pub async fn roll_back(&self) -> Result<(), DrivenError> {
        self.call(Call::RollBack).await.map(drop)
    }

    /// `setRemoteDescription`. An offer that crosses one of ours takes that back first, as browsers do.
    ///
    /// # Errors
    /// What the connection says.
    pub async fn set_remote_description(&self, description: RemoteDescription) -> Result<(), DrivenError> {
        self.call(Call::SetRemote(description)).await.map(drop)
    }

    /// `addIceCandidate`.
    ///
    /// # Errors
    /// What the connection says, such as that there is no remote description yet.
    pub async fn add_ice_candidate(&self, candidate: Candidate) -> Result<(), DrivenError> {
        self.call(Call::AddCandidate(candidate)).await.map(drop)
    }

    /// `MediaStreamTrack.enabled` of every local track of one kind.
    ///
    /// # Errors
    /// There is no connection any more.
    pub async fn set_enabled(&self, kind: MediaKind, enabled: Enabled) -> Result<(), DrivenError> {
        self.call(Call::SetEnabled(kind, enabled)).await.map(drop)
    }

    /// `close`: stops every track, closes the connection and waits until nothing of it is left. A second time
    /// it does nothing.
    ///
    /// # Errors
    /// What the connection says.
    pub async fn close(&self) -> Result<(), DrivenError> {
        self.call(Call::Close).await.map(drop)
    }

    async fn call(&self, call: Call) -> Result<String, DrivenError> {
        let (done, end) = oneshot::channel();
        self.orders.unbounded_send(Order { call, done }).map_err(|_| DrivenError::Gone)?;
        end.await.unwrap_or(Err(DrivenError::Gone))
    }
}
