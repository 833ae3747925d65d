//! How the server feels: the faults that a scenario switches on and off while it runs.

use std::time::Duration;

/// The faults in force. They combine; the default is a healthy server. Set with
/// [`Server::set_mood`](crate::Server::set_mood). For lost state see [`Server::reboot`](crate::Server::reboot).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mood {
    /// Does the server react at all?
    pub liveness: Liveness,
    /// Waiting time before anything is sent, responses and relayed data alike.
    pub delay: Duration,
    /// Are right credentials accepted?
    pub credentials: CredentialPolicy,
    /// Are there relayed ports to hand out?
    pub ports: PortSupply,
    /// Overrides [`TurnSettings::nonce_lifetime`](crate::TurnSettings::nonce_lifetime), for nonces
    /// already given out as well. Zero makes every nonce stale at once.
    pub nonce_lifetime: Option<Duration>,
}

impl Default for Mood {
    fn default() -> Self {
        Self {
            liveness: Liveness::Alive,
            delay: Duration::ZERO,
            credentials: CredentialPolicy::Checked,
            ports: PortSupply::Available,
            nonce_lifetime: None,
        }
    }
}

timeline::words! {
    /// Does the server react at all?
    pub enum Liveness {
        /// It does.
        Alive = "alive",
        /// It answers nothing and relays nothing. Its state stays and ages: a process that hangs.
        Dead = "dead",
    }
}

timeline::words! {
    /// Are right credentials accepted?
    pub enum CredentialPolicy {
        /// They are checked.
        Checked = "checked",
        /// Whatever they are, the answer is 401: a rotated secret, a broken user database.
        Rejected = "rejected",
    }
}

timeline::words! {
    /// Are there relayed ports to hand out?
    pub enum PortSupply {
        /// As long as the range lasts.
        Available = "available",
        /// None: every Allocate is answered 508. Allocations that exist go on.
        Exhausted = "exhausted",
    }
}
