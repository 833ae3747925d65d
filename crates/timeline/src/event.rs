use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::{Name, PacketRecord, VirtualTime};

/// Everything that was seen in one run, in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// What participants, servers and the script did, oldest first.
    pub entries: Vec<Entry>,
    /// What the hosts put on the wire, in the order of sending.
    pub packets: Vec<PacketRecord>,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened.
    pub at: VirtualTime,
    /// To whom: a participant, a server, or `network`.
    pub actor: Name,
    /// What it was.
    #[serde(flatten)]
    pub event: Event,
}

/// A text that is mostly one of the program's own words.
type Word = Cow<'static, str>;

/// What can happen to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A state machine moved.
    Transition {
        /// Which one.
        machine: Machine,
        /// The state it left.
        from: Word,
        /// The state it entered.
        to: Word,
        /// What made it move, where that is known.
        cause: Word,
    },
    /// A signalling message was handed to the transport.
    MessageSent {
        /// Its type: `offer`, `candidate`, …
        kind: Word,
        /// The participant it is for.
        to: Name,
        /// What tells it from others of its type: a reason, a candidate's summary. Never an SDP body.
        detail: Word,
    },
    /// A signalling message arrived.
    MessageReceived {
        /// Its type.
        kind: Word,
        /// The participant who sent it.
        from: Name,
        /// As for [`Event::MessageSent`].
        detail: Word,
    },
    /// A signalling server did something to a message other than pass it on at once.
    MessageHeld {
        /// Its type.
        kind: Word,
        /// Who sent it.
        from: Name,
        /// Who is to get it.
        to: Name,
        /// How long the server keeps it back, in milliseconds.
        for_ms: u64,
    },
    /// An ICE candidate was gathered, held back, applied or rejected.
    Candidate {
        /// What became of it.
        fate: CandidateFate,
        /// Type, protocol and address: `host udp 10.0.0.1:50000`.
        candidate: Word,
    },
    /// `icecandidateerror` (W3C webrtc-pc §5.7.4).
    CandidateError {
        /// The server's URL, the code and its text.
        detail: Word,
    },
    /// ICE selected a candidate pair (W3C webrtc-pc §5.6.1, `selectedcandidatepairchange`).
    PairSelected {
        /// The local candidate: `srflx udp 203.0.113.1:50000`.
        local: Word,
        /// The remote candidate.
        remote: Word,
    },
    /// `negotiationneeded` fired (W3C webrtc-pc §4.7.3).
    NegotiationNeeded {
        /// What the engine made of it: `offer`, `coalesced`, `deferred`, `ignored`.
        verdict: Word,
    },
    /// A remote track was announced (`track`, W3C webrtc-pc §5.7) or ended.
    Track {
        /// `added` or `ended`.
        change: Word,
        /// `audio` or `video`.
        kind: Word,
    },
    /// A remote stream appeared or went (the call guide's `addstream` and `removestream`).
    Stream {
        /// `added` or `removed`.
        change: Word,
        /// The stream's id.
        id: Word,
    },
    /// Media arrived decrypted: the first of its kind, or the first after a pause.
    Media {
        /// `audio` or `video`.
        kind: Word,
        /// `first frame`, `resumed`, `paused`.
        change: Word,
    },
    /// A sample of the statistics (W3C webrtc-stats).
    Statistics {
        /// `currentRoundTripTime` of the selected pair, in milliseconds, where it is known.
        round_trip_ms: Option<u64>,
        /// What was sent since the sample before, in bits a second.
        sent_bps: u64,
        /// What arrived since the sample before, in bits a second.
        received_bps: u64,
        /// RTP packets that were lost on the way here since the call began.
        packets_lost: i64,
        /// The selected candidate pair: `host udp 10.0.0.1:50000 and host udp 10.0.0.2:50000`.
        pair: Word,
    },
    /// A step of the script was carried out for this actor.
    Action {
        /// The step in words.
        what: Word,
    },
    /// The network changed: a link went down or up, or got other properties.
    Fault {
        /// The change in words.
        what: Word,
    },
    /// Something went wrong that does not end the call by itself.
    Problem {
        /// The error's text.
        what: Word,
    },
    /// Anything else worth a line.
    Note {
        /// The line.
        what: Word,
    },
}

/// The state machines of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// The call as its user sees it.
    Call,
    /// `RTCSignalingState` (W3C webrtc-pc §4.3.1).
    Signaling,
    /// `RTCIceGatheringState` (§4.3.2).
    Gathering,
    /// `RTCIceConnectionState` (§4.3.4).
    Ice,
    /// `RTCPeerConnectionState` (§4.3.3).
    Connection,
}

impl Machine {
    /// All machines, in the order in which a call first moves them.
    pub const ALL: [Self; 5] = [Self::Call, Self::Signaling, Self::Gathering, Self::Ice, Self::Connection];

    /// The name used in files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Signaling => "signaling",
            Self::Gathering => "gathering",
            Self::Ice => "ice",
            Self::Connection => "connection",
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What became of an ICE candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CandidateFate {
    /// The local agent found it.
    Gathered,
    /// It came before the remote description and waits for it.
    Held,
    /// `addIceCandidate` took it.
    Applied,
    /// `addIceCandidate` refused it.
    Rejected,
}

impl CandidateFate {
    /// The word used in files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gathered => "gathered",
            Self::Held => "held",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for CandidateFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Timeline {
    /// Puts entries into one order: by time, and at one instant as they were recorded.
    pub fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.at);
    }

    /// The transitions of one machine of one actor, oldest first.
    pub fn transitions<'a>(
        &'a self,
        actor: &'a Name,
        machine: Machine,
    ) -> impl Iterator<Item = (VirtualTime, &'a str)> + 'a {
        self.entries.iter().filter_map(move |entry| match &entry.event {
            Event::Transition { machine: found, to, .. } if *found == machine && entry.actor == *actor => {
                Some((entry.at, to.as_ref()))
            }
            _ => None,
        })
    }

    /// When one machine of one actor first entered `state`.
    pub fn first(&self, actor: &Name, machine: Machine, state: &str) -> Option<VirtualTime> {
        self.transitions(actor, machine).find(|(_, to)| *to == state).map(|(at, _)| at)
    }
}
