//! What callsim needs to know of the app: how it and its server start at a place, what the steps of a scenario mean to
//! it, and who watches it. Nothing else of this example was written for callsim.

use std::{net::IpAddr, sync::Arc};

use callsim::{BoxFuture, Command, Place, Program, Programs, Task, Unsupported};

use crate::{app, server};

/// The programs of this example's scenarios: the app, and its server.
pub fn programs() -> Programs {
    let server = |place: Place| Task::start(&place, async { drop(server::serve("0.0.0.0:9000").await) });
    Programs::new().with("own-app", start).with("own-server", server)
}

fn start(place: Place) -> app::App {
    let (name, room, server) = (place.name().to_string(), "café".into(), "server.test:9000".into());
    let config = app::Config { name, room, server, ice_servers: place.ice_servers() };
    app::App::start(config, place.runtime(), Arc::new(place))
}

impl Program for app::App {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        match command {
            Command::Dial { .. } => self.call(),
            Command::Do(what) if what == "wave" => self.wave(),
            Command::HangUp => self.hang_up(),
            other => return Err(Unsupported::by("the app", other)),
        }
        Ok(())
    }

    fn network_changed(&mut self, _addresses: &[IpAddr]) {
        app::App::network_changed(self);
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.quit())
    }
}

impl app::Watcher for Place {
    fn watch(&self, own: app::Handler) -> app::Watched {
        let observed = self.observed(own);
        (observed.clone(), Box::new(move |connection| observed.connection(connection)))
    }

    fn log(&self, line: String) {
        self.reporter().note(line);
    }
}
