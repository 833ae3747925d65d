//! The engine on the stage: two of them that call each other, or one against a far side that a row plays
//! itself, message by message.

use std::{pin::pin, sync::Arc, time::Duration};

use call_engine::{
    Engine, EngineEvent, Observer, Parts, PeerSettings, Permission, Recovery, Settings, SyntheticDevices,
};
use futures::future::{Either, select};
use signaller::{
    CallId, Candidate, Message, Outgoing, Transport as _, TransportEvent, memory::MemoryTransport,
};
use timeline::{CallState, ConnectionState, Machine, MessageKind, State};
use webrtc::peer_connection::RTCSessionDescription;

use crate::{
    sdp::Sdp,
    stage::{Deviation, History, Kind, Log, OneOf, Peer, Shown, Stage},
};

/// The one call of a stage.
const CALL: &str = "call";
/// How long the far side waits for a message.
const PATIENCE: Duration = Duration::from_secs(60);

/// A participant with an engine.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) engine: Engine,
    pub(crate) log: Log<EngineEvent>,
    pub(crate) name: String,
}

/// A participant that the row plays: its signalling, and a bare peer connection to negotiate with.
pub(crate) struct Far {
    transport: MemoryTransport,
    to: String,
    stage: Stage,
    /// Messages that came while others were waited for.
    waiting: Vec<Message>,
    pub(crate) peer: Peer,
    /// The candidates of the engine that were applied.
    pub(crate) received: Vec<Candidate>,
}

/// An engine in a call with a far side.
pub(crate) struct Talk {
    pub(crate) party: Party,
    pub(crate) far: Far,
}

/// What changes a party from its defaults.
pub(crate) type Change = fn(&mut Settings);

impl Stage {
    /// An engine on the host `name`, with the defaults of an application.
    pub(crate) fn party(&self, name: &str) -> Party {
        self.party_with(name, |_| {})
    }

    /// An engine on the host `name`.
    pub(crate) fn party_with(&self, name: &str, change: Change) -> Party {
        let log = Log::new();
        let runtime: Arc<dyn webrtc::runtime::Runtime> = self.runtime(name);
        let mut settings = Settings {
            peer: PeerSettings {
                udp_addresses: vec![self.socket_address(name)],
                crypto: Some(self.crypto()),
                ..PeerSettings::default()
            },
            // An offer that nobody answers stays unanswered: what it takes to give it up is no part of a row.
            recovery: Some(Recovery { answer: None, ..Recovery::default() }),
            guards: self.guards(),
            ..Settings::new(name)
        };
        change(&mut settings);
        let devices = SyntheticDevices {
            permission: Permission::Granted,
            delay: Duration::ZERO,
            runtime: runtime.clone(),
        };
        let parts = Parts {
            runtime,
            transport: Box::new(self.hub().join(name)),
            devices: Arc::new(devices),
            observer: Arc::new(Seen(log.clone())),
        };
        let engine = Engine::start(settings, parts);
        self.keep_engine(engine.clone());
        Party { engine, log, name: name.to_owned() }
    }

    /// Two engines in a call that is connected: caller and callee.
    pub(crate) async fn engines(&self) -> Result<(Party, Party), Deviation> {
        self.engines_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn engines_with(&self, change: Change) -> Result<(Party, Party), Deviation> {
        let (caller, callee) = (self.party_with("alice", change), self.party_with("bob", change));
        caller.engine.dial("bob", CALL);
        self.until("the callee rings", || callee.is(CallState::Ringing)).await?;
        callee.engine.accept();
        for party in [&caller, &callee] {
            party.until_connected(self).await?;
        }
        Ok((caller, callee))
    }

    /// An engine that the far side calls: the callee, which is polite. Nothing is negotiated yet.
    pub(crate) async fn callee(&self) -> Result<Talk, Deviation> {
        let party = self.party("alice");
        let mut far = self.far("alice").await?;
        far.send(Message::Ring { media: signaller::Media { audio: true, video: true } })?;
        far.receive(MessageKind::Ringing).await?;
        party.engine.accept();
        far.receive(MessageKind::Accept).await?;
        self.rest().await;
        Ok(Talk { party, far })
    }

    /// An engine that calls the far side: the caller, which is impolite. Its offer is on its way.
    pub(crate) async fn caller(&self) -> Result<Talk, Deviation> {
        self.caller_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn caller_with(&self, change: Change) -> Result<Talk, Deviation> {
        let party = self.party_with("alice", change);
        let mut far = self.far("alice").await?;
        party.engine.dial("bob", CALL);
        far.receive(MessageKind::Ring).await?;
        far.send(Message::Ringing)?;
        far.send(Message::Accept)?;
        self.rest().await;
        Ok(Talk { party, far })
    }

    async fn far(&self, to: &str) -> Result<Far, Deviation> {
        let transport = self.hub().join("bob");
        let peer = self.peer("bob").await?;
        Ok(Far {
            transport,
            to: to.to_owned(),
            stage: self.clone(),
            waiting: Vec::new(),
            peer,
            received: Vec::new(),
        })
    }
}

impl Party {
    /// Whether its call is over, for whatever reason.
    pub(crate) fn call_has_ended(&self) -> bool {
        matches!(self.states().last(), Some(CallState::Ended(_)))
    }

    pub(crate) async fn until_connected(&self, stage: &Stage) -> Shown {
        stage.until(&format!("{} is connected", self.name), || self.is(CallState::Connected)).await
    }

    /// How many messages of a type it sent.
    pub(crate) fn sent(&self, kind: MessageKind) -> usize {
        self.log.count(|event| matches!(event, EngineEvent::MessageSent { kind: sent, .. } if *sent == kind))
    }

    /// Whether it reported a problem whose text contains `text`.
    pub(crate) fn has_problem(&self, text: &str) -> bool {
        self.log.any(|event| matches!(event, EngineEvent::Problem { what } if what.contains(text)))
    }

    /// From now on it sends no message of a type.
    pub(crate) fn never_sends(&self, stage: &Stage, kind: MessageKind) {
        stage.never(
            &self.log,
            &format!("{kind} messages sent"),
            move |event| matches!(event, EngineEvent::MessageSent { kind: sent, .. } if *sent == kind),
        );
    }

    /// From now on a machine never enters `state`.
    pub(crate) fn never_enters<T: OneOf>(&self, stage: &Stage, state: T) {
        let (what, state) = (format!("{} states {}", T::MACHINE, state.to_string()), state.state());
        stage.never(
            &self.log,
            &what,
            move |event| matches!(event, EngineEvent::StateChanged { to, .. } if *to == state),
        );
    }

    /// From now on to the end of the call, `machine` moves nowhere.
    pub(crate) fn never_moves(&self, stage: &Stage, machine: Machine) {
        stage.never(
            &self.log,
            &format!("{machine} state changes"),
            move |event| matches!(event, EngineEvent::StateChanged { to, .. } if to.machine() == machine),
        );
    }
}

impl History for Party {
    fn entered(&self) -> Vec<State> {
        let entered = |event| match event {
            EngineEvent::StateChanged { to, .. } => Some(to),
            _ => None,
        };
        self.log.all().into_iter().filter_map(entered).collect()
    }
}

impl Talk {
    /// The whole first exchange of a call that the engine made, and its connection.
    pub(crate) async fn answer_and_connect(&mut self, stage: &Stage) -> Shown {
        let (offer, round) = self.far.receive_offer().await?;
        self.far.answer(&offer, round).await?;
        self.connect(stage).await
    }

    /// The whole first exchange of a call that the far side made, and its connection: the answer. The
    /// engine has a microphone and a camera; what `kinds` leave out it offers next.
    pub(crate) async fn offer_and_connect(
        &mut self,
        stage: &Stage,
        kinds: &[Kind],
    ) -> Result<Sdp, Deviation> {
        for kind in kinds {
            self.far.peer.add_track(*kind).await?;
        }
        self.far.offer(1).await?;
        let answer = self.far.take_answer().await?;
        self.connect(stage).await?;
        Ok(answer)
    }

    /// Exchanges the candidates and waits until both are connected.
    pub(crate) async fn connect(&mut self, stage: &Stage) -> Shown {
        stage.rest().await;
        self.far.trickle()?;
        self.far.take_candidates().await?;
        self.party.until_connected(stage).await?;
        let peer = &self.far.peer;
        stage.until("the far side is connected", || peer.is(ConnectionState::Connected)).await
    }
}

impl Far {
    /// Sends a message of the call.
    pub(crate) fn send(&mut self, body: Message) -> Shown {
        let outgoing = Outgoing { call: CallId::new(CALL), to: self.to.as_str().into(), body };
        match self.transport.send(outgoing) {
            Ok(_) => Ok(()),
            Err(error) => Err(Deviation::new(format!("cannot send: {error}"))),
        }
    }

    /// The next message of a type, however long it takes to a limit.
    pub(crate) async fn receive(&mut self, kind: MessageKind) -> Result<Message, Deviation> {
        if let Some(at) = self.waiting.iter().position(|message| message.kind() == kind) {
            return Ok(self.waiting.remove(at));
        }
        loop {
            let timeout = pin!(self.stage.pass(PATIENCE));
            match select(self.transport.recv(), timeout).await {
                Either::Left((Some(TransportEvent::Message(envelope)), _))
                    if envelope.body.kind() == kind =>
                {
                    return Ok(envelope.body);
                }
                Either::Left((Some(TransportEvent::Message(envelope)), _)) => {
                    self.waiting.push(envelope.body)
                }
                Either::Left((Some(_), _)) => {}
                Either::Left((None, _)) | Either::Right(_) => {
                    return Err(Deviation::new(format!("the engine sends no `{kind}`")));
                }
            }
        }
    }

    /// What has arrived so far, without waiting.
    pub(crate) async fn arrived(&mut self) -> Vec<Message> {
        self.stage.rest().await;
        while let Some(Some(TransportEvent::Message(envelope))) =
            futures::FutureExt::now_or_never(self.transport.recv()).map(|event| match event {
                Some(TransportEvent::Up) => None,
                other => other,
            })
        {
            self.waiting.push(envelope.body);
        }
        std::mem::take(&mut self.waiting)
    }

    /// The engine's next offer, and its round.
    pub(crate) async fn receive_offer(&mut self) -> Result<(Sdp, u64), Deviation> {
        match self.receive(MessageKind::Offer).await? {
            Message::Offer { sdp, negotiation } => Ok((Sdp::from_text(sdp), negotiation)),
            other => Err(Deviation::new(format!("`{}` instead of an offer", other.kind()))),
        }
    }

    /// The engine's next answer, and its round.
    pub(crate) async fn receive_answer(&mut self) -> Result<(Sdp, u64), Deviation> {
        match self.receive(MessageKind::Answer).await? {
            Message::Answer { sdp, negotiation } => Ok((Sdp::from_text(sdp), negotiation)),
            other => Err(Deviation::new(format!("`{}` instead of an answer", other.kind()))),
        }
    }

    /// Makes an offer, applies it and sends it.
    pub(crate) async fn offer(&mut self, round: u64) -> Result<RTCSessionDescription, Deviation> {
        let offer = self.peer.offer().await?;
        self.send_offer(&offer, round)?;
        Ok(offer)
    }

    /// Sends an offer.
    pub(crate) fn send_offer(&mut self, offer: &RTCSessionDescription, round: u64) -> Shown {
        self.send(Message::Offer { sdp: offer.sdp.clone(), negotiation: round })
    }

    /// Waits for the answer and applies it.
    pub(crate) async fn take_answer(&mut self) -> Result<Sdp, Deviation> {
        let (answer, _) = self.receive_answer().await?;
        self.peer.set_remote(&answer.answer()).await?;
        Ok(answer)
    }

    /// Applies an offer and sends the answer.
    pub(crate) async fn answer(
        &mut self,
        offer: &Sdp,
        round: u64,
    ) -> Result<RTCSessionDescription, Deviation> {
        let answer = self.peer.answer(&offer.offer()).await?;
        self.send(Message::Answer { sdp: answer.sdp.clone(), negotiation: round })?;
        self.stage.rest().await;
        Ok(answer)
    }

    /// The far side's candidates, as an application would signal them.
    pub(crate) async fn candidates(&self) -> Vec<Candidate> {
        let local = self.peer.connection.local_description().await;
        let ufrag = local.map(|local| Sdp::of(&local).value("a=ice-ufrag:").to_owned());
        let complete = |init: rtc::peer_connection::transport::RTCIceCandidateInit| Candidate {
            candidate: init.candidate,
            sdp_mid: None,
            sdp_mline_index: Some(0),
            username_fragment: ufrag.clone(),
        };
        self.peer.candidates().into_iter().map(complete).collect()
    }

    /// Sends all its candidates.
    pub(crate) fn trickle(&mut self) -> Shown {
        for init in self.peer.candidates() {
            self.send(Message::Candidate(Candidate {
                candidate: init.candidate,
                sdp_mline_index: Some(0),
                ..Candidate::default()
            }))?;
        }
        Ok(())
    }

    /// Applies the candidates of the engine that have arrived.
    pub(crate) async fn take_candidates(&mut self) -> Shown {
        for message in self.arrived().await {
            match message {
                Message::Candidate(candidate) => {
                    let init = rtc::peer_connection::transport::RTCIceCandidateInit {
                        candidate: candidate.candidate.clone(),
                        sdp_mid: candidate.sdp_mid.clone(),
                        sdp_mline_index: candidate.sdp_mline_index,
                        ..Default::default()
                    };
                    self.peer.connection.add_ice_candidate(init).await?;
                    self.received.push(candidate);
                }
                other => self.waiting.push(other),
            }
        }
        Ok(())
    }
}

struct Seen(Log<EngineEvent>);

impl Observer for Seen {
    fn on_event(&self, event: EngineEvent) {
        self.0.push(event);
    }
}
