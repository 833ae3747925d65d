use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use call_engine::{
    Engine, EngineEvent, MediaKind, Observer, Parts, PeerSettings, Permission, ReceivedPacket, Settings,
    StateMachine, SyntheticDevices,
};
use signaller::memory::Hub;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::runtime::{Runtime, TokioRuntime};

/// What one side saw: the states of its call, and which media arrived.
struct Seen {
    events: UnboundedSender<EngineEvent>,
    media: Mutex<Vec<MediaKind>>,
    arrived: UnboundedSender<MediaKind>,
}

impl Observer for Seen {
    fn on_event(&self, event: EngineEvent) {
        let _ = self.events.send(event);
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        let kind = packet.kind;
        let mut media = self.media.lock().unwrap();
        if !media.contains(&kind) {
            media.push(kind);
            let _ = self.arrived.send(kind);
        }
    }
}

struct Side {
    engine: Engine,
    events: UnboundedReceiver<EngineEvent>,
    arrived: UnboundedReceiver<MediaKind>,
}

impl Side {
    fn start(hub: &Hub, participant: &str, permission: Permission) -> Self {
        let (events_in, events) = unbounded_channel();
        let (arrived_in, arrived) = unbounded_channel();
        let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
        let settings = Settings {
            peer: PeerSettings { udp_addresses: vec!["127.0.0.1:0".to_owned()], ..PeerSettings::default() },
            ..Settings::new(participant)
        };
        let parts = Parts {
            runtime: runtime.clone(),
            transport: Box::new(hub.join(participant)),
            devices: Arc::new(SyntheticDevices { permission, delay: Duration::ZERO, runtime }),
            observer: Arc::new(Seen { events: events_in, media: Mutex::default(), arrived: arrived_in }),
        };
        Self { engine: Engine::start(settings, parts), events, arrived }
    }

    /// Waits until the call is in `state`.
    async fn until(&mut self, state: &str) {
        let entered = |event: &EngineEvent| matches!(event, EngineEvent::StateChanged { machine: StateMachine::Call, to, .. } if to == state);
        while !entered(&self.events.recv().await.expect("the engine went away")) {}
    }

    /// Waits until the call is released: the local tracks that are still live.
    async fn until_released(&mut self) -> usize {
        loop {
            let event = self.events.recv().await.expect("the engine went away");
            if let EngineEvent::Released { live_tracks } = event {
                return live_tracks;
            }
        }
    }

    async fn until_media(&mut self) {
        let mut kinds = [self.arrived.recv().await, self.arrived.recv().await];
        kinds.sort();
        assert_eq!(kinds, [Some(MediaKind::Audio), Some(MediaKind::Video)]);
    }
}

fn play(script: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = Duration::from_secs(20);
    runtime.block_on(async { tokio::time::timeout(limit, script).await.expect("the call hangs") });
}

#[test]
fn a_call_on_real_sockets_connects_carries_media_and_is_released() {
    play(async {
        let hub = Hub::default();
        let mut caller = Side::start(&hub, "alice", Permission::Granted);
        let mut callee = Side::start(&hub, "bob", Permission::Granted);
        caller.engine.dial("bob", "call-1");
        callee.until("ringing").await;
        callee.engine.accept();
        caller.until("connected").await;
        callee.until("connected").await;
        caller.until_media().await;
        callee.until_media().await;
        caller.engine.hang_up();
        caller.until("ended: hung-up").await;
        callee.until("ended: hung-up").await;
        for side in [&mut caller, &mut callee] {
            assert_eq!(side.until_released().await, 0);
            side.engine.shut_down().await;
        }
    });
}

#[test]
fn a_callee_whose_camera_is_refused_rejects_with_that_reason() {
    play(async {
        let hub = Hub::default();
        let mut caller = Side::start(&hub, "alice", Permission::Granted);
        let mut callee = Side::start(&hub, "bob", Permission::Denied);
        caller.engine.dial("bob", "call-1");
        callee.until("ringing").await;
        callee.engine.accept();
        caller.until("ended: permission-denied").await;
        callee.until("ended: permission-denied").await;
    });
}
