//! `[peers.NAME]`: who takes part.

use std::time::Duration;

use timeline::Name;

use super::{
    address::{self, Sites},
    attachment::take_attachment,
    engine::take_engine,
    error::{ProblemKind, Span},
    reader::{Key, Table, Value},
    signaller::{client, of_profile},
    values::set,
};
use crate::plan::{Attachment, FaultsPlan, MediaPlan, OnRing, PeerPlan};

/// The most peers of a scenario: what they cost grows with their square.
const MAX_PEERS: usize = 1_000;

/// A peer, and where its addresses are (or its name, if they are the default ones).
pub(super) struct PeerRead {
    pub(super) plan: PeerPlan,
    pub(super) name: Name,
    pub(super) name_at: Span,
    pub(super) address_at: Span,
    /// Where it is attached to the network at the start.
    pub(super) start: Attachment,
    /// What its network does to its signalling.
    pub(super) faults: FaultsPlan,
}

/// The names of `[peers]`, which everything else refers to.
pub(super) fn names(value: Option<Value<'_>>) -> Vec<Name> {
    let keys = value.map(Value::keys).unwrap_or_default();
    keys.into_iter().map(Name::from).collect()
}

/// `sites` has the gateways that peers share, and gets those that they do not.
pub(super) fn read(value: Option<Value<'_>>, servers: &[Name], sites: &mut Sites) -> Vec<PeerRead> {
    let Some(table) = value.and_then(|value| value.table("[peers]")) else { return Vec::new() };
    table.at_least(2);
    let names = table.names();
    if names.len() > MAX_PEERS {
        let (found, least, most) = (format!("{} peers", names.len()), "2".to_owned(), MAX_PEERS.to_string());
        table.problem(ProblemKind::OutOfRange { found, least, most });
        return Vec::new();
    }
    (0..).zip(names).map(|(index, key)| peer(index, &key, servers, sites)).collect()
}

/// Always yields a peer, so that steps and expectations that name it are not called wrong as well.
fn peer(index: u16, key: &Key<'_>, servers: &[Name], sites: &mut Sites) -> PeerRead {
    let name = Name::from(key.name);
    let empty = toml::de::DeTable::new();
    let table = key.value.table(format!("[peers.{name}]"));
    let table = table.unwrap_or_else(|| Table::root(&empty, key.span.clone(), key.value.reading));
    let attachment = take_attachment(&table);
    let address_at = attachment.addresses.as_ref().map_or(&key.span, |(_, at)| at).clone();
    // The signaller lives in the 1 of the third place.
    let third = index / 250;
    let number = if third == 0 { index + 1 } else { index + 251 };
    let shared = sites.gateway_of(&name).cloned();
    let start = attachment.place(&name, sites, true, |_| address::numbered([10, 0], 0, number));
    if let Some(shared) = &shared
        && start.gateway.is_some()
    {
        let reason = format!("`{name}` is behind `{shared}`, and has a gateway of its own as well");
        key.value.reading.add(ProblemKind::Impossible { reason }, key.span.clone());
    }
    let start = Attachment { gateway: start.gateway.or(shared), ..start };
    let mut plan = PeerPlan {
        addresses: start.addresses.clone(),
        access: start.access,
        schedule: attachment.schedule(),
        profile: attachment.profile_name(),
        ice_servers: servers.to_vec(),
        ..PeerPlan::new(name.clone())
    };
    set(&mut plan.device, attachment.profile.map(|profile| profile.device));
    fill(&mut plan, &table, servers);
    table.finish();
    let faults = attachment.profile.map(|profile| of_profile(&profile.faults, &name)).unwrap_or_default();
    PeerRead { plan, name, name_at: key.span.clone(), address_at, start, faults }
}

fn fill(plan: &mut PeerPlan, table: &Table<'_>, servers: &[Name]) {
    let servers_doc = "The STUN and TURN servers that it uses, by name. Default: all.";
    if let Some(value) = table.take("ice-servers", servers_doc) {
        let listed = value.list("a list of the names of ICE servers", 0..).into_iter();
        let called = |value: Value<'_>| value.one_called("ICE server", "the name of an ICE server", servers);
        plan.ice_servers = listed.filter_map(called).collect();
    }
    let credentials_doc = "What it shows to TURN servers.";
    table.set_word("turn-credentials", credentials_doc, "kind of credentials", &mut plan.turn_credentials);
    let signaling_doc = "How it reaches the signaller: a transport, or settings of its client. Default: as \
         `[signaller]` says, with the client's own settings.";
    if let Some(value) = table.take("signaling", signaling_doc) {
        plan.signaling = client(value, plan.name.as_str());
    }
    let device_doc = "How fast its machine is. Default: what the profile says, else laptop.";
    set(&mut plan.device, table.get("device", device_doc, |value| value.word("device")));
    let program_doc = "The program that it runs instead of the engine, by the name that the player of the \
         scenario gives it. The engine's settings are errors beside it.";
    plan.program = table.get("program", program_doc, Value::sentence);
    let said = table.read_in(|table| engine(plan, table));
    if plan.program.is_some() {
        for Key { name, span, .. } in said {
            let (key, peer) = (name.to_owned(), plan.name.to_string());
            table.reading.add(ProblemKind::EngineKey { key, peer }, span);
        }
    }
}

/// The settings of its engine, and what the engine's user does.
fn engine(plan: &mut PeerPlan, table: &Table<'_>) {
    let policy = &mut plan.ice_transport_policy;
    table.set_word("ice-transport-policy", "Which candidates it may use.", "ICE transport policy", policy);
    let mut media = Media::AudioVideo;
    table.set_word("media", "Which tracks it brings.", "media", &mut media);
    plan.media = match media {
        Media::AudioVideo => MediaPlan::AUDIO_VIDEO,
        Media::Voice => MediaPlan::VOICE,
        Media::AudioOnly => MediaPlan::AUDIO_ONLY,
    };
    table.set_word("permission", "What `getUserMedia` answers.", "permission", &mut plan.permission);
    let ring_doc = "What its user does when it rings. Default: accept.";
    set(&mut plan.on_ring, table.get("on-ring", ring_doc, on_ring));
    table.set("ring-timeout", "How long a call may ring.", &mut plan.ring_timeout, Value::duration);
    let connect_doc = "How long an accepted call may take to connect.";
    table.set("connect-timeout", connect_doc, &mut plan.connect_timeout, Value::duration);
    table.set_word("codecs", "Which codecs it offers.", "codec set", &mut plan.codecs);
    table.set_word("crypto", "Where its cryptography comes from.", "crypto provider", &mut plan.crypto);
    let rate = |value: Value<'_>| value.integer(1..=120);
    table.set("frame-rate", "Video frames per second.", &mut plan.frame_rate, rate);
    table.set_word("facing-mode", "Which camera it asks for.", "facing mode", &mut plan.facing_mode);
    plan.engine = take_engine(table);
}

timeline::words! {
    /// The tracks of a peer.
    enum Media {
        /// Audio and video.
        AudioVideo = "audio-video",
        /// Audio, and a video track that is disabled.
        Voice = "voice",
        /// Audio alone.
        AudioOnly = "audio-only",
    }
}

timeline::words! {
    /// What a user does as soon as it rings.
    enum Reaction {
        /// Takes the call.
        Accept = "accept",
        /// Declines the call.
        Reject = "reject",
        /// Nothing.
        Ignore = "ignore",
    }
}

fn on_ring(value: Value<'_>) -> Option<OnRing> {
    let at_once = |value: Value<'_>| {
        Some(match value.word("reaction")? {
            Reaction::Accept => OnRing::Accept { after: Duration::ZERO },
            Reaction::Reject => OnRing::Reject { after: Duration::ZERO },
            Reaction::Ignore => OnRing::Ignore,
        })
    };
    let later = |value: Value<'_>| {
        let table = value.table("on-ring")?;
        let said = table.one_of(
            "on-ring",
            value.span(),
            &[
                ("accept-after", "Takes the call so long after the first ring.", &|value| {
                    Some(OnRing::Accept { after: value.duration()? })
                }),
                ("reject-after", "Declines the call so long after the first ring.", &|value| {
                    Some(OnRing::Reject { after: value.duration()? })
                }),
            ],
        );
        table.finish();
        said
    };
    value.table_or(later, at_once)
}
