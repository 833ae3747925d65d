//! What a script can ask of a peer.

mod api;

use std::{fmt, net::SocketAddr};

use timeline::{Delivery, FacingMode, MediaKind, Name};

pub use self::api::{ApiCall, LocalWord};

/// A step of the script for one peer. [`Display`](fmt::Display) gives it in the words of a transcript, without its
/// subject: `dials callee`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Start a call.
    Dial {
        /// Who is called.
        to: Name,
    },
    /// Take the call that rings.
    Accept,
    /// Decline the call that rings.
    Reject,
    /// Leave the call; while it rings at the other end this cancels it.
    HangUp,
    /// Let the tracks of this kind send (W3C mediacapture-streams §4.3, `enabled`).
    Enable(MediaKind),
    /// Let the tracks of this kind send nothing.
    Disable(MediaKind),
    /// Fire `negotiationneeded`, though nothing needs it.
    NegotiationNeeded {
        /// How many times in a row, at least 1.
        times: u32,
    },
    /// Join a call of several, and dial everybody who is in it.
    Join {
        /// Which.
        room: String,
    },
    /// Leave the call of several.
    Leave,
    /// Send a candidate that was not gathered, as apps do that offer while it still rings and whose candidates
    /// overtake everything.
    SendCandidate {
        /// To whom.
        to: Name,
        /// The address that it names.
        address: SocketAddr,
    },
    /// Put the call on hold (RFC 3264 §8.4).
    Hold,
    /// Take the call off hold.
    Resume,
    /// Use another camera (`replaceTrack`).
    SwitchCamera(FacingMode),
    /// Share the screen, as a second video track.
    ShareScreen,
    /// Stop sharing the screen.
    StopScreen,
    /// Lose the permission for microphone and camera.
    LosePermission,
    /// Send messages on a data channel.
    SendData {
        /// On which channel.
        delivery: Delivery,
        /// How many messages.
        count: u32,
        /// The length of each, bytes.
        bytes: u32,
    },
    /// Make one call of the peer connection's API.
    Api(ApiCall),
    /// Something that only this program understands: `{ do = "press the red button" }`.
    Do(String),
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial { to } => write!(f, "dials {to}"),
            Self::Accept => f.write_str("accepts"),
            Self::Reject => f.write_str("rejects"),
            Self::HangUp => f.write_str("hangs up"),
            Self::Enable(kind) => write!(f, "enables {kind}"),
            Self::Disable(kind) => write!(f, "disables {kind}"),
            Self::NegotiationNeeded { times: 1 } => f.write_str("fires negotiationneeded"),
            Self::NegotiationNeeded { times } => write!(f, "fires negotiationneeded {times} times"),
            Self::Join { room } => write!(f, "joins {room}"),
            Self::Leave => f.write_str("leaves"),
            Self::SendCandidate { to, address } => {
                write!(f, "sends the candidate {address} to {to} by itself")
            }
            Self::Hold => f.write_str("holds"),
            Self::Resume => f.write_str("resumes"),
            Self::SwitchCamera(facing_mode) => write!(f, "switches to the {facing_mode} camera"),
            Self::ShareScreen => f.write_str("shares its screen"),
            Self::StopScreen => f.write_str("stops sharing its screen"),
            Self::LosePermission => f.write_str("loses the permission for microphone and camera"),
            Self::SendData { delivery, count, bytes } => {
                write!(f, "sends {count} {delivery} messages of {bytes} bytes")
            }
            Self::Api(call) => call.fmt(f),
            Self::Do(what) => write!(f, "does: {what}"),
        }
    }
}
