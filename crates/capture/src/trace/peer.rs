use serde::{Deserialize, Serialize};
use timeline::{ConnectionState, IceState, Machine, MediaKind, Name, SignalingState, State, VirtualTime};

use super::{ApiCall, Method, Outcome, PeerEvent};
use crate::candidate::CandidateType;

/// Somebody who took part in the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// The name that signalling gives; else `caller`, `callee`, `peer-3`.
    pub id: Name,
    /// Its part in the first negotiation.
    pub role: Role,
    /// Its peer connections in the order of their creation; none where only the other side, or only the
    /// signalling, was captured. An application that rebuilds a failed call makes a second one.
    pub connections: Vec<Connection>,
    /// Whether its own end of the signalling was captured (its WebSocket, or its page's log): then a message
    /// that does not show up there was not sent, or never arrived.
    pub signalling_captured: bool,
}

/// Who began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Made the first offer.
    Caller,
    /// Did not.
    Callee,
}

/// One `RTCPeerConnection`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Its name in the capture: `8-1`.
    pub key: String,
    /// The page that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How it was configured, where the capture tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
    /// When it was made, where the capture tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<VirtualTime>,
    /// What happened on it, in order.
    pub entries: Vec<Entry>,
    /// What `getStats` told, about once a second, in order.
    pub stats: Vec<StatsSample>,
}

/// One event with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: VirtualTime,
    /// What.
    #[serde(flatten)]
    pub event: PeerEvent,
}

impl Connection {
    /// The calls of the API, in order, with the time at which each began.
    pub fn calls(&self) -> impl Iterator<Item = (VirtualTime, &ApiCall)> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            PeerEvent::Call(call) => Some((entry.at, call)),
            _ => None,
        })
    }

    /// The calls of one method.
    pub fn calls_of(&self, method: Method) -> impl Iterator<Item = (VirtualTime, &ApiCall)> {
        self.calls().filter(move |(_, call)| call.method == method)
    }

    /// The transitions of one state machine.
    pub fn transitions(&self, machine: Machine) -> impl Iterator<Item = (VirtualTime, State)> {
        self.entries.iter().filter_map(move |entry| match &entry.event {
            PeerEvent::State { to } if to.machine() == machine => Some((entry.at, *to)),
            _ => None,
        })
    }

    /// When `state` was first entered.
    pub fn entered(&self, state: State) -> Option<VirtualTime> {
        self.transitions(state.machine()).find(|(_, to)| *to == state).map(|(at, _)| at)
    }

    /// When ICE first had a usable pair.
    pub(crate) fn ice_connected_at(&self) -> Option<VirtualTime> {
        self.transitions(Machine::Ice).find(|(_, state)| is_up(*state)).map(|(at, _)| at)
    }

    /// When it first `failed`, by [`Self::health`].
    pub fn failed_at(&self) -> Option<VirtualTime> {
        self.health().find(|(_, state)| is_failed(*state)).map(|(at, _)| at)
    }

    /// When the application closed it, where the capture shows that.
    pub fn closed_at(&self) -> Option<VirtualTime> {
        self.calls_of(Method::Close).map(|(at, _)| at).next()
    }

    /// The last moment of which something is known.
    pub fn ended_at(&self) -> VirtualTime {
        let entry = self.entries.iter().map(|entry| entry.at).max();
        let sample = self.stats.iter().map(|sample| sample.at).max();
        entry.max(sample).or(self.created_at).unwrap_or_default()
    }

    /// When it was first connected: by the connection state, or where the capture shows none (older
    /// browsers) by the ICE connection state.
    pub fn connected_at(&self) -> Option<VirtualTime> {
        self.health().find(|(_, state)| is_up(*state)).map(|(at, _)| at)
    }

    /// Whether a description was set on it, or tried to be. Browsers and libraries make connections that they never
    /// use.
    pub fn negotiates(&self) -> bool {
        self.calls().any(|(_, call)| {
            matches!(call.method, Method::SetLocalDescription | Method::SetRemoteDescription)
        })
    }

    /// Whether the capture began when it stood, or had failed, already: the page of webrtc-internals was opened after
    /// the call began, and shows in what state it found the connection, its descriptions among it, all at one time.
    pub fn was_found(&self) -> bool {
        let gathered = |entry: &Entry| matches!(entry.event, PeerEvent::CandidateGathered { .. });
        let mut descriptions = self.calls().filter(|(_, call)| call.description.is_some()).peekable();
        descriptions.peek().is_some()
            && descriptions.all(|(_, call)| call.took.is_none())
            && self.calls_of(Method::CreateOffer).chain(self.calls_of(Method::CreateAnswer)).next().is_none()
            && matches!(
                self.transitions(Machine::Signaling).next(),
                Some((_, State::Signaling(SignalingState::Stable | SignalingState::Closed)))
            )
            && self.transitions(Machine::Gathering).next().is_none()
            && self.transitions(Machine::Ice).count() <= 1
            && !self.entries.iter().any(gathered)
    }

    /// Whether the capture shows the states of any machine.
    pub fn shows_states(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.event, PeerEvent::State { .. }))
    }

    /// How it ended, before it was closed. Unknown where it shows no description at all.
    pub fn outcome(&self) -> Outcome {
        match self.health().map(|(_, state)| state).filter(|state| !is_closed(*state)).last() {
            Some(state) if is_up(state) => Outcome::Connected,
            Some(state) if is_failed(state) => Outcome::Failed,
            Some(state) if is_disconnected(state) && self.connected_at().is_some() => Outcome::Disconnected,
            Some(state) if is_disconnected(state) => Outcome::Failed,
            // It began again and did not come back.
            Some(_) if self.connected_at().is_some() => Outcome::Disconnected,
            // Firefox' page shows no states at all.
            _ if self.shows_states() && self.calls().any(|(_, call)| call.description.is_some()) => {
                Outcome::NeverConnected
            }
            _ => Outcome::Unknown,
        }
    }

    /// The transitions of the connection state, else of the ICE connection state.
    pub fn health(&self) -> impl Iterator<Item = (VirtualTime, State)> {
        let has_connection = self.transitions(Machine::Connection).next().is_some();
        self.transitions(if has_connection { Machine::Connection } else { Machine::Ice })
    }
}

/// Whether there is a usable pair, or a connection.
pub const fn is_up(state: State) -> bool {
    matches!(
        state,
        State::Ice(IceState::Connected | IceState::Completed) | State::Connection(ConnectionState::Connected)
    )
}

/// Whether it is `failed`, of ICE or of the connection.
pub const fn is_failed(state: State) -> bool {
    matches!(state, State::Ice(IceState::Failed) | State::Connection(ConnectionState::Failed))
}

/// Whether it is `disconnected`, of ICE or of the connection.
pub const fn is_disconnected(state: State) -> bool {
    matches!(state, State::Ice(IceState::Disconnected) | State::Connection(ConnectionState::Disconnected))
}

/// Whether it is `closed`, of any machine.
pub const fn is_closed(state: State) -> bool {
    matches!(
        state,
        State::Signaling(SignalingState::Closed)
            | State::Ice(IceState::Closed)
            | State::Connection(ConnectionState::Closed)
    )
}

/// `RTCConfiguration` (W3C webrtc-pc §4.2.1), without credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The URLs of all STUN and TURN servers.
    pub ice_servers: Vec<String>,
    /// `all` or `relay`; `None` where the capture does not tell, which means `all`.
    pub ice_transport_policy: Option<String>,
    /// `bundlePolicy`, where the capture tells.
    pub bundle_policy: Option<String>,
}

/// What `getStats` told at one moment, as far as it bears on the network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatsSample {
    /// When.
    pub at: VirtualTime,
    /// Round-trip time of the selected candidate pair, milliseconds.
    pub round_trip_ms: Option<f64>,
    /// RTP packets that arrived since the beginning, all streams.
    pub packets_received: Option<u64>,
    /// RTP packets that were lost on the way here since the beginning, all streams (RFC 3550 §6.4.1; may
    /// fall where duplicates arrive).
    pub packets_lost: Option<i64>,
    /// RTP packets that were sent since the beginning, all streams.
    pub packets_sent: Option<u64>,
    /// Whether DTLS is connected (`dtlsState` of the transport), which no call without ICE is.
    #[serde(default)]
    pub dtls_connected: bool,
    /// The counters of audio.
    #[serde(default)]
    pub audio: Flow,
    /// The counters of video.
    #[serde(default)]
    pub video: Flow,
    /// The pair in use.
    pub selected: Option<SelectedPair>,
}

/// What one kind of media has counted since the beginning: packets, or where a capture has none, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// What arrived; `None` where nothing counts it.
    pub received: Option<u64>,
    /// What was sent; `None` where nothing counts it.
    pub sent: Option<u64>,
}

impl StatsSample {
    /// The counters of one kind.
    pub const fn flow(&self, kind: MediaKind) -> Flow {
        match kind {
            MediaKind::Audio => self.audio,
            MediaKind::Video => self.video,
        }
    }
}

/// The candidate pair in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectedPair {
    /// How this side's candidate was found.
    pub local: CandidateType,
    /// How the other side's candidate was found.
    pub remote: CandidateType,
    /// `udp` or `tcp`.
    pub protocol: String,
}
