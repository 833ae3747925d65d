//! Where the time went on the way to `connected`.

use std::{fmt, time::Duration};

use serde::Serialize;
use timeline::{ConnectionState, IceState, Name, SignalingState, State, VirtualTime};

use super::rounds::{Round, rounds};
use crate::trace::{Connection, Message, Method, Peer, Trace, is_up};

/// One wait on the way to `connected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// For what.
    pub kind: WaitKind,
    /// Who waited, or at whom it was.
    pub peer: Name,
    /// From when.
    #[serde(skip)]
    pub began: VirtualTime,
    /// How long.
    #[serde(rename = "ms", serialize_with = "millis")]
    pub took: Duration,
}

fn millis<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64() * 1e3)
}

/// What is waited for on the way to `connected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitKind {
    /// Microphone and camera: the person's permission, and the devices.
    Media,
    /// Making and setting the offer.
    MakeOffer,
    /// The offer's way to the other side.
    OfferTransit,
    /// The callee: the person, and its application.
    Callee,
    /// Making and setting the answer.
    MakeAnswer,
    /// The answer's way back.
    AnswerTransit,
    /// From the arrival of a description until the application applied it.
    Apply,
    /// Setting a remote description.
    SetRemote,
    /// ICE, from both descriptions to the first pair that works.
    Ice,
    /// DTLS, from that pair to `connected`.
    Dtls,
}

impl WaitKind {
    /// Whether a person may be what is waited for.
    pub(crate) const fn is_human(self) -> bool {
        matches!(self, Self::Media | Self::Callee)
    }
}

impl fmt::Display for WaitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Media => "microphone and camera",
            Self::MakeOffer => "making the offer",
            Self::OfferTransit => "the offer on its way",
            Self::Callee => "the callee",
            Self::MakeAnswer => "making the answer",
            Self::AnswerTransit => "the answer on its way",
            Self::Apply => "the application, before it applied a description",
            Self::SetRemote => "setting the remote description",
            Self::Ice => "ICE",
            Self::Dtls => "DTLS",
        })
    }
}

/// The waits on the way to `connected`, the longest first. Empty where the capture shows no negotiation.
pub fn waits(trace: &Trace) -> Vec<Wait> {
    let mut waits = Waits { found: Vec::new() };
    let until = connected_at(trace).unwrap_or(trace.ended_at);
    for peer in &trace.peers {
        for connection in &peer.connections {
            waits.of_calls(peer, connection, until);
            waits.of_states(peer, connection);
        }
    }
    // The first offer that was answered, else the first.
    let rounds = rounds(trace);
    if let Some(round) = rounds.iter().find(|round| round.succeeded()).or(rounds.first()) {
        waits.of_messages(trace, round);
    }
    waits.found.retain(|wait| wait.began <= until);
    waits.found.sort_by(|a, b| (b.took, a.began, a.kind).cmp(&(a.took, b.began, b.kind)));
    waits.found
}

/// One negotiation that led to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setup {
    /// When its offer was made.
    pub(super) began: VirtualTime,
    /// When the last of the peers whose connections were captured connected by it.
    pub(super) connected: VirtualTime,
    /// How long the callee took to answer: the person, and the application.
    pub(super) callee: Duration,
}

/// The negotiations that led to a connection, each by itself: a page that is loaded anew begins another.
pub(super) fn setups(trace: &Trace) -> Vec<Setup> {
    let rounds = rounds(trace);
    let began: Vec<VirtualTime> = rounds.iter().map(Round::began).collect();
    let connections = || trace.peers.iter().map(|peer| &peer.connections);
    let mut found: Vec<Setup> = Vec::new();
    for (index, round) in rounds.iter().enumerate().filter(|(_, round)| round.succeeded()) {
        let next = rounds.iter().skip(index + 1).find(|next| next.succeeded()).map(Round::began);
        let until = next.unwrap_or(VirtualTime::from_nanos(u64::MAX));
        // Of a peer whose connection begins later, this negotiation was not captured.
        let connected = |connection: &Connection| {
            let set = |method| connection.calls_of(method).map(|(at, _)| at).next();
            let used =
                set(Method::SetLocalDescription).into_iter().chain(set(Method::SetRemoteDescription)).min();
            // The next negotiation may begin before this one has led to its end.
            let first = connection.connected_at().filter(|at| *at >= began[index]);
            let first = first.filter(|at| used.unwrap_or(*at) < until);
            let again = connection.health().filter(|(_, state)| is_up(*state)).map(|(at, _)| at);
            first.or_else(|| again.filter(|at| (began[index]..until).contains(at)).min())
        };
        let at = connections().filter_map(|all| all.iter().filter_map(connected).min());
        if let Some(connected) = at.max() {
            let answered = round.answer.and_then(Message::departed);
            let callee = answered.zip(round.offer.arrived()).map(|(left, came)| left.since(came));
            found.push(Setup { began: began[index], connected, callee: callee.unwrap_or_default() });
        }
    }
    found
}

/// When the first negotiation that led to a connection had led to it; where none is known to, when the last of the
/// peers first connected.
pub(super) fn connected_at(trace: &Trace) -> Option<VirtualTime> {
    let first = |peer: &Peer| peer.connections.iter().filter_map(Connection::connected_at).min();
    let by_states = || trace.peers.iter().filter_map(first).max();
    setups(trace).first().map(|setup| setup.connected).or_else(by_states)
}

struct Waits {
    found: Vec<Wait>,
}

impl Waits {
    fn add(&mut self, kind: WaitKind, peer: &Name, began: Option<VirtualTime>, ended: Option<VirtualTime>) {
        if let (Some(began), Some(ended)) = (began, ended)
            && ended > began
        {
            self.found.push(Wait { kind, peer: peer.clone(), began, took: ended.since(began) });
        }
    }

    fn of_calls(&mut self, peer: &Peer, connection: &Connection, until: VirtualTime) {
        let is_offerer = connection.calls_of(Method::CreateOffer).next().is_some();
        for (at, call) in connection.calls().filter(|(at, _)| *at <= until) {
            let kind = match call.method {
                Method::GetUserMedia | Method::GetDisplayMedia => WaitKind::Media,
                Method::CreateOffer => WaitKind::MakeOffer,
                Method::CreateAnswer => WaitKind::MakeAnswer,
                Method::SetLocalDescription if is_offerer => WaitKind::MakeOffer,
                Method::SetLocalDescription => WaitKind::MakeAnswer,
                Method::SetRemoteDescription => WaitKind::SetRemote,
                _ => continue,
            };
            self.add(kind, &peer.id, Some(at), call.took.map(|took| at + took));
        }
    }

    fn of_states(&mut self, peer: &Peer, connection: &Connection) {
        let ice = connection.ice_connected_at();
        let checking = connection.entered(State::Ice(IceState::Checking));
        let stable = connection.entered(State::Signaling(SignalingState::Stable));
        let began = checking.into_iter().chain(stable);
        // ICE that never connected waited until it was given up.
        let ended = ice.or_else(|| connection.failed_at());
        self.add(WaitKind::Ice, &peer.id, began.max(), ended.or_else(|| connection.closed_at()));
        self.add(
            WaitKind::Dtls,
            &peer.id,
            ice,
            connection.entered(State::Connection(ConnectionState::Connected)),
        );
    }

    fn of_messages(&mut self, trace: &Trace, round: &Round<'_>) {
        let (offer, callee) = (round.offer, round.offer.to.as_ref());
        let callee = callee.unwrap_or(&offer.from);
        let done = |message: &Message| message.applied.as_ref().map(|applied| applied.at);
        let offer_end = if offer.inferred { done(offer) } else { offer.arrived() };
        self.add(WaitKind::OfferTransit, callee, offer.departed(), offer_end);
        if offer.received.is_some() {
            self.add(WaitKind::Apply, callee, offer.received, done(offer));
        }
        let Some(answer) = round.answer else {
            self.add(WaitKind::Callee, callee, offer.arrived().or(offer.departed()), Some(trace.ended_at));
            return;
        };
        self.add(WaitKind::Callee, callee, offer.arrived(), answer.departed());
        let answer_end = if answer.inferred { done(answer) } else { answer.arrived() };
        self.add(WaitKind::AnswerTransit, &offer.from, answer.departed(), answer_end);
        if answer.received.is_some() {
            self.add(WaitKind::Apply, &offer.from, answer.received, done(answer));
        }
    }
}
