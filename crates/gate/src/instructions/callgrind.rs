//! Callgrind's output, read into costs by function.
//!
//! The format is that of the Valgrind manual, "Callgrind Format Specification", version 1: names and
//! positions may be compressed, costs may end early, a file may have several parts.

mod error;
mod line;
mod read;

use std::collections::BTreeMap;

pub use error::{CallgrindError, RegionError};

use crate::nearest::hint;

/// The most kinds of events of a profile. Callgrind knows fewer than twenty.
pub(crate) const MAX_EVENTS: usize = 64;

/// What a program cost, by function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What wrote it, for example `callgrind-3.19.0`.
    pub creator: Option<String>,
    /// The kinds of events that were counted; `Ir` are instructions.
    pub events: Vec<String>,
    /// How many of each kind were collected.
    pub totals: Vec<u64>,
    /// The same for each function.
    pub functions: BTreeMap<String, FunctionCosts>,
}

/// What one function cost, in the order of [`Profile::events`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionCosts {
    /// In itself.
    pub own: Vec<u64>,
    /// In what it called, without direct recursion. A cycle over several functions counts each time
    /// around.
    pub callees: Vec<u64>,
}

impl Profile {
    /// Reads what callgrind wrote.
    ///
    /// # Errors
    ///
    /// [`CallgrindError`] with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, CallgrindError> {
        read::profile(bytes)
    }

    /// How many `event`s were collected in all: with `--toggle-collect`, those of the region.
    ///
    /// # Errors
    ///
    /// [`RegionError::UnknownEvent`] for one that was not counted.
    pub fn total(&self, event: &str) -> Result<u64, RegionError> {
        let index = self.event(event)?;
        Ok(self.totals.get(index).copied().unwrap_or_default())
    }

    /// How many `event`s the function `region` cost, with everything that it called.
    ///
    /// # Errors
    ///
    /// [`RegionError`] for an event that was not counted or a function that never ran.
    pub fn region(&self, event: &str, region: &str) -> Result<u64, RegionError> {
        let index = self.event(event)?;
        let Some(costs) = self.functions.get(region) else {
            let hint = hint(region, self.functions.keys().map(String::as_str));
            return Err(RegionError::UnknownFunction { function: region.to_owned(), hint });
        };
        let at = |costs: &[u64]| costs.get(index).copied().unwrap_or_default();
        Ok(at(&costs.own).saturating_add(at(&costs.callees)))
    }

    fn event(&self, event: &str) -> Result<usize, RegionError> {
        self.events.iter().position(|known| known == event).ok_or_else(|| RegionError::UnknownEvent {
            event: event.to_owned(),
            counted: self.events.join(", "),
        })
    }
}
