//! What is said of a call that the capture holds only a part of.

use capture::{
    audit::{Code, audit, verdict},
    trace::{Gap, PeerEvent},
};
use timeline::{ConnectionState, IceState, State};

use crate::{
    fixtures::{only_call, root},
    script::trace,
};

#[test]
fn a_capture_that_was_cut_says_so() {
    let path = root().join("happy-av/rtcstats.txt");
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
fn of_a_connection_that_stood_already_nothing_is_said_but_that() {
    let mut trace = only_call("hand-made/opened-late.webrtc-internals.json");
    let up = (IceState::Connected, ConnectionState::Connected, "was connected");
    let down = (IceState::Failed, ConnectionState::Failed, "had failed");
    for (ice, connection, was) in [up, down] {
        for entry in trace.peers[0].connections.iter_mut().flat_map(|connection| &mut connection.entries) {
            match &mut entry.event {
                PeerEvent::State { to: State::Ice(state) } => *state = ice,
                PeerEvent::State { to: State::Connection(state) } => *state = connection,
                _ => {}
            }
        }
        let findings = audit(&trace);
        let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::PartialCapture], "{was}");
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
