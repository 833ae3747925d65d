use serde::{Serialize, Serializer};
use timeline::{Name, VirtualTime, escaped};

use super::{Code, Severity, Thresholds};
use crate::trace::{Outcome, Trace};

/// Something worth saying about a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// Whom it is about; `None` for the call as a whole.
    pub peer: Option<Name>,
    /// When, in milliseconds of the trace in reports.
    #[serde(rename = "at_ms", serialize_with = "millis")]
    pub at: VirtualTime,
    /// What happened, in a sentence for somebody who knows the call but not the API.
    pub message: String,
    /// What to do about it; empty where there is nothing to do.
    pub advice: String,
    /// Where it stands in the capture, for developers: attributes, ports, calls of the API. Mostly empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

fn millis<S: Serializer>(at: &VirtualTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.as_millis_f64())
}

/// The findings of a trace while its rules are asked.
pub(super) struct Findings<'t> {
    pub(super) thresholds: &'t Thresholds,
    outcome: Outcome,
    found: Vec<Finding>,
}

impl<'t> Findings<'t> {
    pub(super) fn new(trace: &Trace, thresholds: &'t Thresholds) -> Self {
        Self { thresholds, outcome: trace.outcome(), found: Vec::new() }
    }

    /// Whether the call was connected at some time, or may have been: then what might explain a failure is
    /// only a note.
    pub(super) fn may_have_connected(&self, trace: &Trace) -> bool {
        self.outcome == Outcome::Connected || self.outcome == Outcome::Unknown || has_connected(trace)
    }

    pub(super) fn add(
        &mut self,
        code: Code,
        severity: Severity,
        peer: Option<&Name>,
        at: VirtualTime,
        message: impl Into<String>,
        advice: &str,
    ) {
        self.found.push(Finding {
            code,
            severity,
            peer: peer.cloned(),
            at,
            message: escaped(&message.into()).into_owned(),
            advice: advice.to_owned(),
            detail: String::new(),
        });
    }

    /// Says of the finding that was added last where it stands in the capture.
    pub(super) fn detail(&mut self, detail: impl Into<String>) {
        if let Some(last) = self.found.last_mut() {
            last.detail = escaped(&detail.into()).into_owned();
        }
    }

    /// With the advice that its code usually gives.
    pub(super) fn usual(
        &mut self,
        code: Code,
        severity: Severity,
        peer: Option<&Name>,
        at: VirtualTime,
        message: impl Into<String>,
    ) {
        self.add(code, severity, peer, at, message, code.recommendation());
    }

    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| (a.at, a.code, &a.peer).cmp(&(b.at, b.code, &b.peer)));
        self.found
    }
}

/// Whether any peer was connected at any time.
pub(super) fn has_connected(trace: &Trace) -> bool {
    trace
        .peers
        .iter()
        .flat_map(|peer| &peer.connections)
        .any(|connection| connection.connected_at().is_some())
}
