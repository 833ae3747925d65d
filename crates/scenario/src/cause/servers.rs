//! STUN and TURN servers without which the call could not do, and which did not do their part.

use diagnosis::{
    Cause, Code, Evidence,
    wording::{all_of, moment},
};
use nat_oracle::Offer;
use timeline::{CandidateFate, CandidateType, Event, Name, PacketRecord, Trickle, VirtualTime};

use super::{
    links,
    scene::{self, Scene},
    theory,
};
use crate::plan::{IceServerKind, IceServerPlan, IceTransportPolicy};

/// With what the servers did, no pair could work; with what they should have done, one could.
pub(super) fn failed(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    if sides.iter().any(|side| scene.ice_connected(side).is_some()) {
        return None;
    }
    let relay_only = |side: &Name| {
        let plan = scene.peer_plan(side);
        plan.is_some_and(|plan| plan.ice_transport_policy == IceTransportPolicy::Relay)
    };
    let without_relay =
        sides.into_iter().find(|side| relay_only(side) && !has(scene, side, CandidateType::Relayed));
    let done = sides.into_iter().map(|side| done_for(scene, side)).max().unwrap_or(Offer::Nothing);
    let missing = theory::works_with(scene, done) == Some(false);
    if without_relay.is_none() && !missing {
        return None;
    }
    let wanted = match without_relay {
        Some(side) => vec![side],
        None => {
            sides.into_iter().filter(|side| done_for(scene, side) < theory::offer(scene, sides)).collect()
        }
    };
    blamed(scene, &wanted)
}

/// What servers did for `side`, by its candidates.
fn done_for(scene: &Scene<'_>, side: &Name) -> Offer {
    if has(scene, side, CandidateType::Relayed) {
        Offer::StunAndTurn
    } else if has(scene, side, CandidateType::ServerReflexive) {
        Offer::Stun
    } else {
        Offer::Nothing
    }
}

fn has(scene: &Scene<'_>, side: &Name, wanted: CandidateType) -> bool {
    scene.entries(side).any(|entry| {
        matches!(&entry.event, Event::Candidate { fate: CandidateFate::Gathered, candidate: Trickle::Candidate(found), .. }
            if found.kind == wanted)
    })
}

/// What the servers of these sides did wrong.
fn blamed(scene: &Scene<'_>, sides: &[&Name]) -> Option<Cause> {
    let servers: Vec<&IceServerPlan> = scene
        .plan
        .ice_servers
        .iter()
        .filter(|server| sides.iter().any(|side| scene.servers(side).any(|used| used.name == server.name)))
        .collect();
    let asked = |side: &Name, server: &IceServerPlan| {
        scene
            .datagrams()
            .find(|packet| packet.from_host == *side && packet.to_host.as_ref() == Some(&server.name))
    };
    for server in &servers {
        if let Some(cause) = refusal(scene, server, sides, VirtualTime::ZERO) {
            return Some(cause);
        }
    }
    for server in &servers {
        let first = sides.iter().filter_map(|side| asked(side, server)).min_by_key(|packet| packet.at);
        let Some(first) = first else { continue };
        let answered = |side: &&&Name| answer_of(scene, server, side).is_some();
        let waiting: Vec<&Name> = sides.iter().filter(|side| !answered(side)).copied().collect();
        if waiting.is_empty() {
            continue;
        }
        let so = format!("so {} got no candidate from it", all_of(&waiting));
        for host in [&server.name].into_iter().chain(waiting.iter().copied()) {
            if let Some(down) = links::down_at(scene, host, first.at) {
                return Some(down.cause(&so));
            }
        }
        let kind = if server.kind == IceServerKind::Turn { "TURN" } else { "STUN" };
        let sentence = format!(
            "The {kind} server {} never answered {}, which asked it from {} on",
            server.name,
            all_of(&waiting),
            moment(first.at)
        );
        let cause = Cause::new(Code::IceServerUnreachable, first.at, sentence);
        return Some(cause.about(waiting).shown_by([scene::packet(first)]));
    }
    let names: Vec<&Name> = servers.iter().map(|server| &server.name).collect();
    let nobody = !servers.iter().any(|server| sides.iter().any(|side| asked(side, server).is_some()));
    let at = sides.iter().filter_map(|side| theory::checking_since(scene, side)).min().unwrap_or_default();
    (nobody && !names.is_empty()).then(|| {
        let who = all_of(sides);
        let servers = all_of(&names);
        let sentence = format!(
            "{who} never asked the ICE servers given to them ({servers}), and found host candidates only"
        );
        Cause::new(Code::OnlyHostCandidates, at, sentence).about(sides.iter().copied())
    })
}

fn answer_of<'a>(scene: &Scene<'a>, server: &IceServerPlan, side: &Name) -> Option<&'a PacketRecord> {
    scene.datagrams().find(|packet| {
        packet.from_host == server.name && packet.to_host.as_ref() == Some(side) && packet.verdict.arrived()
    })
}

/// A server of `side` that was asked and never answered.
pub(super) fn silent<'a>(scene: &Scene<'a>, side: &Name) -> Option<&'a Name> {
    let server = scene.servers(side).find(|server| answer_of(scene, server, side).is_none())?;
    Some(&server.name)
}

/// What `server` refused these peers after `since`: by its own words.
pub(super) fn refusal(
    scene: &Scene<'_>,
    server: &IceServerPlan,
    sides: &[&Name],
    since: VirtualTime,
) -> Option<Cause> {
    let refusals = scene.notes(&server.name).filter(|(at, _)| *at >= since);
    let (at, note, method, error) = refusals
        .filter_map(|(at, note)| {
            let (method, error) = refused(note)?;
            Some((at, note, method, error))
        })
        .next()?;
    let (code, what) = match error.split(' ').next() {
        Some("401" | "441") => (Code::TurnUnauthorized, "refused the credentials of"),
        Some("486" | "508") => (Code::TurnExhausted, "has no relayed address for"),
        _ => (Code::IceServerError, "refused"),
    };
    let sentence = format!(
        "The TURN server {} {what} {} at {}: {method}, {error}",
        server.name,
        all_of(sides),
        moment(at)
    );
    let cause = Cause::new(code, at, sentence).about(sides.iter().copied());
    Some(cause.shown_by([Evidence::of(at, &server.name, note)]))
}

/// Method and error of `refused Allocate of 203.0.113.1:62551: 401 Unauthorized`.
fn refused(note: &str) -> Option<(&str, &str)> {
    let (method, rest) = note.strip_prefix("refused ")?.split_once(" of ")?;
    let (_, error) = rest.split_once(": ")?;
    Some((method, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_method_and_its_error() {
        let note = "refused Allocate of 203.0.113.1:62551: 401 Unauthorized";
        assert_eq!(refused(note), Some(("Allocate", "401 Unauthorized")));
        assert_eq!(refused("refused Allocate of [2001:db8::7]:50000: 508 X"), Some(("Allocate", "508 X")));
        assert_eq!(refused("allocated 198.51.100.1:49152 to caller"), None);
    }
}
