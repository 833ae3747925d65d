//! The app as it ships: joins its room, calls with one audio track and a chat, answers every call, and goes on where the
//! device's network changes.

mod call;
mod signalling;

use std::{error::Error, sync::Arc};

use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use webrtc::{
    peer_connection::{PeerConnection, PeerConnectionEventHandler, RTCIceServer},
    runtime::Runtime,
};

use self::{
    call::{Call, Happened},
    signalling::Signalling,
};
use crate::wire::Wire;

/// What goes wrong ends the app, with a word in its log.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Who takes part, and where.
pub struct Config {
    /// The user's name.
    pub name: String,
    /// The room in which calls are made.
    pub room: String,
    /// The signalling server, with its port.
    pub server: String,
    /// STUN and TURN servers.
    pub ice_servers: Vec<RTCIceServer>,
}

/// The handler of a peer connection's events.
pub type Handler = Arc<dyn PeerConnectionEventHandler>;

/// The handler to give to a peer connection, and what to call with the connection once it is built.
pub type Watched = (Handler, Box<dyn FnOnce(&Arc<dyn PeerConnection>) + Send>);

/// Who watches the app: diagnostics, in what is shipped.
pub trait Watcher: Send + Sync {
    /// Watches a peer connection, by a handler that hands everything on to the app's own.
    fn watch(&self, own: Handler) -> Watched;

    /// A line for the log.
    fn log(&self, line: String);
}

/// A running app, for its user and the platform. What has no sense now does nothing.
pub struct App(UnboundedSender<Command>);

enum Command {
    Call,
    Wave,
    HangUp,
    NetworkChanged,
    Quit,
}

impl App {
    /// Starts it.
    pub fn start(config: Config, runtime: Arc<dyn Runtime>, watcher: Arc<dyn Watcher>) -> Self {
        let (sender, commands) = unbounded_channel();
        runtime.spawn(Box::pin(run(config, runtime.clone(), watcher, commands))).detach();
        Self(sender)
    }

    /// Calls whoever is in the room.
    pub fn call(&self) {
        self.tell(Command::Call);
    }

    /// Waves, by the chat.
    pub fn wave(&self) {
        self.tell(Command::Wave);
    }

    /// Ends the call.
    pub fn hang_up(&self) {
        self.tell(Command::HangUp);
    }

    /// The device is in another network.
    pub fn network_changed(&self) {
        self.tell(Command::NetworkChanged);
    }

    /// Ends the app, and waits for it.
    pub async fn quit(&self) {
        self.tell(Command::Quit);
        self.0.closed().await;
    }

    fn tell(&self, command: Command) {
        // An app that has failed does nothing any more; its log says why.
        let _ = self.0.send(command);
    }
}

/// The app, until it is told to quit or fails, which it logs.
async fn run(
    config: Config,
    runtime: Arc<dyn Runtime>,
    watcher: Arc<dyn Watcher>,
    commands: UnboundedReceiver<Command>,
) {
    let (moved, (server, outbox), (inbox, messages)) =
        (Notify::new(), unbounded_channel(), unbounded_channel());
    let signalling = Signalling { config: &config, outbox, inbox, moved: &moved };
    let (happens, happened) = unbounded_channel();
    let mut running =
        Running { config: &config, runtime, watcher, server, moved: &moved, happens, call: None };
    let ran = tokio::select! {
        biased;
        ran = running.run(commands, messages, happened) => ran,
        () = signalling.run() => Ok(()),
    };
    if let Err(error) = ran {
        running.watcher.log(format!("the app ends: {error}"));
    }
}

struct Running<'a> {
    config: &'a Config,
    runtime: Arc<dyn Runtime>,
    watcher: Arc<dyn Watcher>,
    server: UnboundedSender<Wire>,
    moved: &'a Notify,
    happens: UnboundedSender<Happened>,
    call: Option<Call>,
}

impl Running<'_> {
    async fn run(
        &mut self,
        mut commands: UnboundedReceiver<Command>,
        mut messages: UnboundedReceiver<Wire>,
        mut happened: UnboundedReceiver<Happened>,
    ) -> Result<()> {
        loop {
            let done = tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(Command::Quit) | None => return self.end().await,
                    Some(command) => self.act(command).await,
                },
                Some(message) = messages.recv() => self.hear(message).await,
                Some(what) = happened.recv() => self.react(what),
            };
            if let Err(error) = done {
                self.watcher.log(format!("the call ends: {error}"));
                self.end().await?;
            }
        }
    }

    async fn act(&mut self, command: Command) -> Result<()> {
        match (command, &self.call) {
            (Command::Call, None) => {
                let mut call = self.new_call().await?;
                call.open_chat().await?;
                self.send(call.offer(false).await?);
                self.call = Some(call);
            }
            (Command::Wave, Some(call)) => call.say("waves").await,
            (Command::HangUp, Some(_)) => {
                self.send(Wire::Bye);
                self.end().await?;
            }
            (Command::NetworkChanged, call) => {
                self.moved.notify_one();
                if let Some(call) = call {
                    self.send(call.offer(true).await?);
                }
            }
            // What has no sense now is not offered to the user.
            _ => {}
        }
        Ok(())
    }

    /// A message of the other side.
    async fn hear(&mut self, message: Wire) -> Result<()> {
        match message {
            Wire::Description { description } => {
                let mut call = match self.call.take() {
                    Some(call) => call,
                    None => self.new_call().await?,
                };
                let answer = call.described(*description).await?;
                self.call = Some(call);
                if let Some(answer) = answer {
                    self.send(answer);
                }
            }
            Wire::Candidate { candidate } => {
                if let Some(call) = &mut self.call {
                    call.candidate(candidate).await?;
                }
            }
            Wire::Bye => self.end().await?,
            Wire::Join { .. } => {}
        }
        Ok(())
    }

    /// Something happened in the call.
    fn react(&mut self, what: Happened) -> Result<()> {
        match (what, &mut self.call) {
            (Happened::Candidate(candidate), Some(_)) => self.send(Wire::Candidate { candidate }),
            (Happened::Connected, Some(call)) => call.speak(),
            (Happened::Chat(channel), Some(call)) => call.chat(channel),
            (Happened::Track(track), Some(call)) => call.listen(track),
            (Happened::Said(text), Some(_)) => self.watcher.log(format!("sees: the other {text}")),
            // The last of a call that is over.
            (_, None) => {}
        }
        Ok(())
    }

    fn send(&self, message: Wire) {
        // Signalling lives as long as the app.
        let _ = self.server.send(message);
    }

    async fn new_call(&self) -> Result<Call> {
        Call::new(self.config, &self.runtime, &*self.watcher, &self.happens).await
    }

    async fn end(&mut self) -> Result<()> {
        match self.call.take() {
            Some(call) => call.close().await,
            None => Ok(()),
        }
    }
}
