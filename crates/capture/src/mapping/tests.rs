use serde_json::json;

use super::*;

/// What the built-in mappings make of a frame: `kind from→to call detail`.
#[track_caller]
fn check(frame: &str, expect: &str) {
    check_with(&Mappings::default(), frame, expect);
}

#[track_caller]
fn check_with(mappings: &Mappings, frame: &str, expect: &str) {
    let said = match mappings.text(frame) {
        Mapped::Signals(signals) => signals.iter().map(line).collect::<Vec<_>>().join("; "),
        Mapped::Unknown(_) => "unknown".to_owned(),
        Mapped::Ignored => "ignored".to_owned(),
    };
    assert_eq!(said, expect, "{frame}");
}

fn line(signal: &Signal) -> String {
    let mut line = signal.kind.to_string();
    if signal.from.is_some() || signal.to.is_some() {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".to_owned());
        line += &format!(" {}→{}", name(&signal.from), name(&signal.to));
    }
    if let Some(call) = &signal.call {
        line += &format!(" in {call}");
    }
    if let Some(description) = &signal.description {
        line += &format!(" sdp {}", description.kind.as_str());
    }
    if let Some(candidate) = signal.candidate.as_ref().filter(|candidate| !candidate.is_end()) {
        line += &format!(" {} mid {:?}", candidate.summary(), candidate.mid.as_deref().unwrap_or("-"));
    }
    let rest = signal.summary();
    if signal.candidate.is_none() && !rest.is_empty() {
        line += &format!(" ({rest})");
    }
    line
}

const CANDIDATE: &str = "candidate:1 1 udp 2 10.0.0.1 5 typ host";

#[test]
fn the_relays_format() {
    let envelope =
        |body: &str| format!(r#"{{"version":1,"id":3,"call":"c1","from":"alice","to":"bob","body":{body}}}"#);
    check(&envelope(r#"{"type":"offer","sdp":"v=0","negotiation":1}"#), "offer alice→bob in c1 sdp offer");
    check(
        &envelope(&format!(r#"{{"type":"candidate","candidate":"{CANDIDATE}","sdpMid":"0"}}"#)),
        "candidate alice→bob in c1 host udp 10.0.0.1:5 mid \"0\"",
    );
    check(&envelope(r#"{"type":"end-of-candidates"}"#), "end-of-candidates alice→bob in c1");
    check(&envelope(r#"{"type":"reject","reason":"busy"}"#), "reject alice→bob in c1 (busy)");
    check(
        &envelope(r#"{"type":"ring","media":{"audio":true,"video":false}}"#),
        "ring alice→bob in c1 (audio on, video off)",
    );
}

#[test]
fn plain_messages() {
    check(r#"{"type":"offer","sdp":"v=0","from":"a","to":"b","callId":"x"}"#, "offer a→b in x sdp offer");
    check(r#"{"sdp":{"type":"answer","sdp":"v=0"}}"#, "answer sdp answer");
    check(r#"{"sdp":"v=0\r\na=setup:actpass"}"#, "offer sdp offer");
    check(r#"{"description":{"type":"offer","sdp":"v=0"}}"#, "offer sdp offer");
    check(
        r#"{"candidate":{"candidate":"candidate:1 1 udp 2 10.0.0.1 5 typ host","sdpMid":"1"}}"#,
        "candidate host udp 10.0.0.1:5 mid \"1\"",
    );
    check(
        &format!(r#"{{"candidate":"{CANDIDATE}","sdpMid":"1","sdpMLineIndex":1}}"#),
        "candidate host udp 10.0.0.1:5 mid \"1\"",
    );
    check(
        &format!(r#"{{"type":"candidate","label":0,"id":"audio","candidate":"{CANDIDATE}"}}"#),
        "candidate host udp 10.0.0.1:5 mid \"audio\"",
    );
    check(r#"{"type":"candidate","candidate":null}"#, "end-of-candidates");
    check(
        &format!(r#"{{"type":"candidates","candidate":["{CANDIDATE}","{CANDIDATE}"]}}"#),
        "candidate host udp 10.0.0.1:5 mid \"-\"; candidate host udp 10.0.0.1:5 mid \"-\"",
    );
    check(r#"{"type":"bye","reason":"hangup"}"#, "bye (hangup)");
    check(r#"{"type":"media-state","video":true}"#, "media-state (video on)");
    check(r#"{"type":"offer"}"#, "offer");
}

#[test]
fn envelopes() {
    check(r#"{"event":"offer","data":{"sdp":"v=0"},"from":"a"}"#, "offer a→? sdp offer");
    check(r#"{"type":"signal","payload":{"type":"answer","sdp":"v=0"},"room":7}"#, "answer in 7 sdp answer");
    check(r#"{"event":"message","data":"{\"type\":\"offer\",\"sdp\":\"v=0\"}"}"#, "offer sdp offer");
    check(
        &format!(r#"{{"action":"ice","data":{{"candidate":{{"candidate":"{CANDIDATE}","sdpMid":"0"}}}}}}"#),
        "candidate host udp 10.0.0.1:5 mid \"0\"",
    );
    check(r#"{"event":"hangup","data":{"reason":"busy"}}"#, "bye (busy)");
}

#[test]
fn socket_io_frames() {
    check(r#"42["offer",{"sdp":"v=0","target":"b"}]"#, "offer ?→b sdp offer");
    check(r#"42/chat,3["message",{"type":"answer","sdp":"v=0"}]"#, "answer sdp answer");
    check(r#"42["offer","room1",{"type":"offer","sdp":"v=0"}]"#, "offer sdp offer");
    check(r#"42["bye"]"#, "bye");
    check("2", "ignored");
    check(r#"40{"sid":"x"}"#, "ignored");
}

#[test]
fn what_is_no_signalling() {
    check(r#"{"chat":"hello"}"#, "unknown");
    check("hello", "ignored");
    check("", "ignored");
    check("[]", "unknown");
}

#[test]
fn a_mapping_file_is_tried_first() {
    let text = r#"
        version = 1
        name = "ours"
        [places]
        type = "/t"
        sdp = ["/d/s", "/s"]
        candidate = "/d/c"
        from = "/who"
        [types]
        O = "offer"
        X = "bye"
    "#;
    let mappings = Mappings::with([Mapping::from_toml("ours.toml", text).unwrap()]);
    check_with(&mappings, r#"{"t":"O","d":{"s":"v=0"},"who":"a"}"#, "offer a→? sdp offer");
    check_with(&mappings, r#"{"t":"X","who":"a"}"#, "bye a→?");
    check_with(&mappings, r#"{"type":"bye"}"#, "bye");
    assert_eq!(mappings.names().next(), Some("ours"));
}

#[test]
fn faults_of_a_mapping_file_are_shown_with_their_place() {
    let text = "name = 1\nframing = \"socketio\"\n[places]\ntype = \"data.type\"\nsdq = \"/s\"\n[types]\nO = \"ofer\"\n";
    let error = Mapping::from_toml("m.toml", text).unwrap_err();
    insta::assert_snapshot!(error);
    insta::assert_snapshot!(Mapping::from_toml("m.toml", "version = [").unwrap_err());
}

#[test]
fn what_no_mapping_understood_is_shown_with_a_draft() {
    let mut unmapped = Unmapped::default();
    unmapped.note(&json!({"k": "O", "deep": {"x": "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"}}));
    unmapped.note(&json!({"k": "C", "deep": {"c": CANDIDATE}}));
    unmapped.note(&json!({"k": "C", "deep": {"c": CANDIDATE}}));
    insta::assert_snapshot!(unmapped.advice());
}

#[test]
fn messages_of_media_servers() {
    check(
        r#"{"janus":"event","session_id":1,"sender":2,"plugindata":{},"jsep":{"type":"answer","sdp":"v=0"}}"#,
        "answer in 2 sdp answer",
    );
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"join","params":{"offer":{"type":"offer","sdp":"v=0"}}}"#,
        "offer sdp offer",
    );
    check(r#"{"jsonrpc":"2.0","id":1,"result":{"type":"answer","sdp":"v=0"}}"#, "answer sdp answer");
    check(r#"{"id":"presenter","sdpOffer":"v=0\r\na=setup:actpass"}"#, "offer sdp offer");
    check(r#"{"id":"presenterResponse","sdpAnswer":"v=0\r\na=setup:active"}"#, "answer sdp answer");
}
