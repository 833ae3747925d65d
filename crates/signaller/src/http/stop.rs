//! How what was begun learns that it is to end.

use std::convert::Infallible;

use tokio::sync::{mpsc, watch};

/// Ends everything that holds its [`Stop`]s: gracefully by [`Stopper::stop`], at once when dropped.
pub(super) struct Stopper {
    gracefully: watch::Sender<bool>,
    /// Gives `None` once nobody holds a `Stop`.
    ended: mpsc::Receiver<Infallible>,
}

/// Held by everything that is to end. Cheap to clone.
#[derive(Clone)]
pub(super) struct Stop {
    /// `None`: never.
    gracefully: Option<watch::Receiver<bool>>,
    _alive: Option<mpsc::Sender<Infallible>>,
}

/// How to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopping {
    /// With a last answer.
    Gracefully,
    /// Without a word.
    AtOnce,
}

pub(super) fn stopper() -> (Stopper, Stop) {
    let (gracefully, receiver) = watch::channel(false);
    let (alive, ended) = mpsc::channel(1);
    (Stopper { gracefully, ended }, Stop { gracefully: Some(receiver), _alive: Some(alive) })
}

impl Stopper {
    /// Asks everybody to end.
    pub(super) fn stop(&self) {
        self.gracefully.send_replace(true);
    }

    /// Resolves once everybody has.
    pub(super) async fn ended(&mut self) {
        let _none = self.ended.recv().await;
    }
}

impl Stop {
    /// Nobody ends it.
    pub(super) const fn never() -> Self {
        Self { gracefully: None, _alive: None }
    }

    /// Resolves when it is time. Cancel-safe.
    pub(super) async fn stopping(&self) -> Stopping {
        let Some(gracefully) = &self.gracefully else { return std::future::pending().await };
        match gracefully.clone().wait_for(|gracefully| *gracefully).await {
            Ok(_) => Stopping::Gracefully,
            Err(_) => Stopping::AtOnce,
        }
    }
}
