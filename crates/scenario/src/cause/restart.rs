//! Peers that moved to another network, and ICE restarts that did not come about.

use std::time::Duration;

use diagnosis::{Cause, Code, Evidence, wording::moment};
use timeline::{CandidateFate, Event, MessageKind, Name, Trickle, VirtualTime};

use super::{
    scene::{self, Scene},
    signalling,
};
use crate::plan::{Action, Handover, Plan, SignallerChange, Transition};

/// A renegotiation or an ICE restart in mid-call went wrong.
pub(super) fn failed(scene: &Scene<'_>) -> Option<Cause> {
    super::descriptions::glare(scene)
        .filter(|glare| glare.at > first_connected(scene))
        .or_else(|| stale(scene))
}

fn first_connected(scene: &Scene<'_>) -> VirtualTime {
    let sides = scene.sides().into_iter().flatten();
    let times = sides.filter_map(|side| scene.peer(side)?.connected_at);
    times.max().unwrap_or(scene.record.elapsed)
}

/// Candidates of a later offer that were applied before that offer.
fn stale(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    let connected = first_connected(scene);
    let messages = scene.record.signalling.messages();
    messages.iter().filter(|offer| offer.kind == MessageKind::Offer && offer.handed_over > connected).find_map(|offer| {
        let at = offer.taken.first().map_or(scene.record.elapsed, |(at, _)| *at);
        let early = scene.entries(&offer.to).find(|entry| match &entry.event {
            Event::Candidate { fate: CandidateFate::Applied, message: Some(message), candidate, .. } => {
                message.from == offer.from && message.id > offer.id && entry.at < at && *candidate != Trickle::EndOfCandidates
            }
            _ => false,
        })?;
        let sentence = format!(
            "{} applied candidates of the next offer of {} at {}, before that offer had come: they were taken for those of \
             the generation before and are lost",
            offer.to,
            offer.from,
            moment(early.at)
        );
        let cause = Cause::new(Code::CandidatesStale, early.at, sentence);
        Some(cause.about([&offer.to]).shown_by([scene::entry(early)])).filter(|_| sides.contains(&&offer.to))
    })
}

/// Whether one of these peers moved to another network about when the way between them broke: and what was done about it.
pub(super) fn moved(scene: &Scene<'_>, sides: [&Name; 2], broke: VirtualTime) -> Option<Cause> {
    let (at, host, handover) = scene.faults().find_map(|(at, action)| match action {
        Action::Handover { host, handover, .. } if sides.contains(&host) => {
            let slack = Duration::from_secs(1);
            let left = at + gap_or_overlap(handover);
            (at <= broke + slack && broke <= left + slack).then_some((at, host, handover))
        }
        _ => None,
    })?;
    Some(not_followed(scene, sides, at, host, handover))
}

/// The last time that one of these peers moved to another network before `until`, where nothing else is to blame.
pub(super) fn moved_before(scene: &Scene<'_>, sides: [&Name; 2], until: VirtualTime) -> Option<Cause> {
    let connected = first_connected(scene);
    scene.faults().rev().find_map(|(at, action)| match action {
        Action::Handover { host, handover, .. }
            if sides.contains(&host) && at >= connected && at <= until =>
        {
            Some(not_followed(scene, sides, at, host, handover))
        }
        _ => None,
    })
}

fn not_followed(
    scene: &Scene<'_>,
    sides: [&Name; 2],
    at: VirtualTime,
    host: &Name,
    handover: &Handover,
) -> Cause {
    let done = what_was_done(scene, sides, host, at, handover);
    let sentence = format!("{host} moved to another network at {}, {done}", moment(at));
    let what = Action::Handover { host: host.clone(), profile: None, handover: Box::new(handover.clone()) };
    let evidence = Evidence::of(at, &Name::new(Plan::NETWORK), what.to_string());
    Cause::new(Code::NetworkChanged, at, sentence).about([host]).shown_by([evidence])
}

fn gap_or_overlap(handover: &Handover) -> Duration {
    match handover.transition {
        Transition::Gap(_) => Duration::ZERO,
        Transition::Overlap(overlap) => overlap,
    }
}

/// What the engines did after the move.
fn what_was_done(
    scene: &Scene<'_>,
    sides: [&Name; 2],
    host: &Name,
    at: VirtualTime,
    handover: &Handover,
) -> String {
    let offered = sides
        .into_iter()
        .filter_map(|side| scene.all_sent(side, MessageKind::Offer).find(|when| *when > at))
        .min();
    let over = scene.over();
    let Some(offered) = offered else {
        let recovers = sides
            .into_iter()
            .any(|side| scene.peer_plan(side).is_some_and(|peer| peer.engine.recovery.is_some()));
        return match recovers {
            true if !was_reachable(scene, host, at) => {
                "and no offer was made to restart ICE, not even when the signaller was back".to_owned()
            }
            true => "and no offer was made to restart ICE".to_owned(),
            false => "and the call has no recovery that restarts ICE there".to_owned(),
        };
    };
    let moved_with_it = scene.entries(host).filter(|entry| entry.at > at).any(|entry| match &entry.event {
        Event::Candidate { fate: CandidateFate::Gathered, candidate: Trickle::Candidate(found), .. } => {
            handover
                .to
                .addresses
                .iter()
                .any(|address| found.address.to_string().starts_with(&address.to_string()))
        }
        _ => false,
    });
    let took = offered.since(at);
    match moved_with_it {
        false => format!(
            "and the ICE restart that was offered at {} went on with the sockets of its old address",
            moment(offered)
        ),
        true if took > Duration::from_secs(2) => {
            let back = scene.faults().find_map(|(when, action)| match action {
                Action::Signaller { change: SignallerChange::PowerOn, .. } if when > at && when < offered => {
                    Some(format!(", although the signaller was back at {}", moment(when)))
                }
                _ => None,
            });
            let took = diagnosis::wording::duration(took);
            format!("and ICE was restarted only {took} later{}", back.unwrap_or_default())
        }
        true if offered < over => {
            format!("and the ICE restart that was offered at {} did not connect in time", moment(offered))
        }
        true => "and ICE was restarted too late".to_owned(),
    }
}

fn was_reachable(scene: &Scene<'_>, side: &Name, at: VirtualTime) -> bool {
    signalling::is_reachable(scene, side, at)
}
