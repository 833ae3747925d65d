//! Candidates that came too early, too late or not at all, where ICE did not connect.

use diagnosis::{
    Cause, Code, Evidence,
    wording::{all_of, count, moment},
};
use timeline::{CandidateFate, Entry, Event, MessageKind, Name, Trickle, VirtualTime};

use super::{
    scene::{self, Scene},
    servers, theory,
};
use crate::record::Fate;

/// Candidates that `addIceCandidate` refused.
pub(super) fn rejected(scene: &Scene<'_>) -> Option<Cause> {
    if is_connected(scene) {
        return None;
    }
    let sides = scene.sides()?;
    sides.into_iter().find_map(|side| {
        let refused: Vec<&Entry> = fated(scene, side, CandidateFate::Rejected).collect();
        let first = *refused.first()?;
        let Event::Candidate { error, .. } = &first.event else { return None };
        let why = error.as_deref().unwrap_or("without a reason");
        let other = other(scene, side)?;
        let description = scene.first(
            side,
            &[
                timeline::State::Signaling(timeline::SignalingState::HaveRemoteOffer),
                timeline::State::Ice(timeline::IceState::Checking),
            ],
        );
        let early = description.is_none_or(|at| first.at < at);
        let of = count(refused.len(), "candidate");
        let were = if refused.len() == 1 { "was" } else { "were" };
        let (code, sentence) = match early {
            true => (
                Code::CandidateBeforeRemoteDescription,
                format!(
                    "{of} of {other} came to {side} at {}, before its description, and {were} thrown away: {why}",
                    moment(first.at)
                ),
            ),
            false => (
                Code::CandidateRejected,
                format!("{of} of {other} {were} refused by {side} at {}: {why}", moment(first.at)),
            ),
        };
        Some(Cause::new(code, first.at, sentence).about([side]).shown_by(refused.into_iter().map(scene::entry)))
    })
}

/// Candidates that were found and never sent.
pub(super) fn never_signalled(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    if is_connected(scene) || is_scripted(scene) {
        return None;
    }
    let silent: Vec<&Name> = sides
        .into_iter()
        .filter(|side| {
            fated(scene, side, CandidateFate::Gathered).next().is_some()
                && scene.sent(side, MessageKind::Candidate).is_none()
        })
        .collect();
    let first = *silent.first()?;
    let found = fated(scene, first, CandidateFate::Gathered).next()?;
    let held_up = silent.iter().find_map(|side| servers::silent(scene, side));
    let why = match held_up {
        Some(server) => format!(", and {server} held it up, which never answered"),
        None => String::new(),
    };
    let sentence = format!(
        "{} kept the candidates that {} found until gathering would be complete{why}",
        all_of(&silent),
        if silent.len() == 1 { "it" } else { "they" },
    );
    Some(Cause::new(Code::CandidatesLate, found.at, sentence).about(silent).shown_by([scene::entry(found)]))
}

/// Candidates that were sent, of which none arrived in time.
pub(super) fn never_relayed(scene: &Scene<'_>) -> Option<Cause> {
    if is_connected(scene) {
        return None;
    }
    let over = scene.over();
    let messages = scene.record.signalling.messages();
    let mut lost: Vec<(&Name, usize, VirtualTime, bool)> = Vec::new();
    for side in scene.sides()? {
        let sent: Vec<_> = messages
            .iter()
            .filter(|message| message.kind == MessageKind::Candidate && message.from == *side)
            .filter(|message| message.handed_over < over)
            .collect();
        let arrived = |at: &VirtualTime| *at < over;
        let none = sent.iter().all(|message| !message.taken.iter().any(|(at, _)| arrived(at)));
        if let (Some(first), true) = (sent.first(), none) {
            let dropped = sent.iter().all(|message| message.fate == Some(Fate::Dropped));
            lost.push((side, sent.len(), first.accepted.unwrap_or(first.handed_over), dropped));
        }
    }
    let at = lost.iter().map(|(_, _, at, _)| *at).min()?;
    let whose: Vec<String> =
        lost.iter().map(|(side, number, ..)| format!("{} of {side}", count(*number, "candidate"))).collect();
    let where_to = if lost.iter().all(|(.., dropped)| *dropped) {
        "dropped at the signaller"
    } else {
        "lost on the way to the other side"
    };
    let sentence = format!("{} were {where_to} from {} on, and none arrived", all_of(&whose), moment(at));
    let evidence = lost.iter().map(|(side, number, at, _)| {
        Evidence::of(*at, side, format!("the first of {} is lost", count(*number, "candidate")))
    });
    let sides = lost.iter().map(|(side, ..)| *side);
    Some(Cause::new(Code::CandidatesNeverRelayed, at, sentence).about(sides).shown_by(evidence))
}

/// Candidates that arrived, of which none was applied.
pub(super) fn never_applied(scene: &Scene<'_>) -> Option<Cause> {
    if is_connected(scene) {
        return None;
    }
    let sides = scene.sides()?;
    let idle: Vec<&Name> = sides
        .into_iter()
        .filter(|side| {
            let Some(other) = other(scene, side) else { return false };
            let there = match is_scripted(scene) {
                true => fated(scene, other, CandidateFate::Gathered).next().is_some(),
                false => scene.received(side, MessageKind::Candidate).is_some(),
            };
            there && fated(scene, side, CandidateFate::Applied).next().is_none()
        })
        .collect();
    let at = idle.iter().filter_map(|side| theory::checking_since(scene, side)).min()?;
    let sentence = format!("{} never applied a candidate of the other side", all_of(&idle),);
    let found = idle.iter().filter_map(|side| {
        let other = other(scene, side)?;
        fated(scene, other, CandidateFate::Gathered).next().map(scene::entry)
    });
    let evidence: Vec<Evidence> = found.collect();
    Some(Cause::new(Code::CandidatesNeverApplied, at, sentence).about(idle).shown_by(evidence))
}

fn other<'a>(scene: &Scene<'a>, side: &Name) -> Option<&'a Name> {
    scene.sides()?.into_iter().find(|other| *other != side)
}

fn is_connected(scene: &Scene<'_>) -> bool {
    scene.sides().is_some_and(|sides| sides.iter().any(|side| scene.ice_connected(side).is_some()))
}

/// Whether what the sides make reaches the other without signalling.
fn is_scripted(scene: &Scene<'_>) -> bool {
    scene.sides().is_some_and(|sides| sides.iter().any(|side| scene.plan.is_driven(side)))
}

/// Candidates of which this became at `side`, without the ends of candidates.
fn fated<'a>(scene: &Scene<'a>, side: &Name, wanted: CandidateFate) -> impl Iterator<Item = &'a Entry> {
    scene.entries(side).filter(move |entry| {
        matches!(&entry.event, Event::Candidate { fate, candidate, .. }
            if *fate == wanted && *candidate != Trickle::EndOfCandidates)
    })
}
