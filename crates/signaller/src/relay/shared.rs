use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, task::JoinSet, time};

use super::{Action, ConnectionId, HeldId, Observer, Relay, RelayConnection, RelaySettings};

/// A [`Relay`] that runs: it wakes the writers of its connections, sleeps for held messages, and calls
/// the observer. Cheap to clone; all clones are one relay.
///
/// Needs a tokio runtime with time as soon as a delay rule holds a message. When the last clone and the
/// last connection are gone, so are its timers.
#[derive(Clone)]
pub struct SharedRelay {
    inner: Arc<Inner>,
}

struct Inner {
    settings: RelaySettings,
    observer: Observer,
    state: Mutex<State>,
}

struct State {
    relay: Relay,
    writers: BTreeMap<ConnectionId, Arc<Notify>>,
    /// One task per held message. They know the relay only weakly; this set ends them with it.
    timers: JoinSet<()>,
}

impl SharedRelay {
    /// A relay without connections. `observer` is told of all that it does.
    pub fn new(settings: RelaySettings, observer: Observer) -> Self {
        let relay = Relay::new(settings.limits, settings.delays.clone());
        let state = Mutex::new(State { relay, writers: BTreeMap::new(), timers: JoinSet::new() });
        Self { inner: Arc::new(Inner { settings, observer, state }) }
    }

    /// How it was told to run.
    pub fn settings(&self) -> &RelaySettings {
        &self.inner.settings
    }

    /// Begins a connection; it ends when it is dropped.
    pub fn connect(&self) -> RelayConnection {
        let wake = Arc::new(Notify::new());
        let mut state = self.state();
        let id = state.relay.connect();
        state.writers.insert(id, Arc::clone(&wake));
        drop(state);
        RelayConnection::new(self.clone(), id, wake)
    }

    pub(super) fn disconnect(&self, id: ConnectionId) {
        self.state().writers.remove(&id);
        self.act(|relay| relay.disconnect(id));
    }

    /// Asks the relay something that calls for no action.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&mut Relay) -> T) -> T {
        question(&mut self.state().relay)
    }

    /// Lets something happen to the relay, and does what it asks for.
    pub(super) fn act(&self, happen: impl FnOnce(&mut Relay) -> Vec<Action>) {
        let mut reports = Vec::new();
        let mut state = self.state();
        for action in happen(&mut state.relay) {
            match action {
                Action::Wake(id) => {
                    if let Some(writer) = state.writers.get(&id) {
                        writer.notify_one();
                    }
                }
                Action::Hold { held, by } => {
                    while state.timers.try_join_next().is_some() {}
                    state.timers.spawn(self.release_after(held, by));
                }
                Action::Report(event) => reports.push(event),
            }
        }
        drop(state);
        for event in reports {
            (self.inner.observer)(event);
        }
    }

    fn release_after(&self, held: HeldId, by: time::Duration) -> impl Future<Output = ()> + use<> {
        let relay = Arc::downgrade(&self.inner);
        // The deadline is taken here, not when the task is first polled.
        let wait = time::sleep(by);
        async move {
            wait.await;
            if let Some(inner) = relay.upgrade() {
                Self { inner }.act(|relay| relay.release(held));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every method leaves the state whole before anything in it could panic.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
