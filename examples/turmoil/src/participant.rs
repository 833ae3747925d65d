//! A participant: a token from the backend, then the engine with turmoil's sockets below it.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use call_engine::{
    Engine, EngineEvent, MediaKind, Observer, Parts, Permission, ReceivedPacket, Settings, SyntheticDevices,
};
use http_body_util::BodyExt as _;
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use signaller::{
    CallId, SessionId,
    access::Token,
    client::{FallbackSettings, FallbackTransport, Identity, Jitter, Target},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::sleep,
};
use turmoil::net::TcpStream;
use webrtc::runtime::Runtime;
use webrtc_turmoil::{TurmoilRuntime, connector};

use crate::{Events, backend::PORT, note};

/// Who takes part, and what it does.
pub struct Part {
    /// The name of its host, and its own.
    pub who: String,
    /// The call that its token is for, and the one that it makes.
    pub call: String,
    /// Whom it dials, half a second after the beginning; `None` for one who waits for a ring, and accepts.
    pub dials: Option<String>,
    /// When it hangs up, counted from its beginning; `None` for one who lets the other do it.
    pub hangs_up_after: Option<Duration>,
    /// Its engine's settings but for the network.
    pub settings: Settings,
}

/// A client of the simulation: joins, takes part in one call, ends with it.
///
/// # Errors
/// Where the backend gives no token.
pub async fn participate(part: Part, events: Events) -> turmoil::Result {
    if part.dials.is_some() {
        sleep(Duration::from_millis(500)).await;
    }
    let (engine, seen) = start(&part, events).await?;
    if let Some(callee) = &part.dials {
        engine.dial(callee.as_str(), part.call.as_str());
    }
    match part.hangs_up_after {
        Some(after) => until_over(engine, seen, sleep(after)).await,
        None => until_over(engine, seen, std::future::pending()).await,
    }
}

async fn start(part: &Part, events: Events) -> turmoil::Result<(Engine, UnboundedReceiver<EngineEvent>)> {
    let who = part.who.as_str();
    let host = TurmoilRuntime::new(who)?;
    let runtime: Arc<dyn Runtime> = Arc::new(host.clone());
    let mut settings = part.settings.clone();
    settings.peer.udp_addresses = vec![host.udp_address().to_string()];
    let identity = Identity { participant: who.into(), session: SessionId::new("1") };
    let target = Target::guarded("backend", CallId::new(part.call.as_str()), token(part).await?);
    let link = connector("backend", PORT);
    let transport =
        FallbackTransport::spawn(identity, target, FallbackSettings::default(), Jitter::none(), link);
    let (sender, seen) = unbounded_channel();
    let devices = SyntheticDevices {
        permission: Permission::Granted,
        delay: Duration::ZERO,
        runtime: Arc::clone(&runtime),
    };
    let parts = Parts {
        runtime,
        transport: Box::new(transport),
        devices: Arc::new(devices),
        observer: Arc::new(Seen { who: who.to_owned(), events, media: Mutex::default(), sender }),
    };
    Ok((Engine::start(settings, parts), seen))
}

async fn until_over(
    engine: Engine,
    mut seen: UnboundedReceiver<EngineEvent>,
    hang_up: impl Future<Output = ()>,
) -> turmoil::Result {
    let mut hang_up = std::pin::pin!(hang_up);
    let mut hung_up = false;
    loop {
        tokio::select! {
            biased;
            event = seen.recv() => match event {
                Some(EngineEvent::IncomingCall { .. }) => engine.accept(),
                Some(EngineEvent::Released { .. }) | None => break,
                Some(_) => {}
            },
            () = &mut hang_up, if !hung_up => {
                hung_up = true;
                engine.hang_up();
            }
        }
    }
    engine.shut_down().await;
    Ok(())
}

/// Asks the backend, over HTTP on turmoil's TCP.
async fn token(part: &Part) -> turmoil::Result<Token> {
    let stream = TcpStream::connect(("backend", PORT)).await?;
    let (mut requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let path = format!("/tokens/{}/{}", part.call, part.who);
    let request = Request::post(path).header(header::HOST, "backend");
    let answer = requests.send_request(request.body(String::new())?).await?;
    let text = answer.into_body().collect().await?.to_bytes();
    Ok(Token::new(std::str::from_utf8(&text)?))
}

/// Writes down what is worth a line.
struct Seen {
    who: String,
    events: Events,
    media: Mutex<Vec<MediaKind>>,
    sender: UnboundedSender<EngineEvent>,
}

impl Seen {
    fn note(&self, what: &str) {
        let at = turmoil::sim_elapsed().unwrap_or_default().as_millis();
        note(&self.events, at, &format!("{}  {what}", self.who));
    }
}

impl Observer for Seen {
    fn on_event(&self, event: EngineEvent) {
        match &event {
            EngineEvent::StateChanged { from, to, .. } => {
                self.note(&format!("{}: {from} → {to}", to.machine()));
            }
            EngineEvent::Signaling { .. } => self.note(&format!("{event:?}")),
            _ => {}
        }
        // Nobody listens once the call is over.
        let _nobody = self.sender.send(event);
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        let Ok(mut media) = self.media.lock() else { return };
        if !media.contains(&packet.kind) {
            media.push(packet.kind);
            self.note(&format!("receives {:?}", packet.kind));
        }
    }
}
