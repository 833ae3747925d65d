use std::sync::{Arc, Mutex, PoisonError};

use netsim::World;
use timeline::{Entry, Event, Name, ReceivedPacket, Timeline, VirtualTime};

/// Where what happens in a world is written down.
///
/// Called on the world's thread, from the tasks of programs and servers: an implementation that blocks holds up the
/// world.
pub trait Journal: Send + Sync {
    /// Something happened.
    fn record(&self, entry: Entry);

    /// A packet of media arrived at `actor`, decrypted.
    fn packet_received(&self, _at: VirtualTime, _actor: &Name, _packet: ReceivedPacket) {}
}

/// A journal that keeps everything.
impl Journal for Mutex<Timeline> {
    fn record(&self, entry: Entry) {
        self.lock().unwrap_or_else(PoisonError::into_inner).entries.push(entry);
    }
}

/// Writes down what one participant, server or host does. Cheap to clone.
#[derive(Clone)]
pub struct Reporter {
    actor: Name,
    world: World,
    journal: Arc<dyn Journal>,
}

impl Reporter {
    /// A reporter for `actor`, who need not be a host.
    pub fn new(world: &World, actor: &Name, journal: &Arc<dyn Journal>) -> Self {
        Self { actor: actor.clone(), world: world.clone(), journal: journal.clone() }
    }

    /// For whom it reports.
    pub fn actor(&self) -> &Name {
        &self.actor
    }

    /// Writes down what happens now.
    pub fn report(&self, event: Event) {
        self.journal.record(Entry { at: self.world.now(), actor: self.actor.clone(), event });
    }

    /// Writes down a line of text.
    pub fn note(&self, what: impl Into<String>) {
        self.report(Event::Note { what: what.into().into() });
    }

    /// Writes down something that went wrong and does not end the call by itself.
    pub fn problem(&self, what: impl Into<String>) {
        self.report(Event::Problem { what: what.into().into() });
    }

    /// A packet of media arrived, decrypted.
    pub fn packet_received(&self, packet: ReceivedPacket) {
        self.journal.packet_received(self.world.now(), &self.actor, packet);
    }
}
