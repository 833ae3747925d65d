use std::fmt;

use serde::{Deserialize, Serialize};

/// How a number arises, and so how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Counted in a deterministic world: exact.
    Virtual,
    /// Instructions that a simulated processor retired: nearly exact.
    Instructions,
    /// Wall-clock time: statistical.
    Wall,
}

impl Tier {
    /// All of them, the most exact first.
    pub const ALL: [Self; 3] = [Self::Virtual, Self::Instructions, Self::Wall];

    /// Its word in files and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Instructions => "instructions",
            Self::Wall => "wall",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one of a metric is. Values are whole numbers of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Retired instructions.
    #[serde(rename = "instructions")]
    Instructions,
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// Packets.
    #[serde(rename = "packets")]
    Packets,
    /// Anything that is counted and has no unit of its own.
    #[serde(rename = "count")]
    Count,
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Nanoseconds,
        Self::Microseconds,
        Self::Milliseconds,
        Self::Instructions,
        Self::Bytes,
        Self::Packets,
        Self::Count,
    ];

    /// Its word in files and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Instructions => "instructions",
            Self::Bytes => "bytes",
            Self::Packets => "packets",
            Self::Count => "count",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which way a metric gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Times, sizes, costs.
    Lower,
    /// Rates, successes.
    Higher,
}

impl Better {
    /// Its word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }

    /// How much worse `new` is than `base`: negative where it is better.
    pub(crate) fn worsening(self, base: u64, new: u64) -> i128 {
        match self {
            Self::Lower => i128::from(new) - i128::from(base),
            Self::Higher => i128::from(base) - i128::from(new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_files_are_words_in_tables() {
        for unit in Unit::ALL {
            assert_eq!(serde_json::to_value(unit).unwrap(), unit.as_str());
        }
        for tier in Tier::ALL {
            assert_eq!(serde_json::to_value(tier).unwrap(), tier.as_str());
        }
        for better in [Better::Lower, Better::Higher] {
            assert_eq!(serde_json::to_value(better).unwrap(), better.as_str());
        }
    }

    #[test]
    fn worse_is_up_or_down() {
        assert_eq!(Better::Lower.worsening(10, 12), 2);
        assert_eq!(Better::Higher.worsening(10, 12), -2);
        assert_eq!(Better::Lower.worsening(u64::MAX, 0), -i128::from(u64::MAX));
    }
}
