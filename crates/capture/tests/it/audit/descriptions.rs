//! Rules about offers and answers.

use capture::audit::{Code, audit};

use super::{check, check_after_connected, codes};
use crate::{fixtures::only_call, script::trace};

#[test]
fn glare_resolved_and_not() {
    check(
        "0 a offers A1
        1 b offers B9
        10 b gets offer A1
        15 b answers B1
        20 a gets answer B1
        50 a connection connected
        50 b connection connected
        900 a closes",
        "glare@- glare-rolled-back@callee",
    );
    check(
        "0 a offers A1
        1 b offers B1
        10 a gets offer B1
        10 b gets offer A1
        15 a answers A2
        15 b answers B2
        20 a gets! answer B2 Failed to set remote answer sdp: Called in wrong state: stable
        20 b gets! answer A2 Failed to set remote answer sdp: Called in wrong state: stable
        3000 a closes",
        "glare@- glare-unresolved@-!! ice-never-connected@callee! ice-never-connected@caller! \
         description-in-wrong-state@callee!! description-in-wrong-state@caller!!",
    );
}

#[test]
fn offers_in_turn_are_no_glare() {
    check_after_connected(
        "1000 b offers B2
        1010 a gets offer B2
        1015 a answers A2
        1020 b gets answer A2
        2000 a closes",
        "ice-restart@callee",
    );
}

#[test]
fn descriptions_that_were_refused() {
    let refused = |why: &str| format!("0 a offers A1\n10 b gets! offer A1 {why}\n9000 a closes");
    check(
        &refused("Failed to parse SessionDescription"),
        "offer-unanswered@caller! description-refused@callee!!",
    );
    check_after_connected(
        "100 a gets! answer B1 Called in wrong state: stable\n2000 a closes",
        "description-in-wrong-state@caller!!",
    );
}

#[test]
fn offers_without_an_answer() {
    check(
        "0 in a offer A1\n5 out b offer A1\n8000 in a bye no-answer\n8001 out b bye no-answer",
        "offer-unanswered@a!",
    );
    check(
        "0 in a offer A1\n5 out b offer A1\n900 in b reject busy\n901 out a reject busy",
        "call-rejected@b",
    );
    check(
        "0 in a offer A1\n5 out b offer A1\n900 in b bye declined\n901 out a bye declined",
        "call-rejected@b",
    );
    let lost = audit(&trace("0 in a offer A1\n5 out b ringing\n6 in a ping\n8000 in a bye x"));
    assert!(lost.iter().any(|finding| finding.code == Code::OfferNotDelivered));
    assert!(lost.iter().all(|finding| finding.code != Code::OfferUnanswered));
}

#[test]
fn messages_that_come_twice_or_too_late() {
    let answered = "0 in a offer A1\n5 out b offer A1\n20 in b answer B1\n21 out a answer B1\n";
    check(answered, "");
    check(&format!("{answered}30 in a offer A1\n31 out b offer A1\n"), "duplicate-offer@a!");
    check(&format!("{answered}40 in b answer B2\n41 out a answer B2\n"), "stale-answer@b!");
    check(
        "0 in a offer A1\n5 out b offer A1\n10 in a offer A2\n20 in b answer B1\n21 out a answer B1\n30 out b offer A2\n40 in b answer B2\n41 out a answer B2",
        "stale-answer@b!",
    );
}

#[test]
fn later_negotiations() {
    let again = |words: &str, answer: &str| {
        format!(
            "0 in a offer A1\n5 out b offer A1\n20 in b answer B1\n21 out a answer B1\n1000 in a offer {words}\n1005 out b offer {words}\n1020 in b answer {answer}\n1021 out a answer {answer}"
        )
    };
    check(&again("A1 video", "B1 video"), "renegotiation@a track-added@a track-added@b");
    check(&again("A1 video", "B1"), "renegotiation@a track-added@a mid-mismatch@b!!");
    check(&again("A2", "B1"), "ice-restart@a");
}

#[test]
fn a_track_that_is_sent_no_longer() {
    let fewer = "0 in a offer A1 video\n5 out b offer A1 video\n20 in b answer B1\n21 out a answer B1\n1000 in a offer A1\n1005 out b offer A1\n1020 in b answer B1\n1021 out a answer B1";
    assert!(codes(fewer).contains("track-removed@a"), "{}", codes(fewer));
}

#[test]
fn a_server_that_does_not_count_versions_offers_something_new() {
    let trace = only_call("hand-made/sfu.rtcstats-server.txt");
    let codes: Vec<Code> = audit(&trace).into_iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::Renegotiation]);
    let kinds: Vec<&str> = trace.messages.iter().map(|message| message.signal.kind.as_str()).collect();
    let descriptions: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "candidate").collect();
    assert_eq!(descriptions, ["offer", "answer", "offer", "answer"]);
}

#[test]
fn what_a_client_applies_again_by_itself_is_no_fault() {
    let once = "10 b gets offer A1\n15 b answers B1\n";
    let alone = "2000 b gets offer A1\n2010 b answers B2\n";
    let alone = codes(&format!("{once}{alone}"));
    assert!(
        alone.contains("duplicate-offer@callee") && !alone.contains("duplicate-offer@callee!"),
        "{alone}"
    );
    assert!(!alone.contains("stale-answer"), "{alone}");
}
