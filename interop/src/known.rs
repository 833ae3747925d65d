//! Deviations that are understood: whose fault each is, and why.

use crate::{
    client::{Caller, Client},
    flow::Flow,
};

/// An explanation.
pub(crate) struct Known {
    flow: Flow,
    client: Client,
    /// Where only one direction deviates.
    caller: Option<Caller>,
    pub(crate) fault: Fault,
    pub(crate) why: &'static str,
}

timeline::words! {
    /// Whose fault it is.
    pub(crate) enum Fault {
        /// Ours, or of `webrtc` 0.21.1 below it.
        Engine = "the engine's fault",
        /// The client's.
        Client = "the client's fault",
    }
}

/// All of them.
const KNOWN: &[Known] = &[Known {
    flow: Flow::RestartByEngine,
    client: Client::Aiortc,
    caller: None,
    fault: Fault::Client,
    why: "aiortc 1.16 has no ICE restart: it keeps the transport that it has started, whatever credentials an offer brings",
}];

pub(crate) fn of(flow: Flow, client: Client, caller: Caller) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        known.flow == flow && known.client == client && known.caller.is_none_or(|only| only == caller)
    })
}
