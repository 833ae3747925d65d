//! Whatever stands in a text of a capture, it steers no terminal, turns no writing around, and begins no line of its own: in
//! any output.

use std::fs;

use clap::Parser as _;
use scenario::plan::Plan;
use serde_json::{Value, json};
use timeline::escaped_lines;

use super::{Arguments, Input, Report, human};

/// A title, a clipboard, colours; C1 alone; a line of its own; writing from right to left.
const HOSTILE: &str = "\u{1b}]0;T\u{7}\u{1b}]52;c;eA==\u{7}\u{1b}[31m\u{9b}2J\u{85}\u{7f}\u{202e}\u{2066}\u{200f}\u{2028}\r\nFORGED\nFORGED";

const SDP: &str = "v=0\r\no=- 1463935321065312985 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
    a=ice-ufrag:Cvzh\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\na=mid:0\r\na=sendrecv\r\n";

/// Each format, as documents of which a file has one on each line.
fn formats() -> Vec<(&'static str, Vec<Value>)> {
    let line = |ts: u64, dir: &str, peer: &str, msg: Value| json!({ "ts": ts, "dir": dir, "peer": peer, "msg": msg });
    let message = |kind: &str, more: Value| {
        let mut message = json!({ "type": kind, "from": "a", "to": "b", "callId": "c1" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let offer = message("offer", json!({ "sdp": SDP }));
    let relay = vec![
        line(1, "in", "a", offer.clone()),
        line(2, "out", "b", offer.clone()),
        line(3, "in", "b", message("reject", json!({ "reason": "busy" }))),
        line(4, "in", "b", message("bye", json!({ "reason": "done" }))),
        line(5, "in", "a", json!({ "what": "else", "sdp2": SDP })),
        json!({ "ts": 6, "dir": "close", "peer": "a", "code": 1001 }),
    ];
    let page = vec![
        json!({ "ts": 1_795_000_000_000.0, "peer": "a", "ev": "pc.new" }),
        json!({ "ts": 1_795_000_000_001.0, "peer": "a", "ev": "setLocalDescription(offer).start" }),
        json!({ "ts": 1_795_000_000_002.0, "peer": "a", "ev": "setLocalDescription(offer).failed", "error": "InvalidStateError: x" }),
        json!({ "ts": 1_795_000_000_003.0, "peer": "a", "ev": "icecandidateerror", "url": "turn:x", "errorCode": 401, "errorText": "x" }),
        json!({ "ts": 1_795_000_000_004.0, "peer": "a", "ev": "gum.failed", "error": "NotAllowedError" }),
        json!({ "ts": 1_795_000_000_005.0, "peer": "a", "ev": "connectionstatechange", "state": "failed" }),
        json!({ "ts": 1_795_000_000_006.0, "peer": "a", "ev": "sig.send", "type": "offer" }),
    ];
    let timeline = json!({ "entries": [
        { "at": 0, "actor": "a", "event": "message-sent", "kind": "offer", "to": "b", "detail": "x" },
        { "at": 1_000_000, "actor": "a", "event": "candidate-error", "detail": "turn:x: 401 x" },
        { "at": 2_000_000, "actor": "a", "event": "transition", "machine": "connection", "from": "connecting", "to": "failed", "cause": "" },
        { "at": 3_000_000, "actor": "b", "event": "message-received", "kind": "offer", "from": "a", "detail": "x" },
        { "at": 4_000_000, "actor": "b", "event": "candidate", "fate": "rejected", "candidate": "host udp 10.0.0.1:5: x" },
    ] });
    let internals = json!({ "UserAgent": "Chrome/156", "getUserMedia": [
            { "rid": 1, "request_id": 3, "request_type": "getUserMedia", "origin": "x", "timestamp": 1_795_000_000_000.0, "audio": "x", "video": "x" },
            { "rid": 1, "request_id": 3, "timestamp": 1_795_000_000_001.0, "error": "x", "error_message": "x" },
        ], "PeerConnections": { "1-1": { "url": "http://127.0.0.1/", "rtcConfiguration": "{ iceServers: [turn:x] }", "stats": {}, "updateLog": [
            { "type": "createDataChannel", "timestamp": 1_795_000_000_000.0, "value": "label: x, id: 1" },
            { "type": "setLocalDescription", "timestamp": 1_795_000_000_000.0, "value": json!({ "type": "offer", "sdp": SDP }).to_string() },
            { "type": "setLocalDescriptionOnFailure", "timestamp": 1_795_000_000_001.0, "value": "OperationError: failed" },
            { "type": "icecandidateerror", "timestamp": 1_795_000_000_002.0, "value": "url: turn:x, error_code: 401, error_text: x" },
            { "type": "signalingstatechange", "timestamp": 1_795_000_000_003.0, "value": "\"have-local-offer\"" },
        ] } } });
    let har = json!({ "log": { "entries": [
        { "pageref": "p", "startedDateTime": "2026-11-18T11:06:41Z", "request": { "url": "ws://127.0.0.1/" }, "_webSocketMessages": [
            { "type": "send", "time": 1_795_000_000.5, "opcode": 1, "data": offer.to_string() },
            { "type": "receive", "time": 1_795_000_000.7, "opcode": 1, "data": message("reject", json!({ "reason": "busy" })).to_string() },
        ] },
    ] } });
    let rtcstats = vec![
        json!(["create", "1-1", { "iceServers": [{ "urls": "turn:x" }] }, "http://127.0.0.1/", 1_795_000_000_000_u64]),
        json!(["setLocalDescription", "1-1", { "type": "offer", "sdp": SDP }, 1]),
        json!(["setLocalDescriptionOnFailure", "1-1", "OperationError: failed", 1]),
        json!(["icecandidateerror", "1-1", { "url": "turn:x", "errorCode": 401, "errorText": "x" }, 1]),
        json!(["connectionstatechange", "1-1", "failed", 1]),
    ];
    vec![
        ("relay.jsonl", relay),
        ("events.jsonl", page),
        ("timeline.json", vec![timeline]),
        ("internals.json", vec![internals]),
        ("frames.har", vec![har]),
        ("rtcstats.txt", rtcstats),
    ]
}

/// Every document that comes of `document` by putting [`HOSTILE`] into one text or key.
fn injected(document: &Value) -> Vec<Value> {
    match document {
        Value::String(text) => {
            let inner = serde_json::from_str::<Value>(text)
                .ok()
                .filter(|inner| inner.is_object() || inner.is_string());
            let mut all: Vec<Value> =
                inner.iter().flat_map(injected).map(|inner| Value::String(inner.to_string())).collect();
            all.push(json!(format!("{text}{HOSTILE}")));
            all.push(json!(format!("{HOSTILE}{text}")));
            all
        }
        Value::Array(items) => (0..items.len())
            .flat_map(|index| {
                let with = move |item| {
                    let mut items = items.clone();
                    items[index] = item;
                    Value::Array(items)
                };
                injected(&items[index]).into_iter().map(with)
            })
            .collect(),
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| {
                let with = |key: &str, value: Value| {
                    let mut object = object.clone();
                    object.insert(key.to_owned(), value);
                    Value::Object(object)
                };
                let values: Vec<Value> = injected(value).into_iter().map(|value| with(key, value)).collect();
                values
                    .into_iter()
                    .chain([with(&format!("{key}{HOSTILE}"), value.clone())])
                    .collect::<Vec<_>>()
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a letter steers a terminal, or turns the direction of writing.
fn steers(letter: char) -> bool {
    letter != '\n' && letter != '\t' && letter.is_control()
        || "\u{202e}\u{2066}\u{200f}\u{2028}".contains(letter)
}

#[track_caller]
fn check(what: &str, text: &str) {
    let shown = escaped_lines(text);
    assert!(!shown.contains(steers), "{what}: {shown}");
    assert!(!shown.lines().any(|line| line.trim_start().starts_with("FORGED")), "{what}: {shown}");
}

#[test]
fn no_text_of_a_capture_steers_what_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut tried = 0;
    for (name, documents) in formats() {
        for index in 0..documents.len() {
            for document in injected(&documents[index]) {
                let mut documents = documents.clone();
                documents[index] = document;
                let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
                let heading = if name == "rtcstats.txt" { "RTCStatsDump\n" } else { "" };
                let path = folder.path().join(name);
                fs::write(&path, format!("{heading}{}\n", lines.join("\n"))).unwrap();
                outputs(name, &path);
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

fn outputs(name: &str, path: &std::path::Path) {
    let input = Input::read(&[path.to_owned()], &[], 1 << 20).unwrap();
    for file in &input.unreadable {
        check(name, &file.error);
        assert_eq!(file.error.lines().count(), 1, "{}", file.error);
    }
    let report = Report::new(&input);
    check(name, &human::report(&report, 100));
    check(name, &human::details(&report, 100));
    let json = report.to_json().unwrap();
    check(name, &json);
    let same: [Value; 2] =
        [json.as_str(), &*escaped_lines(&json)].map(|json| serde_json::from_str(json).unwrap());
    assert_eq!(same[0], same[1], "escaped, JSON says the same");
    for call in &report.calls {
        let picture = capture::diagram::svg(&capture::diagram::Sequence::new(&call.trace, &call.findings));
        check(name, &picture);
        let page = super::pages::of_call(call).unwrap().render();
        assert!(!page.contains(steers), "{name}: {page}");
        if let Some(played) = call.played() {
            check(name, &played.scenario);
            Plan::from_toml("saved", &escaped_lines(&played.scenario)).unwrap();
        }
    }
}

#[test]
fn nor_does_the_name_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(HOSTILE.replace('/', ""));
    let lines: Vec<String> = formats()[0].1.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    outputs("a file's name", &path);
    fs::write(&path, "nothing that is known").unwrap();
    outputs("a file's name", &path);
}

/// What is written must not take the place of what is read.
#[test]
fn no_output_replaces_an_input() {
    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: Arguments,
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.jsonl");
    let lines: Vec<String> = formats()[0].1.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let [link, hard_link, folder_link] = ["link", "hard-link", "folder"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    fs::hard_link(&path, &hard_link).unwrap();
    std::os::unix::fs::symlink(folder.path(), &folder_link).unwrap();
    for option in ["--out", "--svg", "--save-scenario", "--write-mapping", "--redact"] {
        for target in [&path, &link, &hard_link, &folder_link.join("relay.jsonl")] {
            let arguments = ["replay", path.to_str().unwrap(), option, target.to_str().unwrap()];
            let cli = Cli::try_parse_from(arguments).unwrap();
            match super::run(&cli.arguments) {
                Ok(code) => assert_eq!(code, crate::exit::Code::BadInput, "{option}"),
                Err(error) => assert!(error.is::<crate::output::BadInput>(), "{option}: {error}"),
            }
        }
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), lines.join("\n"));
    assert_eq!(fs::read_to_string(&hard_link).unwrap(), lines.join("\n"));
}
