//! Media that does not flow, by the counters of `getStats`.

use diagnosis::wording::{all_of, duration};
use timeline::{MediaKind, Name, VirtualTime};

use crate::{
    audit::{
        Code, Findings, Severity,
        media::{Agreed, Count, ENOUGH, agreed, expects, received, sent},
    },
    trace::{Method, Peer, PeerEvent, SignalKind, Trace},
};

/// One kind on its way from one peer to the other.
struct Way<'t> {
    kind: MediaKind,
    from: Option<&'t Peer>,
    to: &'t Peer,
    sent: Option<Count>,
    received: Option<Count>,
    since: VirtualTime,
}

/// What was agreed upon and did not flow, each kind and direction by itself; and whether it flowed one way.
pub(in crate::audit) fn flow(trace: &Trace, findings: &mut Findings<'_>) {
    let mut silent = Vec::new();
    for kind in MediaKind::ALL.iter().copied() {
        let agreed = agreed(trace, kind);
        let since = since(agreed.as_ref());
        let ways = trace.peers.iter().filter(|peer| expects(peer, kind, agreed.as_ref())).map(|to| {
            let from = trace.peers.iter().find(|from| from.id != to.id);
            let sent = from.and_then(|from| sent(from, kind));
            Way { kind, from, to, sent, received: received(to, kind), since }
        });
        for way in ways {
            way.never_sent(findings);
            way.stopped(trace, findings);
            if way.never_received(findings) {
                silent.push((kind, way.to.id.clone()));
            }
        }
    }
    one_way(trace, &silent, findings);
    sends_only(trace, findings);
}

/// Where no description says what was agreed upon: statistics that count what goes out, and of the same kind nothing that
/// comes in. Browsers have no counter for a stream of which no packet came, and none where none is to come.
fn sends_only(trace: &Trace, findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        let samples = || peer.connections.iter().flat_map(|connection| &connection.stats);
        let kinds = MediaKind::ALL.iter().copied().filter(|kind| {
            let enough = sent(peer, *kind).is_some_and(|count| count.total > 0 && count.watched >= ENOUGH);
            enough && agreed(trace, *kind).is_none() && samples().all(|it| it.flow(*kind).received.is_none())
        });
        let kinds: Vec<&str> = kinds.map(MediaKind::as_str).collect();
        if !kinds.is_empty() {
            let message = format!(
                "{} went out from {} only: none came in, and whether any should have is not in the capture",
                all_of(&kinds),
                peer.id
            );
            findings.usual(Code::MediaOneWay, Severity::Warning, Some(&peer.id), VirtualTime::ZERO, message);
        }
    }
}

/// When it was agreed upon; of a capture that does not show that, its beginning.
fn since(agreed: Option<&Agreed>) -> VirtualTime {
    agreed.map(|agreed| agreed.at).unwrap_or_default()
}

fn is_nothing(count: Option<Count>) -> bool {
    count.is_some_and(|count| count.total == 0 && count.watched >= ENOUGH)
}

fn flowed(count: Option<Count>) -> bool {
    count.is_some_and(|count| count.total > 0)
}

impl Way<'_> {
    fn from(&self) -> &str {
        self.from.map_or("the other side", |from| from.id.as_str())
    }

    fn never_sent(&self, findings: &mut Findings<'_>) {
        let Some(from) = self.from.filter(|_| is_nothing(self.sent) && !flowed(self.received)) else {
            return;
        };
        let watched = duration(self.sent.map(|count| count.watched).unwrap_or_default());
        // Who has no camera, or did not switch it on, has nothing to send: mostly that is meant.
        let (severity, why) = match has_track(from, self.kind) {
            Some(true) => (Severity::Error, "its device gives nothing"),
            Some(false) => (Severity::Note, "it has no track of it"),
            None => (Severity::Error, "no track, or its device gives nothing"),
        };
        let message =
            format!("{} was to send {} and sent none of it in {watched}: {why}", from.id, self.kind);
        let at = self.since;
        findings.usual(Code::MediaNeverSent, severity, Some(&from.id), at, message);
    }

    fn never_received(&self, findings: &mut Findings<'_>) -> bool {
        if !is_nothing(self.received) || is_nothing(self.sent) {
            return false;
        }
        let watched = duration(self.received.map(|count| count.watched).unwrap_or_default());
        let although = match self.sent {
            Some(count) if count.total > 0 => {
                format!(", although the statistics of {} count {} sent", self.from(), count.total)
            }
            _ => String::new(),
        };
        let (to, kind) = (&self.to.id, self.kind);
        let message = format!("no {kind} arrived at {to} in {watched}{although}");
        findings.usual(Code::MediaNotReceived, Severity::Error, Some(to), self.since, message);
        true
    }

    fn stopped(&self, trace: &Trace, findings: &mut Findings<'_>) {
        let Some(stopped) = self.received.and_then(|count| count.stopped) else { return };
        let (to, kind) = (&self.to.id, self.kind);
        let switched_off = trace.messages.iter().any(|message| {
            let media = message.signal.media.filter(|_| message.signal.kind == SignalKind::MediaState);
            let on = media.and_then(|media| if kind == MediaKind::Audio { media.audio } else { media.video });
            message.from != *to && on == Some(false)
        });
        let sender = self.sent.map(|count| count.stopped.is_some());
        let (severity, why) = match (switched_off, sender) {
            (true, _) => (Severity::Note, format!(": {} had switched it off", self.from())),
            (_, Some(true)) => (Severity::Warning, format!(": {} sent no more of it", self.from())),
            (_, Some(false)) => (Severity::Error, format!(", although {} went on to send it", self.from())),
            (_, None) => (Severity::Warning, String::new()),
        };
        let message = format!("{kind} ceased to arrive at {to}, and the connection went on{why}");
        findings.usual(Code::MediaStopped, severity, Some(to), stopped, message);
    }
}

/// Whether `peer` has a track of `kind` to send; `None` where its capture shows of no track whether there is one.
fn has_track(peer: &Peer, kind: MediaKind) -> Option<bool> {
    let entries = peer.connections.iter().flat_map(|connection| &connection.entries);
    let tracks = entries.filter_map(|entry| match &entry.event {
        PeerEvent::Transceiver(change) => Some((change.kind.as_str(), change.has_track?)),
        PeerEvent::Call(call) if call.method == Method::AddTrack => {
            call.track.as_ref().map(|track| (track.kind.as_str(), true)).filter(|(kind, _)| !kind.is_empty())
        }
        _ => None,
    });
    let mut found = None;
    for (of, has) in tracks {
        found = Some(found.unwrap_or_default() || has && of == kind.as_str());
    }
    found
}

/// Where what is missing at one peer arrived at the other, or at least left for it.
fn one_way(trace: &Trace, silent: &[(MediaKind, Name)], findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        let other = trace.peers.iter().find(|other| other.id != peer.id);
        let kinds = silent.iter().filter(|(_, at)| *at == peer.id).map(|(kind, _)| *kind);
        let kinds: Vec<MediaKind> = kinds
            .filter(|kind| {
                let there = other.and_then(|other| received(other, *kind));
                flowed(there) || there.is_none() && flowed(sent(peer, *kind))
            })
            .collect();
        let Some(at) = kinds.iter().map(|kind| since(agreed(trace, *kind).as_ref())).min() else { continue };
        let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let (here, there) = (&peer.id, other.map_or("the other side", |other| other.id.as_str()));
        let message = format!(
            "{} went one way only, from {here} to {there}: nothing came back to {here}",
            all_of(&words)
        );
        findings.usual(Code::MediaOneWay, Severity::Error, None, at, message);
    }
}
