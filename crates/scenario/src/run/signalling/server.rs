use std::{net::SocketAddr, sync::Arc};

use netsim::{UnknownHost, World};
use signaller::relay::{RelaySettings, Store};
use stage::{SignallingServer, SignallingSettings};
use timeline::Name;

use super::{HTTP_PORT, STREAM_PORT, secret, words};
use crate::{
    plan::{Admission, FaultsPlan, Plan, SignallerChange, StoreFate, TransportPlan},
    run::{build, recorder::Recording},
};

/// The signalling server of a plan.
pub(in crate::run) struct Server {
    world: World,
    recording: Recording,
    inner: SignallingServer,
}

impl Server {
    /// Starts it.
    pub(in crate::run) fn start(
        plan: &Plan,
        world: &World,
        recording: &Recording,
    ) -> Result<Self, UnknownHost> {
        let (clock, noted) = (world.clone(), recording.clone());
        let observer = Arc::new(move |event| words::relay_event(&noted, clock.now(), &event));
        let inner = SignallingServer::start(world, &Name::new(Plan::SIGNALLER), settings(plan), observer)?;
        Ok(Self { world: world.clone(), recording: recording.clone(), inner })
    }

    /// Lets something happen to it.
    pub(in crate::run) fn change(&mut self, change: &SignallerChange) {
        match change {
            SignallerChange::PowerOff { store: StoreFate::Kept } => {
                self.inner.power_off(self.inner.relay().store());
            }
            SignallerChange::PowerOff { store: StoreFate::Lost } => {
                let at = self.world.now();
                self.recording.signalling(|record| record.store_lost(at));
                self.inner.power_off(Store::default());
            }
            SignallerChange::PowerOn => self.inner.power_on(),
            SignallerChange::Restart => self.inner.restart(),
            SignallerChange::SetFaults(FaultsPlan { messages, endpoints }) => {
                self.inner.relay().set_faults(messages.clone());
                self.inner.relay().set_endpoint_faults(endpoints.clone());
            }
        }
    }

    /// The end of the run: what waits in its store is written down.
    pub(in crate::run) fn end(&mut self) {
        let store = self.inner.relay().store();
        self.recording.signalling(|record| {
            store.passages().for_each(|passage| record.waits(&passage.from, passage.id));
        });
        self.inner.stop();
    }
}

/// It listens only where some peer connects.
fn settings(plan: &Plan) -> SignallingSettings {
    let FaultsPlan { messages, endpoints } = plan.signaller.faults.clone();
    let at = |port| -> Vec<SocketAddr> {
        plan.signaller.addresses.iter().map(|&address| SocketAddr::new(address, port)).collect()
    };
    let is_stream = |peer| plan.transport(peer) == TransportPlan::Stream;
    SignallingSettings {
        relay: RelaySettings {
            limits: plan.signaller.limits,
            delays: plan.signaller.delays.iter().map(build::delay_rule).collect(),
            faults: messages,
            endpoint: endpoints,
            secret: (plan.signaller.admission != Admission::Open).then(secret),
            ..RelaySettings::default()
        },
        http: plan.signaller.http,
        stream: if plan.peers.iter().any(is_stream) { at(STREAM_PORT) } else { Vec::new() },
        web: if plan.peers.iter().all(is_stream) { Vec::new() } else { at(HTTP_PORT) },
    }
}
