//! Deviations that were looked into: whose fault each is and why, or that it is not known yet.

use crate::{
    client::{Caller, Client},
    flow::Flow,
};

/// An explanation.
pub(crate) struct Known {
    /// `None` for every flow.
    flow: Option<Flow>,
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
        /// Nobody has found out.
        Unknown = "the cause is not known",
    }
}

/// All of them.
const KNOWN: &[Known] = &[
    Known {
        flow: Some(Flow::RestartByEngine),
        client: Client::Aiortc,
        caller: None,
        fault: Fault::Client,
        why: "aiortc 1.16 has no ICE restart: it keeps the transport that it has started, whatever credentials an offer brings",
    },
    Known {
        flow: Some(Flow::Mdns),
        client: Client::Chromium,
        caller: None,
        fault: Fault::Unknown,
        why: "with host candidates as .local names on loopback neither direction connects; nobody has captured mDNS here yet",
    },
    Known {
        flow: None,
        client: Client::Werift,
        caller: None,
        fault: Fault::Unknown,
        why: "the engine connects, and the client here never sees its own state change; it may be the client program's mistake",
    },
];

pub(crate) fn of(flow: Flow, client: Client, caller: Caller) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        known.flow.is_none_or(|only| only == flow)
            && known.client == client
            && known.caller.is_none_or(|only| only == caller)
    })
}
