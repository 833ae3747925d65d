//! What the applications did, call by call of the API: what is played where they went by rules of their own.

mod answer;
mod captured;
mod described;
mod inferred;

use std::time::Duration;

use capture::{
    Outcome, Trace,
    trace::{CallResult, Connection, Method, Peer, PeerEvent, SignalKind},
};
use timeline::VirtualTime;

use self::described::Described;
use super::{BEYOND, Doing, Script, refusal};
use crate::{
    plan::{ApiCall, LocalWord},
    replay::Unplayable,
};

/// At most this many candidates of one generation are applied: a host of a world has one address, and one more
/// from each kind of server.
const CANDIDATES: usize = 4;

/// What a lost connection takes in our stack to be `failed`, with a margin.
const UNTIL_FAILED: Duration = Duration::from_secs(45);

/// One call, when it was made.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    at: VirtualTime,
    call: ApiCall,
}

/// Both sides, and which descriptions each of them made.
struct Sides<'t> {
    trace: &'t Trace,
    peers: [&'t Peer; 2],
    described: [Vec<Described>; 2],
    /// What a message takes from one peer to the other.
    one_way: Duration,
}

impl<'t> Sides<'t> {
    fn of(trace: &'t Trace, peers: [&'t Peer; 2], one_way: Duration) -> Self {
        let described = peers.map(|peer| match negotiating(peer) {
            Some(connection) => captured::described(connection),
            None => inferred::described(peer, trace),
        });
        Self { trace, peers, described, one_way }
    }

    const fn other(side: usize) -> usize {
        1 - side
    }

    fn calls(&self, side: usize) -> Result<Vec<Made>, Unplayable> {
        match negotiating(self.peers[side]) {
            Some(connection) => captured::calls(self, side, connection),
            None => Ok(inferred::calls(self, side)),
        }
    }

    /// The description `nth` of `side`, from 1, in the other side's own words where nobody stands for them: its
    /// connection was not captured, so that the peer which makes it here is another one.
    fn foreign_offer(&self, side: usize, nth: usize) -> Option<String> {
        let described = self.described[side].get(nth.checked_sub(1)?)?;
        let is_foreign = self.peers[side].connections.is_empty() && described.word == LocalWord::Offer;
        (is_foreign && !described.sdp.trim().is_empty()).then(|| described.sdp.clone())
    }

    /// What is applied of the answer `nth` of `side`, from 1, where its connection was not captured and it took less
    /// than was offered.
    fn foreign_answer(&self, side: usize, nth: usize) -> Option<String> {
        let answer = self.described[side].get(nth.checked_sub(1)?)?;
        if !self.peers[side].connections.is_empty() || answer.word != LocalWord::Answer {
            return None;
        }
        let mut offers = self.described[Self::other(side)].iter().filter(|it| it.word == LocalWord::Offer);
        let offer = offers.rfind(|offer| offer.at <= answer.at)?;
        answer::decided(&offer.sdp, &answer.sdp)
    }

    /// What is applied instead of the description `nth` of `side` that is made here.
    fn foreign(&self, side: usize, nth: usize) -> Option<String> {
        self.foreign_offer(side, nth).or_else(|| self.foreign_answer(side, nth))
    }
}

/// The peer's connection, where its calls with descriptions were captured: a timeline shows states only.
fn negotiating(peer: &Peer) -> Option<&Connection> {
    let negotiates = |connection: &&Connection| {
        connection.calls().any(|(_, call)| {
            matches!(call.method, Method::SetLocalDescription | Method::SetRemoteDescription)
        })
    };
    peer.connections.first().filter(negotiates)
}

/// Fills `script` with the calls of both applications.
///
/// # Errors
/// Why they cannot be made again.
pub(super) fn fill(script: &mut Script, trace: &Trace, why: &str) -> Result<(), Unplayable> {
    let peers = refusal::sides(trace)?;
    let sides = Sides::of(trace, peers, script.delay * 2);
    let calls = [sides.calls(0)?, sides.calls(1)?];
    let first = calls.iter().flatten().map(|made| made.at).min();
    script.offer_at = first.ok_or(Unplayable::NoCalls)?;
    script.offer_in_world = script.dial;
    let assumption = format!(
        "Each call of the API that the applications made is made again, without our engine's rules, because {why}."
    );
    script.assumptions.push(assumption);
    script.say_who_is_foreign(&sides, &calls);
    script.say_what_failed(peers);
    let silent = script.silent_side(peers);
    let closed = [0, 1]
        .map(|side: usize| calls[side].iter().find(|made| made.call == ApiCall::Close).map(|made| made.at));
    for (side, calls) in calls.into_iter().enumerate() {
        let who = script.peers[side].name.clone();
        let closes = calls.iter().any(|made| made.call == ApiCall::Close);
        let starts_muted = super::starts_without_video(peers[side], trace);
        let last_track = calls.iter().rposition(|made| matches!(made.call, ApiCall::AddTrack(_)));
        for (index, made) in calls.into_iter().enumerate() {
            let mut at = script.in_world(made.at);
            if made.call == ApiCall::Close && silent.is_some_and(|silence| silence.survivor == side) {
                at = at.max(silent.map_or(at, |silence| silence.from + UNTIL_FAILED));
            }
            script.steps.push((at, Doing::Api(who.clone(), made.call)));
            if starts_muted && Some(index) == last_track {
                script.steps.push((at, Doing::SetVideo(who.clone(), false)));
            }
        }
        if !closes {
            let from = silent.filter(|silence| silence.survivor == side).map(|silence| silence.from);
            let last = script.in_world(trace.ended_at) + BEYOND;
            // Who stands in for somebody hears of the other side's end as that one did.
            let told = closed[Sides::other(side)].filter(|_| peers[side].connections.is_empty());
            let told = told.map(|at| script.in_world(at) + script.delay * 2);
            let at = from.map_or(told.unwrap_or(last), |from| last.max(from + UNTIL_FAILED));
            script.steps.push((at, Doing::Api(who, ApiCall::Close)));
        }
    }
    Ok(())
}

/// One side is not heard of any more, and the other one notices.
#[derive(Clone, Copy)]
struct Silence {
    from: Duration,
    survivor: usize,
}

impl Script {
    fn silent_side(&mut self, peers: [&Peer; 2]) -> Option<Silence> {
        let before = self.steps.len();
        let interruption = self.add_interruption(peers)?;
        let (from, silent) = self.steps[before..].iter().find_map(|(at, doing)| match doing {
            Doing::LinkDown(host) => Some((*at, host.clone())),
            _ => None,
        })?;
        let survivor = usize::from(self.peers[0].name == silent);
        matches!(interruption, super::Interruption::Fatal).then_some(Silence { from, survivor })
    }

    fn say_what_failed(&mut self, peers: [&Peer; 2]) {
        for peer in peers {
            let calls = peer
                .connections
                .iter()
                .flat_map(|connection| connection.calls_of(Method::SetLocalDescription));
            for (at, _) in calls.filter(|(_, call)| matches!(call.result, CallResult::Failed(_))) {
                let whom = &peer.id;
                self.assumptions.push(format!(
                    "The setLocalDescription of {whom} at {at} ms failed and changed nothing: it is not made again."
                ));
            }
            let calls = peer
                .connections
                .iter()
                .flat_map(|connection| connection.calls_of(Method::SetRemoteDescription));
            for (at, _) in calls.filter(|(_, call)| captured::refused_for_its_content(call)) {
                let whom = &peer.id;
                self.assumptions.push(format!(
                    "The setRemoteDescription of {whom} at {at} ms was refused for what it says: it is not made again."
                ));
            }
        }
    }

    fn say_who_is_foreign(&mut self, sides: &Sides<'_>, calls: &[Vec<Made>; 2]) {
        for (side, peer) in sides.peers.iter().enumerate().filter(|(_, peer)| peer.connections.is_empty()) {
            let with_sdp = calls[Sides::other(side)]
                .iter()
                .any(|made| matches!(&made.call, ApiCall::SetRemoteDescription { sdp: Some(_), .. }));
            let whom = &peer.id;
            self.assumptions.push(match with_sdp {
                true => format!(
                    "The connection of {whom} was not captured: a peer of ours stands in for it. Its offers are applied \
                     as they were captured; replaced are the ICE credentials, the fingerprints, the \
                     candidates and the stream identifiers, by those of the one that stands in. Of answers that took \
                     less than was offered, the ports and directions are applied."
                ),
                false => format!(
                    "The connection of {whom} was not captured: a peer of ours stands in for it, and makes its calls \
                     when its messages came and went."
                ),
            });
        }
    }
}

/// Whether offers came from somebody whose connection was not captured, in words that can be applied.
pub(super) fn has_foreign_offer(trace: &Trace) -> bool {
    let answered = trace.messages.iter().any(|message| message.signal.kind == SignalKind::Answer);
    trace.messages.iter().any(|message| {
        let is_foreign = trace.peer(message.from.as_str()).is_some_and(|peer| peer.connections.is_empty());
        let sdp = message.signal.description.as_ref().map(|description| description.sdp.trim());
        message.signal.kind == SignalKind::Offer
            && is_foreign
            && sdp.is_some_and(|sdp| sdp.contains("m="))
            && (message.arrived().is_some() || answered)
            && (trace.outcome() != Outcome::NeverConnected || message.applied.is_some())
    })
}

/// Whether somebody whose connection was not captured took less than was offered.
pub(super) fn has_foreign_answer(trace: &Trace) -> bool {
    let Ok(peers) = refusal::sides(trace) else { return false };
    let sides = Sides::of(trace, peers, Duration::ZERO);
    [0, 1]
        .iter()
        .any(|side| (1..=sides.described[*side].len()).any(|nth| sides.foreign_answer(*side, nth).is_some()))
}

/// Whether `connection` made calls with data channels.
fn has_data_channel(connection: &Connection) -> bool {
    connection.calls_of(Method::CreateDataChannel).next().is_some()
        || connection
            .entries
            .iter()
            .any(|entry| matches!(&entry.event, PeerEvent::DataChannel { change, .. } if change == "created"))
}
