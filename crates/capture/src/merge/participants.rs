//! Who is who in one call.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    calls::{CallParts, Place},
    sighting::{Holder, Sighting},
    union::Union,
};
use crate::{
    reader::Recording,
    sdp::SdpType,
    trace::{Method, PeerEvent, Signal},
};

/// The participants of one call.
#[derive(Debug, Default)]
pub(super) struct Participants {
    /// Their names; the index is the participant.
    pub(super) names: Vec<String>,
    connections: BTreeMap<Place, usize>,
    sockets: BTreeMap<Place, usize>,
    by_name: BTreeMap<String, usize>,
    /// Who made the description or candidate with this identity.
    authors: BTreeMap<String, usize>,
}

/// What was made and what was applied on one connection, by identity, in order.
pub(super) fn identities(event: &PeerEvent) -> Option<(Side, String)> {
    match event {
        PeerEvent::CandidateGathered { candidate } if !candidate.is_end() => {
            Some((Side::Made, candidate.identity()))
        }
        PeerEvent::Call(call) => match call.method {
            Method::AddIceCandidate => {
                let candidate = call.candidate.as_ref().filter(|candidate| !candidate.is_end())?;
                Some((Side::Applied, candidate.identity()))
            }
            Method::SetLocalDescription | Method::SetRemoteDescription => {
                let description = call.description.as_ref().filter(|d| !d.sdp.is_empty())?;
                let side =
                    if call.method == Method::SetLocalDescription { Side::Made } else { Side::Applied };
                Some((side, description.identity()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Which side of a message an API event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Made,
    Applied,
}

/// What makes a message the same wherever it is seen, where it carries something.
pub(super) fn identity(signal: &Signal) -> Option<String> {
    let candidate = signal.candidate.as_ref().filter(|candidate| !candidate.is_end());
    signal
        .description
        .as_ref()
        .map(crate::sdp::Description::identity)
        .or_else(|| candidate.map(crate::candidate::Candidate::identity))
}

impl Participants {
    pub(super) fn find(parts: &CallParts<'_>, recordings: &[Recording]) -> Self {
        let mut finder = Finder { union: Union::default(), parts, recordings, first_offer: BTreeMap::new() };
        finder.connections();
        finder.sightings();
        finder.recipients();
        finder.same_pages();
        finder.idle_connections();
        finder.finish()
    }

    /// The participant whose connection this is.
    pub(super) fn of_connection(&self, connection: Place) -> usize {
        self.connections.get(&connection).copied().unwrap_or(0)
    }

    /// Who wrote a message, by where and how it was seen.
    pub(super) fn author(&self, sighting: &Sighting<'_>) -> Option<usize> {
        if sighting.stage.is_outgoing() {
            return self.holder(sighting);
        }
        let named = sighting.signal.from.as_ref().and_then(|name| self.by_name.get(name)).copied();
        let made = identity(sighting.signal).and_then(|identity| self.authors.get(&identity)).copied();
        named.or(made).or_else(|| self.other_than(self.holder(sighting)?))
    }

    /// Whom a message is for.
    pub(super) fn addressee(&self, sighting: &Sighting<'_>) -> Option<usize> {
        if !sighting.stage.is_outgoing() {
            return self.holder(sighting);
        }
        let named = sighting.signal.to.as_ref().and_then(|name| self.by_name.get(name)).copied();
        named.or_else(|| self.other_than(self.holder(sighting)?))
    }

    pub(super) fn holder(&self, sighting: &Sighting<'_>) -> Option<usize> {
        match sighting.holder {
            Holder::Socket(socket) => self.sockets.get(&(sighting.recording, socket)).copied(),
            Holder::Name(name) => self.by_name.get(name).copied(),
        }
    }

    pub(super) fn author_of(&self, identity: &str) -> Option<usize> {
        self.authors.get(identity).copied()
    }

    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Whether the participant's own end of the signalling was captured.
    pub(super) fn has_socket(&self, participant: usize) -> bool {
        self.sockets.values().any(|owner| *owner == participant)
    }

    /// The other one, in a call of two.
    pub(super) fn other_than(&self, participant: usize) -> Option<usize> {
        match (self.names.len(), participant) {
            (2, 0) => Some(1),
            (2, 1) => Some(0),
            _ => None,
        }
    }
}

struct Finder<'p, 'r> {
    union: Union,
    parts: &'p CallParts<'r>,
    recordings: &'r [Recording],
    /// Who offers, by the key of the offer's author, with the time of the first offer.
    first_offer: BTreeMap<String, i64>,
}

/// Connections are compared with each other where a call has no more than that; more are no call.
pub(super) const MAX_COMPARED: usize = 64;

fn made_by(identity: &str) -> String {
    format!("made:{identity}")
}

impl Finder<'_, '_> {
    fn connections(&mut self) {
        for (recording, place) in &self.parts.connections {
            let log = &self.recordings[*recording].connections[*place];
            let own = format!("connection:{recording}:{place}");
            self.union.find(&own);
            if let Some(owner) = &log.owner {
                self.union.join(&own, &format!("name:{owner}"));
            }
            for (at, event) in &log.entries {
                let Some((Side::Made, identity)) = identities(event) else { continue };
                self.union.join(&own, &made_by(&identity));
                if let PeerEvent::Call(call) = event
                    && call.description.as_ref().is_some_and(|description| description.kind == SdpType::Offer)
                {
                    self.offers(&own, at.as_micros());
                }
            }
        }
    }

    fn offers(&mut self, key: &str, at: i64) {
        let first = self.first_offer.entry(key.to_owned()).or_insert(at);
        *first = at.min(*first);
    }

    fn sightings(&mut self) {
        for sighting in &self.parts.sightings {
            let signal = sighting.signal;
            let holder = self.holder(sighting);
            let named = |name: &String| format!("name:{name}");
            let is_between = signal.kind.is_between_peers();
            if sighting.stage.is_outgoing() {
                if let Some(from) = &signal.from {
                    self.union.join(&holder, &named(from));
                }
                if let Some(identity) = identity(signal) {
                    self.union.join(&holder, &made_by(&identity));
                }
                if signal.description.as_ref().is_some_and(|d| d.kind == SdpType::Offer)
                    || (signal.description.is_none() && signal.kind.as_str() == "offer")
                {
                    self.offers(&holder, sighting.at.as_micros());
                }
                if let Some(to) = signal.to.as_ref().filter(|_| is_between) {
                    self.union.find(&named(to));
                }
            } else if is_between {
                if let Some(to) = &signal.to {
                    self.union.join(&holder, &named(to));
                }
                if let (Some(from), Some(identity)) = (&signal.from, identity(signal)) {
                    self.union.join(&named(from), &made_by(&identity));
                } else if let Some(from) = &signal.from {
                    self.union.find(&named(from));
                }
            }
        }
    }

    fn holder(&mut self, sighting: &Sighting<'_>) -> String {
        let key = match sighting.holder {
            Holder::Socket(socket) => {
                let key = format!("socket:{}:{socket}", sighting.recording);
                if let Some(owner) = &self.recordings[sighting.recording].sockets[socket].owner {
                    self.union.join(&key, &format!("name:{owner}"));
                }
                key
            }
            Holder::Name(name) => format!("name:{name}"),
        };
        self.union.find(&key);
        key
    }

    /// In a call of two, who got a description is the one who did not make it.
    fn recipients(&mut self) {
        let names: BTreeSet<usize> = {
            let sets = self.union.sets();
            sets.into_iter().filter(|(key, _)| key.starts_with("name:")).map(|(_, set)| set).collect()
        };
        if names.len() > 2 {
            return;
        }
        let mut got: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (recording, place) in &self.parts.connections {
            for (_, event) in &self.recordings[*recording].connections[*place].entries {
                if let Some((Side::Applied, identity)) = identities(event) {
                    got.entry(identity).or_default().push(format!("connection:{recording}:{place}"));
                }
            }
        }
        for sighting in &self.parts.sightings {
            if let Some(identity) = identity(sighting.signal).filter(|_| !sighting.stage.is_outgoing()) {
                let holder = self.holder(sighting);
                got.entry(identity).or_default().push(holder);
            }
        }
        for (identity, holders) in got {
            let author = self.union.known(&made_by(&identity));
            let mut others: Vec<String> = Vec::new();
            for holder in holders {
                // A server that sends messages back to their sender as well.
                if Some(self.union.find(&holder)) != author {
                    others.push(holder);
                }
            }
            for pair in others.windows(2) {
                self.union.join(&pair[0], &pair[1]);
            }
        }
    }

    /// An application that rebuilds a call makes a second connection on the same page. Two connections on one
    /// page that talk to each other are a test page's.
    fn same_pages(&mut self) {
        let all = &self.parts.connections;
        if all.len() > MAX_COMPARED {
            return;
        }
        for (index, a) in all.iter().enumerate() {
            for b in &all[index + 1..] {
                let (log_a, log_b) =
                    (&self.recordings[a.0].connections[a.1], &self.recordings[b.0].connections[b.1]);
                if a.0 == b.0 && log_a.page.is_some() && log_a.page == log_b.page && !talk(log_a, log_b) {
                    self.union
                        .join(&format!("connection:{}:{}", a.0, a.1), &format!("connection:{}:{}", b.0, b.1));
                }
            }
        }
    }

    /// A connection that neither made nor got anything shows nothing of whose it is. It is taken for that of
    /// the one participant whose connection was not captured: a callee who never answered.
    fn idle_connections(&mut self) {
        let places = &self.parts.connections;
        if places.len() > MAX_COMPARED {
            return;
        }
        let log = |place: &Place| &self.recordings[place.0].connections[place.1];
        let is_idle =
            |place: &Place| !log(place).entries.iter().any(|(_, event)| identities(event).is_some());
        let key = |place: &Place| format!("connection:{}:{}", place.0, place.1);
        let (idle, busy): (Vec<Place>, Vec<Place>) = places.iter().copied().partition(|place| is_idle(place));
        for (index, a) in idle.iter().enumerate() {
            for b in idle[index + 1..].iter().filter(|b| b.0 != a.0 && log(b).key == log(a).key) {
                self.union.join(&key(a), &key(b));
            }
        }
        let owners: BTreeSet<usize> = busy.iter().map(|place| self.union.find(&key(place))).collect();
        let named = self
            .union
            .sets()
            .into_iter()
            .filter(|(key, _)| key.starts_with("name:") || key.starts_with("socket:"));
        let without: BTreeMap<usize, String> =
            named.filter(|(_, set)| !owners.contains(set)).map(|(key, set)| (set, key)).collect();
        if let (1, Some(only)) = (without.len(), without.values().next()) {
            for place in &idle {
                self.union.join(&key(place), only);
            }
        }
    }

    fn finish(mut self) -> Participants {
        let sets = self.union.sets();
        // Somebody is who has an end, a name, or made something.
        let mut classes: Vec<usize> = sets.iter().map(|(_, set)| *set).collect();
        classes.sort_unstable();
        classes.dedup();
        let offers: BTreeMap<usize, i64> = {
            let mut offers = BTreeMap::new();
            for (key, at) in std::mem::take(&mut self.first_offer) {
                let first = offers.entry(self.union.find(&key)).or_insert(at);
                *first = at.min(*first);
            }
            offers
        };
        let mut names: BTreeMap<usize, &str> = BTreeMap::new();
        for (key, set) in &sets {
            if let Some(name) = key.strip_prefix("name:").filter(|name| !name.is_empty()) {
                names.entry(*set).or_insert(name);
            }
        }
        classes
            .sort_by_key(|class| (offers.get(class).copied().unwrap_or(i64::MAX), names.get(class).copied()));
        let mut found = Participants::default();
        let mut of_class: BTreeMap<usize, usize> = BTreeMap::new();
        for class in &classes {
            let index = found.names.len();
            found.names.push(names.get(class).copied().unwrap_or_default().to_owned());
            of_class.insert(*class, index);
        }
        for (key, set) in &sets {
            let participant = of_class[set];
            let two = |rest: &str| {
                let (a, b) = rest.split_once(':')?;
                Some((a.parse().ok()?, b.parse().ok()?))
            };
            if let Some(place) = key.strip_prefix("connection:").and_then(two) {
                found.connections.insert(place, participant);
            } else if let Some(place) = key.strip_prefix("socket:").and_then(two) {
                found.sockets.insert(place, participant);
            } else if let Some(name) = key.strip_prefix("name:") {
                found.by_name.insert(name.to_owned(), participant);
            } else if let Some(identity) = key.strip_prefix("made:") {
                found.authors.insert(identity.to_owned(), participant);
            }
        }
        found.complete(&offers.into_keys().map(|class| of_class[&class]).collect());
        found
    }
}

impl Participants {
    /// Adds the other side where only one was captured, and names who has no name.
    fn complete(&mut self, offerers: &BTreeSet<usize>) {
        if self.names.len() == 1 {
            // Who did not offer was called.
            match offerers.is_empty() {
                true => {
                    self.names.insert(0, String::new());
                    for index in self
                        .connections
                        .values_mut()
                        .chain(self.sockets.values_mut())
                        .chain(self.by_name.values_mut())
                        .chain(self.authors.values_mut())
                    {
                        *index = 1;
                    }
                }
                false => self.names.push(String::new()),
            }
        }
        for index in 0..self.names.len() {
            if self.names[index].is_empty() {
                let role = match index {
                    0 => "caller".to_owned(),
                    1 => "callee".to_owned(),
                    other => format!("peer-{}", other + 1),
                };
                self.names[index] =
                    if self.by_name.contains_key(&role) { format!("the {role}") } else { role };
            }
        }
    }
}

/// Whether one applied what the other made.
fn talk(a: &crate::reader::ConnectionLog, b: &crate::reader::ConnectionLog) -> bool {
    let all = |log: &crate::reader::ConnectionLog, side: Side| -> BTreeSet<String> {
        let found = log.entries.iter().filter_map(|(_, event)| identities(event));
        found.filter(|(found, _)| *found == side).map(|(_, identity)| identity).collect()
    };
    !all(a, Side::Made).is_disjoint(&all(b, Side::Applied))
        || !all(b, Side::Made).is_disjoint(&all(a, Side::Applied))
}
