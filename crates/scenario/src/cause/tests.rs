use timeline::{
    DtlsContent, EndReason, IceState, Machine, MediaKind, MessageKind, PacketRecord, Protocol, StunClass,
    Transit, Verdict, VirtualTime,
};

use super::*;
use crate::{
    checks,
    testing::{Sketch, plan},
};

#[test]
fn every_check_is_a_code() {
    for check in checks::NAMES.iter().chain(&["rate", "budget", "panicked", "not-repeatable", "not-played"]) {
        assert_eq!(Code::from_word(check).map(Code::as_str), Some(*check));
    }
}

/// The cause where `expect` does not hold; `None` where it does.
fn cause_of(record: &RunRecord, expect: &str) -> Option<Cause> {
    let plan = plan(expect);
    cause(&plan, record, &checks::check(&plan, record))
}

#[track_caller]
fn check(record: &RunRecord, expect: &str, code: Code, sentence: &str) {
    let cause = cause_of(record, expect).expect("a failure");
    assert_eq!((cause.code, cause.sentence.as_str()), (code, sentence));
}

fn packet(ms: u64, from: &str, to: &str, protocol: Protocol, verdict: Verdict) -> PacketRecord {
    PacketRecord {
        at: VirtualTime::from_millis(ms),
        from_host: from.into(),
        to_host: Some(to.into()),
        from: "10.0.0.1:50000".parse().expect("an address"),
        to: "10.0.0.2:50000".parse().expect("an address"),
        protocol,
        len: 700,
        verdict,
        translated: None,
        transit: Transit::default(),
    }
}

const CONNECTED: &str = "outcome = \"connected\"";

#[test]
fn a_run_that_passed_has_no_cause() {
    assert_eq!(cause_of(&Sketch::connected().record(), CONNECTED), None);
}

#[test]
fn all_that_failed_is_a_consequence() {
    let record = Sketch::never_connected(EndReason::Declined).record();
    let cause =
        cause_of(&record, "outcome = \"connected\"\nmedia = [{ audio = \"both-ways\" }]").expect("a failure");
    let codes: Vec<Code> = cause.consequences.iter().map(|consequence| consequence.code).collect();
    assert_eq!(codes, [Code::Outcome, Code::MediaBothWays, Code::MediaBothWays]);
}

/// ICE is connected on both sides at 1.3 s, and DTLS never is; `handshake` as content, sender and verdict, one every 20 ms.
fn stuck_in_dtls(handshake: &[(DtlsContent, &str, Verdict)]) -> RunRecord {
    let sketch = Sketch::never_connected(EndReason::ConnectTimeout).with(|sketch| {
        sketch.sent("callee", MessageKind::Answer, "caller");
        for side in ["caller", "callee"] {
            sketch.transition(1200, side, Machine::Ice, IceState::New.as_str(), IceState::Checking.as_str());
            sketch.transition(
                1300,
                side,
                Machine::Ice,
                IceState::Checking.as_str(),
                IceState::Connected.as_str(),
            );
        }
    });
    let mut record = sketch.record();
    for (ms, (content, from, verdict)) in (1310..).step_by(20).zip(handshake) {
        let to = if *from == "caller" { "callee" } else { "caller" };
        record.timeline.packets.push(packet(ms, from, to, Protocol::Dtls(*content), *verdict));
    }
    record
}

const HELLO: DtlsContent = DtlsContent::Handshake(Some(1));
const SERVER: DtlsContent = DtlsContent::Handshake(Some(2));
const CERTIFICATE: DtlsContent = DtlsContent::Handshake(Some(11));

#[test]
fn a_flight_that_is_lost_and_not_resent_is_named() {
    let record = stuck_in_dtls(&[
        (HELLO, "callee", Verdict::Delivered),
        (SERVER, "caller", Verdict::LostUp),
        (HELLO, "callee", Verdict::Delivered),
        (HELLO, "callee", Verdict::Delivered),
    ]);
    let sentence = "ICE connected at 1.3 s, DTLS did not: flight 4 of caller was lost at 1.3 s, and `webrtc` 0.21.1 never \
                    resent it";
    check(&record, CONNECTED, Code::DtlsFlightLost, sentence);
}

#[test]
fn a_flight_that_arrived_when_it_was_resent_is_not_to_blame() {
    let record = stuck_in_dtls(&[
        (HELLO, "callee", Verdict::Delivered),
        (SERVER, "caller", Verdict::LostUp),
        (SERVER, "caller", Verdict::Delivered),
        (CERTIFICATE, "callee", Verdict::Delivered),
        (HELLO, "callee", Verdict::Delivered),
    ]);
    assert_eq!(cause_of(&record, CONNECTED).map(|cause| cause.code), Some(Code::DtlsNeverConnected));
}

#[test]
fn an_alert_after_the_certificate_is_about_its_fingerprint() {
    let refused = [
        (HELLO, "callee", Verdict::Delivered),
        (SERVER, "caller", Verdict::Delivered),
        (DtlsContent::Alert, "callee", Verdict::Delivered),
    ];
    let sentence = "ICE connected at 1.3 s, DTLS did not: callee refused the certificate of the other side at 1.4 s, which is \
                    not the one whose fingerprint was signalled";
    check(&stuck_in_dtls(&refused), CONNECTED, Code::DtlsFingerprintMismatch, sentence);
}

#[test]
fn nobody_who_begins_the_handshake_is_a_clash_of_roles() {
    let record = stuck_in_dtls(&[]);
    assert_eq!(cause_of(&record, CONNECTED).map(|cause| cause.code), Some(Code::DtlsRolesClash));
}

/// ICE never connects, and of `offered` checks of the caller so many are lost on its uplink.
fn checks_lost(offered: u64, lost: u64) -> RunRecord {
    let sketch = Sketch::never_connected(EndReason::ConnectTimeout).with(|sketch| {
        sketch.sent("callee", MessageKind::Answer, "caller");
        for side in ["caller", "callee"] {
            sketch.transition(1200, side, Machine::Ice, IceState::New.as_str(), IceState::Checking.as_str());
        }
    });
    let mut record = sketch.record();
    let request = Protocol::Stun { class: StunClass::Request, method: 1 };
    record.timeline.packets = (0..offered)
        .map(|n| {
            let verdict = if n < lost { Verdict::LostUp } else { Verdict::Delivered };
            packet(1300 + n, "caller", "callee", request, verdict)
        })
        .collect();
    record
}

#[test]
fn a_link_is_to_blame_from_a_quarter_lost_on() {
    let code = |record| cause_of(&record, CONNECTED).map(|cause| cause.code);
    assert_eq!(code(checks_lost(100, 25)), Some(Code::PacketLoss));
    assert_eq!(code(checks_lost(100, 24)), Some(Code::IceNeverConnected));
    // Too few to tell.
    assert_eq!(code(checks_lost(3, 3)), Some(Code::IceNeverConnected));
}

#[test]
fn media_that_is_sent_and_lost_nowhere_is_missing_one_way_or_both() {
    let both = "media = [{ audio = \"both-ways\" }]";
    let silent = |names: &[&str]| {
        let mut sketch = Sketch::connected();
        for name in names {
            sketch = sketch.change_peer(name, |peer| peer.received.clear());
        }
        for name in ["caller", "callee"] {
            sketch = sketch.change_peer(name, |peer| peer.sent = [(MediaKind::Audio, 50)].into());
        }
        let mut record = sketch.record();
        let sent = (0..50).map(|n| packet(1600 + n, "caller", "callee", Protocol::Srtp, Verdict::Delivered));
        record.timeline.packets.extend(sent);
        record
    };
    let sentence =
        "caller sent 50 packets of audio, and none arrived at callee, while the other direction works";
    check(&silent(&["callee"]), both, Code::MediaOneWay, sentence);
    let sentence = "caller sent 50 packets of audio, and none arrived at callee";
    check(&silent(&["callee", "caller"]), both, Code::MediaNotReceived, sentence);
}

#[test]
fn what_nothing_explains_is_its_own_cause() {
    check(
        &Sketch::connected().record(),
        "offers = 7",
        Code::Offers,
        "offers: expected exactly 7, 1 were sent",
    );
}

#[test]
fn lines_are_those_around_the_moment() {
    let record = Sketch::connected().record();
    let at = VirtualTime::from_millis(1100);
    let lines = excerpt(&record.timeline, &Cause::new(Code::Outcome, at, "x"));
    let times: Vec<&str> = lines.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(times.first(), Some(&"1000"));
    assert!(times.contains(&"1121") && !times.contains(&"1540"), "{times:?}");
}
