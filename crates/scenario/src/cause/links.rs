//! What links did to packets: down, lossy, too narrow, too slow.

use std::{collections::BTreeMap, time::Duration};

use diagnosis::{
    Cause, Code, Evidence,
    wording::{capitalised, moment},
};
use timeline::{Name, PacketRecord, Verdict, VirtualTime};

use super::scene::{self, Scene};
use crate::plan::{Access, Action, Half, LinkModel, Plan};

/// A host's link that is down.
pub(super) struct Down<'a> {
    host: &'a Name,
    from: VirtualTime,
    /// `None` where it did not come up again.
    to: Option<VirtualTime>,
}

impl Down<'_> {
    /// The link was down, and this came of it.
    pub(super) fn cause(&self, so: &str) -> Cause {
        let Self { host, from, to } = self;
        let until = to.map(|to| format!(" to {}", moment(to))).unwrap_or_default();
        let sentence = format!("The link of {host} was down from {}{until}, {so}", moment(*from));
        let evidence = Evidence::of(*from, &Name::new(Plan::NETWORK), format!("link of {host} goes down"));
        Cause::new(Code::LinkDown, *from, sentence).about([*host]).shown_by([evidence])
    }
}

/// When the link of `host` was down around `at`.
pub(super) fn down_at<'a>(scene: &Scene<'a>, host: &Name, at: VirtualTime) -> Option<Down<'a>> {
    downs(scene).into_iter().filter(|down| down.host == host).find(|down| {
        let begun = down.from <= at + Duration::from_millis(200);
        begun && down.to.is_none_or(|to| at <= to)
    })
}

/// All times at which links were down, by steps of the script and by schedules.
fn downs<'a>(scene: &Scene<'a>) -> Vec<Down<'a>> {
    let mut changes: BTreeMap<&'a Name, Vec<(VirtualTime, bool)>> = BTreeMap::new();
    for (at, action) in scene.faults() {
        match action {
            Action::LinkDown { host } => changes.entry(host).or_default().push((at, false)),
            Action::LinkUp { host } => changes.entry(host).or_default().push((at, true)),
            Action::SetLink { host, access } => {
                changes.entry(host).or_default().push((at, is_up(access)));
            }
            _ => {}
        }
    }
    for peer in &scene.plan.peers {
        if let Some(schedule) = &peer.schedule {
            let steps = schedule.steps.iter().map(|(at, access)| (VirtualTime::from(*at), is_up(access)));
            changes.entry(&peer.name).or_default().extend(steps);
        }
    }
    let mut all = Vec::new();
    for (host, mut changes) in changes {
        changes.sort_by_key(|(at, _)| *at);
        let mut from = None;
        for (at, up) in changes {
            match (up, from) {
                (false, None) => from = Some(at),
                (true, Some(since)) => {
                    all.push(Down { host, from: since, to: Some(at) });
                    from = None;
                }
                _ => {}
            }
        }
        all.extend(from.map(|from| Down { host, from, to: None }));
    }
    all
}

fn is_up(access: &Access) -> bool {
    access.up.up && access.down.up
}

/// The part of a half of a link's packets that must be lost for it to be to blame.
pub(super) const HEAVY_LOSS: f64 = 0.25;
/// The least packets that a half must have been offered for its losses to count.
const FEWEST: u32 = 4;

/// What happened to the datagrams of one half of one host's link.
#[derive(Default)]
struct Fared<'a> {
    offered: u32,
    lost: Vec<&'a PacketRecord>,
    too_big: Vec<&'a PacketRecord>,
    queue_full: Vec<&'a PacketRecord>,
}

/// The link that did most harm to `packets`, at least to the part `heavy` of them; `so` says what came of it. A packet
/// that is too long is too long each time it is sent, so one of them is enough.
pub(super) fn trouble<'a>(
    scene: &Scene<'a>,
    packets: impl Iterator<Item = &'a PacketRecord>,
    heavy: f64,
    so: &str,
) -> Option<Cause> {
    let mut halves: BTreeMap<(&'a Name, bool), Fared<'a>> = BTreeMap::new();
    let mut first_down = None;
    for packet in packets {
        match packet.verdict {
            Verdict::LinkDown => {
                first_down.get_or_insert(packet);
                continue;
            }
            Verdict::Unroutable | Verdict::NoRoute | Verdict::InFlight => continue,
            _ => {}
        }
        let up = halves.entry((&packet.from_host, true)).or_default();
        up.offered += 1;
        match packet.verdict {
            Verdict::LostUp => {
                up.lost.push(packet);
                continue;
            }
            Verdict::QueueFull if is_limited(scene, &packet.from_host, Half::Up, packet.at) => {
                up.queue_full.push(packet);
                continue;
            }
            Verdict::TooBig if is_too_long(scene, packet, &packet.from_host, Half::Up) => {
                up.too_big.push(packet);
                continue;
            }
            _ => {}
        }
        let Some(to) = &packet.to_host else { continue };
        let down = halves.entry((to, false)).or_default();
        down.offered += 1;
        match packet.verdict {
            Verdict::LostDown => down.lost.push(packet),
            Verdict::QueueFull => down.queue_full.push(packet),
            Verdict::TooBig => down.too_big.push(packet),
            _ => {}
        }
    }
    if let Some(packet) = first_down {
        let hosts = [Some(&packet.from_host), packet.to_host.as_ref()];
        let down = hosts.into_iter().flatten().find_map(|host| down_at(scene, host, packet.at));
        if let Some(down) = down {
            return Some(down.cause(so).shown_by([scene::packet(packet)]));
        }
    }
    let blame = |code: Code, heavy: f64, of: for<'f> fn(&'f Fared<'a>) -> &'f Vec<&'a PacketRecord>| {
        let share = |half: &Fared<'a>| of(half).len() as f64 / f64::from(half.offered.max(1));
        let bad = halves
            .iter()
            .filter(|(_, half)| half.offered >= FEWEST && !of(half).is_empty() && share(half) >= heavy);
        let ((host, up), half) = bad.max_by(|(_, one), (_, other)| share(one).total_cmp(&share(other)))?;
        Some(blamed(scene, code, host, *up, of(half), half.offered, so))
    };
    blame(Code::PacketTooBig, 0.0, |half| &half.too_big)
        .or_else(|| blame(Code::PacketLoss, heavy, |half| &half.lost))
        .or_else(|| blame(Code::LinkCongested, heavy, |half| &half.queue_full))
}

fn blamed(
    scene: &Scene<'_>,
    code: Code,
    host: &Name,
    is_up: bool,
    packets: &[&PacketRecord],
    offered: u32,
    so: &str,
) -> Cause {
    let (first, half) = (packets[0], if is_up { Half::Up } else { Half::Down });
    let link = format!("the {} of {host}", if is_up { "uplink" } else { "downlink" });
    let count = packets.len();
    let share = if count == offered as usize { "all".to_owned() } else { format!("{count} of") };
    let what = match code {
        Code::PacketTooBig => {
            let mtu = model(scene, host, half, first.at).and_then(|link| link.mtu_bytes);
            let mtu = mtu.map(|mtu| format!(" of {mtu} bytes")).unwrap_or_default();
            let dropped = diagnosis::wording::count(count, "packet");
            let longest = packets.iter().map(|packet| packet.len).max().unwrap_or_default();
            format!("is too narrow: its MTU{mtu} dropped {dropped} of up to {longest} bytes")
        }
        Code::PacketLoss => format!("lost {share} {offered} packets"),
        _ => format!("was too slow: its queue was full for {share} {offered} packets"),
    };
    let sentence = format!("{} {what} from {} on, {so}", capitalised(&link), moment(first.at));
    let evidence = packets.iter().take(3).map(|packet| scene::packet(packet));
    Cause::new(code, first.at, sentence).about([host]).shown_by(evidence)
}

/// What the half of a host's link was at `at`, by the plan.
fn model(scene: &Scene<'_>, host: &Name, half: Half, at: VirtualTime) -> Option<LinkModel> {
    let mut access = scene.plan.hosts().find(|of| of.name == *host)?.access;
    for (when, action) in scene.faults() {
        match action {
            Action::SetLink { host: whose, access: to } if whose == host && when <= at => access = **to,
            Action::Handover { host: whose, handover, .. } if whose == host && when <= at => {
                access = handover.to.access;
            }
            _ => {}
        }
    }
    Some(*access.half(half))
}

fn is_limited(scene: &Scene<'_>, host: &Name, half: Half, at: VirtualTime) -> bool {
    model(scene, host, half, at).is_some_and(|link| link.rate.is_some())
}

/// With the headers of UDP and IPv4.
fn is_too_long(scene: &Scene<'_>, packet: &PacketRecord, host: &Name, half: Half) -> bool {
    let mtu = model(scene, host, half, packet.at).and_then(|link| link.mtu_bytes);
    mtu.is_some_and(|mtu| packet.len + 28 > mtu)
}
