//! The shape of a scenario file, written down for its schema only: nothing is ever deserialised into
//! these types. Their comments are what an editor shows.

#![allow(dead_code, reason = "the types are read by the schema generator, their fields by nobody")]

mod expect;
mod network;
mod signalling;
mod steps;

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use timeline::Machine;

use self::{
    expect::Expect,
    network::{Attachment, IceServer, SharedGateway},
    signalling::{Signaling, Signaller},
    steps::Step,
};
use crate::{
    checks,
    plan::{Codecs, Crypto, Device, FacingMode, IceTransportPolicy, Permission, TurnCredentials},
    profile,
};

/// A scripted call: who takes part, over which network, what happens when, and what must hold.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, title = "callsim scenario")]
pub(super) struct Scenario {
    /// The version of this format.
    version: u64,
    /// One sentence for people: who, on which network, what happens.
    summary: Text,
    /// The virtual time at which a run is stopped. Default: 60s.
    deadline: Option<Duration>,
    /// How many events a run may take. Default: 5 000 000.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    event_budget: Option<u64>,
    /// How many seeds are played by default. Default: 20.
    #[schemars(range(min = 1, max = 100_000))]
    seeds: Option<u32>,
    /// The peers by name, at least two. Their order gives their addresses: 10.0.0.1, 10.0.0.2, …
    #[schemars(extend("minProperties" = 2))]
    peers: BTreeMap<String, Peer>,
    /// The signalling server.
    signaller: Option<Signaller>,
    /// The NATs and firewalls that several peers are behind, by name.
    gateways: Option<BTreeMap<String, SharedGateway>>,
    /// The guards of all engines, for tests of the harness itself. Default: all on.
    engine: Option<Guards>,
    /// The guard that the scenario is about: `cargo xtask scenarios --guards-off` plays it without.
    guard: Option<AboutGuard>,
    /// The STUN and TURN servers, by name.
    ice_servers: Option<BTreeMap<String, IceServer>>,
    /// What happens when, in time order; at least one step dials.
    #[schemars(length(min = 1))]
    steps: Vec<Step>,
    /// What must hold.
    expect: Expect,
}

/// A guard of the engine, and what the harness must see where it is off.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct AboutGuard {
    /// The guard.
    off: GuardName,
    /// The checks of which one must fail without it.
    fails: OneOrMore<CheckName>,
}

/// A text that says something.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Text(#[schemars(length(min = 1))] String);

/// A duration: `250ms`, `2s`, `1s 500ms`, `1m`; at most 24h.
#[derive(JsonSchema)]
struct Duration(#[schemars(regex(pattern = r"^\s*[0-9]"))] String);

/// A probability: `"5%"`, or a number from 0 to 1.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Probability {
    PerCent(#[schemars(regex(pattern = r"^\s*[0-9]+(\.[0-9]+)?\s*%$"))] String),
    Fraction(#[schemars(range(min = 0.0, max = 1.0))] f64),
}

/// One, or a list of several.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

/// A peer: its machine, its network, its media and its user.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Peer {
    #[schemars(flatten)]
    attachment: Attachment,
    /// The STUN and TURN servers that it uses, by name. Default: all.
    ice_servers: Option<Vec<String>>,
    /// Which candidates it may use. Default: all.
    ice_transport_policy: Option<IceTransportPolicy>,
    /// What it shows to TURN servers. Default: valid.
    turn_credentials: Option<TurnCredentials>,
    /// How fast its machine is. Default: what the profile says, else laptop.
    device: Option<Device>,
    /// Which tracks it brings; `voice` has a video track that is disabled. Default: audio-video.
    media: Option<Media>,
    /// What `getUserMedia` answers. Default: granted.
    permission: Option<Permission>,
    /// What its user does when it rings. Default: accept.
    on_ring: Option<OnRing>,
    /// How long a call may ring. Default: 30s.
    ring_timeout: Option<Duration>,
    /// How long an accepted call may take to connect. Default: 30s.
    connect_timeout: Option<Duration>,
    /// Which codecs it offers. Default: opus-vp8.
    codecs: Option<Codecs>,
    /// Where its cryptography comes from. Default: ring.
    crypto: Option<Crypto>,
    /// Video frames per second. Default: 30.
    #[schemars(range(min = 1, max = 120))]
    frame_rate: Option<u32>,
    /// Which camera it asks for. Default: user.
    facing_mode: Option<FacingMode>,
    /// How its engine recovers a connection that fails; `true` for its own settings. Default: not at all.
    recovery: Option<RecoverySwitch>,
    /// Whether it has data channels; both sides must have them or not. Default: false.
    data_channels: Option<bool>,
    /// How often it takes statistics. Default: never.
    statistics: Option<Duration>,
    /// After which silence it calls a remote track paused. Default: never.
    media_silence: Option<Duration>,
    /// How it reaches the signaller. Default: as `[signaller]` says, with the client's own settings.
    signaling: Option<Signaling>,
}

/// Whether a connection that fails is recovered, and how.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum RecoverySwitch {
    Whether(bool),
    How(Recovery),
}

/// The rungs of the ladder, and how long each may take; `false` leaves one out.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Recovery {
    /// How long `disconnected` may heal by itself. Default: 2s.
    disconnected_wait: Option<Duration>,
    /// How long ICE may stay in `checking` when the call first connects. Default: 8s.
    checking: Option<Rung>,
    /// How long the DTLS handshake may take. Default: 5s.
    dtls_handshake: Option<Rung>,
    /// How long an ICE restart may take. Default: 6s.
    ice_restart: Option<Rung>,
    /// How long an ICE restart over TURN alone may take. Default: 6s.
    relay_restart: Option<Rung>,
    /// How long a rebuilt peer connection may take. Default: 8s.
    rebuild_within: Option<Duration>,
    /// How often the peer connection is rebuilt. Default: 8.
    #[schemars(range(max = 100))]
    rebuilds: Option<u32>,
    /// How much longer than the caller the callee waits. Default: 1500ms.
    follower_grace: Option<Duration>,
    /// From the loss of the connection to the end of the call. Default: 60s.
    give_up: Option<Duration>,
}

/// How long a rung may take, or `false`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Rung {
    For(Duration),
    Without(bool),
}

/// The tracks of a peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Media {
    AudioVideo,
    Voice,
    AudioOnly,
}

/// What a user does when it rings.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OnRing {
    AtOnce(Reaction),
    Later(Later),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Reaction {
    Accept,
    Reject,
    Ignore,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", rename_all_fields = "kebab-case", inline)]
enum Later {
    AcceptAfter(Duration),
    RejectAfter(Duration),
}

/// A type whose schema is one of some words.
macro_rules! one_of {
    ($name:ident, $words:expr) => {
        struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": $words })
            }
        }
    };
}

one_of!(EndReason, timeline::EndReason::WORDS);
one_of!(GuardName, call_engine::Guards::NAMES);
one_of!(CheckName, checks::NAMES);
one_of!(Profile, profile::names());
one_of!(CallState, Machine::Call.states());
one_of!(SignalingState, Machine::Signaling.states());
one_of!(GatheringState, Machine::Gathering.states());
one_of!(IceState, Machine::Ice.states());
one_of!(ConnectionState, Machine::Connection.states());

/// A type whose schema is that of a vocabulary which another crate has.
macro_rules! vocabulary {
    ($name:ident, $words:ty) => {
        struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                crate::words::schema::<$words>()
            }
        }
    };
}

vocabulary!(MediaKind, timeline::MediaKind);
vocabulary!(DeliveryWord, timeline::Delivery);

/// One switch for each guard of the engine.
struct Guards;

impl JsonSchema for Guards {
    fn schema_name() -> Cow<'static, str> {
        "Guards".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let switches: serde_json::Map<String, serde_json::Value> = call_engine::Guards::NAMES
            .iter()
            .map(|name| ((*name).to_owned(), serde_json::json!({ "type": "boolean" })))
            .collect();
        json_schema!({ "type": "object", "additionalProperties": false, "properties": switches })
    }
}
