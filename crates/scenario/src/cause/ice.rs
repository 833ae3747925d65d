//! ICE that could have connected and did not.

use std::collections::BTreeMap;

use diagnosis::{
    Cause, Code,
    wording::{count, moment},
};
use timeline::{PacketRecord, Verdict};

use super::{
    links,
    scene::{self, Scene},
    theory,
};

/// Both sides checked pairs, and none came to work.
pub(super) fn never_connected(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    if sides.iter().any(|side| scene.ice_connected(side).is_some()) {
        return None;
    }
    let at = sides.iter().filter_map(|side| theory::checking_since(scene, side)).min()?;
    let over = scene.over();
    let [one, other] = sides;
    let ways = [(one, other), (other, one)].into_iter();
    let packets = ways.flat_map(|(from, to)| scene.on_the_way(from, to).collect::<Vec<_>>());
    let mut packets: Vec<&PacketRecord> =
        packets.filter(|packet| packet.at >= at && packet.at < over).collect();
    packets.sort_by_key(|packet| packet.at);
    let checks: Vec<&PacketRecord> =
        packets.iter().copied().filter(|packet| packet.protocol.is_binding()).collect();
    if let Some(full) = packets.iter().find(|packet| packet.verdict == Verdict::NatPortsExhausted) {
        return Some(ports_exhausted(full));
    }
    let so = format!("and ICE did not connect, which checked from {} on", moment(at));
    if let Some(cause) = links::trouble(scene, packets.iter().copied(), links::HEAVY_LOSS, &so) {
        return Some(cause);
    }
    if scene.was_cut_short(at) {
        return None;
    }
    let arrived = checks.iter().filter(|packet| packet.verdict.arrived()).count();
    let mut fates: BTreeMap<Verdict, usize> = BTreeMap::new();
    for packet in checks.iter().filter(|packet| !packet.verdict.arrived()) {
        *fates.entry(packet.verdict).or_default() += 1;
    }
    let most = fates.into_iter().max_by_key(|(_, number)| *number);
    let ends = most.map(|(verdict, number)| format!("; {number} ended so: {verdict}")).unwrap_or_default();
    let sentence = format!(
        "ICE found no pair of {} that works: {} and answers were sent from {} on, and {arrived} arrived{ends}",
        diagnosis::wording::all_of(&sides),
        count(checks.len(), "check"),
        moment(at)
    );
    let shown = checks.iter().take(3).map(|packet| scene::packet(packet));
    Some(Cause::new(Code::IceNeverConnected, at, sentence).about(sides).shown_by(shown))
}

/// A NAT that gives out no more mappings.
pub(super) fn ports_exhausted(packet: &PacketRecord) -> Cause {
    let host = &packet.from_host;
    let sentence = format!("The NAT of {host} had no port left for another mapping at {}", moment(packet.at));
    Cause::new(Code::NatMappingLost, packet.at, sentence).about([host]).shown_by([scene::packet(packet)])
}
