//! From a plan to the world, the signaller and the engines that it asks for.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use call_engine::{
    Codecs as EngineCodecs, DataSettings, Enabled, FacingMode as EngineFacingMode,
    IceTransportPolicy as EnginePolicy, MediaStreamConstraints, PeerConstraints, PeerSettings,
    Permission as EnginePermission, SessionConstraints, Settings, SyntheticDevices, Timers, VideoConstraints,
};
use determinism::crypto::{RememberingProvider, SeededProvider};
use netsim::{ConfigError, HostSpec, Pace, ProcessingDelay, WorldConfig};
use signaller::relay::DelayRule;
use timeline::Name;
use webrtc::runtime::Runtime;

use super::{certificates, ice_server};
use crate::plan::{
    Codecs, Crypto, DelayPlan, Device, FacingMode, IceTransportPolicy, PeerPlan, Permission, Plan, VideoPlan,
};

/// The port that each peer's ICE agent gathers on: fixed, so that a transcript shows the same address
/// for every seed.
const ICE_PORT: u16 = 50_000;

/// The world that `plan` asks for.
pub(super) fn world_config(pace: Pace, plan: &Plan, seed: u64) -> Result<WorldConfig, ConfigError> {
    let signaller = HostSpec {
        name: Name::new(Plan::SIGNALLER),
        addresses: plan.signaller.addresses.clone(),
        access: plan.signaller.access,
        processing: processing(plan.signaller.device),
    };
    let peers = plan.peers.iter().map(|peer| HostSpec {
        name: peer.name.clone(),
        addresses: peer.addresses.clone(),
        access: peer.access,
        processing: processing(peer.device),
    });
    let servers = plan.ice_servers.iter().map(|server| HostSpec {
        name: server.name.clone(),
        addresses: server.addresses.clone(),
        access: server.access,
        processing: processing(server.device),
    });
    WorldConfig::builder(seed)
        .pace(pace)
        .hosts(peers.chain([signaller]).chain(servers))
        .gateways(plan.gateways.clone())
        .deadline(plan.deadline)
        .event_budget(plan.event_budget)
        .build()
}

const fn processing(device: Device) -> ProcessingDelay {
    match device {
        Device::Instant => ProcessingDelay::ZERO,
        Device::Server => ProcessingDelay::SERVER,
        Device::Desktop => ProcessingDelay::DESKTOP,
        Device::Laptop => ProcessingDelay::LAPTOP,
        Device::Phone => ProcessingDelay::PHONE,
    }
}

/// A message that the relay is to keep back.
pub(super) fn delay_rule(delay: &DelayPlan) -> DelayRule {
    DelayRule {
        message: delay.message.as_str().parse().expect("a plan's message kinds are the signaller's"),
        from: delay.from.clone(),
        nth: delay.nth,
        by: delay.by,
    }
}

/// Where an ICE agent gathers on a host with these addresses.
pub(super) fn ice_addresses(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(|&address| SocketAddr::new(address, ICE_PORT).to_string()).collect()
}

/// The engine's word for a camera.
pub(super) const fn facing(mode: FacingMode) -> EngineFacingMode {
    match mode {
        FacingMode::User => EngineFacingMode::User,
        FacingMode::Environment => EngineFacingMode::Environment,
    }
}

/// How a peer's engine is to behave. `index` tells the peers of a plan apart.
pub(super) fn engine_settings(plan: &Plan, peer: &PeerPlan, index: u64, seed: u64) -> Settings {
    let facing_mode = facing(peer.facing_mode);
    let has_video = peer.media.video != VideoPlan::None;
    let video = has_video.then_some(VideoConstraints { frame_rate: peer.frame_rate, facing_mode });
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
                ice_servers: ice_server::configuration(plan, peer),
                ice_transport_policy: match peer.ice_transport_policy {
                    IceTransportPolicy::All => EnginePolicy::All,
                    IceTransportPolicy::Relay => EnginePolicy::Relay,
                },
            },
            udp_addresses: ice_addresses(&peer.addresses),
            codecs: match peer.codecs {
                Codecs::OpusVp8 => EngineCodecs::OpusVp8,
                Codecs::Full => EngineCodecs::Full,
            },
            crypto: match peer.crypto {
                Crypto::Ring => certificates::provider(),
                Crypto::Seeded => {
                    let seeded = Arc::new(SeededProvider::new(seed, index));
                    Some(Arc::new(RememberingProvider::new(seeded)))
                }
            },
            certificate: (peer.crypto == Crypto::Ring).then(|| certificates::of(seed, index)).flatten(),
        },
        timers: Timers { ring: peer.ring_timeout, connect: peer.connect_timeout },
        recovery: peer.engine.recovery,
        data: peer.engine.data_channels.then(DataSettings::default),
        statistics: peer.engine.statistics,
        media_silence: peer.engine.media_silence,
        guards: plan.guards,
    }
}

/// A peer's devices, and the person who is asked for them.
pub(super) fn devices(peer: &PeerPlan, runtime: Arc<dyn Runtime>) -> SyntheticDevices {
    let permission = match peer.permission {
        Permission::Granted => EnginePermission::Granted,
        Permission::Denied => EnginePermission::Denied,
        Permission::NoDevice => EnginePermission::NoDevice,
    };
    SyntheticDevices { permission, delay: Duration::ZERO, runtime }
}
