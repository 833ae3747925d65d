//! The engine's handle, and the task behind it.

mod actor;
mod call;
mod dialling;
pub(crate) mod driven;
mod endpoints;
mod in_call;
mod messages;
mod negotiating;
mod over;
mod peer_events;
mod recovering;
mod trickling;

use std::sync::Arc;

use futures::channel::{
    mpsc::{UnboundedSender, unbounded},
    oneshot,
};
use signaller::{CallId, ParticipantId, Transport};
use webrtc::runtime::Runtime;

use crate::{DataMessage, Delivery, Enabled, FacingMode, Hold, MediaDevices, MediaKind, Observer, Settings};
use actor::Actor;

/// What an engine is made of besides its settings.
pub struct Parts {
    /// Where tasks, timers and sockets come from.
    pub runtime: Arc<dyn Runtime>,
    /// How messages reach the other side.
    pub transport: Box<dyn Transport>,
    /// Where media comes from.
    pub devices: Arc<dyn MediaDevices>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// One participant's engine. Cheap to clone; all clones are one engine, which ends when it is shut down
/// or when the last of them is dropped.
///
/// Its methods say what the user wants and return at once; what comes of it reaches the
/// [`Observer`]. A wish that makes no sense at the moment (accepting without a ring) is reported there
/// as a problem and changes nothing.
#[derive(Clone, Debug)]
pub struct Engine {
    commands: UnboundedSender<Command>,
}

/// What a user can want.
#[derive(Debug)]
pub(crate) enum Command {
    Dial { to: ParticipantId, call: CallId },
    Accept,
    Reject,
    HangUp,
    SetEnabled(MediaKind, Enabled),
    NegotiationNeeded,
    NetworkChanged { addresses: Option<Vec<String>> },
    SetHold(Hold),
    SwitchCamera(FacingMode),
    ShareScreen,
    StopScreen,
    SendData { delivery: Delivery, message: DataMessage },
    RequestKeyFrames,
    PermissionLost,
    ShutDown { done: oneshot::Sender<()> },
}

impl Engine {
    /// Starts an engine on its runtime.
    pub fn start(settings: Settings, parts: Parts) -> Self {
        let (commands, wishes) = unbounded();
        let runtime = parts.runtime.clone();
        let actor = Actor::new(settings, parts, wishes);
        runtime.spawn(Box::pin(actor.run())).detach();
        Self { commands }
    }

    /// Calls `to`: grabs the media stream, then rings. `call` names the call and must not have been
    /// used before.
    pub fn dial(&self, to: impl Into<ParticipantId>, call: impl Into<CallId>) {
        self.wish(Command::Dial { to: to.into(), call: call.into() });
    }

    /// Accepts the call that rings: grabs the media stream, then says so.
    pub fn accept(&self) {
        self.wish(Command::Accept);
    }

    /// Declines the call that rings.
    pub fn reject(&self) {
        self.wish(Command::Reject);
    }

    /// Hangs up, or cancels while it rings.
    pub fn hang_up(&self) {
        self.wish(Command::HangUp);
    }

    /// Enables or disables the local tracks of one kind. Nothing is renegotiated.
    pub fn set_enabled(&self, kind: MediaKind, enabled: Enabled) {
        self.wish(Command::SetEnabled(kind, enabled));
    }

    /// Puts the call on hold, or resumes it. Directions change, which is negotiated.
    pub fn set_hold(&self, hold: Hold) {
        self.wish(Command::SetHold(hold));
    }

    /// Goes over to another camera (`replaceTrack`). Nothing is renegotiated.
    pub fn switch_camera(&self, facing_mode: FacingMode) {
        self.wish(Command::SwitchCamera(facing_mode));
    }

    /// Shares the screen, as a second video track.
    pub fn share_screen(&self) {
        self.wish(Command::ShareScreen);
    }

    /// Stops sharing the screen.
    pub fn stop_screen(&self) {
        self.wish(Command::StopScreen);
    }

    /// Sends a message, text or bytes, on a data channel, or keeps it until that is open and has room.
    /// Where as many wait as may ([`DataSettings`](crate::DataSettings)), it is refused, and the observer
    /// told so. A message that was on its way when the connection had to be rebuilt may be lost.
    pub fn send_data(&self, delivery: Delivery, message: impl Into<DataMessage>) {
        self.wish(Command::SendData { delivery, message: message.into() });
    }

    /// Asks the other side for a key frame of each of its video tracks: a decoder was started, or cannot go
    /// on. The engine asks by itself where it puts frames together ([`Settings::frames`]).
    pub fn request_key_frames(&self) {
        self.wish(Command::RequestKeyFrames);
    }

    /// Reports a `negotiationneeded` that the peer connection did not fire itself. Platforms fire the
    /// event more often than needed; an application may pass each on.
    pub fn negotiation_needed(&self) {
        self.wish(Command::NegotiationNeeded);
    }

    /// Reports that the device is in another network: ICE restarts at once, on new sockets. `addresses`,
    /// of the form `address:port`, take the place of [`PeerSettings::udp_addresses`] where they are given.
    ///
    /// [`PeerSettings::udp_addresses`]: crate::PeerSettings::udp_addresses
    pub fn network_changed(&self, addresses: Option<Vec<String>>) {
        self.wish(Command::NetworkChanged { addresses });
    }

    /// Reports that the person, or the system, took the permission for microphone or camera back: the
    /// call ends for that reason on both sides.
    pub fn permission_lost(&self) {
        self.wish(Command::PermissionLost);
    }

    /// Ends the call, if there is one, says so to the other side, closes the transport and waits until
    /// nothing of the engine is left.
    pub async fn shut_down(&self) {
        let (done, waiting) = oneshot::channel();
        self.wish(Command::ShutDown { done });
        // An engine that is gone already drops `done`: then there is nothing to wait for.
        let _ = waiting.await;
    }

    fn wish(&self, command: Command) {
        // An engine that was shut down has no wishes left to fulfil.
        let _ = self.commands.unbounded_send(command);
    }
}
