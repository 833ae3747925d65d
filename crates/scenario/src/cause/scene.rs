//! What rules look at: the call that went wrong, and short questions to its record.

use std::time::Duration;

use diagnosis::Evidence;
use timeline::{
    ConnectionState, EndReason, Entry, Event, IceState, MessageKind, Name, PacketRecord, Protocol, State,
    VirtualTime,
};

use crate::{
    checks::Failure,
    metrics::{self, FirstCall},
    plan::{Action, Command, IceServerPlan, PeerPlan, Plan},
    record::{PeerRecord, RunRecord},
};

/// A run that failed, and the call that is looked at.
pub(super) struct Scene<'a> {
    pub(super) plan: &'a Plan,
    pub(super) record: &'a RunRecord,
    pub(super) failures: &'a [Failure],
    /// The call that failed: the first in which a peer takes part of which something is expected that did not hold,
    /// or else the first of the script. `None` in calls of several.
    pub(super) call: Option<FirstCall<'a>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(plan: &'a Plan, record: &'a RunRecord, failures: &'a [Failure]) -> Self {
        Self { plan, record, failures, call: call_of(plan, record) }
    }

    /// Whether one of these checks failed.
    pub(super) fn failed(&self, checks: &[&str]) -> bool {
        self.failures.iter().any(|failure| checks.contains(&failure.check))
    }

    /// Whether the call was not connected, although it should have been.
    pub(super) fn missed(&self) -> bool {
        let Some(call) = self.call else { return false };
        let as_expected = !self.plan.expect.outcomes.is_empty() && !self.failed(&["outcome"]);
        let is_outcome = FirstCall::of(self.plan).is_some_and(|first| first.dialled == call.dialled);
        !(self.was_connected() || as_expected && is_outcome)
    }

    /// Whether something went wrong with a call that was connected.
    pub(super) fn broke(&self) -> bool {
        const ABOUT: &[&str] = &[
            "outcome",
            "media-both-ways",
            "media-only",
            "media-none",
            "connected",
            "end-reason",
            "final-state",
            "never",
            "sequence",
            "recoveries",
            "recovery-time",
            "milestone",
            "ways",
            "reconnects",
            "data",
        ];
        (self.was_connected() || self.call.is_none()) && self.failed(ABOUT)
    }

    /// Whether both sides were connected at some time.
    pub(super) fn was_connected(&self) -> bool {
        self.sides().is_some_and(|sides| {
            sides.iter().all(|side| self.peer(side).is_some_and(|peer| peer.connected_at.is_some()))
        })
    }

    /// The sides of the call, the caller first.
    pub(super) fn sides(&self) -> Option<[&'a Name; 2]> {
        self.call.map(|call| call.sides())
    }

    pub(super) fn peer(&self, name: &Name) -> Option<&'a PeerRecord> {
        self.record.peers.get(name)
    }

    pub(super) fn peer_plan(&self, name: &Name) -> Option<&'a PeerPlan> {
        self.plan.peers.iter().find(|peer| peer.name == *name)
    }

    pub(super) fn end_reason(&self, name: &Name) -> Option<EndReason> {
        self.peer(name)?.end_reason
    }

    /// The STUN and TURN servers that `peer` was given.
    pub(super) fn servers(&self, peer: &Name) -> impl Iterator<Item = &'a IceServerPlan> {
        let plan = self.peer_plan(peer);
        let uses =
            move |server: &&IceServerPlan| plan.is_some_and(|plan| plan.ice_servers.contains(&server.name));
        self.plan.ice_servers.iter().filter(uses)
    }

    /// What happened to `actor`, oldest first.
    pub(super) fn entries(&self, actor: &Name) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.record.timeline.entries.iter().filter(move |entry| entry.actor == *actor)
    }

    /// When `actor` first entered one of these states.
    pub(super) fn first(&self, actor: &Name, states: &[State]) -> Option<VirtualTime> {
        states.iter().filter_map(|state| self.record.timeline.first(actor, *state)).min()
    }

    /// When ICE first connected at `side`.
    pub(super) fn ice_connected(&self, side: &Name) -> Option<VirtualTime> {
        self.first(side, &[State::Ice(IceState::Connected), State::Ice(IceState::Completed)])
    }

    /// When ICE and DTLS first were connected at `side`.
    pub(super) fn dtls_connected(&self, side: &Name) -> Option<VirtualTime> {
        self.first(side, &[State::Connection(ConnectionState::Connected)])
    }

    /// When the call ended at `side`, or the run.
    pub(super) fn ended(&self, side: &Name) -> VirtualTime {
        let ended = State::Call(timeline::CallState::Ended(EndReason::HungUp));
        self.first(side, &[ended]).unwrap_or(self.record.elapsed)
    }

    /// When the call ended at the first side, or the run.
    pub(super) fn over(&self) -> VirtualTime {
        let ends = self.sides().map(|sides| sides.map(|side| self.ended(side)));
        ends.map_or(self.record.elapsed, |[one, other]| one.min(other))
    }

    /// Whether a user ended the call so soon after `since` that it may well have come about.
    pub(super) fn was_cut_short(&self, since: VirtualTime) -> bool {
        const SOON: Duration = Duration::from_secs(3);
        let by_user = |entry: &Entry| {
            matches!(
                entry.event,
                Event::Transition { cause: Some(timeline::Cause::HangUp | timeline::Cause::Close), .. }
            )
        };
        let hung_up =
            self.sides().is_some_and(|sides| sides.iter().any(|side| self.entries(side).any(by_user)));
        hung_up && self.over().since(since) < SOON
    }

    /// When `actor` first sent a message of this kind.
    pub(super) fn sent(&self, actor: &Name, wanted: MessageKind) -> Option<VirtualTime> {
        self.all_sent(actor, wanted).next()
    }

    /// When `actor` sent messages of this kind.
    pub(super) fn all_sent(&self, actor: &Name, wanted: MessageKind) -> impl Iterator<Item = VirtualTime> {
        self.entries(actor).filter_map(move |entry| match &entry.event {
            Event::MessageSent { kind, .. } if *kind == wanted => Some(entry.at),
            _ => None,
        })
    }

    /// When `actor` first got a message of this kind.
    pub(super) fn received(&self, actor: &Name, wanted: MessageKind) -> Option<VirtualTime> {
        self.all_received(actor, wanted).next()
    }

    /// When `actor` got messages of this kind.
    pub(super) fn all_received(
        &self,
        actor: &Name,
        wanted: MessageKind,
    ) -> impl Iterator<Item = VirtualTime> {
        self.entries(actor).filter_map(move |entry| match &entry.event {
            Event::MessageReceived { kind, .. } if *kind == wanted => Some(entry.at),
            _ => None,
        })
    }

    /// What went wrong for `actor` in its own words.
    pub(super) fn problems(&self, actor: &Name) -> impl Iterator<Item = (VirtualTime, &'a str)> {
        self.entries(actor).filter_map(|entry| match &entry.event {
            Event::Problem { what } => Some((entry.at, &**what)),
            _ => None,
        })
    }

    /// Lines of `actor` that are worth no event of their own.
    pub(super) fn notes(&self, actor: &Name) -> impl DoubleEndedIterator<Item = (VirtualTime, &'a str)> {
        self.entries(actor).filter_map(|entry| match &entry.event {
            Event::Note { what } => Some((entry.at, &**what)),
            _ => None,
        })
    }

    /// What the script had `peer` do, and when.
    pub(super) fn commands(
        &self,
        peer: &Name,
    ) -> impl DoubleEndedIterator<Item = (VirtualTime, &'a Command)> {
        self.plan.steps.iter().filter_map(move |step| match &step.action {
            Action::Command { peer: who, command } if who == peer => Some((step.at.into(), command)),
            _ => None,
        })
    }

    /// What the script did to the network and to servers before the run ended, and when.
    pub(super) fn faults(&self) -> impl DoubleEndedIterator<Item = (VirtualTime, &'a Action)> {
        let elapsed = self.record.elapsed;
        let steps = self.plan.steps.iter().map(|step| (VirtualTime::from(step.at), &step.action));
        steps.filter(move |(at, action)| *at <= elapsed && !matches!(action, Action::Command { .. }))
    }

    /// UDP packets of the run, oldest first.
    pub(super) fn datagrams(&self) -> impl DoubleEndedIterator<Item = &'a PacketRecord> {
        self.record.timeline.packets.iter().filter(|packet| !matches!(packet.protocol, Protocol::Tcp(_)))
    }

    /// Datagrams from `from` to `to`, directly or to and from the servers that relay for them.
    pub(super) fn on_the_way(
        &self,
        from: &Name,
        to: &Name,
    ) -> impl DoubleEndedIterator<Item = &'a PacketRecord> {
        let (from, to) = (from.clone(), to.clone());
        let servers = &self.plan.ice_servers;
        let is_server = move |name: &Name| servers.iter().any(|server| server.name == *name);
        self.datagrams().filter(move |packet| {
            let target = packet.to_host.as_ref();
            match packet.from_host == from {
                true => target.is_none_or(|host| *host == to || is_server(host)),
                false => target == Some(&to) && is_server(&packet.from_host),
            }
        })
    }

    /// The step of `actor` that happened at `at`, as evidence.
    pub(super) fn action_at(&self, actor: &Name, at: VirtualTime) -> Option<Evidence> {
        let action = self.entries(actor).find_map(|entry| match &entry.event {
            Event::Action { what } if entry.at == at => Some(what.to_string()),
            _ => None,
        });
        action.map(|what| Evidence::of(at, actor, what))
    }
}

/// A packet as evidence.
pub(super) fn packet(packet: &PacketRecord) -> Evidence {
    let to = packet.to_host.as_ref().map_or_else(|| packet.to.to_string(), ToString::to_string);
    let verdict = match packet.verdict {
        timeline::Verdict::Delivered => "delivered".to_owned(),
        other => other.to_string(),
    };
    Evidence::of(
        packet.at,
        &packet.from_host,
        format!("{} to {to}, {} bytes: {verdict}", packet.protocol, packet.len),
    )
}

/// A line of the timeline as evidence.
pub(super) fn entry(entry: &Entry) -> Evidence {
    Evidence::of(entry.at, &entry.actor, timeline::event_line(&entry.event))
}

/// `at` and the times near it.
pub(super) fn is_near(at: VirtualTime, other: VirtualTime, within: Duration) -> bool {
    at.since(other).max(other.since(at)) <= within
}

fn call_of<'a>(plan: &'a Plan, record: &'a RunRecord) -> Option<FirstCall<'a>> {
    let wanting: Vec<&Name> = wanting(plan, record);
    let concerns = |call: &FirstCall<'_>| call.sides().iter().any(|side| wanting.contains(side));
    let first = FirstCall::of(plan);
    let mut all = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Command { peer, command: Command::Dial { to } } => {
            Some(FirstCall { dialled: step.at.into(), caller: peer, callee: to })
        }
        _ => None,
    });
    match first {
        Some(call) if concerns(&call) || metrics::setup(plan, record).is_none() => Some(call),
        first => all.rfind(concerns).or(first),
    }
}

/// The peers of which something is expected that does not hold.
fn wanting<'a>(plan: &'a Plan, record: &RunRecord) -> Vec<&'a Name> {
    let peers = plan.expect.peers.iter().filter(|(name, expect)| {
        let Some(found) = record.peers.get(*name) else { return true };
        let not_connected =
            expect.connected == Some(crate::plan::Reached::Yes) && found.connected_at.is_none();
        let ended = found.end_reason.is_some_and(|reason| expect.ends.contains(&reason));
        not_connected || (!expect.ends.is_empty() && !ended)
    });
    peers.map(|(name, _)| name).collect()
}
