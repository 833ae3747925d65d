//! What applications have made, until the others take it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use call_engine::LocalDescription;
use signaller::Candidate;
use timeline::Name;
use tokio::sync::Notify;

/// A description that was made and set.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) description: LocalDescription,
    pub(super) sdp: String,
    /// It answers an offer that was applied with an SDP of the script.
    pub(super) to_substituted: bool,
}

/// Descriptions and candidates, by their makers. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(in super::super) struct Exchange {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    sides: Mutex<BTreeMap<Name, Side>>,
    changed: Notify,
}

#[derive(Default)]
struct Side {
    made: Vec<Made>,
    /// Those that nobody has taken yet, in the order of gathering.
    candidates: Vec<Candidate>,
}

impl Exchange {
    /// Keeps a description; which one of its maker's it is, from 1.
    pub(super) fn made(&self, maker: &Name, made: Made) -> usize {
        let mut sides = self.sides();
        let side = sides.entry(maker.clone()).or_default();
        side.made.push(made);
        self.inner.changed.notify_waiters();
        side.made.len()
    }

    /// Keeps a candidate.
    pub(super) fn gathered(&self, maker: &Name, candidate: Candidate) {
        self.sides().entry(maker.clone()).or_default().candidates.push(candidate);
        self.inner.changed.notify_waiters();
    }

    /// The newest offer of `maker`.
    pub(super) fn newest_offer(&self, maker: &Name) -> Option<String> {
        let sides = self.sides();
        let made = &sides.get(maker)?.made;
        let offer = made.iter().rfind(|made| made.description == LocalDescription::Offer)?;
        Some(offer.sdp.clone())
    }

    /// The description `nth` of `maker`, from 1, once it is there.
    pub(super) async fn description(&self, maker: &Name, nth: u32) -> Made {
        loop {
            let changed = self.inner.changed.notified();
            if let Some(made) = self.sides().get(maker).and_then(|side| side.nth(nth)) {
                return made.clone();
            }
            changed.await;
        }
    }

    /// Takes the oldest candidate of the generation that one of these descriptions of `maker` has, once there is
    /// one.
    pub(super) async fn candidate(&self, maker: &Name, descriptions: &[u32]) -> (u32, Candidate) {
        loop {
            let changed = self.inner.changed.notified();
            if let Some(side) = self.sides().get_mut(maker)
                && let Some(taken) = descriptions.iter().find_map(|nth| Some((*nth, side.take(*nth)?)))
            {
                return taken;
            }
            changed.await;
        }
    }

    fn sides(&self) -> MutexGuard<'_, BTreeMap<Name, Side>> {
        self.inner.sides.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Side {
    fn nth(&self, nth: u32) -> Option<&Made> {
        self.made.get(usize::try_from(nth).ok()?.checked_sub(1)?)
    }

    fn take(&mut self, nth: u32) -> Option<Candidate> {
        let fragment = fragment(&self.nth(nth)?.sdp).map(str::to_owned);
        let at = self.candidates.iter().position(|candidate| candidate.username_fragment == fragment)?;
        Some(self.candidates.remove(at))
    }
}

/// The ICE generation that a description begins or goes on with (RFC 8839 §5.4).
fn fragment(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:"))
}
