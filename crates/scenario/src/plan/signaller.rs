use std::{net::IpAddr, time::Duration};

use signaller::{
    Kind,
    client::FallbackSettings,
    http::HttpLimits,
    relay::{EndpointFaults, FaultRule, Limits},
};
use timeline::Name;

use super::{Access, Device};
use crate::words::words;

/// The signalling server, its network and its moods.
#[derive(Clone, Debug, PartialEq)]
pub struct SignallerPlan {
    /// Its host's addresses, at least one.
    pub addresses: Vec<IpAddr>,
    /// Its way into the network.
    pub access: Access,
    /// How long it takes over a message.
    pub device: Device,
    /// How peers reach it that do not say otherwise.
    pub transport: TransportPlan,
    /// Whom it admits.
    pub admission: Admission,
    /// Messages that it keeps back; the first entry that fits a message decides.
    pub delays: Vec<DelayPlan>,
    /// What goes wrong from the beginning of the run.
    pub faults: FaultsPlan,
    /// What it keeps at most.
    pub limits: Limits,
    /// What its WebSocket and REST endpoints allow.
    pub http: HttpLimits,
}

words! {
    /// How a peer reaches the signaller.
    pub enum TransportPlan {
        /// Framed messages on a TCP stream, without acknowledgements: what was written to a connection that then
        /// dies is lost.
        Stream = "stream",
        /// A WebSocket (RFC 6455), and nothing else where none gets through.
        WebSocket = "websocket",
        /// REST requests with long polls.
        Rest = "rest",
        /// A WebSocket, and REST while none gets through.
        WebSocketWithFallback = "websocket-with-fallback",
    }
}

impl TransportPlan {
    /// What is used where a file says nothing.
    pub const DEFAULT: Self = Self::Stream;
}

/// Whom the signaller admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Everybody, under any name.
    Open,
    /// Holders of a token for the script's call, each under the name that stands in it.
    Token {
        /// How long the tokens are valid, from the beginning of the run.
        lifetime: Duration,
    },
}

words! {
    /// Which token a peer holds, where the signaller wants one.
    pub enum TokenHeld {
        /// One for the script's call, under the peer's own name.
        Valid = "valid",
        /// None.
        Missing = "missing",
        /// One whose time was over before the run began.
        Expired = "expired",
        /// One that somebody signed who does not know the secret.
        Forged = "forged",
        /// One for another call.
        OfAnotherCall = "of-another-call",
        /// The one of the script's caller.
        Stolen = "stolen",
    }
}

/// How one peer reaches the signaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalingPlan {
    /// Over what; as the signaller's plan says if `None`.
    pub transport: Option<TransportPlan>,
    /// Which token it holds.
    pub token: TokenHeld,
    /// How long it waits for what, and how much it keeps. Of these, `ways` follows from the transport.
    pub client: FallbackSettings,
}

impl Default for SignalingPlan {
    /// As the signaller's plan says, with a valid token and the client's own defaults.
    fn default() -> Self {
        Self { transport: None, token: TokenHeld::Valid, client: FallbackSettings::default() }
    }
}

/// Keeps messages of one kind back at the signaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelayPlan {
    /// Which kind.
    pub message: Kind,
    /// Only those of this sender; of everybody if `None`.
    pub from: Option<Name>,
    /// Only the `nth` of its sender, counted from 1; all if `None`.
    pub nth: Option<u32>,
    /// For how long.
    pub by: Duration,
}

/// What goes wrong with the signalling, in the words of [`signaller::relay`]: the first rule that fits
/// decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultsPlan {
    /// With messages that the signaller has accepted.
    pub messages: Vec<FaultRule>,
    /// With WebSockets and REST requests.
    pub endpoints: EndpointFaults,
}

impl FaultsPlan {
    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.messages.len() + self.endpoints.websocket.len() + self.endpoints.rest.len()
    }

    /// Adds the rules of another one behind its own.
    pub(crate) fn append(&mut self, other: &Self) {
        self.messages.extend(other.messages.iter().cloned());
        self.endpoints.websocket.extend(other.endpoints.websocket.iter().cloned());
        self.endpoints.rest.extend(other.endpoints.rest.iter().cloned());
    }

    /// Whether nothing goes wrong.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What becomes of the signaller's store when its machine loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFate {
    /// It is on a disk, and there again with the power.
    Kept,
    /// It was in memory: messages that were confirmed and not yet delivered are gone.
    Lost,
}

words! {
    /// The messages that can go wrong at the signaller.
    pub enum FaultyMessage {
        /// Whatever peers send to each other.
        Any = "any",
        /// A call starts: the callee's bell.
        Ring = "ring",
        /// It rings at the callee.
        Ringing = "ringing",
        /// The callee takes the call.
        Accept = "accept",
        /// The callee does not take the call.
        Reject = "reject",
        /// An SDP offer (RFC 9429).
        Offer = "offer",
        /// An SDP answer.
        Answer = "answer",
        /// A trickled ICE candidate (RFC 8838).
        Candidate = "candidate",
        /// No more candidates (RFC 8838 §13).
        EndOfCandidates = "end-of-candidates",
        /// Either side leaves the call.
        Bye = "bye",
    }
}

words! {
    /// The signalling messages that a scenario can name.
    pub enum MessageKind {
        /// A peer makes itself known to the relay.
        Join = "join",
        /// A call starts: the callee's bell.
        Ring = "ring",
        /// The callee takes the call.
        Accept = "accept",
        /// The callee does not take the call.
        Reject = "reject",
        /// An SDP offer (RFC 9429).
        Offer = "offer",
        /// An SDP answer.
        Answer = "answer",
        /// A trickled ICE candidate (RFC 8838).
        Candidate = "candidate",
        /// No more candidates (RFC 8838 §13).
        EndOfCandidates = "end-of-candidates",
        /// Either side leaves the call.
        Bye = "bye",
        /// The relay could not do what was asked.
        Error = "error",
    }
}
