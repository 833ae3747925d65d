use std::fmt;

use timeline::{MediaKind, words};

/// A call of the WebRTC API that a peer's application makes without an engine, and so without the engine's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiCall {
    /// `getUserMedia`, and `addTrack`.
    AddTrack(MediaKind),
    /// `removeTrack`, for the newest track of this kind.
    RemoveTrack(MediaKind),
    /// `createDataChannel`.
    CreateDataChannel,
    /// `restartIce`.
    RestartIce,
    /// `createOffer` or `createAnswer`, and `setLocalDescription`. What is made goes to the other peer.
    SetLocalDescription(LocalWord),
    /// `setRemoteDescription`, once the other peer has made the description.
    SetRemoteDescription {
        /// Which of the descriptions that the other peer made, from 1. Rollbacks do not count.
        nth: u32,
        /// The SDP that is applied instead, with the other peer's ICE credentials, fingerprints and
        /// candidates.
        sdp: Option<String>,
    },
    /// `addIceCandidate`, for the next candidate of the other peer, as soon as there is one.
    AddIceCandidate {
        /// After which of its descriptions, from 1, the other peer gathered it.
        nth: u32,
    },
    /// `close`.
    Close,
}

words! {
    /// What `setLocalDescription` is called with.
    pub enum LocalWord {
        /// An offer that is made for it.
        Offer = "offer",
        /// A provisional answer that is made for it.
        Pranswer = "pranswer",
        /// An answer that is made for it.
        Answer = "answer",
        /// Nothing: the offer in flight is taken back.
        Rollback = "rollback",
    }
}

/// In the words of a transcript: `calls addTrack(audio)`.
impl fmt::Display for ApiCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddTrack(kind) => write!(f, "calls addTrack({kind})"),
            Self::RemoveTrack(kind) => write!(f, "calls removeTrack({kind})"),
            Self::CreateDataChannel => f.write_str("calls createDataChannel()"),
            Self::RestartIce => f.write_str("calls restartIce()"),
            Self::SetLocalDescription(word) => write!(f, "calls setLocalDescription({word})"),
            Self::SetRemoteDescription { nth, sdp } => {
                let whose = if sdp.is_some() { ", with the SDP of this file" } else { "" };
                write!(f, "calls setRemoteDescription(the other's description {nth}{whose})")
            }
            Self::AddIceCandidate { nth } => {
                write!(f, "calls addIceCandidate(the next one after the other's description {nth})")
            }
            Self::Close => f.write_str("calls close()"),
        }
    }
}
