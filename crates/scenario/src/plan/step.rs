use std::{fmt, time::Duration};

use stage::Command;
use timeline::Name;

use super::{
    Access, CredentialPolicy, FaultsPlan, Handover, Liveness, Mood, PortSupply, StoreFate, Transition,
    network::InWords,
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
pub enum Action {
    /// A peer is asked to do something.
    Command {
        /// Which.
        peer: Name,
        /// What.
        command: Command,
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

impl Action {
    /// `peer` is asked to do this.
    pub fn command(peer: impl Into<Name>, command: Command) -> Self {
        Self::Command { peer: peer.into(), command }
    }

    /// Who acts, or whose access changes.
    pub const fn subject(&self) -> &Name {
        match self {
            Self::Command { peer, .. } => peer,
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
            Self::Command { command, .. } => command.fmt(f),
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
