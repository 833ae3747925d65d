use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    CandidateFate, CandidateRef, Cause, Machine, MediaChange, MediaKind, MessageKind, MessageRef, Name,
    Needed, PacketRecord, State, StreamChange, TrackChange, Trickle, VirtualTime, transition,
};

/// Everything that was seen in one run, in the order in which it happened.
///
/// In files it is an object with `version`, `entries` and `packets`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

/// A text that is mostly one of the program's own.
type Text = Cow<'static, str>;

/// What can happen to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A state machine moved.
    #[serde(with = "transition")]
    Transition {
        /// The state it left.
        from: State,
        /// The state it entered, of the same machine.
        to: State,
        /// What made it move, where that is known.
        cause: Option<Cause>,
    },
    /// A signalling message was handed to the transport.
    MessageSent {
        /// The sender's number for it.
        id: u64,
        /// Its type.
        kind: MessageKind,
        /// The participant it is for.
        to: Name,
        /// What tells it from others of its type: a reason, a candidate's summary. Never an SDP body.
        detail: Text,
    },
    /// A signalling message arrived.
    MessageReceived {
        /// The sender's number for it.
        id: u64,
        /// Its type.
        kind: MessageKind,
        /// The participant who sent it.
        from: Name,
        /// As for [`Event::MessageSent`].
        detail: Text,
    },
    /// A signalling server did something to a message other than pass it on at once.
    MessageHeld {
        /// The sender's number for it.
        id: u64,
        /// Its type.
        kind: MessageKind,
        /// Who sent it.
        from: Name,
        /// Who is to get it.
        to: Name,
        /// How long the server keeps it back, in milliseconds.
        for_ms: u64,
    },
    /// An ICE candidate, or the end of them, was gathered, held back, applied or rejected.
    Candidate {
        /// What became of it.
        fate: CandidateFate,
        /// Which one.
        candidate: Trickle,
        /// The message that brought it; `None` for one that was gathered, or that came without a message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageRef>,
        /// Why it was rejected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Text>,
    },
    /// `icecandidateerror` (W3C webrtc-pc §5.7.4).
    CandidateError {
        /// The server.
        url: Text,
        /// The STUN error code, or 701 for a server that cannot be reached.
        code: u16,
        /// The error's text.
        text: Text,
    },
    /// ICE selected a candidate pair (W3C webrtc-pc §5.6.1, `selectedcandidatepairchange`).
    PairSelected {
        /// The local candidate.
        local: CandidateRef,
        /// The remote candidate.
        remote: CandidateRef,
    },
    /// `negotiationneeded` fired (W3C webrtc-pc §4.7.3).
    NegotiationNeeded {
        /// What the engine made of it.
        verdict: Needed,
    },
    /// A remote track was announced (`track`, W3C webrtc-pc §5.7) or ended.
    Track {
        /// Which of the two.
        change: TrackChange,
        /// Audio or video.
        kind: MediaKind,
    },
    /// A remote stream appeared or went (the call guide's `addstream` and `removestream`).
    Stream {
        /// Which of the two.
        change: StreamChange,
        /// The stream's id.
        id: Text,
    },
    /// Media arrived decrypted: the first of its kind, or the first after a pause.
    Media {
        /// Audio or video.
        kind: MediaKind,
        /// What happened to it.
        change: MediaChange,
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
        /// The selected candidate pair, local and remote, where there is one.
        pair: Option<(CandidateRef, CandidateRef)>,
    },
    /// A step of the script was carried out for this actor.
    Action {
        /// The step in words.
        what: Text,
    },
    /// The network changed: a link went down or up, or got other properties.
    Fault {
        /// The change in words.
        what: Text,
    },
    /// Something went wrong that does not end the call by itself.
    Problem {
        /// The error's text.
        what: Text,
    },
    /// Anything else worth a line.
    Note {
        /// The line.
        what: Text,
    },
}

impl Timeline {
    /// The version of its form in files.
    pub const VERSION: u64 = 2;

    /// Puts entries into one order: by time, and at one instant as they were recorded.
    pub fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.at);
    }

    /// The states that one machine of one actor entered, oldest first.
    pub fn transitions<'a>(
        &'a self,
        actor: &'a Name,
        machine: Machine,
    ) -> impl Iterator<Item = (VirtualTime, State)> + 'a {
        self.entries.iter().filter_map(move |entry| match &entry.event {
            Event::Transition { to, .. } if to.machine() == machine && entry.actor == *actor => {
                Some((entry.at, *to))
            }
            _ => None,
        })
    }

    /// When one actor first entered this state, whatever the reason of an end.
    pub fn first(&self, actor: &Name, state: State) -> Option<VirtualTime> {
        self.transitions(actor, state.machine()).find(|(_, to)| to.is_same(state)).map(|(at, _)| at)
    }
}

impl Serialize for Timeline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'w> {
            version: u64,
            entries: &'w [Entry],
            packets: &'w [PacketRecord],
        }
        Written { version: Self::VERSION, entries: &self.entries, packets: &self.packets }
            .serialize(serializer)
    }
}

/// Refuses another version; `capture` reads version 1 as well.
impl<'de> Deserialize<'de> for Timeline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            version: u64,
            entries: Vec<Entry>,
            packets: Vec<PacketRecord>,
        }
        let Written { version, entries, packets } = Written::deserialize(deserializer)?;
        if version != Self::VERSION {
            let known = Self::VERSION;
            return Err(D::Error::custom(format!("version {version} of a timeline, and {known} is known")));
        }
        Ok(Self { entries, packets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallState, EndReason, IceState, render::sample};

    fn written(event: Event) -> String {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
        text
    }

    #[test]
    fn a_transition_names_its_machine_once_and_the_reason_of_an_end() {
        let ice = |state| State::Ice(state);
        assert_eq!(
            written(Event::Transition { from: ice(IceState::New), to: ice(IceState::Checking), cause: None }),
            r#"{"event":"transition","machine":"ice","from":"new","to":"checking"}"#
        );
        assert_eq!(
            written(Event::Transition {
                from: State::Call(CallState::Connected),
                to: State::Call(CallState::Ended(EndReason::HungUp)),
                cause: Some(Cause::HangUp),
            }),
            r#"{"event":"transition","machine":"call","from":"connected","to":"ended","reason":"hung-up","cause":"hang-up"}"#
        );
    }

    #[test]
    fn a_state_of_another_machine_and_an_end_without_a_reason_are_refused() {
        for (machine, to) in [("ice", "stable"), ("call", "ended")] {
            let text =
                format!(r#"{{"event":"transition","machine":"{machine}","from":"connected","to":"{to}"}}"#);
            assert!(serde_json::from_str::<Event>(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_timeline_is_read_as_it_was_written_and_another_version_is_refused() {
        let text = serde_json::to_string(&sample()).unwrap();
        assert!(text.starts_with(r#"{"version":2,"entries":["#), "{text}");
        assert_eq!(serde_json::from_str::<Timeline>(&text).unwrap(), sample());
        let newer = text.replacen("\"version\":2", "\"version\":3", 1);
        let error = serde_json::from_str::<Timeline>(&newer).unwrap_err().to_string();
        assert!(error.contains("version 3"), "{error}");
    }
}
