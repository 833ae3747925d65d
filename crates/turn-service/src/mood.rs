//! How the server feels: the faults that a scenario switches on and off while it runs.

use std::time::Duration;

/// The faults in force. They combine; the default is a healthy server. Set with
/// [`Server::set_mood`](crate::Server::set_mood). For lost state see [`Server::reboot`](crate::Server::reboot).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Does the server react at all?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Liveness {
    /// It does.
    #[default]
    Alive,
    /// It answers nothing and relays nothing. Its state stays and ages: a process that hangs.
    Dead,
}

/// Are right credentials accepted?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialPolicy {
    /// They are checked.
    #[default]
    Checked,
    /// Whatever they are, the answer is 401: a rotated secret, a broken user database.
    Rejected,
}

/// Are there relayed ports to hand out?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortSupply {
    /// As long as the range lasts.
    #[default]
    Available,
    /// None: every Allocate is answered 508. Allocations that exist go on.
    Exhausted,
}
