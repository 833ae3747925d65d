//! Peers that were away when the call needed them: their process was suspended, or they had no network to begin on.

use diagnosis::{Cause, Code, Evidence, wording::moment};
use timeline::{CallState, Machine, State, VirtualTime};

use super::scene::{self, Scene};
use crate::plan::Action;

/// The call ended while the process of a peer was suspended.
pub(super) fn suspended(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    let ends = sides.map(|side| scene.ended(side));
    scene.faults().find_map(|(at, action)| {
        let Action::Suspend { peer, lasts } = action else { return None };
        let until = at + *lasts;
        if !sides.contains(&peer) || !ends.iter().any(|end| (at..until).contains(end)) {
            return None;
        }
        let (from, until) = (moment(at), moment(until));
        let sentence = format!(
            "The process of {peer} was suspended from {from} to {until}, and the call ended meanwhile"
        );
        let evidence = Evidence::of(at, peer, action.to_string());
        let ended = sides.into_iter().filter_map(|side| end_of(scene, side));
        Some(Cause::new(Code::ProcessSuspended, at, sentence).about([peer]).shown_by(ended.chain([evidence])))
    })
}

/// A call was taken, or was to be offered, without a network, and none came in time.
pub(super) fn without_a_network(scene: &Scene<'_>) -> Option<Cause> {
    scene.sides()?.into_iter().find_map(|side| {
        let (at, what) = scene
            .problems(side)
            .filter(|(_, what)| what.starts_with("the call waits for a network"))
            .last()?;
        let began = |(when, _): (VirtualTime, State)| when > at;
        if scene.record.timeline.transitions(side, Machine::Signaling).any(began) {
            return None;
        }
        let since = scene.problems(side).find(|(_, other)| *other == what).map_or(at, |(first, _)| first);
        let sentence =
            format!("{side} had no network from {} on, and the call waited for one in vain", moment(since));
        let evidence = Evidence::of(since, side, what);
        Some(Cause::new(Code::LinkDown, since, sentence).about([side]).shown_by([evidence]))
    })
}

fn end_of(scene: &Scene<'_>, side: &timeline::Name) -> Option<Evidence> {
    let is_end = |entry: &&timeline::Entry| {
        matches!(entry.event, timeline::Event::Transition { to: State::Call(CallState::Ended(_)), .. })
    };
    scene.entries(side).find(is_end).map(scene::entry)
}
