//! Timelines of this project, read back as captures.

use capture::{
    Format, Limits, Mappings, Outcome, Trace,
    audit::{Code, audit},
    merge, read,
};
use timeline::{
    CandidateAddress, CandidateFate, CandidateRef, CandidateType, Entry, Event, IceProtocol, Machine,
    MessageKind, Timeline, Trickle, VirtualTime,
};

fn entry(ms: u64, actor: &str, event: Event) -> Entry {
    Entry { at: VirtualTime::from_millis(ms), actor: actor.into(), event }
}

fn state(machine: Machine, from: &str, to: &str) -> Event {
    let state = |word| machine.state(word).expect("a state");
    Event::Transition { from: state(from), to: state(to), cause: None }
}

fn sent(kind: MessageKind, to: &str, detail: &'static str) -> Event {
    Event::MessageSent { id: 1, kind, to: to.into(), detail: detail.into() }
}

fn received(kind: MessageKind, from: &str, detail: &'static str) -> Event {
    Event::MessageReceived { id: 1, kind, from: from.into(), detail: detail.into() }
}

fn candidate(fate: CandidateFate) -> Event {
    let candidate = Trickle::Candidate(CandidateRef {
        kind: CandidateType::Host,
        protocol: IceProtocol::Udp,
        address: CandidateAddress::new("10.0.0.1", 50000),
    });
    let error = (fate == CandidateFate::Rejected).then(|| "no such component".into());
    Event::Candidate { fate, candidate, message: None, error }
}

/// A call whose callee gets a candidate before the offer; what becomes of it at the end is `fate`.
fn trace(fate: CandidateFate) -> Trace {
    let entries = vec![
        entry(0, "anna", Event::Action { what: "dials".into() }),
        entry(1, "anna", state(Machine::Signaling, "stable", "have-local-offer")),
        entry(2, "anna", sent(MessageKind::Offer, "bert", "round 1")),
        entry(3, "anna", candidate(CandidateFate::Gathered)),
        entry(3, "anna", sent(MessageKind::Candidate, "bert", "host udp 10.0.0.1:50000")),
        entry(5, "bert", received(MessageKind::Candidate, "anna", "host udp 10.0.0.1:50000")),
        entry(5, "bert", candidate(CandidateFate::Held)),
        entry(90, "bert", received(MessageKind::Offer, "anna", "round 1")),
        entry(92, "bert", state(Machine::Signaling, "stable", "have-remote-offer")),
        entry(93, "bert", candidate(fate)),
        entry(95, "bert", state(Machine::Signaling, "have-remote-offer", "stable")),
        entry(96, "bert", sent(MessageKind::Answer, "anna", "round 1")),
        entry(99, "anna", received(MessageKind::Answer, "bert", "round 1")),
        entry(100, "anna", state(Machine::Signaling, "have-local-offer", "stable")),
        entry(300, "anna", state(Machine::Connection, "connecting", "connected")),
        entry(300, "bert", state(Machine::Connection, "connecting", "connected")),
        entry(5000, "anna", sent(MessageKind::Bye, "bert", "hung-up")),
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

/// Version 1 of a timeline with this event between the states of a connection.
fn version_1(event: &str) -> Vec<String> {
    let state = |at: u32, to| {
        format!(
            r#"{{"at":{at},"actor":"anna","event":"transition","machine":"connection","from":"new","to":"{to}","cause":""}}"#
        )
    };
    let (first, last) = (state(1, "connecting"), state(9_000_000, "connected"));
    let event = format!(r#"{{"at":5000000,"actor":"anna",{event}}}"#);
    let text = format!(r#"{{"entries":[{first},{event},{last}],"packets":[]}}"#);
    let recording = read("run", text.as_bytes(), &Mappings::default(), &Limits::default()).unwrap();
    assert!(recording.gaps.is_empty(), "{:?}", recording.gaps);
    let entries = recording.connections[0].entries.iter();
    entries.map(|(_, event)| format!("{event:?}")).collect()
}

#[test]
fn version_1_said_everything_as_text() {
    let shown = |event: &str| {
        let texts = version_1(event);
        assert_eq!(texts.len(), 3, "{texts:?}");
        texts[1].clone()
    };
    let ended =
        r#""event":"transition","machine":"call","from":"connected","to":"ended: hung-up","cause":"hang-up""#;
    assert!(shown(ended).contains("call: ended: hung-up"));
    let refused =
        r#""event":"candidate","fate":"rejected","candidate":"srflx udp [2001:db8::1]:9: no such mid""#;
    let text = shown(refused);
    assert!(
        text.contains("candidate:0 1 udp 0 2001:db8::1 9 typ srflx")
            && text.contains("Failed(\"no such mid\")"),
        "{text}"
    );
    let error = r#""event":"candidate-error","detail":"turn:10.0.0.1:3478: 401 Unauthorized""#;
    let text = shown(error);
    assert!(
        text.contains("turn:10.0.0.1:3478") && text.contains("401") && text.contains("Unauthorized"),
        "{text}"
    );
    assert!(shown(r#""event":"track","change":"ended","kind":"audio""#).contains("Ended"));
}
