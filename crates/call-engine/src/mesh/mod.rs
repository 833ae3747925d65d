//! A call of more than two: a mesh, in which each participant has a connection of its own with each other.
//!
//! Rules:
//! - Who joins a room dials everybody who is in it; the application knows who that is. Who is in it accepts
//!   by itself. Two who join at once dial each other, and one of their calls goes on, as with any two.
//! - Each pair is a call of its own, with an [`Engine`](crate::Engine) of its own: it negotiates, recovers and
//!   ends without the others. Who leaves ends all of theirs.
//! - A room has at most [`Mesh::MOST`] participants: each sends its media once for each other.
//! - A ring for another room, for a full one, or to somebody who is in none is declined.
//!
//! Deliberately absent: a server that mixes or forwards, and one that knows who is in a room.

mod actor;
mod pair;

use std::sync::Arc;

use futures::channel::{
    mpsc::{UnboundedSender, unbounded},
    oneshot,
};
use signaller::{ParticipantId, Transport};
use webrtc::runtime::Runtime;

use crate::{Enabled, MediaDevices, MediaKind, Observer, Settings};
use actor::Actor;

/// What a mesh is made of besides its settings.
pub struct MeshParts {
    /// Where tasks, timers and sockets come from.
    pub runtime: Arc<dyn Runtime>,
    /// How messages reach the others.
    pub transport: Box<dyn Transport>,
    /// Where media comes from. Each pair asks for it, as each has tracks of its own.
    pub devices: Arc<dyn MediaDevices>,
    /// Who is told what happens.
    pub observer: Arc<dyn MeshObserver>,
}

/// Who is told what happens in a room.
pub trait MeshObserver: Send + Sync + 'static {
    /// Who is told what happens between this participant and `remote`.
    fn pair(&self, remote: &ParticipantId) -> Arc<dyn Observer>;

    /// Something happened to the room.
    fn on_event(&self, event: MeshEvent);
}

/// What happens to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MeshEvent {
    /// This participant is in the room.
    Joined {
        /// Which.
        room: String,
    },
    /// This participant has left the room, and nothing of it is left here.
    Left {
        /// Which.
        room: String,
    },
    /// There is a pair with this participant from now on.
    PairStarted {
        /// With whom.
        remote: ParticipantId,
    },
    /// There is none any longer, and nothing of it is left.
    PairEnded {
        /// With whom.
        remote: ParticipantId,
    },
    /// Something went wrong that changes nothing else.
    Problem {
        /// In words.
        what: String,
    },
}

/// One participant of a call of several. Cheap to clone; all clones are one participant.
#[derive(Clone, Debug)]
pub struct Mesh {
    wishes: UnboundedSender<Wish>,
}

/// What a participant can want.
#[derive(Debug)]
enum Wish {
    Join { room: String, members: Vec<ParticipantId> },
    Leave,
    SetEnabled(MediaKind, Enabled),
    NetworkChanged { addresses: Option<Vec<String>> },
    ShutDown { done: oneshot::Sender<()> },
}

impl Mesh {
    /// How many participants a room has at most.
    pub const MOST: usize = 6;

    /// Starts a participant on its runtime. Of the addresses in `settings`, each pair takes those whose port
    /// is higher by the pair's number, from 0 on; port 0 stays what it is.
    pub fn start(settings: Settings, parts: MeshParts) -> Self {
        let (wishes_in, wishes) = unbounded();
        let runtime = parts.runtime.clone();
        let actor = Actor::new(settings, parts, wishes);
        runtime.spawn(Box::pin(actor.run())).detach();
        Self { wishes: wishes_in }
    }

    /// Joins `room`, in which `members` are already, and dials each of them.
    pub fn join(&self, room: impl Into<String>, members: Vec<ParticipantId>) {
        self.wish(Wish::Join { room: room.into(), members });
    }

    /// Leaves the room.
    pub fn leave(&self) {
        self.wish(Wish::Leave);
    }

    /// Enables or disables the local tracks of one kind, towards everybody, also who joins later.
    pub fn set_enabled(&self, kind: MediaKind, enabled: Enabled) {
        self.wish(Wish::SetEnabled(kind, enabled));
    }

    /// Reports that the device is in another network, as [`Engine::network_changed`](crate::Engine::network_changed)
    /// for all pairs.
    pub fn network_changed(&self, addresses: Option<Vec<String>>) {
        self.wish(Wish::NetworkChanged { addresses });
    }

    /// Leaves the room, closes the transport and waits until nothing is left.
    pub async fn shut_down(&self) {
        let (done, waiting) = oneshot::channel();
        self.wish(Wish::ShutDown { done });
        // A mesh that is gone already drops `done`: then there is nothing to wait for.
        let _ = waiting.await;
    }

    fn wish(&self, wish: Wish) {
        // A mesh that was shut down has no wishes left to fulfil.
        let _ = self.wishes.unbounded_send(wish);
    }
}
