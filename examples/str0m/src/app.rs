//! The app: the signaller's messages on one side, str0m on the other, one call at a time.

use std::{io, net::SocketAddr};

use callsim::{
    Place,
    timeline::{
        CallState, CandidateFate, ConnectionState, EndReason, GatheringState, MessageRef, SignalingState,
        State,
    },
};
use signaller::{
    ByeReason, CallId, Candidate, Envelope, Message, Outgoing, ParticipantId, RejectReason, SessionId,
    Transport as _, TransportError, TransportEvent,
    client::{FallbackSettings, FallbackTransport, Identity, Jitter, Target},
};
use str0m::{RtcError, error::IceError};
use tokio::sync::{mpsc::UnboundedReceiver, watch};

use crate::{
    peer::{Gathered, Happened, Peer},
    program::Wish,
    report::Report,
};

/// Where the signaller of a scenario takes WebSockets.
const HTTP_PORT: u16 = 443;
/// The longest datagram that is read.
const DATAGRAM_BYTES: usize = 2000;

/// Why the app ended before it was stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("this world has no signaller")]
    NoSignaller,
    #[error("the host has no address")]
    NoAddress,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Signalling(#[from] TransportError),
    #[error(transparent)]
    Rtc(#[from] RtcError),
    #[error(transparent)]
    Ice(#[from] IceError),
}

/// Runs until `wishes` closes or the signaller is lost for good. `idle` shows whether there is no call.
pub(crate) async fn run(
    place: Place,
    mut wishes: UnboundedReceiver<Wish>,
    idle: watch::Sender<bool>,
) -> Result<(), AppError> {
    let mut app = App::start(place, idle)?;
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        // After each change, as the documentation of str0m asks.
        app.drain()?;
        let peer = app.peer.as_ref();
        tokio::select! {
            biased;
            wish = wishes.recv() => match wish {
                Some(Wish::Accept) => app.accept()?,
                Some(Wish::HangUp) => app.end(EndReason::HungUp, Some(ByeReason::HungUp))?,
                None => break,
            },
            event = app.transport.recv() => match event {
                Some(TransportEvent::Message(envelope)) => app.on_message(envelope).await?,
                Some(_) => {}
                None => break,
            },
            received = Peer::receive(peer, &mut buffer) => {
                let (length, from) = received?;
                app.on_packet(&buffer[..length], from)?;
            }
            () = Peer::due(peer) => app.tick()?,
        }
    }
    app.end(EndReason::ShutDown, Some(ByeReason::ShutDown))?;
    app.transport.close().await;
    Ok(())
}

struct App {
    place: Place,
    transport: FallbackTransport,
    idle: watch::Sender<bool>,
    report: Report,
    /// The call that rings or goes on.
    call: Option<Call>,
    /// From accepting to the end of the call.
    peer: Option<Peer>,
}

struct Call {
    id: CallId,
    remote: ParticipantId,
}

impl App {
    fn start(place: Place, idle: watch::Sender<bool>) -> Result<Self, AppError> {
        let signaller = place.signaller(HTTP_PORT).ok_or(AppError::NoSignaller)?;
        let identity = Identity { participant: place.name().clone(), session: SessionId::new("1") };
        let connector = stage::connector(place.host().clone(), signaller);
        let (target, settings) = (Target::open(signaller.to_string()), FallbackSettings::default());
        let transport = FallbackTransport::spawn(identity, target, settings, Jitter::none(), connector);
        Ok(Self { report: Report::new(&place), place, transport, idle, call: None, peer: None })
    }

    async fn on_message(&mut self, envelope: Envelope) -> Result<(), AppError> {
        self.report.received(&envelope);
        let is_of_call =
            self.call.as_ref().is_some_and(|call| call.id == envelope.call && call.remote == envelope.from);
        match envelope.body {
            Message::Ring { .. } => self.on_ring(envelope.call, envelope.from),
            _ if !is_of_call => Ok(()),
            Message::Offer { sdp, negotiation } => self.on_offer(&sdp, negotiation).await,
            Message::Candidate(candidate) => {
                self.on_candidate(&candidate, MessageRef { from: envelope.from, id: envelope.id });
                Ok(())
            }
            Message::Bye { reason } => {
                self.end(EndReason::from_word(reason.as_str()).unwrap_or(EndReason::HungUp), None)
            }
            // It makes no offers, and a call that only talks needs nothing else.
            _ => Ok(()),
        }
    }

    fn on_ring(&mut self, id: CallId, remote: ParticipantId) -> Result<(), AppError> {
        if self.call.is_some() {
            let body = Message::Reject { reason: RejectReason::Busy };
            self.transport.send(Outgoing { call: id, to: remote, body })?;
            return Ok(());
        }
        self.call = Some(Call { id, remote });
        self.idle.send_replace(false);
        self.send(Message::Ringing)?;
        self.report.entered(State::Call(CallState::Ringing));
        Ok(())
    }

    fn accept(&mut self) -> Result<(), AppError> {
        if self.call.is_none() || self.peer.is_some() {
            self.report.problem("cannot accept: nothing rings");
            return Ok(());
        }
        self.peer = Some(Peer::new(&self.place)?);
        self.report.new_peer();
        self.send(Message::Accept)?;
        self.report.entered(State::Call(CallState::Connecting));
        Ok(())
    }

    async fn on_offer(&mut self, sdp: &str, negotiation: u64) -> Result<(), AppError> {
        let Some(peer) = &mut self.peer else { return Ok(()) };
        self.report.entered(State::Signaling(SignalingState::HaveRemoteOffer));
        let sdp = peer.answer(sdp)?;
        self.report.entered(State::Signaling(SignalingState::Stable));
        self.send(Message::Answer { sdp, negotiation })?;
        self.drain()?;
        let stun = self.stun_server().await;
        let is_first = self.report.entered(State::Gathering(GatheringState::Gathering));
        match &mut self.peer {
            Some(peer) if is_first => {
                let host = peer.gather(stun)?;
                self.on_gathered(host)
            }
            _ => Ok(()),
        }
    }

    async fn stun_server(&self) -> Option<SocketAddr> {
        let urls = self.place.ice_servers().into_iter().flat_map(|server| server.urls);
        let host = urls.filter_map(|url| url.strip_prefix("stun:").map(str::to_owned)).next()?;
        self.place.look_up(&host).await.ok()?.first().copied()
    }

    fn on_gathered(&mut self, gathered: Gathered) -> Result<(), AppError> {
        if let Gathered::Candidate(found) = gathered {
            let candidate = Candidate {
                candidate: found.to_sdp_string(),
                sdp_mline_index: Some(0),
                ..Candidate::default()
            };
            self.report.candidate(CandidateFate::Gathered, &candidate, None);
            self.send(Message::Candidate(candidate))?;
        }
        if self.peer.as_ref().is_some_and(|peer| !peer.is_gathering()) {
            self.report.entered(State::Gathering(GatheringState::Complete));
            self.send(Message::EndOfCandidates { sdp_mid: None, username_fragment: None })?;
        }
        Ok(())
    }

    fn on_candidate(&mut self, candidate: &Candidate, message: MessageRef) {
        let Some(peer) = &mut self.peer else { return };
        match peer.add_remote_candidate(&candidate.candidate) {
            Ok(()) => self.report.candidate(CandidateFate::Applied, candidate, Some(message)),
            Err(error) => self.report.rejected(candidate, message, error.to_string()),
        }
    }

    fn on_packet(&mut self, packet: &[u8], from: SocketAddr) -> Result<(), AppError> {
        let Some(peer) = &mut self.peer else { return Ok(()) };
        let gathered = peer.on_packet(packet, from)?;
        gathered.map_or(Ok(()), |gathered| self.on_gathered(gathered))
    }

    fn tick(&mut self) -> Result<(), AppError> {
        let Some(peer) = &mut self.peer else { return Ok(()) };
        let gathered = peer.tick()?;
        gathered.map_or(Ok(()), |gathered| self.on_gathered(gathered))
    }

    fn drain(&mut self) -> Result<(), AppError> {
        let Some(peer) = &mut self.peer else { return Ok(()) };
        for happened in peer.drain()? {
            match happened {
                Happened::Ice(state) => self.report.ice(state),
                Happened::Connected => {
                    self.report.entered(State::Connection(ConnectionState::Connected));
                    self.report.entered(State::Call(CallState::Connected));
                }
                Happened::Track(kind) => self.report.track(kind),
                Happened::Frame(kind, bytes) => self.report.frame(kind, bytes),
                // The engine closes its peer connection when its user hangs up; its bye may come later.
                Happened::Closed => return self.end(EndReason::HungUp, None),
            }
        }
        Ok(())
    }

    /// Ends the call, if there is one, and tells the other side if it does not know.
    fn end(&mut self, reason: EndReason, tell: Option<ByeReason>) -> Result<(), AppError> {
        if self.call.is_none() {
            return Ok(());
        }
        if let Some(reason) = tell {
            self.send(Message::Bye { reason })?;
        }
        if let Some(peer) = self.peer.take() {
            peer.close()?;
            self.report.entered(State::Signaling(SignalingState::Closed));
            self.report.entered(State::Connection(ConnectionState::Closed));
        }
        self.report.entered(State::Call(CallState::Ended(reason)));
        self.call = None;
        self.idle.send_replace(true);
        Ok(())
    }

    fn send(&mut self, body: Message) -> Result<(), AppError> {
        let Some(Call { id, remote }) = &self.call else { return Ok(()) };
        let id =
            self.transport.send(Outgoing { call: id.clone(), to: remote.clone(), body: body.clone() })?;
        self.report.sent(id, remote, &body);
        Ok(())
    }
}
