//! The call engine at one peer, with the person who uses it.

use std::{net::IpAddr, sync::Arc};

use call_engine::{Enabled, Engine, Hold, Parts};
use signaller::{Candidate, Message};
use stage::{BoxFuture, Command, Place, Program, Unsupported};
use timeline::Name;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
};

use super::{Cast, Shared};
use crate::{
    plan::{OnRing, PeerPlan},
    run::{
        build, numbered,
        recorder::{PeerObserver, Recording},
        signalling::transport,
    },
};

/// For calls with one other peer.
pub(super) struct Call {
    name: Name,
    engine: Engine,
    user: JoinHandle<()>,
    recording: Recording,
    shared: Shared,
    /// Whether the platform notifies it of another network: only engines that recover make use of that.
    recovers: bool,
}

impl Call {
    pub(super) fn start(cast: &Cast<'_>, peer: &PeerPlan, place: &Place) -> Self {
        let (rings_in, rings) = unbounded_channel();
        let observer = PeerObserver {
            name: peer.name.clone(),
            world: cast.world.clone(),
            recording: cast.recording.clone(),
            rings: rings_in,
        };
        let site = cast.outside.and_then(|outside| outside.site(&peer.name));
        // What is spawned from here on runs there.
        let _there = site.as_ref().map(|site| site.handle.enter());
        let runtime = site.as_ref().map_or_else(|| place.runtime(), |site| site.runtime.clone());
        let parts = Parts {
            runtime: runtime.clone(),
            transport: transport(cast.plan, peer, place, site.as_ref(), &cast.recording),
            devices: Arc::new(build::devices(peer, runtime)),
            observer: Arc::new(observer),
        };
        let engine = Engine::start(build::engine_settings(cast.plan, peer, place), parts);
        let user = tokio::spawn(answer_rings(engine.clone(), peer.on_ring, rings));
        Self {
            name: peer.name.clone(),
            engine,
            user,
            recording: cast.recording.clone(),
            shared: cast.shared.clone(),
            recovers: peer.engine.recovery.is_some(),
        }
    }

    fn dial(&self, to: &Name) {
        self.recording.dials(&self.name, to);
        self.engine.dial(to.clone(), self.shared.new_call().as_str());
    }
}

impl Program for Call {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        let engine = &self.engine;
        match command {
            Command::Dial { to } => self.dial(to),
            Command::Accept => engine.accept(),
            Command::Reject => engine.reject(),
            Command::HangUp => engine.hang_up(),
            Command::Enable(kind) => engine.set_enabled(*kind, Enabled::Yes),
            Command::Disable(kind) => engine.set_enabled(*kind, Enabled::No),
            Command::NegotiationNeeded { times } => (0..*times).for_each(|_| engine.negotiation_needed()),
            Command::SendCandidate { to, address } => {
                let call = self.shared.present_call();
                let candidate = Candidate {
                    // As another app would send it: without the generation that ours name.
                    candidate: format!(
                        "candidate:1 1 udp 1694498815 {} {} typ srflx raddr 0.0.0.0 rport 0",
                        address.ip(),
                        address.port()
                    ),
                    sdp_mid: Some("0".to_owned()),
                    sdp_mline_index: Some(0),
                    ..Candidate::default()
                };
                let body = Message::Candidate(candidate);
                self.recording.sends_foreign(&self.name, to, call.as_str().into(), body);
            }
            Command::Hold => engine.set_hold(Hold::Held),
            Command::Resume => engine.set_hold(Hold::Resumed),
            Command::SwitchCamera(facing_mode) => engine.switch_camera(*facing_mode),
            Command::ShareScreen => engine.share_screen(),
            Command::StopScreen => engine.stop_screen(),
            Command::LosePermission => engine.permission_lost(),
            Command::SendData { delivery, count, bytes } => {
                for _ in 0..*count {
                    let number = self.recording.sends_data(&self.name, *delivery);
                    engine.send_data(*delivery, numbered::message(number, *bytes));
                }
            }
            other => return Err(Unsupported::by("the call engine", other)),
        }
        Ok(())
    }

    fn network_changed(&mut self, addresses: &[IpAddr]) {
        if self.recovers {
            self.engine.network_changed(Some(build::ice_addresses(addresses)));
        }
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.engine.shut_down().await;
            self.user.abort();
        })
    }
}

/// The person at the peer: answers each ring as the plan says, until nobody rings any more.
async fn answer_rings(engine: Engine, on_ring: OnRing, mut rings: UnboundedReceiver<signaller::CallId>) {
    while rings.recv().await.is_some() {
        match on_ring {
            OnRing::Accept { after } => {
                tokio::time::sleep(after).await;
                engine.accept();
            }
            OnRing::Reject { after } => {
                tokio::time::sleep(after).await;
                engine.reject();
            }
            OnRing::Ignore => {}
        }
    }
}
