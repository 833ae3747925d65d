//! The states of a call and of its peer connection, one type for each state machine.

use std::fmt;

use crate::words;

words! {
    /// The state machines of a call, in the order in which a call first moves them.
    pub enum Machine {
        /// The call as its user sees it.
        Call = "call",
        /// `RTCSignalingState` (W3C webrtc-pc §4.3.1).
        Signaling = "signaling",
        /// `RTCIceGatheringState` (§4.3.2).
        Gathering = "gathering",
        /// `RTCIceConnectionState` (§4.3.4).
        Ice = "ice",
        /// `RTCPeerConnectionState` (§4.3.3).
        Connection = "connection",
    }
}

words! {
    /// `RTCSignalingState` (W3C webrtc-pc §4.3.1).
    pub enum SignalingState {
        /// No offer or answer is in flight.
        Stable = "stable",
        /// A local offer was applied.
        HaveLocalOffer = "have-local-offer",
        /// A remote offer was applied.
        HaveRemoteOffer = "have-remote-offer",
        /// A remote offer and a local provisional answer were applied.
        HaveLocalPranswer = "have-local-pranswer",
        /// A local offer and a remote provisional answer were applied.
        HaveRemotePranswer = "have-remote-pranswer",
        /// The peer connection is closed.
        Closed = "closed",
    }
}

words! {
    /// `RTCIceGatheringState` (W3C webrtc-pc §4.3.2).
    pub enum GatheringState {
        /// Nothing was gathered yet.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// Gathering has finished.
        Complete = "complete",
    }
}

words! {
    /// `RTCIceConnectionState` (W3C webrtc-pc §4.3.4).
    pub enum IceState {
        /// No candidate pair was checked yet.
        New = "new",
        /// Pairs are being checked.
        Checking = "checking",
        /// There is a usable pair.
        Connected = "connected",
        /// There is a usable pair, and no other is checked any more.
        Completed = "completed",
        /// The last checks were not answered.
        Disconnected = "disconnected",
        /// No pair is usable.
        Failed = "failed",
        /// The peer connection is closed.
        Closed = "closed",
    }
}

words! {
    /// `RTCPeerConnectionState` (W3C webrtc-pc §4.3.3).
    pub enum ConnectionState {
        /// Neither ICE nor DTLS has begun.
        New = "new",
        /// ICE or DTLS is connecting.
        Connecting = "connecting",
        /// ICE and DTLS are connected.
        Connected = "connected",
        /// ICE is disconnected.
        Disconnected = "disconnected",
        /// ICE or DTLS failed.
        Failed = "failed",
        /// The peer connection is closed.
        Closed = "closed",
    }
}

/// The state of a call, for one participant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallState {
    /// There is no call.
    #[default]
    Idle,
    /// The caller asks for devices and rings; nobody has answered yet, not even the callee's device.
    Dialling,
    /// The callee's device rings.
    Ringing,
    /// Accepted: offer, answer and candidates are on their way, ICE and DTLS run.
    Connecting,
    /// `connectionState` is `connected`: media can flow.
    Connected,
    /// It was connected, and the connection is being recovered.
    Reconnecting,
    /// Over, for the reason it carries.
    Ended(EndReason),
}

words! {
    /// Why a call ended. Where both sides can know, both have the same one.
    pub enum EndReason {
        /// One side hung up after the call was accepted.
        HungUp = "hung-up",
        /// The caller gave up while it rang.
        Cancelled = "cancelled",
        /// The callee declined.
        Declined = "declined",
        /// The callee was in another call.
        Busy = "busy",
        /// Nobody answered in time.
        NoAnswer = "no-answer",
        /// `getUserMedia` was refused (`NotAllowedError`), at either side.
        PermissionDenied = "permission-denied",
        /// `getUserMedia` found no such device (`NotFoundError`), at either side.
        DeviceMissing = "device-missing",
        /// Accepted, but not connected in time.
        ConnectTimeout = "connect-timeout",
        /// `connectionState` became `failed` before it was ever `connected`.
        ConnectionFailed = "connection-failed",
        /// `connectionState` became `failed` after it had been `connected`, and could not be recovered: the path is
        /// gone, or the other side vanished.
        ConnectionLost = "connection-lost",
        /// The signalling transport closed for good before the call was connected, or while it was being recovered.
        SignalingLost = "signaling-lost",
        /// A description could not be made or applied, or the peer could not be built.
        NegotiationFailed = "negotiation-failed",
        /// The permission to use microphone or camera was taken back during the call.
        PermissionLost = "permission-lost",
        /// The participant's application was shut down.
        ShutDown = "shut-down",
    }
}

/// One state of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Of the call.
    Call(CallState),
    /// Of the negotiation.
    Signaling(SignalingState),
    /// Of the gathering of candidates.
    Gathering(GatheringState),
    /// Of ICE.
    Ice(IceState),
    /// Of the peer connection as a whole.
    Connection(ConnectionState),
}

impl Machine {
    /// The machines of a peer connection (W3C webrtc-pc §4.3), in the order in which a call first moves them.
    pub const OF_A_PEER: [Self; 4] = [Self::Signaling, Self::Gathering, Self::Ice, Self::Connection];

    /// The words of its states, in the order in which a call passes them.
    pub const fn states(self) -> &'static [&'static str] {
        match self {
            Self::Call => CallState::WORDS,
            Self::Signaling => SignalingState::WORDS,
            Self::Gathering => GatheringState::WORDS,
            Self::Ice => IceState::WORDS,
            Self::Connection => ConnectionState::WORDS,
        }
    }

    /// The state before its first move (W3C webrtc-pc §4.4.2).
    pub const fn initial(self) -> State {
        match self {
            Self::Call => State::Call(CallState::Idle),
            Self::Signaling => State::Signaling(SignalingState::Stable),
            Self::Gathering => State::Gathering(GatheringState::New),
            Self::Ice => State::Ice(IceState::New),
            Self::Connection => State::Connection(ConnectionState::New),
        }
    }

    /// Its state that `word` names; `ended` with one reason of many.
    pub fn state(self, word: &str) -> Option<State> {
        match self {
            Self::Call => CallState::from_word(word).map(State::Call),
            Self::Signaling => SignalingState::from_word(word).map(State::Signaling),
            Self::Gathering => GatheringState::from_word(word).map(State::Gathering),
            Self::Ice => IceState::from_word(word).map(State::Ice),
            Self::Connection => ConnectionState::from_word(word).map(State::Connection),
        }
    }
}

impl CallState {
    /// Every state once; `Ended` with one reason of many.
    pub const ALL: &'static [Self] = &[
        Self::Idle,
        Self::Dialling,
        Self::Ringing,
        Self::Connecting,
        Self::Connected,
        Self::Reconnecting,
        Self::Ended(EndReason::HungUp),
    ];
    /// Their words, in the same order.
    pub const WORDS: &'static [&'static str] =
        &["idle", "dialling", "ringing", "connecting", "connected", "reconnecting", "ended"];

    /// The word for it, without the reason of an end.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Dialling => "dialling",
            Self::Ringing => "ringing",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Ended(_) => "ended",
        }
    }

    /// The one that `word` names; `ended` with one reason of many.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word)
    }

    /// Whether a call is under way.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Idle | Self::Ended(_))
    }

    /// Why the call ended, if it did.
    pub const fn end_reason(self) -> Option<EndReason> {
        match self {
            Self::Ended(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether both are the same state, whatever the reason of an end.
    pub fn is_same(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::Ended(_), Self::Ended(_)))
    }
}

impl State {
    /// The machine that it is a state of.
    pub const fn machine(self) -> Machine {
        match self {
            Self::Call(_) => Machine::Call,
            Self::Signaling(_) => Machine::Signaling,
            Self::Gathering(_) => Machine::Gathering,
            Self::Ice(_) => Machine::Ice,
            Self::Connection(_) => Machine::Connection,
        }
    }

    /// The word for it, without the reason of an end.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call(state) => state.as_str(),
            Self::Signaling(state) => state.as_str(),
            Self::Gathering(state) => state.as_str(),
            Self::Ice(state) => state.as_str(),
            Self::Connection(state) => state.as_str(),
        }
    }

    /// Whether both are the same state of the same machine, whatever the reason of an end.
    pub fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Call(one), Self::Call(other)) => one.is_same(other),
            (one, other) => one == other,
        }
    }
}

/// `connected`, `ended: hung-up`.
impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(reason) => f.pad(&format!("ended: {reason}")),
            other => f.pad(other.as_str()),
        }
    }
}

/// The word, and the reason of an end.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(state) => state.fmt(f),
            other => f.pad(other.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_names_its_state() {
        for machine in Machine::ALL {
            for word in machine.states() {
                let state = machine.state(word).expect("a state");
                assert_eq!((state.machine(), state.as_str()), (*machine, *word));
            }
            assert_eq!(machine.state("dancing"), None);
            assert_eq!(machine.state(machine.initial().as_str()), Some(machine.initial()));
        }
        assert!(CallState::ALL.iter().map(|state| state.as_str()).eq(CallState::WORDS.iter().copied()));
    }

    #[test]
    fn an_end_shows_its_reason_and_is_compared_without() {
        let [busy, lost] = [EndReason::Busy, EndReason::ConnectionLost].map(CallState::Ended);
        assert_eq!(State::Call(busy).to_string(), "ended: busy");
        assert_eq!((busy.as_str(), busy.end_reason()), ("ended", Some(EndReason::Busy)));
        assert!(busy.is_same(lost) && State::Call(busy).is_same(State::Call(lost)));
        assert!(!busy.is_same(CallState::Idle));
        assert!(!State::Ice(IceState::Failed).is_same(State::Connection(ConnectionState::Failed)));
    }
}
