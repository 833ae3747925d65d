use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, task::JoinSet, time};

use super::{
    Action, ConnectionId, EndpointFaults, FaultRule, HeldId, Journal, Observer, Relay, RelayConnection,
    RelayEvent, RelaySettings, RestFault, RestRequest, Store, WebSocketFault, faults::EndpointRules,
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
    /// Where it writes down what must not be lost.
    journal: Option<Journal>,
    state: Mutex<State>,
    /// Held by whoever tells the observer.
    passing: Mutex<()>,
}

struct State {
    relay: Relay,
    endpoint: EndpointRules,
    writers: BTreeMap<ConnectionId, Arc<Notify>>,
    /// One task per held message. They know the relay only weakly; this set ends them with it.
    timers: JoinSet<()>,
    /// What the observer was not told yet.
    reports: VecDeque<RelayEvent>,
}

impl SharedRelay {
    /// A relay without connections. `observer` is told of all that it does.
    pub fn new(settings: RelaySettings, observer: Observer) -> Self {
        Self::with(Relay::with(&settings), None, settings, observer)
    }

    /// A relay that knows what `store` has kept, writes down in `journal` whatever changes of that, and tells no
    /// client anything before it is written. Rules are not for it: what they hold back is not written down.
    pub fn durable(settings: RelaySettings, observer: Observer, store: Store, journal: Journal) -> Self {
        Self::with(Relay::durable(&settings, store), Some(journal), settings, observer)
    }

    fn with(relay: Relay, journal: Option<Journal>, settings: RelaySettings, observer: Observer) -> Self {
        let endpoint = EndpointRules::new(settings.endpoint.clone());
        let (writers, timers) = (BTreeMap::new(), JoinSet::new());
        let state = Mutex::new(State { relay, endpoint, writers, timers, reports: VecDeque::new() });
        Self {
            inner: Arc::new(Inner {
                begun: time::Instant::now(),
                settings,
                observer,
                journal,
                state,
                passing: Mutex::default(),
            }),
        }
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

    /// The server is about to end all connections in good order, as for a new version: the end of one is no news to those
    /// whose own ends as well.
    pub fn end_connections_silently(&self) {
        self.act(|relay| {
            relay.forget_company();
            Vec::new()
        });
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
        self.state().reports.push_back(event);
        self.pass_reports_on();
    }

    /// Tells the observer what has happened, in that order, with nothing locked that it could need: whoever comes
    /// while another thread does so leaves its events to it.
    fn pass_reports_on(&self) {
        while let Ok(passing) = self.inner.passing.try_lock() {
            while let Some(event) = self.next_report() {
                (self.inner.observer)(event);
            }
            drop(passing);
            if self.state().reports.is_empty() {
                break;
            }
        }
    }

    fn next_report(&self) -> Option<RelayEvent> {
        self.state().reports.pop_front()
    }

    pub(super) async fn stored(&self) {
        if let Some(journal) = &self.inner.journal {
            journal.stored().await;
        }
    }

    pub(super) async fn journal_has_room(&self) {
        if let Some(journal) = &self.inner.journal {
            journal.has_room().await;
        }
    }

    pub(super) fn disconnect(&self, id: ConnectionId) {
        self.state().writers.remove(&id);
        self.act(|relay| relay.disconnect(id));
    }

    /// Asks the relay something that calls for no action.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&mut Relay) -> T) -> T {
        self.tell(|relay| (question(relay), Vec::new()))
    }

    /// Lets something happen to the relay, and does what it asks for.
    pub(super) fn act(&self, happen: impl FnOnce(&mut Relay) -> Vec<Action>) {
        self.act_for(|relay| ((), happen(relay)));
    }

    /// As [`SharedRelay::act`], for what has a result as well.
    pub(super) fn act_for<T>(&self, happen: impl FnOnce(&mut Relay) -> (T, Vec<Action>)) -> T {
        let now = self.inner.begun.elapsed();
        self.tell(|relay| {
            let mut actions = relay.advance(now);
            let (result, more) = happen(relay);
            actions.extend(more);
            (result, actions)
        })
    }

    /// As [`SharedRelay::act_for`], where no time needs to pass.
    pub(super) fn tell<T>(&self, happen: impl FnOnce(&mut Relay) -> (T, Vec<Action>)) -> T {
        let mut reports = Vec::new();
        let mut state = self.state();
        let (result, actions) = happen(&mut state.relay);
        if let Some(journal) = &self.inner.journal {
            // In the order in which things happened: the relay is locked.
            journal.append(state.relay.take_changes());
        }
        for action in actions {
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
        state.reports.extend(reports);
        drop(state);
        self.pass_reports_on();
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
