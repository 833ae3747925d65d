//! From a plan to the world, the signaller and the engines that it asks for.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use call_engine::{
    DataSettings, Enabled, IceServer, MediaStreamConstraints, PeerConstraints, PeerSettings,
    SessionConstraints, Settings, SyntheticDevices, Timers, VideoConstraints,
};
use determinism::crypto::{RememberingProvider, SeededProvider};
use netsim::{ConfigError, Escapes, HostSpec, Pace, ProcessingDelay, WorldConfig};
use rtc::peer_connection::configuration::RTCIceServer;
use signaller::relay::DelayRule;
use stage::Place;
use webrtc::runtime::Runtime;

use super::{outside::Outside, player::WireLog};
use crate::plan::{Crypto, DelayPlan, HostPlan, PeerPlan, Plan, VideoPlan};

/// The port that each peer's ICE agent gathers on: fixed, so that a transcript shows the same address
/// for every seed.
const ICE_PORT: u16 = 50_000;

/// The world that `plan` asks for.
pub(super) fn world_config(
    pace: Pace,
    wire: WireLog,
    outside: Option<&Arc<dyn Outside>>,
    plan: &Plan,
    seed: u64,
) -> Result<WorldConfig, ConfigError> {
    let host = |host: HostPlan<'_>| HostSpec {
        name: host.name,
        addresses: host.addresses.to_vec(),
        access: host.access,
        processing: if outside.is_some() { ProcessingDelay::ZERO } else { host.device.into() },
    };
    let (deadline, event_budget, escapes) = match outside {
        Some(outside) => (outside.deadline(), u64::MAX, Escapes::Allow),
        None => (plan.deadline, plan.event_budget, plan.escapes),
    };
    let builder = WorldConfig::builder(seed);
    let builder = if wire == WireLog::Kept { builder.keep_wire() } else { builder };
    builder
        .pace(pace)
        .hosts(plan.hosts().map(host))
        .gateways(plan.gateways.clone())
        .deadline(deadline)
        .event_budget(event_budget)
        .escapes(escapes)
        .build()
}

/// A message that the relay is to keep back.
pub(super) fn delay_rule(delay: &DelayPlan) -> DelayRule {
    DelayRule { message: delay.message, from: delay.from.clone(), nth: delay.nth, by: delay.by }
}

/// Where an ICE agent gathers on a host with these addresses.
pub(super) fn ice_addresses(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(|&address| SocketAddr::new(address, ICE_PORT).to_string()).collect()
}

/// The first address of the signaller of a family that the peer has.
pub(super) fn signaller_address(plan: &Plan, peer: &PeerPlan) -> IpAddr {
    let addresses = &plan.signaller.addresses;
    let fits = |address: &&IpAddr| peer.addresses.iter().any(|own| own.is_ipv4() == address.is_ipv4());
    let address = addresses.iter().find(fits).or(addresses.first());
    *address.expect("every host of a plan has an address: `PlanBuilder::build` checks it")
}

/// How a peer's engine is to behave.
pub(super) fn engine_settings(plan: &Plan, peer: &PeerPlan, place: &Place) -> Settings {
    let (seed, index) = (place.seed(), place.index());
    let has_video = peer.media.video != VideoPlan::None;
    let video =
        has_video.then_some(VideoConstraints { frame_rate: peer.frame_rate, facing_mode: peer.facing_mode });
    Settings {
        participant: peer.name.clone(),
        media: MediaStreamConstraints { audio: peer.media.audio, video },
        start_video: if peer.media.video == VideoPlan::Enabled { Enabled::Yes } else { Enabled::No },
        session: SessionConstraints {
            offer_to_receive_audio: true,
            offer_to_receive_video: has_video,
            ..SessionConstraints::default()
        },
        peer: PeerSettings {
            constraints: PeerConstraints {
                ice_servers: place.ice_servers().into_iter().map(ice_server).collect(),
                ice_transport_policy: peer.ice_transport_policy,
            },
            udp_addresses: ice_addresses(&peer.addresses),
            codecs: peer.codecs,
            crypto: match peer.crypto {
                Crypto::Ring => stage::provider(),
                Crypto::Seeded => {
                    let seeded = Arc::new(SeededProvider::new(seed, index));
                    Some(Arc::new(RememberingProvider::new(seeded)))
                }
            },
            certificate: (peer.crypto == Crypto::Ring).then(|| stage::certificate(seed, index)).flatten(),
        },
        timers: Timers { ring: peer.ring_timeout, connect: peer.connect_timeout },
        recovery: peer.engine.recovery,
        data: peer.engine.data_channels.then(DataSettings::default),
        statistics: peer.engine.statistics,
        frames: false,
        media_silence: peer.engine.media_silence,
        guards: plan.guards,
    }
}

fn ice_server(server: RTCIceServer) -> IceServer {
    let RTCIceServer { urls, username, credential } = server;
    IceServer { urls, username, credential }
}

/// A peer's devices, and the person who is asked for them.
pub(super) fn devices(peer: &PeerPlan, runtime: Arc<dyn Runtime>) -> SyntheticDevices {
    SyntheticDevices { permission: peer.permission, delay: Duration::ZERO, runtime }
}
