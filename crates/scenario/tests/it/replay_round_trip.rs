//! A call of ours, written down as captures are and replayed, is the same call.

use capture::{Limits, Mappings, Outcome, Trace, audit::audit, merge, read, trace::SignalKind};
use proptest::prelude::*;
use scenario::{
    plan::Plan,
    record::RunRecord,
    replay::{Played, Replay, replay},
    run::Player,
};

/// A call that is accepted, and what happens in it.
#[derive(Clone, Debug)]
struct Call {
    delays_ms: (u32, u32),
    media: (&'static str, &'static str),
    accept_after_ms: u32,
    answer_takes_ms: u32,
    data_channels: bool,
    during: Option<(&'static str, &'static str)>,
    ends: (&'static str, u32),
}

fn calls() -> impl Strategy<Value = Call> {
    let media = || prop::sample::select(vec!["audio-video", "voice", "audio-only"]);
    let during = prop::option::of((
        prop::sample::select(vec!["caller", "callee"]),
        prop::sample::select(vec!["hold", "share-screen", "negotiation-needed", "disable-audio"]),
    ));
    let ends = (prop::sample::select(vec!["caller", "callee"]), 8_000..15_000_u32);
    ((0..120_u32, 0..120_u32), (media(), media()), 0..3_000_u32, 0..400_u32, any::<bool>(), during, ends)
        .prop_map(|(delays_ms, media, accept_after_ms, answer_takes_ms, data_channels, during, ends)| Call {
            delays_ms,
            media,
            accept_after_ms,
            answer_takes_ms,
            data_channels,
            during,
            ends,
        })
}

impl Call {
    fn plan(&self) -> Plan {
        let Self { delays_ms, media, accept_after_ms, answer_takes_ms, data_channels, during, ends } = self;
        let peer = |name: &str, delay: u32, media: &str| {
            format!(
                "[peers.{name}]\nlink = {{ delay = \"{delay}ms\" }}\nmedia = \"{media}\"\ndata-channels = {data_channels}\n"
            )
        };
        let during = during
            .map_or(String::new(), |(who, what)| format!("[[steps]]\nat = \"7s\"\n{who} = \"{what}\"\n"));
        let text = format!(
            "version = 1\nsummary = \"a call\"\ndeadline = \"60s\"\n{}{}on-ring = {{ accept-after = \"{accept_after_ms}ms\" }}\n\
             [signaller]\ndelays = [{{ message = \"answer\", by = \"{answer_takes_ms}ms\" }}]\n\
             [[steps]]\nat = \"1s\"\ncaller = {{ dial = \"callee\" }}\n{during}[[steps]]\nat = \"{}ms\"\n{} = \"hang-up\"\n\
             [expect]\noutcome = \"connected\"\n",
            peer("caller", delays_ms.0, media.0),
            peer("callee", delays_ms.1, media.1),
            ends.1,
            ends.0,
        );
        Plan::from_toml("random", &text).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
    }
}

fn trace(name: &str, bytes: &[u8]) -> Trace {
    let recording = read(name, bytes, &Mappings::default(), &Limits::default()).unwrap();
    let mut calls = merge(vec![recording]).calls;
    assert_eq!(calls.len(), 1, "{name} is one call");
    calls.remove(0)
}

fn played(trace: &Trace) -> Played {
    match replay(trace, &audit(trace)) {
        Replay::Played(played) => *played,
        Replay::NotPlayed { reason } => panic!("not played: {reason}"),
    }
}

fn count(trace: &Trace, kind: &SignalKind) -> u64 {
    trace.messages.iter().filter(|message| message.signal.kind == *kind).count() as u64
}

#[track_caller]
fn check(record: &RunRecord, trace: &Trace) {
    let played = played(trace);
    assert_eq!(played.divergence, None, "{}", played.scenario);
    assert_eq!(played.outcome, Outcome::Connected, "{}", played.scenario);
    let offers: u64 = record.peers.values().map(|peer| peer.offers_sent).sum();
    assert_eq!(count(trace, &SignalKind::Offer), offers);
    let again = Plan::from_toml("again", &played.scenario).unwrap();
    let again = Player::new(&again).seed(1).play().unwrap();
    let replayed: u64 = again.peers.values().map(|peer| peer.offers_sent).sum();
    assert_eq!(replayed, offers, "as many offers are made again: {}", played.scenario);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_call_of_ours_replays_without_divergence(call in calls(), seed in 1..1000_u64) {
        let record = Player::new(&call.plan()).relay_log().seed(seed).play().unwrap();
        let log = record.relay_log.as_deref().expect("the log was kept");
        prop_assert!(record.peers.values().all(|peer| peer.connected_at.is_some()), "{call:?}");
        check(&record, &trace("relay.jsonl", log.as_bytes()));
        let timeline = serde_json::to_vec(&record.timeline).unwrap();
        check(&record, &trace("timeline.json", &timeline));
    }
}
