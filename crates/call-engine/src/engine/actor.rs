//! The engine's task: one loop that takes one thing at a time, in a fixed order of precedence, so that
//! the same inputs give the same call.

use std::{future::poll_fn, sync::Arc, task::Poll};

use futures::{
    StreamExt as _,
    channel::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
        oneshot,
    },
};
use signaller::{CallId, Message, Outgoing, ParticipantId, Transport, TransportEvent};
use webrtc::runtime::Runtime;

use super::{
    Command, Parts,
    call::{Call, Timer, TimerKind},
};
use crate::{
    CallEvent, CallState, Enabled, EndReason, EngineEvent, MediaDevices, MediaError, MediaKind, MediaStream,
    Observer, Outcome, Role, Settings, StateMachine,
    peer::{Negotiation, Peer, PeerEvent, PeerParts},
};

/// The engine behind its handle.
pub(super) struct Actor {
    pub(super) settings: Settings,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) call: Option<Call>,
    devices: Arc<dyn MediaDevices>,
    transport: Box<dyn Transport>,
    transport_open: bool,
    commands: UnboundedReceiver<Command>,
    peer_events: UnboundedReceiver<PeerEvent>,
    peer_events_in: UnboundedSender<PeerEvent>,
    generation: u64,
}

/// The next thing to do.
enum Step {
    Wish(Option<Command>),
    Signaling(Option<TransportEvent>),
    Peer(PeerEvent),
    Media(Result<MediaStream, MediaError>),
    Timer(TimerKind),
}

impl Actor {
    pub(super) fn new(settings: Settings, parts: Parts, commands: UnboundedReceiver<Command>) -> Self {
        let (peer_events_in, peer_events) = unbounded();
        Self {
            settings,
            runtime: parts.runtime,
            observer: parts.observer,
            call: None,
            devices: parts.devices,
            transport: parts.transport,
            transport_open: true,
            commands,
            peer_events,
            peer_events_in,
            generation: 0,
        }
    }

    /// Works until it is shut down, or until every handle is gone.
    pub(super) async fn run(mut self) {
        loop {
            match self.next_step().await {
                Step::Wish(None) => return self.shut_down(None).await,
                Step::Wish(Some(Command::ShutDown { done })) => return self.shut_down(Some(done)).await,
                Step::Wish(Some(command)) => self.on_command(command).await,
                Step::Signaling(event) => self.on_transport(event).await,
                Step::Peer(event) => self.on_peer_event(event).await,
                Step::Media(result) => self.on_media(result).await,
                Step::Timer(TimerKind::Ring) => self.happen(CallEvent::RingTimeout).await,
                Step::Timer(TimerKind::Connect) => self.happen(CallEvent::ConnectTimeout).await,
            }
        }
    }

    async fn next_step(&mut self) -> Step {
        let Self { commands, transport, transport_open, peer_events, call, .. } = self;
        let mut incoming = transport_open.then(|| transport.recv());
        poll_fn(|cx| {
            if let Poll::Ready(command) = commands.poll_next_unpin(cx) {
                return Poll::Ready(Step::Wish(command));
            }
            if let Some(Poll::Ready(event)) = incoming.as_mut().map(|incoming| incoming.as_mut().poll(cx)) {
                return Poll::Ready(Step::Signaling(event));
            }
            if let Poll::Ready(Some(event)) = peer_events.poll_next_unpin(cx) {
                return Poll::Ready(Step::Peer(event));
            }
            let Some(call) = call else { return Poll::Pending };
            if let Some(Poll::Ready(result)) = call.media.as_mut().map(|media| media.as_mut().poll(cx)) {
                call.media = None;
                return Poll::Ready(Step::Media(result));
            }
            let Some(timer) = &mut call.timer else { return Poll::Pending };
            if timer.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let kind = timer.kind;
            call.timer = None;
            Poll::Ready(Step::Timer(kind))
        })
        .await
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Dial { to, call } => self.dial(to, call).await,
            Command::Accept => self.accept(),
            Command::Reject => self.happen(CallEvent::Reject).await,
            Command::HangUp => self.happen(CallEvent::HangUp).await,
            Command::SetEnabled(kind, enabled) => self.set_enabled(kind, enabled),
            Command::NegotiationNeeded => self.on_negotiation_needed().await,
            Command::ShutDown { .. } => unreachable!("the loop takes this one itself"),
        }
    }

    async fn dial(&mut self, to: ParticipantId, id: CallId) {
        if let Some(call) = &self.call {
            return self.problem(format!("cannot dial {to}: in a call with {}", call.remote));
        }
        self.begin(id, to, Role::Caller);
        self.happen(CallEvent::Dial).await;
        self.start_timer(TimerKind::Ring);
        self.ask_for_media();
    }

    /// Makes the call that [`Self::happen`] moves from now on.
    pub(super) fn begin(&mut self, id: CallId, remote: ParticipantId, role: Role) {
        self.generation += 1;
        self.call = Some(Call::new(id, remote, role, self.generation));
    }

    fn accept(&mut self) {
        let Some(call) = &self.call else {
            return self.problem("cannot accept: nothing rings".to_owned());
        };
        if (call.role, call.state) != (Role::Callee, CallState::Ringing) {
            return self.problem(format!("cannot accept a call that is {}", call.state));
        }
        if call.media.is_none() {
            self.ask_for_media();
        }
    }

    fn ask_for_media(&mut self) {
        let request = self.devices.user_media(self.settings.media);
        if let Some(call) = &mut self.call {
            call.media = Some(request);
        }
    }

    fn set_enabled(&mut self, kind: MediaKind, enabled: Enabled) {
        match self.call.as_ref().and_then(|call| call.stream.as_ref()) {
            Some(stream) => stream.set_enabled(kind, enabled),
            None => self.problem(format!("there is no local {kind} to enable or disable")),
        }
    }

    async fn on_media(&mut self, result: Result<MediaStream, MediaError>) {
        let stream = match result {
            Ok(stream) => stream,
            Err(error) => {
                self.problem(error.to_string());
                let missing = matches!(error, MediaError::NotFound(_));
                let event = if missing { CallEvent::MediaMissing } else { CallEvent::MediaDenied };
                return self.happen(event).await;
            }
        };
        stream.set_enabled(MediaKind::Video, self.settings.start_video);
        let Some(call) = &mut self.call else { return stream.stop() };
        call.stream = Some(stream);
        match call.role {
            Role::Caller => {
                let video = self.settings.media.video.is_some() && self.settings.start_video == Enabled::Yes;
                let media = signaller::Media { audio: self.settings.media.audio, video };
                call.announced = true;
                self.send(Message::Ring { media });
            }
            Role::Callee => {
                if self.build_peer(Negotiation::answerer()).await {
                    self.send(Message::Accept);
                    self.happen(CallEvent::Accept).await;
                }
            }
        }
    }

    /// Builds the peer and adds the local stream. False where that failed; the call has ended then.
    pub(super) async fn build_peer(&mut self, negotiation: Negotiation) -> bool {
        let Some(call) = &mut self.call else { return false };
        let parts = PeerParts {
            settings: &self.settings.peer,
            runtime: self.runtime.clone(),
            observer: self.observer.clone(),
            events: self.peer_events_in.clone(),
            generation: call.generation,
            negotiation,
        };
        let built = match Peer::build(parts).await {
            Ok(peer) => {
                let peer = call.peer.insert(peer);
                match &call.stream {
                    Some(stream) => peer.add_stream(stream, self.settings.session).await,
                    None => Ok(()),
                }
            }
            Err(error) => Err(error),
        };
        match built {
            Ok(()) => true,
            Err(error) => {
                self.negotiation_failed(&format!("cannot build the peer: {error}")).await;
                false
            }
        }
    }

    /// Reports `what` and ends the call for it.
    pub(super) async fn negotiation_failed(&mut self, what: &str) {
        self.problem(what.to_owned());
        let rings = self.call.as_ref().is_some_and(|call| call.state == CallState::Ringing);
        // A callee that cannot build its peer has not accepted yet.
        self.happen(if rings { CallEvent::ShutDown } else { CallEvent::NegotiationFailed }).await;
    }

    /// Lets `event` happen to the call: the one way in which a call moves.
    pub(super) async fn happen(&mut self, event: CallEvent) {
        let Some(call) = &mut self.call else {
            if CallState::Idle.on(Role::Caller, event) == Outcome::Invalid {
                self.problem(format!("no call for: {}", event.as_str()));
            }
            return;
        };
        let from = call.state;
        match from.on(call.role, event) {
            Outcome::NoOp => {}
            Outcome::Invalid => {
                let problem = format!("{} cannot happen to a call that is {from}", event.as_str());
                self.problem(problem);
            }
            Outcome::Moved(to) => {
                call.state = to;
                self.observer.on_event(EngineEvent::StateChanged {
                    machine: StateMachine::Call,
                    from: from.as_str().to_owned(),
                    to: to.to_string(),
                    cause: event.as_str().to_owned(),
                });
                self.entered(to, event).await;
            }
        }
    }

    async fn entered(&mut self, state: CallState, event: CallEvent) {
        match state {
            CallState::Connecting => self.start_timer(TimerKind::Connect),
            CallState::Connected => {
                self.stop_timer();
                let peer = self.call.as_mut().and_then(|call| call.peer.as_mut());
                let Some(peer) = peer else { return };
                if let Err(error) = peer.start_sending().await {
                    self.problem(format!("cannot send media: {error}"));
                }
            }
            CallState::Ended(reason) => self.release(event, reason).await,
            CallState::Idle | CallState::Dialling | CallState::Ringing => {}
        }
    }

    /// Tells the other side and lets go of everything that the call holds.
    async fn release(&mut self, event: CallEvent, reason: EndReason) {
        let Some(mut call) = self.call.take() else { return };
        call.timer = None;
        call.media = None;
        if call.announced
            && let Some(goodbye) = goodbye(&call, event, reason)
        {
            self.send_in(&call, goodbye);
        }
        if let Some(stream) = &call.stream {
            stream.stop();
        }
        if let Some(peer) = call.peer.take()
            && let Err(error) = peer.close().await
        {
            self.problem(format!("closing the peer: {error}"));
        }
        let tracks = call.stream.iter().flat_map(MediaStream::tracks);
        let live_tracks = tracks.filter(|track| track.is_live()).count();
        self.observer.on_event(EngineEvent::Released { live_tracks });
    }

    async fn shut_down(mut self, done: Option<oneshot::Sender<()>>) {
        if self.call.is_some() {
            self.happen(CallEvent::ShutDown).await;
        }
        self.transport.close().await;
        if let Some(done) = done {
            // The one who asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    async fn on_transport(&mut self, event: Option<TransportEvent>) {
        match event {
            Some(TransportEvent::Message(envelope)) => self.on_message(envelope).await,
            Some(TransportEvent::Up) => self.tell_signaling("signalling is up"),
            Some(TransportEvent::Via { way }) => self.tell_signaling(&format!("signalling goes by {way}")),
            Some(TransportEvent::Delayed { reason }) => {
                self.tell_signaling(&format!("signalling is delayed: {reason}"));
            }
            Some(TransportEvent::Down { reason }) => {
                self.tell_signaling(&format!("signalling is down: {reason}"))
            }
            Some(TransportEvent::Unreadable { error }) => {
                self.problem(format!("unreadable message: {error}"))
            }
            Some(_) => {}
            None => {
                self.transport_open = false;
                self.happen(CallEvent::SignalingLost).await;
            }
        }
    }

    /// Sends `body` to the other side of the call.
    pub(super) fn send(&mut self, body: Message) {
        if let Some(call) = self.call.take() {
            self.send_in(&call, body);
            self.call = Some(call);
        }
    }

    fn send_in(&mut self, call: &Call, body: Message) {
        self.send_to(call.remote.clone(), call.id.clone(), body);
    }

    /// Sends `body` to anybody.
    pub(super) fn send_to(&mut self, to: ParticipantId, call: CallId, body: Message) {
        let event = EngineEvent::MessageSent { kind: body.kind(), to: to.clone(), detail: body.detail() };
        match self.transport.send(Outgoing { call, to, body }) {
            Ok(_) => self.observer.on_event(event),
            Err(error) => self.problem(format!("cannot send: {error}")),
        }
    }

    fn start_timer(&mut self, kind: TimerKind) {
        let duration = match kind {
            TimerKind::Ring => self.settings.timers.ring,
            TimerKind::Connect => self.settings.timers.connect,
        };
        let sleep = self.runtime.sleep(duration);
        if let Some(call) = &mut self.call {
            call.timer = Some(Timer { kind, sleep });
        }
    }

    /// Starts the callee's own ring timer.
    pub(super) fn start_ring_timer(&mut self) {
        self.start_timer(TimerKind::Ring);
    }

    fn stop_timer(&mut self) {
        if let Some(call) = &mut self.call {
            call.timer = None;
        }
    }

    pub(super) fn problem(&self, what: String) {
        self.observer.on_event(EngineEvent::Problem { what });
    }

    fn tell_signaling(&self, what: &str) {
        self.observer.on_event(EngineEvent::Signaling { what: what.to_owned() });
    }
}

/// What to say to the other side when `event` ends the call here; nothing where it knows already.
fn goodbye(call: &Call, event: CallEvent, reason: EndReason) -> Option<Message> {
    match event {
        CallEvent::ByeReceived(_) | CallEvent::RejectReceived(_) => None,
        _ if call.role == Role::Callee && call.peer.is_none() && reason != EndReason::NoAnswer => {
            Some(Message::Reject { reason: reason.to_reject() })
        }
        _ => Some(Message::Bye { reason: reason.to_bye() }),
    }
}
