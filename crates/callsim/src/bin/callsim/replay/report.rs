//! What a replay came to: what is shown to people, and the object that machines get.

use std::collections::BTreeMap;

use capture::{
    Outcome, Trace,
    audit::{Code, Finding, MediaState, Severity, Wait, audit, media, verdict, waits},
    mapping::Unmapped,
    merge::FileReport,
    trace::{Gap, PeerEvent, Source},
};
use scenario::{
    replay::{Came, Divergence, OwnRefusal, Played, Replay, Unplayable, replay},
    suite::Progress,
};
use serde::Serialize;
use timeline::{MediaKind, Name};

use super::input::{Input, Unreadable};
use crate::progress::Bar;

/// Everything there is to say about the files.
pub(super) struct Report {
    /// Every call.
    pub(super) calls: Vec<CallReport>,
    /// Every file that could be read.
    pub(super) files: Vec<FileReport>,
    /// Every file that could not.
    pub(super) unreadable: Vec<Unreadable>,
    /// Messages that no mapping understood.
    pub(super) unmapped: Unmapped,
}

/// Everything there is to say about one call.
pub(super) struct CallReport {
    pub(super) trace: Trace,
    pub(super) findings: Vec<Finding>,
    pub(super) waits: Vec<Wait>,
    pub(super) verdict: String,
    pub(super) replay: Replay,
}

/// How many calls are played again. All are read and judged; to play one takes some milliseconds.
const MOST_PLAYED: usize = 1_000;

impl CallReport {
    fn new(trace: Trace, index: usize) -> Self {
        let mut findings = audit(&trace);
        let (waits, mut verdict) = (waits(&trace), verdict(&trace, &findings));
        let replay = match index < MOST_PLAYED {
            true => replay(&trace, &findings),
            false => Replay::NotPlayed { reason: Unplayable::TooMany { most: MOST_PLAYED } },
        };
        if let Replay::Played(played) = &replay {
            findings.extend(played.refused.iter().map(own_stack_refused));
            verdict.push_str(&doubt(&trace, played));
        }
        Self { trace, findings, waits, verdict, replay }
    }

    /// What became of the media, by kind and peer.
    fn media(&self) -> BTreeMap<&'static str, BTreeMap<String, &'static str>> {
        let states = |states: BTreeMap<Name, MediaState>| {
            states.into_iter().map(|(peer, state)| (peer.to_string(), state.as_str())).collect()
        };
        let mut all: BTreeMap<&'static str, BTreeMap<String, &'static str>> =
            MediaKind::ALL.iter().map(|kind| (kind.as_str(), BTreeMap::new())).collect();
        all.extend(media(&self.trace).into_iter().map(|(kind, of)| (kind.as_str(), states(of))));
        all
    }
}

/// A description that our own stack did not take is a finding: what was played again says less.
fn own_stack_refused(refusal: &OwnRefusal) -> Finding {
    let OwnRefusal { peer, at, call, error } = refusal;
    let code = Code::OwnStackRefused;
    Finding {
        code,
        severity: Severity::Warning,
        peer: Some(peer.clone()),
        at: *at,
        message: format!(
            "callsim's own WebRTC stack refused a description that {peer} applied in the capture"
        ),
        advice: code.recommendation().to_owned(),
        detail: format!("{call} failed: {error}"),
    }
}

/// What the re-execution says against the verdict, as sentences after it.
fn doubt(trace: &Trace, played: &Played) -> String {
    let never = |outcome| matches!(outcome, Outcome::NeverConnected | Outcome::Failed);
    let (captured, replayed) = (trace.outcome(), played.outcome);
    if !played.refused.is_empty() {
        return " Played again, callsim's own WebRTC stack refused a description, so that the re-execution says nothing \
                about this call."
            .to_owned();
    }
    // Without candidates nothing connects in a replay either.
    let reachable = trace.shows_candidates();
    let doubt = match captured {
        Outcome::Unknown | Outcome::Connected if never(replayed) && !reachable => return String::new(),
        Outcome::Unknown if never(replayed) => {
            "Played again with the same descriptions, the call does not connect"
        }
        captured if never(captured) && replayed == Outcome::Connected => {
            "Played again with callsim's own WebRTC stack, over a network that lets everything through, the call connects"
        }
        Outcome::Connected if never(replayed) => "Played again, the call does not connect",
        _ if played.divergence.as_ref().is_some_and(|it| matches!(it.captured, Some(Came::Media(..)))) => {
            "Played again, not all of the media flows that flowed in the capture"
        }
        _ => return String::new(),
    };
    format!(" {doubt}.")
}

impl CallReport {
    /// What was played, if it was.
    pub(super) fn played(&self) -> Option<&Played> {
        match &self.replay {
            Replay::Played(played) => Some(played),
            Replay::NotPlayed { .. } => None,
        }
    }
}

impl Report {
    /// Whether anything is wrong with any call.
    pub(super) fn has_errors(&self) -> bool {
        self.calls.iter().flat_map(|call| &call.findings).any(|finding| finding.severity == Severity::Error)
    }

    /// Whether any call came out another way when it was played again.
    pub(super) fn diverged(&self) -> bool {
        self.calls.iter().filter_map(CallReport::played).any(|played| played.divergence.is_some())
    }

    pub(super) fn new(input: &Input) -> Self {
        let capture = &input.capture;
        let total = capture.calls.len();
        let bar = Bar::of_calls();
        let calls = capture.calls.iter().cloned().enumerate().map(|(done, call)| {
            bar.show(Progress { done, failed: 0, total });
            CallReport::new(call, done)
        });
        let calls = calls.collect();
        bar.clear();
        Self {
            calls,
            files: capture.files.clone(),
            unreadable: input.unreadable.clone(),
            unmapped: capture.unmapped.clone(),
        }
    }

    /// The object of `--format json`. A call that several files show is said at each of them, the same every time.
    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        let read = self.files.iter().map(|file| FileJson::read(file, self));
        let not_read = self.unreadable.iter().map(FileJson::not_read);
        let report = Json {
            schema: 1,
            command: "replay",
            passed: self.unreadable.is_empty() && !self.calls.is_empty() && !self.diverged(),
            files: read.chain(not_read).collect(),
        };
        serde_json::to_string_pretty(&report).map(|text| text + "\n")
    }
}

#[derive(Serialize)]
struct Json<'r> {
    schema: u32,
    command: &'static str,
    passed: bool,
    files: Vec<FileJson<'r>>,
}

#[derive(Serialize)]
struct FileJson<'r> {
    file: &'r str,
    /// `null` where the file could not be read.
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'r str>,
    /// Why it adds nothing to any call.
    #[serde(skip_serializing_if = "Option::is_none")]
    adds_nothing: Option<&'r str>,
    /// What of it could not be read.
    gaps: &'r [Gap],
    calls: Vec<CallJson<'r>>,
}

impl<'r> FileJson<'r> {
    fn read(file: &'r FileReport, report: &'r Report) -> Self {
        let shows = |call: &&CallReport| call.trace.sources.iter().any(|source| source.file == file.file);
        Self {
            file: &file.file,
            format: Some(file.format.as_str()),
            error: None,
            adds_nothing: file.adds_nothing.as_deref(),
            gaps: &file.gaps,
            calls: report.calls.iter().filter(shows).map(CallJson::new).collect(),
        }
    }

    fn not_read(file: &'r Unreadable) -> Self {
        Self {
            file: &file.file,
            format: None,
            error: Some(&file.error),
            adds_nothing: None,
            gaps: &[],
            calls: Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct CallJson<'r> {
    id: &'r str,
    verdict: &'r str,
    /// Every file that shows it, and how its clock was corrected.
    sources: &'r [Source],
    /// Whether a part of the capture is missing.
    partial: bool,
    peers: Vec<PeerJson<'r>>,
    findings: &'r [Finding],
    waits: &'r [Wait],
    /// What became of each kind of media at each peer.
    media: BTreeMap<&'static str, BTreeMap<String, &'static str>>,
    captured_outcome: Outcome,
    /// Whether the call was played again.
    replayed: bool,
    replayed_outcome: Option<Outcome>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_replayed: Option<String>,
    divergence: Option<DivergenceJson<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<ComparisonJson<'r>>,
}

/// The first point at which the replay is not what was captured.
#[derive(Serialize)]
struct DivergenceJson<'r> {
    peer: &'r str,
    /// `outcome` where only the outcomes differ.
    kind: &'static str,
    at_ms: f64,
    captured: Option<&'static str>,
    replayed: Option<&'static str>,
    before: Vec<&'static str>,
    message: String,
}

impl<'r> DivergenceJson<'r> {
    fn new(divergence: &'r Divergence) -> Self {
        Self {
            peer: divergence.peer.as_str(),
            kind: divergence.machine.map_or("outcome", timeline::Machine::as_str),
            at_ms: divergence.at.as_millis_f64(),
            captured: divergence.captured.map(Came::as_str),
            replayed: divergence.replayed.map(Came::as_str),
            before: divergence.before.iter().map(|state| state.as_str()).collect(),
            message: divergence.to_string(),
        }
    }
}

#[derive(Serialize)]
struct ComparisonJson<'r> {
    /// `engine`, or `applications` where their calls of the API were made again.
    driver: &'static str,
    /// Captured transitions that came again.
    matched: usize,
    /// Captured transitions.
    captured: usize,
    /// In what the two may differ, and how often they did.
    freedoms: BTreeMap<&'static str, usize>,
    assumptions: &'r [String],
}

impl<'r> ComparisonJson<'r> {
    fn new(played: &'r Played) -> Self {
        Self {
            driver: played.driver.as_str(),
            matched: played.matched,
            captured: played.captured,
            freedoms: played.freedoms.iter().map(|(freedom, count)| (freedom.as_str(), *count)).collect(),
            assumptions: &played.assumptions,
        }
    }
}

impl<'r> CallJson<'r> {
    fn new(call: &'r CallReport) -> Self {
        let played = call.played();
        Self {
            id: &call.trace.id,
            verdict: &call.verdict,
            sources: &call.trace.sources,
            partial: call.trace.is_partial(),
            peers: call.trace.peers.iter().map(PeerJson::new).collect(),
            findings: &call.findings,
            waits: &call.waits,
            media: call.media(),
            captured_outcome: call.trace.outcome(),
            replayed: played.is_some(),
            replayed_outcome: played.map(|played| played.outcome),
            not_replayed: match &call.replay {
                Replay::NotPlayed { reason } => Some(reason.to_string()),
                Replay::Played(_) => None,
            },
            divergence: played.and_then(|played| played.divergence.as_ref()).map(DivergenceJson::new),
            comparison: played.map(ComparisonJson::new),
        }
    }
}

#[derive(Serialize)]
struct PeerJson<'r> {
    id: &'r str,
    role: capture::trace::Role,
    /// Of all its peer connections.
    transitions: Vec<TransitionJson<'r>>,
}

#[derive(Serialize)]
struct TransitionJson<'r> {
    at_ms: f64,
    kind: &'static str,
    to: &'r str,
    /// Which of its peer connections, by its name in the capture.
    connection: &'r str,
}

impl<'r> PeerJson<'r> {
    fn new(peer: &'r capture::trace::Peer) -> Self {
        let mut transitions = Vec::new();
        for connection in &peer.connections {
            for entry in &connection.entries {
                if let PeerEvent::State { to } = &entry.event {
                    let (at_ms, kind) = (entry.at.as_millis_f64(), to.machine().as_str());
                    let (to, connection) = (to.as_str(), connection.key.as_str());
                    transitions.push(TransitionJson { at_ms, kind, to, connection });
                }
            }
        }
        transitions.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        Self { id: peer.id.as_str(), role: peer.role, transitions }
    }
}
