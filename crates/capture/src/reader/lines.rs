//! Formats of one record per line.

use std::io::{self, BufRead};

use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    Recording,
    input::{Budget, Input},
};
use crate::{error::Position, limits::Limits};

/// What is wrong with a line.
#[derive(Debug, Error)]
pub(super) enum LineError {
    #[error("the line is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("it is not UTF-8 after {valid} bytes")]
    NotUtf8 { valid: usize },
    #[error("it is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("it is not {expected}")]
    WrongType { expected: &'static str },
    #[error("it has no {what}")]
    Missing { what: &'static str },
    #[error("its time makes no sense")]
    BadTime,
    #[error("it does not begin with a type")]
    NoType,
    #[error("it does not end with a time")]
    NoTime,
    #[error("the direction `{word}` is not known; accepted are `in`, `out`, `drop` and `close`")]
    UnknownDirection { word: String },
}

/// Reads records until the file or the budget ends. `record` says what of a line is wrong; such a line is
/// left out with a gap.
pub(super) fn for_each_line(
    recording: &mut Recording,
    input: &mut Input<'_>,
    limits: &Limits,
    mut record: impl FnMut(&mut Recording, &str, &mut Budget) -> Result<(), LineError>,
) {
    let mut lines = Lines::new(input.take(), limits);
    let mut budget = Budget::new(limits);
    loop {
        let (line, whole) = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => {
                let reason = input.explain(&error);
                recording.gap(lines.position, format!("{reason}; what came before was read"));
                break;
            }
        };
        let outcome = match line {
            Line::TooLong => Err(LineError::TooLong { limit: limits.text_bytes }),
            Line::Text => match std::str::from_utf8(&lines.text) {
                Ok(text) if text.trim().is_empty() => Ok(()),
                Ok(text) => record(recording, text, &mut budget),
                Err(error) => Err(LineError::NotUtf8 { valid: error.valid_up_to() }),
            },
        };
        if budget.is_full() {
            let limit = limits.memory_bytes;
            recording.gap(
                lines.position,
                format!("the limit of {limit} bytes of memory is used up; the rest was not read"),
            );
            break;
        }
        if let Err(error) = outcome {
            let reason = match whole {
                true => format!("the line was left out: {error}"),
                false => format!("the file ends in the middle of a line: {error}"),
            };
            recording.gap(lines.position, reason);
        }
    }
}

/// The line as a JSON object.
pub(super) fn object(line: &str) -> Result<Map<String, Value>, LineError> {
    match serde_json::from_str(line)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(LineError::WrongType { expected: "an object" }),
    }
}

/// The line as a JSON array.
pub(super) fn array(line: &str) -> Result<Vec<Value>, LineError> {
    match serde_json::from_str(line)? {
        Value::Array(fields) => Ok(fields),
        _ => Err(LineError::WrongType { expected: "an array" }),
    }
}

struct Lines<R> {
    inner: R,
    limit: usize,
    /// The line that was read last, and where it begins.
    position: Position,
    next_offset: u64,
    /// Its bytes.
    text: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Line {
    Text,
    TooLong,
}

impl<R: BufRead> Lines<R> {
    fn new(inner: R, limits: &Limits) -> Self {
        Self {
            inner,
            limit: limits.text_bytes,
            position: Position::default(),
            next_offset: 0,
            text: Vec::new(),
        }
    }

    /// The next line, and whether it is whole: only the last one may lack its newline.
    fn next(&mut self) -> io::Result<Option<(Line, bool)>> {
        self.position = Position { line: self.position.line + 1, offset: self.next_offset };
        self.text.clear();
        let mut too_long = false;
        loop {
            let buffer = match self.inner.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            too_long |= self.text.len() + part.len() > self.limit;
            if !too_long {
                self.text.extend_from_slice(part);
            }
            let used = part.len() + usize::from(newline.is_some());
            self.inner.consume(used);
            self.next_offset += used as u64;
            if newline.is_some() || used == 0 {
                let nothing = newline.is_none() && self.next_offset == self.position.offset;
                let line = if too_long { Line::TooLong } else { Line::Text };
                return Ok((!nothing).then_some((line, newline.is_some())));
            }
        }
    }
}
