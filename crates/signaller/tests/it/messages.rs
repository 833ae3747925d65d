//! The JSON of messages: what is written, what is read, what is refused and how.

use proptest::prelude::*;
use signaller::{
    ByeReason, CallId, Candidate, Envelope, ErrorCode, Kind, Media, Message, MessageError, RejectReason,
    SessionId,
    message::{MAX_ID, MAX_MESSAGE_BYTES, MAX_NAME_BYTES, VERSION},
};

use crate::rig::{envelope, ring};

/// One message of each type.
fn samples() -> Vec<Message> {
    Message::kinds().map(sample).collect()
}

fn sample(kind: Kind) -> Message {
    let sdp = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n".to_owned();
    match kind {
        Kind::Join => Message::Join { session: SessionId::new("s1") },
        Kind::Joined => Message::Joined,
        Kind::Ring => Message::Ring { media: Media { audio: true, video: false } },
        Kind::Ringing => Message::Ringing,
        Kind::Accept => Message::Accept,
        Kind::Reject => Message::Reject { reason: RejectReason::PermissionDenied },
        Kind::Offer => Message::Offer { sdp, negotiation: 1 },
        Kind::Answer => Message::Answer { sdp, negotiation: 1 },
        Kind::Renegotiate => Message::Renegotiate { negotiation: 1 },
        Kind::Candidate => Message::Candidate(Candidate {
            candidate: "candidate:1 1 udp 2130706431 10.0.0.1 50000 typ host".to_owned(),
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(0),
            username_fragment: Some("F7gI".to_owned()),
        }),
        Kind::EndOfCandidates => Message::EndOfCandidates {
            sdp_mid: Some("0".to_owned()),
            username_fragment: Some("F7gI".to_owned()),
        },
        Kind::Pranswer => unreachable!("it is not signalled"),
        Kind::Bye => Message::Bye { reason: ByeReason::HungUp },
        Kind::Absent => Message::Absent { participant: "bob".into() },
        Kind::Present => Message::Present { participant: "bob".into() },
        Kind::Error => {
            let message = "256 messages wait for `bob`, and the relay keeps no more".to_owned();
            Message::Error { code: ErrorCode::QueueFull, message, about: Some(7) }
        }
    }
}

#[test]
fn json_of_each_type() {
    let lines: Vec<String> = samples()
        .into_iter()
        .map(|body| {
            let heading = format!("# {} ({})", body.kind(), body.detail());
            let json = envelope(1, "alice", "bob", body).to_json();
            format!("{heading}\n{}\n", String::from_utf8(json).unwrap())
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_each_fault_is_answered() {
    let faults: [&[u8]; 18] = [
        b"",
        b"{\"version\":1,\n \"id\":x}",
        b"{\"version\":1,\"id\":\"\xff\"}",
        b"[1]",
        b"{}",
        br#"{"version":2,"anything":{}}"#,
        br#"{"version":0}"#,
        br#"{"version":"1"}"#,
        br#"{"version":1,"id":0}"#,
        br#"{"version":1,"id":9007199254740992}"#,
        br#"{"version":1,"id":-1}"#,
        br#"{"version":1,"id":1}"#,
        br#"{"version":1,"id":1,"call":""}"#,
        br#"{"version":1,"id":1,"call":"c","from":"a","to":null}"#,
        br#"{"version":1,"id":1,"call":"c","from":"a","to":"b","body":{"sdp":"v=0"}}"#,
        br#"{"version":1,"id":1,"call":"c","from":"a","to":"b","body":{"type":"offers"}}"#,
        br#"{"version":1,"id":1,"call":"c","from":"a","to":"b","body":{"type":"offer","negotiation":1}}"#,
        br#"{"version":1,"id":1,"call":"c","from":"a","to":"b","body":{"type":"offer","sdp":1,"negotiation":1}}"#,
    ];
    let lines = faults.map(|bytes| {
        let error = Envelope::from_json(bytes).unwrap_err();
        format!("{}\n  → {}: {error}\n", String::from_utf8_lossy(bytes), error.code())
    });
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn each_required_field_is_missed_by_name() {
    for body in samples() {
        let whole: serde_json::Value =
            serde_json::from_slice(&envelope(1, "alice", "bob", body.clone()).to_json()).unwrap();
        let fields: Vec<String> = whole["body"].as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let mut without = whole.clone();
            without["body"].as_object_mut().unwrap().remove(&field);
            match Envelope::from_json(without.to_string().as_bytes()) {
                Ok(_) => assert!(
                    ["sdpMid", "sdpMLineIndex", "usernameFragment", "about"].contains(&field.as_str()),
                    "{field} of {} is not optional",
                    body.kind()
                ),
                Err(error) => {
                    assert_eq!(error, MessageError::MissingField { field: format!("body.{field}") });
                }
            }
        }
    }
}

#[test]
fn a_message_at_the_limit_is_read_and_one_byte_more_is_not() {
    let mut json = envelope(1, "alice", "bob", ring()).to_json();
    json.resize(MAX_MESSAGE_BYTES, b' ');
    assert!(Envelope::from_json(&json).is_ok());
    json.push(b' ');
    let error = MessageError::TooLarge { size: MAX_MESSAGE_BYTES + 1, limit: MAX_MESSAGE_BYTES };
    assert_eq!(Envelope::from_json(&json), Err(error));
}

#[test]
fn a_name_at_the_limit_is_read_and_one_byte_more_is_not() {
    let long = "n".repeat(MAX_NAME_BYTES);
    assert!(Envelope::from_json(&envelope(1, &long, "bob", ring()).to_json()).is_ok());
    let longer = Envelope::from_json(&envelope(1, &(long + "n"), "bob", ring()).to_json());
    assert_eq!(longer, Err(MessageError::BadName { field: "from", size: MAX_NAME_BYTES + 1 }));
}

#[test]
fn unknown_fields_and_words_are_tolerated() {
    let json = br#"{"version":1,"id":1,"call":"c","from":"a","to":"b","trace":"x",
        "body":{"type":"reject","reason":"on-a-train","until":12}}"#;
    let reason = RejectReason::Other("on-a-train".to_owned());
    assert_eq!(Envelope::from_json(json).unwrap().body, Message::Reject { reason });
    let nulls = br#"{"version":1,"id":1,"call":"c","from":"a","to":"b",
        "body":{"type":"candidate","candidate":"","sdpMid":null,"sdpMLineIndex":null}}"#;
    assert_eq!(Envelope::from_json(nulls).unwrap().body, Message::Candidate(Candidate::default()));
}

fn any_name() -> impl Strategy<Value = String> {
    "\\PC{1,32}"
}

fn any_message() -> impl Strategy<Value = Message> {
    let text = || any::<String>();
    let maybe = || proptest::option::of(any::<String>());
    prop_oneof![
        any_name().prop_map(|session| Message::Join { session: SessionId::new(session) }),
        Just(Message::Joined),
        any::<(bool, bool)>().prop_map(|(audio, video)| Message::Ring { media: Media { audio, video } }),
        Just(Message::Ringing),
        Just(Message::Accept),
        text().prop_map(|word| Message::Reject { reason: word.as_str().into() }),
        (text(), any::<u64>()).prop_map(|(sdp, negotiation)| Message::Offer { sdp, negotiation }),
        (text(), any::<u64>()).prop_map(|(sdp, negotiation)| Message::Answer { sdp, negotiation }),
        any::<u64>().prop_map(|negotiation| Message::Renegotiate { negotiation }),
        (text(), maybe(), any::<Option<u16>>(), maybe()).prop_map(
            |(candidate, sdp_mid, sdp_mline_index, username_fragment)| {
                Message::Candidate(Candidate { candidate, sdp_mid, sdp_mline_index, username_fragment })
            }
        ),
        (maybe(), maybe())
            .prop_map(|(sdp_mid, username_fragment)| Message::EndOfCandidates { sdp_mid, username_fragment }),
        proptest::sample::select(ByeReason::KNOWN).prop_map(|reason| Message::Bye { reason }),
        (text(), text(), any::<Option<u64>>()).prop_map(|(code, message, about)| Message::Error {
            code: code.as_str().into(),
            message,
            about
        }),
    ]
}

fn any_envelope() -> impl Strategy<Value = Envelope> {
    (1..=MAX_ID, any_name(), any_name(), any_name(), any_message()).prop_map(|(id, call, from, to, body)| {
        Envelope { version: VERSION, id, call: CallId::new(call), from: from.into(), to: to.into(), body }
    })
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Delete(prop::sample::Index),
    Truncate(prop::sample::Index),
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        any::<(prop::sample::Index, u8)>().prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        any::<(prop::sample::Index, u8)>().prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        any::<prop::sample::Index>().prop_map(Mutation::Delete),
        any::<prop::sample::Index>().prop_map(Mutation::Truncate),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    match mutation {
        Mutation::Flip(at, bits) => bytes[at.index(length)] ^= bits,
        Mutation::Insert(at, byte) => bytes.insert(at.index(length), *byte),
        Mutation::Delete(at) => drop(bytes.remove(at.index(length))),
        Mutation::Truncate(at) => bytes.truncate(at.index(length)),
    }
}

/// Reading must not panic, and what is said about it neither.
fn read_and_describe(bytes: &[u8]) {
    match Envelope::from_json(bytes) {
        Ok(envelope) => drop(envelope.body.detail()),
        Err(error) => drop((error.to_string(), error.code())),
    }
}

proptest! {
    #[test]
    fn every_message_survives_the_wire(envelope in any_envelope()) {
        prop_assert_eq!(Envelope::from_json(&envelope.to_json()), Ok(envelope));
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        read_and_describe(&bytes);
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(text in any::<String>()) {
        read_and_describe(text.as_bytes());
    }

    #[test]
    fn mutated_messages_are_read_or_refused(
        envelope in any_envelope(),
        mutations in prop::collection::vec(any_mutation(), 1..8),
    ) {
        let mut bytes = envelope.to_json();
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
            read_and_describe(&bytes);
        }
    }
}
