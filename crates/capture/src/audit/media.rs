//! What became of each kind of media at each peer, by what was negotiated and by what the statistics count.

use std::{collections::BTreeMap, time::Duration};

use timeline::{MediaKind, Name, VirtualTime, words};

use super::rounds::{Round, rounds};
use crate::{
    sdp::MediaSection,
    trace::{Connection, Flow, Peer, PeerEvent, Trace, TrackChange, is_disconnected, is_failed},
};

words! {
    /// What became of one kind of media at one peer.
    pub enum MediaState {
        /// It arrived, until the end.
        Received = "received",
        /// It was agreed upon, and nothing of it arrived.
        NotReceived = "not-received",
        /// It arrived, and ceased to, though the connection went on.
        Stopped = "stopped",
        /// The answer refuses it.
        Refused = "refused",
        /// It was agreed that none comes to this peer.
        Inactive = "inactive",
        /// The capture does not tell.
        Unknown = "unknown",
    }
}

/// The state of each kind at each peer. A kind that was never negotiated has no entry.
pub fn media(trace: &Trace) -> BTreeMap<MediaKind, BTreeMap<Name, MediaState>> {
    let mut all = BTreeMap::new();
    for kind in MediaKind::ALL.iter().copied() {
        let agreed = agreed(trace, kind);
        let states: BTreeMap<Name, MediaState> =
            trace.peers.iter().map(|peer| (peer.id.clone(), state(peer, kind, agreed.as_ref()))).collect();
        if agreed.is_some() || states.values().any(|state| *state != MediaState::Unknown) {
            all.insert(kind, states);
        }
    }
    all
}

/// What the last negotiation that came to its end says of one kind.
pub(super) struct Agreed {
    pub(super) at: VirtualTime,
    offerer: Name,
    /// Its sections in offer and answer.
    pub(super) sections: Vec<(MediaSection, MediaSection)>,
}

/// What one peer may expect of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    Flows,
    Refused,
    Inactive,
}

impl Agreed {
    /// Of the sections of this kind in `round`, which has both descriptions.
    pub(super) fn of(round: &Round<'_>, kind: MediaKind) -> Option<Self> {
        let (offer, answer) = round.descriptions()?;
        let sections = offer.media().into_iter().zip(answer.media());
        let sections: Vec<_> =
            sections.filter(|(offered, _)| offered.active && offered.kind == kind.as_str()).collect();
        let at = round.closed().unwrap_or(round.began());
        (!sections.is_empty()).then(|| Self { at, offerer: round.offer.from.clone(), sections })
    }

    /// What `peer` may expect to receive.
    pub(super) fn to(&self, peer: &Name) -> Promise {
        if self.sections.iter().all(|(_, answered)| !answered.active) {
            return Promise::Refused;
        }
        let flows = self.sections.iter().any(|(offered, answered)| match *peer == self.offerer {
            true => offered.receives() && answered.sends(),
            false => offered.sends() && answered.receives(),
        });
        if flows { Promise::Flows } else { Promise::Inactive }
    }
}

/// Of the last negotiation that came to its end and speaks of this kind.
pub(super) fn agreed(trace: &Trace, kind: MediaKind) -> Option<Agreed> {
    rounds(trace)
        .iter()
        .filter(|round| round.succeeded())
        .filter_map(|round| Agreed::of(round, kind))
        .next_back()
}

fn state(peer: &Peer, kind: MediaKind, agreed: Option<&Agreed>) -> MediaState {
    match agreed.map(|agreed| agreed.to(&peer.id)) {
        Some(Promise::Refused) => return MediaState::Refused,
        Some(Promise::Inactive) => return MediaState::Inactive,
        Some(Promise::Flows) | None => {}
    }
    match received(peer, kind) {
        Some(Count { stopped: Some(_), .. }) => MediaState::Stopped,
        Some(Count { total: 1.., .. }) => MediaState::Received,
        Some(Count { watched, .. }) if watched >= ENOUGH && expects(peer, kind, agreed) => {
            MediaState::NotReceived
        }
        _ if was_unmuted(peer, kind) => MediaState::Received,
        _ => MediaState::Unknown,
    }
}

/// Whether media of this kind was to come to `peer`: it was agreed upon, or where the capture does not show that, its
/// statistics have a stream for it.
pub(super) fn expects(peer: &Peer, kind: MediaKind, agreed: Option<&Agreed>) -> bool {
    match agreed {
        Some(agreed) => agreed.to(&peer.id) == Promise::Flows,
        None => {
            let samples = peer.connections.iter().flat_map(|connection| &connection.stats);
            samples.into_iter().any(|sample| sample.flow(kind).received.is_some())
        }
    }
}

/// What the counters of one direction tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// What was counted at the end.
    pub(super) total: u64,
    /// For how long counters were read while the connection was connected.
    pub(super) watched: Duration,
    /// When the count ceased to grow, though the connection went on.
    pub(super) stopped: Option<VirtualTime>,
}

/// Statistics of a shorter time tell nothing.
pub(super) const ENOUGH: Duration = Duration::from_secs(3);

/// What arrived at `peer`; `None` where its statistics count no media at all.
pub(super) fn received(peer: &Peer, kind: MediaKind) -> Option<Count> {
    count(peer, kind, |flow| flow.received)
}

/// What `peer` sent; `None` where its statistics count no media at all, or not this one.
pub(super) fn sent(peer: &Peer, kind: MediaKind) -> Option<Count> {
    let counted = peer.connections.iter().flat_map(|connection| &connection.stats);
    counted.into_iter().any(|sample| sample.flow(kind).sent.is_some()).then_some(())?;
    count(peer, kind, |flow| flow.sent)
}

fn count(peer: &Peer, kind: MediaKind, of: impl Fn(Flow) -> Option<u64>) -> Option<Count> {
    let all = peer.connections.iter().filter_map(|connection| of_connection(connection, kind, &of));
    // Of several connections of one peer, the one over which most went.
    all.max_by_key(|count| (count.total, count.watched))
}

fn of_connection(
    connection: &Connection,
    kind: MediaKind,
    of: impl Fn(Flow) -> Option<u64>,
) -> Option<Count> {
    let counts_media = |flow: Flow| flow.received.is_some() || flow.sent.is_some();
    let any = connection
        .stats
        .iter()
        .any(|sample| MediaKind::ALL.iter().any(|kind| counts_media(sample.flow(*kind))));
    let connected = connection.connected_at();
    let samples = connection.stats.iter().filter(|sample| connected.is_none_or(|up| sample.at >= up));
    let first = samples.clone().next()?;
    let ended = ended_at(connection, first.at);
    let (mut total, mut grew, mut last) = (0, first.at, first.at);
    for sample in samples.take_while(|sample| sample.at <= ended) {
        let now = of(sample.flow(kind)).unwrap_or(0);
        if now > total {
            grew = sample.at;
        }
        // A stream that is replaced begins to count anew.
        total = if now < total { total } else { now };
        last = sample.at;
    }
    let patience = match kind {
        MediaKind::Audio => Duration::from_secs(5),
        // A screen that does not change is sent seldom.
        MediaKind::Video => Duration::from_secs(10),
    };
    let stopped = (total > 0 && last.since(grew) >= patience).then_some(grew);
    any.then(|| Count { total, watched: last.since(first.at), stopped })
}

/// When the connection was closed, or lost for good; else never.
fn ended_at(connection: &Connection, from: VirtualTime) -> VirtualTime {
    let lost = connection.health().filter(|(at, _)| *at >= from).last();
    let lost = lost.filter(|(_, state)| is_disconnected(*state) || is_failed(*state)).map(|(at, _)| at);
    let closed = connection.closed_at();
    let last = connection.stats.last().map(|sample| sample.at);
    lost.into_iter().chain(closed).min().or(last).unwrap_or(from)
}

/// Whether a remote track of this kind was heard or seen: `unmute` fires with the first packet.
fn was_unmuted(peer: &Peer, kind: MediaKind) -> bool {
    let entries = peer.connections.iter().flat_map(|connection| &connection.entries);
    entries.into_iter().any(|entry| {
        matches!(&entry.event, PeerEvent::RemoteTrack { change: TrackChange::Unmuted, track } if track.kind == kind.as_str())
    })
}
