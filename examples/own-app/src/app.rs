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

/// What the user does, and the platform.
pub enum Command {
    /// Calls whoever is in the room.
    Call,
    /// Waves, by the chat.
    Wave,
    /// Ends the call.
    HangUp,
    /// The device is in another network.
    NetworkChanged,
    /// Ends the app.
    Quit,
}

/// Is called with a connection that was built.
pub type Built = Box<dyn FnOnce(&Arc<dyn PeerConnection>) + Send>;

/// Who watches the app: diagnostics, in what is shipped.
pub trait Watcher: Send + Sync {
    /// The handler to give to a peer connection instead of the app's own, to which it hands everything on; and what to
    /// call with the connection once it is built.
    fn watch(&self, own: Arc<dyn PeerConnectionEventHandler>) -> (Arc<dyn PeerConnectionEventHandler>, Built);

    /// A line for the log.
    fn log(&self, line: String);
}

/// The app, from its start to [`Command::Quit`] or a failure, which it logs.
pub async fn run(
    config: Config,
    runtime: Arc<dyn Runtime>,
    watcher: Arc<dyn Watcher>,
    commands: UnboundedReceiver<Command>,
) {
    let (moved, (server, outbox), (inbox, messages)) =
        (Notify::new(), unbounded_channel(), unbounded_channel());
    let signalling = Signalling { config: &config, outbox, inbox, moved: &moved };
    let (happens, happened) = unbounded_channel();
    let mut app = App { config: &config, runtime, watcher, server, moved: &moved, happens, call: None };
    let ran = tokio::select! {
        biased;
        ran = app.run(commands, messages, happened) => ran,
        () = signalling.run() => Ok(()),
    };
    if let Err(error) = ran {
        app.watcher.log(format!("ends: {error}"));
    }
}

struct App<'a> {
    config: &'a Config,
    runtime: Arc<dyn Runtime>,
    watcher: Arc<dyn Watcher>,
    server: UnboundedSender<Wire>,
    moved: &'a Notify,
    happens: UnboundedSender<Happened>,
    call: Option<Call>,
}

impl App<'_> {
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
                let answer = call.described(description).await?;
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
