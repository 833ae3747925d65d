//! Plans and records made by hand, for the tests of what judges them.

use std::{collections::BTreeMap, time::Duration};

use netsim::Escape;
use timeline::{
    CallState, CandidateAddress, CandidateFate, CandidateRef, CandidateType, Digest, EndReason, Entry, Event,
    IceProtocol, Machine, MediaKind, MessageKind, MessageRef, Name, PacketRecord, Protocol, State, StunClass,
    TcpFlags, Timeline, Transit, Trickle, Verdict, VirtualTime,
};

use crate::{
    plan::Plan,
    record::{
        CandidateCounts, Leftovers, MediaFlow, NotUnderstood, PeerRecord, RunRecord, SignallingRecord,
        WorldEnd,
    },
};

/// The number of the caller's first message.
const OFFER: u64 = 1;

/// Two people, one call dialled at 1 s and hung up at 4 s, and `expect` as lines of `[expect]`.
pub(crate) fn plan(expect: &str) -> Plan {
    plan_with("", expect)
}

/// The same with more `steps`, which stand between dial and hang-up.
pub(crate) fn plan_with(steps: &str, expect: &str) -> Plan {
    let text = format!(
        r#"version = 1
summary = "Two people talk."
[peers.caller]
[peers.callee]
[[steps]]
at = "1s"
caller = {{ dial = "callee" }}
{steps}
[[steps]]
at = "4s"
caller = "hang-up"
[expect]
{expect}
"#
    );
    Plan::from_toml("test/sketch", &text).unwrap_or_else(|error| panic!("{:#?}", error.problems()))
}

/// A run of that plan, told in a few words and changed from there.
#[derive(Clone)]
pub(crate) struct Sketch {
    record: RunRecord,
    /// The candidates that the caller has sent; the place of each is the number of its message.
    candidates: Vec<&'static str>,
}

impl Sketch {
    /// A call that goes well: connected after 540 ms at the caller, 560 ms at the callee.
    pub(crate) fn connected() -> Self {
        let mut sketch = Self::never_connected(EndReason::HungUp);
        sketch.transition(1540, "caller", Machine::Connection, "connecting", "connected");
        sketch.transition(1540, "caller", Machine::Call, "connecting", "connected");
        sketch.transition(1560, "callee", Machine::Call, "connecting", "connected");
        for (at, name, from) in [(1540, "caller", "callee"), (1560, "callee", "caller")] {
            let peer = sketch.peer(name);
            peer.connected_at = Some(VirtualTime::from_millis(at));
            for kind in [MediaKind::Audio, MediaKind::Video] {
                let mut flow = MediaFlow::default();
                (0..100).for_each(|n| flow.packet(VirtualTime::from_millis(at + 20 + n * 20)));
                peer.received.insert((from.into(), kind), flow);
            }
        }
        sketch
    }

    /// A call that was taken, exchanged one candidate, and ended for `reason` on both sides at 4 s.
    pub(crate) fn never_connected(reason: EndReason) -> Self {
        let record = RunRecord {
            seed: 7,
            end: WorldEnd::Finished,
            timeline: Timeline { entries: Vec::new(), packets: vec![check_answer(1210)] },
            digest: Digest::new(),
            elapsed: VirtualTime::from_millis(4100),
            cpu: Some(Duration::from_millis(2)),
            peers: ["caller", "callee"].map(|name| (Name::from(name), PeerRecord::default())).into(),
            signalling: SignallingRecord::default(),
            leftovers: BTreeMap::new(),
            escapes: Vec::new(),
            not_understood: Vec::new(),
            lateness: None,
            relay_log: None,
            payloads: Vec::new(),
        };
        let mut sketch = Self { record, candidates: Vec::new() };
        sketch.entry(1000, "caller", Event::Action { what: "dials callee".into() });
        sketch.transition(1000, "caller", Machine::Call, "idle", "dialling");
        sketch.transition(1040, "callee", Machine::Call, "idle", "ringing");
        sketch.transition(1080, "caller", Machine::Call, "dialling", "ringing");
        sketch.negotiate();
        for name in ["caller", "callee"] {
            sketch.transition(4000, name, Machine::Call, "connected", "ended: hung-up");
            let peer = sketch.peer(name);
            peer.call_state = CallState::Ended(reason);
            peer.end_reason = Some(reason);
        }
        sketch
    }

    fn negotiate(&mut self) {
        let kind = MessageKind::Offer;
        let sent = Event::MessageSent { id: OFFER, kind, to: "callee".into(), detail: "".into() };
        let received = Event::MessageReceived { id: OFFER, kind, from: "caller".into(), detail: "".into() };
        self.entry(1100, "caller", sent);
        self.candidate_sent(1101, "host udp 10.0.0.1:50000");
        self.entry(1120, "callee", received);
        self.transition(1121, "callee", Machine::Signaling, "stable", "have-remote-offer");
        self.candidate_received(1122, "host udp 10.0.0.1:50000");
        self.candidate(1122, "host udp 10.0.0.1:50000", CandidateFate::Applied);
        self.peer("caller").offers_sent = 1;
        self.peer("callee").candidates = CandidateCounts { received: 1, applied: 1, ..Default::default() };
    }

    pub(crate) fn record(self) -> RunRecord {
        let mut record = self.record;
        record.timeline.sort();
        record
    }

    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.record.seed = seed;
        self.record.digest.update_u64(seed);
        self
    }

    pub(crate) fn ends(mut self, caller: EndReason, callee: EndReason) -> Self {
        self.peer("caller").end_reason = Some(caller);
        self.peer("callee").end_reason = Some(callee);
        self
    }

    pub(crate) fn without_media(mut self) -> Self {
        self.record.peers.values_mut().for_each(|peer| peer.received.clear());
        self
    }

    pub(crate) fn without_video_to(mut self, name: &str) -> Self {
        self.peer(name).received.retain(|(_, kind), _| *kind != MediaKind::Video);
        self
    }

    pub(crate) fn world_end(mut self, end: WorldEnd) -> Self {
        self.record.end = end;
        self
    }

    pub(crate) fn escaped(mut self, escape: Escape) -> Self {
        self.record.end = WorldEnd::Escaped;
        self.record.escapes.push(escape);
        self
    }

    pub(crate) fn not_understood(mut self, step: NotUnderstood) -> Self {
        self.record.not_understood.push(step);
        self
    }

    pub(crate) fn left(mut self, host: &str, left: Leftovers) -> Self {
        self.record.leftovers.insert(host.into(), left);
        self
    }

    pub(crate) fn change_peer(mut self, name: &str, change: impl FnOnce(&mut PeerRecord)) -> Self {
        change(self.peer(name));
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// A machine moves between two states, in words: `connecting`, `ended: hung-up`.
    pub(crate) fn transition(&mut self, ms: u64, actor: &str, machine: Machine, from: &str, to: &str) {
        let (from, to) = (state(machine, from), state(machine, to));
        self.entry(ms, actor, Event::Transition { from, to, cause: None });
    }

    /// The caller sends a candidate to the callee.
    pub(crate) fn candidate_sent(&mut self, ms: u64, candidate: &'static str) {
        self.candidates.push(candidate);
        let (id, kind) = (self.number(candidate), MessageKind::Candidate);
        self.entry(
            ms,
            "caller",
            Event::MessageSent { id, kind, to: "callee".into(), detail: candidate.into() },
        );
    }

    /// A peer sends a message.
    pub(crate) fn sent(&mut self, actor: &str, kind: MessageKind, to: &str) {
        self.entry(1200, actor, Event::MessageSent { id: 99, kind, to: to.into(), detail: "".into() });
    }

    /// The callee receives a candidate from the caller.
    pub(crate) fn candidate_received(&mut self, ms: u64, candidate: &'static str) {
        let (id, kind) = (self.number(candidate), MessageKind::Candidate);
        let (from, detail) = ("caller".into(), candidate.into());
        self.entry(ms, "callee", Event::MessageReceived { id, kind, from, detail });
    }

    /// Something becomes of a candidate at the callee.
    pub(crate) fn candidate(&mut self, ms: u64, candidate: &'static str, fate: CandidateFate) {
        let message = Some(MessageRef { from: "caller".into(), id: self.number(candidate) });
        let candidate = candidate_of(candidate).map_or(Trickle::Unreadable, Trickle::Candidate);
        self.entry(ms, "callee", Event::Candidate { fate, candidate, message, error: None });
    }

    /// The number of the message with this candidate; one that was not sent has another one.
    fn number(&self, candidate: &str) -> u64 {
        let place = self.candidates.iter().position(|sent| *sent == candidate);
        place.map_or(1000, |place| OFFER + 1 + place as u64)
    }

    /// A host sends a TCP segment to the signaller.
    pub(crate) fn tcp_segment(&mut self, ms: u64, host: &str, verdict: Verdict) {
        let protocol = Protocol::Tcp(TcpFlags::default());
        let to_host = Some("signaller".into());
        let packet = PacketRecord { protocol, verdict, from_host: host.into(), to_host, ..check_answer(ms) };
        self.record.timeline.packets.push(packet);
    }

    /// The script does something to the network.
    pub(crate) fn fault(&mut self, ms: u64) {
        self.entry(ms, Plan::NETWORK, Event::Fault { what: "sketch".into() });
    }

    /// A peer gathers a candidate.
    pub(crate) fn gathered(&mut self, actor: &str, candidate: &'static str) {
        let candidate = Trickle::Candidate(candidate_of(candidate).expect("a candidate"));
        let fate = CandidateFate::Gathered;
        self.entry(1100, actor, Event::Candidate { fate, candidate, message: None, error: None });
    }

    /// A peer selects a candidate pair.
    pub(crate) fn selected(&mut self, actor: &str, local: &'static str, remote: &'static str) {
        let [local, remote] = [local, remote].map(|text| candidate_of(text).expect("a candidate"));
        self.entry(1540, actor, Event::PairSelected { local, remote });
    }

    fn entry(&mut self, ms: u64, actor: &str, event: Event) {
        let entry = Entry { at: VirtualTime::from_millis(ms), actor: actor.into(), event };
        self.record.timeline.entries.push(entry);
    }

    fn peer(&mut self, name: &str) -> &mut PeerRecord {
        self.record.peers.get_mut(name).expect("a peer of the sketch")
    }
}

/// `connecting`, `ended: hung-up`.
fn state(machine: Machine, word: &str) -> State {
    match word.strip_prefix("ended: ").and_then(EndReason::from_word) {
        Some(reason) => State::Call(CallState::Ended(reason)),
        None => machine.state(word).expect("a state"),
    }
}

/// `host udp 10.0.0.1:50000`.
fn candidate_of(text: &str) -> Option<CandidateRef> {
    let mut words = text.split(' ');
    Some(CandidateRef {
        kind: CandidateType::from_word(words.next()?)?,
        protocol: IceProtocol::from_word(words.next()?)?,
        address: CandidateAddress::parse(words.next()?)?,
    })
}

/// The callee's answer to the caller's first connectivity check.
fn check_answer(ms: u64) -> PacketRecord {
    PacketRecord {
        at: VirtualTime::from_millis(ms),
        from_host: "callee".into(),
        to_host: Some("caller".into()),
        from: "10.0.0.2:50000".parse().expect("an address"),
        to: "10.0.0.1:50000".parse().expect("an address"),
        protocol: Protocol::Stun { class: StunClass::Success, method: 1 },
        len: 80,
        verdict: Verdict::Delivered,
        translated: None,
        transit: Transit::default(),
    }
}
