//! Rules about connections that do not come about or are lost, and about media.

use capture::audit::{Code, audit, verdict, waits};

use super::{CONNECTED, check, check_after_connected, codes, sorted};
use crate::script::trace;

#[test]
fn connections_that_do_not_come_about() {
    let until_ice: String = CONNECTED.lines().take(11).collect::<Vec<_>>().join("\n");
    check(&format!("{until_ice}\n2039 a closes\n2039 b closes"), "");
    check(
        &format!("{until_ice}\n2040 a closes\n2041 b closes"),
        "ice-never-connected@callee! ice-never-connected@caller!",
    );
    check(
        &format!("{until_ice}\n40 b connection connecting\n15000 a connection failed\n15000 b closes"),
        "ice-never-connected@callee!! ice-never-connected@caller!!",
    );
    let until_dtls: String = CONNECTED.lines().take(14).collect::<Vec<_>>().join("\n");
    check(&format!("{until_dtls}\n50 b connection connecting\n3049 a closes\n3049 b closes"), "");
    check(
        &format!("{until_dtls}\n50 b connection connecting\n3050 a closes\n3050 b closes"),
        "dtls-never-connected@callee!! dtls-never-connected@caller!!",
    );
}

#[test]
fn connections_that_are_lost() {
    let lost = "5000 a connection disconnected\n";
    check_after_connected(
        &format!("{lost}7000 a connection connected\n9000 a closes"),
        "connection-lost-and-recovered@caller!",
    );
    check_after_connected(
        &format!(
            "{lost}5000 b connection disconnected\n15000 a connection failed\n15000 b connection failed"
        ),
        "connection-lost@callee!! connection-lost@caller!!",
    );
    check_after_connected(
        "1000 b closes\n5000 a connection disconnected\n15000 a connection failed",
        "remote-vanished@caller!! connection-lost@caller!!",
    );
    // A tab that crashed writes nothing more.
    check_after_connected(
        &format!("{lost}15000 a connection failed"),
        "remote-vanished@caller!! connection-lost@caller!!",
    );
}

#[test]
fn who_leaves_the_signalling_without_a_word() {
    let answered = "0 in a offer A1\n5 out b offer A1\n20 in b answer B1\n21 out a answer B1\n";
    check(&format!("{answered}5000 closed b"), "remote-vanished@a!");
    check(&format!("{answered}4999 in b bye hangup\n5000 closed b"), "");
}

#[test]
fn media_that_is_switched_or_denied() {
    check_after_connected(
        "2 in a offer A1\n500 in a media-state off\n501 out b media-state off\n2000 a closes",
        "video-toggled@a",
    );
    let denied = codes("0 a offers A1\n1 a denied\n10 b gets offer A1\n9000 a closes");
    assert!(denied.contains("media-denied@caller!!"), "{denied}");
}

#[test]
fn who_negotiates_without_a_camera_does_not_fail_for_want_of_it() {
    let first = "0 a denied\n";
    let cause = |script: &str| {
        let trace = trace(script);
        verdict(&trace, &audit(&trace))
    };
    let unanswered = cause(&format!("{first}10 a offers A1\n30000 a closes"));
    assert!(unanswered.contains("microphone or camera"), "{unanswered}");
    let failed = cause(&format!(
        "{first}10 a offers A1\n20 b gets offer A1\n30 b answers B1\n40 a gets answer B1\n50 a ice checking\n\
         50 b ice checking\n15000 a connection failed\n15000 b connection failed"
    ));
    assert!(!failed.contains("microphone or camera"), "{failed}");
}

#[test]
fn waits_are_booked_to_their_causes() {
    let slow = CONNECTED
        .replace("30 a gets answer B1", "31 a ice checking\n6030 a gets answer B1")
        .replace("32 a adds", "6032 a adds");
    let slow = sorted(
        &slow.replace("90 a connection", "6090 a connection").replace("90 b connection", "6090 b connection"),
    );
    let trace = trace(&slow);
    let longest = &waits(&trace)[0];
    assert_eq!((longest.kind.to_string().as_str(), longest.took.as_millis()), ("DTLS", 6040));
    let findings = audit(&trace);
    let step = findings.iter().find(|finding| finding.code == Code::SlowStep).unwrap();
    assert_eq!(step.severity.as_str(), "warning");
}
