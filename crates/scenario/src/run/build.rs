//! From a plan to the world, the signaller and the engines that it asks for.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use call_engine::{
    Codecs as EngineCodecs, Enabled, FacingMode as EngineFacingMode, MediaStreamConstraints, PeerConstraints,
    PeerSettings, Permission as EnginePermission, SessionConstraints, Settings, SyntheticDevices, Timers,
    VideoConstraints,
};
use determinism::crypto::SeededProvider;
use netsim::{Access, HostSpec, LinkModel, Probability, ProcessingDelay, WorldConfig};
use signaller::relay::DelayRule;
use timeline::Name;
use webrtc::runtime::Runtime;

use crate::plan::{
    AccessPlan, Codecs, Crypto, DelayPlan, Device, FacingMode, HalfPlan, PeerPlan, Permission, Plan,
    VideoPlan,
};

/// The port that each peer's ICE agent gathers on: fixed, so that a transcript shows the same address
/// for every seed.
const ICE_PORT: u16 = 50_000;

/// The world that `plan` asks for.
pub(super) fn world_config(plan: &Plan, seed: u64) -> WorldConfig {
    let signaller = HostSpec {
        name: Name::new(Plan::SIGNALLER),
        addresses: vec![plan.signaller.address],
        access: access(plan.signaller.access),
        processing: processing(plan.signaller.device),
    };
    let peers = plan.peers.iter().map(|peer| HostSpec {
        name: peer.name.clone(),
        addresses: vec![peer.address],
        access: access(peer.access),
        processing: processing(peer.device),
    });
    WorldConfig {
        seed,
        hosts: peers.chain([signaller]).collect(),
        gateways: Vec::new(),
        user_timeout: WorldConfig::LINUX_USER_TIMEOUT,
        deadline: plan.deadline,
        event_budget: plan.event_budget,
    }
}

/// A host's access, from the plan's words to the world's.
pub(super) fn access(plan: AccessPlan) -> Access {
    Access { up: half(plan.up), down: half(plan.down) }
}

fn half(plan: HalfPlan) -> LinkModel {
    LinkModel {
        jitter: plan.jitter,
        loss: Probability::new(plan.loss.as_f64()).expect("a plan's probabilities lie between 0 and 1"),
        ..LinkModel::with_delay(plan.delay)
    }
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

/// How a peer's engine is to behave. `index` tells the peers of a plan apart.
pub(super) fn engine_settings(peer: &PeerPlan, index: u64, seed: u64) -> Settings {
    let facing_mode = match peer.facing_mode {
        FacingMode::User => EngineFacingMode::User,
        FacingMode::Environment => EngineFacingMode::Environment,
    };
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
            constraints: PeerConstraints::default(),
            udp_addresses: vec![SocketAddr::new(peer.address, ICE_PORT).to_string()],
            codecs: match peer.codecs {
                Codecs::OpusVp8 => EngineCodecs::OpusVp8,
                Codecs::Full => EngineCodecs::Full,
            },
            crypto: match peer.crypto {
                Crypto::Ring => None,
                Crypto::Seeded => Some(Arc::new(SeededProvider::new(seed, index))),
            },
        },
        timers: Timers { ring: peer.ring_timeout, connect: peer.connect_timeout },
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
