//! Each check once where it holds and once where it does not.

use std::time::Duration;

use netsim::{Escape, EscapeKind};
use timeline::{CallState, CandidateFate, Delivery, EndReason, Machine, MessageKind, State, Verdict};

use super::*;
use crate::{
    plan::Outcome,
    record::{Leftovers, WorldEnd},
    testing::{Sketch, plan, plan_with},
};

#[track_caller]
fn holds(expect: &str, sketch: Sketch) {
    assert_eq!(check(&plan(expect), &sketch.record()), []);
}

#[track_caller]
fn fails(expect: &str, sketch: Sketch, found: &str) {
    let failures = check(&plan(expect), &sketch.record());
    let shown: Vec<String> = failures
        .iter()
        .map(|failure| format!("{} {}: {}", failure.at, failure.check, failure.message))
        .collect();
    assert_eq!(shown.join("\n"), found);
    assert!(failures.iter().all(|failure| failure.seed == Some(7)));
}

#[test]
fn outcome() {
    holds(r#"outcome = ["connected", "busy"]"#, Sketch::connected());
    fails(
        r#"outcome = ["connected", "busy"]"#,
        Sketch::never_connected(EndReason::Declined),
        "4100 outcome: expected connected or busy, the call came out as rejected",
    );
}

#[test]
fn candidate_ends() {
    let two = || {
        Sketch::connected().with(|sketch| {
            sketch.sent("caller", MessageKind::EndOfCandidates, "callee");
            sketch.sent("callee", MessageKind::EndOfCandidates, "caller");
            sketch.sent("callee", MessageKind::Answer, "caller");
        })
    };
    holds("candidate-ends = 2", two());
    fails("candidate-ends = 1", two(), "4100 candidate-ends: expected exactly 1, 2 were sent");
}

/// Each side signalled one address; the pair's other ends decide, not what `webrtc` calls them.
#[test]
fn path() {
    let pair = |caller_at: &'static str, callee_at: &'static str| {
        Sketch::connected().with(|sketch| {
            sketch.gathered("caller", "srflx udp 203.0.113.1:50000");
            sketch.gathered("callee", "host udp 10.0.0.2:50000");
            sketch.selected("caller", "prflx udp 10.0.0.2:1", callee_at);
            sketch.selected("callee", "host udp 10.0.0.2:50000", caller_at);
        })
    };
    let direct = pair("prflx udp 203.0.113.1:50000", "host udp 10.0.0.2:50000");
    holds(r#"path = "srflx""#, direct.clone());
    holds(r#"path = ["relay", "srflx"]"#, direct.clone());
    fails(
        r#"path = ["host", "relay"]"#,
        direct,
        "4100 path: expected the call to go by host or relay, found srflx",
    );
    holds(r#"path = "prflx""#, pair("prflx udp 203.0.113.1:666", "host udp 10.0.0.2:50000"));
    holds(r#"path = "none""#, Sketch::never_connected(EndReason::Busy));
    fails(
        r#"path = "host""#,
        Sketch::never_connected(EndReason::Busy),
        "4100 path: expected the call to go by host, found none",
    );
}

#[test]
fn end_reason_and_final_state() {
    let expect = r#"peers.callee = { ends = "hung-up", state = "ended" }"#;
    holds(expect, Sketch::connected());
    fails(
        expect,
        Sketch::connected().change_peer("callee", |peer| {
            peer.end_reason = None;
            peer.call_state = CallState::Connected;
        }),
        "4100 end-reason: callee: expected the end hung-up, found nothing: it did not end\n\
         4100 final-state: callee: expected its call ended, it is connected",
    );
}

#[test]
fn connected() {
    holds("peers.callee = { connected = true }", Sketch::connected());
    holds("peers.callee = { connected = false }", Sketch::never_connected(EndReason::Busy));
    fails(
        "peers.callee = { connected = true }",
        Sketch::never_connected(EndReason::Busy),
        "4100 connected: callee: expected to be connected, never was",
    );
    fails(
        "peers.callee = { connected = false }",
        Sketch::connected(),
        "1560 connected: callee: expected never to be connected, was",
    );
}

/// The bound is 560 ms: it holds there and nowhere beside it.
#[test]
fn milestone() {
    holds(r#"milestones.connected = { at-least = "560ms", at-most = "560ms" }"#, Sketch::connected());
    fails(
        r#"milestones.connected = { at-most = "559ms" }"#,
        Sketch::connected(),
        "1560 milestone: connected came 560ms after the dial, expected at most 559ms",
    );
    fails(
        r#"milestones.connected = { at-least = "561ms" }"#,
        Sketch::connected(),
        "1560 milestone: connected came 560ms after the dial, expected at least 561ms",
    );
    fails(
        r#"peers.callee.milestones.first-pair = { at-most = "1s" }"#,
        Sketch::connected(),
        "4100 milestone: first-pair of callee was never reached",
    );
}

#[test]
fn media_both_ways() {
    let expect = r#"media = [{ video = "both-ways", after = "2s" }]"#;
    holds(expect, Sketch::connected());
    fails(
        expect,
        Sketch::connected().without_video_to("caller"),
        "4100 media-both-ways: no video arrived from callee at caller after 2s",
    );
}

#[test]
fn media_none() {
    let expect = r#"media = [{ video = "none", before = "1600ms" }]"#;
    holds(expect, Sketch::never_connected(EndReason::Busy));
    fails(
        expect,
        Sketch::connected().without_video_to("callee"),
        "1560 media-none: 2 packets of video arrived from callee at caller before 1.6s",
    );
}

#[test]
fn media_only() {
    let expect = r#"media = [{ video = "caller to callee" }]"#;
    holds(expect, Sketch::connected().without_video_to("caller"));
    fails(
        expect,
        Sketch::connected().without_video_to("callee"),
        "4100 media-only: no video arrived from caller at callee\n\
         1560 media-only: 100 packets of video arrived from callee at caller",
    );
}

#[test]
fn offers_and_held_candidates() {
    holds("offers = 1\nheld-candidates = { at-most = 0 }", Sketch::connected());
    fails(
        "offers = 1\nheld-candidates = { at-least = 1 }",
        Sketch::connected().change_peer("callee", |peer| peer.offers_sent = 4),
        "4100 offers: expected exactly 1, 5 were sent\n\
         4100 held-candidates: expected at least 1, 0 were held back",
    );
}

#[test]
fn never() {
    let expect = r#"never = [{ peer = "callee", call = "connected" }]"#;
    holds(expect, Sketch::never_connected(EndReason::Busy));
    fails(
        expect,
        Sketch::connected(),
        "1560 never: callee: call must never be connected, but connecting → connected",
    );
}

#[test]
fn sequence() {
    holds(r#"sequence = [{ call = ["ringing", "ended"] }]"#, Sketch::connected());
    fails(
        r#"sequence = [{ peer = "caller", call = ["ringing", "dialling"] }]"#,
        Sketch::connected(),
        "4100 sequence: caller: call should pass ringing, dialling; dialling is missing, \
         it passed dialling, ringing, connected, ended",
    );
}

#[test]
fn nothing_leaked() {
    let left = Leftovers { tasks: 2, sockets: 1, ..Default::default() };
    holds("", Sketch::connected().left("callee", Leftovers::default()));
    let leaky = Sketch::connected().left("callee", left).change_peer("caller", |peer| peer.tracks_live = 1);
    fails(
        "",
        leaky.clone(),
        "4100 nothing-leaked: callee still holds 2 tasks, 1 sockets\n\
         4100 nothing-leaked: caller still has 1 tracks that were not stopped",
    );
    holds(r#"waive.nothing-leaked = "the test leaks on purpose""#, leaky);
}

#[test]
fn steps_understood() {
    fails(
        "",
        Sketch::connected().not_understood(2000, "callee", "our app cannot hold"),
        "2000 steps-understood: callee: our app cannot hold",
    );
}

#[test]
fn ended_by_itself() {
    holds("", Sketch::connected());
    fails(
        "",
        Sketch::connected().world_end(WorldEnd::Deadline),
        "4100 ended-by-itself: the run did not come to its end: its virtual deadline stopped it",
    );
    let frame = Some("my_app::dial (src/net.rs:3)".to_owned());
    let at = Duration::from_millis(1500);
    fails(
        "",
        Sketch::connected().escaped(Escape { call: "pthread_create", what: EscapeKind::Thread, at, frame }),
        "4100 ended-by-itself: the run did not come to its end: a program called the machine instead of the world: \
         `pthread_create` starts a thread outside of the simulation at 1.5s, called in my_app::dial (src/net.rs:3)",
    );
}

#[test]
fn candidate_that_never_arrives() {
    fails(
        "",
        Sketch::connected().with(|sketch| sketch.candidate_sent(1200, "host udp 10.0.0.1:50001")),
        "1200 no-candidate-lost: host udp 10.0.0.1:50001, sent by caller to callee: \
         it should have arrived by 3200 ms and never did",
    );
    // The call ends before it could arrive.
    holds("", Sketch::connected().with(|sketch| sketch.candidate_sent(3000, "host udp 10.0.0.1:50001")));
}

#[test]
fn candidate_that_is_kept_by_an_outage() {
    let lost = Sketch::connected().with(|sketch| sketch.candidate_sent(1200, "late")).record();
    let down = "[[steps]]\nat = \"1100ms\"\nnetwork = { link-down = \"signaller\" }\n";
    assert_eq!(check(&plan_with(down, ""), &lost), []);
    let up = format!("{down}[[steps]]\nat = \"1200ms\"\nnetwork = {{ link-up = \"signaller\" }}\n");
    assert_eq!(check(&plan_with(&up, ""), &lost).len(), 1);
}

/// The network lost a segment, and nothing has come from the sender since; where something has, it is lost.
#[test]
fn candidate_that_tcp_holds() {
    let sketch = |host, verdict, overtaken| {
        let sketch = Sketch::connected().with(|sketch| {
            sketch.candidate_sent(1200, "late");
            sketch.tcp_segment(1200, host, verdict);
            if overtaken {
                sketch.candidate_received(1300, "another");
            }
        });
        check(&plan(""), &sketch.record()).len()
    };
    assert_eq!(sketch("caller", Verdict::Delivered, false), 1);
    assert_eq!(sketch("caller", Verdict::DeliveredLate, false), 0);
    assert_eq!(sketch("callee", Verdict::Held, false), 0);
    assert_eq!(sketch("callee", Verdict::Held, true), 1);
    assert_eq!(sketch("neighbour", Verdict::Held, false), 1);
}

#[test]
fn candidate_that_is_forgotten() {
    let received = |ms| {
        Sketch::connected().with(|sketch| {
            sketch.candidate_sent(1200, "late");
            sketch.candidate_received(ms, "late");
        })
    };
    fails(
        "",
        received(1240),
        "1200 no-candidate-lost: late, sent by caller to callee: \
         it arrived at 1240 ms and was neither applied nor refused",
    );
    holds("", received(1240).with(|sketch| sketch.candidate(1240, "late", CandidateFate::Rejected)));
    // The call ends on the spot.
    holds("", received(3900));
    // There is no call any more.
    holds("", received(4050));
}

#[test]
fn candidate_of_a_call_without_remote_description() {
    let mut sketch = Sketch::never_connected(EndReason::HungUp).record();
    sketch.timeline.entries.retain(|entry| {
        !matches!(
            entry.event,
            timeline::Event::Transition { to: State::Signaling(_), .. } | timeline::Event::Candidate { .. }
        )
    });
    assert_eq!(check(&plan(""), &sketch), []);
}

#[test]
fn rates_are_judged_from_twenty_runs_on() {
    let plan = plan(r#"rates = { connected = { at-least = "90%" } }"#);
    let judge = |connected, runs| rates(&plan, &[(Outcome::Connected, connected)].into(), runs);
    assert_eq!(judge(0, 19), RateVerdict::Skipped);
    assert_eq!(judge(18, 20), RateVerdict::Judged(Vec::new()));
    let RateVerdict::Judged(failures) = judge(17, 20) else { panic!("judged") };
    let messages: Vec<&str> = failures.iter().map(|failure| failure.message.as_str()).collect();
    assert_eq!(messages, ["expected connected in 90 % to 100 % of the runs, found 17 of 20"]);
    assert_eq!(rates(&super::tests::plan(""), &[].into(), 20), RateVerdict::NotAsked);
}

#[test]
fn messages_of_data_channels_are_counted_and_ordered() {
    let with = |numbers: &'static [u64], refused: u64| {
        Sketch::connected()
            .change_peer("callee", |peer| {
                let key = ("caller".into(), Delivery::Ordered);
                let flow = peer.data_received.entry(key).or_default();
                numbers.iter().for_each(|number| flow.message(VirtualTime::from_millis(3_000), *number));
            })
            .change_peer("caller", |peer| {
                peer.data_sent.entry(Delivery::Ordered).or_default().refused = refused;
            })
            .record()
    };
    let found = |expect: &str, record: RunRecord| {
        let failures = super::check(&plan(expect), &record);
        failures.into_iter().filter(|failure| failure.check == "data").count()
    };
    let three = r#"data = [{ ordered = "caller to callee", messages = 3, refused = 0, before = "3100ms" }]"#;
    assert_eq!(found(three, with(&[0, 1, 2], 0)), 0);
    assert_eq!(found(three, with(&[0, 1], 0)), 1, "one is missing");
    assert_eq!(found(three, with(&[0, 2, 1], 0)), 1, "one was overtaken");
    assert_eq!(found(three, with(&[0, 1, 2, 2], 0)), 1, "one came twice");
    assert_eq!(found(three, with(&[0, 1, 2], 1)), 1, "one was refused");
    assert_eq!(found(&three.replace("3100ms", "3000ms"), with(&[0, 1, 2], 0)), 1, "they came too late");
    assert_eq!(found(r#"data = [{ ordered = "caller to callee" }]"#, with(&[], 0)), 1, "none came");
}

#[test]
fn buffered() {
    let most = |bytes| {
        Sketch::connected().change_peer("caller", |peer| {
            let sent = peer.data_sent.entry(Delivery::Ordered).or_default();
            sent.most_buffered = bytes;
        })
    };
    let range = r#"data = [{ ordered = "caller to callee", messages = 0, buffered = { at-least = 100, at-most = 200 } }]"#;
    holds(range, most(100));
    holds(range, most(200));
    let found = |count| {
        format!(
            "4100 data: expected 100 to 200 bytes of ordered messages from caller to callee to be buffered at most, {count} were"
        )
    };
    fails(range, most(99), &found(99));
    fails(range, most(201), &found(201));
}

#[test]
fn recovery_time() {
    let after = |ms: u64| {
        Sketch::connected().with(|sketch| {
            sketch.transition(2000, "caller", Machine::Connection, "connected", "disconnected");
            sketch.transition(2000 + ms, "caller", Machine::Connection, "disconnected", "connected");
        })
    };
    let range = r#"recovery-time = { at-least = "500ms", at-most = "700ms" }"#;
    holds(range, after(500));
    holds(range, after(700));
    let found = |ms: u64, bound| {
        format!(
            "{} recovery-time: caller was without a connection for {ms}ms from 2000 ms, expected {bound}",
            2000 + ms
        )
    };
    fails(range, after(499), &found(499, "at least 500ms"));
    fails(range, after(701), &found(701, "at most 700ms"));
    fails(range, Sketch::connected(), "4100 recovery-time: no connection was lost and stood again");
}

#[test]
fn samples_of_statistics_are_judged() {
    let sample = |round_trip_ms: u64, received_bps: u64, packets_lost: i64| crate::record::StatisticsSample {
        at: VirtualTime::from_millis(2_000),
        round_trip_time: Some(std::time::Duration::from_millis(round_trip_ms)),
        sent_bps: 0,
        received_bps,
        packets_lost,
        pair: None,
    };
    let found = |expect: &str, samples: &[crate::record::StatisticsSample]| {
        let samples = samples.to_vec();
        let record = Sketch::connected().change_peer("caller", |peer| peer.statistics = samples).record();
        let plan = plan(&format!("[expect.peers.caller]\nstatistics = {expect}"));
        super::check(&plan, &record).into_iter().filter(|failure| failure.check == "statistics").count()
    };
    let good = [sample(40, 0, 0), sample(50, 30_000, 1), sample(50, 40_000, 2)];
    let all = r#"{ samples = 3, round-trip-time = { at-least = "40ms", at-most = "50ms" }, received-kbps = 30, lost = 2 }"#;
    assert_eq!(found(all, &good), 0);
    assert_eq!(found("{ samples = 4 }", &good), 1);
    assert_eq!(found(r#"{ round-trip-time = { at-most = "49ms" } }"#, &good), 2, "each that is too long");
    assert_eq!(found(r#"{ round-trip-time = { at-least = "41ms" } }"#, &good), 1);
    assert_eq!(found(r#"{ round-trip-time = { at-least = "41ms" } }"#, &[]), 1, "none was measured");
    assert_eq!(found("{ received-kbps = { at-least = 31 } }", &good), 1, "the median counts");
    assert_eq!(found("{ lost = { at-most = 1 } }", &good), 1, "the last sample counts");
}
