//! `[peers.NAME]`: who takes part.

use std::time::Duration;

use timeline::Name;

use super::{
    address::{self, Sites},
    attachment::take_attachment,
    engine::take_engine,
    error::{ProblemKind, Problems, Span},
    reader::{Key, Table, Value},
    signaller::{client, of_profile},
    values::{known_name, set, vocabulary},
};
use crate::plan::{
    Attachment, Codecs, Crypto, Device, EnginePlan, FacingMode, FaultsPlan, IceTransportPolicy, MediaPlan,
    OnRing, PeerPlan, Permission, SignalingPlan, TurnCredentials,
};

/// A peer, and where its addresses stand (or its name, if they are the default ones).
pub(super) struct PeerRead {
    pub(super) plan: PeerPlan,
    pub(super) name: Name,
    pub(super) address_at: Span,
    /// Where it hangs on the network at the start.
    pub(super) start: Attachment,
    /// What its network does to its signalling.
    pub(super) faults: FaultsPlan,
}

/// The names of `[peers]`, which everything else refers to.
pub(super) fn names(value: Option<Value<'_>>) -> Vec<Name> {
    let table = value.and_then(|value| value.table("[peers]", &Problems::default()));
    let keys = table.map(|table| table.rest()).unwrap_or_default();
    keys.iter().map(|key| Name::from(key.name)).collect()
}

/// `sites` has the gateways that peers share, and gets those that they do not.
pub(super) fn read(
    value: Option<Value<'_>>,
    servers: &[Name],
    sites: &mut Sites,
    problems: &Problems,
) -> Vec<PeerRead> {
    let Some(value) = value else { return Vec::new() };
    let Some(table) = value.table("[peers]", problems) else { return Vec::new() };
    let keys = table.rest();
    if keys.len() < 2 {
        problems.add(ProblemKind::TooFewPeers { found: keys.len() }, table.span());
    }
    let read = |(index, key)| peer(index, &key, servers, sites, problems);
    (0..).zip(keys).map(read).collect()
}

/// Always yields a peer, so that steps and expectations that name it are not called wrong as well.
fn peer(index: u16, key: &Key<'_>, servers: &[Name], sites: &mut Sites, problems: &Problems) -> PeerRead {
    address::check_name(key, problems);
    let name = Name::from(key.name);
    let mut plan = default_peer(name.clone(), servers);
    let mut address_at = key.span.clone();
    let empty = toml::de::DeTable::new();
    let table = key.value.table(format!("[peers.{name}]"), problems);
    let mut table =
        table.or_else(|| Table::root(&empty, key.span.clone())).expect("an empty table is a table");
    let attachment = take_attachment(&mut table, problems);
    if let Some((_, at)) = &attachment.addresses {
        address_at = at.clone();
    }
    // The signaller lives in the 1 of the third place.
    let third = index / 250;
    let number = if third == 0 { index + 1 } else { index + 251 };
    let shared = sites.gateway_of(&name).cloned();
    let start = attachment.place(&name, sites, true, |_| address::numbered([10, 0], 0, number));
    if let Some(shared) = &shared
        && start.gateway.is_some()
    {
        let reason = format!("`{name}` is behind `{shared}`, and has a gateway of its own as well");
        problems.add(ProblemKind::Impossible { reason }, key.span.clone());
    }
    let start = Attachment { gateway: start.gateway.or(shared), ..start };
    plan.addresses.clone_from(&start.addresses);
    plan.access = start.access;
    plan.schedule = attachment.schedule();
    plan.profile = attachment.profile_name();
    set(&mut plan.device, attachment.profile.map(|profile| profile.device));
    fill(&mut plan, &mut table, servers, problems);
    plan.engine = take_engine(&mut table, problems);
    table.finish(problems);
    let faults = attachment.profile.map(|profile| of_profile(&profile.faults, &name)).unwrap_or_default();
    PeerRead { plan, name, address_at, start, faults }
}

fn default_peer(name: Name, servers: &[Name]) -> PeerPlan {
    PeerPlan {
        name,
        profile: None,
        addresses: Vec::new(),
        access: crate::plan::DEFAULT_ACCESS,
        schedule: None,
        ice_servers: servers.to_vec(),
        ice_transport_policy: IceTransportPolicy::All,
        turn_credentials: TurnCredentials::Valid,
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
        engine: EnginePlan::default(),
    }
}

fn fill(plan: &mut PeerPlan, table: &mut Table<'_>, servers: &[Name], problems: &Problems) {
    if let Some(value) = table.take("ice-servers") {
        let listed = value.list("a list of the names of ICE servers", problems).into_iter();
        let name = |value: Value<'_>| {
            let name = value.string("the name of an ICE server", problems)?;
            known_name("ICE server", name, servers, || value.span(), problems)
        };
        plan.ice_servers = listed.filter_map(name).collect();
    }
    let policy = vocabulary!("ICE transport policy", IceTransportPolicy);
    set(&mut plan.ice_transport_policy, table.word("ice-transport-policy", &policy, problems));
    let credentials = vocabulary!("kind of credentials", TurnCredentials);
    set(&mut plan.turn_credentials, table.word("turn-credentials", &credentials, problems));
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
