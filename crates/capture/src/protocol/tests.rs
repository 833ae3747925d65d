use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    moment::Moment,
    reader::{Frame, FrameDirection},
    trace::Report,
};

const SDP: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\na=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";

/// `kind@call: what`, one message after the other.
fn words(signals: Option<Vec<Signal>>) -> String {
    let Some(signals) = signals else { return "not of it".to_owned() };
    let one = |signal: Signal| {
        let call = signal.call.clone().map(|call| format!("@{call}")).unwrap_or_default();
        let what = signal.summary();
        let what = if what.is_empty() { String::new() } else { format!(": {what}") };
        format!("{}{call}{what}", signal.kind)
    };
    signals.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(message: Value, expect: &str) {
    assert_eq!(words(value(&message)), expect, "{message}");
}

#[test]
fn janus_tells_descriptions_candidates_and_how_it_fares() {
    let jsep = json!({ "type": "offer", "sdp": SDP });
    check(json!({ "janus": "message", "handle_id": 7, "body": {}, "jsep": jsep }), "offer@7");
    let candidate = json!({ "candidate": "candidate:1 1 udp 2 10.0.0.1 5 typ host", "sdpMid": "0" });
    check(
        json!({ "janus": "trickle", "handle_id": 7, "candidate": candidate }),
        "candidate@7: host udp 10.0.0.1:5",
    );
    check(
        json!({ "janus": "trickle", "handle_id": 7, "candidate": { "completed": true } }),
        "end-of-candidates@7",
    );
    check(json!({ "janus": "webrtcup", "sender": 7 }), "report@7: connected");
    check(json!({ "janus": "hangup", "sender": 7, "reason": "ICE failed" }), "report@7: failed: ICE failed");
    check(json!({ "janus": "hangup", "sender": 7, "reason": "Close PC" }), "report@7: ended: Close PC");
    check(
        json!({ "janus": "media", "sender": 7, "type": "video", "receiving": false }),
        "report@7: receives no video",
    );
    check(json!({ "janus": "slowlink", "sender": 7, "lost": 12 }), "report@7: slow link, 12 packets lost");
    check(json!({ "janus": "ack", "session_id": 1 }), "");
    check(
        json!({ "janus": "error", "error": { "code": 458, "reason": "No such session 1" } }),
        "error: No such session 1",
    );
    check(json!({ "venus": "ack" }), "not of it");
}

#[test]
fn matrix_events_are_told_from_their_echoes_and_from_encrypted_ones() {
    let answer = json!({ "call_id": "c1", "answer": { "type": "answer", "sdp": SDP } });
    check(json!({ "type": "m.call.answer", "sender": "@b:x", "content": answer }), "answer@c1");
    let echo = json!({ "type": "m.call.answer", "content": answer, "unsigned": { "transaction_id": "t" } });
    check(echo, "");
    check(
        json!({ "type": "m.call.hangup", "content": { "call_id": "c1", "reason": "ice_failed" } }),
        "bye@c1: ice_failed",
    );
    check(json!({ "type": "m.room.encrypted", "content": {} }), "not of it");
    let url = "https://hs.example/_matrix/client/v3/rooms/!r:x/send/m.call.invite/txn1";
    let invite = json!({ "call_id": "c1", "offer": { "type": "offer", "sdp": SDP } });
    assert_eq!(words(room_event(url, &invite)), "offer@c1");
    assert_eq!(words(room_event("https://hs.example/_matrix/client/v3/sync", &invite)), "not of it");
}

#[test]
fn verto_finds_the_call_wherever_it_stands() {
    let invite = json!({ "sdp": SDP, "dialogParams": { "callID": "c1" } });
    check(json!({ "jsonrpc": "2.0", "method": "telnyx_rtc.invite", "params": invite }), "offer@c1");
    check(
        json!({ "jsonrpc": "2.0", "method": "verto.answer", "params": { "callID": "c1", "sdp": SDP } }),
        "answer@c1",
    );
    check(json!({ "jsonrpc": "2.0", "method": "verto.ringing", "params": { "callID": "c1" } }), "ringing@c1");
    let bye = json!({ "callID": "c1", "cause": "NORMAL_CLEARING", "causeCode": 16 });
    check(json!({ "jsonrpc": "2.0", "method": "verto.bye", "params": bye }), "bye@c1: NORMAL_CLEARING");
    check(json!({ "jsonrpc": "2.0", "id": 1, "result": { "callID": "c1", "message": "CALL CREATED" } }), "");
    let error = json!({ "code": -32002, "message": "CALL ERROR" });
    check(json!({ "jsonrpc": "2.0", "id": 1, "error": error }), "error: CALL ERROR");
    check(json!({ "jsonrpc": "2.0", "method": "onEvent", "params": {} }), "not of it");
}

#[test]
fn go2rtc_home_assistant_and_mediasoup() {
    check(json!({ "type": "webrtc/offer", "value": SDP }), "offer");
    check(
        json!({ "type": "webrtc/candidate", "value": "candidate:1 1 udp 2 10.0.0.1 5 typ host" }),
        "candidate: host udp 10.0.0.1:5",
    );
    check(
        json!({ "type": "error", "value": "webrtc/offer: codecs not matched" }),
        "error: webrtc/offer: codecs not matched",
    );
    check(json!({ "type": "camera/webrtc/offer", "id": 5, "offer": SDP }), "offer");
    check(json!({ "id": 5, "type": "event", "event": { "type": "answer", "answer": SDP } }), "answer");
    let candidates = json!([{ "foundation": "u", "priority": 1, "ip": "10.0.0.1", "protocol": "udp", "port": 9, "type": "host" }]);
    let made = json!({ "id": "t1", "iceParameters": {}, "iceCandidates": candidates, "dtlsParameters": {} });
    check(
        json!({ "response": true, "id": 1, "ok": true, "data": made }),
        "offer@t1: transport, candidate@t1: host udp 10.0.0.1:9",
    );
    let connect = json!({ "transportId": "t1", "dtlsParameters": {} });
    check(
        json!({ "request": true, "id": 2, "method": "connectWebRtcTransport", "data": connect }),
        "answer@t1: transport",
    );
    check(
        json!({ "response": true, "id": 2, "ok": false, "errorReason": "no such transport" }),
        "error: no such transport",
    );
    check(
        json!({ "response": true, "id": 2, "errorCode": 500, "errorReason": "connect() already called" }),
        "error: connect() already called",
    );
}

const INVITE: &str = "INVITE sip:bob@x SIP/2.0\r\nVia: SIP/2.0/WSS a.invalid\r\nf: \"A\" <sip:alice@x>;tag=1\r\nTo: <sip:bob@x>\r\n\
    Call-ID: abc\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\n";

#[test]
fn sip_messages_by_method_and_status() {
    let sip = |message: &str| words(text(message));
    let offer = text(&format!("{INVITE}{SDP}")).unwrap().remove(0);
    assert_eq!(
        (offer.from.as_deref(), offer.to.as_deref(), offer.call.as_deref()),
        (Some("alice"), Some("bob"), Some("abc"))
    );
    let response = |status: &str, body: &str| {
        format!(
            "SIP/2.0 {status}\r\nFrom: <sip:alice@x>\r\nTo: <sip:bob@x>;tag=2\r\nCall-ID: abc\r\nCSeq: 1 INVITE\r\n\r\n{body}"
        )
    };
    assert_eq!(sip(&response("100 Trying", "")), "");
    assert_eq!(sip(&response("180 Ringing", "")), "ringing@abc: 180 Ringing");
    assert_eq!(sip(&response("183 Session Progress", &SDP.replace("actpass", "active"))), "pranswer@abc");
    let answer = text(&response("200 OK", &SDP.replace("actpass", "active"))).unwrap().remove(0);
    assert_eq!((answer.kind.as_str(), answer.from.as_deref()), ("answer", Some("bob")));
    assert_eq!(sip(&response("486 Busy Here", "")), "reject@abc: 486 Busy Here");
    assert_eq!(sip(&response("488 Not Acceptable Here", "")), "error@abc: 488 Not Acceptable Here");
    assert_eq!(sip(&response("401 Unauthorized", "")), "challenge@abc: 401 Unauthorized");
    let bye = "BYE sip:alice@x SIP/2.0\r\nFrom: <sip:bob@x>\r\nTo: <sip:alice@x>\r\nCall-ID: abc\r\nCSeq: 2 BYE\r\n\
        Reason: Q.850;cause=16;text=\"Terminated\"\r\n\r\n";
    assert_eq!(sip(bye), "bye@abc: Terminated");
    let info = "INFO sip:bob@x SIP/2.0\r\nCall-ID: abc\r\nContent-Type: application/trickle-ice-sdpfrag\r\n\r\na=ice-ufrag:aaaa\r\n\
        a=mid:0\r\na=candidate:1 1 udp 2 10.0.0.1 5 typ host\r\na=end-of-candidates\r\n";
    assert_eq!(sip(info), "candidate@abc: host udp 10.0.0.1:5, end-of-candidates@abc");
    assert_eq!(sip("GET / HTTP/1.1\r\n\r\n"), "not of it");
    assert_eq!(sip("hello there"), "not of it");
}

/// What is left of messages once SIP's repetitions are taken out; `>` before those that the page sent.
#[track_caller]
fn check_settled(messages: &[(char, &str)], expect: &str) {
    let frame = |(second, (way, message)): (usize, &(char, &str))| {
        let direction = if *way == '>' { FrameDirection::Sent } else { FrameDirection::Received };
        let at = Moment::from_millis(second as f64 * 1e3).unwrap();
        let signals = text(message).unwrap();
        signals.into_iter().map(move |signal| Frame { at, direction, signal })
    };
    let mut frames: Vec<Frame> = messages.iter().enumerate().flat_map(frame).collect();
    sip::settle(&mut frames);
    let left: Vec<String> = frames.into_iter().map(|frame| words(Some(vec![frame.signal]))).collect();
    assert_eq!(left.join(", "), expect);
}

#[test]
fn what_sip_repeats_counts_once() {
    let head = "From: <sip:alice@x>\r\nTo: <sip:bob@x>\r\nCall-ID: abc\r\nCSeq: 1 INVITE\r\n\r\n";
    let invite = format!("{INVITE}{SDP}");
    let challenge = format!("SIP/2.0 401 Unauthorized\r\n{head}");
    let ok = format!("SIP/2.0 200 OK\r\n{head}{}", SDP.replace("actpass", "active"));
    let ack = format!("ACK sip:bob@x SIP/2.0\r\n{head}");
    let (invite, challenge, ok, ack) = (invite.as_str(), challenge.as_str(), ok.as_str(), ack.as_str());
    check_settled(
        &[('>', invite), ('<', challenge), ('>', ack), ('>', invite), ('<', ok), ('>', ack)],
        "offer@abc, answer@abc",
    );
    // With a wrong password, or none.
    check_settled(&[('>', invite), ('<', challenge), ('>', ack)], "offer@abc, error@abc: 401 Unauthorized");
    check_settled(
        &[('>', invite), ('<', challenge), ('>', invite), ('<', challenge)],
        "offer@abc, error@abc: 401 Unauthorized",
    );
    check_settled(&[('<', invite), ('>', ok), ('>', ok), ('<', ack)], "offer@abc, answer@abc");
    check_settled(
        &[('<', invite), ('>', ok), ('>', ok), ('>', ok)],
        "offer@abc, answer@abc, report@abc: answered 3 times, not acknowledged",
    );
}

#[test]
fn errors_without_a_type_say_why() {
    check(json!({ "error": "room is full" }), "error: room is full");
    check(json!({ "id": 4, "error": { "code": 403, "message": "not allowed" } }), "error: not allowed");
    check(json!({ "error": null }), "not of it");
    check(json!({ "error": "glare", "type": "answer", "sdp": SDP }), "not of it");
}

#[test]
fn the_address_of_a_rest_request_names_the_handle_of_janus() {
    assert_eq!(janus_handle("http://j.example/janus/12/34"), Some("34"));
    assert_eq!(janus_handle("http://j.example/janus/12/34/?rid=5"), Some("34"));
    assert_eq!(janus_handle("http://j.example/janus/12?rid=5"), None);
    assert_eq!(janus_handle("http://j.example/janus"), None);
}

#[test]
fn whip_offers_answers_trickles_and_is_refused() {
    let both = |method: &str, asked: &str, status: u16, answered: &str| {
        whip_exchange(method, asked, status, answered).map(|both| both.map(|signals| words(Some(signals))))
    };
    assert_eq!(both("POST", SDP, 201, SDP), Some(["offer".to_owned(), "answer".to_owned()]));
    let refused = both("POST", SDP, 404, "stream not found").unwrap();
    assert_eq!(refused[1], "report: failed: HTTP 404 stream not found");
    let fragment =
        "a=ice-ufrag:aaaa\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2 10.0.0.1 5 typ host\r\n";
    assert_eq!(both("PATCH", fragment, 204, "").unwrap()[0], "candidate: host udp 10.0.0.1:5");
    assert_eq!(both("POST", "{}", 200, "{}"), None);
}

#[test]
fn the_first_offer_to_livekit_stands_in_its_address() {
    let har = include_str!("../../../../fixtures/clients/livekit-v1-connected.har");
    let url = har.split('"').find(|text| text.contains("join_request=")).unwrap();
    assert_eq!(words(livekit_offer(url).map(|offer| vec![offer])), "offer@publisher");
    for wrong in [
        "ws://x/rtc/v1",
        "ws://x/rtc/v1?join_request=",
        "ws://x/rtc/v1?join_request=CAESBAECAwQ",
        "?join_request=%%%",
    ] {
        assert_eq!(livekit_offer(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_mangled_address_of_livekit_is_no_more_than_none(bytes in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let _ = livekit_offer(&format!("ws://x?join_request={}", BASE64_STANDARD.encode(&bytes)));
        let har = include_str!("../../../../fixtures/clients/livekit-v1-connected.har");
        let mut url = har.split('"').find(|text| text.contains("join_request=")).unwrap().to_owned().into_bytes();
        let at = at.index(url.len());
        url[at] = with;
        let _ = livekit_offer(&String::from_utf8_lossy(&url));
    }
}

/// A field of bytes, of a length below 128.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    assert!(length < 128);
    [&[number << 3 | 2, length], bytes].concat()
}

#[test]
fn livekit_frames_of_client_and_server() {
    let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
    let offer = [field(1, b"offer"), field(2, sdp.as_bytes())].concat();
    assert_eq!(words(binary(&field(1, &offer), true)), "offer@publisher");
    assert_eq!(words(binary(&field(3, &offer), false)), "offer@subscriber");
    let answer = [field(1, b"answer"), field(2, sdp.as_bytes())].concat();
    assert_eq!(words(binary(&field(2, &answer), false)), "answer@publisher");
    let init = r#"{"candidate":"candidate:1 1 udp 2 10.0.0.1 5 typ host"}"#;
    let trickle = [field(1, init.as_bytes()), vec![16, 1]].concat();
    assert_eq!(words(binary(&field(4, &trickle), false)), "candidate@subscriber: host udp 10.0.0.1:5");
    assert_eq!(words(binary(&[112, 5], true)), "not of it", "a ping");
    assert_eq!(words(binary(b"\xff\xff\xff", true)), "not of it");
}

#[test]
fn a_hang_up_that_failed_is_a_failure_whatever_else_it_says() {
    let report =
        |reason: &str| value(&json!({ "janus": "hangup", "reason": reason })).unwrap().remove(0).report;
    assert!(matches!(report("DTLS alert"), Some(Report::Failed { .. })));
    assert!(matches!(report("Janus API"), Some(Report::Ended { .. })));
    assert!(matches!(report("Peer ICE failed"), Some(Report::Failed { .. })));
}

proptest! {
    #[test]
    fn any_text_and_any_bytes(text_of in "\\PC{0,120}", bytes in prop::collection::vec(any::<u8>(), 0..120), cut in 0..600_usize) {
        let _ = (text(&text_of), binary(&bytes, true), binary(&bytes, false));
        let _ = whip_exchange("POST", &text_of, 400, &text_of);
        let _ = whip_exchange("PATCH", &format!("a=candidate:{text_of}"), 200, &text_of);
        let whole = format!("{INVITE}{SDP}");
        let at = (0..=cut.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
        let _ = (text(&whole[..at]), text(&format!("{}{text_of}{}", &whole[..at], &whole[at..])));
    }

    #[test]
    fn any_values_in_known_messages(kind in "\\PC{0,12}", any_text in "\\PC{0,40}", number in any::<i64>()) {
        for filler in [json!(any_text), json!(number), json!(null), json!([any_text]), json!({ "type": kind, "sdp": any_text })] {
            for key in ["janus", "type", "method", "event", "request", "response"] {
                let mut message = json!({
                    "jsep": filler, "candidate": filler, "content": filler, "params": filler, "value": filler, "data": filler,
                    "result": filler, "jsonrpc": "2.0", "sender": filler, "reason": filler, "error": filler, "offer": filler
                });
                message[key] = json!(kind);
                let _ = value(&message);
                message[key] = filler.clone();
                let _ = value(&message);
            }
        }
    }
}
