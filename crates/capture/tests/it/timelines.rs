//! Timelines of this project, read back as captures.

use std::borrow::Cow;

use capture::{
    Format, Limits, Mappings, Outcome, Trace,
    audit::{Code, audit},
    merge, read,
};
use timeline::{CandidateFate, Entry, Event, Machine, Timeline, VirtualTime};

fn entry(ms: u64, actor: &str, event: Event) -> Entry {
    Entry { at: VirtualTime::from_millis(ms), actor: actor.into(), event }
}

fn state(machine: Machine, from: &'static str, to: &'static str) -> Event {
    Event::Transition { machine, from: from.into(), to: to.into(), cause: "".into() }
}

fn sent(kind: &'static str, to: &str, detail: &'static str) -> Event {
    Event::MessageSent { kind: kind.into(), to: to.into(), detail: detail.into() }
}

fn received(kind: &'static str, from: &str, detail: &'static str) -> Event {
    Event::MessageReceived { kind: kind.into(), from: from.into(), detail: detail.into() }
}

fn candidate(fate: CandidateFate) -> Event {
    Event::Candidate { fate, candidate: Cow::Borrowed("host udp 10.0.0.1:50000") }
}

/// A call whose callee gets a candidate before the offer; what becomes of it at the end is `fate`.
fn trace(fate: CandidateFate) -> Trace {
    let entries = vec![
        entry(0, "anna", Event::Action { what: "dials".into() }),
        entry(1, "anna", state(Machine::Signaling, "stable", "have-local-offer")),
        entry(2, "anna", sent("offer", "bert", "round 1")),
        entry(3, "anna", candidate(CandidateFate::Gathered)),
        entry(3, "anna", sent("candidate", "bert", "host udp 10.0.0.1:50000")),
        entry(5, "bert", received("candidate", "anna", "host udp 10.0.0.1:50000")),
        entry(5, "bert", candidate(CandidateFate::Held)),
        entry(90, "bert", received("offer", "anna", "round 1")),
        entry(92, "bert", state(Machine::Signaling, "stable", "have-remote-offer")),
        entry(93, "bert", candidate(fate)),
        entry(95, "bert", state(Machine::Signaling, "have-remote-offer", "stable")),
        entry(96, "bert", sent("answer", "anna", "round 1")),
        entry(99, "anna", received("answer", "bert", "round 1")),
        entry(100, "anna", state(Machine::Signaling, "have-local-offer", "stable")),
        entry(300, "anna", state(Machine::Connection, "connecting", "connected")),
        entry(300, "bert", state(Machine::Connection, "connecting", "connected")),
        entry(5000, "anna", sent("bye", "bert", "hung-up")),
    ];
    let text = serde_json::to_string(&Timeline { entries, packets: Vec::new() }).unwrap();
    let recording = read("run", text.as_bytes(), &Mappings::default(), &Limits::default()).unwrap();
    assert_eq!(recording.format, Format::Timeline);
    merge(vec![recording]).calls.remove(0)
}

#[test]
fn a_timeline_is_a_call_with_both_sides() {
    let trace = trace(CandidateFate::Applied);
    assert_eq!((trace.outcome(), trace.began_us), (Outcome::Connected, 0));
    let peers: Vec<&str> = trace.peers.iter().map(|peer| peer.id.as_str()).collect();
    assert_eq!(peers, ["anna", "bert"]);
    let offer = trace.messages.iter().find(|message| message.signal.kind.as_str() == "offer").unwrap();
    let times = (offer.sent.map(VirtualTime::as_millis), offer.received.map(VirtualTime::as_millis));
    assert_eq!(times, (Some(2), Some(90)));
    let candidate =
        trace.messages.iter().find(|message| message.signal.kind.as_str() == "candidate").unwrap();
    assert_eq!(candidate.applied.as_ref().map(|applied| applied.at.as_millis()), Some(93));
    let codes: Vec<Code> = audit(&trace).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::OnlyHostCandidates, Code::EarlyCandidatesHeld]);
}

#[test]
fn a_rejected_candidate_of_a_timeline_is_a_finding() {
    let codes: Vec<Code> =
        audit(&trace(CandidateFate::Rejected)).iter().map(|finding| finding.code).collect();
    assert!(
        codes
            .iter()
            .any(|code| matches!(code, Code::CandidateRejected | Code::CandidateBeforeRemoteDescription)),
        "{codes:?}"
    );
}
