//! Plans and records made by hand, for the tests of what judges them.

use std::{collections::BTreeMap, time::Duration};

use netsim::Escape;
use timeline::{
    CandidateFate, Digest, Entry, Event, Machine, Name, PacketRecord, Protocol, StunClass, TcpFlags,
    Timeline, Transit, Verdict, VirtualTime,
};

use crate::{
    plan::{MediaKind, Plan},
    record::{CandidateCounts, Leftovers, MediaFlow, PeerRecord, RunRecord, SignallingRecord, WorldEnd},
};

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
pub(crate) struct Sketch(RunRecord);

impl Sketch {
    /// A call that goes well: connected after 540 ms at the caller, 560 ms at the callee.
    pub(crate) fn connected() -> Self {
        let mut sketch = Self::never_connected("hung-up");
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
    pub(crate) fn never_connected(reason: &str) -> Self {
        let mut sketch = Self(RunRecord {
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
        });
        sketch.entry(1000, "caller", Event::Action { what: "dials callee".into() });
        sketch.transition(1000, "caller", Machine::Call, "idle", "dialling");
        sketch.transition(1040, "callee", Machine::Call, "idle", "ringing");
        sketch.transition(1080, "caller", Machine::Call, "dialling", "ringing");
        sketch.negotiate();
        for name in ["caller", "callee"] {
            sketch.transition(4000, name, Machine::Call, "connected", "ended: hung-up");
            let peer = sketch.peer(name);
            peer.call_state = "ended".to_owned();
            peer.end_reason = Some(reason.to_owned());
        }
        sketch
    }

    fn negotiate(&mut self) {
        let sent = |kind: &'static str| Event::MessageSent {
            kind: kind.into(),
            to: "callee".into(),
            detail: "".into(),
        };
        let received = |kind: &'static str| Event::MessageReceived {
            kind: kind.into(),
            from: "caller".into(),
            detail: "".into(),
        };
        self.entry(1100, "caller", sent("offer"));
        self.candidate_sent(1101, "host udp 10.0.0.1:50000");
        self.entry(1120, "callee", received("offer"));
        self.transition(1121, "callee", Machine::Signaling, "stable", "have-remote-offer");
        self.candidate_received(1122, "host udp 10.0.0.1:50000");
        self.candidate(1122, "host udp 10.0.0.1:50000", CandidateFate::Applied);
        self.peer("caller").offers_sent = 1;
        self.peer("callee").candidates = CandidateCounts { received: 1, applied: 1, ..Default::default() };
    }

    pub(crate) fn record(self) -> RunRecord {
        let mut record = self.0;
        record.timeline.sort();
        record
    }

    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self.0.digest.update_u64(seed);
        self
    }

    pub(crate) fn ends(mut self, caller: &str, callee: &str) -> Self {
        self.peer("caller").end_reason = Some(caller.to_owned());
        self.peer("callee").end_reason = Some(callee.to_owned());
        self
    }

    pub(crate) fn without_media(mut self) -> Self {
        self.0.peers.values_mut().for_each(|peer| peer.received.clear());
        self
    }

    pub(crate) fn without_video_to(mut self, name: &str) -> Self {
        self.peer(name).received.retain(|(_, kind), _| *kind != MediaKind::Video);
        self
    }

    pub(crate) fn world_end(mut self, end: WorldEnd) -> Self {
        self.0.end = end;
        self
    }

    pub(crate) fn escaped(mut self, escape: Escape) -> Self {
        self.0.end = WorldEnd::Escaped;
        self.0.escapes.push(escape);
        self
    }

    pub(crate) fn left(mut self, host: &str, left: Leftovers) -> Self {
        self.0.leftovers.insert(host.into(), left);
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

    pub(crate) fn transition(
        &mut self,
        ms: u64,
        actor: &str,
        machine: Machine,
        from: &'static str,
        to: &'static str,
    ) {
        let event = Event::Transition { machine, from: from.into(), to: to.into(), cause: "sketch".into() };
        self.entry(ms, actor, event);
    }

    /// The caller sends a candidate to the callee.
    pub(crate) fn candidate_sent(&mut self, ms: u64, candidate: &'static str) {
        let (kind, to, detail) = ("candidate".into(), "callee".into(), candidate.into());
        self.entry(ms, "caller", Event::MessageSent { kind, to, detail });
    }

    /// A peer sends a message.
    pub(crate) fn sent(&mut self, actor: &str, kind: &'static str, to: &str) {
        let (kind, to, detail) = (kind.into(), to.into(), "".into());
        self.entry(1200, actor, Event::MessageSent { kind, to, detail });
    }

    /// The callee receives a candidate from the caller.
    pub(crate) fn candidate_received(&mut self, ms: u64, candidate: &'static str) {
        let (kind, from, detail) = ("candidate".into(), "caller".into(), candidate.into());
        self.entry(ms, "callee", Event::MessageReceived { kind, from, detail });
    }

    /// Something becomes of a candidate at the callee.
    pub(crate) fn candidate(&mut self, ms: u64, candidate: &'static str, fate: CandidateFate) {
        self.entry(ms, "callee", Event::Candidate { fate, candidate: candidate.into() });
    }

    /// A host sends a TCP segment to the signaller.
    pub(crate) fn tcp_segment(&mut self, ms: u64, host: &str, verdict: Verdict) {
        let protocol = Protocol::Tcp(TcpFlags::default());
        let to_host = Some("signaller".into());
        let packet = PacketRecord { protocol, verdict, from_host: host.into(), to_host, ..check_answer(ms) };
        self.0.timeline.packets.push(packet);
    }

    /// The script does something to the network.
    pub(crate) fn fault(&mut self, ms: u64) {
        self.entry(ms, Plan::NETWORK, Event::Fault { what: "sketch".into() });
    }

    /// A peer gathers a candidate.
    pub(crate) fn gathered(&mut self, actor: &str, candidate: &'static str) {
        let event = Event::Candidate { fate: CandidateFate::Gathered, candidate: candidate.into() };
        self.entry(1100, actor, event);
    }

    /// A peer selects a candidate pair.
    pub(crate) fn selected(&mut self, actor: &str, local: &'static str, remote: &'static str) {
        self.entry(1540, actor, Event::PairSelected { local: local.into(), remote: remote.into() });
    }

    fn entry(&mut self, ms: u64, actor: &str, event: Event) {
        let entry = Entry { at: VirtualTime::from_millis(ms), actor: actor.into(), event };
        self.0.timeline.entries.push(entry);
    }

    fn peer(&mut self, name: &str) -> &mut PeerRecord {
        self.0.peers.get_mut(name).expect("a peer of the sketch")
    }
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
