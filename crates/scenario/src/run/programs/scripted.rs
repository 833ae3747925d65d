//! An application that makes each call of the API as the script says, on a [`DrivenPeer`] and without an engine.
//!
//! What one of the two makes reaches the other without signalling: when a message is applied, the script says.
//!
//! Invariants:
//! - Calls are made one after the other. One whose description is not there yet waits for it, and those behind it
//!   with it; a candidate that is not there yet is applied when it comes, and nothing waits for it.
//! - A call that fails is written down as a problem, and the next one is made.

mod exchange;
mod substitute;

use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

use call_engine::{
    DrivenParts, DrivenPeer, Enabled, EngineEvent, LocalDescription, Observer, RemoteDescription,
};
use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver as Candidates, unbounded};
use netsim::World;
use signaller::Kind;
use stage::{ApiCall, BoxFuture, Command, LocalWord, Place, Program, Unsupported};
use timeline::{MediaKind, Name};
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    task::JoinHandle,
};

pub(super) use self::exchange::Exchange;
use self::exchange::Made;
use super::Cast;
use crate::{
    plan::PeerPlan,
    run::{build, recorder::PeerObserver},
};

/// How long a call waits for a description that the other side has not made: it may have failed to.
const PATIENCE: Duration = Duration::from_secs(10);

/// The application at one peer.
pub(super) struct Scripted {
    orders: UnboundedSender<Order>,
    task: JoinHandle<()>,
}

enum Order {
    Call(ApiCall),
    SetEnabled(MediaKind, Enabled),
    /// Close what is open, and answer when that is done.
    End(oneshot::Sender<()>),
}

impl Scripted {
    /// Starts it. `other` is the other peer of its kind.
    pub(super) fn start(cast: &Cast<'_>, peer: &PeerPlan, other: &Name, place: &Place) -> Self {
        let (rings, _) = unbounded_channel();
        let observer = Arc::new(PeerObserver {
            name: peer.name.clone(),
            world: cast.world.clone(),
            recording: cast.recording.clone(),
            rings,
        });
        let (candidates, found) = unbounded();
        let parts = DrivenParts {
            devices: Arc::new(build::devices(peer, place.runtime())),
            runtime: place.runtime(),
            observer: observer.clone(),
            candidates,
        };
        cast.recording.dials(&peer.name, other);
        let running = Running {
            name: peer.name.clone(),
            other: other.clone(),
            peer: DrivenPeer::start(build::engine_settings(cast.plan, peer, place), parts),
            observer,
            world: cast.world.clone(),
            exchange: cast.shared.exchange.clone(),
            owed: BTreeMap::new(),
            substituted: false,
            tags: None,
        };
        let (orders, waiting) = unbounded_channel();
        let task = tokio::spawn(running.run(waiting, found));
        Self { orders, task }
    }

    fn order(&self, order: Order) {
        // One that has ended makes no calls.
        let _ = self.orders.send(order);
    }
}

impl Program for Scripted {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        match command {
            Command::Api(call) => self.order(Order::Call(call.clone())),
            Command::Enable(kind) => self.order(Order::SetEnabled(*kind, Enabled::Yes)),
            Command::Disable(kind) => self.order(Order::SetEnabled(*kind, Enabled::No)),
            other => return Err(Unsupported::by("a peer that is scripted call by call", other)),
        }
        Ok(())
    }

    /// Closes its connection, unless it did that itself.
    fn finished(&mut self) -> BoxFuture<'static, ()> {
        let (orders, task) = (self.orders.clone(), self.task.abort_handle());
        Box::pin(async move {
            let (done, end) = oneshot::channel();
            // An application that is gone holds nothing any more.
            let _ = orders.send(Order::End(done));
            let _ = end.await;
            task.abort();
        })
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The other side did not make a description that was waited for.
#[derive(Debug, thiserror::Error)]
#[error("{maker} made no description {nth} within {PATIENCE:?}")]
struct NeverMade {
    maker: Name,
    nth: u32,
}

/// The application's task.
struct Running {
    name: Name,
    other: Name,
    peer: DrivenPeer,
    observer: Arc<PeerObserver>,
    world: World,
    exchange: Exchange,
    /// How many candidates are to be applied as soon as they come, by the description that they belong to.
    owed: BTreeMap<u32, u32>,
    /// Whether the newest description of the other side was applied with the SDP of the script.
    substituted: bool,
    /// The identification tags of the newest description of the other side, where they are not those that the other
    /// side gave: what it says of its own sections stands for these, in their order.
    tags: Option<Vec<String>>,
}

impl Running {
    async fn run(
        mut self,
        mut orders: UnboundedReceiver<Order>,
        mut found: Candidates<signaller::Candidate>,
    ) {
        loop {
            let exchange = self.exchange.clone();
            let owed: Vec<u32> = self.owed.keys().copied().collect();
            let other = self.other.clone();
            tokio::select! {
                biased;
                candidate = found.next() => match candidate {
                    Some(candidate) => self.exchange.gathered(&self.name, candidate),
                    None => return,
                },
                (nth, candidate) = exchange.candidate(&other, &owed) => {
                    self.pay(nth);
                    self.add_candidate(candidate).await;
                }
                order = orders.recv() => match order {
                    Some(Order::Call(call)) => self.make(call).await,
                    Some(Order::SetEnabled(kind, state)) => {
                        let result = self.peer.set_enabled(kind, state).await;
                        self.settle("enabled", result);
                    }
                    Some(Order::End(done)) => {
                        let result = self.peer.close().await;
                        self.settle("close", result);
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                    }
                    None => return,
                },
            }
        }
    }

    async fn make(&mut self, call: ApiCall) {
        match call {
            ApiCall::AddTrack(kind) => {
                let result = self.peer.add_track(kind).await;
                self.settle("addTrack", result);
            }
            ApiCall::RemoveTrack(kind) => {
                let result = self.peer.remove_track(kind).await;
                self.settle("removeTrack", result);
            }
            ApiCall::CreateDataChannel => {
                let result = self.peer.create_data_channels().await;
                self.settle("createDataChannel", result);
            }
            ApiCall::RestartIce => {
                let result = self.peer.restart_ice().await;
                self.settle("restartIce", result);
            }
            ApiCall::SetLocalDescription(word) => self.set_local(word).await,
            ApiCall::SetRemoteDescription { nth, sdp } => self.set_remote(nth, sdp).await,
            ApiCall::AddIceCandidate { nth } => *self.owed.entry(nth).or_default() += 1,
            ApiCall::Close => {
                self.owed.clear();
                let result = self.peer.close().await;
                self.settle("close", result);
            }
        }
    }

    async fn set_local(&mut self, word: LocalWord) {
        let description = match word {
            LocalWord::Rollback => {
                let result = self.peer.roll_back().await;
                return self.settle("setLocalDescription(rollback)", result);
            }
            LocalWord::Offer => LocalDescription::Offer,
            LocalWord::Pranswer => LocalDescription::Pranswer,
            LocalWord::Answer => LocalDescription::Answer,
        };
        match self.peer.set_local_description(description).await {
            Ok(sdp) => {
                let to_substituted = self.substituted && description != LocalDescription::Offer;
                let made = Made { description, sdp, to_substituted };
                let nth = self.exchange.made(&self.name, made);
                self.observer.on_event(EngineEvent::MessageSent {
                    id: nth as u64,
                    kind: kind_of(description),
                    to: self.other.clone(),
                    detail: format!("description {nth}"),
                });
            }
            Err(error) => self.settle(&format!("setLocalDescription({word})"), Err(error)),
        }
    }

    async fn set_remote(&mut self, nth: u32, sdp: Option<String>) {
        let given_up = self.world.sleep(PATIENCE);
        let made = tokio::select! {
            biased;
            made = self.exchange.description(&self.other, nth) => made,
            () = given_up => {
                let never = NeverMade { maker: self.other.clone(), nth };
                return self.settle("setRemoteDescription", Err(never));
            }
        };
        let kind = kind_of(made.description);
        self.observer.on_event(EngineEvent::MessageReceived {
            id: nth.into(),
            kind,
            from: self.other.clone(),
            detail: format!("description {nth}"),
        });
        self.substituted = sdp.is_some();
        let own = self.exchange.newest_offer(&self.name);
        let substitute = match (sdp, own) {
            (Some(sdp), _) => Some(substitute::transport(&sdp, &made.sdp)),
            // What answers an offer of the script's has that one's sections, not those of ours.
            (None, Some(own)) if made.to_substituted => Some(substitute::sections(&made.sdp, &own)),
            (None, _) => None,
        };
        self.tags = substitute.as_deref().map(substitute::tags);
        let text = substitute.unwrap_or(made.sdp);
        let description = match made.description {
            LocalDescription::Offer => RemoteDescription::Offer(text),
            LocalDescription::Pranswer => RemoteDescription::Pranswer(text),
            LocalDescription::Answer => RemoteDescription::Answer(text),
        };
        let result = self.peer.set_remote_description(description).await;
        self.settle(&format!("setRemoteDescription({kind})"), result);
    }

    fn pay(&mut self, nth: u32) {
        if let Some(count) = self.owed.get_mut(&nth) {
            *count -= 1;
            if *count == 0 {
                self.owed.remove(&nth);
            }
        }
    }

    async fn add_candidate(&mut self, mut candidate: signaller::Candidate) {
        if let Some(tags) = &self.tags {
            let place = usize::from(candidate.sdp_mline_index.unwrap_or(0));
            candidate.sdp_mid = tags.get(place).or(tags.first()).cloned();
            candidate.sdp_mline_index = None;
        }
        let summary = candidate.summary();
        let event = match self.peer.add_ice_candidate(candidate).await {
            Ok(()) => EngineEvent::CandidateApplied { candidate: summary, message: None },
            Err(error) => {
                EngineEvent::CandidateRejected { candidate: summary, message: None, error: error.to_string() }
            }
        };
        self.observer.on_event(event);
    }

    fn settle(&self, what: &str, result: Result<(), impl Error>) {
        if let Err(error) = result {
            self.observer.on_event(EngineEvent::Problem { what: format!("{what} failed: {error}") });
        }
    }
}

const fn kind_of(description: LocalDescription) -> Kind {
    match description {
        LocalDescription::Offer => Kind::Offer,
        LocalDescription::Pranswer => Kind::Pranswer,
        LocalDescription::Answer => Kind::Answer,
    }
}
