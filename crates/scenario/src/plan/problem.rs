use std::time::Duration;

use timeline::Name;

/// Something that keeps a plan from being played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flaw}")]
pub struct Problem {
    /// What is wrong.
    pub flaw: Flaw,
    /// With which part of the plan.
    pub place: Place,
}

/// A part of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// All peers together.
    Peers,
    /// The host or gateway of this name, or its name.
    Host(Name),
    /// The addresses of the host of this name.
    Addresses(Name),
    /// Which peers the signaller admits.
    Admission,
    /// What goes wrong with the signalling, and what is delayed.
    Signalling,
    /// The deadline.
    Deadline,
    /// All steps together.
    Steps,
    /// This step, counted from 0.
    Step(usize),
    /// The peer that this step's action addresses, or what it says.
    Object(usize),
    /// What must hold.
    Expect,
}

/// What can be wrong with a plan whose parts are sound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Fewer than two peers.
    #[error("a call takes at least two peers, this file has {found}")]
    TooFewPeers {
        /// How many there are.
        found: usize,
    },
    /// A name that no host may have.
    #[error("`{found}` cannot be a name: {reason}")]
    BadName {
        /// The name.
        found: String,
        /// Why not.
        reason: &'static str,
    },
    /// A name that no peer, or no host, has.
    #[error("there is no {what} `{name}`")]
    UnknownName {
        /// `peer`, `host` or `ICE server`.
        what: &'static str,
        /// The name.
        name: Name,
    },
    /// Two hosts with one address, where both can be seen.
    #[error("`{host}` has the address {address}, which `{other}` already has")]
    DuplicateAddress {
        /// The later host.
        host: String,
        /// The address.
        address: String,
        /// The earlier host.
        other: String,
    },
    /// A step before the one above it.
    #[error("this step is at {found:?}, the one before it at {previous:?}: steps stand in time order")]
    StepsOutOfOrder {
        /// When it is.
        found: Duration,
        /// When the one before it is.
        previous: Duration,
    },
    /// A script without a call.
    #[error("no step dials: without a call there is nothing to see")]
    NoDial,
    /// A peer that calls itself.
    #[error("`{peer}` dials itself")]
    DialsItself {
        /// Which peer.
        peer: String,
    },
    /// A script that is longer than its run.
    #[error("the deadline, {deadline:?}, is not after the last step, at {step:?}")]
    DeadlineBeforeLastStep {
        /// The deadline.
        deadline: Duration,
        /// The last step.
        step: Duration,
    },
    /// Power that is lost or comes back where that cannot be.
    #[error("the signaller {state} at this moment already")]
    SignallerPower {
        /// What it has.
        state: &'static str,
    },
    /// Tokens are for one call.
    #[error("the signaller wants tokens for the script's call, and the script dials {dials} times")]
    TokenForOneCall {
        /// How often the script dials.
        dials: usize,
    },
    /// A token on a transport that has no place for it.
    #[error("the signaller wants tokens, and `{peer}` reaches it by `stream`, which carries none")]
    StreamWithToken {
        /// Which peer.
        peer: String,
    },
    /// Parts that do not go together.
    #[error("this cannot be: {reason}")]
    Impossible {
        /// Why not.
        reason: String,
    },
}

impl Flaw {
    /// What to do about it, where that is not obvious.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::SignallerPower { .. } => {
                Some("`power-off-…` and `power-on` take turns, and only what runs can restart")
            }
            Self::TokenForOneCall { .. } => Some("let the script dial once, or set `admission = \"open\"`"),
            Self::StreamWithToken { .. } => Some("accepted: websocket, rest, websocket-with-fallback"),
            Self::NoDial => Some("for example: `caller = { dial = \"callee\" }`"),
            _ => None,
        }
    }
}
