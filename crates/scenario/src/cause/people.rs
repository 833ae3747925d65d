//! What users do: they decline, do not answer, hang up, and keep their microphones to themselves.

use std::time::Duration;

use diagnosis::{
    Cause, Code,
    wording::{duration, moment},
};
use timeline::{CallState, Cause as Why, EndReason, Event, Name, State, VirtualTime};

use super::scene::{self, Scene};

/// Microphone or camera could not be had.
pub(super) fn denied(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    sides.into_iter().find_map(|side| {
        scene.entries(side).find_map(|entry| match &entry.event {
            Event::Transition { cause: Some(cause), .. } => {
                let what = match cause {
                    Why::NotAllowed => "did not allow its microphone or camera to be used",
                    Why::NotFound => "has no microphone or camera of the kind that is asked for",
                    Why::PermissionLost => "lost the permission to use microphone and camera",
                    _ => return None,
                };
                let sentence = format!("{side} {what} at {} (`{cause}`)", moment(entry.at));
                let cause = Cause::new(Code::MediaDenied, entry.at, sentence);
                Some(cause.about([side]).shown_by([scene::entry(entry)]))
            }
            _ => None,
        })
    })
}

/// The callee declines, has another call, or does not answer.
pub(super) fn unwilling(scene: &Scene<'_>) -> Option<Cause> {
    let call = scene.call?;
    let (caller, callee) = (call.caller, call.callee);
    let reasons = call.sides().map(|side| scene.end_reason(side));
    let is = |reason| reasons.contains(&Some(reason));
    let rang = scene.first(callee, &[State::Call(CallState::Ringing)]);
    let (code, at, sentence) = if is(EndReason::Declined) {
        let at = ended_by(scene, callee, EndReason::Declined)?;
        (Code::CallRejected, at, format!("{callee} declined the call at {}", moment(at)))
    } else if scene.end_reason(caller) == Some(EndReason::Busy) {
        let at = ended_by(scene, caller, EndReason::Busy)?;
        let dialled = moment(call.dialled);
        (Code::CalleeBusy, at, format!("{callee} was in another call when {caller} called at {dialled}"))
    } else if is(EndReason::NoAnswer) && scene.sent(callee, timeline::MessageKind::Accept).is_none() {
        let (rang, at) = (rang?, ended_by(scene, caller, EndReason::NoAnswer)?);
        if let Some(down) = super::links::down_at(scene, callee, at) {
            return Some(down.cause(&format!("so {caller} heard no more of {callee}, where it rang")));
        }
        let waited = duration(at.since(rang));
        let sentence =
            format!("It rang at {callee} from {} on, and nobody took the call within {waited}", moment(rang));
        (Code::NotAnswered, rang, sentence)
    } else {
        return None;
    };
    let evidence = scene
        .entries(caller)
        .chain(scene.entries(callee))
        .filter(|entry| matches!(&entry.event, Event::Transition { to: State::Call(_), .. }));
    Some(Cause::new(code, at, sentence).about([callee]).shown_by(evidence.map(scene::entry)))
}

fn ended_by(scene: &Scene<'_>, side: &Name, reason: EndReason) -> Option<VirtualTime> {
    scene.entries(side).find_map(|entry| match &entry.event {
        Event::Transition { to: State::Call(CallState::Ended(found)), .. } if *found == reason => {
            Some(entry.at)
        }
        _ => None,
    })
}

/// The caller gives up while it rings.
pub(super) fn cancelled(scene: &Scene<'_>) -> Option<Cause> {
    let call = scene.call?;
    let at = ended_by(scene, call.caller, EndReason::Cancelled)?;
    let waited = duration(at.since(call.dialled));
    let (caller, callee) = (call.caller, call.callee);
    let sentence = format!(
        "{caller} hung up at {}, {waited} after it had called and before {callee} took the call",
        moment(at)
    );
    Some(Cause::new(Code::HungUpEarly, at, sentence).about([caller]).shown_by(scene.action_at(caller, at)))
}

/// When the user of `side` ended the call.
pub(super) fn hung_up_at(scene: &Scene<'_>, side: &Name) -> Option<VirtualTime> {
    scene.entries(side).find_map(|entry| match &entry.event {
        Event::Transition {
            to: State::Call(CallState::Ended(_)),
            cause: Some(Why::HangUp | Why::Close),
            ..
        } => Some(entry.at),
        _ => None,
    })
}

/// Somebody hangs up while the call connects, and nothing else was wrong with it.
pub(super) fn hung_up(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?.into_iter();
    let (side, at) = sides.filter_map(|side| Some((side, hung_up_at(scene, side)?))).next()?;
    let taken = scene.first(side, &[State::Call(CallState::Connecting)])?;
    let waited: Duration = at.since(taken);
    let sentence = format!(
        "{side} hung up at {}, {} after the call was taken and before it was connected",
        moment(at),
        duration(waited)
    );
    Some(Cause::new(Code::HungUpEarly, at, sentence).about([side]).shown_by(scene.action_at(side, at)))
}
