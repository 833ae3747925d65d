//! What goes wrong at the relay and on the way to it, for test scenarios. Without rules none of this happens.

mod endpoint;
mod held;
mod rule;
mod strike;

use std::time::Duration;

pub(super) use endpoint::EndpointRules;
pub use endpoint::{EndpointFaults, RestFault, RestRequest, RestRule, WebSocketFault, WebSocketRule};
pub use held::HeldId;
pub(super) use held::HeldMessages;
pub(super) use rule::Rules;
pub use rule::{DelayRule, Fault, FaultRule};

/// When a rule of a scenario holds, counted from the relay's beginning: messages and requests outside of it
/// are neither counted nor touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From this moment on.
    pub from: Duration,
    /// Until before this moment; `None`: for ever.
    pub until: Option<Duration>,
}

impl Window {
    /// From the beginning, for ever.
    pub const ALWAYS: Self = Self { from: Duration::ZERO, until: None };

    fn contains(self, now: Duration) -> bool {
        now >= self.from && self.until.is_none_or(|until| now < until)
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::ALWAYS
    }
}
