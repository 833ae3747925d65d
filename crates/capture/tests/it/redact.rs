//! What must not be in a redacted copy, and what must survive.

use std::{collections::BTreeMap, io::Cursor, path::Path};

use capture::{
    Capture, Limits, Mapping, Mappings, Trace,
    audit::{MediaState, audit, media},
    merge, read,
    redact::Redactor,
    trace::{Message, SignalKind},
};
use timeline::{MediaKind, Name};

use crate::fixtures::{files, root};

pub(crate) fn read_bytes(bytes: &[Vec<u8>]) -> Capture {
    let read =
        |bytes: &Vec<u8>| read("file", Cursor::new(bytes), &Mappings::default(), &Limits::default()).unwrap();
    merge(bytes.iter().map(read).collect())
}

pub(crate) fn shape(capture: &Capture) -> Vec<String> {
    capture
        .calls
        .iter()
        .flat_map(|call| {
            let findings = audit(call).into_iter().map(|finding| format!("{} {}", finding.at, finding.code));
            let messages =
                call.messages.iter().map(|m| format!("{:?} {} {:?}", m.first_seen(), kind(m), m.arrived()));
            let outcome = format!("{:?}, media {:?}", call.outcome(), kinds(call));
            std::iter::once(outcome).chain(findings).chain(messages).collect::<Vec<_>>()
        })
        .collect()
}

/// What became of each kind of media, at any peer.
fn kinds(call: &Trace) -> Vec<(MediaKind, Vec<&'static str>)> {
    let states = |of: BTreeMap<Name, MediaState>| {
        let mut states: Vec<_> = of.into_values().map(|state| state.as_str()).collect();
        states.sort_unstable();
        states
    };
    media(call).into_iter().map(|(kind, of)| (kind, states(of))).collect()
}

/// What is in Protocol Buffers is left out of a redacted copy.
fn leaves_signalling_out(file: &Path) -> bool {
    file.file_name().unwrap().to_string_lossy().starts_with("livekit-")
}

/// An application's own word for a type is not among those that may stay.
fn kind(message: &Message) -> &str {
    match &message.signal.kind {
        SignalKind::Other(_) => "other",
        known => known.as_str(),
    }
}

#[test]
fn a_redacted_copy_of_each_fixture_reads_the_same() {
    let mut redactor = Redactor::new();
    let mut changed = Vec::new();
    for file in files(&root()).into_iter().filter(|file| !leaves_signalling_out(file)) {
        let original = std::fs::read(&file).unwrap();
        let copy = redactor.redact("file", Cursor::new(&original), &Limits::default()).unwrap();
        let (copy, original) = (shape(&read_bytes(&[copy])), shape(&read_bytes(&[original])));
        if copy != original {
            let gone = original.iter().filter(|line| !copy.contains(line));
            let come = copy.iter().filter(|line| !original.contains(line));
            changed.push(format!(
                "{}: {:?} → {:?}",
                file.display(),
                gone.collect::<Vec<_>>(),
                come.collect::<Vec<_>>()
            ));
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
}

const SECRETS: [&str; 12] = [
    "anna",
    "bert",
    "secret-room",
    "192.168.7.9",
    "93.184.216.34",
    "2a00:1450",
    "Cvzh",
    "0f1e2d3c",
    "hunter2",
    "example.com",
    "AB:CD:EF",
    "AirPods",
];

fn sdp() -> String {
    let fingerprint = ["AB:CD:EF:01"; 8].join(":");
    format!(
        "v=0\r\no=anna 1463935321065312985 2 IN IP4 192.168.7.9\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 \
         93.184.216.34\r\na=ice-ufrag:Cvzh\r\na=ice-pwd:hunter2hunter2hunter2xx\r\na=fingerprint:sha-256 {fingerprint}\r\n\
         a=candidate:1 1 udp 2 2a00:1450::5 5 typ host\r\n"
    )
}

/// Every format with something to hide in every place where something can hide.
fn leaky() -> Vec<(&'static str, String)> {
    let candidate = "candidate:1 1 udp 2 192.168.7.9 5 typ srflx raddr 93.184.216.34 rport 9 ufrag Cvzh";
    let offer = serde_json::json!({ "type": "offer", "sdp": sdp(), "from": "anna", "to": "bert", "callId": "secret-room", "token": "hunter2" });
    let internals = serde_json::json!({ "UserAgent": "Chrome/156.0.0.0", "getUserMedia": [], "PeerConnections": { "1-1": {
        "url": "https://app.example.com/?me=anna", "rtcConfiguration": r#"{"iceServers":[{"urls":["turn:turn.example.com:3478"],"username":"anna","credential":"hunter2"}]}"#,
        "stats": { "T01-iceLocalUsernameFragment": { "statsType": "transport", "values": "[\"Cvzh\"]" } },
        "updateLog": [
            { "type": "setLocalDescription", "timestamp": 1_795_000_000_000.0, "value": serde_json::json!({ "type": "offer", "sdp": sdp() }).to_string() },
            { "type": "onicecandidate", "timestamp": 1_795_000_000_001.0, "value": serde_json::json!({ "candidate": candidate, "sdpMid": "0" }).to_string() },
            { "type": "onicecandidate", "timestamp": 1_795_000_000_002.0, "value": r#"{"candidate":"candidate:1 1 udp 2 0f1e2d3c.local 5 typ host"}"# },
        ] } } });
    let rtcstats = [
        "RTCStatsDump".to_owned(),
        r#"["navigator.mediaDevices.getUserMediaOnSuccess","1-0",[["audio","id","Anna's AirPods","s"]],"r",1795000000000]"#.to_owned(),
        serde_json::json!(["create", "1-1", { "iceServers": [{ "urls": "stun:93.184.216.34", "credential": "hunter2" }] }, "https://app.example.com/", 1]).to_string(),
        serde_json::json!(["setLocalDescription", "1-1", { "type": "offer", "sdp": sdp() }, 1]).to_string(),
    ];
    let har = serde_json::json!({ "log": { "entries": [
        { "request": { "url": "https://app.example.com/", "headers": [{ "name": "Cookie", "value": "hunter2" }] }, "response": { "content": { "text": "anna" } } },
        { "_resourceType": "websocket", "request": { "url": "wss://anna:hunter2@app.example.com/ws?token=hunter2" }, "_webSocketMessages": [
            { "type": "send", "time": 1_795_000_000.5, "opcode": 1, "data": offer.to_string() },
            { "type": "send", "time": 1_795_000_000.6, "opcode": 1, "data": format!("42[\"offer\",{offer}]") },
            { "type": "send", "time": 1_795_000_000.7, "opcode": 1, "data": "anna says hunter2" },
        ] },
        { "startedDateTime": "2026-11-18T11:06:41Z", "time": 5.0,
            "request": { "method": "POST", "url": "https://anna:hunter2@app.example.com/secret-room?token=hunter2",
                "headers": [{ "name": "Cookie", "value": "hunter2" }], "postData": { "text": offer.to_string() } },
            "response": { "status": 200, "content": { "text": r#"{"from":"bert","token":"hunter2"}"# } } },
        { "startedDateTime": "2026-11-18T11:06:41Z", "request": { "url": "https://shop.example.com/", "postData": { "text": r#"{"from":"anna"}"# } } },
    ] } });
    let relay = serde_json::json!({ "ts": 1_795_000_000_000_u64, "dir": "in", "peer": "anna", "msg": offer });
    vec![
        ("webrtc-internals", internals.to_string()),
        ("rtcstats", rtcstats.join("\n")),
        ("har", har.to_string()),
        ("relay", relay.to_string()),
    ]
}

#[test]
fn nothing_of_it_is_left_in_any_format() {
    for (format, text) in leaky() {
        let copy = Redactor::new().redact(format, text.as_bytes(), &Limits::default()).unwrap();
        let copy = String::from_utf8(copy).unwrap();
        for secret in SECRETS {
            assert!(
                !copy.to_lowercase().contains(&secret.to_lowercase()),
                "{format} still holds {secret}: {copy}"
            );
        }
        let capture = read_bytes(&[copy.into_bytes()]);
        assert_eq!(capture.calls.len(), 1, "{format} still reads");
    }
}

#[test]
fn a_log_in_a_form_of_its_own_is_redacted_by_its_mapping() {
    let mapping = "version = 1\n[line]\ntime = \"/zeit\"\ndirection = \"/art\"\nperson = \"/wer\"\nmessage = \"/inhalt\"\n\
                   [directions]\nrein = \"in\"\nraus = \"out\"\n";
    let mapping = Mapping::from_toml("mapping", mapping).unwrap();
    let line = |ms: u64, way: &str, who: &str, message: serde_json::Value| {
        serde_json::json!({ "zeit": 1_795_000_000_000 + ms, "art": way, "wer": who, "inhalt": message, "notiz": "hunter2" })
            .to_string()
    };
    let offer = serde_json::json!({ "type": "offer", "sdp": sdp(), "from": "anna", "to": "bert", "callId": "secret-room" });
    let bye = serde_json::json!({ "type": "bye", "from": "bert", "to": "anna", "callId": "secret-room" });
    let lines = [
        line(0, "rein", "anna", offer.clone()),
        line(5, "raus", "bert", offer),
        line(900, "rein", "bert", bye.clone()),
        line(905, "raus", "anna", bye),
    ];
    let original = lines.join("\n");
    let mut redactor = Redactor::new();
    redactor.keep_words_of(&mapping);
    let copy = redactor.redact("log", original.as_bytes(), &Limits::default()).unwrap();
    let copy = String::from_utf8(copy).unwrap();
    for secret in SECRETS {
        assert!(!copy.to_lowercase().contains(&secret.to_lowercase()), "{secret}: {copy}");
    }
    let mappings = Mappings::with([mapping]);
    let shape_of = |text: &str| {
        let recording = read("log", Cursor::new(text.to_owned()), &mappings, &Limits::default()).unwrap();
        shape(&merge(vec![recording]))
    };
    assert_eq!(shape_of(&copy), shape_of(&original));
    assert!(shape_of(&copy).iter().any(|line| line.contains("bye")), "{copy}");
}

#[test]
fn binary_frames_are_looked_into() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let data = BASE64_STANDARD.encode(r#"{"type":"bye","from":"anna","to":"bert"}"#);
    let har = serde_json::json!({ "log": { "entries": [{ "_webSocketMessages": [
        { "type": "send", "time": 1_795_000_000.5, "opcode": 2, "data": data },
        { "type": "send", "time": 1_795_000_000.5, "opcode": 2, "data": BASE64_STANDARD.encode([0xff, 0xfe]) },
    ] }] } });
    let copy = Redactor::new().redact("har", har.to_string().as_bytes(), &Limits::default()).unwrap();
    let copy: serde_json::Value = serde_json::from_slice(&copy).unwrap();
    let frames = &copy["log"]["entries"][0]["_webSocketMessages"];
    let text = BASE64_STANDARD.decode(frames[0]["data"].as_str().unwrap()).unwrap();
    assert_eq!(text, br#"{"from":"peer-1","to":"peer-2","type":"bye"}"#);
    assert_eq!(frames[1]["data"], "", "what cannot be read is not passed on");
}

#[test]
fn what_applications_write_into_an_rtcstats_dump_goes() {
    let original = std::fs::read(root().join("hand-made/sfu.rtcstats-server.txt")).unwrap();
    let secrets = ["Robin", "our-room", "meet.example", "dominantSpeaker", "Built-in"];
    let found = |text: &str| secrets.iter().filter(|secret| text.contains(**secret)).count();
    assert_eq!(found(&String::from_utf8_lossy(&original)), secrets.len());
    let copy = Redactor::new().redact("file", Cursor::new(&original), &Limits::default()).unwrap();
    assert_eq!(found(&String::from_utf8_lossy(&copy)), 0, "{}", String::from_utf8_lossy(&copy));
}
