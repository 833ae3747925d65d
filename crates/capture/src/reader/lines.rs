//! Formats of one record per line.

use std::io::{self, BufRead};

use serde_json::Value;

use super::{
    Recording,
    input::{Budget, Input},
};
use crate::{error::Position, limits::Limits};

/// Reads records until the file or the budget ends. `record` says what of a line is wrong; such a line is
/// left out with a gap.
pub(super) fn for_each_line(
    recording: &mut Recording,
    input: &mut Input<'_>,
    limits: &Limits,
    mut record: impl FnMut(&mut Recording, &str, &mut Budget) -> Result<(), String>,
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
        let outcome = match &line {
            Line::TooLong => Err(format!("the line is longer than {} bytes", limits.text_bytes)),
            Line::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if text.trim().is_empty() => Ok(()),
                Ok(text) => record(recording, text, &mut budget),
                Err(error) => Err(format!("it is not UTF-8 after {} bytes", error.valid_up_to())),
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
        if let Err(reason) = outcome {
            let reason = match whole {
                true => format!("the line was left out: {reason}"),
                false => format!("the file ends in the middle of a line: {reason}"),
            };
            recording.gap(lines.position, reason);
        }
    }
}

/// The line as JSON.
pub(super) fn json(line: &str) -> Result<Value, String> {
    serde_json::from_str(line).map_err(|error| format!("it is not JSON: {error}"))
}

struct Lines<R> {
    inner: R,
    limit: usize,
    /// The line that was read last, and where it begins.
    position: Position,
    next_offset: u64,
}

enum Line {
    Text(Vec<u8>),
    TooLong,
}

impl<R: BufRead> Lines<R> {
    fn new(inner: R, limits: &Limits) -> Self {
        Self { inner, limit: limits.text_bytes, position: Position::default(), next_offset: 0 }
    }

    /// The next line, and whether it is whole: only the last one may lack its newline.
    fn next(&mut self) -> io::Result<Option<(Line, bool)>> {
        self.position = Position { line: self.position.line + 1, offset: self.next_offset };
        let (mut text, mut too_long) = (Vec::new(), false);
        loop {
            let buffer = match self.inner.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            too_long |= text.len() + part.len() > self.limit;
            if !too_long {
                text.extend_from_slice(part);
            }
            let used = part.len() + usize::from(newline.is_some());
            self.inner.consume(used);
            self.next_offset += used as u64;
            if newline.is_some() || used == 0 {
                let nothing = newline.is_none() && self.next_offset == self.position.offset;
                let line = if too_long { Line::TooLong } else { Line::Text(text) };
                return Ok((!nothing).then_some((line, newline.is_some())));
            }
        }
    }
}
