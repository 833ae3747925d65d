//! turmoil as a second judge of the signaller: whatever its network and its machines do, nothing is lost,
//! nothing arrives twice, everything arrives in order.
//!
//! It shares no line with `netsim`, and its TCP is harsher: what a partition drops is never sent again, so
//! that a stream behind it is silent for ever, without an error.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::prelude::*;
use signaller::{
    CallId, Message, Outgoing, SessionId, Transport as _, TransportEvent,
    client::{AllowedWays, Backoff, FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    http::{self, HttpLimits, HttpSettings},
    relay::{RelaySettings, SharedRelay, Store},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc_turmoil::{Settings, Simulation, TurmoilListener, clock, connector, simulate};

const EPOCH_S: u64 = 1_767_225_600;
const RELAY: &str = "relay";
const PORT: u16 = 80;

/// How long after the last fault everything may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);

/// For how long afterwards a second copy may show.
const QUIET: Duration = Duration::from_secs(3);

/// What goes wrong in one run.
#[derive(Clone, Debug)]
struct Schedule {
    /// Of turmoil's draws, and of everything random in the programs.
    seed: u64,
    /// How long a message is on its way, at least and at most.
    latency_ms: (u64, u64),
    /// What happens at which millisecond.
    steps: Vec<(u64, Step)>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Sends(Who, u8),
    /// What is sent between the participant and the relay is lost, and what is under way.
    Partition(Who),
    PartitionFrom(Who),
    PartitionTo(Who),
    Repair(Who),
    /// What is sent waits.
    Hold(Who),
    Release(Who),
    /// Each message takes this long from now on.
    Latency(Who, u16),
    /// The relay's machine stops, and keeps its store.
    Crash,
    /// It starts, or starts again.
    Bounce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Alice,
    Bob,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

fn schedule() -> impl Strategy<Value = Schedule> {
    (
        any::<u64>(),
        prop::sample::select(vec![(0, 0), (5, 40), (100, 400)]),
        prop::collection::vec((0_u64..6000, step()), 1..16),
    )
        .prop_map(|(seed, latency_ms, mut steps)| {
            steps.sort_by_key(|(at, _)| *at);
            Schedule { seed, latency_ms, steps }
        })
}

fn step() -> impl Strategy<Value = Step> {
    let who = || prop::sample::select(vec![Who::Alice, Who::Bob]);
    prop_oneof![
        6 => (who(), 1_u8..6).prop_map(|(who, count)| Step::Sends(who, count)),
        2 => who().prop_map(Step::Partition),
        1 => who().prop_map(Step::PartitionFrom),
        1 => who().prop_map(Step::PartitionTo),
        3 => who().prop_map(Step::Repair),
        1 => who().prop_map(Step::Hold),
        2 => who().prop_map(Step::Release),
        1 => (who(), 0_u16..600).prop_map(|(who, ms)| Step::Latency(who, ms)),
        1 => Just(Step::Crash),
        2 => Just(Step::Bounce),
    ]
}

/// Short waits, so that a run is over soon in virtual time.
fn client_settings(ways: AllowedWays) -> FallbackSettings {
    let ms = Duration::from_millis;
    FallbackSettings {
        ways,
        connect_within: ms(1500),
        upgrade_within: ms(1500),
        welcome_within: ms(1500),
        heartbeat: ms(700),
        heartbeat_within: ms(1500),
        backoff: Backoff { first: ms(100), longest: ms(1000) },
        cuts: 2,
        cuts_within: ms(5000),
        probe: Backoff { first: ms(1000), longest: ms(3000) },
        poll_wait: ms(1000),
        answer_within: ms(1500),
        ..FallbackSettings::default()
    }
}

/// The relay's machine: what its disk keeps from one life to the next.
#[derive(Default)]
struct Machine {
    store: Store,
    lives: u64,
    running: Option<SharedRelay>,
}

impl Machine {
    fn start(&mut self) -> SharedRelay {
        self.lives += 1;
        let settings = RelaySettings { epoch: self.lives, ..RelaySettings::default() };
        let relay = SharedRelay::new(settings, Arc::new(|_| {}));
        relay.restart(self.store.clone());
        self.running = Some(relay.clone());
        relay
    }

    fn stop(&mut self) {
        if let Some(relay) = self.running.take() {
            self.store = relay.store();
        }
    }
}

async fn serve(relay: SharedRelay) -> turmoil::Result {
    let second = Duration::from_secs(1);
    let limits = HttpLimits {
        head_within: 3 * second,
        body_within: 3 * second,
        silence: 4 * second,
        ..HttpLimits::default()
    };
    let listener = TurmoilListener::bind(PORT).await?;
    http::serve(
        listener,
        relay,
        HttpSettings { limits, ..HttpSettings::new(clock()) },
        std::future::pending(),
    )
    .await;
    Ok(())
}

/// One participant as the test sees it.
struct Side {
    commands: UnboundedSender<u8>,
    sent: u64,
    got: Arc<Mutex<Vec<u64>>>,
}

impl Side {
    fn join(sim: &mut Simulation<'_>, who: Who, ways: AllowedWays) -> Self {
        let (commands, wanted) = unbounded_channel();
        let got = Arc::<Mutex<Vec<u64>>>::default();
        sim.client(who.name(), participate(who, ways, wanted, Arc::clone(&got)));
        Self { commands, sent: 0, got }
    }

    fn send(&mut self, count: u8) {
        self.commands.send(count).expect("the participant takes part until the end");
        self.sent += u64::from(count);
    }

    fn got(&self) -> Vec<u64> {
        self.got.lock().unwrap().clone()
    }
}

async fn participate(
    who: Who,
    ways: AllowedWays,
    mut wanted: UnboundedReceiver<u8>,
    got: Arc<Mutex<Vec<u64>>>,
) -> turmoil::Result {
    let identity = Identity { participant: who.name().into(), session: SessionId::new("s1") };
    let mut state = who as u64 + 1;
    let jitter = Jitter::new(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state
    });
    let (target, link) = (Target::open(RELAY), connector(RELAY, PORT));
    let mut transport = FallbackTransport::spawn(identity, target, client_settings(ways), jitter, link);
    loop {
        tokio::select! {
            biased;
            Some(count) = wanted.recv() => for _ in 0..count {
                let (call, to) = (CallId::new("c1"), who.other().name().into());
                transport.send(Outgoing { call, to, body: Message::Accept })?;
            },
            event = transport.recv() => match event {
                Some(TransportEvent::Message(envelope)) if envelope.body == Message::Accept => {
                    got.lock().unwrap().push(envelope.id);
                }
                // The relay's notices are no messages of the other side.
                Some(TransportEvent::Message(envelope))
                    if matches!(envelope.body, Message::Absent { .. } | Message::Present { .. }) => {}
                Some(TransportEvent::Message(envelope)) => return Err(format!("{envelope:?}").into()),
                Some(TransportEvent::Unreadable { error }) => return Err(error.into()),
                Some(_) => {}
                None => return Err("the transport has ended".into()),
            },
        }
    }
}

struct Run<'s, 'a> {
    sim: &'s mut Simulation<'a>,
    machine: Arc<Mutex<Machine>>,
    alice: Side,
    bob: Side,
}

impl Run<'_, '_> {
    fn take(&mut self, step: Step) {
        let sim = &mut self.sim;
        match step {
            Step::Sends(Who::Alice, count) => self.alice.send(count),
            Step::Sends(Who::Bob, count) => self.bob.send(count),
            Step::Partition(who) => sim.partition(who.name(), RELAY),
            Step::PartitionFrom(who) => sim.partition_oneway(who.name(), RELAY),
            Step::PartitionTo(who) => sim.partition_oneway(RELAY, who.name()),
            Step::Repair(who) => sim.repair(who.name(), RELAY),
            Step::Hold(who) => sim.hold(who.name(), RELAY),
            Step::Release(who) => sim.release(who.name(), RELAY),
            Step::Latency(who, ms) => {
                sim.set_link_latency(who.name(), RELAY, Duration::from_millis(ms.into()));
            }
            Step::Crash => {
                self.machine.lock().unwrap().stop();
                sim.crash(RELAY);
            }
            Step::Bounce => {
                self.machine.lock().unwrap().stop();
                sim.bounce(RELAY);
            }
        }
    }

    /// All faults are over; everything has the time to arrive, and what is sent twice to arrive twice.
    fn settle(&mut self) -> turmoil::Result {
        for who in [Who::Alice, Who::Bob] {
            self.take(Step::Release(who));
            self.take(Step::Latency(who, 10));
        }
        if !self.sim.is_host_running(RELAY) {
            self.take(Step::Bounce);
        }
        let deadline = self.sim.elapsed() + PATIENCE;
        while !self.is_complete() && self.sim.elapsed() < deadline {
            self.sim.step()?;
        }
        let quiet = self.sim.elapsed() + QUIET;
        self.sim.run_until(quiet)?;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        let has = |got: &Side, of: &Side| got.got.lock().unwrap().len() as u64 >= of.sent;
        has(&self.alice, &self.bob) && has(&self.bob, &self.alice)
    }
}

/// What came of a run: what each got and what was sent to it, and how many messages still wait at the relay.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    alice: (Vec<u64>, u64),
    bob: (Vec<u64>, u64),
    waiting: usize,
}

fn play(schedule: &Schedule, ways: AllowedWays) -> Came {
    let settings = Settings { seed: schedule.seed, epoch_s: EPOCH_S };
    let (least, most) = schedule.latency_ms;
    let configure = |builder: &mut turmoil::Builder| {
        builder
            .simulation_duration(Duration::from_secs(600))
            .tick_duration(Duration::from_millis(10))
            .min_message_latency(Duration::from_millis(least))
            .max_message_latency(Duration::from_millis(most));
    };
    let came = simulate(settings, configure, |sim| {
        let machine = Arc::<Mutex<Machine>>::default();
        let kept = Arc::clone(&machine);
        sim.host(RELAY, move || {
            let relay = kept.lock().unwrap().start();
            serve(relay)
        });
        let (alice, bob) = (Side::join(sim, Who::Alice, ways), Side::join(sim, Who::Bob, ways));
        let mut run = Run { sim, machine, alice, bob };
        for (at, step) in &schedule.steps {
            run.sim.run_until(Duration::from_millis(*at))?;
            run.take(*step);
        }
        run.settle()?;
        let machine = run.machine.lock().unwrap();
        let waiting = machine.running.as_ref().map_or(0, |relay| relay.store().waiting());
        Ok(Came { alice: (run.alice.got(), run.bob.sent), bob: (run.bob.got(), run.alice.sent), waiting })
    });
    came.unwrap_or_else(|error| panic!("{error}"))
}

fn exactly_once(schedule: &Schedule, ways: AllowedWays) -> Result<(), TestCaseError> {
    let Came { alice: (to_alice, for_alice), bob: (to_bob, for_bob), waiting } = play(schedule, ways);
    prop_assert_eq!(to_alice, (1..=for_alice).collect::<Vec<_>>(), "to alice");
    prop_assert_eq!(to_bob, (1..=for_bob).collect::<Vec<_>>(), "to bob");
    prop_assert_eq!(waiting, 0, "everything is acknowledged");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn over_websockets_nothing_is_lost_or_doubled_or_overtaken(schedule in schedule()) {
        exactly_once(&schedule, AllowedWays::WebSocket)?;
    }

    #[test]
    fn over_rest_nothing_is_lost_or_doubled_or_overtaken(schedule in schedule()) {
        exactly_once(&schedule, AllowedWays::Rest)?;
    }

    #[test]
    fn with_fallback_nothing_is_lost_or_doubled_or_overtaken(schedule in schedule()) {
        exactly_once(&schedule, AllowedWays::Both)?;
    }
}

/// A stream that a partition has broken is silent for ever in turmoil: the heartbeat ends it.
#[test]
fn a_partition_is_survived_on_every_way() {
    let steps = vec![
        (1000, Step::Sends(Who::Alice, 1)),
        (2000, Step::Partition(Who::Bob)),
        (2100, Step::Sends(Who::Alice, 2)),
        (3000, Step::Repair(Who::Bob)),
        (3100, Step::Sends(Who::Bob, 1)),
    ];
    let schedule = Schedule { seed: 1, latency_ms: (5, 40), steps };
    let came = Came { alice: (vec![1], 1), bob: (vec![1, 2, 3], 3), waiting: 0 };
    for ways in [AllowedWays::WebSocket, AllowedWays::Rest, AllowedWays::Both] {
        assert_eq!(play(&schedule, ways), came, "{ways:?}");
    }
}
