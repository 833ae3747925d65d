//! A participant: the engine on tokio, and the client of the signalling server over TCP.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use call_engine::{
    CallState, Engine, EngineEvent, MediaKind, Observer, Parts, Permission, ReceivedPacket, Settings, State,
    SyntheticDevices,
};
use signaller::{
    CallId, SessionId,
    access::Token,
    client::{FallbackSettings, FallbackTransport, Identity, Jitter, Target},
};
use tokio::{
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};
use webrtc::runtime::{Runtime, TokioRuntime};

/// How long each step of the call may take. Nobody waits for so long unless something is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A participant of one call.
pub struct Participant {
    who: String,
    engine: Engine,
    coming: UnboundedReceiver<Seen>,
    seen: Vec<Seen>,
}

/// What a participant sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What its engine tells it.
    Event(EngineEvent),
    /// The first packet of this kind of media arrived, decrypted.
    Media(MediaKind),
}

/// What a participant waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody calls.
    Rings,
    /// The call is connected.
    Connected,
    /// Media of this kind arrives.
    Receives(MediaKind),
    /// The call is over, and nothing of it is left.
    Released,
}

/// A step did not happen within [`PATIENCE`].
#[derive(Debug, thiserror::Error)]
#[error("{who} waited for {step:?} and saw {seen:#?}")]
pub struct TooLate {
    /// Who waited.
    pub who: String,
    /// For what.
    pub step: Step,
    /// What it saw until then.
    pub seen: Vec<Seen>,
}

impl Participant {
    /// Connects to the server and waits for what its user wants.
    pub fn join(who: &str, call: CallId, token: Token, server: SocketAddr) -> Self {
        let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
        let transport = FallbackTransport::spawn(
            Identity { participant: who.into(), session: SessionId::new("1") },
            Target::guarded(server.to_string(), call, token),
            FallbackSettings::default(),
            Jitter::none(),
            move || async move {
                let stream = TcpStream::connect(server).await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            },
        );
        let mut settings = Settings::new(who);
        settings.peer.udp_addresses = vec!["127.0.0.1:0".to_owned()];
        let (sender, coming) = unbounded_channel();
        let parts = Parts {
            runtime: Arc::clone(&runtime),
            transport: Box::new(transport),
            devices: Arc::new(SyntheticDevices {
                permission: Permission::Granted,
                delay: Duration::ZERO,
                runtime,
            }),
            observer: Arc::new(Observed { who: who.to_owned(), media: Mutex::default(), sender }),
        };
        Self { who: who.to_owned(), engine: Engine::start(settings, parts), coming, seen: Vec::new() }
    }

    /// Its engine, to say what its user wants.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Waits until `step` has happened, be it now or before.
    ///
    /// # Errors
    /// [`TooLate`] after [`PATIENCE`].
    pub async fn until(&mut self, step: Step) -> Result<(), TooLate> {
        let happening = async {
            while !self.seen.iter().any(|seen| step.is(seen)) {
                match self.coming.recv().await {
                    Some(seen) => self.seen.push(seen),
                    // The engine is gone.
                    None => std::future::pending().await,
                }
            }
        };
        let late = timeout(PATIENCE, happening).await;
        late.map_err(|_| TooLate { who: self.who.clone(), step, seen: self.seen.clone() })
    }

    /// Ends the engine; all that was seen.
    pub async fn leave(mut self) -> Vec<Seen> {
        self.engine.shut_down().await;
        self.coming.close();
        while let Some(seen) = self.coming.recv().await {
            self.seen.push(seen);
        }
        self.seen
    }
}

impl Step {
    fn is(self, seen: &Seen) -> bool {
        match (self, seen) {
            (Self::Rings, Seen::Event(EngineEvent::IncomingCall { .. }))
            | (Self::Released, Seen::Event(EngineEvent::Released { .. })) => true,
            (Self::Connected, Seen::Event(EngineEvent::StateChanged { to, .. })) => {
                *to == State::Call(CallState::Connected)
            }
            (Self::Receives(wanted), Seen::Media(kind)) => wanted == *kind,
            _ => false,
        }
    }
}

/// The application's end of the engine.
struct Observed {
    who: String,
    media: Mutex<Vec<MediaKind>>,
    sender: UnboundedSender<Seen>,
}

impl Observed {
    fn saw(&self, seen: Seen) {
        // Nobody listens once the participant has left.
        let _ = self.sender.send(seen);
    }
}

impl Observer for Observed {
    fn on_event(&self, event: EngineEvent) {
        match &event {
            EngineEvent::StateChanged { from, to, .. } => {
                println!("{}  {}: {from} → {to}", self.who, to.machine());
            }
            other => println!("{}  {other:?}", self.who),
        }
        self.saw(Seen::Event(event));
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        let mut media = self.media.lock().unwrap_or_else(PoisonError::into_inner);
        if !media.contains(&packet.kind) {
            media.push(packet.kind);
            println!("{}  receives {}", self.who, packet.kind);
            self.saw(Seen::Media(packet.kind));
        }
    }
}
