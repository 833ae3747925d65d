//! The engine's task: one loop that takes one thing at a time, in a fixed order of precedence, so that
//! the same inputs give the same call.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

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
    call::{Call, Purpose, TimerKind, Timers},
    over::CallsOver,
};
use crate::{
    CallEvent, CallState, EndReason, EngineEvent, MediaDevices, MediaError, MediaStream, Observer, Outcome,
    Role, Settings, State,
    peer::{BindAddresses, PeerEvent},
    recovery::Input,
    state::{bye_for, reject_for},
};

/// The engine behind its handle.
pub(super) struct Actor {
    pub(super) settings: Settings,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) call: Option<Call>,
    pub(super) over: CallsOver,
    pub(super) devices: Arc<dyn MediaDevices>,
    pub(super) peer_events_in: UnboundedSender<PeerEvent>,
    /// The number of the newest peer; none has it but that one.
    pub(super) generation: u64,
    /// Where peers open their sockets.
    pub(super) addresses: BindAddresses,
    pub(super) signaling: Signaling,
    transport: Box<dyn Transport>,
    commands: UnboundedReceiver<Command>,
    peer_events: UnboundedReceiver<PeerEvent>,
}

/// Whether messages go out at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signaling {
    Up,
    Down,
    /// For good.
    Closed,
}

/// The next thing to do.
enum Step {
    Wish(Option<Command>),
    Signaling(Option<TransportEvent>),
    Peer(PeerEvent),
    Media(Purpose, Result<MediaStream, MediaError>),
    Timer(TimerKind),
}

impl Actor {
    pub(super) fn new(settings: Settings, parts: Parts, commands: UnboundedReceiver<Command>) -> Self {
        let (peer_events_in, peer_events) = unbounded();
        Self {
            addresses: BindAddresses::new(settings.peer.udp_addresses.clone()),
            settings,
            runtime: parts.runtime,
            observer: parts.observer,
            call: None,
            over: CallsOver::default(),
            devices: parts.devices,
            transport: parts.transport,
            signaling: Signaling::Up,
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
                Step::Media(Purpose::Call, result) => self.on_media(result).await,
                Step::Media(Purpose::Camera, result) => self.on_camera(result),
                Step::Media(Purpose::Screen, result) => self.on_screen(result).await,
                Step::Timer(TimerKind::Ring) => self.happen(CallEvent::RingTimeout).await,
                Step::Timer(TimerKind::Connect) => self.happen(CallEvent::ConnectTimeout).await,
                Step::Timer(TimerKind::Recovery) => self.on_recovery_timer().await,
                Step::Timer(TimerKind::Statistics) => self.take_statistics().await,
            }
        }
    }

    async fn next_step(&mut self) -> Step {
        let Self { commands, transport, signaling, peer_events, call, .. } = self;
        let mut incoming = (*signaling != Signaling::Closed).then(|| transport.recv());
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
            if let Some((purpose, media)) = &mut call.media
                && let Poll::Ready(result) = media.as_mut().poll(cx)
            {
                let purpose = *purpose;
                call.media = None;
                return Poll::Ready(Step::Media(purpose, result));
            }
            match call.timers.poll(cx) {
                Some(kind) => Poll::Ready(Step::Timer(kind)),
                None => Poll::Pending,
            }
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
            Command::NetworkChanged { addresses } => self.on_network_changed(addresses).await,
            Command::SetHold(hold) => self.set_hold(hold).await,
            Command::SwitchCamera(facing_mode) => self.switch_camera(facing_mode),
            Command::ShareScreen => self.share_screen(),
            Command::StopScreen => self.stop_screen().await,
            Command::SendData { delivery, message } => self.send_data(delivery, message).await,
            Command::RequestKeyFrames => self.request_key_frames().await,
            Command::PermissionLost => self.happen(CallEvent::PermissionLost).await,
            Command::ShutDown { .. } => unreachable!("the loop takes this one itself"),
        }
    }

    /// Lets `event` happen to the call: the one way in which a call moves.
    pub(super) async fn happen(&mut self, event: CallEvent) {
        let Some(call) = &mut self.call else {
            if Outcome::of(CallState::Idle, Role::Caller, event) == Outcome::Invalid {
                self.problem(format!("no call for: {}", event.as_str()));
            }
            return;
        };
        let from = call.state;
        match Outcome::of(from, call.role, event) {
            Outcome::NoOp => {}
            Outcome::Invalid => {
                let problem = format!("{} cannot happen to a call that is {from}", event.as_str());
                self.problem(problem);
            }
            Outcome::Moved(to) => {
                call.state = to;
                self.observer.on_event(EngineEvent::StateChanged {
                    from: State::Call(from),
                    to: State::Call(to),
                    cause: Some(event.cause()),
                });
                self.entered(to, event).await;
            }
        }
    }

    async fn entered(&mut self, state: CallState, event: CallEvent) {
        match state {
            CallState::Connecting => {
                self.stop_timer(TimerKind::Ring);
                self.start_timer(TimerKind::Connect, self.settings.timers.connect);
            }
            CallState::Connected => {
                self.stop_timer(TimerKind::Ring);
                self.stop_timer(TimerKind::Connect);
                let peer = self.call.as_mut().and_then(|call| call.peer.as_mut());
                let Some(peer) = peer else { return };
                if let Err(error) = peer.start_sending().await {
                    self.problem(format!("cannot send media: {error}"));
                }
                self.start_statistics();
            }
            CallState::Ended(reason) => self.release(event, reason).await,
            CallState::Idle | CallState::Dialling | CallState::Ringing | CallState::Reconnecting => {}
        }
    }

    /// Tells the other side and lets go of everything that the call holds.
    async fn release(&mut self, event: CallEvent, reason: EndReason) {
        let Some(mut call) = self.call.take() else { return };
        self.over.add(call.id.clone(), call.remote.clone());
        call.timers = Timers::default();
        call.media = None;
        if call.announced
            && let Some(goodbye) = goodbye(&call, event, reason)
        {
            self.send_in(&call, goodbye);
        }
        for stream in call.stream.iter().chain(&call.screen) {
            stream.stop();
        }
        if let Some(peer) = call.peer.take()
            && let Err(error) = peer.close().await
        {
            self.problem(format!("closing the peer: {error}"));
        }
        let tracks = call.stream.iter().chain(&call.screen).flat_map(MediaStream::tracks);
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
            Some(TransportEvent::Up) => {
                self.tell_signaling("signalling is up");
                self.signaling = Signaling::Up;
                self.recover(Input::SignalingUp).await;
            }
            Some(TransportEvent::Via { way }) => self.tell_signaling(&format!("signalling goes by {way}")),
            Some(TransportEvent::Delayed { reason }) => {
                self.tell_signaling(&format!("signalling is delayed: {reason}"));
            }
            Some(TransportEvent::Down { reason }) => {
                self.tell_signaling(&format!("signalling is down: {reason}"));
                self.signaling = Signaling::Down;
                self.recover(Input::SignalingDown).await;
            }
            Some(TransportEvent::Unreadable { error }) => {
                self.problem(format!("unreadable message: {error}"))
            }
            Some(_) => {}
            None => {
                self.signaling = Signaling::Closed;
                self.recover(Input::SignalingDown).await;
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
        let (kind, detail, addressee) = (body.kind(), body.detail(), to.clone());
        match self.transport.send(Outgoing { call, to, body }) {
            Ok(id) => {
                self.observer.on_event(EngineEvent::MessageSent { id, kind, to: addressee, detail });
            }
            Err(error) => self.problem(format!("cannot send: {error}")),
        }
    }

    pub(super) fn start_timer(&mut self, kind: TimerKind, duration: Duration) {
        let sleep = self.runtime.sleep(duration);
        if let Some(call) = &mut self.call {
            call.timers.start(kind, sleep);
        }
    }

    pub(super) fn stop_timer(&mut self, kind: TimerKind) {
        if let Some(call) = &mut self.call {
            call.timers.stop(kind);
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
            Some(Message::Reject { reason: reject_for(reason) })
        }
        _ => Some(Message::Bye { reason: bye_for(reason) }),
    }
}
