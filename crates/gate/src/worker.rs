//! The protocol between the gate and a worker: any program that can measure.
//!
//! A worker reads one request a line from its standard input and answers each with one line on its
//! standard output, both JSON. It begins with a greeting. It keeps nothing between requests but caches,
//! prints nothing else, and ends when its input ends.
//!
//! ```text
//! ← {"greeting":{"protocol":1,"program":"callsim 0.1.0","fingerprint":{"rustc":"1.95.0","tick_us":"1000"}}}
//! → "list"
//! ← {"metrics":[{"id":"happy/host-candidates#cpu","tier":"wall","unit":"ns","better":"lower"}]}
//! → {"measure":{"id":"happy/host-candidates#cpu"}}
//! ← {"measured":{"id":"happy/host-candidates#cpu","value":{"single":1200345}}}
//! ```
//!
//! The gate starts a fresh worker for each of the two runs of the virtual tier, for each count of the
//! instruction tier (under valgrind, collecting inside [`REGION`]) and for each side of an epoch.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{
    baseline::Fingerprint,
    json,
    metric::{Metric, MetricId, Percent, Tier},
    value::Value,
};

/// The version of the protocol.
pub const PROTOCOL: u64 = 1;

/// The function in which a worker does what is measured, for `--toggle-collect`. It must be `extern "C"`,
/// not inlined and not mangled.
pub const REGION: &str = "gate_measured_region";

/// The longest line, in bytes, without its end.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// What the gate asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Request {
    /// Which metrics there are.
    List,
    /// To measure one of them once.
    Measure {
        /// Which.
        id: MetricId,
        /// Slowed down by so much, through the measured path: link delay in the virtual tier, more rounds
        /// of a calibrated loop under valgrind, spinning in the wall tier. Never negative: to show a
        /// speed-up, the gate slows down what it compares with.
        #[serde(default = "no_slowdown", skip_serializing_if = "is_none", rename = "slowdown_pct")]
        slowdown: Percent,
        /// What the gate measured of it without a slowdown, where it knows: a calibrated loop is a share of
        /// that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<u64>,
    },
}

fn no_slowdown() -> Percent {
    Percent::ZERO
}

/// The part of a worker's fingerprint that must be equal for the numbers of `tier` to be comparable: keys
/// that begin with the name of a tier and a dot (`instructions.rustc`) count for that one alone.
pub fn fingerprint_of(fingerprint: &Fingerprint, tier: Tier) -> Fingerprint {
    let counts = |key: &str| {
        let of = Tier::ALL
            .into_iter()
            .find(|tier| key.strip_prefix(tier.as_str()).is_some_and(|rest| rest.starts_with('.')));
        of.is_none_or(|of| of == tier)
    };
    fingerprint
        .iter()
        .filter(|(key, _)| counts(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_none(slowdown: &Percent) -> bool {
    *slowdown == Percent::ZERO
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Response {
    /// Its first line.
    Greeting {
        /// The version of the protocol that it speaks.
        protocol: u64,
        /// Its name and version, for people.
        program: String,
        /// What must be equal for its numbers to be comparable.
        #[serde(default)]
        fingerprint: Fingerprint,
    },
    /// The metrics that it knows.
    Metrics(Vec<Metric>),
    /// What it measured. Under valgrind the value is not used: callgrind's counts are.
    Measured {
        /// Of what.
        id: MetricId,
        /// How much.
        value: Value,
        /// A digest of everything that happened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
    },
    /// It could not.
    Failed {
        /// Why.
        message: String,
    },
}

/// Why a line is not a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is longer than [`MAX_LINE_BYTES`].
    #[error("a line of {size} bytes, more than {MAX_LINE_BYTES}")]
    TooLong {
        /// Its length in bytes.
        size: usize,
    },
    /// It is not JSON, or not the JSON of a message.
    #[error("column {column}: {reason}; the line begins with `{start}`")]
    Malformed {
        /// The column in bytes, from 1.
        column: usize,
        /// What was found and what is accepted.
        reason: String,
        /// How the line begins.
        start: String,
    },
    /// The worker speaks another version.
    #[error(
        "the worker speaks version {found} of the protocol, the gate {PROTOCOL}: build both from one source"
    )]
    OtherProtocol {
        /// The version of the worker.
        found: u64,
    },
}

/// How much of a wrong line is shown.
const SHOWN_CHARS: usize = 60;

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// [`LineError`] says what is wrong with it.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        read(line)
    }

    /// The line, without its end.
    pub fn to_line(&self) -> String {
        write(self)
    }
}

impl Response {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// [`LineError`] says what is wrong with it, also for a greeting in another version.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        match read(line)? {
            Self::Greeting { protocol, .. } if protocol != PROTOCOL => {
                Err(LineError::OtherProtocol { found: protocol })
            }
            response => Ok(response),
        }
    }

    /// The line, without its end.
    pub fn to_line(&self) -> String {
        write(self)
    }
}

fn read<T: DeserializeOwned>(line: &str) -> Result<T, LineError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(LineError::TooLong { size: line.len() });
    }
    serde_json::from_str(line).map_err(|error| LineError::Malformed {
        column: error.column(),
        reason: json::reason(&error),
        start: line.chars().take(SHOWN_CHARS).collect(),
    })
}

/// No message has a map whose keys are not text, the one thing that JSON cannot write.
fn write<T: Serialize>(message: &T) -> String {
    serde_json::to_string(message).unwrap_or_default()
}
