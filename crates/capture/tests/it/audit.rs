//! Each rule, by a call that it speaks of and one next to it of which it does not.

use capture::{
    Trace,
    audit::{Code, audit, verdict, waits},
    trace::{Gap, PeerEvent},
};
use timeline::Machine;

use crate::{
    fixtures::{capture_of, root},
    script::trace,
};

/// What two peers need to be connected.
const CONNECTED: &str = "
    0 a offers A1
    1 a found A1 host
    10 b gets offer A1
    15 b answers B1
    16 b found B1 host
    17 b adds A1 host
    30 a gets answer B1
    32 a adds B1 host
    40 a ice checking
    40 b ice checking
    45 a connection connecting
    50 a ice connected
    50 b ice connected
    90 a connection connected
    90 b connection connected
";

/// The codes of a script without those that speak of kinds of candidates, as `code@peer`, warnings with `!`,
/// errors with `!!`.
fn codes(script: &str) -> String {
    let findings = audit(&trace(script));
    let quiet = [Code::OnlyHostCandidates, Code::SlowStep];
    let loud = findings.iter().filter(|finding| !quiet.contains(&finding.code)).map(|finding| {
        let peer = finding.peer.as_ref().map_or("-", |peer| peer.as_str());
        let mark = match finding.severity.as_str() {
            "error" => "!!",
            "warning" => "!",
            _ => "",
        };
        format!("{}@{peer}{mark}", finding.code)
    });
    loud.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(script: &str, expect: &str) {
    assert_eq!(codes(script), expect);
}

#[track_caller]
fn check_after_connected(script: &str, expect: &str) {
    check(&format!("{CONNECTED}{script}"), expect);
}

#[test]
fn a_connected_call_says_nothing() {
    check_after_connected("2000 a closes\n2010 b closes", "");
}

#[test]
fn candidates_that_the_browser_refused() {
    let early = "
        0 a offers A1
        1 a found A1 host
        5 b adds! A1 host The remote description was null
        10 b gets offer A1
        15 b answers B1
        20 a gets answer B1
        20 a ice checking
        12000 a connection failed";
    check(
        early,
        "candidate-before-remote-description@callee!! ice-never-connected@callee!! ice-never-connected@caller!!",
    );
    check_after_connected("60 b adds! A9 host Error processing ICE candidate", "candidate-rejected@callee!");
}

#[test]
fn candidates_of_an_ignored_offer_may_be_refused() {
    check(
        &format!(
            "{}{}",
            "0 a offers A1\n1 b offers B9\n2 b found B9 host\n",
            CONNECTED.replace("0 a offers A1\n", "").replace(
                "32 a adds B1 host",
                "32 a adds B1 host\n33 a adds! B9 host Error processing ICE candidate"
            )
        ),
        "glare@- glare-rolled-back@callee",
    );
}

#[test]
fn early_candidates_are_held_or_dropped() {
    let call = "
        0 a offers A1
        1 a found A1 host
        2 in a offer A1
        2 in a candidate A1 host
        3 out b candidate A1 host
        1203 out b offer A1
        1210 b gets offer A1
        1215 b answers B1
        1216 b found B1 host
        1217 in b answer B1
        1217 in b candidate B1 host
        1218 out a answer B1
        1219 out a candidate B1 host
        1220 a gets answer B1
        1222 a adds B1 host
        1222 a ice checking";
    let held = format!(
        "{call}\n1216 b adds A1 host\n1300 a connection connected\n1300 b connection connected\n3000 a closes"
    );
    check(&sorted(&held), "early-candidates-held@b");
    let dropped = format!("{call}\n13000 a connection failed\n13000 b connection failed");
    let trace = trace(&dropped);
    let findings = audit(&trace);
    let said = verdict(&trace, &findings);
    assert_eq!(
        said,
        "The call never connected: 1 candidate reached b 1.2 s before the description that they belong to was \
         applied, and the app dropped them."
    );
}

/// The lines of a script in the order of their times.
fn sorted(script: &str) -> String {
    let mut lines: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.sort_by_key(|line| line.split_once(' ').unwrap().0.parse::<u64>().unwrap());
    lines.join("\n")
}

/// A call over the relay that fails, with what `a` does about its candidates.
fn relayed(of_a: &str) -> String {
    sorted(&format!(
        "0 a offers A1
        2 in a offer A1
        3 out b offer A1
        10 b gets offer A1
        15 b answers B1
        16 b found B1 host
        17 in b answer B1
        17 in b candidate B1 host
        18 out a answer B1
        19 out a candidate B1 host
        20 a gets answer B1
        22 a adds B1 host
        22 a ice checking
        22 b ice checking
        13000 a connection failed
        13000 b connection failed
        {of_a}"
    ))
}

#[test]
fn candidates_are_followed_on_their_way() {
    let failed = "ice-never-connected@a!! ice-never-connected@b!!";
    let on_its_way =
        "1 a found A1 host\n4 in a candidate A1 host\n5 out b candidate A1 host\n12 b adds A1 host";
    check(&relayed(on_its_way), failed);
    let never_sent = "1 a found A1 host";
    check(&relayed(never_sent), failed);
    let one_of_two = "1 a found A1 host\n1 a found A1 srflx\n4 in a candidate A1 srflx\n5 out b candidate A1 srflx\n12 b adds A1 srflx";
    check(&relayed(one_of_two), &format!("candidates-never-relayed@a! {failed}"));
    let lost = "1 a found A1 host\n4 in a candidate A1 host";
    check(&relayed(lost), &format!("candidates-never-relayed@a!! {failed}"));
    let dropped = "1 a found A1 host\n4 in a candidate A1 host\n4 drop a candidate A1 host";
    check(&relayed(dropped), &format!("candidates-never-relayed@a!! {failed}"));
    let not_applied = "1 a found A1 host\n4 in a candidate A1 host\n12 out b candidate A1 host";
    check(&relayed(not_applied), &format!("candidates-never-applied@a!! {failed}"));
}

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
    assert!(lost.iter().any(|finding| finding.code == Code::OfferUnanswered));
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
    let again = |words: &str| {
        format!(
            "0 in a offer A1\n5 out b offer A1\n20 in b answer B1\n21 out a answer B1\n1000 in a offer {words}\n1005 out b offer {words}\n1020 in b answer B1\n1021 out a answer B1"
        )
    };
    check(&again("A1 video"), "renegotiation@a track-added@a");
    check(&again("A2"), "ice-restart@a");
}

#[test]
fn a_track_that_is_sent_no_longer() {
    let fewer = "0 in a offer A1 video\n5 out b offer A1 video\n20 in b answer B1\n21 out a answer B1\n1000 in a offer A1\n1005 out b offer A1\n1020 in b answer B1\n1021 out a answer B1";
    assert!(codes(fewer).contains("track-removed@a"), "{}", codes(fewer));
}

#[test]
fn a_capture_that_was_cut_says_so() {
    let path = crate::fixtures::root().join("happy-av/rtcstats.txt");
    let whole = std::fs::read(path).unwrap();
    let found = |bytes: &[u8]| {
        let recording =
            capture::read("dump", bytes, &capture::Mappings::default(), &capture::Limits::default());
        let calls = capture::merge(vec![recording.unwrap()]).calls;
        audit(&calls[0]).iter().any(|finding| finding.code.as_str() == "partial-capture")
    };
    assert!(!found(&whole));
    // In the middle of a line.
    assert!(found(&whole[..whole.len() - 60]));
}

#[test]
fn kinds_of_candidates() {
    let only = |kind: &str| {
        let candidates = CONNECTED.replace(" host", &format!(" {kind}"));
        audit(&trace(&candidates)).iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(only("host"), "only-host-candidates only-host-candidates");
    assert_eq!(only("mdns"), "mdns-only mdns-only");
    assert_eq!(only("relay"), "relay-only relay-only");
    assert_eq!(only("srflx"), "");
}

#[test]
fn no_candidates_at_all() {
    let bare: String =
        CONNECTED.lines().filter(|line| !line.contains("B1 host")).collect::<Vec<_>>().join("\n");
    check(&format!("{bare}\n2000 b gathering complete\n2001 b closes"), "no-candidates@callee");
    check(&format!("{bare}\n2001 b closes"), "");
}

#[test]
fn servers_that_refuse() {
    let error = |code: &str| {
        format!(
            "0 a offers A1\n5 a error {code} Unauthorized\n6 a gathering complete\n10 b gets offer A1\n12 b answers B1\n13 b found B1 relay\n20 a gets answer B1\n21 a adds B1 relay\n30000 a closes"
        )
    };
    assert!(codes(&error("401")).contains("turn-unauthorized@caller!!"));
    assert!(codes(&error("701")).contains("ice-server-error@caller!"));
    assert!(!codes(&error("701")).contains("turn-unauthorized"));
}

#[test]
fn gathering_that_does_not_end() {
    check_after_connected("91 a gathering gathering\n10090 a closes", "");
    check_after_connected("91 a gathering gathering\n10091 a closes", "gathering-never-completed@caller");
    check_after_connected("91 a gathering gathering\n92 a gathering complete\n90091 a closes", "");
}

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

#[test]
fn codes_are_words_that_do_not_change() {
    let words: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    insta::assert_snapshot!(words.join("\n"));
}

/// What the tests and the snapshots of fixtures expect, without the list of the words themselves.
fn expectations() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let sources =
        std::fs::read_dir(&folder).unwrap().chain(std::fs::read_dir(folder.join("snapshots")).unwrap());
    let paths = sources.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let paths = paths.filter(|path| !path.to_string_lossy().contains("codes_are_words"));
    paths.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_code_is_expected_by_some_test_or_fixture() {
    let expectations = expectations();
    let expected = |word: &str| {
        [format!("{word}@"), format!(" {word} "), format!("\"{word}\""), format!("\"{word} ")]
            .iter()
            .any(|written| expectations.contains(written.as_str()))
    };
    let missing: Vec<&str> =
        Code::ALL.iter().map(|code| code.as_str()).filter(|word| !expected(word)).collect();
    assert!(missing.is_empty(), "nothing expects {missing:?}");
}

fn only_call(file: &str) -> Trace {
    let mut calls = capture_of(&[root().join(file)]).calls;
    assert_eq!(calls.len(), 1, "{file}");
    calls.remove(0)
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
fn of_a_connection_that_stood_already_nothing_is_said_but_that() {
    let mut trace = only_call("hand-made/opened-late.webrtc-internals.json");
    for (state, was) in [("connected", "was connected"), ("failed", "had failed")] {
        for entry in trace.peers[0].connections.iter_mut().flat_map(|connection| &mut connection.entries) {
            if let PeerEvent::State { machine: Machine::Connection | Machine::Ice, to } = &mut entry.event {
                state.clone_into(to);
            }
        }
        let findings = audit(&trace);
        let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::PartialCapture], "{state}");
        let expect = format!("The call {was} when the capture began; how it came to that is not in it.");
        assert_eq!(verdict(&trace, &findings), expect);
    }
}

#[test]
fn of_a_call_that_lacks_a_part_no_failure_is_claimed() {
    let mut trace = trace("0 a offers A1\n10 b gets offer A1");
    let whole = verdict(&trace, &audit(&trace));
    assert!(whole.starts_with("The call never connected"), "{whole}");
    trace.sources[0].gaps.push(Gap { line: 3, offset: 99, what: "the file ends in the middle".to_owned() });
    let cut = verdict(&trace, &audit(&trace));
    let expect = "As far as the capture goes, which lacks a part, the call never connected";
    assert!(cut.starts_with(expect), "{cut}");
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
