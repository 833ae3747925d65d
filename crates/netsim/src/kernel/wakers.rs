//! Who waits for a socket, and who is to be woken once the stack is free.

use std::task::Waker;

use crate::effects::Stirred;

/// The tasks that wait for one thing; each is in it once.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Waker>);

/// The tasks to wake, in order. A waker may run what calls the stack again, so that none is woken or dropped
/// while the stack is in use.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Woken(Vec<Waker>);

impl Waiting {
    pub(super) fn add(&mut self, waker: &Waker) {
        if !self.0.iter().any(|present| present.will_wake(waker)) {
            self.0.push(waker.clone());
        }
    }

    /// What they wait for is there.
    pub(super) fn wake(&mut self, woken: &mut Woken) {
        woken.0.append(&mut self.0);
    }
}

impl Woken {
    pub(crate) fn wake(self) -> Stirred {
        let stirred = if self.0.is_empty() { Stirred::No } else { Stirred::Yes };
        self.0.into_iter().for_each(Waker::wake);
        stirred
    }
}
