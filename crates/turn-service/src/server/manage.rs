//! What a driver does to a server besides feeding it: moods, reboots, connections that end.

use std::net::SocketAddr;
use std::time::Duration;

use super::Server;
use crate::event::ServiceEvent;
use crate::mood::Mood;
use crate::output::Output;
use crate::ports::Ports;
use crate::transport::{FiveTuple, Transport};

impl Server {
    /// The faults in force.
    pub fn mood(&self) -> Mood {
        self.mood
    }

    /// Changes the faults in force, from the next message on.
    pub fn set_mood(&mut self, mood: Mood) {
        self.mood = mood;
    }

    /// Restarts the server: allocations, reservations and remembered answers are lost, every nonce is
    /// stale, relayed ports start elsewhere in the range. Settings, mood and traffic counts stay.
    pub fn reboot(&mut self, now: Duration) -> Vec<Output> {
        let mut out = self.tick(now);
        let allocations = self.allocations.len();
        out.push(Output::Event(ServiceEvent::Rebooted { allocations }));
        out.extend(self.relays.keys().map(|relay| Output::Close { relay: *relay }));
        self.boot += 1;
        self.made = 0;
        self.allocations.clear();
        self.relays.clear();
        self.cache.clear();
        if let Some(turn) = &self.turn {
            self.ports = Ports::new(turn.relay_ports.clone(), self.boot);
        }
        out
    }

    /// The TCP connection from `client` to `server` has ended; its allocation goes with it, since no
    /// message can come on that 5-tuple any more. (The RFCs leave the moment to the server.)
    pub fn disconnected(&mut self, now: Duration, client: SocketAddr, server: SocketAddr) -> Vec<Output> {
        let mut out = self.tick(now);
        self.release(FiveTuple { transport: Transport::Tcp, client, server }, &mut out);
        out
    }

    /// Ends an allocation, if there is one.
    pub(super) fn release(&mut self, client: FiveTuple, out: &mut Vec<Output>) {
        if let Some(gone) = self.allocations.remove(&client) {
            self.relays.remove(&gone.relay);
            out.push(Output::Event(ServiceEvent::Released { relay: gone.relay }));
            out.push(Output::Close { relay: gone.relay });
        }
    }
}
