//! Connections that were there and broke.

use diagnosis::{Cause, Code, Evidence, wording::moment};
use timeline::{
    ConnectionState, EndReason, IceState, Name, PacketRecord, Protocol, State, Verdict, VirtualTime,
};

use super::{
    ice, links, restart,
    scene::{self, Scene},
    servers,
};
use crate::{
    plan::{Action, Liveness},
    record::CandidateType,
};

/// The connection was lost.
pub(super) fn lost(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    let lost = sides.iter().any(|side| {
        matches!(scene.end_reason(side), Some(EndReason::ConnectionLost | EndReason::ConnectionFailed))
    });
    let broken = |side: &&Name| {
        let states = [
            State::Ice(IceState::Disconnected),
            State::Ice(IceState::Failed),
            State::Connection(ConnectionState::Disconnected),
            State::Connection(ConnectionState::Failed),
        ];
        scene.first(side, &states)
    };
    let disconnected = sides.iter().filter_map(broken).min();
    if !lost && disconnected.is_none() {
        return None;
    }
    let until = disconnected.unwrap_or_else(|| scene.over());
    Some(broke(scene, sides, until))
}

/// What broke the way between the two before `until`.
pub(super) fn broke(scene: &Scene<'_>, sides: [&Name; 2], until: VirtualTime) -> Cause {
    let [one, other] = sides;
    // The direction in which the last packet arrived earlier broke first.
    let ways =
        [(one, other), (other, one)].map(|(from, to)| (last_arrival(scene, from, to, until), from, to));
    let (break_at, from, to) = match ways[0].0 <= ways[1].0 {
        true => ways[0],
        false => ways[1],
    };
    blame(scene, from, to, break_at, until)
}

/// Why nothing of `from` arrived at `to` after `at`.
pub(super) fn blame(scene: &Scene<'_>, from: &Name, to: &Name, at: VirtualTime, until: VirtualTime) -> Cause {
    let so = format!("and nothing of {from} arrived at {to} after {}", moment(at));
    if let Some(moved) = restart::moved(scene, [from, to], at) {
        return moved;
    }
    let after: Vec<&PacketRecord> =
        scene.on_the_way(from, to).filter(|packet| packet.at >= at && packet.at <= until).collect();
    if let Some(relay) = relay_lost(scene, from, to, at, until) {
        return relay;
    }
    if let Some(cause) = links::trouble(scene, after.iter().copied(), links::HEAVY_LOSS, &so) {
        return cause;
    }
    for host in [from, to] {
        if let Some(down) = links::down_at(scene, host, at) {
            return down.cause(&so);
        }
    }
    let fate = |verdicts: &[Verdict]| after.iter().copied().find(|packet| verdicts.contains(&packet.verdict));
    if let Some(packet) = fate(&[Verdict::NatPortsExhausted]) {
        return ice::ports_exhausted(packet);
    }
    let nat = [Verdict::NatNoMapping, Verdict::NatFiltered];
    let dropped = fate(&nat).or_else(|| {
        let back = scene.on_the_way(to, from).filter(|packet| packet.at >= at && packet.at <= until);
        back.into_iter().find(|packet| nat.contains(&packet.verdict))
    });
    if let Some(packet) = dropped {
        let sentence = format!(
            "A NAT forgot its mapping in the silence before {}: what {} sent was dropped there, {so}",
            moment(packet.at),
            packet.from_host
        );
        let cause = Cause::new(Code::NatMappingLost, packet.at, sentence);
        return cause.about([from, to]).shown_by([scene::packet(packet)]);
    }
    if let Some(packet) =
        fate(&[Verdict::NoSocket, Verdict::PowerOff, Verdict::FirewallBlocked, Verdict::AddressGone])
    {
        let sentence = format!(
            "What {from} sent to {to} from {} on did not arrive: {}",
            moment(packet.at),
            packet.verdict
        );
        return Cause::new(Code::ConnectionLost, packet.at, sentence)
            .about([from])
            .shown_by([scene::packet(packet)]);
    }
    if let Some(moved) = restart::moved_before(scene, [from, to], until) {
        return moved;
    }
    let sent = after.iter().filter(|packet| packet.from_host == *from).count();
    let sentence = match sent {
        0 => format!("{from} sent nothing to {to} after {}", moment(at)),
        _ => format!("The connection of {from} to {to} broke after {}", moment(at)),
    };
    let code = if sent == 0 { Code::RemoteVanished } else { Code::ConnectionLost };
    let shown = after.last().map(|packet| scene::packet(packet));
    Cause::new(code, at, sentence).about([from, to]).shown_by(shown)
}

/// The last moment before `until` at which a datagram of `from` arrived at `to`.
pub(super) fn last_arrival(scene: &Scene<'_>, from: &Name, to: &Name, until: VirtualTime) -> VirtualTime {
    let arrived = scene.on_the_way(from, to).rev().find(|packet| {
        let carries = !matches!(packet.protocol, Protocol::Stun { method: 3.., .. });
        carries && packet.at <= until && packet.verdict.arrived() && packet.to_host.as_ref() == Some(to)
    });
    arrived.map_or(VirtualTime::ZERO, |packet| packet.at)
}

/// The call went through a TURN server, which lost its allocation or refused to prolong it.
fn relay_lost(
    scene: &Scene<'_>,
    from: &Name,
    to: &Name,
    at: VirtualTime,
    until: VirtualTime,
) -> Option<Cause> {
    let relayed = [from, to].into_iter().any(|side| {
        let pair = scene.peer(side).and_then(|peer| peer.pair);
        pair.is_some_and(|pair| pair.worst() == CandidateType::Relayed)
    });
    if !relayed {
        return None;
    }
    for (when, action) in scene.faults() {
        if when > until {
            break;
        }
        let (server, what) = match action {
            Action::Reboot { server } => (server, "rebooted"),
            Action::SetMood { server, mood } if mood.liveness == Liveness::Dead => (server, "died"),
            _ => continue,
        };
        let close = scene::is_near(when, at, std::time::Duration::from_secs(3));
        let sentence = format!(
            "The TURN server {server} {what} at {}, and the relayed addresses of the call went with it",
            moment(when)
        );
        let evidence = Evidence::of(when, server, what);
        if close {
            return Some(Cause::new(Code::RelayLost, when, sentence).about([server]).shown_by([evidence]));
        }
    }
    let connected = scene.peer(from)?.connected_at?;
    scene.plan.ice_servers.iter().find_map(|server| servers::refusal(scene, server, &[from, to], connected))
}
