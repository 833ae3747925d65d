//! `[peers.NAME]`: who takes part.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use timeline::Name;

use super::{
    error::{Found, ProblemKind, Problems, Span},
    reader::{Key, Table, Value},
    signaller::{SignallerRead, client},
    values::vocabulary,
};
use crate::plan::{
    AccessPlan, Codecs, Crypto, Device, FacingMode, HalfPlan, MediaPlan, OnRing, PeerPlan, Permission, Plan,
    Probability, SignalingPlan,
};

/// A peer, and where its address stands (or its name, if the address is the default one).
pub(super) struct PeerRead {
    pub(super) plan: PeerPlan,
    pub(super) name: Name,
    pub(super) address_at: Span,
}

/// Names that mean something else where a peer's name may stand.
const RESERVED: [&str; 3] = ["at", "network", Plan::SIGNALLER];

pub(super) fn read(value: Option<Value<'_>>, problems: &Problems) -> Vec<PeerRead> {
    let Some(value) = value else { return Vec::new() };
    let Some(table) = value.table("[peers]", problems) else { return Vec::new() };
    let keys = table.rest();
    if keys.len() < 2 {
        problems.add(ProblemKind::TooFewPeers { found: keys.len() }, table.span());
    }
    keys.into_iter().enumerate().map(|(index, key)| peer(index, &key, problems)).collect()
}

/// Always yields a peer, so that steps and expectations that name it are not called wrong as well.
fn peer(index: usize, key: &Key<'_>, problems: &Problems) -> PeerRead {
    check_name(key, problems);
    let name = Name::from(key.name);
    // 250 hosts fit under one prefix; the 251st begins the next.
    let (third, fourth) = (index / 250, index % 250 + 1);
    let third = u8::try_from(third + usize::from(third > 0)).unwrap_or(u8::MAX);
    let default_address = IpAddr::from([10, 0, third, u8::try_from(fourth).unwrap_or(u8::MAX)]);
    let mut plan = default_peer(name.clone(), default_address);
    let mut address_at = key.span.clone();
    if let Some(mut table) = key.value.table(format!("[peers.{name}]"), problems) {
        if let Some((address, at)) = address(&mut table, problems) {
            (plan.address, address_at) = (address, at);
        }
        fill(&mut plan, &mut table, problems);
        table.finish(problems);
    }
    PeerRead { plan, name, address_at }
}

fn default_peer(name: Name, address: IpAddr) -> PeerPlan {
    PeerPlan {
        name,
        address,
        access: AccessPlan::DEFAULT,
        device: Device::Laptop,
        media: MediaPlan::AUDIO_VIDEO,
        permission: Permission::Granted,
        on_ring: OnRing::Accept { after: Duration::ZERO },
        ring_timeout: PeerPlan::DEFAULT_RING_TIMEOUT,
        connect_timeout: PeerPlan::DEFAULT_CONNECT_TIMEOUT,
        codecs: Codecs::OpusVp8,
        crypto: Crypto::Ring,
        frame_rate: PeerPlan::DEFAULT_FRAME_RATE,
        facing_mode: FacingMode::User,
        signaling: SignalingPlan::default(),
    }
}

fn check_name(key: &Key<'_>, problems: &Problems) {
    let name = key.name;
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let reason = if RESERVED.contains(&name) {
        "it means something else in a step"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letters) {
        "names are made of a-z, 0-9 and -, and begin with a letter"
    } else if name.len() > 32 {
        "it is longer than 32 letters"
    } else {
        return;
    };
    problems.add(ProblemKind::BadName { found: name.to_owned(), reason }, key.span.clone());
}

fn fill(plan: &mut PeerPlan, table: &mut Table<'_>, problems: &Problems) {
    if let Some(value) = table.take("link") {
        plan.access = access(value, problems);
    }
    if let Some(value) = table.take("signaling") {
        plan.signaling = client(value, plan.name.as_str(), problems);
    }
    set(&mut plan.device, table.word("device", &vocabulary!("device", Device), problems));
    set(&mut plan.media, table.take("media").and_then(|value| media(value, problems)));
    set(&mut plan.permission, table.word("permission", &vocabulary!("permission", Permission), problems));
    set(&mut plan.on_ring, table.take("on-ring").and_then(|value| on_ring(value, problems)));
    set(&mut plan.ring_timeout, table.plain_duration("ring-timeout", problems));
    set(&mut plan.connect_timeout, table.plain_duration("connect-timeout", problems));
    set(&mut plan.codecs, table.word("codecs", &vocabulary!("codec set", Codecs), problems));
    set(&mut plan.crypto, table.word("crypto", &vocabulary!("crypto provider", Crypto), problems));
    let frame_rate = table.integer("frame-rate", 1..=120, problems);
    set(&mut plan.frame_rate, frame_rate.and_then(|rate| u32::try_from(rate).ok()));
    set(&mut plan.facing_mode, table.word("facing-mode", &vocabulary!("facing mode", FacingMode), problems));
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn media(value: Value<'_>, problems: &Problems) -> Option<MediaPlan> {
    match value.known_text("media", &["audio-video", "voice", "audio-only"], problems)?.as_str() {
        "audio-video" => Some(MediaPlan::AUDIO_VIDEO),
        "voice" => Some(MediaPlan::VOICE),
        _ => Some(MediaPlan::AUDIO_ONLY),
    }
}

fn on_ring(value: Value<'_>, problems: &Problems) -> Option<OnRing> {
    if value.is_table() {
        return on_ring_after(value, problems);
    }
    match value.known_text("reaction", &["accept", "reject", "ignore"], problems)?.as_str() {
        "accept" => Some(OnRing::Accept { after: Duration::ZERO }),
        "reject" => Some(OnRing::Reject { after: Duration::ZERO }),
        _ => Some(OnRing::Ignore),
    }
}

fn on_ring_after(value: Value<'_>, problems: &Problems) -> Option<OnRing> {
    let mut table = value.table("on-ring", problems)?;
    let accept = table.take("accept-after");
    let reject = table.take("reject-after");
    table.finish(problems);
    match (accept, reject) {
        (Some(after), None) => Some(OnRing::Accept { after: after.duration(problems)? }),
        (None, Some(after)) => Some(OnRing::Reject { after: after.duration(problems)? }),
        (accept, _) => {
            let found = if accept.is_some() { 2 } else { 0 };
            let accepted = "accept-after, reject-after".to_owned();
            problems.add(ProblemKind::NotOne { what: "on-ring", found, accepted }, value.span());
            None
        }
    }
}

/// A host's access: `delay`, `jitter` and `loss` for both ways, `up` and `down` for what differs.
pub(super) fn access(value: Value<'_>, problems: &Problems) -> AccessPlan {
    let Some(mut table) = value.table("link", problems) else { return AccessPlan::DEFAULT };
    let access = access_of(&mut table, problems);
    table.finish(problems);
    access
}

pub(super) fn access_of(table: &mut Table<'_>, problems: &Problems) -> AccessPlan {
    let both = half(table, AccessPlan::DEFAULT.up, problems);
    let mut one_way = |key| {
        let Some(mut table) = table.take(key).and_then(|value| value.table(format!("link.{key}"), problems))
        else {
            return both;
        };
        let half = half(&mut table, both, problems);
        table.finish(problems);
        half
    };
    AccessPlan { up: one_way("up"), down: one_way("down") }
}

fn half(table: &mut Table<'_>, default: HalfPlan, problems: &Problems) -> HalfPlan {
    let loss: Option<Probability> = table.take("loss").and_then(|value| value.probability(problems));
    HalfPlan {
        delay: table.plain_duration("delay", problems).unwrap_or(default.delay),
        jitter: table.plain_duration("jitter", problems).unwrap_or(default.jitter),
        loss: loss.unwrap_or(default.loss),
    }
}

/// The address at `address`, if it is one that a host can have.
pub(super) fn address(table: &mut Table<'_>, problems: &Problems) -> Option<(IpAddr, Span)> {
    let value = table.take("address")?;
    let text = value.string("an IPv4 or IPv6 address", problems)?;
    let bad = |reason| {
        problems.add(ProblemKind::BadAddress { found: text.to_owned(), reason }, value.span());
        None
    };
    let Ok(address) = text.parse::<IpAddr>() else { return bad("it is neither IPv4 nor IPv6") };
    if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
        return bad("it is not a unicast address of its own");
    }
    if matches!(address, IpAddr::V4(v4) if v4.octets()[3] == 255) {
        return bad("it ends in .255, which the world's kernel takes for a broadcast");
    }
    Some((address, value.span()))
}

/// Every host has an address of its own.
pub(super) fn check_addresses(peers: &[PeerRead], signaller: &SignallerRead, problems: &Problems) {
    let signaller_name = Name::from(Plan::SIGNALLER);
    let peers = peers.iter().map(|peer| (peer.plan.address, &peer.name, &peer.address_at));
    let mut taken: BTreeMap<IpAddr, &Name> = BTreeMap::new();
    let signaller = (signaller.plan.address, &signaller_name, &signaller.address_at);
    for (address, host, at) in peers.chain([signaller]) {
        if let Some(other) = taken.insert(address, host) {
            let kind = ProblemKind::DuplicateAddress {
                host: host.to_string(),
                address: address.to_string(),
                other: other.to_string(),
            };
            problems.add(kind, at.clone());
        }
    }
}

/// One of `peers`, or the signaller.
pub(super) fn host(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<Name> {
    let word = value.string("the name of a host", problems)?;
    let hosts = peers.iter().map(Name::as_str).chain([Plan::SIGNALLER]);
    if hosts.clone().any(|host| host == word) {
        return Some(Name::from(word));
    }
    problems.add(ProblemKind::UnknownName { what: "host", found: Found::new(word, hosts) }, value.span());
    None
}
