//! `[[steps]]`: what happens when.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{DeliveryWord, MediaKind};
use super::{
    Duration, Text,
    network::{Attachment, Link, Mood},
    signalling::SignallerAction,
};
use crate::plan::{FacingMode, LocalWord, TcpWord};

/// A moment, and what each peer or the network does then: `caller = { dial = "callee" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Step {
    /// When, counted from the beginning of the run.
    at: Duration,
    /// What happens to the network.
    network: Option<NetworkAction>,
    /// What happens to the signalling server.
    signaller: Option<SignallerAction>,
    #[schemars(flatten)]
    peers: BTreeMap<String, PeerAction>,
}

/// What a peer does.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum PeerAction {
    Word(PeerWord),
    Table(PeerTable),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum PeerWord {
    /// Takes the call that rings.
    Accept,
    /// Declines the call that rings.
    Reject,
    /// Leaves its call; while it rings at the other end this cancels it.
    HangUp,
    /// Turns its audio track on.
    EnableAudio,
    /// Turns its audio track off.
    DisableAudio,
    /// Turns its video track on.
    EnableVideo,
    /// Turns its video track off.
    DisableVideo,
    /// Fires `negotiationneeded` though nothing needs it.
    NegotiationNeeded,
    /// Puts the call on hold.
    Hold,
    /// Takes it up again.
    Resume,
    /// Shares the screen, as a second video track.
    ShareScreen,
    /// Shares it no longer.
    StopScreen,
    /// Loses the permission for microphone and camera.
    LosePermission,
    /// Calls `createDataChannel` by itself.
    CreateDataChannel,
    /// Calls `restartIce` by itself.
    RestartIce,
    /// Calls `close` by itself.
    Close,
    /// Leaves the call of several that it is in.
    Leave,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum PeerTable {
    /// Calls this peer.
    Dial(String),
    /// Joins the call of several of this name, and dials everybody who is in it.
    Join(Text),
    /// Fires `negotiationneeded` this many times though nothing needs it.
    NegotiationNeeded(#[schemars(range(min = 1, max = 1000))] u32),
    /// Sends a candidate by itself, whatever its engine does, as apps do that offer while it still rings.
    SendCandidate(SendCandidate),
    /// Goes over to this camera; nothing is negotiated.
    SwitchCamera(FacingMode),
    /// Sends messages on a data channel.
    SendData(SendData),
    /// Calls `getUserMedia` and `addTrack` by itself. A peer that makes calls of the API by itself has no engine.
    AddTrack(MediaKind),
    /// Calls `removeTrack` by itself, for its newest track of this kind.
    RemoveTrack(MediaKind),
    /// Makes a description and calls `setLocalDescription` by itself. The other peer gets it.
    SetLocalDescription(LocalWord),
    /// Calls `setRemoteDescription` by itself, once the other peer has made the description.
    SetRemoteDescription(RemoteDescription),
    /// Calls `addIceCandidate` by itself, for the next candidate of the other peer, once there is one.
    AddIceCandidate(OtherCandidate),
}

/// A description of the other peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct RemoteDescription {
    /// Which of those that it made, from 1; rollbacks do not count. Default: 1.
    #[schemars(range(min = 1, max = 1000))]
    nth: Option<u32>,
    /// Applied instead, with the ICE credentials, fingerprints and candidates of the one that was made.
    sdp: Option<Text>,
}

/// A candidate of the other peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct OtherCandidate {
    /// After which of its descriptions, from 1, it was gathered. Default: 1.
    #[schemars(range(min = 1, max = 1000))]
    nth: Option<u32>,
}

/// A candidate, and for whom.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SendCandidate {
    /// Who gets it.
    to: String,
    /// The address that it names, with its port.
    address: String,
}

/// Messages on a data channel.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SendData {
    /// On which channel. Default: ordered.
    delivery: Option<DeliveryWord>,
    /// How many. Default: 1.
    #[schemars(range(min = 1, max = 100_000))]
    count: Option<u32>,
    /// How long each is, in bytes. `webrtc` 0.21.1 takes up to 65,536. Default: 100.
    #[schemars(range(min = 1, max = 262_144))]
    bytes: Option<u32>,
}

/// What happens to the network. A host is a peer, an ICE server, or `signaller`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) enum NetworkAction {
    /// Nothing passes this host's link any more, either way.
    LinkDown(String),
    /// This host's link works again.
    LinkUp(String),
    /// A host's link becomes another one.
    SetLink(Box<SetLink>),
    /// A peer moves to another network.
    Handover(Box<Handover>),
    /// Something goes wrong with a STUN or TURN server, or it gets well again.
    Mood(ServerMood),
    /// This STUN or TURN server restarts: its allocations are gone.
    Reboot(String),
}

/// Whose link becomes which.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SetLink {
    /// Whose.
    host: String,
    #[schemars(flatten)]
    link: Link,
}

/// A move to another network: another address, link and NAT.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Handover {
    /// Who moves.
    peer: String,
    /// How long it has no network in between. Default: 0s.
    gap: Option<Duration>,
    /// How long it has both networks.
    overlap: Option<Duration>,
    /// What becomes of TCP connections whose address goes. Default: reset.
    tcp: Option<TcpWord>,
    /// Back to the network that it had at the start; then nothing else is said of it. Default: false.
    back: Option<bool>,
    #[schemars(flatten)]
    to: Attachment,
}

/// Which server, and what is wrong with it from now on.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ServerMood {
    /// Which.
    server: String,
    #[schemars(flatten)]
    mood: Mood,
}
