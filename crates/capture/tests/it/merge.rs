//! Several files of one call, and several calls in one file.

use capture::{Capture, Limits, Mappings, audit::audit, merge, read};

use crate::{
    fixtures::{capture_of, root},
    script::files,
};

fn read_all(texts: &[&str]) -> Capture {
    let read = |(index, text): (usize, &&str)| {
        read(&format!("file-{index}"), text.as_bytes(), &Mappings::default(), &Limits::default()).unwrap()
    };
    merge(texts.iter().enumerate().map(read).collect())
}

/// A dump of the two-browser call whose clock is ahead by `ms`.
fn ahead(file: &str, ms: f64) -> String {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut first: Vec<serde_json::Value> = serde_json::from_str(&lines[2]).unwrap();
    let last = first.len() - 1;
    first[last] = serde_json::json!(first[last].as_f64().unwrap() + ms);
    lines[2] = serde_json::to_string(&first).unwrap();
    lines.join("\n")
}

#[test]
fn clocks_that_differ_are_brought_together_and_the_skew_is_said() {
    for ms in [3_000.0, -45_000.0, 7_200_000.0] {
        let caller = ahead("two-browsers-happy-av/caller.rtcstats.txt", 0.0);
        let callee = ahead("two-browsers-happy-av/callee.rtcstats.txt", ms);
        let capture = read_all(&[&caller, &callee]);
        let [trace] = capture.calls.as_slice() else { panic!("{} calls", capture.calls.len()) };
        let skews: Vec<f64> = trace.sources.iter().map(|source| source.skew_ms).collect();
        let between = skews[1] - skews[0];
        assert!((between - ms).abs() < 60.0, "{between} for {ms}");
        assert!(audit(trace).iter().any(|finding| finding.code.as_str() == "clock-skew"));
        for message in &trace.messages {
            if let (Some(sent), Some(applied)) = (message.sent, &message.applied) {
                assert!(sent <= applied.at, "a message is not applied before it is sent");
            }
        }
    }
}

#[test]
fn several_calls_in_several_files_are_told_apart() {
    let files =
        ["happy-av/rtcstats.txt", "no-answer/relay.jsonl", "ice-restart/relay.jsonl", "happy-av/relay.jsonl"];
    let capture = capture_of(&files.map(|file| root().join(file)));
    let shape: Vec<(usize, usize)> =
        capture.calls.iter().map(|call| (call.sources.len(), call.peers.len())).collect();
    assert_eq!(shape, [(2, 2), (1, 2), (1, 2)]);
}

/// Two calls one day apart, or without a description in common, that go by one name.
#[test]
fn one_call_id_in_two_files_may_be_of_two_calls() {
    let line = |at: u64, dir: &str, peer: &str, msg: serde_json::Value| {
        serde_json::json!({ "ts": 1_795_000_000_000 + at, "dir": dir, "peer": peer, "msg": msg }).to_string()
    };
    let log = |at: u64, session: Option<&str>| {
        let sdp =
            session.map(|id| format!("v=0\r\no=- {id} 2 IN IP4 0.0.0.0\r\na=ice-ufrag:{}\r\n", &id[..4]));
        let offer =
            serde_json::json!({ "type": "offer", "callId": "call-1", "from": "a", "to": "b", "sdp": sdp });
        [line(at, "in", "a", offer.clone()), line(at + 1, "out", "b", offer)].join("\n")
    };
    let calls = |one: &str, other: &str| read_all(&[one, other]).calls.len();
    let (first, second) = ("1234567890", "9876543210");
    const DAY: u64 = 86_400_000;
    assert_eq!(calls(&log(0, Some(first)), &log(5, Some(second))), 2, "their descriptions differ");
    assert_eq!(calls(&log(0, Some(first)), &log(DAY, Some(first))), 1, "one description: one clock is wrong");
    assert_eq!(calls(&log(0, None), &log(DAY, None)), 2, "a day apart, and nothing else to go by");
    assert_eq!(calls(&log(0, None), &log(5, Some(first))), 1, "one of them holds no bodies");
}

#[test]
fn one_side_alone_has_a_counterpart_without_a_connection() {
    let capture = capture_of(&[root().join("two-browsers-happy-av/callee.rtcstats.txt")]);
    let peers: Vec<(&str, usize)> =
        capture.calls[0].peers.iter().map(|peer| (peer.id.as_str(), peer.connections.len())).collect();
    assert_eq!(peers, [("caller", 0), ("callee", 1)]);
    let offer = &capture.calls[0].messages[0];
    assert!(offer.inferred && offer.sent.is_none() && offer.applied.is_some());
}

#[test]
fn a_dropped_message_and_its_repetition_are_two() {
    let (_, relay) = files(
        "0 in a offer A1
        1 drop a offer A1
        500 in a offer A1
        505 out b offer A1",
    );
    let capture = read_all(&[&relay]);
    let messages = &capture.calls[0].messages;
    let shape: Vec<(bool, Option<u64>)> =
        messages.iter().map(|m| (m.dropped.is_some(), m.relay_out.map(|at| at.as_millis()))).collect();
    assert_eq!(shape, [(true, None), (false, Some(505))]);
}

#[test]
fn a_server_that_echoes_makes_nobody_two_or_one() {
    let line = |at: u32, dir: &str, peer: &str, kind: &str, session: &str| {
        let sdp = format!("v=0\r\no=- {session} 2 IN IP4 0.0.0.0\r\na=ice-ufrag:{}\r\n", &session[..4]);
        serde_json::json!({ "ts": 1_795_000_000_000_u64 + u64::from(at), "dir": dir, "peer": peer,
            "msg": { "type": kind, "callId": "room", "sdp": sdp } })
        .to_string()
    };
    let (offer, answer) = ("1234567890", "9876543210");
    let relay = [
        line(0, "in", "a", "offer", offer),
        line(1, "out", "a", "offer", offer),
        line(2, "out", "b", "offer", offer),
        line(9, "in", "b", "answer", answer),
        line(10, "out", "a", "answer", answer),
        line(11, "out", "b", "answer", answer),
    ];
    let capture = read_all(&[&relay.join("\n")]);
    let trace = &capture.calls[0];
    let peers: Vec<&str> = trace.peers.iter().map(|peer| peer.id.as_str()).collect();
    assert_eq!(peers, ["a", "b"]);
    let lines: Vec<String> = trace.messages.iter().map(|m| format!("{} {}", m.signal.kind, m.from)).collect();
    assert_eq!(lines, ["offer a", "answer b"]);
}

#[test]
fn plain_messages_without_names_or_ids_find_together() {
    let frame = |kind: &str, at: u32, data: &str| serde_json::json!({ "type": kind, "time": 1_795_000_000.0 + f64::from(at) / 1e3, "opcode": 1, "data": data });
    let har = serde_json::json!({ "log": { "entries": [{ "_resourceType": "websocket", "_webSocketMessages": [
        frame("send", 0, r#"{"type":"offer","sdp":"v=0\r\no=- 1234567890 2 IN IP4 0.0.0.0\r\na=ice-ufrag:aaaa\r\n"}"#),
        frame("send", 5, r#"{"candidate":{"candidate":"candidate:1 1 udp 2 10.0.0.1 5 typ host","sdpMid":"0"}}"#),
        frame("receive", 50, r#"{"type":"answer","sdp":"v=0\r\no=- 9876543210 2 IN IP4 0.0.0.0\r\na=ice-ufrag:bbbb\r\n"}"#),
        frame("receive", 900, r#"{"type":"bye"}"#),
    ] }] } });
    let capture = read_all(&[&har.to_string()]);
    let lines: Vec<String> = capture.calls[0]
        .messages
        .iter()
        .map(|m| format!("{} {}→{}", m.signal.kind, m.from, m.to.as_ref().map_or("?", |to| to.as_str())))
        .collect();
    assert_eq!(
        lines,
        ["offer caller→callee", "candidate caller→callee", "answer callee→caller", "bye callee→caller"]
    );
}

#[test]
fn a_file_that_adds_nothing_says_why() {
    let capture = capture_of(&[root().join("plain-page-dumps/after-close.webrtc-internals.json")]);
    assert!(capture.calls.is_empty());
    assert!(capture.files[0].adds_nothing.as_deref().unwrap().contains("rtcstats dump"));
}
