//! The sightings of one message, joined.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{
    calls::{CallParts, Place},
    participants::{Participants, Side, identities, identity},
    sighting::{Holder, Sighting, Stage},
    twins::Twins,
};
use crate::{
    moment::Moment,
    reader::{Format, Recording},
    sdp::Description,
    trace::{ApiCall, CallResult, Method, PeerEvent, Signal, SignalKind},
};

/// One message with all its sightings, each on the clock of its recording.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) signal: Signal,
    /// The sender; `None` for the server.
    pub(super) from: Option<usize>,
    pub(super) to: Option<usize>,
    pub(super) seen: Vec<Seen>,
    pub(super) applied: Option<AppliedAt>,
    pub(super) inferred: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) stage: Stage,
    pub(super) recording: usize,
    pub(super) at: Moment,
}

#[derive(Clone, Debug)]
pub(super) struct AppliedAt {
    pub(super) recording: usize,
    pub(super) at: Moment,
    pub(super) connection: String,
    pub(super) result: CallResult,
}

type Key = (Option<usize>, String);

/// Joins all sightings of a call.
pub(super) fn join(
    parts: &CallParts<'_>,
    recordings: &[Recording],
    participants: &Participants,
    twins: &Twins,
) -> Vec<Joined> {
    let mut joiner = Joiner {
        recordings,
        participants,
        twins,
        messages: Vec::new(),
        by_key: BTreeMap::new(),
        lanes: BTreeMap::new(),
        drops: BTreeMap::new(),
    };
    let (bodiless, whole): (Vec<_>, Vec<_>) = parts
        .sightings
        .iter()
        .partition(|sighting| recordings[sighting.recording].format == Format::PageEvents);
    for sighting in whole {
        joiner.sighting(sighting);
    }
    joiner.bodiless(&bodiless);
    joiner.api(parts);
    joiner.named_calls(parts);
    joiner.messages
}

struct Joiner<'p> {
    recordings: &'p [Recording],
    participants: &'p Participants,
    /// Logs of connections that another log shows better: they help with the clocks, and no more.
    twins: &'p Twins,
    messages: Vec<Joined>,
    /// The messages of one sender that look alike, in order.
    by_key: BTreeMap<Key, Vec<usize>>,
    /// How many of a key were seen at one place.
    lanes: BTreeMap<(Key, usize, Stage, String), usize>,
    drops: BTreeMap<(Key, usize), usize>,
}

impl<'p> Joiner<'p> {
    fn sighting(&mut self, sighting: &Sighting<'_>) {
        let key = self.key(sighting);
        let holder = match sighting.holder {
            Holder::Socket(socket) => format!("socket {socket}"),
            Holder::Name(name) => name.to_owned(),
        };
        let drop_key = (key.clone(), sighting.recording);
        let dropped = self.drops.get(&drop_key).copied().unwrap_or(0);
        let ordinal = match sighting.stage {
            Stage::Dropped => {
                let lane = (key.clone(), sighting.recording, Stage::RelayIn, holder);
                *self.drops.entry(drop_key).or_default() += 1;
                self.lanes.get(&lane).copied().unwrap_or(1).saturating_sub(1)
            }
            stage => {
                let lane = self.lanes.entry((key.clone(), sighting.recording, stage, holder)).or_default();
                *lane += 1;
                // A message that the server dropped is passed on by nobody.
                *lane - 1 + if stage == Stage::RelayOut { dropped } else { 0 }
            }
        };
        let index = self.nth(&key, ordinal, sighting);
        self.see(index, sighting);
    }

    /// The nth message with this key, made where there are fewer.
    fn nth(&mut self, key: &Key, ordinal: usize, sighting: &Sighting<'_>) -> usize {
        let known = self.by_key.get(key).map_or(0, Vec::len);
        let place = ordinal.min(known);
        if place == known {
            self.by_key.entry(key.clone()).or_default().push(self.messages.len());
            self.messages.push(Joined {
                signal: sighting.signal.clone(),
                from: key.0,
                to: self.addressee(sighting),
                seen: Vec::new(),
                applied: None,
                inferred: false,
            });
        }
        self.by_key[key][place]
    }

    fn see(&mut self, index: usize, sighting: &Sighting<'_>) {
        let to = self.addressee(sighting);
        let message = &mut self.messages[index];
        message.seen.push(Seen { stage: sighting.stage, recording: sighting.recording, at: sighting.at });
        message.to = message.to.or(to);
        let (own, other) = (&mut message.signal, sighting.signal);
        // One place may have logged more of it than another.
        for (own, other) in [
            (&mut own.call, &other.call),
            (&mut own.from, &other.from),
            (&mut own.to, &other.to),
            (&mut own.reason, &other.reason),
        ] {
            if own.is_none() {
                own.clone_from(other);
            }
        }
    }

    fn key(&self, sighting: &Sighting<'_>) -> Key {
        let signal = sighting.signal;
        let author = match is_from_server(&signal.kind) {
            true => None,
            false => self.participants.author(sighting),
        };
        let identity = identity(signal).unwrap_or_else(|| {
            let mid = signal.candidate.as_ref().and_then(|end| end.mid.clone()).unwrap_or_default();
            // What the server says to two of them is not one message.
            let to = if author.is_none() {
                format!("{:?}", self.participants.holder(sighting))
            } else {
                String::new()
            };
            format!("{}|{}|{mid}|{to}", signal.kind, signal.summary())
        });
        (author, identity)
    }

    fn addressee(&self, sighting: &Sighting<'_>) -> Option<usize> {
        match is_to_server(&sighting.signal.kind) {
            true => None,
            false => self.participants.addressee(sighting),
        }
    }

    /// Logs without bodies: the nth offer that alice's page says it sent is the nth offer of alice.
    fn bodiless(&mut self, sightings: &[&Sighting<'_>]) {
        type Group = (Option<usize>, &'static str, String);
        let mut lanes: BTreeMap<(Group, Stage), usize> = BTreeMap::new();
        let mut known: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
        for (index, message) in self.messages.iter().enumerate() {
            known.entry(group(message.from, &message.signal.kind)).or_default().push(index);
        }
        for sighting in sightings {
            let author = match is_from_server(&sighting.signal.kind) {
                true => None,
                false => self.participants.author(sighting),
            };
            let group = group(author, &sighting.signal.kind);
            let lane = lanes.entry((group.clone(), sighting.stage)).or_default();
            let ordinal = *lane;
            *lane += 1;
            let same = known.entry(group).or_default();
            if ordinal >= same.len() {
                same.push(self.messages.len());
                self.messages.push(Joined {
                    signal: sighting.signal.clone(),
                    from: author,
                    to: self.addressee(sighting),
                    seen: Vec::new(),
                    applied: None,
                    inferred: false,
                });
            }
            let index = same[ordinal.min(same.len() - 1)];
            self.see(index, sighting);
        }
    }

    /// What the connections made and applied.
    fn api(&mut self, parts: &CallParts<'_>) {
        let events = api_events(parts, self.recordings);
        let relay_watches = parts.sightings.iter().any(|sighting| matches!(sighting.holder, Holder::Name(_)));
        let mut ordinals: BTreeMap<(Side, String, Place), usize> = BTreeMap::new();
        let mut applied: BTreeMap<(String, Place), (&Description, bool)> = BTreeMap::new();
        let mut made: BTreeMap<&str, &ApiEvent<'_>> = BTreeMap::new();
        for event in events.iter().filter(|event| event.side == Side::Made) {
            made.entry(&event.identity).or_insert(event);
        }
        for event in &events {
            let owner = self.participants.of_connection(event.place);
            let author = match event.side {
                Side::Made => Some(owner),
                Side::Applied => self
                    .participants
                    .author_of(&event.identity)
                    .filter(|author| *author != owner)
                    .or_else(|| self.participants.other_than(owner)),
            };
            let key = (author, event.identity.clone());
            let ordinal = ordinals.entry((event.side, event.identity.clone(), event.place)).or_default();
            let place = *ordinal;
            *ordinal += 1;
            let unseen = !relay_watches && !self.participants.has_socket(owner);
            // Where nobody watched the signalling, what was made is taken as sent.
            let will_infer = event.side == Side::Applied || unseen;
            let known = self.by_key.get(&key).map_or(0, Vec::len);
            let before = event.description().and_then(|now| {
                let succeeded = !matches!(event.result, CallResult::Failed(_));
                applied.insert((event.identity.clone(), event.place), (now, succeeded))
            });
            // Some servers do not count the versions of their descriptions: another body is another message, and so is
            // the same one that was applied already.
            let differs = before
                .zip(event.description())
                .is_some_and(|((before, succeeded), now)| succeeded || !before.says_the_same(now));
            let is_new = differs && unseen && !made.contains_key(event.identity.as_str());
            if known == 0 && !will_infer && event.side == Side::Made {
                continue;
            }
            let index = match self.by_key.get(&key).and_then(|all| all.get(place)) {
                Some(index) => *index,
                None if (known == 0 && will_infer) || is_new => {
                    self.infer(&key, owner, event, made.get(event.identity.as_str()).copied())
                }
                None => continue,
            };
            self.note_api(index, event);
        }
    }

    fn infer(&mut self, key: &Key, owner: usize, event: &ApiEvent<'_>, made: Option<&ApiEvent<'_>>) -> usize {
        let index = self.messages.len();
        self.by_key.entry(key.clone()).or_default().push(index);
        let (from, to) = match event.side {
            Side::Made => (Some(owner), self.participants.other_than(owner)),
            Side::Applied => (key.0, Some(owner)),
        };
        let mut seen = Vec::new();
        // What was applied here was made there, if that was captured.
        if let Some(made) = made.filter(|made| made.place != event.place || event.side == Side::Made) {
            seen.push(Seen { stage: Stage::Sent, recording: made.place.0, at: made.done });
        }
        self.messages.push(Joined { signal: event.signal(), from, to, seen, applied: None, inferred: true });
        index
    }

    fn note_api(&mut self, index: usize, event: &ApiEvent<'_>) {
        let message = &mut self.messages[index];
        match event.side {
            Side::Made => {
                message.seen.push(Seen { stage: Stage::Made, recording: event.place.0, at: event.at })
            }
            Side::Applied => {
                if self.twins.contains_key(&event.place) {
                    message.seen.push(Seen { stage: Stage::Applied, recording: event.place.0, at: event.at });
                    return;
                }
                message.applied.get_or_insert_with(|| AppliedAt {
                    recording: event.place.0,
                    at: event.at,
                    connection: event.key.to_owned(),
                    result: event.result.clone(),
                });
                message.seen.push(Seen { stage: Stage::Applied, recording: event.place.0, at: event.at });
            }
        }
    }

    /// Connections whose log holds no bodies: the nth remote offer that was set is the nth that was received.
    /// Of candidates such a log may hold a summary.
    fn named_calls(&mut self, parts: &CallParts<'p>) {
        let mut waiting: BTreeMap<(usize, usize, String), VecDeque<usize>> = BTreeMap::new();
        for (index, message) in self.messages.iter().enumerate() {
            let received = message.seen.iter().find(|seen| seen.stage == Stage::Received);
            if let (Some(received), Some(to), None) = (received, message.to, &message.applied) {
                let detail =
                    message.signal.detail.as_deref().filter(|_| message.signal.kind == SignalKind::Candidate);
                let word = detail.unwrap_or(message.signal.kind.as_str()).to_owned();
                waiting.entry((received.recording, to, word)).or_default().push_back(index);
            }
        }
        for place in parts.connections.iter().filter(|place| !self.twins.contains_key(place)) {
            let log = &self.recordings[place.0].connections[place.1];
            let owner = self.participants.of_connection(*place);
            for (at, event) in &log.entries {
                let Some((word, call)) = bodiless_call(event) else { continue };
                let index = waiting.get_mut(&(place.0, owner, word)).and_then(VecDeque::pop_front);
                if let Some(index) = index {
                    self.messages[index].applied = Some(AppliedAt {
                        recording: place.0,
                        at: *at,
                        connection: log.key.clone(),
                        result: call.result.clone(),
                    });
                }
            }
        }
    }
}

/// A call that applies a message of which the log shows no more than this word.
fn bodiless_call(event: &PeerEvent) -> Option<(String, &ApiCall)> {
    let PeerEvent::Call(call) = event else { return None };
    match call.method {
        Method::SetRemoteDescription => {
            let bare = call.description.as_ref().filter(|description| description.sdp.is_empty())?;
            Some((bare.kind.as_str().to_owned(), call))
        }
        Method::AddIceCandidate => Some((call.candidate.as_ref()?.summary(), call)),
        _ => None,
    }
}

/// Something a connection made or applied, with its identity.
struct ApiEvent<'r> {
    place: Place,
    key: &'r str,
    side: Side,
    identity: String,
    at: Moment,
    /// When the call that made it was done.
    done: Moment,
    result: CallResult,
    event: &'r PeerEvent,
}

impl<'r> ApiEvent<'r> {
    /// The description that was applied.
    fn description(&self) -> Option<&'r Description> {
        match self.event {
            PeerEvent::Call(call) if self.side == Side::Applied => call.description.as_ref(),
            _ => None,
        }
    }

    fn signal(&self) -> Signal {
        match self.event {
            PeerEvent::CandidateGathered { candidate } => {
                Signal { candidate: Some(candidate.clone()), ..Signal::of(SignalKind::Candidate) }
            }
            PeerEvent::Call(call) => match &call.description {
                Some(description) => {
                    let kind = SignalKind::from_own_word(description.kind.as_str()).unwrap_or_default();
                    Signal { description: Some(description.clone()), ..Signal::of(kind) }
                }
                None => Signal { candidate: call.candidate.clone(), ..Signal::of(SignalKind::Candidate) },
            },
            _ => Signal::default(),
        }
    }
}

fn api_events<'r>(parts: &CallParts<'_>, recordings: &'r [Recording]) -> Vec<ApiEvent<'r>> {
    let mut events: Vec<ApiEvent<'r>> = Vec::new();
    for place in &parts.connections {
        let log = &recordings[place.0].connections[place.1];
        for (at, event) in &log.entries {
            let Some((side, identity)) = identities(event) else { continue };
            let (took, result) = match event {
                PeerEvent::Call(call) => (call.took, call.result.clone()),
                _ => (None, CallResult::Succeeded),
            };
            if side == Side::Made && matches!(result, CallResult::Failed(_)) {
                continue;
            }
            let took = i64::try_from(took.unwrap_or(Duration::ZERO).as_micros()).unwrap_or(0);
            let done = at.shifted(took);
            events.push(ApiEvent {
                place: *place,
                key: &log.key,
                side,
                identity,
                at: *at,
                done,
                result,
                event,
            });
        }
    }
    // What was made comes first: what was applied refers to it, whatever the clocks say.
    events.sort_by_key(|event| (event.side == Side::Applied, event.at));
    events
}

fn group(author: Option<usize>, kind: &SignalKind) -> (Option<usize>, &'static str, String) {
    match kind {
        SignalKind::Candidate | SignalKind::EndOfCandidates => (author, "candidate", String::new()),
        other => (author, "", other.as_str().to_owned()),
    }
}

const fn is_from_server(kind: &SignalKind) -> bool {
    matches!(kind, SignalKind::Joined | SignalKind::PeerLeft | SignalKind::Error | SignalKind::Report)
}

const fn is_to_server(kind: &SignalKind) -> bool {
    matches!(kind, SignalKind::Join)
}
