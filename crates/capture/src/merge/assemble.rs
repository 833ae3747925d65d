//! The trace of one call, from its parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use timeline::{Name, VirtualTime};

use super::{
    calls::{CallParts, Place},
    clocks::{self, Clock},
    messages::{self, Joined},
    participants::{MAX_COMPARED, Participants},
    sighting::{Holder, Stage},
    twins::{self, Twins, only_in_page_events},
};
use crate::{
    moment::Moment,
    reader::{ConnectionLog, Recording, RelayDirection},
    trace::{
        Applied, Connection, Entry, Gap, Message, Peer, PeerEvent, Role, SCHEMA, ServerEntry, ServerEvent,
        SignalKind, Source, StatsSample, Trace,
    },
};

/// More participants of one call are not shown.
const MAX_PEERS: usize = 64;

/// The name of the server in messages that it writes itself.
pub(super) const SERVER: &str = "server";

/// The trace of one call; `None` where nothing of it has a time.
pub(super) fn trace(index: usize, parts: CallParts<'_>, recordings: &[Recording]) -> Option<Trace> {
    let participants = Participants::find(&parts, recordings);
    let twins = twins::find(&parts, recordings, &participants);
    let joined = messages::join(&parts, recordings, &participants, &twins);
    let used = parts.recordings();
    let clocks = clocks::align(&used, &joined);
    let began = first_moment(&parts, recordings, &joined, &clocks)?;
    let assembler = Assembler { recordings, participants, clocks, twins, began };
    let mut messages: Vec<Message> = joined.iter().filter_map(|joined| assembler.message(joined)).collect();
    messages.sort_by_key(Message::first_seen);
    let peers = assembler.peers(&parts, &messages);
    let server = assembler.server(&parts, &messages);
    let mut trace = Trace {
        schema: SCHEMA,
        id: parts.id.clone().unwrap_or_else(|| format!("call-{}", index + 1)),
        began_us: if used.iter().all(|recording| recordings[*recording].is_virtual) {
            0
        } else {
            began.as_micros()
        },
        sources: used.iter().map(|recording| assembler.source(*recording, &parts)).collect(),
        peers,
        messages,
        server,
        ended_at: VirtualTime::ZERO,
        observed_until: VirtualTime::ZERO,
    };
    trace.ended_at = end_of(&trace);
    let observed = used
        .iter()
        .filter_map(|recording| Some(assembler.time(*recording, recordings[*recording].observed_until?)));
    trace.observed_until = observed.max().unwrap_or_default().max(trace.ended_at);
    Some(trace)
}

struct Assembler<'r> {
    recordings: &'r [Recording],
    participants: Participants,
    clocks: BTreeMap<usize, Clock>,
    twins: Twins,
    began: Moment,
}

impl Assembler<'_> {
    fn time(&self, recording: usize, at: Moment) -> VirtualTime {
        let at = corrected(&self.clocks, recording, at);
        let micros = u64::try_from(at.micros_since(self.began)).unwrap_or(0);
        VirtualTime::from_nanos(micros.saturating_mul(1000))
    }

    fn name(&self, participant: Option<usize>) -> Name {
        let name = participant.and_then(|index| self.participants.names.get(index));
        Name::new(name.map_or(SERVER, String::as_str))
    }

    fn message(&self, joined: &Joined) -> Option<Message> {
        let first = |stage: Stage| {
            let seen = joined.seen.iter().filter(|seen| seen.stage == stage);
            seen.map(|seen| self.time(seen.recording, seen.at)).min()
        };
        let applied = joined.applied.as_ref().map(|applied| Applied {
            at: self.time(applied.recording, applied.at),
            connection: applied.connection.clone(),
            result: applied.result.clone(),
        });
        let message = Message {
            signal: joined.signal.clone(),
            from: self.name(joined.from),
            to: joined.to.map(|to| self.name(Some(to))),
            sent: first(Stage::Sent),
            relay_in: first(Stage::RelayIn),
            relay_out: first(Stage::RelayOut),
            received: first(Stage::Received),
            applied,
            dropped: first(Stage::Dropped),
            inferred: joined.inferred,
        };
        let anywhere = message.departed().or(message.arrived()).or(message.dropped);
        anywhere.is_some().then_some(message)
    }

    fn peers(&self, parts: &CallParts<'_>, messages: &[Message]) -> Vec<Peer> {
        let mut connections: BTreeMap<usize, Vec<Connection>> = BTreeMap::new();
        for place in parts.connections.iter().filter(|place| !self.twins.contains_key(place)) {
            let owner = self.participants.of_connection(*place);
            connections.entry(owner).or_default().push(self.connection(*place));
        }
        let speakers: BTreeSet<&Name> =
            messages.iter().flat_map(|message| message.to.iter().chain([&message.from])).collect();
        let mut peers = Vec::new();
        for (index, name) in self.participants.names.iter().enumerate() {
            let id = Name::new(name);
            let mut connections = connections.remove(&index).unwrap_or_default();
            connections.sort_by_key(|connection| connection.entries.first().map(|entry| entry.at));
            if peers.len() >= MAX_PEERS {
                break;
            }
            if connections.is_empty() && !speakers.contains(&id) {
                continue;
            }
            let role = if index == 0 { Role::Caller } else { Role::Callee };
            peers.push(Peer {
                id,
                role,
                connections,
                signalling_captured: self.participants.has_socket(index),
            });
        }
        peers
    }

    /// A connection, with what other files show of it and its best one does not.
    fn connection(&self, place: Place) -> Connection {
        let mut connection = self.one_log(place, |_| true);
        connection.entries.extend(self.media_requests(place));
        for (twin, _) in self.twins.iter().filter(|(_, better)| **better == place) {
            let other = self.one_log(*twin, only_in_page_events);
            connection.entries.extend(other.entries);
            connection.url = connection.url.or(other.url);
            connection.configuration = connection.configuration.or(other.configuration);
            connection.created_at = connection.created_at.or(other.created_at);
            if connection.stats.is_empty() {
                connection.stats = other.stats;
            }
        }
        connection.entries.sort_by_key(|entry| entry.at);
        connection
    }

    fn one_log(&self, place: Place, keep: impl Fn(&PeerEvent) -> bool) -> Connection {
        let log = &self.recordings[place.0].connections[place.1];
        let kept = log.entries.iter().filter(|(_, event)| keep(event));
        let entries = kept.map(|(at, event)| Entry { at: self.time(place.0, *at), event: event.clone() });
        let stats = log.stats.iter().map(|timed| {
            let at = self.time(place.0, timed.at);
            StatsSample { at, ..timed.sample.clone() }
        });
        Connection {
            key: log.key.clone(),
            url: log.url.clone(),
            configuration: log.configuration.clone(),
            created_at: log.created.map(|at| self.time(place.0, at)),
            entries: entries.collect(),
            stats: stats.collect(),
        }
    }

    /// The requests for media of a page belong to the connection that it made next, else to its last one.
    fn media_requests(&self, place: Place) -> Vec<Entry> {
        let recording = &self.recordings[place.0];
        let log = &recording.connections[place.1];
        if recording.connections.len() > MAX_COMPARED {
            return Vec::new();
        }
        let own = recording.media_requests.iter().filter(|request| Some(&request.page) == log.page.as_ref());
        let same_page = || {
            let logs = recording.connections.iter().enumerate();
            logs.filter(|(_, other)| other.page == log.page)
        };
        own.filter(|request| {
            let next =
                same_page().find(|(_, other)| first_of(other).is_some_and(|first| first >= request.at));
            next.or_else(|| same_page().next_back()).is_some_and(|(index, _)| index == place.1)
        })
        .map(|request| Entry {
            at: self.time(place.0, request.at),
            event: PeerEvent::Call(request.call.clone()),
        })
        .collect()
    }

    fn server(&self, parts: &CallParts<'_>, messages: &[Message]) -> Vec<ServerEntry> {
        let mut entries: Vec<ServerEntry> = messages
            .iter()
            .filter_map(|message| {
                let event = ServerEvent::Dropped(message.signal.kind.to_string());
                Some(ServerEntry { at: message.dropped?, peer: message.from.clone(), event })
            })
            .collect();
        let joins = messages.iter().filter(|message| message.signal.kind == SignalKind::Join);
        let joins: Vec<(VirtualTime, Name)> =
            joins.map(|message| (message.first_seen(), message.from.clone())).collect();
        for recording in parts.recordings() {
            let lines = self.recordings[recording].relay.iter();
            for line in lines {
                let RelayDirection::Close(code) = line.direction else { continue };
                let Some(participant) = self.participants.named(&line.peer) else { continue };
                let at = corrected(&self.clocks, recording, line.at);
                if at >= self.began {
                    let (at, peer) = (self.time(recording, line.at), self.name(Some(participant)));
                    let again = joins.iter().find(|(joined, name)| *joined > at && *name == peer);
                    entries.extend(again.map(|(joined, _)| {
                        let (at, peer) = (*joined, peer.clone());
                        ServerEntry { at, peer, event: ServerEvent::Rejoined }
                    }));
                    entries.push(ServerEntry { at, peer, event: ServerEvent::Closed(code) });
                }
            }
        }
        entries.sort_by_key(|entry| entry.at);
        entries.dedup();
        entries
    }

    fn source(&self, recording: usize, parts: &CallParts<'_>) -> Source {
        let clock = self.clocks[&recording];
        let not_understood = not_understood(recording, parts, &self.recordings[recording]);
        let recording = &self.recordings[recording];
        let ms = |us: i64| us as f64 / 1e3;
        let mut gaps: Vec<Gap> = recording.gaps.clone();
        if recording.gaps_left_out > 0 {
            let what = format!("{} more gaps like these", recording.gaps_left_out);
            gaps.push(Gap { line: 0, offset: 0, what });
        }
        Source {
            file: recording.file.clone(),
            format: recording.format,
            skew_ms: ms(clock.ahead_us),
            skew_uncertainty_ms: clock.uncertainty_us.map(ms),
            aligned: clock.tied,
            gaps,
            not_understood,
            whole_seconds: shows_whole_seconds(recording),
            shows_delivery: recording.relay.iter().any(|line| line.direction == RelayDirection::Out),
            contradictions: recording.contradictions.clone(),
        }
    }
}

/// So long after what was seen last of a call, what was not understood may still be of it: somebody may take that long
/// to answer.
const STILL_OF_IT: Duration = Duration::from_secs(120);

/// The messages in which nothing was understood, at the ends at which messages of the call were seen; of a server's log
/// which names its people, theirs, from the call's beginning on until some time after its end.
fn not_understood(index: usize, parts: &CallParts<'_>, recording: &Recording) -> u64 {
    let own = parts.sightings.iter().filter(|sighting| sighting.recording == index);
    let (mut sockets, mut people) = (BTreeSet::new(), BTreeSet::new());
    let mut span: Option<(Moment, Moment)> = None;
    for sighting in own {
        match sighting.holder {
            Holder::Socket(socket) => drop(sockets.insert(socket)),
            Holder::Name(name) => {
                let said = [sighting.signal.from.as_deref(), sighting.signal.to.as_deref()];
                people.extend(said.into_iter().flatten().chain([name]));
                let (first, last) = span.unwrap_or((sighting.at, sighting.at));
                span = Some((first.min(sighting.at), last.max(sighting.at)));
            }
        }
    }
    let of_sockets: u64 = sockets.iter().map(|socket| recording.sockets[*socket].not_understood).sum();
    let still = i64::try_from(STILL_OF_IT.as_micros()).unwrap_or(i64::MAX);
    let of_relay = recording.relay_not_understood.iter().filter(|(at, person)| {
        let in_time = span.is_some_and(|(first, last)| *at >= first && *at <= last.shifted(still));
        in_time && (person.is_empty() || people.contains(person.as_str()))
    });
    of_sockets + of_relay.count() as u64
}

/// So many events on whole seconds, and on so many different ones, are no coincidence.
const WHOLE_SECONDS: usize = 5;
const DIFFERENT_SECONDS: usize = 2;
/// Nor are so many in one second: no call makes as many in one millisecond.
const IN_ONE_SECOND: usize = 12;

/// Whether the clock of a file shows whole seconds only. A virtual world's may begin so by itself.
fn shows_whole_seconds(recording: &Recording) -> bool {
    let entries = recording.connections.iter().flat_map(|log| log.entries.iter().map(|(at, _)| *at));
    let frames = recording.sockets.iter().flat_map(|socket| socket.frames.iter().map(|frame| frame.at));
    let lines = recording.relay.iter().map(|line| line.at);
    let mut count = 0;
    let mut seconds = BTreeSet::new();
    let mut all = entries.chain(frames).chain(lines);
    let whole = all.all(|at| {
        count += 1;
        // A few tell as much as all.
        if seconds.len() < DIFFERENT_SECONDS {
            seconds.insert(at);
        }
        at.as_micros() % 1_000_000 == 0
    });
    let enough = count >= WHOLE_SECONDS && seconds.len() >= DIFFERENT_SECONDS || count >= IN_ONE_SECOND;
    whole && enough && !recording.is_virtual
}

fn corrected(clocks: &BTreeMap<usize, Clock>, recording: usize, at: Moment) -> Moment {
    at.shifted(clocks.get(&recording).map_or(0, |clock| clock.ahead_us.saturating_neg()))
}

fn first_of(log: &ConnectionLog) -> Option<Moment> {
    // Statistics alone are as good a beginning as any.
    let stats = log.stats.first().map(|sample| sample.at).filter(|_| log.entries.is_empty());
    log.entries.iter().map(|(at, _)| *at).chain(log.created).chain(stats).min()
}

fn first_moment(
    parts: &CallParts<'_>,
    recordings: &[Recording],
    messages: &[Joined],
    clocks: &BTreeMap<usize, Clock>,
) -> Option<Moment> {
    let of_connections = parts.connections.iter().filter_map(|(recording, place)| {
        let log = &recordings[*recording].connections[*place];
        let requests = recordings[*recording].media_requests.iter();
        let requests =
            requests.filter(|request| Some(&request.page) == log.page.as_ref()).map(|request| request.at);
        Some(corrected(clocks, *recording, first_of(log).into_iter().chain(requests).min()?))
    });
    let of_messages = messages.iter().flat_map(|message| &message.seen);
    of_connections.chain(of_messages.map(|seen| corrected(clocks, seen.recording, seen.at))).min()
}

fn end_of(trace: &Trace) -> VirtualTime {
    let connections = trace.peers.iter().flat_map(|peer| &peer.connections).map(Connection::ended_at);
    let messages = trace.messages.iter().flat_map(|message| {
        let applied = message.applied.as_ref().map(|applied| applied.at);
        [message.sent, message.relay_in, message.relay_out, message.received, applied].into_iter().flatten()
    });
    let took = trace.peers.iter().flat_map(|peer| &peer.connections).flat_map(Connection::calls);
    let took = took.map(|(at, call)| at + call.took.unwrap_or(Duration::ZERO));
    let server = trace.server.iter().map(|entry| entry.at);
    connections.chain(messages).chain(took).chain(server).max().unwrap_or_default()
}
