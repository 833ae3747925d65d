//! The call in a sentence.

use std::time::Duration;

use super::{
    Code, Finding, Severity,
    finding::has_connected,
    rules::human,
    waits::{connected_at, setups},
};
use crate::trace::{Connection, Message, Outcome, Report, SignalKind, Trace};

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
            let worst = findings.iter().map(|finding| finding.severity).max();
            let worst = worst.filter(|worst| *worst >= Severity::Warning);
            // Of what went one way, the direction says more than each kind that is missing.
            let interrupted = findings
                .iter()
                .filter(|finding| Some(finding.severity) == worst)
                .min_by_key(|finding| finding.code != Code::MediaOneWay);
            let mut said = format!("The call connected{}{}", setup(trace), length(trace));
            if let Some(finding) = interrupted {
                said += &format!("; but {}", finding.message);
            }
            if let Some(reload) = findings.iter().find(|finding| finding.code == Code::PageReloaded) {
                said += &format!("; later {}", reload.message);
            }
            said + "."
        }
        Outcome::Disconnected | Outcome::Failed if has_connected(trace) || was_up(trace) => {
            format!("The call connected{}, and the connection was lost{}.", setup(trace), why(cause))
        }
        Outcome::Failed | Outcome::NeverConnected => format!("The call never connected{}.", why(cause)),
        Outcome::Disconnected | Outcome::Unknown => match cause {
            Some(finding) => {
                format!("Whether the call connected is not in the capture; {}.", finding.message)
            }
            None if shows_an_exchange(trace) => {
                "Whether the call connected is not in the capture; offer and answer were exchanged, and nothing is \
                 wrong with them."
                    .to_owned()
            }
            None => "Whether the call connected is not in the capture, and neither is an offer with its answer."
                .to_owned(),
        },
    }
}

/// The finding that explains a failure best: the nearest to its root.
fn main_cause(findings: &[Finding]) -> Option<&Finding> {
    const ROOTS: &[Code] = &[
        Code::CallRejected,
        Code::MediaDenied,
        Code::OfferNotDelivered,
        Code::AnswerNotDelivered,
        Code::PeerLeftTheServer,
        Code::GlareUnresolved,
        Code::DescriptionRefused,
        Code::DescriptionInWrongState,
        Code::DtlsRolesClash,
        Code::IceLiteBothSides,
        Code::MediaRefused,
        Code::NoCommonCodec,
        Code::OfferUnanswered,
        Code::CandidateBeforeRemoteDescription,
        Code::CandidatesNeverRelayed,
        Code::CandidatesNeverApplied,
        Code::CandidateRejected,
        Code::TurnUnauthorized,
        Code::RelayAddressPrivate,
        Code::ServerReportedFailure,
        Code::NoCandidates,
        Code::MidMismatch,
        Code::BundleMismatch,
        Code::RtcpMuxMissing,
        Code::RemoteVanished,
        Code::DtlsNeverConnected,
        Code::IceNeverConnected,
        Code::ConnectionLost,
        Code::Rollback,
        Code::MediaInactive,
        Code::MediaOneWay,
        Code::MediaNotReceived,
        Code::MediaNeverSent,
        Code::MediaStopped,
        Code::MessagesNotUnderstood,
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

/// Whether a server said that it was connected.
fn was_up(trace: &Trace) -> bool {
    trace.reports().any(|(_, _, report)| *report == Report::Up)
}

fn shows_an_exchange(trace: &Trace) -> bool {
    let has = |kind: SignalKind| trace.messages.iter().any(|message| message.signal.kind == kind);
    has(SignalKind::Offer) && has(SignalKind::Answer)
}

/// A callee that takes longer is a person, or waits for one.
const A_PERSON: Duration = Duration::from_secs(1);

/// ` 430 ms after the offer`: of the first negotiation that led to a connection, until both sides were connected.
fn setup(trace: &Trace) -> String {
    let first = setups(trace).first().copied();
    let offer = trace.messages.iter().find(|message| message.signal.kind == SignalKind::Offer);
    let whole = || offer.map(Message::first_seen).zip(connected_at(trace).or_else(|| reported_up(trace)));
    let Some((offer, connected)) = first.map(|setup| (setup.began, setup.connected)).or_else(whole) else {
        return String::new();
    };
    let took = connected.since(offer);
    if !trace.resolution().is_zero() {
        return match took.as_secs() {
            0 => " within about a second of the offer".to_owned(),
            seconds => format!(" about {seconds} s after the offer (its clock shows whole seconds)"),
        };
    }
    let callee = first.map(|setup| setup.callee).filter(|callee| *callee >= A_PERSON && *callee < took);
    let of_which = callee.map(|callee| format!(", of which the callee took {} to answer", human(callee)));
    format!(" {} after the offer{}", human(took), of_which.unwrap_or_default())
}

fn reported_up(trace: &Trace) -> Option<timeline::VirtualTime> {
    trace.reports().find(|(_, _, report)| **report == Report::Up).map(|(at, ..)| at)
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
