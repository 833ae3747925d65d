//! What is promised whatever the network, proxies and the relay's machine do: nothing is lost, nothing
//! arrives twice, everything arrives in order.

use std::{sync::atomic::Ordering, time::Duration};

use proptest::prelude::*;
use signaller::{
    Kind, Message, Transport as _, TransportEvent,
    client::{Backoff, FallbackSettings},
    message::RELAY,
    relay::{
        EndpointFaults, RelaySettings, RestFault, RestRequest, RestRule, WebSocketFault, WebSocketRule,
        Window,
    },
};
use tokio::time::{Instant, sleep_until, timeout};

use crate::http_rig::{Http, HttpRig};

/// The longest virtual time that a schedule may need. Its faults are over long before.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What goes wrong in one run.
#[derive(Clone, Debug)]
struct Schedule {
    /// How long bytes are on their way.
    latency_ms: u64,
    /// After how many bytes the nth connection breaks.
    budgets: Vec<Option<u32>>,
    /// What happens to the nth upgrade, whoever asks.
    websocket: Vec<Option<WebSocketFault>>,
    /// What happens to the nth request of each type.
    posts: Vec<Option<RestFault>>,
    polls: Vec<Option<RestFault>>,
    /// What happens at which millisecond.
    steps: Vec<(u64, Step)>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Alice or Bob sends so many messages.
    AliceSends(u8),
    BobSends(u8),
    CutAll,
    /// The relay's machine loses power and comes back with its store.
    PowerLoss,
    Unreachable,
    Reachable,
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let budget = prop_oneof![1 => Just(None), 3 => (1_u32..3000).prop_map(Some)];
    (
        prop::sample::select(vec![0, 30, 400]),
        prop::collection::vec(budget, 0..12),
        prop::collection::vec(prop::option::of(websocket_fault()), 0..8),
        prop::collection::vec(prop::option::of(rest_fault()), 0..6),
        prop::collection::vec(prop::option::of(rest_fault()), 0..6),
        prop::collection::vec((0_u64..40_000, step()), 1..14),
    )
        .prop_map(|(latency_ms, budgets, websocket, posts, polls, mut steps)| {
            steps.sort_by_key(|(at, _)| *at);
            Schedule { latency_ms, budgets, websocket, posts, polls, steps }
        })
}

fn websocket_fault() -> impl Strategy<Value = WebSocketFault> {
    let ms = || (0_u64..20_000).prop_map(Duration::from_millis);
    prop_oneof![
        3 => Just(WebSocketFault::Refused { status: 403 }),
        1 => Just(WebSocketFault::Hangs),
        2 => ms().prop_map(WebSocketFault::CutAfter),
        3 => (1_u64..2000).prop_map(WebSocketFault::CutAfterBytes),
        1 => ms().prop_map(WebSocketFault::HalfOpenAfter),
        1 => (1_usize..2000, ms()).prop_map(|(bytes, within)| WebSocketFault::Buffered { bytes, within }),
    ]
}

fn rest_fault() -> impl Strategy<Value = RestFault> {
    let ms = || (0_u64..12_000).prop_map(Duration::from_millis);
    prop_oneof![
        1 => ms().prop_map(|retry_after| RestFault::TooManyRequests { retry_after }),
        1 => Just(RestFault::ServerError),
        3 => Just(RestFault::AnswerLost),
        1 => ms().prop_map(RestFault::Slow),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u8..6).prop_map(Step::AliceSends),
        4 => (1_u8..6).prop_map(Step::BobSends),
        2 => Just(Step::CutAll),
        1 => Just(Step::PowerLoss),
        1 => Just(Step::Unreachable),
        2 => Just(Step::Reachable),
    ]
}

/// Probes come soon, so that a run goes over more than once.
fn settings() -> FallbackSettings {
    FallbackSettings {
        probe: Backoff { first: Duration::from_secs(3), longest: Duration::from_secs(10) },
        ..FallbackSettings::default()
    }
}

fn relay_settings(schedule: &Schedule) -> RelaySettings {
    let nth = |faults: usize| 1..=u32::try_from(faults).unwrap();
    let websocket = nth(schedule.websocket.len()).zip(&schedule.websocket).filter_map(|(nth, fault)| {
        Some(WebSocketRule { from: None, nth: Some(nth), window: Window::ALWAYS, fault: (*fault)? })
    });
    let rest = [(RestRequest::Post, &schedule.posts), (RestRequest::Poll, &schedule.polls)];
    let rest = rest.into_iter().flat_map(|(request, faults)| {
        nth(faults.len()).zip(faults).filter_map(move |(nth, fault)| {
            Some(RestRule {
                request: Some(request),
                from: None,
                nth: Some(nth),
                window: Window::ALWAYS,
                fault: (*fault)?,
            })
        })
    });
    let endpoint = EndpointFaults { websocket: websocket.collect(), rest: rest.collect() };
    RelaySettings { endpoint, ..RelaySettings::default() }
}

/// What one side has handed over and got.
struct Side {
    http: Http,
    to: &'static str,
    sent: u64,
    got: Vec<u64>,
}

impl Side {
    fn send(&mut self, count: u8) {
        for _ in 0..count {
            self.sent = self.http.send(self.to, Message::Accept);
        }
    }

    async fn take(&mut self) {
        match self.http.0.recv().await {
            // Connections come and go here, and each side hears of it.
            Some(TransportEvent::Message(envelope)) if envelope.from == *RELAY => {}
            Some(TransportEvent::Message(envelope)) => {
                assert_eq!(envelope.body.kind(), Kind::Accept, "{envelope:?}");
                self.got.push(envelope.id);
            }
            Some(TransportEvent::Unreadable { error }) => panic!("{error}"),
            Some(_) => {}
            None => panic!("the transport of {}'s friend has ended", self.to),
        }
    }
}

async fn play(schedule: Schedule) -> (Vec<u64>, u64, Vec<u64>, u64) {
    let rig = HttpRig::new(relay_settings(&schedule));
    rig.set_latency_ms(schedule.latency_ms);
    rig.network.budgets.lock().unwrap().extend(&schedule.budgets);
    let side = |who, to| Side { http: rig.join_with(who, "s1", settings()), to, sent: 0, got: Vec::new() };
    let (mut alice, mut bob) = (side("alice", "bob"), side("bob", "alice"));
    let begun = Instant::now();
    for (at, step) in &schedule.steps {
        let due = sleep_until(begun + Duration::from_millis(*at));
        tokio::pin!(due);
        loop {
            tokio::select! {
                biased;
                () = alice.take() => {}
                () = bob.take() => {}
                () = &mut due => break,
            }
        }
        match step {
            Step::AliceSends(count) => alice.send(*count),
            Step::BobSends(count) => bob.send(*count),
            Step::CutAll => rig.cut(),
            Step::PowerLoss => {
                rig.cut();
                rig.relay.restart(rig.relay.store());
            }
            Step::Unreachable => rig.set_unreachable(true),
            Step::Reachable => rig.set_unreachable(false),
        }
    }
    rig.set_unreachable(false);
    let _in_time = timeout(PATIENCE, async {
        while (alice.got.len() as u64) < bob.sent || (bob.got.len() as u64) < alice.sent {
            tokio::select! {
                biased;
                () = alice.take() => {}
                () = bob.take() => {}
            }
        }
    })
    .await;
    // What comes now comes a second time.
    let _quiet = timeout(Duration::from_secs(300), async {
        loop {
            tokio::select! {
                biased;
                () = alice.take() => {}
                () = bob.take() => {}
            }
        }
    })
    .await;
    // Where WebSockets are cut for ever, there is always a notice of it on its way.
    let store = rig.relay.store();
    assert_eq!(
        store.passages().filter(|passage| passage.from != *RELAY).count(),
        0,
        "everything is acknowledged"
    );
    assert!(rig.network.made.load(Ordering::Relaxed) >= 2);
    (bob.got, alice.sent, alice.got, bob.sent)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_doubled_or_overtaken(schedule in schedule()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (by_bob, by_alice_sent, by_alice, by_bob_sent) = runtime.block_on(play(schedule));
        prop_assert_eq!(by_bob, (1..=by_alice_sent).collect::<Vec<_>>());
        prop_assert_eq!(by_alice, (1..=by_bob_sent).collect::<Vec<_>>());
    }
}
