//! The engine's side: a small application on tokio and real sockets, driven by lines.

use std::{
    io::BufRead as _,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use call_engine::{
    CallState, DataMessage, DataSettings, Delivery, Enabled, Engine, EngineEvent, Hold, IceServer,
    IceTransportPolicy, MediaKind, Observer, Parts, PeerConstraints, Permission, ReceivedPacket, Settings,
    State as Entered, SyntheticDevices,
};
use signaller::{
    Kind, SessionId,
    client::{AllowedWays, FallbackSettings, FallbackTransport, Identity, Jitter, Target},
};
use tokio::{net::TcpStream, sync::mpsc};
use webrtc::runtime::{Runtime, TokioRuntime};

use crate::words::{Command, Counts, Options, Policy, Report, State, Way};

/// Runs until it is told to quit.
pub(crate) fn run(options: &str) -> anyhow::Result<()> {
    let options: Options = serde_json::from_str(options).context("the options are not what `peer` takes")?;
    let server: SocketAddr = options.server.parse().context("`server` is not HOST:PORT")?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(play(options, server))
}

async fn play(options: Options, server: SocketAddr) -> anyhow::Result<()> {
    let observer = Arc::new(Reporter::default());
    let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
    let engine = Engine::start(
        settings(&options),
        Parts {
            transport: Box::new(transport(&options, server)),
            devices: Arc::new(SyntheticDevices {
                permission: Permission::Granted,
                delay: Duration::ZERO,
                runtime: Arc::clone(&runtime),
            }),
            runtime,
            observer: Arc::clone(&observer) as Arc<dyn Observer>,
        },
    );
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        match line.parse()? {
            Command::Dial { to, call } => engine.dial(to.as_str(), call.as_str()),
            Command::Accept => engine.accept(),
            Command::Reject => engine.reject(),
            Command::HangUp => engine.hang_up(),
            Command::Mute(kind) => engine.set_enabled(kind, Enabled::No),
            Command::Unmute(kind) => engine.set_enabled(kind, Enabled::Yes),
            Command::Hold => engine.set_hold(Hold::Held),
            Command::Resume => engine.set_hold(Hold::Resumed),
            // The engine's way to add pictures to a call.
            Command::AddVideo | Command::Screen => engine.share_screen(),
            Command::NoScreen => engine.stop_screen(),
            Command::RestartIce => engine.network_changed(None),
            Command::Data(text) => engine.send_data(Delivery::Ordered, text.as_str()),
            Command::Counts => say(&Report::Counts(*observer.counts())),
            // As when the system kills it.
            Command::CloseTab => std::process::exit(0),
            Command::Quit => break,
        }
    }
    engine.shut_down().await;
    Ok(())
}

fn settings(options: &Options) -> Settings {
    let mut settings = Settings::new(options.name.as_str());
    settings.media.audio = options.media.audio;
    if !options.media.video {
        settings.media.video = None;
    }
    settings.data = Some(DataSettings::default());
    settings.timers.ring = Duration::from_millis(options.ring_ms);
    settings.peer.udp_addresses = vec!["127.0.0.1:0".to_owned()];
    let server = |server: &crate::words::IceServer| IceServer {
        urls: vec![server.urls.clone()],
        username: server.username.clone(),
        credential: server.credential.clone(),
    };
    settings.peer.constraints = PeerConstraints {
        ice_servers: options.ice_servers.iter().map(server).collect(),
        ice_transport_policy: match options.ice_transport_policy {
            Policy::All => IceTransportPolicy::All,
            Policy::Relay => IceTransportPolicy::Relay,
        },
    };
    settings
}

fn transport(options: &Options, server: SocketAddr) -> FallbackTransport {
    let ways = match options.way {
        Way::Websocket => AllowedWays::Both,
        Way::Rest => AllowedWays::Rest,
    };
    FallbackTransport::spawn(
        Identity {
            participant: options.name.as_str().into(),
            session: SessionId::new(std::process::id().to_string()),
        },
        Target::open(server.to_string()),
        FallbackSettings { ways, ..FallbackSettings::default() },
        Jitter::none(),
        move || async move {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        },
    )
}

/// The lines of standard input; their end is as good as `quit`.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn say(report: &Report) {
    match serde_json::to_string(report) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("cannot be said: {error}"),
    }
}

/// Says what happens, and counts packets.
#[derive(Default)]
struct Reporter {
    counts: Mutex<Counts>,
}

impl Reporter {
    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Reporter {
    fn on_event(&self, event: EngineEvent) {
        // For people, beside what the runner reads.
        eprintln!("{}", serde_json::to_string(&event).unwrap_or_default());
        match event {
            EngineEvent::IncomingCall { call, from } => {
                say(&Report::Incoming { call: call.to_string(), from: from.to_string() });
            }
            EngineEvent::StateChanged { to: Entered::Call(to), .. } => say(&entered(to)),
            EngineEvent::MessageSent { kind: Kind::Offer, detail, .. } => {
                let round =
                    detail.rsplit(' ').next().and_then(|round| round.parse().ok()).unwrap_or_default();
                say(&Report::Offered { round });
            }
            EngineEvent::TrackAdded { kind } => say(&Report::Track { kind: kind.to_string() }),
            EngineEvent::Problem { what } => say(&Report::Problem { what }),
            EngineEvent::Signaling { what } if what.ends_with("is up") => say(&Report::Ready),
            _ => {}
        }
    }

    fn on_frame_sent(&self, kind: MediaKind, _bytes: usize) {
        let mut counts = self.counts();
        match kind {
            MediaKind::Audio => counts.audio_out += 1,
            MediaKind::Video => counts.video_out += 1,
        }
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        let mut counts = self.counts();
        match packet.kind {
            MediaKind::Audio => counts.audio_in += 1,
            MediaKind::Video => counts.video_in += 1,
        }
    }

    fn on_data(&self, delivery: Delivery, message: &DataMessage) {
        let text = String::from_utf8_lossy(message.as_bytes()).into_owned();
        say(&Report::Data { label: delivery.to_string(), text });
    }
}

fn entered(state: CallState) -> Report {
    let (state, reason) = match state {
        CallState::Idle => (State::Idle, None),
        CallState::Dialling => (State::Dialling, None),
        CallState::Ringing => (State::Ringing, None),
        CallState::Connecting => (State::Connecting, None),
        CallState::Connected => (State::Connected, None),
        CallState::Reconnecting => (State::Reconnecting, None),
        CallState::Ended(reason) => (State::Ended, Some(reason.as_str().to_owned())),
    };
    Report::State { state, reason }
}
