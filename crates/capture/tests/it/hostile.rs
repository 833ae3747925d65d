//! Files of nothing but one thing: their cost grows with their length, not with its square.

use capture::{
    Limits, Mappings,
    audit::{audit, verdict},
    diagram::{Sequence, terminal},
    merge, read,
};
use serde_json::{Value, json};

/// Everything that is done with a file, and how much of it is done.
fn through(lines: impl Iterator<Item = Value>) -> (usize, usize) {
    let text: Vec<String> = lines.map(|line| line.to_string()).collect();
    let recording =
        read("file", text.join("\n").as_bytes(), &Mappings::default(), &Limits::default()).unwrap();
    let mut done = (0, 0);
    for trace in merge(vec![recording]).calls {
        let findings = audit(&trace);
        let _ = (verdict(&trace, &findings), terminal(&Sequence::new(&trace, &findings), 100));
        done = (done.0 + trace.peers.len(), done.1 + trace.messages.len());
    }
    done
}

fn line(at: usize, peer: &str, message: Value) -> Value {
    json!({ "ts": 1_795_000_000_000_u64 + at as u64, "dir": "in", "peer": peer, "msg": message })
}

fn sdp(number: usize) -> String {
    format!("v=0\r\no=- {} 2 IN IP4 1.1.1.1\r\na=ice-ufrag:u{number:06}\r\n", 1_000_000_000_000 + number)
}

#[test]
fn nothing_but_names() {
    let offers = (0..4000).map(|number| {
        let message =
            json!({ "type": "offer", "callId": "c", "to": format!("q{number}"), "sdp": sdp(number) });
        line(number, &format!("p{number}"), message)
    });
    assert_eq!(through(offers), (64, 4000));
}

#[test]
fn nothing_but_offers_and_answers() {
    let messages = (0..4000).map(|number| {
        let kind = if number % 3 == 0 { "answer" } else { "offer" };
        line(number, ["a", "b"][number % 2], json!({ "type": kind, "callId": "c", "sdp": sdp(number) }))
    });
    assert_eq!(through(messages), (2, 4000));
}

#[test]
fn nothing_but_connections() {
    let entries = (0..1500).flat_map(|number| {
        let key = format!("{number}-1");
        let offer = json!({ "type": "offer", "sdp": sdp(1) });
        let answer = json!({ "type": "answer", "sdp": sdp(number) });
        [
            json!(["setLocalDescription", key, offer, 1_795_000_000_000_u64 * u64::from(number == 0)]),
            json!(["setRemoteDescription", key, answer, 1]),
        ]
    });
    assert!(through(entries).0 > 0);
}
