//! From lines to a [`Profile`].

use std::collections::BTreeMap;

use super::{
    CallgrindError, FunctionCosts, MAX_EVENTS, Profile,
    line::{Line, check_position, classify, name, number, shown},
};

pub(super) fn profile(bytes: &[u8]) -> Result<Profile, CallgrindError> {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::default();
    for (index, text) in text.lines().enumerate() {
        reader.line(text, index + 1)?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    creator: Option<String>,
    events: Vec<String>,
    /// How many positions stand before the costs; at least 1.
    positions: Option<usize>,
    totals: Vec<u64>,
    /// Whether costs were read since the last `totals:`.
    open: bool,
    complete: bool,
    names: BTreeMap<u64, String>,
    functions: BTreeMap<String, FunctionCosts>,
    function: Option<String>,
    callee: Option<String>,
    /// The next cost is that of a call.
    in_call: bool,
}

impl Reader {
    fn line(&mut self, text: &str, line: usize) -> Result<(), CallgrindError> {
        match classify(text, line)? {
            Line::Blank => Ok(()),
            Line::Header { key, value } => self.header(key, value, line),
            Line::Assignment { key, value } => self.assignment(key, value, line),
            Line::Cost(text) => self.cost(text, line),
        }
    }

    fn header(&mut self, key: &str, value: &str, line: usize) -> Result<(), CallgrindError> {
        match key {
            "version" if value != "1" => Err(CallgrindError::UnknownVersion { line, found: shown(value) }),
            "creator" => {
                self.creator = Some(value.to_owned());
                Ok(())
            }
            "positions" => {
                self.positions = Some(value.split_whitespace().count().max(1));
                Ok(())
            }
            "events" => self.set_events(value, line),
            "totals" => self.end_part(value, line),
            _ => Ok(()),
        }
    }

    fn set_events(&mut self, value: &str, line: usize) -> Result<(), CallgrindError> {
        let events: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
        let same = self.events.is_empty() || self.events == events;
        if events.is_empty() || events.len() > MAX_EVENTS || !same {
            return Err(CallgrindError::BadEvents { line });
        }
        self.totals.resize(events.len(), 0);
        self.events = events;
        // A part that has begun must end.
        self.open = true;
        Ok(())
    }

    fn end_part(&mut self, value: &str, line: usize) -> Result<(), CallgrindError> {
        let totals = self.numbers(value.split_whitespace(), 0, line)?;
        add(&mut self.totals, &totals, line)?;
        self.open = false;
        self.complete = true;
        Ok(())
    }

    fn assignment(&mut self, key: &str, value: &str, line: usize) -> Result<(), CallgrindError> {
        match key {
            "fn" => {
                self.function = Some(self.resolve(value, line)?);
                self.callee = None;
                Ok(())
            }
            "cfn" => {
                self.callee = Some(self.resolve(value, line)?);
                Ok(())
            }
            "calls" if self.callee.is_none() => Err(CallgrindError::CallWithoutCallee { line }),
            "calls" => {
                let count = value.split_whitespace().next().unwrap_or_default();
                number(count, line)?;
                self.in_call = true;
                Ok(())
            }
            // Objects, files and jumps: not needed for costs by function.
            "ob" | "fl" | "fi" | "fe" | "cob" | "cfi" | "cfl" | "jump" | "jcnd" | "jfi" | "jfn" => Ok(()),
            _ => Err(CallgrindError::UnknownLine { line, found: shown(key) }),
        }
    }

    fn resolve(&mut self, value: &str, line: usize) -> Result<String, CallgrindError> {
        match name(value, line)? {
            (None, name) => Ok(name.to_owned()),
            (Some(id), "") => self.names.get(&id).cloned().ok_or(CallgrindError::UnknownName { line, id }),
            (Some(id), name) => {
                self.names.insert(id, name.to_owned());
                Ok(name.to_owned())
            }
        }
    }

    fn cost(&mut self, text: &str, line: usize) -> Result<(), CallgrindError> {
        let in_call = std::mem::take(&mut self.in_call);
        let positions = self.positions.unwrap_or(1);
        let mut words = text.split_whitespace();
        for position in words.by_ref().take(positions) {
            check_position(position, line)?;
        }
        let costs = self.numbers(words, positions, line)?;
        let Some(function) = &self.function else { return Err(CallgrindError::CostWithoutFunction { line }) };
        let recursive = in_call && self.callee.as_ref() == Some(function);
        let entry = self.functions.entry(function.clone()).or_default();
        self.open = true;
        match (in_call, recursive) {
            (true, true) => Ok(()),
            (true, false) => add(&mut entry.callees, &costs, line),
            (false, _) => add(&mut entry.own, &costs, line),
        }
    }

    fn numbers<'a>(
        &self,
        words: impl Iterator<Item = &'a str>,
        before: usize,
        line: usize,
    ) -> Result<Vec<u64>, CallgrindError> {
        let numbers = words.map(|word| number(word, line)).collect::<Result<Vec<_>, _>>()?;
        if numbers.len() > self.events.len() {
            let (found, allowed) = (before + numbers.len(), before + self.events.len());
            return Err(CallgrindError::TooManyNumbers { line, found, allowed });
        }
        Ok(numbers)
    }

    fn finish(self) -> Result<Profile, CallgrindError> {
        if self.open || !self.complete {
            return Err(CallgrindError::Truncated);
        }
        let mut whole = Vec::new();
        for costs in self.functions.values() {
            add(&mut whole, &costs.own, 0)?;
        }
        for ((event, &functions), &total) in self.events.iter().zip(&whole).zip(&self.totals) {
            if functions > total {
                return Err(CallgrindError::TotalsDiffer { event: event.clone(), functions, total });
            }
        }
        let Self { creator, events, totals, functions, .. } = self;
        Ok(Profile { creator, events, totals, functions })
    }
}

/// Adds costs; those that are missing at the end are 0.
fn add(sum: &mut Vec<u64>, costs: &[u64], line: usize) -> Result<(), CallgrindError> {
    if sum.len() < costs.len() {
        sum.resize(costs.len(), 0);
    }
    for (sum, cost) in sum.iter_mut().zip(costs) {
        *sum = sum.checked_add(*cost).ok_or(CallgrindError::Overflow { line })?;
    }
    Ok(())
}
