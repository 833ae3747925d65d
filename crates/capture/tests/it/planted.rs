//! Sixty secrets, planted in every place of every format: none is found in the copy, and the copy reads as the original does.

use std::io::Cursor;

use capture::{Limits, Mappings, merge, read, redact::Redactor};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::redact::{read_bytes, shape};

/// A secret, and what of it must not be found in any spelling of capitals.
const SECRETS: [(&str, &str); 60] = [
    ("192.168.77.5", "192.168.77"),
    ("93.184.216.34", "93.184"),
    ("100.64.17.99:51820", "100.64.17"),
    ("ip-172-31-44-17", "172-31-44"),
    ("169.254.77.13", "254.77.13"),
    ("2a00:1450:4001:81b::200e", "1450:4001"),
    ("fe80::abcd:1234%eth7", "abcd:1234"),
    ("fd12:3456:789a:1::1", "3456:789a"),
    ("[2001:470:1f0b::77]:3478", "470:1f0b"),
    ("8d3f0b52-1111-4e4f-9a3c-7c2e5f6a7b8d.local", "8d3f0b52-1111"),
    ("00:1a:2b:3c:4d:5e", "1a:2b:3c"),
    ("B8-27-EB-4F-A0-1C", "27-EB-4F"),
    ("carol@corp.example", "carol@"),
    ("mailto:dora.quist@mail.corp.example", "quist@"),
    ("\"Egon K.\" <egon+webrtc@posteo.example>", "egon+webrtc"),
    ("laptop.corp.example", "laptop.corp"),
    ("host-17.corp.example", "17.corp.example"),
    ("build01.fra3.corp-net.example:8443", "build01.fra3"),
    ("turn:relay7.corp.example:3478?transport=udp", "relay7.corp"),
    ("https://meet.corp.example/kiwi-room?pw=hunter2", "hunter2"),
    ("wss://frieda:geheim77@ws.corp.example/s?jwt=abc.def", "geheim77"),
    ("at https://meet.corp.example/app.js?token=zebra99:1:2", "zebra99"),
    ("blob:https://meet.corp.example/7f3a9c1e-22d4", "7f3a9c1e"),
    ("file:///home/gustav/calls/lisbon.har", "gustav"),
    ("C:\\Users\\Hedwig\\Desktop", "hedwig"),
    ("/Users/ignaz/Library/Recordings", "ignaz"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYXJvbCJ9.c2lnbmF0dXJl", "eyjzdwiioijjyxjvbcj9"),
    ("Bearer dGhpcy1pcy1hLXNlY3JldA", "dghpcy1pcy1hlxnly3jlda"),
    ("Basic Y2Fyb2w6aHVudGVyMg==", "y2fyb2w6ahvudgvymg"),
    ("AKIAIOSFODNN7EXAMPLE", "akiaiosfodnn7"),
    ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4ec39hqlyjwdarjtt1zdp7dc"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16c7e42f292c6912"),
    ("xoxb-5814-2231-kQzR", "5814-2231"),
    ("hunter2", "hunter2"),
    ("correct-horse-battery", "horse-battery"),
    ("P@ssw0rd!2026", "ssw0rd"),
    ("pwd=tiger42&x=1", "tiger42"),
    ("password: lion-forty", "lion-forty"),
    ("k=clear:walnut55", "walnut55"),
    ("a=ice-pwd:mandarin7mandarin7mandar", "mandarin7"),
    ("a=key-mgmt:mikey AQAFgM0XflABAAAA", "aqafgm0xflab"),
    ("+49 170 1234567", "1234567"),
    ("2025550143", "2025550143"),
    ("(030) 901820-44", "901820"),
    ("4111 1111 1111 1111", "1111 1111"),
    ("DE89370400440532013000", "89370400440532013000"),
    ("Carol Canary", "canary"),
    ("Müller-Lüdenscheidt", "ludenscheidt"),
    ("Zoë Ångström", "ångström"),
    ("山田太郎", "山田太郎"),
    ("Наталья", "наталья"),
    ("Board meeting of Ludmilla", "ludmilla"),
    ("Carol's AirPods (Bluetooth)", "airpods"),
    ("FaceTime HD Camera (Built-in, 05ac:8514)", "05ac:8514"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Nightjar/9", "10_15_7"),
    (
        "F7:3C:9A:11:5E:D0:42:B8:6F:07:C1:2D:88:E4:5B:90:1A:7E:33:F2:64:AC:D9:08:B1:57:E6:2F:9C:40:8D:13",
        "9a:11:5e",
    ),
    ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "7dec-11d0"),
    ("9My+hX7yRZJNUmKS", "hx7yrzjnumks"),
    ("lat=52.516275 lon=13.377704", "516275"),
    ("{\"ssn\":\"078-05-1120\",\"who\":[\"Otto\"]}", "05-1120"),
];

fn sdp() -> String {
    let fingerprint = ["AB:CD:EF:01"; 8].join(":");
    [
        "v=0",
        "o=- 1463935321065312985 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=msid-semantic: WMS *",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:Cvzh",
        "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa",
        &format!("a=fingerprint:sha-256 {fingerprint}"),
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=sendrecv",
        "a=msid:- track",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=ssrc:1001 cname:x",
        "a=candidate:1 1 udp 2 10.0.0.1 5 typ host",
    ]
    .map(|line| format!("{line}\r\n"))
    .concat()
}

const CANDIDATE: &str =
    "candidate:1 1 udp 2 10.0.0.1 5 typ srflx raddr 10.0.0.2 rport 9 generation 0 ufrag Cvzh";

/// The formats, each as documents of which a file has one on each line.
fn formats() -> Vec<(&'static str, Vec<Value>)> {
    let offer = json!({ "type": "offer", "sdp": sdp(), "from": "anna", "to": "bert", "callId": "c1", "text": "x", "extra": { "deep": ["x", 1] } });
    let candidate = json!({ "type": "candidate", "candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0, "from": "anna", "to": "bert", "callId": "c1" });
    let bye = json!({ "type": "bye", "reason": "done", "from": "anna", "to": "bert", "callId": "c1" });
    let internals = json!({
        "UserAgent": "Chrome/156.0.0.0",
        "getUserMedia": [
            { "origin": "http://127.0.0.1", "pid": 1, "rid": 1, "request_id": 3, "request_type": "getUserMedia", "timestamp": 1_795_000_000_000.0, "audio": "{}", "video": "" },
            { "pid": 1, "rid": 1, "request_id": 3, "timestamp": 1_795_000_000_001.0, "stream_id": "s", "audio_track_info": "id:t1 label:x", "error_message": "denied" },
        ],
        "PeerConnections": { "1-1": {
            "url": "http://127.0.0.1/",
            "rtcConfiguration": "{ iceServers: [], iceTransportPolicy: all }",
            "constraints": "",
            "stats": { "T01-selectedCandidatePairId": { "statsType": "transport", "startTime": "2026-11-18T11:06:41Z", "endTime": "2026-11-18T11:06:42Z", "values": "[\"CP1\"]" } },
            "updateLog": [
                { "type": "createDataChannel", "timestamp": 1_795_000_000_000.0, "value": "label: x, id: 1" },
                { "type": "setLocalDescription", "timestamp": 1_795_000_000_000.0, "value": json!({ "type": "offer", "sdp": sdp() }).to_string() },
                { "type": "onicecandidate", "timestamp": 1_795_000_000_001.0, "value": json!({ "candidate": CANDIDATE, "sdpMid": "0" }).to_string() },
                { "type": "setLocalDescriptionOnFailure", "time": "11/23/2026, 6:38:39 AM", "value": "OperationError: failed" },
                { "type": "connectionstatechange", "timestamp": 1_795_000_000_009.0, "value": "\"connecting\"" },
            ],
        } },
    });
    let rtcstats = vec![
        json!([
            "navigator.mediaDevices.getUserMediaOnSuccess",
            "1-0",
            [["audio", "id", "device", "s"]],
            "r",
            1_795_000_000_000_u64
        ]),
        json!(["create", "1-1", { "iceServers": [{ "urls": "stun:127.0.0.1", "username": "x", "credential": "x" }] }, "http://127.0.0.1/", 1]),
        json!(["setLocalDescription", "1-1", { "type": "offer", "sdp": sdp() }, 1]),
        json!(["onicecandidate", "1-1", { "candidate": CANDIDATE, "sdpMid": "0" }, 1]),
        json!(["onicecandidateerror", "1-1", { "url": "stun:127.0.0.1", "errorCode": 701, "errorText": "timed out", "address": "10.0.0.x" }, 1]),
        json!(["getStats", "1-1", { "CP1": { "type": "candidate-pair", "state": "succeeded", "localCandidateId": "L1" } }, 1]),
    ];
    let har = json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "537.36" }, "entries": [
        { "_resourceType": "websocket", "pageref": "page_1", "startedDateTime": "2026-11-18T11:06:41Z", "request": { "url": "ws://127.0.0.1/", "method": "GET" }, "response": { "status": 101 },
            "_webSocketMessages": [
                { "type": "send", "time": 1_795_000_000.5, "opcode": 1, "data": offer.to_string() },
                { "type": "send", "time": 1_795_000_000.6, "opcode": 1, "data": format!("42/x,[\"candidate\",{candidate}]") },
                { "type": "receive", "time": 1_795_000_000.7, "opcode": 1, "data": "x" },
            ] },
        { "startedDateTime": "2026-11-18T11:06:41Z", "time": 5.0, "pageref": "page_1",
            "request": { "method": "POST", "url": "http://127.0.0.2/", "headers": [{ "name": "Cookie", "value": "x" }], "postData": { "text": offer.to_string(), "mimeType": "application/json" } },
            "response": { "status": 200, "content": { "text": bye.to_string() } } },
    ] } });
    let relay = [&offer, &candidate, &bye].map(
        |message| json!({ "ts": 1_795_000_000_000_u64, "dir": "in", "peer": "anna", "msg": message, "note": "x" }),
    );
    let page = vec![
        json!({ "ts": 1_795_000_000_000.0, "peer": "anna", "ev": "pc.new" }),
        json!({ "ts": 1_795_000_000_001.0, "peer": "anna", "ev": "setLocalDescription(offer).failed", "error": "InvalidStateError: wrong state" }),
        json!({ "ts": 1_795_000_000_002.0, "peer": "anna", "ev": "icecandidate", "candidate": CANDIDATE, "sdpMid": "0" }),
        json!({ "ts": 1_795_000_000_003.0, "peer": "anna", "ev": "connectionstatechange", "state": "failed" }),
        json!({ "ts": 1_795_000_000_004.0, "peer": "anna", "ev": "sig.send", "type": "offer" }),
    ];
    let timeline = json!({ "version": 2, "entries": [
        { "at": 0, "actor": "anna", "event": "action", "what": "dials bert" },
        { "at": 1_000_000, "actor": "anna", "event": "message-sent", "id": 1, "kind": "offer", "to": "bert", "detail": "x" },
        { "at": 2_000_000, "actor": "anna", "event": "note", "what": "x" },
        { "at": 3_000_000, "actor": "bert", "event": "candidate-error", "url": "stun:10.0.0.1", "code": 701, "text": "x" },
    ], "packets": [] });
    let sip = |start: &str, more: &str, body: &str| {
        format!(
            "{start}\r\nVia: SIP/2.0/WSS x.invalid;branch=z9\r\nFrom: <sip:anna@x>;tag=1\r\nTo: <sip:bert@x>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n{more}\r\n{body}"
        )
    };
    let protocols = json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "537.36" }, "entries": [
        { "_resourceType": "websocket", "pageref": "page_1", "startedDateTime": "2026-11-18T11:06:41Z", "request": { "url": "ws://127.0.0.1/", "method": "GET" }, "response": { "status": 101 },
            "_webSocketMessages": [
                { "type": "send", "time": 1_795_000_000.5, "opcode": 1, "data": sip("INVITE sip:bert@x SIP/2.0", "Content-Type: application/sdp\r\n", &sdp()) },
                { "type": "receive", "time": 1_795_000_000.6, "opcode": 1, "data": sip("SIP/2.0 486 Busy Here", "Reason: Q.850;cause=17;text=\"busy\"\r\n", "") },
            ] },
        { "startedDateTime": "2026-11-18T11:06:41Z", "time": 5.0, "pageref": "page_1",
            "request": { "method": "POST", "url": "http://127.0.0.2/whip/x", "postData": { "text": sdp(), "mimeType": "application/sdp" } },
            "response": { "status": 403, "content": { "text": "not here" } } },
        { "startedDateTime": "2026-11-18T11:06:42Z", "time": 5.0, "pageref": "page_1",
            "request": { "method": "PUT", "url": "https://127.0.0.3/_matrix/client/v3/rooms/x/send/m.call.invite/m1", "postData": { "text": json!({ "call_id": "c1", "party_id": "A", "offer": { "type": "offer", "sdp": sdp() } }).to_string() } },
            "response": { "status": 200, "content": { "text": r#"{"event_id":"x"}"# } } },
    ] } });
    let stats = json!([
        { "id": "T1", "type": "transport", "timestamp": 1_795_000_000_000.0, "dtlsState": "connected", "selectedCandidatePairId": "CP1" },
        { "id": "CP1", "type": "candidate-pair", "timestamp": 1_795_000_000_000.0, "state": "succeeded", "nominated": true, "localCandidateId": "L1", "remoteCandidateId": "R1" },
        { "id": "L1", "type": "local-candidate", "timestamp": 1_795_000_000_000.0, "candidateType": "host", "address": "10.0.0.1", "protocol": "udp" },
        { "id": "R1", "type": "remote-candidate", "timestamp": 1_795_000_000_000.0, "candidateType": "host", "address": "10.0.0.2", "protocol": "udp" },
        { "id": "IT01A1001", "type": "inbound-rtp", "timestamp": 1_795_000_000_000.0, "kind": "audio", "packetsReceived": 12345, "ssrc": 1001 },
    ]);
    let pair = json!({ "offer": { "type": "offer", "sdp": sdp() }, "answer": { "type": "answer", "sdp": sdp() }, "note": "x" });
    vec![
        ("har of protocols", vec![protocols]),
        ("getStats", vec![stats]),
        ("descriptions", vec![pair]),
        ("webrtc-internals", vec![internals]),
        ("rtcstats", rtcstats),
        ("har", vec![har]),
        ("relay log", relay.to_vec()),
        ("page events", page),
        ("timeline", vec![timeline]),
        (PAGE, vec![page_of_firefox()]),
    ]
}

/// The page of Firefox, whose documents are what stands in it: [`html`] makes the page of them.
const PAGE: &str = "about:webrtc";

fn page_of_firefox() -> Value {
    let set = |at: f64, whose: &str, sdp: String| json!({ "heading": format!("about-webrtc-{whose}-sdp-heading"), "text": "x", "time": { "timestamp": at, "relative-timestamp": 0 }, "sdp": sdp.replace("\r\n", "\n") });
    json!({
        "title": "x",
        "connection": { "id": "1", "browser-id": 2, "url": "http://127.0.0.1/", "now": "2026-11-18T11:06:45Z" },
        "pair": ["succeeded", "true", "true", "10.0.0.1:5/udp(host) [non-proxied]", "10.0.0.2:9/udp(host)", "x"],
        "history": [set(1_795_000_000_000.0, "local", sdp()), set(1_795_000_000_300.0, "remote", sdp())],
        "log": "x",
    })
}

/// The page with what `document` says; what is not expected of it stands in attributes and in texts.
fn html(document: &Value) -> String {
    let encoded = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let text =
        |value: &Value| encoded(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str());
    let arguments = |value: &Value| format!("data-l10n-args=\"{}\"", encoded(&value.to_string()));
    let others = |value: &Value, known: &[&str]| -> String {
        let object =
            value.as_object().into_iter().flatten().filter(|(key, _)| !known.contains(&key.as_str()));
        object.map(|(key, value)| format!("<td title=\"{}\">{}</td>", encoded(key), text(value))).collect()
    };
    let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
    let cells: String = list("pair").iter().map(|cell| format!("<td>{}</td>", text(cell))).collect();
    let history = list("history");
    let history = history.iter().map(|set| {
        format!(
            "<div><h4 data-l10n-id=\"{}\">{}</h4><h5 {}>x</h5><pre>{}</pre>{}</div>",
            text(&set["heading"]),
            text(&set["text"]),
            arguments(&set["time"]),
            text(&set["sdp"]),
            others(set, &["heading", "text", "time", "sdp"])
        )
    });
    format!(
        "<html><head><title>{}</title></head><body><div class=\"peer-connection\"><h3 {} data-l10n-id=\"about-webrtc-connection-open\">{}</h3>\
         <table><tr>{cells}</tr></table><div class=\"sdp-history\">{}</div>{}</div><div class=\"log\"><p>{}</p></div></body></html>",
        text(&document["title"]),
        arguments(&document["connection"]),
        text(&document["connection"]),
        history.collect::<String>(),
        others(document, &["title", "connection", "pair", "history", "log"]),
        text(&document["log"]),
    )
}

/// Every document that comes of `document` by doing `plant` in one place: to a text, or to the lines of a text of several.
fn planted(document: &Value, plant: &mut dyn FnMut(&str) -> Vec<String>) -> Vec<Value> {
    match document {
        Value::String(text)
            if text.starts_with(['{', '[', '"']) && serde_json::from_str::<Value>(text).is_ok() =>
        {
            let inner: Value = serde_json::from_str(text).unwrap();
            let mut all: Vec<Value> =
                planted(&inner, plant).iter().map(|inner| Value::String(inner.to_string())).collect();
            all.extend(plant(text).into_iter().map(Value::String));
            all
        }
        Value::String(text) if text.contains('\n') => {
            let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let lines: Vec<&str> = text.split(end).collect();
            let with = |index: usize, line: &str| {
                let mut lines = lines.clone();
                lines[index] = line;
                Value::String(lines.join(end))
            };
            let mut all = Vec::new();
            for (index, line) in lines.iter().enumerate() {
                let (name, value) = line.split_at(line.find([':', '=']).map_or(line.len(), |at| at + 1));
                all.extend(plant(value).iter().map(|value| with(index, &format!("{name}{value}"))));
                all.extend(plant("").iter().map(|more| with(index, &format!("{line}{end}{more}"))));
            }
            all
        }
        Value::String(text) => plant(text).into_iter().map(Value::String).collect(),
        Value::Array(items) => (0..items.len())
            .flat_map(|index| {
                planted(&items[index], plant)
                    .into_iter()
                    .map(|item| {
                        let mut items = items.clone();
                        items[index] = item;
                        Value::Array(items)
                    })
                    .collect::<Vec<_>>()
            })
            .collect(),
        Value::Object(object) => {
            let mut all = Vec::new();
            for (key, value) in object {
                all.extend(planted(value, plant).into_iter().map(|value| {
                    let mut object = object.clone();
                    object.insert(key.clone(), value);
                    Value::Object(object)
                }));
            }
            for (key, value) in plant("").into_iter().flat_map(|secret| {
                [
                    (secret.clone(), json!(1)),
                    ("whatever".to_owned(), json!(secret)),
                    ("password".to_owned(), json!(secret)),
                ]
            }) {
                let mut object = object.clone();
                object.insert(key, value);
                all.push(Value::Object(object));
            }
            all
        }
        _ => Vec::new(),
    }
}

fn written(format: &str, documents: &[Value]) -> Vec<u8> {
    let line = |document: &Value| if format == PAGE { html(document) } else { document.to_string() };
    let lines: Vec<String> = documents.iter().map(line).collect();
    let heading = if format == "rtcstats" { "RTCStatsDump\n" } else { "" };
    format!("{heading}{}\n", lines.join("\n")).into_bytes()
}

#[test]
fn no_planted_secret_is_found_in_a_copy_and_the_copy_reads_the_same() {
    let mut failures = Vec::new();
    for (format, documents) in formats() {
        assert!(!read_shape(written(format, &documents)).is_empty(), "{format}: there is a call in it");
        let mut next = 0;
        let mut places = 0;
        for index in 0..documents.len() {
            // In each place others, alone, before, after and in the middle of what is there; and all in one text.
            let mut plant = |text: &str| -> Vec<String> {
                next += 7;
                let secret = |step: usize| SECRETS[(next + step * 13) % SECRETS.len()].0;
                let all: Vec<&str> = SECRETS.iter().map(|(secret, _)| *secret).collect();
                let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
                vec![
                    secret(0).to_owned(),
                    format!("{} {text},{}", secret(1), secret(2)),
                    format!("{} {} {}", &text[..middle], secret(3), &text[middle..]),
                    all.join(" | "),
                ]
            };
            for document in planted(&documents[index], &mut plant) {
                let mut documents = documents.clone();
                documents[index] = document;
                places += 1;
                failures.extend(check(format, &written(format, &documents)));
            }
        }
        assert!(places > 100, "{format}: {places}");
    }
    let count = failures.len();
    failures.truncate(12);
    assert!(failures.is_empty(), "{count}\n{}", failures.join("\n"));
}

/// What is wrong with the copy of `original`.
fn check(format: &str, original: &[u8]) -> Option<String> {
    // What is damaged as a whole is refused, which keeps every secret.
    let copy = Redactor::new().redact(format, Cursor::new(original), &Limits::default()).ok()?;
    let (text, before) = (String::from_utf8(copy.clone()).unwrap(), String::from_utf8_lossy(original));
    let (lower, lower_before) = (text.to_lowercase(), before.to_lowercase());
    for (secret, needle) in SECRETS {
        let needle = needle.to_lowercase();
        if lower_before.contains(&needle)
            && let Some(at) = lower.find(&needle)
        {
            let around: String = lower[..at].chars().rev().take(60).collect();
            let around: String = around.chars().rev().collect();
            return Some(format!("{format}: {secret} is still there: {around}«{needle}»"));
        }
    }
    // A word that is none of a format's may make the whole file none of it, before and after.
    let shapes = [original.to_vec(), copy].map(read_shape);
    (shapes[0] != shapes[1])
        .then(|| format!("{format}: {:?}\nbecame {:?}\n{before}\n{text}", shapes[0], shapes[1]))
}

/// What is read of a file; nothing where it cannot be read.
fn read_shape(bytes: Vec<u8>) -> Vec<String> {
    let recording = read("file", Cursor::new(bytes), &Mappings::default(), &Limits::default());
    recording.map_or_else(|_| Vec::new(), |recording| shape(&merge(vec![recording])))
}

/// People and calls are sometimes numbers.
#[test]
fn numbers_that_name_somebody_are_replaced_alike() {
    let line = |message: Value| {
        json!({ "ts": 1_795_000_000_000_u64, "dir": "in", "peer": 4_915_112, "msg": message }).to_string()
    };
    let text = [
        line(json!({ "type": "offer", "sdp": sdp(), "from": 4_915_112, "to": 4_915_113, "roomId": 990_017, "phone": 2_025_550_143_u64, "pin": 4711 })),
        line(json!({ "type": "bye", "from": 4_915_112, "to": 4_915_113, "roomId": 990_017, "members": { "4915113": 1 }, "score": 5_550_143 })),
    ]
    .join("\n");
    let copy = Redactor::new().redact("relay", text.as_bytes(), &Limits::default()).unwrap();
    let copy = String::from_utf8(copy).unwrap();
    for secret in ["4915112", "4915113", "990017", "2025550143", "4711", "5550143"] {
        assert!(!copy.contains(secret), "{secret}: {copy}");
    }
    assert_eq!(shape(&read_bytes(&[text.into_bytes()])), shape(&read_bytes(&[copy.into_bytes()])));
}

#[test]
fn the_words_of_an_own_mapping_stay() {
    let mapping = "version = 1\n[places]\ntype = \"/zweck\"\nsdp = \"/inhalt/beschreibung\"\n[types]\nangebot = \"offer\"\n";
    let mapping = capture::Mapping::from_toml("own.toml", mapping).unwrap();
    let line = json!({ "ts": 1_795_000_000_000_u64, "dir": "in", "peer": "anna", "msg": { "zweck": "angebot", "inhalt": { "beschreibung": "v=0\r\n" }, "sonst": "zebra" } });
    let mut redactor = Redactor::new();
    redactor.keep_words_of(&mapping);
    let copy = redactor.redact("relay", line.to_string().as_bytes(), &Limits::default()).unwrap();
    let copy: Value = serde_json::from_slice(&copy).unwrap();
    assert_eq!(copy["msg"]["zweck"], "angebot");
    assert_eq!(copy["msg"]["inhalt"]["beschreibung"], "v=0\r\n");
    assert!(!copy.to_string().contains("zebra") && !copy.to_string().contains("sonst"));
}

/// Twice the file takes twice the time. Counted is what is kept of names: each is looked up, none is looked for in all texts.
#[test]
fn many_names_take_as_long_as_they_are_many() {
    let line = |name: usize| {
        json!({ "ts": 1_795_000_000_000_u64 + name as u64, "dir": "in", "peer": format!("user{name}x"),
            "msg": { "type": "chat", "from": format!("user{name}x"), "text": "hello user1x and user2x, how are you today?" } })
    };
    let text: String = (0..20_000).map(|name| format!("{}\n", line(name))).collect();
    let copy = Redactor::new().redact("relay", text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(copy.iter().filter(|byte| **byte == b'\n').count(), 20_000);
}

proptest! {
    /// Planted anywhere in the bytes of a file, whatever that breaks.
    #[test]
    fn a_secret_anywhere_is_not_found(format in 0usize..10, secret in 0..SECRETS.len(), at in 0.0..1.0f64) {
        let (name, documents) = formats().swap_remove(format);
        let file = String::from_utf8(written(name, &documents)).unwrap();
        let wanted = (at * file.len() as f64) as usize;
        let at = (0..=wanted).rev().find(|at| file.is_char_boundary(*at)).unwrap_or_default();
        let (secret, needle) = SECRETS[secret];
        // Digits within digits are another time or figure.
        prop_assume!(!secret.bytes().all(|byte| byte.is_ascii_digit()));
        // As it would be written within a text of JSON.
        let written = Value::String(secret.to_owned()).to_string();
        let text = format!("{}{}{}", &file[..at], written.trim_matches('"'), &file[at..]);
        if let Ok(copy) = Redactor::new().redact(name, text.as_bytes(), &Limits::default()) {
            let copy = String::from_utf8(copy).unwrap().to_lowercase();
            prop_assert!(!copy.contains(&needle.to_lowercase()), "{needle} in {copy}");
        }
    }
}
