//! What belongs to which call.

use std::collections::BTreeMap;

use super::{
    sighting::{Holder, Sighting, of_recording},
    union::Union,
};
use crate::{
    moment::Moment,
    reader::{ConnectionLog, Format, Recording},
    sdp::Description,
    trace::{PeerEvent, SignalKind},
};

/// Where a peer connection or a socket is: recording, index.
pub(super) type Place = (usize, usize);

/// The parts of one call, spread over recordings.
#[derive(Debug, Default)]
pub(super) struct CallParts<'r> {
    /// Its id, where its messages carry one.
    pub(super) id: Option<String>,
    /// Its peer connections.
    pub(super) connections: Vec<Place>,
    /// Its messages, as they were seen.
    pub(super) sightings: Vec<Sighting<'r>>,
}

impl CallParts<'_> {
    /// The recordings that show something of it, once each, ascending.
    pub(super) fn recordings(&self) -> Vec<usize> {
        let connections = self.connections.iter().map(|(recording, _)| *recording);
        let sightings = self.sightings.iter().map(|sighting| sighting.recording);
        let mut all: Vec<usize> = connections.chain(sightings).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Splits recordings into calls.
pub(super) fn split(recordings: &[Recording]) -> Vec<CallParts<'_>> {
    let mut union = Union::default();
    for (index, recording) in recordings.iter().enumerate() {
        for (place, log) in recording.connections.iter().enumerate() {
            join_connection(&mut union, index, place, log, recording.format);
        }
    }
    let sightings: Vec<Sighting<'_>> =
        recordings.iter().enumerate().flat_map(|(index, recording)| of_recording(index, recording)).collect();
    let keys = keys_of(&mut union, recordings, &sightings);
    // Descriptions in files of their own are of one call: nothing else could tie an offer to its answer.
    let pasted =
        sightings.iter().zip(&keys).filter(|(it, _)| recordings[it.recording].format == Format::Descriptions);
    let pasted: Vec<&String> = pasted.filter_map(|(_, key)| key.as_ref()).collect();
    pasted.windows(2).for_each(|pair| union.join(pair[0], pair[1]));
    join_names(&mut union, recordings, &sightings);
    let mut calls: BTreeMap<usize, CallParts<'_>> = BTreeMap::new();
    let mut orphans = Vec::new();
    for (index, recording) in recordings.iter().enumerate() {
        for (place, log) in recording.connections.iter().enumerate() {
            if log.negotiates() || is_bodiless(recording.format) {
                let set = union.find(&connection_key(index, place));
                calls.entry(set).or_default().connections.push((index, place));
            } else {
                orphans.push((index, place));
            }
        }
    }
    for (sighting, key) in sightings.into_iter().zip(keys) {
        if let Some(key) = key {
            calls.entry(union.find(&key)).or_default().sightings.push(sighting);
        }
    }
    for (key, set) in union.sets() {
        let id = key.strip_prefix("call:").and_then(|rest| rest.split_once(':'));
        if let (Some((_, id)), Some(call)) = (id, calls.get_mut(&set)) {
            call.id.get_or_insert_with(|| id.to_owned());
        }
    }
    calls.retain(|_, call| call.is_a_call());
    let mut calls: Vec<CallParts<'_>> = calls.into_values().collect();
    // A connection that never negotiated belongs to the call if there is one, and only one.
    match calls.as_mut_slice() {
        [only] => only.connections.extend(orphans),
        [] => calls.extend(
            orphans.into_iter().map(|one| CallParts { connections: vec![one], ..CallParts::default() }),
        ),
        _ => {}
    }
    calls
}

impl CallParts<'_> {
    /// Joins, goodbyes and refusals alone are none: a server may repeat those of an earlier call.
    fn is_a_call(&self) -> bool {
        let counts = |sighting: &Sighting<'_>| {
            let kind = &sighting.signal.kind;
            kind.is_between_peers()
                && !matches!(kind, SignalKind::Bye | SignalKind::Reject | SignalKind::Other(_))
        };
        !self.connections.is_empty() || self.sightings.iter().any(counts)
    }
}

impl ConnectionLog {
    fn negotiates(&self) -> bool {
        descriptions(self).next().is_some()
    }
}

/// Files whose messages have no bodies: what is in one of them is one call.
pub(super) const fn is_bodiless(format: Format) -> bool {
    matches!(format, Format::PageEvents | Format::Timeline)
}

fn connection_key(recording: usize, place: usize) -> String {
    format!("connection:{recording}:{place}")
}

fn file_key(recording: usize) -> String {
    format!("file:{recording}")
}

/// The descriptions that a connection made or was given.
pub(super) fn descriptions(log: &ConnectionLog) -> impl Iterator<Item = &Description> {
    log.entries.iter().filter_map(|(_, event)| match event {
        PeerEvent::Call(call) => call.description.as_ref().filter(|description| !description.sdp.is_empty()),
        _ => None,
    })
}

fn join_connection(union: &mut Union, index: usize, place: usize, log: &ConnectionLog, format: Format) {
    let own = connection_key(index, place);
    union.find(&own);
    if is_bodiless(format) {
        union.join(&own, &file_key(index));
        for (_, event) in &log.entries {
            if let PeerEvent::CandidateGathered { candidate } = event
                && let Some(key) = candidate.ufrag.as_deref().and_then(ufrag_key)
            {
                union.join(&own, &key);
            }
        }
    }
    for description in descriptions(log) {
        for key in description_keys(description) {
            union.join(&own, &key);
        }
    }
}

fn description_keys(description: &Description) -> impl Iterator<Item = String> {
    let session = description.origin().map(|(id, _)| format!("session:{id}"));
    session.into_iter().chain(description.ufrag().and_then(ufrag_key))
}

/// User fragments have 4 characters or more (RFC 8839 §5.4); shorter ones are no key.
fn ufrag_key(ufrag: &str) -> Option<String> {
    (ufrag.len() >= 4).then(|| format!("ufrag:{ufrag}"))
}

/// The key of each sighting, by what it carries; else by what else passed at the same end: a goodbye without
/// a call id belongs to the call before it, a ring to the one after it.
fn keys_of(union: &mut Union, recordings: &[Recording], sightings: &[Sighting<'_>]) -> Vec<Option<String>> {
    let mut keys: Vec<Option<String>> =
        sightings.iter().map(|sighting| own_key(union, recordings, sighting)).collect();
    fill(union, sightings, &mut keys);
    keys
}

fn own_key(union: &mut Union, recordings: &[Recording], sighting: &Sighting<'_>) -> Option<String> {
    if is_bodiless(recordings[sighting.recording].format) {
        return Some(file_key(sighting.recording));
    }
    let signal = sighting.signal;
    let mut keys: Vec<String> = signal.call.iter().map(|call| call_key(sighting.recording, call)).collect();
    if let Some(description) = &signal.description {
        keys.extend(description_keys(description));
    } else if let Some(ufrag) = signal.candidate.as_ref().and_then(|candidate| candidate.ufrag.as_deref()) {
        keys.extend(ufrag_key(ufrag));
    }
    for pair in keys.windows(2) {
        union.join(&pair[0], &pair[1]);
    }
    keys.into_iter().next()
}

/// A call by its name in one recording. Applications begin to count anew: the same name in another recording may be
/// of another call.
fn call_key(recording: usize, call: &str) -> String {
    format!("call:{recording}:{call}")
}

/// Where one name stands for a call in several recordings, what those show of it decides whether it is one call:
/// the descriptions where both have some, else the clocks.
fn join_names(union: &mut Union, recordings: &[Recording], sightings: &[Sighting<'_>]) {
    let mut named: BTreeMap<&str, BTreeMap<usize, Named>> = BTreeMap::new();
    for sighting in sightings.iter().filter(|sighting| !is_bodiless(recordings[sighting.recording].format)) {
        let Some(call) = sighting.signal.call.as_deref() else { continue };
        let by_recording = named.entry(call).or_default();
        let seen = by_recording.entry(sighting.recording).or_insert(Named {
            first: sighting.at,
            last: sighting.at,
            has_bodies: false,
        });
        seen.first = seen.first.min(sighting.at);
        seen.last = seen.last.max(sighting.at);
        let description = sighting.signal.description.as_ref();
        seen.has_bodies |=
            description.is_some_and(|description| description_keys(description).next().is_some());
    }
    for (call, by_recording) in named {
        let all: Vec<(usize, Named)> = by_recording.into_iter().collect();
        for (index, (one, ours)) in all.iter().enumerate() {
            for (other, theirs) in &all[index + 1..] {
                let same_kind = recordings[*one].is_virtual == recordings[*other].is_virtual;
                // With descriptions on both sides, those have joined them already, or they are two calls.
                if same_kind && !(ours.has_bodies && theirs.has_bodies) && ours.is_near(theirs) {
                    union.join(&call_key(*one, call), &call_key(*other, call));
                }
            }
        }
    }
}

/// What one recording shows under one name.
#[derive(Clone, Copy)]
struct Named {
    first: Moment,
    last: Moment,
    has_bodies: bool,
}

/// Clocks of two machines are not further apart, as a rule; calls of one name mostly are.
const NEAR_US: i64 = 3_600_000_000;

impl Named {
    fn is_near(&self, other: &Self) -> bool {
        self.first.micros_since(other.last) <= NEAR_US && other.first.micros_since(self.last) <= NEAR_US
    }
}

fn fill(union: &mut Union, sightings: &[Sighting<'_>], keys: &mut [Option<String>]) {
    let mut current: BTreeMap<(usize, Holder<'_>), String> = BTreeMap::new();
    for (sighting, key) in sightings.iter().zip(keys.iter_mut()) {
        let end = (sighting.recording, sighting.holder);
        match (&*key, current.get(&end)) {
            (Some(key), before) => {
                let answers = matches!(sighting.signal.kind, SignalKind::Answer | SignalKind::Pranswer);
                if let (Some(before), true, None) = (before, answers, &sighting.signal.call) {
                    union.join(before, key);
                }
                if sighting.signal.kind.is_description() || sighting.signal.call.is_some() {
                    current.insert(end, key.clone());
                }
            }
            (None, Some(before)) => *key = Some(before.clone()),
            (None, None) => {}
        }
    }
    current.clear();
    for (sighting, key) in sightings.iter().zip(keys.iter_mut()).rev() {
        let end = (sighting.recording, sighting.holder);
        match key {
            Some(key) => drop(current.insert(end, key.clone())),
            None => *key = current.get(&end).cloned(),
        }
    }
}
