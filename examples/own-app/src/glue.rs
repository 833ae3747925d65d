//! What callsim needs to know of the app: how it starts at a place, what the steps of a scenario mean to it, and how it
//! ends. Nothing else of this example was written for callsim.

use std::{net::IpAddr, sync::Arc};

use callsim::{BoxFuture, Command, Place, Program, Programs, Unsupported};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use webrtc::{peer_connection::PeerConnectionEventHandler, runtime::JoinHandle};

use crate::{app, server};

/// The programs of this example's scenarios: the app, and its server.
pub fn programs() -> Programs {
    Programs::new().with("own-app", Phone::start).with("own-server", Server::start)
}

/// The app at a peer.
struct Phone(UnboundedSender<app::Command>);

impl Phone {
    fn start(place: Place) -> Self {
        let (name, room, server) = (place.name().to_string(), "café".into(), "server.test:9000".into());
        let config = app::Config { name, room, server, ice_servers: place.ice_servers() };
        let (sender, commands) = unbounded_channel();
        place.spawn(app::run(config, place.runtime(), Arc::new(place.clone()), commands));
        Self(sender)
    }
}

impl Program for Phone {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        let command = match command {
            Command::Dial { .. } => app::Command::Call,
            Command::HangUp => app::Command::HangUp,
            Command::Do(what) if what == "wave" => app::Command::Wave,
            other => return Err(Unsupported::by("the app", other)),
        };
        self.0.send(command).map_err(|_| Unsupported::because("the app has ended"))
    }

    fn network_changed(&mut self, _: &[IpAddr]) {
        let _ = self.0.send(app::Command::NetworkChanged);
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        let _ = self.0.send(app::Command::Quit);
        Box::pin(self.0.closed())
    }
}

impl app::Watcher for Place {
    fn watch(&self, own: Arc<dyn PeerConnectionEventHandler>) -> (Arc<dyn PeerConnectionEventHandler>, app::Built) {
        let observed = self.observed(own);
        (observed.clone(), Box::new(move |connection| observed.connection(connection)))
    }

    fn log(&self, line: String) {
        self.reporter().note(line);
    }
}

/// The server at a peer.
struct Server(Box<dyn JoinHandle>);

impl Server {
    fn start(place: Place) -> Self {
        Self(place.spawn(async { drop(server::serve("0.0.0.0:9000").await) }))
    }
}

impl Program for Server {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        Err(Unsupported::by("the server", command))
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        self.0.abort();
        Box::pin(std::future::ready(()))
    }
}
