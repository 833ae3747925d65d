//! What is known to deviate, and the comparison of a run with it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Broken, Played, Row, Verdict};

/// The deviations that are known, from `pinned.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// The version of `webrtc` that they were found in.
    pub webrtc: String,
    /// One for each, in the order of the table.
    #[serde(default, rename = "deviation")]
    pub deviations: Vec<Pin>,
}

/// A known deviation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The row.
    pub id: String,
    /// Of whom; bare `webrtc` where nothing is said.
    #[serde(default, skip_serializing_if = "Side::is_bare")]
    pub side: Side,
    /// What was found, word for word.
    pub found: String,
    /// Why the engine may deviate; asked for there, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Which column of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Bare `webrtc`.
    #[default]
    Bare,
    /// The engine.
    Engine,
}

/// Why pins cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PinError {
    /// They are no TOML of this form.
    #[error("pinned.toml: {0}")]
    Toml(#[from] toml::de::Error),
    /// One row is pinned twice for one side.
    #[error("pinned.toml: `{id}` is pinned twice")]
    Twice {
        /// The row.
        id: String,
    },
    /// The engine deviates without a reason, or bare `webrtc` has one.
    #[error("pinned.toml: `{id}`: the engine's deviations say `because`, and only they")]
    Because {
        /// The row.
        id: String,
    },
}

/// A difference between a run and the pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Surprise {
    /// What deviated does so no longer.
    Fixed(Pin),
    /// It deviates in another way.
    Changed {
        /// What was known.
        pin: Pin,
        /// What was found.
        found: String,
    },
    /// It deviates, and did not before.
    New {
        /// The row.
        id: String,
        /// Of whom.
        side: Side,
        /// What was found.
        found: String,
    },
    /// No row is called that, or it is not tried on that side.
    Unknown(Pin),
}

impl Pins {
    /// Those of this repository.
    ///
    /// # Panics
    ///
    /// Never: a test holds that they can be read.
    pub fn known() -> Self {
        Self::from_toml(include_str!("../pinned.toml")).expect("the repository's pins can be read")
    }

    /// Reads pins.
    ///
    /// # Errors
    ///
    /// [`PinError`], with line and column where the text is no TOML of this form.
    pub fn from_toml(text: &str) -> Result<Self, PinError> {
        let pins: Self = toml::from_str(text)?;
        let mut seen = BTreeMap::new();
        for pin in &pins.deviations {
            if seen.insert((pin.id.as_str(), pin.side), ()).is_some() {
                return Err(PinError::Twice { id: pin.id.clone() });
            }
            if pin.because.is_some() != (pin.side == Side::Engine) {
                return Err(PinError::Because { id: pin.id.clone() });
            }
        }
        Ok(pins)
    }

    /// The pins of what `played` shows, in the order of `all` rows; those of rows that were not played stay. A
    /// deviation of the engine keeps the reason that it has in `self`.
    pub fn renewed(&self, played: &[Played], all: &[Row]) -> Self {
        let deviations = all.iter().flat_map(|row| {
            let played = played.iter().find(|played| played.row.id == row.id);
            [Side::Bare, Side::Engine].map(|side| (row.id.as_str(), side, played))
        });
        let deviations =
            deviations.filter_map(|(id, side, played)| match played.map(|played| side.of(played)) {
                None | Some(Err(_)) => self.of(id, side).cloned(),
                Some(Ok(Verdict::Deviates(found))) => Some(self.pin(id, side, found)),
                Some(Ok(_)) => None,
            });
        Self { webrtc: self.webrtc.clone(), deviations: deviations.collect() }
    }

    fn pin(&self, id: &str, side: Side, found: &str) -> Pin {
        let known = self.of(id, side).and_then(|pin| pin.because.clone());
        let because = (side == Side::Engine).then(|| known.unwrap_or_else(|| "say why".to_owned()));
        Pin { id: id.to_owned(), side, found: found.to_owned(), because }
    }

    /// As a file.
    ///
    /// # Panics
    ///
    /// Never: strings always have a TOML form.
    pub fn to_toml(&self) -> String {
        let text = toml::to_string(self).expect("strings always have a TOML form");
        format!("{HEAD}{text}")
    }

    /// Why the engine deviates in the row `id`, where it is known to.
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.of(id, Side::Engine)?.because.as_deref()
    }

    fn of(&self, id: &str, side: Side) -> Option<&Pin> {
        self.deviations.iter().find(|pin| pin.id == id && pin.side == side)
    }
}

const HEAD: &str = "\
# What bare `webrtc` does otherwise than the specifications say, as the rows of this crate find it. A run that
# differs from this file fails. To write it anew, after reading what has changed:
#   cargo xtask conformance --format pins --out crates/conformance/pinned.toml

";

/// What differs between `played` and `pins`, in the order of the table. Pins of rows that were not played
/// are left alone unless no row of `all` is called that.
pub fn judge(played: &[Played], all: &[Row], pins: &Pins) -> Vec<Surprise> {
    let mut surprises = Vec::new();
    for (id, side, verdict) in sides(played) {
        match (verdict, pins.of(id, side)) {
            (Verdict::Pass, Some(pin)) => surprises.push(Surprise::Fixed(pin.clone())),
            (Verdict::NotApplicable(_), Some(pin)) => surprises.push(Surprise::Unknown(pin.clone())),
            (Verdict::Deviates(found), Some(pin)) if *found != pin.found => {
                surprises.push(Surprise::Changed { pin: pin.clone(), found: found.clone() });
            }
            (Verdict::Deviates(found), None) => {
                surprises.push(Surprise::New { id: id.to_owned(), side, found: found.clone() });
            }
            _ => {}
        }
    }
    let exists = |pin: &&Pin| !all.iter().any(|row| row.id == pin.id);
    surprises.extend(pins.deviations.iter().filter(exists).cloned().map(Surprise::Unknown));
    surprises
}

/// The verdicts of `played`, row by row; those of tries that broke are left out.
fn sides(played: &[Played]) -> impl Iterator<Item = (&str, Side, &Verdict)> {
    played.iter().flat_map(|played| {
        let verdict = |side: Side| Some((played.row.id.as_str(), side, side.of(played).as_ref().ok()?));
        [Side::Bare, Side::Engine].into_iter().filter_map(verdict)
    })
}

impl Side {
    const fn is_bare(&self) -> bool {
        matches!(self, Self::Bare)
    }

    /// Its verdict.
    const fn of(self, played: &Played) -> &Result<Verdict, Broken> {
        match self {
            Self::Bare => &played.bare,
            Self::Engine => &played.engine,
        }
    }

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare webrtc",
            Self::Engine => "the engine",
        }
    }
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(pin) if pin.side == Side::Bare => {
                let Pin { id, found, .. } = pin;
                write!(f, "upstream fixed `{id}` (it was: {found}): remove the pin from pinned.toml")
            }
            Self::Fixed(Pin { id, found, .. }) => {
                write!(
                    f,
                    "the engine no longer deviates in `{id}` (it was: {found}): remove the pin from pinned.toml"
                )
            }
            Self::Changed { pin: Pin { id, side, found: was, .. }, found } => {
                write!(f, "{} deviates in `{id}`, but in another way: {found} (pinned: {was})", side.name())
            }
            Self::New { id, side, found } => {
                write!(f, "{} deviates in `{id}`, which is not pinned: {found}", side.name())
            }
            Self::Unknown(Pin { id, side, .. }) => {
                write!(f, "pinned.toml names `{id}`, which no row tries on {}: remove it", side.name())
            }
        }
    }
}
