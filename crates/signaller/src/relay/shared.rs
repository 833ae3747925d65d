use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, task::JoinSet, time};

use super::{
    Action, ConnectionId, EndpointFaults, FaultRule, HeldId, Observer, Relay, RelayConnection, RelayEvent,
    RelaySettings, RestFault, RestRequest, Store, WebSocketFault, faults::EndpointRules,
};
use crate::message::ParticipantId;

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
    begun: time::Instant,
    settings: RelaySettings,
    observer: Observer,
    state: Mutex<State>,
}

struct State {
    relay: Relay,
    endpoint: EndpointRules,
    writers: BTreeMap<ConnectionId, Arc<Notify>>,
    /// One task per held message. They know the relay only weakly; this set ends them with it.
    timers: JoinSet<()>,
}

impl SharedRelay {
    /// A relay without connections. `observer` is told of all that it does.
    pub fn new(settings: RelaySettings, observer: Observer) -> Self {
        let relay = Relay::with(&settings);
        let endpoint = EndpointRules::new(settings.endpoint.clone());
        let (writers, timers) = (BTreeMap::new(), JoinSet::new());
        let state = Mutex::new(State { relay, endpoint, writers, timers });
        Self { inner: Arc::new(Inner { begun: time::Instant::now(), settings, observer, state }) }
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

    /// Lets other things happen to messages from now on.
    pub fn set_faults(&self, faults: Vec<FaultRule>) {
        self.ask(|relay| relay.set_faults(faults));
    }

    /// Lets the endpoints misbehave in another way from now on. What is under way goes on as it began.
    pub fn set_endpoint_faults(&self, faults: EndpointFaults) {
        self.state().endpoint = EndpointRules::new(faults);
    }

    /// What the relay would have on disk.
    pub fn store(&self) -> Store {
        self.ask(|relay| relay.store())
    }

    /// The machine lost power and comes back with `store` (see [`Store`]); [`Store::default`] for one
    /// that has lost that as well. Every connection ends. Cutting the streams is the network's part.
    pub fn restart(&self, store: Store) {
        self.act(|relay| relay.restart(store));
    }

    /// What is to happen to a WebSocket of `who`. Whoever lets it happen reports it.
    pub(crate) fn websocket_fault(&self, who: &ParticipantId) -> Option<WebSocketFault> {
        let now = self.inner.begun.elapsed();
        self.state().endpoint.websocket(who, now)
    }

    /// What is to happen to a request of `who`, which is thereby reported.
    pub(crate) fn rest_fault(&self, who: &ParticipantId, request: RestRequest) -> Option<RestFault> {
        let now = self.inner.begun.elapsed();
        let fault = self.state().endpoint.rest(who, request, now)?;
        self.report(RelayEvent::RestFault { participant: who.clone(), request, fault });
        Some(fault)
    }

    /// Tells the observer of something that did not happen in the relay itself.
    pub(crate) fn report(&self, event: RelayEvent) {
        (self.inner.observer)(event);
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
        self.act_for(|relay| ((), happen(relay)));
    }

    /// As [`SharedRelay::act`], for what has a result as well.
    pub(super) fn act_for<T>(&self, happen: impl FnOnce(&mut Relay) -> (T, Vec<Action>)) -> T {
        let mut reports = Vec::new();
        let mut state = self.state();
        let forgotten = state.relay.advance(self.inner.begun.elapsed());
        let (result, actions) = happen(&mut state.relay);
        for action in forgotten.into_iter().chain(actions) {
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
        result
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
