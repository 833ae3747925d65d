//! The call in a sentence.

use super::{Code, Finding, Severity, finding::has_connected, rules::human, waits::connected_at};
use crate::trace::{Connection, Message, Outcome, SignalKind, Trace};

/// Whether the capture began when the call stood already, or had failed.
pub(super) fn was_found(trace: &Trace) -> bool {
    let connections = trace.peers.iter().flat_map(|peer| &peer.connections);
    let mut connections = connections.filter(|connection| connection.negotiates()).peekable();
    connections.peek().is_some() && connections.all(Connection::was_found)
}

/// What to say first: how the call went, and the finding that explains it best.
pub fn verdict(trace: &Trace, findings: &[Finding]) -> String {
    if was_found(trace) {
        let was = match trace.outcome() {
            Outcome::Connected => "was connected",
            Outcome::Disconnected => "was disconnected",
            Outcome::Failed => "had failed",
            Outcome::NeverConnected | Outcome::Unknown => "was over, or had not connected yet,",
        };
        return format!("The call {was} when the capture began; how it came to that is not in it.");
    }
    let said = judged(trace, findings);
    let never = matches!(trace.outcome(), Outcome::NeverConnected | Outcome::Unknown);
    if trace.is_partial() && never {
        let mut letters = said.chars();
        let first: String = letters.next().map(|letter| letter.to_ascii_lowercase()).into_iter().collect();
        return format!("As far as the capture goes, which lacks a part, {first}{}", letters.as_str());
    }
    said
}

fn judged(trace: &Trace, findings: &[Finding]) -> String {
    let cause = main_cause(findings);
    let why =
        |cause: Option<&Finding>| cause.map(|finding| format!(": {}", finding.message)).unwrap_or_default();
    match trace.outcome() {
        Outcome::Connected => {
            let interrupted = findings.iter().find(|finding| finding.severity >= Severity::Warning);
            let mut said = format!("The call connected{}{}", setup(trace), length(trace));
            if let Some(finding) = interrupted {
                said += &format!("; but {}", finding.message);
            }
            said + "."
        }
        Outcome::Disconnected | Outcome::Failed if has_connected(trace) => {
            format!("The call connected{}, and the connection was lost{}.", setup(trace), why(cause))
        }
        Outcome::Failed | Outcome::NeverConnected => format!("The call never connected{}.", why(cause)),
        Outcome::Disconnected | Outcome::Unknown => match cause {
            Some(finding) => {
                format!("Whether the call connected is not in the capture; {}.", finding.message)
            }
            None => "Whether the call connected is not in the capture; its signalling was as it should be."
                .to_owned(),
        },
    }
}

/// The finding that explains a failure best: the nearest to its root.
fn main_cause(findings: &[Finding]) -> Option<&Finding> {
    const ROOTS: [Code; 17] = [
        Code::CallRejected,
        Code::MediaDenied,
        Code::GlareUnresolved,
        Code::DescriptionRefused,
        Code::DescriptionInWrongState,
        Code::OfferUnanswered,
        Code::CandidateBeforeRemoteDescription,
        Code::CandidatesNeverRelayed,
        Code::CandidatesNeverApplied,
        Code::CandidateRejected,
        Code::TurnUnauthorized,
        Code::NoCandidates,
        Code::RemoteVanished,
        Code::DtlsNeverConnected,
        Code::IceNeverConnected,
        Code::ConnectionLost,
        Code::StaleAnswer,
    ];
    let worth =
        |finding: &&Finding| finding.severity >= Severity::Warning || finding.code == Code::CallRejected;
    let has = |codes: &[Code]| findings.iter().any(|finding| codes.contains(&finding.code));
    // Who got no camera and negotiated all the same failed for another reason.
    let went_on = has(&[Code::IceNeverConnected, Code::DtlsNeverConnected, Code::ConnectionLost]);
    let worth = |finding: &&Finding| worth(finding) && !(went_on && finding.code == Code::MediaDenied);
    let of = |code: &Code| findings.iter().filter(worth).find(|finding| finding.code == *code);
    ROOTS.iter().find_map(of).or_else(|| findings.iter().filter(worth).max_by_key(|finding| finding.severity))
}

/// ` after 430 ms`: from the first offer to both sides connected.
fn setup(trace: &Trace) -> String {
    let offer = trace.messages.iter().find(|message| message.signal.kind == SignalKind::Offer);
    match (offer.map(Message::first_seen), connected_at(trace)) {
        (Some(offer), Some(connected)) => format!(" {} after the offer", human(connected.since(offer))),
        _ => String::new(),
    }
}

fn length(trace: &Trace) -> String {
    let connections = trace.peers.iter().flat_map(|peer| &peer.connections);
    let used = connections.filter(|connection| connection.connected_at().is_some());
    let closed = used.filter_map(Connection::closed_at).min();
    match (connected_at(trace), closed) {
        (Some(connected), Some(closed)) => format!(" and lasted {}", human(closed.since(connected))),
        _ => String::new(),
    }
}
