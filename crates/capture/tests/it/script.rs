//! Calls in a few lines: a script of what two peers did becomes an rtcstats dump and a relay's log.
//!
//! ```text
//! 10 a offers A1        set the offer with ufrag A1 as local description
//! 20 b gets offer A1    set it as remote description
//! 20 b gets! answer B1 Called in wrong state: stable      … which fails
//! 12 a found A1 host    icecandidate
//! 30 b adds A1 host     addIceCandidate
//! 30 b adds! A1 host The remote description was null      … which fails
//! 40 a ice checking     a transition; also gathering, connection, signaling
//! 11 in a offer A1      the relay got it from a
//! 12 out b offer A1     … passed it on to b
//! 12 drop a bye         … dropped it
//! 50 closed a           … lost a's connection
//! ```

use std::fmt::Write as _;

use capture::{Limits, Mappings, Trace, merge, read};
use serde_json::{Value, json};

const EPOCH_MS: f64 = 1_795_000_000_000.0;

/// The trace of a script.
pub(crate) fn trace(script: &str) -> Trace {
    let (dump, relay) = files(script);
    let read_one =
        |name: &str, text: String| read(name, text.as_bytes(), &Mappings::default(), &Limits::default());
    let mut recordings = Vec::new();
    if !dump.is_empty() {
        recordings.push(read_one("dump", dump).unwrap());
    }
    if !relay.is_empty() {
        recordings.push(read_one("relay", relay).unwrap());
    }
    let mut capture = merge(recordings);
    assert_eq!(capture.calls.len(), 1, "a script is one call");
    capture.calls.remove(0)
}

/// The dump and the relay's log; empty where the script does not mention them.
pub(crate) fn files(script: &str) -> (String, String) {
    let mut files = Files { dump: String::new(), relay: String::new(), last_ms: 0.0 };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (at, rest) = line.split_once(' ').unwrap();
        let words: Vec<&str> = rest.split_whitespace().collect();
        files.line(at.parse().unwrap(), &words);
    }
    (files.dump, files.relay)
}

struct Files {
    dump: String,
    relay: String,
    last_ms: f64,
}

impl Files {
    fn line(&mut self, at: f64, words: &[&str]) {
        match words {
            ["in" | "out" | "drop", ..] => self.relay(at, words),
            ["closed", peer] => {
                let line = json!({ "ts": EPOCH_MS + at, "dir": "close", "peer": peer, "code": 1006 });
                writeln!(self.relay, "{line}").unwrap();
            }
            [peer, rest @ ..] => self.peer(at, peer, rest),
            [] => {}
        }
    }

    fn peer(&mut self, at: f64, peer: &str, words: &[&str]) {
        let key = if peer == "a" { "1-1" } else { "2-1" };
        let mut add = |name: &str, value: Value| {
            if self.dump.is_empty() {
                self.dump.push_str("RTCStatsDump\n{\"fileFormat\":3}\n");
            }
            let now = EPOCH_MS + at;
            writeln!(self.dump, "{}", json!([name, key, value, now - self.last_ms])).unwrap();
            self.last_ms = now;
        };
        let state = |state: &str| json!(format!("\"{state}\""));
        match words {
            ["offers", ufrag @ ..] => {
                add("setLocalDescription", description("offer", peer, ufrag));
                add("onsignalingstatechange", state("have-local-offer"));
                add("setLocalDescriptionOnSuccess", Value::Null);
            }
            ["answers", ufrag @ ..] => {
                add("setLocalDescription", description("answer", peer, ufrag));
                add("onsignalingstatechange", state("stable"));
                add("setLocalDescriptionOnSuccess", Value::Null);
            }
            ["gets", kind, ufrag] => {
                let other = if peer == "a" { "b" } else { "a" };
                add("setRemoteDescription", description(kind, other, &[ufrag]));
                let to = if *kind == "offer" { "have-remote-offer" } else { "stable" };
                add("onsignalingstatechange", state(to));
                add("setRemoteDescriptionOnSuccess", Value::Null);
            }
            ["gets!", kind, ufrag, why @ ..] => {
                let other = if peer == "a" { "b" } else { "a" };
                add("setRemoteDescription", description(kind, other, &[ufrag]));
                add("setRemoteDescriptionOnFailure", json!(why.join(" ")));
            }
            ["found", ufrag, kind] => add("onicecandidate", candidate(ufrag, kind)),
            ["adds", ufrag, kind] => add("addIceCandidate", candidate(ufrag, kind)),
            ["adds!", ufrag, kind, why @ ..] => {
                add("addIceCandidate", candidate(ufrag, kind));
                add("addIceCandidateFailed", json!(why.join(" ")));
            }
            ["ice", to] => add("oniceconnectionstatechange", state(to)),
            ["connection", to] => add("onconnectionstatechange", state(to)),
            ["gathering", to] => add("onicegatheringstatechange", state(to)),
            ["signaling", to] => add("onsignalingstatechange", state(to)),
            ["error", code, text @ ..] => add(
                "onicecandidateerror",
                json!({ "url": "turn:10.0.0.9:3478", "error_code": code.parse::<u16>().unwrap(), "error_text": text.join(" ") }),
            ),
            ["closes"] => add("close", Value::Null),
            ["denied"] => {
                let id = format!("request-{peer}");
                let page = format!("{}-0", &key[..1]);
                let now = EPOCH_MS + at;
                for (name, value) in [
                    ("navigator.mediaDevices.getUserMedia", json!({ "audio": true })),
                    (
                        "navigator.mediaDevices.getUserMediaOnFailure",
                        json!("NotAllowedError: Permission denied"),
                    ),
                ] {
                    let line = json!([name, page, value, id, now - self.last_ms]);
                    writeln!(self.dump, "{line}").unwrap();
                    self.last_ms = now;
                }
            }
            other => panic!("what is {other:?}?"),
        }
    }

    fn relay(&mut self, at: f64, words: &[&str]) {
        let [dir, peer, kind, rest @ ..] = words else { panic!("{words:?}") };
        let author = if (*dir == "out") == (*peer == "a") { "b" } else { "a" };
        let other = if author == "a" { "b" } else { "a" };
        let mut message = match *kind {
            "offer" | "answer" => description(kind, author, rest),
            "candidate" => json!({ "type": "candidate", "candidate": candidate(rest[0], rest[1]) }),
            _ => {
                json!({ "type": kind, "reason": rest.first(), "video": rest.first().map(|word| *word == "on") })
            }
        };
        message["from"] = json!(author);
        message["to"] = json!(other);
        message["callId"] = json!("c1");
        let line = json!({ "ts": EPOCH_MS + at, "dir": dir, "peer": peer, "msg": message });
        writeln!(self.relay, "{line}").unwrap();
    }
}

/// A description of one audio section; more words are more sections: `A1 video`.
fn description(kind: &str, author: &str, words: &[&str]) -> Value {
    let (ufrag, more) = words.split_first().unwrap();
    let session = if author == "a" { "1111111111111" } else { "2222222222222" };
    let version: u32 = ufrag.bytes().map(u32::from).sum();
    let mut sdp = format!("v=0\r\no=- {session} {version} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    for (mid, media) in ["audio"].iter().chain(more).enumerate() {
        let _ = write!(
            sdp,
            "m={media} 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:{ufrag}..\r\na=ice-pwd:{ufrag}\r\na=mid:{mid}\r\na=sendrecv\r\na=rtcp-mux\r\n"
        );
    }
    json!({ "type": kind, "sdp": sdp })
}

fn candidate(ufrag: &str, kind: &str) -> Value {
    let (address, kind) = match kind {
        "mdns" => ("0f1e2d3c.local", "host"),
        kind => ("10.0.0.1", kind),
    };
    let port: u32 =
        50_000 + ufrag.bytes().map(u32::from).sum::<u32>() + kind.bytes().map(u32::from).sum::<u32>();
    let line =
        format!("candidate:1 1 udp 2122260223 {address} {port} typ {kind} generation 0 ufrag {ufrag}..");
    json!({ "candidate": line, "sdpMid": "0", "sdpMLineIndex": 0 })
}
