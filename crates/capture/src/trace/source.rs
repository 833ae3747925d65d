use serde::{Deserialize, Serialize};

use crate::format::Format;

/// One file of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name as it was given.
    pub file: String,
    /// What it is.
    pub format: Format,
    /// How far its clock was ahead of the trace's, in milliseconds; its times are corrected by that. 0 where
    /// the messages that it shares with other files demand no correction.
    pub skew_ms: f64,
    /// The correction is exact to this many milliseconds, `None` where nothing was corrected.
    pub skew_uncertainty_ms: Option<f64>,
    /// Whether messages tie it to the other files; true for a file that stands alone.
    pub aligned: bool,
    /// What of it could not be read.
    pub gaps: Vec<Gap>,
    /// How many messages of it were not understood, at the ends at which this call's were seen.
    #[serde(default)]
    pub not_understood: u64,
    /// Whether its clock shows whole seconds only.
    #[serde(default)]
    pub whole_seconds: bool,
    /// Whether it is a server's log that shows what is passed on.
    #[serde(default)]
    pub shows_delivery: bool,
    /// Lines that name somebody else than the message in them does, each as a sentence; a few at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<String>,
}

/// A part of a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The line, from 1; 0 where lines mean nothing.
    pub line: u64,
    /// Bytes from the file's beginning, after decompression.
    pub offset: u64,
    /// What is missing, and why.
    pub what: String,
}
