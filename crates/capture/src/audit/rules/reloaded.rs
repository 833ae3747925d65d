//! A peer that goes on from another peer connection.

use std::collections::BTreeSet;

use timeline::VirtualTime;

use crate::{
    audit::{Code, Findings, Severity, waits::setups},
    sdp::Description,
    trace::{Connection, Method, Peer, Trace},
};

/// In a call of two, a peer connection that took the place of one that its application never closed: its page was
/// loaded anew.
pub(in crate::audit) fn page_reloaded(trace: &Trace, findings: &mut Findings<'_>) {
    let [_, _] = trace.peers.as_slice() else { return };
    for peer in &trace.peers {
        let Some(at) = began_again(trace, peer) else { continue };
        let again = setups(trace).into_iter().find(|setup| setup.began >= at || setup.connected > at);
        let how = match again {
            Some(setup) => format!(
                "; the negotiation after it connected in {}",
                super::human(setup.connected.since(setup.began))
            ),
            None => String::new(),
        };
        let message = format!(
            "{} negotiated again from another peer connection, and had not closed the one before: its page was loaded \
             anew, or its app began anew{how}",
            peer.id
        );
        findings.usual(Code::PageReloaded, Severity::Note, Some(&peer.id), at, message);
    }
}

/// When a peer first negotiated from its second connection.
pub(super) fn began_again(trace: &Trace, peer: &Peer) -> Option<VirtualTime> {
    let used: Vec<&Connection> =
        peer.connections.iter().filter(|connection| connection.negotiates()).collect();
    if let [first, second, ..] = used.as_slice() {
        let began = second.entries.first().map(|entry| entry.at)?;
        let last = first.calls().map(|(at, _)| at).last()?;
        // Two connections side by side are an application's own affair.
        return (first.closed_at().is_none() && last <= began).then_some(began);
    }
    // The dump of a browser forgets a page that is gone; its descriptions were seen by others. What the captured connection
    // made is its own, whatever it says.
    let made = used.iter().flat_map(|connection| connection.calls_of(Method::SetLocalDescription));
    let made: Vec<&Description> = made.filter_map(|(_, call)| call.description.as_ref()).collect();
    let own: BTreeSet<String> = made.iter().map(|description| description.identity()).collect();
    let certificates: BTreeSet<&str> =
        made.iter().filter_map(|description| description.fingerprint()).collect();
    let mut seen: BTreeSet<Option<&str>> = BTreeSet::new();
    for message in trace.messages.iter().filter(|message| message.from == peer.id).take(MAX) {
        let Some(description) = &message.signal.description else { continue };
        let Some(fingerprint) = description.fingerprint() else { continue };
        let is_own = own.contains(&description.identity()) || certificates.contains(fingerprint);
        if seen.insert((!is_own).then_some(fingerprint)) && seen.len() > 1 {
            return Some(message.first_seen());
        }
    }
    None
}

/// More messages of one peer are not looked at.
const MAX: usize = 10_000;
