//! Messages of data channels that did not arrive.

use diagnosis::{Cause, Code, Evidence};
use timeline::VirtualTime;

use super::scene::Scene;
use crate::plan::Command;

/// What was expected on a data channel and did not arrive.
pub(super) fn missing(scene: &Scene<'_>) -> Option<Cause> {
    let failure = scene.failures.iter().find(|failure| failure.check == "data")?;
    let sender = scene.plan.peers.iter().find(|peer| {
        scene.commands(&peer.name).any(|(_, command)| matches!(command, Command::SendData { .. }))
    })?;
    let name = &sender.name;
    let (told, _) = scene.commands(name).find(|(_, command)| matches!(command, Command::SendData { .. }))?;
    let problem = scene.problems(name).find(|(at, what)| *at >= told && what.contains("data"));
    let open =
        scene.notes(name).find(|(_, note)| note.starts_with("data channel") && note.ends_with(": open"));
    let refused: u64 = scene.peer(name)?.data_sent.values().map(|sent| sent.refused).sum();
    let why = match (open, problem) {
        (None, _) => format!("{name} has no data channel that is open"),
        (Some(_), Some((_, what))) if refused > 0 => {
            format!("{refused} messages of {name} were refused ({what})")
        }
        _ => failure.message.clone(),
    };
    let sentence = match why == failure.message {
        true => why,
        false => format!("{why}: {}", failure.message),
    };
    let at: VirtualTime = problem.map_or(told, |(at, _)| at);
    let evidence =
        problem.map(|(at, what)| Evidence::of(at, name, what)).or_else(|| scene.action_at(name, told));
    Some(Cause::new(Code::DataNotDelivered, at, sentence).about([name]).shown_by(evidence))
}
