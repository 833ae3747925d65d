//! A whole call in a turmoil simulation, with the signaller on a host of its own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use call_engine::{
    Engine, EngineEvent, Observer, Parts, Permission, ReceivedPacket, Settings as EngineSettings,
    SyntheticDevices,
};
use signaller::{
    SessionId,
    client::{FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    http::{self, HttpSettings},
    relay::{RelaySettings, SharedRelay},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use webrtc::runtime::Runtime;
use webrtc_turmoil::{Settings, Simulation, TurmoilListener, TurmoilRuntime, clock, connector, simulate};

const EPOCH_S: u64 = 1_767_225_600;

/// What happened, each with its millisecond.
type Log = Arc<Mutex<Vec<String>>>;

struct Seen {
    who: &'static str,
    log: Log,
    media: Mutex<Vec<String>>,
    events: UnboundedSender<EngineEvent>,
}

impl Seen {
    fn note(&self, what: &str) {
        let at = turmoil::sim_elapsed().unwrap_or_default().as_millis();
        self.log.lock().unwrap().push(format!("{at} {} {what}", self.who));
    }
}

impl Observer for Seen {
    fn on_event(&self, event: EngineEvent) {
        if let EngineEvent::StateChanged { from, to, .. } = &event {
            self.note(&format!("{}: {from} → {to}", to.machine()));
        }
        let _ended = self.events.send(event);
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        let kind = format!("{:?}", packet.kind);
        let mut media = self.media.lock().unwrap();
        if !media.contains(&kind) {
            self.note(&format!("receives {kind}"));
            media.push(kind);
        }
    }
}

/// One participant, until its call is over. Who knows somebody to `dial` hangs up after `for_s` seconds.
async fn participate(
    who: &'static str,
    dials: Option<&'static str>,
    for_s: u64,
    log: Log,
) -> turmoil::Result {
    tokio::time::sleep(Duration::from_millis(if dials.is_some() { 500 } else { 0 })).await;
    let turmoil_runtime = TurmoilRuntime::new(who)?;
    let runtime: Arc<dyn Runtime> = Arc::new(turmoil_runtime.clone());
    let mut settings = EngineSettings::new(who);
    settings.peer.udp_addresses = vec![turmoil_runtime.udp_address().to_string()];
    let identity = Identity { participant: who.into(), session: SessionId::new("s1") };
    let target = Target::open("backend");
    let link = connector("backend", 80);
    let transport =
        FallbackTransport::spawn(identity, target, FallbackSettings::default(), Jitter::none(), link);
    let (events, mut seen) = unbounded_channel();
    let devices = SyntheticDevices {
        permission: Permission::Granted,
        delay: Duration::ZERO,
        runtime: Arc::clone(&runtime),
    };
    let parts = Parts {
        runtime,
        transport: Box::new(transport),
        devices: Arc::new(devices),
        observer: Arc::new(Seen { who, log, media: Mutex::default(), events }),
    };
    let engine = Engine::start(settings, parts);
    if let Some(callee) = dials {
        engine.dial(callee, "call-1");
        let engine = engine.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(for_s)).await;
            engine.hang_up();
        });
    }
    while let Some(event) = seen.recv().await {
        match event {
            EngineEvent::IncomingCall { .. } => engine.accept(),
            EngineEvent::Released { .. } => break,
            _ => {}
        }
    }
    engine.shut_down().await;
    Ok(())
}

async fn backend() -> turmoil::Result {
    let settings = RelaySettings { epoch: clock().now().as_secs(), ..RelaySettings::default() };
    let relay = SharedRelay::new(settings, Arc::new(|_| {}));
    let listener = TurmoilListener::bind(80).await?;
    http::serve(listener, relay, HttpSettings::new(clock()), std::future::pending()).await;
    Ok(())
}

/// A call of `for_s` seconds while `faults` happen; what happened.
fn call(seed: u64, for_s: u64, faults: fn(&mut Simulation<'_>) -> turmoil::Result) -> Vec<String> {
    let settings = Settings { seed, epoch_s: EPOCH_S };
    // Not a band, from which turmoil would draw for each message: one more would shift all draws behind it.
    let latency = Duration::from_millis(20);
    let configure = |builder: &mut turmoil::Builder| {
        builder.simulation_duration(Duration::from_secs(120));
        builder.min_message_latency(latency).max_message_latency(latency);
    };
    let log = simulate(settings, configure, |sim| {
        let log = Log::default();
        sim.host("backend", backend);
        sim.client("callee", participate("callee", None, for_s, Arc::clone(&log)));
        sim.client("caller", participate("caller", Some("callee"), for_s, Arc::clone(&log)));
        faults(sim)?;
        sim.run()?;
        let log = log.lock().unwrap();
        Ok(log.clone())
    });
    log.unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn holds(log: &[String], what: &str) {
    assert!(log.iter().any(|line| line.contains(what)), "no `{what}` in\n{}", log.join("\n"));
}

#[test]
fn a_call_connects_carries_media_both_ways_and_ends() {
    let log = call(1, 5, |_| Ok(()));
    for who in ["caller", "callee"] {
        for what in ["connection: connecting → connected", "receives Audio", "receives Video"] {
            holds(&log, &format!("{who} {what}"));
        }
        holds(&log, &format!("{who} call: connected → "));
    }
}

#[test]
fn the_same_seed_gives_the_same_events() {
    for seed in 1..=3 {
        let first = call(seed, 5, |_| Ok(()));
        holds(&first, "connection: connecting → connected");
        assert_eq!(call(seed, 5, |_| Ok(())), first, "seed {seed}");
    }
}

#[test]
fn a_partition_of_the_peers_shows_and_passes() {
    let log = call(1, 30, |sim| {
        sim.run_until(Duration::from_secs(5))?;
        sim.partition("caller", "callee");
        sim.run_until(Duration::from_secs(12))?;
        sim.repair("caller", "callee");
        Ok(())
    });
    for who in ["caller", "callee"] {
        holds(&log, &format!("{who} ice: connected → disconnected"));
        holds(&log, &format!("{who} call: reconnecting → connected"));
    }
}

#[test]
fn a_backend_that_starts_again_without_its_store_carries_the_end_of_the_call() {
    let log = call(1, 30, |sim| {
        sim.run_until(Duration::from_secs(5))?;
        sim.bounce("backend");
        Ok(())
    });
    holds(&log, "callee call: connected → ended: hung-up");
}
