//! Writes down what engines, the relay and the script do: the timeline, and each peer's counts.

mod peer;
mod written;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use call_engine::{DataMessage, EngineEvent, Observer, PacketPosition, ReceivedPacket, Statistics};
use netsim::World;
use signaller::{
    CallId, Message, Outgoing,
    relay::{RelayEvent, RelayLog},
};
use stage::{Journal, Leftovers, Unsupported};
use timeline::{
    CallState, Delivery, Entry, Event, MediaChange, MediaKind, Name, State as StateOf, Timeline, VirtualTime,
};
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use self::{peer::Peer, written::written};
use super::numbered;
use crate::{
    plan::{PeerPlan, Plan},
    record::{NotUnderstood, PeerRecord, SignallingRecord, StatisticsSample},
};

/// A silence after which media counts as resumed.
const MEDIA_PAUSE: Duration = Duration::from_secs(1);

/// What is written down in one run. Cheap to clone; all clones are one recording.
#[derive(Clone)]
pub(super) struct Recording {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    changed: Notify,
}

/// What was written down in a run.
pub(super) struct Recorded {
    pub(super) timeline: Timeline,
    pub(super) peers: BTreeMap<Name, PeerRecord>,
    pub(super) signalling: SignallingRecord,
    pub(super) not_understood: Vec<NotUnderstood>,
    /// The relay's log, where it was kept.
    pub(super) relay_log: Option<String>,
}

#[derive(Default)]
struct State {
    timeline: Timeline,
    peers: BTreeMap<Name, Peer>,
    signalling: SignallingRecord,
    /// The relay's log and its lines so far, where one is wanted.
    relay_log: Option<(RelayLog, String)>,
    /// Steps that programs did not know.
    not_understood: Vec<NotUnderstood>,
    /// Where the script sends messages in peers' names.
    foreign: BTreeMap<Name, UnboundedSender<Outgoing>>,
}

impl Recording {
    pub(super) fn new(plan: &Plan) -> Self {
        let only_other = |name: &Name| match plan.peers.as_slice() {
            [one, other] if one.name == *name => Some(other.name.clone()),
            [other, one] if one.name == *name => Some(other.name.clone()),
            _ => None,
        };
        let peer =
            |peer: &PeerPlan| (peer.name.clone(), Peer { remote: only_other(&peer.name), ..Peer::default() });
        let peers = plan.peers.iter().map(peer).collect();
        let state = Mutex::new(State { peers, ..State::default() });
        Self { inner: Arc::new(Inner { state, changed: Notify::new() }) }
    }

    /// From here on the relay's log is written.
    pub(super) fn log_relay(&self) {
        self.state().relay_log = Some(Default::default());
    }

    /// What the relay did, for its log.
    pub(super) fn relay_did(&self, at: VirtualTime, event: &RelayEvent) {
        if let Some((log, text)) = &mut self.state().relay_log {
            for line in log.lines(at.as_millis(), event) {
                text.push_str(&line);
                text.push('\n');
            }
        }
    }

    /// Writes one line.
    pub(super) fn note(&self, at: VirtualTime, actor: &Name, event: Event) {
        self.state().timeline.entries.push(Entry { at, actor: actor.clone(), event });
    }

    /// `peer`'s program does not know a step.
    pub(super) fn not_understood(&self, at: VirtualTime, peer: &Name, why: &Unsupported) {
        let mut state = self.state();
        let what = why.to_string();
        let problem = Event::Problem { what: what.clone().into() };
        state.timeline.entries.push(Entry { at, actor: peer.clone(), event: problem });
        state.not_understood.push(NotUnderstood { at, peer: peer.clone(), what });
    }

    /// `peer` dials `to`: from here on it is busy until its call is released.
    pub(super) fn dials(&self, peer: &Name, to: &Name) {
        if let Some(peer) = self.state().peers.get_mut(peer) {
            peer.busy = true;
            peer.remote = Some(to.clone());
        }
    }

    /// `peer` was told to call `to`. A program need not say so: unless its messages do, its media come from the other
    /// side of this call.
    pub(super) fn told_to_dial(&self, peer: &Name, to: &Name) {
        let mut state = self.state();
        for (one, other) in [(peer, to), (to, peer)] {
            if let Some(one) = state.peers.get_mut(one) {
                one.remote.get_or_insert_with(|| other.clone());
            }
        }
    }

    /// `peer` is told to send one more message on this data channel; which one that is, counted from 0.
    pub(super) fn sends_data(&self, peer: &Name, delivery: Delivery) -> u64 {
        let mut state = self.state();
        let Some(peer) = state.peers.get_mut(peer) else { return 0 };
        let sent = peer.record.data_sent.entry(delivery).or_default();
        sent.messages += 1;
        sent.messages - 1
    }

    /// Waits until no peer has a call.
    pub(super) async fn all_idle(&self) {
        while self.state().peers.values().any(|peer| peer.busy) {
            self.inner.changed.notified().await;
        }
    }

    /// Everything that was written down.
    pub(super) fn finish(&self) -> Recorded {
        let mut state = self.state();
        let peers = std::mem::take(&mut state.peers);
        Recorded {
            timeline: std::mem::take(&mut state.timeline),
            peers: peers.into_iter().map(|(name, peer)| (name, peer.record)).collect(),
            signalling: std::mem::take(&mut state.signalling),
            not_understood: std::mem::take(&mut state.not_understood),
            relay_log: state.relay_log.take().map(|(_, text)| text),
        }
    }

    /// What the script sends in `peer`'s name.
    pub(super) fn foreign(&self, peer: &Name) -> UnboundedReceiver<Outgoing> {
        let (sender, receiver) = unbounded_channel();
        self.state().foreign.insert(peer.clone(), sender);
        receiver
    }

    /// Sends a message of the present call in `peer`'s name.
    pub(super) fn sends_foreign(&self, peer: &Name, to: &Name, call: CallId, body: Message) {
        if let Some(sender) = self.state().foreign.get(peer) {
            // A peer that was taken down sends nothing.
            let _ = sender.send(Outgoing { call, to: to.clone(), body });
        }
    }

    /// What an engine of a pair does: the timeline tells it of `PEER/REMOTE`, and the counts are the peer's.
    pub(super) fn pair_event(&self, at: VirtualTime, peer: &Name, pair: &Name, event: EngineEvent) {
        let mut state = self.state();
        let State { timeline, peers, .. } = &mut *state;
        let mut peer = peers.get_mut(peer);
        if let Some(peer) = &mut peer {
            match &event {
                EngineEvent::Released { live_tracks } => peer.record.tracks_live += live_tracks,
                EngineEvent::IncomingCall { .. } => {}
                _ => peer.count_engine(&event),
            }
        }
        let Some(event) = written(event) else { return };
        match (&event, peer) {
            // The peer is in a call as long as it is in the room.
            (Event::Transition { to: StateOf::Call(to), .. }, Some(peer)) => {
                if *to == CallState::Connected {
                    peer.record.connected_at.get_or_insert(at);
                }
            }
            (_, Some(peer)) => peer.count(at, &event),
            (_, None) => {}
        }
        timeline.entries.push(Entry { at, actor: pair.clone(), event });
    }

    /// A packet of media arrived at `peer`.
    pub(super) fn packet(&self, at: VirtualTime, peer: &Name, from: &Name, packet: ReceivedPacket) {
        let mut state = self.state();
        let Some(peer) = state.peers.get_mut(peer) else { return };
        let flow = peer.record.received.entry((from.clone(), packet.kind)).or_default();
        flow.packet(at);
        if packet.position == PacketPosition::End {
            flow.frame();
        }
    }

    /// `peer` is in a call of several, or in none any more.
    pub(super) fn in_room(&self, peer: &Name, is_in: bool) {
        if let Some(peer) = self.state().peers.get_mut(peer) {
            peer.busy = is_in;
        }
        self.inner.changed.notify_one();
    }

    /// What `peer` still holds of a call of several that it has left.
    pub(super) fn left_behind(&self, peer: &Name, left: Leftovers) {
        if let Some(peer) = self.state().peers.get_mut(peer) {
            peer.record.left_behind.push(left);
        }
    }

    /// Looks at what becomes of signalling messages, or writes it down.
    pub(super) fn signalling<T>(&self, look: impl FnOnce(&mut SignallingRecord) -> T) -> T {
        look(&mut self.state().signalling)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in here leaves the run without a record anyway.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One engine's observer.
pub(super) struct PeerObserver {
    pub(super) name: Name,
    pub(super) world: World,
    pub(super) recording: Recording,
    /// Tells the peer's user that it rings.
    pub(super) rings: UnboundedSender<CallId>,
}

impl Observer for PeerObserver {
    fn on_event(&self, event: EngineEvent) {
        let at = self.world.now();
        let mut state = self.recording.state();
        let State { timeline, peers, .. } = &mut *state;
        let Some(peer) = peers.get_mut(&self.name) else { return };
        peer.count_engine(&event);
        if let EngineEvent::IncomingCall { call, .. } = &event {
            // A user who is gone does not hear it.
            let _ = self.rings.send(call.clone());
        }
        if matches!(event, EngineEvent::Released { .. }) {
            self.recording.inner.changed.notify_one();
        }
        if let Some(event) = written(event) {
            peer.count(at, &event);
            timeline.entries.push(Entry { at, actor: self.name.clone(), event });
        }
    }

    fn on_frame_sent(&self, kind: MediaKind, _bytes: usize) {
        if let Some(peer) = self.recording.state().peers.get_mut(&self.name) {
            *peer.record.sent.entry(kind).or_default() += 1;
        }
    }

    fn on_data(&self, delivery: Delivery, message: &DataMessage) {
        let at = self.world.now();
        let mut state = self.recording.state();
        let Some(peer) = state.peers.get_mut(&self.name) else { return };
        let Some(from) = peer.remote.clone() else { return };
        let number = numbered::number_of(message.as_bytes());
        peer.record.data_received.entry((from, delivery)).or_default().message(at, number);
    }

    fn on_data_buffered(&self, delivery: Delivery, bytes: usize) {
        let mut state = self.recording.state();
        let Some(peer) = state.peers.get_mut(&self.name) else { return };
        let sent = peer.record.data_sent.entry(delivery).or_default();
        sent.most_buffered = sent.most_buffered.max(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn on_statistics(&self, statistics: Statistics) {
        let at = self.world.now();
        let sample = StatisticsSample::of(at, &statistics);
        let mut state = self.recording.state();
        let State { timeline, peers, .. } = &mut *state;
        timeline.entries.push(Entry { at, actor: self.name.clone(), event: sample.event() });
        if let Some(peer) = peers.get_mut(&self.name) {
            peer.record.statistics.push(sample);
        }
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        self.recording.packet_received(self.world.now(), &self.name, packet);
    }
}

/// What programs other than the engine report, and servers.
impl Journal for Recording {
    fn record(&self, entry: Entry) {
        let mut state = self.state();
        let State { peers, signalling, .. } = &mut *state;
        if let Some(peer) = peers.get_mut(&entry.actor) {
            peer.count(entry.at, &entry.event);
            peer.count_without_engine(entry.at, &entry.event);
            // Whether a call is under way, only the program knows: `Program::finished`.
            peer.busy = false;
            // Its transport is not watched as an engine's is.
            if let Event::MessageReceived { id, from, .. } = &entry.event {
                signalling.taken(from, *id, entry.at);
            }
        }
        state.timeline.entries.push(entry);
    }

    fn packet_received(&self, at: VirtualTime, actor: &Name, packet: ReceivedPacket) {
        let mut state = self.state();
        let State { timeline, peers, .. } = &mut *state;
        let Some(peer) = peers.get_mut(actor) else { return };
        let Some(from) = peer.remote.clone() else { return };
        let flow = peer.record.received.entry((from, packet.kind)).or_default();
        let change = match flow.last {
            None => Some(MediaChange::FirstPacket),
            Some(last) if at.since(last) >= MEDIA_PAUSE => Some(MediaChange::Resumed),
            Some(_) => None,
        };
        flow.packet(at);
        if packet.position == PacketPosition::End {
            flow.frame();
        }
        if let Some(change) = change {
            let event = Event::Media { kind: packet.kind, change };
            timeline.entries.push(Entry { at, actor: actor.clone(), event });
        }
    }
}
