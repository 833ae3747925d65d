use thiserror::Error;

use super::MAX_EVENTS;

/// Why bytes are not a profile. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallgrindError {
    /// A line is neither header, name, call, jump nor cost.
    #[error("line {line}: `{found}` is no line of a callgrind profile")]
    UnknownLine {
        /// The line.
        line: usize,
        /// How it begins.
        found: String,
    },
    /// A number is none, or more than 64 bits hold.
    #[error("line {line}: `{found}` is not a number of at most 64 bits")]
    BadNumber {
        /// The line.
        line: usize,
        /// What stood there.
        found: String,
    },
    /// The version is not 1.
    #[error("line {line}: version {found} of the format is unknown, this program reads 1")]
    UnknownVersion {
        /// The line.
        line: usize,
        /// The version.
        found: String,
    },
    /// A compressed name was never defined.
    #[error("line {line}: the name ({id}) was not defined before")]
    UnknownName {
        /// The line.
        line: usize,
        /// Its number.
        id: u64,
    },
    /// A cost stands before any function.
    #[error("line {line}: a cost before any `fn=`")]
    CostWithoutFunction {
        /// The line.
        line: usize,
    },
    /// A call stands before the function that it calls.
    #[error("line {line}: `calls=` without `cfn=` before it")]
    CallWithoutCallee {
        /// The line.
        line: usize,
    },
    /// A cost has more numbers than positions and events.
    #[error("line {line}: {found} numbers where positions and events allow {allowed}")]
    TooManyNumbers {
        /// The line.
        line: usize,
        /// How many there are.
        found: usize,
        /// How many are allowed.
        allowed: usize,
    },
    /// Parts of the profile counted different events, or more than [`MAX_EVENTS`].
    #[error("line {line}: the events differ from those of the part before, or are more than {MAX_EVENTS}")]
    BadEvents {
        /// The line.
        line: usize,
    },
    /// Costs add up to more than 64 bits hold.
    #[error("line {line}: costs add up to more than 64 bits hold")]
    Overflow {
        /// The line.
        line: usize,
    },
    /// There is no `events:`, or the last part has no `totals:`.
    #[error("the profile ends without `totals:`: the program or valgrind was stopped while writing")]
    Truncated,
    /// The functions cost more than the whole.
    #[error("the functions cost {functions} {event}, the whole only {total}: the profile is damaged")]
    TotalsDiffer {
        /// The kind of event.
        event: String,
        /// What the functions add up to.
        functions: u64,
        /// What `totals:` says.
        total: u64,
    },
}

/// Why there is no figure for a region.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegionError {
    /// The event was not counted.
    #[error("`{event}` was not counted, only {counted}")]
    UnknownEvent {
        /// The event.
        event: String,
        /// Those that were.
        counted: String,
    },
    /// The function never ran.
    #[error("no function `{function}` ran{hint}")]
    UnknownFunction {
        /// The function.
        function: String,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
    },
}
