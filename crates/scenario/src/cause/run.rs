//! Runs that did not come to their end, and scripts that were not carried out.

use diagnosis::{Cause, Code, wording::moment};

use super::scene::Scene;
use crate::record::WorldEnd;

/// What makes all else worthless.
pub(super) fn broken(scene: &Scene<'_>) -> Option<Cause> {
    let record = scene.record;
    if let Some(step) = record.not_understood.first() {
        let sentence = format!("A step of {} was not carried out: {}", step.peer, step.what);
        return Some(Cause::new(Code::StepsUnderstood, step.at, sentence).about([&step.peer]));
    }
    let sentence = match record.end {
        WorldEnd::Finished | WorldEnd::Deadline => return None,
        WorldEnd::EventBudget => "The run used up its event budget: something goes on and on".to_owned(),
        WorldEnd::Stalled => "Nothing could happen any more, yet tasks were waiting".to_owned(),
        WorldEnd::Escaped => {
            let escapes: Vec<String> = record.escapes.iter().map(ToString::to_string).collect();
            format!("A program called the machine instead of the world: {}", escapes.join("; "))
        }
    };
    Some(Cause::new(Code::EndedByItself, record.elapsed, sentence))
}

/// A run that was stopped at its deadline for no other reason.
pub(super) fn stopped(scene: &Scene<'_>) -> Option<Cause> {
    if scene.record.end != WorldEnd::Deadline {
        return None;
    }
    let peers = scene
        .record
        .peers
        .iter()
        .filter(|(_, peer)| peer.connected_at.is_some() && peer.end_reason.is_none());
    let connected: Vec<_> = peers.map(|(name, _)| name.clone()).collect();
    let at = scene.record.elapsed;
    let why = match connected.is_empty() {
        true => "nothing ended it".to_owned(),
        false => {
            format!("nobody hung up, and the call of {} went on", diagnosis::wording::all_of(&connected))
        }
    };
    let sentence = format!("The run was stopped at its deadline, {}: {why}", moment(at));
    Some(Cause::new(Code::EndedByItself, at, sentence).about(&connected))
}
