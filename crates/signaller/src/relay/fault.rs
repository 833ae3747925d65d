use std::time::Duration;

use super::Window;
use crate::message::{Envelope, Kind, ParticipantId};

/// "Let this happen to such messages", for test scenarios. Applies to messages that the relay has
/// accepted and confirmed: transports cannot make up for it, so that the participants have to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// The type of message; `None`: any.
    pub message: Option<Kind>,
    /// Only those of this sender; `None`: of any.
    pub from: Option<ParticipantId>,
    /// Only the nth that matches type and sender, counted from 1 over the rule's life; `None`: every
    /// one.
    pub nth: Option<u32>,
    /// When it holds.
    pub window: Window,
    /// What happens to it.
    pub fault: Fault,
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is confirmed to its sender and never passed on.
    Drop,
    /// It is passed on twice, as two messages with one id: a transport cannot tell.
    Duplicate,
    /// It is held back for so long, and overtaken by whatever comes meanwhile. Resolution 1 ms.
    Delay(Duration),
    /// It changes places with the sender's next message to the same addressee. Where none comes within
    /// this time, it is passed on alone.
    Reorder {
        /// The longest wait for a next message. Resolution 1 ms.
        within: Duration,
    },
}

impl FaultRule {
    /// Every message of any type and sender.
    pub const fn all(fault: Fault) -> Self {
        Self { message: None, from: None, nth: None, window: Window::ALWAYS, fault }
    }

    pub(super) fn matches(&self, envelope: &Envelope, now: Duration) -> bool {
        self.window.contains(now)
            && self.message.is_none_or(|kind| kind == envelope.body.kind())
            && self.from.as_ref().is_none_or(|from| *from == envelope.from)
    }
}
