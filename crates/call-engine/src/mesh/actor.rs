//! The task of one participant: it hands messages to the pairs they belong to, and makes and ends pairs.

use std::{collections::BTreeMap, future::poll_fn, net::SocketAddr, sync::Arc, task::Poll};

use futures::{
    StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
    channel::oneshot,
};
use signaller::{CallId, Envelope, Message, Outgoing, ParticipantId, Transport, TransportEvent};
use webrtc::runtime::Runtime;

use super::{
    Mesh, MeshEvent, MeshObserver, MeshParts, Wish,
    pair::{Line, News, PairTransport, Watch},
};
use crate::{Enabled, EndReason, Engine, MediaDevices, MediaKind, Parts, Settings, state::reject_for};

/// The participant behind its handle.
pub(super) struct Actor {
    settings: Settings,
    runtime: Arc<dyn Runtime>,
    transport: Box<dyn Transport>,
    devices: Arc<dyn MediaDevices>,
    observer: Arc<dyn MeshObserver>,
    wishes: UnboundedReceiver<Wish>,
    outgoing_in: Line,
    outgoing: UnboundedReceiver<Outgoing>,
    news_in: UnboundedSender<(ParticipantId, News)>,
    news: UnboundedReceiver<(ParticipantId, News)>,
    room: Option<String>,
    /// The room is being left: nobody comes in any more.
    leaving: bool,
    pairs: BTreeMap<ParticipantId, Pair>,
    /// The kinds that were enabled or disabled, towards everybody.
    enabled: BTreeMap<MediaKind, Enabled>,
    /// How often a room was joined: no call id is used twice.
    joined: u64,
    /// Whether messages go out at present; a new pair must know.
    is_down: Option<TransportEvent>,
    is_closed: bool,
}

/// The connection with one other participant.
struct Pair {
    engine: Engine,
    incoming: UnboundedSender<TransportEvent>,
    /// Its number among the pairs of this participant.
    number: u16,
}

/// The next thing to do.
enum Step {
    Wish(Option<Wish>),
    Send(Outgoing),
    Signaling(Option<TransportEvent>),
    News(ParticipantId, News),
}

impl Actor {
    pub(super) fn new(settings: Settings, parts: MeshParts, wishes: UnboundedReceiver<Wish>) -> Self {
        let (outgoing_in, outgoing) = Line::new();
        let (news_in, news) = unbounded();
        Self {
            settings,
            runtime: parts.runtime,
            transport: parts.transport,
            devices: parts.devices,
            observer: parts.observer,
            wishes,
            outgoing_in,
            outgoing,
            news_in,
            news,
            room: None,
            leaving: false,
            pairs: BTreeMap::new(),
            enabled: BTreeMap::new(),
            joined: 0,
            is_down: None,
            is_closed: false,
        }
    }

    /// Works until it is shut down, or until every handle is gone.
    pub(super) async fn run(mut self) {
        loop {
            match self.next_step().await {
                Step::Wish(None) => return self.shut_down(None).await,
                Step::Wish(Some(Wish::ShutDown { done })) => return self.shut_down(Some(done)).await,
                Step::Wish(Some(Wish::Join { room, members })) => self.join(room, members),
                Step::Wish(Some(Wish::Leave)) => self.leave(),
                Step::Wish(Some(Wish::SetEnabled(kind, enabled))) => self.set_enabled(kind, enabled),
                Step::Wish(Some(Wish::NetworkChanged { addresses })) => self.network_changed(addresses),
                Step::Send(outgoing) => {
                    self.outgoing_in.came_out();
                    self.send(outgoing);
                }
                Step::Signaling(event) => self.on_transport(event),
                Step::News(remote, news) => self.on_news(remote, news).await,
            }
        }
    }

    async fn next_step(&mut self) -> Step {
        let Self { wishes, outgoing, transport, news, is_closed, .. } = self;
        let mut incoming = (!*is_closed).then(|| transport.recv());
        poll_fn(|cx| {
            if let Poll::Ready(wish) = wishes.poll_next_unpin(cx) {
                return Poll::Ready(Step::Wish(wish));
            }
            if let Poll::Ready(Some(message)) = outgoing.poll_next_unpin(cx) {
                return Poll::Ready(Step::Send(message));
            }
            if let Some(Poll::Ready(event)) = incoming.as_mut().map(|incoming| incoming.as_mut().poll(cx)) {
                return Poll::Ready(Step::Signaling(event));
            }
            match news.poll_next_unpin(cx) {
                Poll::Ready(Some((remote, news))) => Poll::Ready(Step::News(remote, news)),
                _ => Poll::Pending,
            }
        })
        .await
    }

    fn join(&mut self, room: String, members: Vec<ParticipantId>) {
        if let Some(present) = &self.room {
            return self.problem(format!("cannot join {room}: in {present}"));
        }
        if members.len() >= Mesh::MOST {
            return self.problem(format!("cannot join {room}: {} are in it already", members.len()));
        }
        self.joined += 1;
        let me = self.settings.participant.clone();
        self.room = Some(room.clone());
        self.observer.on_event(MeshEvent::Joined { room: room.clone() });
        for member in members.into_iter().filter(|member| *member != me) {
            let call = CallId::from(format!("{room}/{me}-{}/{member}", self.joined).as_str());
            let pair = self.pair(&member);
            pair.engine.dial(member, call);
        }
    }

    fn leave(&mut self) {
        if self.room.is_none() {
            return self.problem("cannot leave: in no room".to_owned());
        }
        self.leaving = true;
        self.pairs.values().for_each(|pair| pair.engine.hang_up());
        self.left_if_alone();
    }

    /// Who wants to leave and is in no pair any more has left.
    fn left_if_alone(&mut self) {
        if self.leaving
            && self.pairs.is_empty()
            && let Some(room) = self.room.take()
        {
            self.leaving = false;
            self.observer.on_event(MeshEvent::Left { room });
        }
    }

    fn set_enabled(&mut self, kind: MediaKind, enabled: Enabled) {
        self.enabled.insert(kind, enabled);
        self.pairs.values().for_each(|pair| pair.engine.set_enabled(kind, enabled));
    }

    fn network_changed(&mut self, addresses: Option<Vec<String>>) {
        if let Some(addresses) = &addresses {
            self.settings.peer.udp_addresses.clone_from(addresses);
        }
        for pair in self.pairs.values() {
            let own = addresses.as_ref().map(|addresses| numbered(addresses, pair.number));
            pair.engine.network_changed(own);
        }
    }

    /// The pair with `remote`, which is made where there is none.
    fn pair(&mut self, remote: &ParticipantId) -> &Pair {
        if !self.pairs.contains_key(remote) {
            let pair = self.start(remote);
            self.pairs.insert(remote.clone(), pair);
            self.observer.on_event(MeshEvent::PairStarted { remote: remote.clone() });
        }
        &self.pairs[remote]
    }

    fn start(&mut self, remote: &ParticipantId) -> Pair {
        let taken = |number: &u16| self.pairs.values().any(|pair| pair.number == *number);
        let number = (0..).find(|number| !taken(number)).unwrap_or_default();
        let mut settings = self.settings.clone();
        settings.peer.udp_addresses = numbered(&settings.peer.udp_addresses, number);
        settings.peer.certificate = self.settings.peer.certificate.take();
        let (incoming_in, incoming) = unbounded();
        let transport = PairTransport { outgoing: self.outgoing_in.clone(), incoming };
        let observer = self.observer.pair(remote);
        let watch = Watch { remote: remote.clone(), inner: observer, news: self.news_in.clone() };
        let parts = Parts {
            runtime: self.runtime.clone(),
            transport: Box::new(transport),
            devices: self.devices.clone(),
            observer: Arc::new(watch),
        };
        if let Some(down) = &self.is_down {
            // The receiver lives in the engine that starts next.
            let _ = incoming_in.unbounded_send(down.clone());
        }
        Pair { engine: Engine::start(settings, parts), incoming: incoming_in, number }
    }

    fn send(&mut self, outgoing: Outgoing) {
        match self.transport.send(outgoing) {
            Ok(number) => self.outgoing_in.given(number),
            Err(error) => self.problem(format!("cannot send: {error}")),
        }
    }

    fn on_transport(&mut self, event: Option<TransportEvent>) {
        match event {
            Some(TransportEvent::Message(envelope)) => self.on_message(envelope),
            Some(event) => {
                match &event {
                    TransportEvent::Up => self.is_down = None,
                    TransportEvent::Down { .. } => self.is_down = Some(event.clone()),
                    _ => {}
                }
                for pair in self.pairs.values() {
                    // A pair that has just ended needs it no more.
                    let _ = pair.incoming.unbounded_send(event.clone());
                }
            }
            None => {
                self.is_closed = true;
                self.pairs.values_mut().for_each(|pair| pair.incoming.close_channel());
            }
        }
    }

    fn on_message(&mut self, envelope: Envelope) {
        let from = envelope.from.clone();
        if let Message::Ring { .. } = envelope.body {
            let is_ours =
                !self.leaving && self.room.as_ref().is_some_and(|room| of_room(&envelope.call) == Some(room));
            let has_room = self.pairs.contains_key(&from) || self.pairs.len() + 1 < Mesh::MOST;
            if !is_ours || !has_room {
                let reason = reject_for(EndReason::Declined);
                let (call, body) = (envelope.call, Message::Reject { reason });
                return self.send(Outgoing { call, to: from, body });
            }
            self.pair(&from);
        }
        if let Some(pair) = self.pairs.get(&from) {
            // As above.
            let _ = pair.incoming.unbounded_send(TransportEvent::Message(envelope));
        }
    }

    async fn on_news(&mut self, remote: ParticipantId, news: News) {
        let Some(pair) = self.pairs.get(&remote) else { return };
        match news {
            News::Rings => pair.engine.accept(),
            News::HasMedia => {
                self.enabled.iter().for_each(|(kind, enabled)| pair.engine.set_enabled(*kind, *enabled));
            }
            News::Released => {
                pair.engine.shut_down().await;
                self.pairs.remove(&remote);
                self.observer.on_event(MeshEvent::PairEnded { remote });
                self.left_if_alone();
            }
        }
    }

    async fn shut_down(mut self, done: Option<oneshot::Sender<()>>) {
        for (remote, pair) in std::mem::take(&mut self.pairs) {
            pair.engine.shut_down().await;
            self.observer.on_event(MeshEvent::PairEnded { remote });
        }
        while let Ok(outgoing) = self.outgoing.try_recv() {
            self.outgoing_in.came_out();
            self.send(outgoing);
        }
        self.leaving = true;
        self.left_if_alone();
        self.transport.close().await;
        if let Some(done) = done {
            // The one who asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn problem(&self, what: String) {
        self.observer.on_event(MeshEvent::Problem { what });
    }
}

/// The room that a call's id names.
fn of_room(call: &CallId) -> Option<&str> {
    call.as_str().split_once('/').map(|(room, _)| room)
}

/// The addresses of the pair `number`: the same with other ports.
fn numbered(addresses: &[String], number: u16) -> Vec<String> {
    let with_number = |address: &String| match address.parse::<SocketAddr>() {
        Ok(at) if at.port() > 0 => SocketAddr::new(at.ip(), at.port().saturating_add(number)).to_string(),
        _ => address.clone(),
    };
    addresses.iter().map(with_number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_has_ports_of_its_own() {
        let addresses = ["10.0.0.1:50000", "[2001:db8::1]:50000", "0.0.0.0:0"].map(str::to_owned);
        assert_eq!(numbered(&addresses, 0), addresses);
        assert_eq!(numbered(&addresses, 3), ["10.0.0.1:50003", "[2001:db8::1]:50003", "0.0.0.0:0"]);
    }

    #[test]
    fn the_id_of_a_call_names_its_room() {
        assert_eq!(of_room(&CallId::from("standup/alice-1/bob")), Some("standup"));
        assert_eq!(of_room(&CallId::from("call-1")), None);
    }
}
