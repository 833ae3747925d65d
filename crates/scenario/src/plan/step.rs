use std::{fmt, net::SocketAddr, time::Duration};

use call_engine::{Enabled, FacingMode};
use timeline::Name;

use super::{
    Access, ApiCall, CredentialPolicy, DeliveryWord, FaultsPlan, Handover, Liveness, Mood, PortSupply,
    StoreFate, Transition, network::InWords,
};

/// Something that a script makes happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When, counted from the beginning of the world.
    pub at: Duration,
    /// What.
    pub action: Action,
}

/// What a script can make happen. Hosts are peers, or [`super::Plan::SIGNALLER`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// `peer` starts a call.
    Dial {
        /// Who dials.
        peer: Name,
        /// Who is called.
        to: Name,
    },
    /// `peer` takes the call that rings.
    Accept {
        /// Who.
        peer: Name,
    },
    /// `peer` declines the call that rings.
    Reject {
        /// Who.
        peer: Name,
    },
    /// `peer` leaves its call; while it rings at the other end this cancels it.
    HangUp {
        /// Who.
        peer: Name,
    },
    /// `peer` turns its audio track on or off.
    SetAudio {
        /// Who.
        peer: Name,
        /// To what.
        state: Enabled,
    },
    /// `peer` turns its video track on or off.
    SetVideo {
        /// Who.
        peer: Name,
        /// To what.
        state: Enabled,
    },
    /// `negotiationneeded` fires at `peer`, though nothing needs it.
    NegotiationNeeded {
        /// Where.
        peer: Name,
        /// How many times in a row, at least 1.
        times: u32,
    },
    /// `peer` joins a call of several, and dials everybody who is in it.
    Join {
        /// Who.
        peer: Name,
        /// Which.
        room: String,
    },
    /// `peer` leaves the call of several that it is in.
    Leave {
        /// Who.
        peer: Name,
    },
    /// `peer` sends a candidate of its own, whatever its engine does: as apps do that offer while it still
    /// rings, and whose candidates overtake everything.
    SendCandidate {
        /// Who.
        peer: Name,
        /// To whom.
        to: Name,
        /// The address that it names.
        address: SocketAddr,
    },
    /// `peer`'s program does what it knows by these words.
    Do {
        /// Who.
        peer: Name,
        /// What.
        what: String,
    },
    /// `peer` changes something about its call.
    InCall {
        /// Who.
        peer: Name,
        /// What.
        change: InCall,
    },
    /// `peer`'s application makes a call of the API by itself.
    Api {
        /// Whose.
        peer: Name,
        /// Which call.
        call: ApiCall,
    },
    /// Nothing passes a host's access any more, either way.
    LinkDown {
        /// Whose.
        host: Name,
    },
    /// A host's access works again.
    LinkUp {
        /// Whose.
        host: Name,
    },
    /// A host's access becomes another one. Packets under way keep their delay.
    SetLink {
        /// Whose.
        host: Name,
        /// What it becomes.
        access: Box<Access>,
    },
    /// A host moves to another attachment: another address, link and NAT.
    Handover {
        /// Which.
        host: Name,
        /// The profile of where it moves, for people.
        profile: Option<String>,
        /// Where, and how.
        handover: Box<Handover>,
    },
    /// A STUN or TURN server gets another mood.
    SetMood {
        /// Which.
        server: Name,
        /// The faults in force from now on.
        mood: Mood,
    },
    /// A STUN or TURN server restarts: its allocations are gone.
    Reboot {
        /// Which.
        server: Name,
    },
    /// Something happens to the signalling server.
    Signaller {
        /// Its name: [`super::Plan::SIGNALLER`].
        host: Name,
        /// What happens to it.
        change: SignallerChange,
    },
}

/// What can happen to the signalling server.
#[derive(Clone, Debug, PartialEq)]
pub enum SignallerChange {
    /// Its machine loses power: from one moment to the next it is silent.
    PowerOff {
        /// What becomes of what it keeps.
        store: StoreFate,
    },
    /// Its machine has power again, and it starts.
    PowerOn,
    /// It is stopped in good order, as for a new version, and started again with its store.
    Restart,
    /// From here on this goes wrong with the signalling, and nothing else. What is under way goes on as it
    /// began.
    SetFaults(FaultsPlan),
}

/// What can change about a call while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InCall {
    /// It is put on hold (RFC 3264 §8.4).
    Hold,
    /// It is taken up again.
    Resume,
    /// Another camera (`replaceTrack`).
    SwitchCamera(FacingMode),
    /// The screen is shared, as a second video track.
    ShareScreen,
    /// The screen is shared no longer.
    StopScreen,
    /// Messages on a data channel.
    SendData {
        /// Which channel.
        delivery: DeliveryWord,
        /// How many messages.
        count: u32,
        /// How long each is, in bytes.
        bytes: u32,
    },
    /// The permission for microphone and camera is taken back.
    LosePermission,
}

impl Action {
    /// Who acts, or whose access changes.
    pub const fn subject(&self) -> &Name {
        match self {
            Self::Dial { peer, .. }
            | Self::Accept { peer }
            | Self::Reject { peer }
            | Self::HangUp { peer }
            | Self::SetAudio { peer, .. }
            | Self::SetVideo { peer, .. }
            | Self::NegotiationNeeded { peer, .. }
            | Self::Join { peer, .. }
            | Self::Leave { peer }
            | Self::Do { peer, .. }
            | Self::SendCandidate { peer, .. }
            | Self::InCall { peer, .. }
            | Self::Api { peer, .. } => peer,
            Self::LinkDown { host }
            | Self::LinkUp { host }
            | Self::SetLink { host, .. }
            | Self::Handover { host, .. }
            | Self::Signaller { host, .. } => host,
            Self::SetMood { server, .. } | Self::Reboot { server } => server,
        }
    }
}

/// In the words of a transcript; for a peer's action without its subject: `dials callee`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial { to, .. } => write!(f, "dials {to}"),
            Self::Accept { .. } => f.write_str("accepts"),
            Self::Join { room, .. } => write!(f, "joins {room}"),
            Self::Leave { .. } => f.write_str("leaves"),
            Self::Do { what, .. } => write!(f, "does: {what}"),
            Self::SendCandidate { to, address, .. } => {
                write!(f, "sends the candidate {address} to {to} by itself")
            }
            Self::Reject { .. } => f.write_str("rejects"),
            Self::HangUp { .. } => f.write_str("hangs up"),
            Self::SetAudio { state, .. } => write!(f, "{} audio", turns(*state)),
            Self::SetVideo { state, .. } => write!(f, "{} video", turns(*state)),
            Self::NegotiationNeeded { times: 1, .. } => f.write_str("fires negotiationneeded"),
            Self::NegotiationNeeded { times, .. } => write!(f, "fires negotiationneeded {times} times"),
            Self::InCall { change, .. } => change.fmt(f),
            Self::Api { call, .. } => call.fmt(f),
            Self::LinkDown { host } => write!(f, "link of {host} goes down"),
            Self::LinkUp { host } => write!(f, "link of {host} comes up"),
            Self::SetLink { host, access } => {
                let (up, down) = (InWords(&access.up), InWords(&access.down));
                write!(f, "link of {host} becomes up {up}, down {down}")
            }
            Self::Handover { host, profile, handover } => {
                write!(f, "{host} moves to ")?;
                if let Some(profile) = profile {
                    write!(f, "{profile}, ")?;
                }
                let addresses: Vec<String> = handover.to.addresses.iter().map(ToString::to_string).collect();
                f.write_str(&addresses.join(" and "))?;
                match handover.transition {
                    Transition::Gap(gap) => write!(f, ", after a gap of {gap:?}"),
                    Transition::Overlap(overlap) => write!(f, ", with an overlap of {overlap:?}"),
                }
            }
            Self::SetMood { server, mood } if *mood == Mood::default() => write!(f, "{server} is well again"),
            Self::SetMood { server, mood } => write!(f, "{server} {}", mood_in_words(mood)),
            Self::Reboot { server } => write!(f, "{server} reboots"),
            Self::Signaller { change, .. } => change.fmt(f),
        }
    }
}

/// In the words of a transcript, without the signaller's name.
impl fmt::Display for SignallerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOff { store: StoreFate::Kept } => f.write_str("loses power; its store is on a disk"),
            Self::PowerOff { store: StoreFate::Lost } => f.write_str("loses power, and its store with it"),
            Self::PowerOn => f.write_str("has power again"),
            Self::Restart => f.write_str("restarts"),
            Self::SetFaults(faults) => match faults.len() {
                0 => f.write_str("nothing goes wrong any more"),
                1 => f.write_str("another fault from here on"),
                count => write!(f, "{count} other faults from here on"),
            },
        }
    }
}

/// As a verb: `holds`, `shares its screen`.
impl fmt::Display for InCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold => f.write_str("holds"),
            Self::Resume => f.write_str("resumes"),
            Self::SwitchCamera(facing_mode) => write!(f, "switches to the {facing_mode} camera"),
            Self::ShareScreen => f.write_str("shares its screen"),
            Self::StopScreen => f.write_str("stops sharing its screen"),
            Self::SendData { delivery, count, bytes } => {
                write!(f, "sends {count} {delivery} messages of {bytes} bytes")
            }
            Self::LosePermission => f.write_str("loses the permission for microphone and camera"),
        }
    }
}

const fn turns(state: Enabled) -> &'static str {
    match state {
        Enabled::Yes => "enables",
        Enabled::No => "disables",
    }
}

fn mood_in_words(mood: &Mood) -> String {
    let mut words = Vec::new();
    if mood.liveness == Liveness::Dead {
        words.push("is dead".to_owned());
    }
    if !mood.delay.is_zero() {
        words.push(format!("answers {:?} late", mood.delay));
    }
    if mood.credentials == CredentialPolicy::Rejected {
        words.push("rejects all credentials".to_owned());
    }
    if mood.ports == PortSupply::Exhausted {
        words.push("has no ports left".to_owned());
    }
    if let Some(lifetime) = mood.nonce_lifetime {
        words.push(format!("gives nonces for {lifetime:?}"));
    }
    words.join(", ")
}
