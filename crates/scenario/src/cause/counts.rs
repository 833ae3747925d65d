//! Offers and times that are other than expected in a call that worked.

use std::time::Duration;

use diagnosis::{
    Cause, Code,
    wording::{capitalised, count, duration, moment},
};
use timeline::{Entry, Event, MessageKind, Name, VirtualTime};

use super::scene::{self, Scene};
use crate::{metrics::Milestones, plan::Milestone};

/// More offers than there should be.
pub(super) fn offers(scene: &Scene<'_>) -> Option<Cause> {
    let expected = scene.plan.expect.offers.filter(|_| scene.failed(&["offers"]))?;
    let is_offer =
        |entry: &&Entry| matches!(entry.event, Event::MessageSent { kind: MessageKind::Offer, .. });
    let all: Vec<&Entry> = scene.record.timeline.entries.iter().filter(is_offer).collect();
    let second = all.get(1)?;
    if expected.at_most.is_none_or(|most| all.len() as u64 <= most) {
        return None;
    }
    let who = &second.actor;
    let reason = scene.entries(who).rev().find(|entry| {
        entry.at <= second.at
            && second.at.since(entry.at) < Duration::from_millis(5)
            && matches!(entry.event, Event::Action { .. })
    });
    let answered = scene.received(who, MessageKind::Answer).is_some_and(|at| at < second.at);
    let why = match reason.map(|entry| &entry.event) {
        Some(Event::Action { what }) if what.starts_with("sends") => {
            format!(", since its data channel was not part of the first one ({what})")
        }
        Some(Event::Action { what }) => format!(", as {who} {what}"),
        _ if !answered => " while the one before was still open".to_owned(),
        _ => String::new(),
    };
    let sentence = format!(
        "{} were made where {expected} should do: {who} made another one at {}{why}",
        count(all.len(), "offer"),
        moment(second.at)
    );
    let evidence = all.iter().take(4).map(|entry| scene::entry(entry)).chain(reason.map(scene::entry));
    Some(Cause::new(Code::NeedlessOffers, second.at, sentence).about([who]).shown_by(evidence))
}

/// An end of candidates that nobody said.
pub(super) fn ends(scene: &Scene<'_>) -> Option<Cause> {
    let failure = scene.failures.iter().find(|failure| failure.check == "candidate-ends")?;
    let silent: Vec<&Name> = scene
        .sides()?
        .into_iter()
        .filter(|side| scene.sent(side, MessageKind::EndOfCandidates).is_none())
        .collect();
    let at = silent.iter().filter_map(|side| scene.sent(side, MessageKind::Candidate)).max()?;
    let who = diagnosis::wording::all_of(&silent);
    let sentence = format!("{who} never said that there are no more candidates: {}", failure.message);
    Some(Cause::new(Code::CandidateEnds, at, sentence).about(silent))
}

/// A milestone that came too late: where the time went.
pub(super) fn slow(scene: &Scene<'_>) -> Option<Cause> {
    let milestones = Milestones::of(scene.plan, scene.record);
    let dialled = scene.call?.dialled;
    let late = scene.plan.expect.milestones.iter().find_map(|bound| {
        let at = milestones.at(bound.milestone, bound.peer.as_ref())?;
        let took = at.since(dialled);
        bound.range.broken_by(took).filter(|_| bound.range.at_most.is_some_and(|most| took > most))?;
        Some((bound.milestone, at))
    })?;
    let (milestone, at) = late;
    let steps = [
        (Milestone::Ringing, "the ring"),
        (Milestone::Offer, "the callee's user, who took the call"),
        (Milestone::Answer, "the answer"),
        (Milestone::IceConnected, "ICE"),
        (Milestone::DtlsConnected, "DTLS"),
        (Milestone::Connected, "the last step"),
        (Milestone::FirstMedia, "the first media"),
    ];
    let mut before = dialled;
    let mut longest: Option<(Duration, &str, VirtualTime, VirtualTime)> = None;
    for (step, name) in steps {
        let Some(reached) = milestones.at(step, None).filter(|reached| *reached <= at && *reached >= before)
        else {
            continue;
        };
        let took = reached.since(before);
        if longest.is_none_or(|(longest, ..)| took > longest) {
            longest = Some((took, name, before, reached));
        }
        before = reached;
    }
    let (took, name, from, to) = longest?;
    let sentence = format!(
        "{} came {} after the dial: the longest wait was for {name}, {} from {} to {}",
        capitalised(milestone.as_str()),
        duration(at.since(dialled)),
        duration(took),
        moment(from),
        moment(to)
    );
    Some(Cause::new(Code::SlowStep, from, sentence))
}
