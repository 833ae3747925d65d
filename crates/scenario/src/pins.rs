//! Exact figures of scenarios, kept in a file: how their calls came out and how long they took, over the seeds that they
//! are played with by default.
//!
//! Runs repeat themselves, so that a figure which differs from its pin is a change of the code, for better or worse.
//! What a scenario expects in `[expect]` holds for any number of seeds; a pin holds for its own.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    plan::Outcome,
    report::{ScenarioReport, Times},
};

/// The name of the file, in the folder of the scenarios.
pub const FILE: &str = "pins.json";

/// The version of the format that is read and written.
const SCHEMA: u32 = 1;

/// The pins of several scenarios, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(pub BTreeMap<String, Pin>);

/// What is known of one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// How many seeds were played, from 1 on.
    pub seeds: usize,
    /// How often each outcome occurred.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// From the dial until both sides were connected; absent where no run connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_ms: Option<Percentiles>,
    /// The longest recovery of each run where there was one; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_ms: Option<Percentiles>,
}

/// Two percentiles of virtual milliseconds, as in [`Times`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// The median.
    pub p50: u64,
    /// The 95th percentile.
    pub p95: u64,
}

/// Why a file of pins cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinsError {
    /// It is not JSON, or not of this shape.
    #[error("{file}:{}:{}: {source}", source.line(), source.column())]
    Wrong {
        /// How the file is called.
        file: String,
        /// What is wrong and where.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error(
        "{file} has the version {found}, and this program reads {SCHEMA}: delete it, and accept the pins anew"
    )]
    Version {
        /// How the file is called.
        file: String,
        /// What it says.
        found: u32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    scenarios: BTreeMap<String, Pin>,
}

impl Pins {
    /// Reads a file's text; `file` is how it is called in messages.
    ///
    /// # Errors
    /// A text that is not JSON of this shape, with its place; another version.
    pub fn from_json(file: &str, text: &str) -> Result<Self, PinsError> {
        let read: Result<File, _> = serde_json::from_str(text);
        let File { schema, scenarios } =
            read.map_err(|source| PinsError::Wrong { file: file.to_owned(), source })?;
        if schema != SCHEMA {
            return Err(PinsError::Version { file: file.to_owned(), found: schema });
        }
        Ok(Self(scenarios))
    }

    /// The file's text: a line for each scenario, in the order of their names.
    ///
    /// # Errors
    /// None that this type can cause; the signature is that of `serde_json`.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let line = |(name, pin): (&String, &Pin)| {
            Ok(format!("{}: {}", serde_json::to_string(name)?, serde_json::to_string(pin)?))
        };
        let lines: Result<Vec<String>, serde_json::Error> = self.0.iter().map(line).collect();
        Ok(format!("{{\"schema\": {SCHEMA}, \"scenarios\": {{\n{}\n}}}}\n", lines?.join(",\n")))
    }
}

impl Pin {
    /// What a report says of a scenario.
    pub fn of(report: &ScenarioReport) -> Self {
        let percentiles = |times: Times| Percentiles { p50: times.p50, p95: times.p95 };
        Self {
            seeds: report.runs,
            outcomes: report.outcomes.clone(),
            setup_ms: report.setup_ms.map(percentiles),
            recovery_ms: report.recovery_ms.map(percentiles),
        }
    }

    /// How `found` differs, in words; `None` where it does not.
    pub fn difference(&self, found: &Self) -> Option<String> {
        let outcomes = |pin: &Self| {
            let counts = pin.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        let times =
            |times: Option<Percentiles>| times.map_or_else(|| "none".to_owned(), |times| times.to_string());
        let parts = [
            ("outcomes", outcomes(self), outcomes(found)),
            ("set-up", times(self.setup_ms), times(found.setup_ms)),
            ("recovery", times(self.recovery_ms), times(found.recovery_ms)),
        ];
        let differs = parts.iter().filter(|(_, pinned, found)| pinned != found);
        let words: Vec<String> =
            differs.map(|(what, pinned, found)| format!("{what}: {found}, pinned {pinned}")).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {} ms, p95 {} ms", self.p50, self.p95)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pin() -> Pin {
        Pin {
            seeds: 20,
            outcomes: [(Outcome::Connected, 18), (Outcome::ConnectTimeout, 2)].into(),
            setup_ms: Some(Percentiles { p50: 982, p95: 2967 }),
            recovery_ms: None,
        }
    }

    fn text() -> String {
        Pins([("loss/a".to_owned(), pin()), ("loss/b".to_owned(), pin())].into()).to_json().unwrap()
    }

    #[test]
    fn a_file_has_a_line_for_each_scenario_and_is_read_again() {
        let line = r#"{"seeds":20,"outcomes":{"connected":18,"connect-timeout":2},"setup_ms":{"p50":982,"p95":2967}}"#;
        let expected =
            format!("{{\"schema\": 1, \"scenarios\": {{\n\"loss/a\": {line},\n\"loss/b\": {line}\n}}}}\n");
        assert_eq!(text(), expected);
        assert_eq!(Pins::from_json("pins.json", &text()).unwrap().to_json().unwrap(), text());
    }

    #[test]
    fn what_differs_is_named_with_both_figures() {
        assert_eq!(pin().difference(&pin()), None);
        let recovered = Pin { recovery_ms: Some(Percentiles { p50: 1, p95: 2 }), ..pin() };
        let words = "recovery: p50 1 ms, p95 2 ms, pinned none";
        assert_eq!(pin().difference(&recovered).as_deref(), Some(words));
        let slower = Pin {
            outcomes: [(Outcome::Connected, 20)].into(),
            setup_ms: Some(Percentiles { p50: 982, p95: 2968 }),
            ..pin()
        };
        let words = "outcomes: 20 connected, pinned 18 connected, 2 connect-timeout; \
                     set-up: p50 982 ms, p95 2968 ms, pinned p50 982 ms, p95 2967 ms";
        assert_eq!(pin().difference(&slower).as_deref(), Some(words));
    }

    #[track_caller]
    fn refused(text: &str, expect: &str) {
        assert_eq!(Pins::from_json("pins.json", text).unwrap_err().to_string(), expect);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_refused_with_its_place() {
        let version =
            "pins.json has the version 2, and this program reads 1: delete it, and accept the pins anew";
        refused(r#"{"schema": 2, "scenarios": {}}"#, version);
        let error =
            Pins::from_json("pins.json", &text().replacen("\"p95\"", "\"p59\"", 1)).unwrap_err().to_string();
        assert!(error.starts_with("pins.json:2:") && error.contains("unknown field `p59`"), "{error}");
        let error = Pins::from_json("pins.json", &text().replacen("connected", "conected", 1))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("pins.json:2:") && error.contains("unknown variant `conected`"), "{error}");
    }

    proptest! {
        /// Whatever the file holds, it is read or refused with its name.
        #[test]
        fn mangled_files_are_read_or_refused(at in any::<prop::sample::Index>(), cut in 0..9_usize, put in ".{0,6}") {
            let mut letters: Vec<char> = text().chars().collect();
            let from = at.index(letters.len());
            letters.splice(from..(from + cut).min(letters.len()), put.chars());
            match Pins::from_json("pins.json", &letters.into_iter().collect::<String>()) {
                Ok(pins) => prop_assert_eq!(Pins::from_json("", &pins.to_json().unwrap()).unwrap(), pins),
                Err(error) => prop_assert!(error.to_string().starts_with("pins.json"), "{}", error),
            }
        }
    }
}
