//! Bytes on their way to a reader: unpacked, counted, and with texts of bounded length.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use crate::{
    error::{Position, ReadError},
    limits::Limits,
};

/// How much of a file is looked at to tell what it is, in bytes.
const HEAD_BYTES: usize = 64 << 10;

/// The mark at the end of a text that was cut.
const CUT: char = '…';

/// Whether `text` was cut by [`JsonBytes`]. A text that merely ends with an ellipsis is shorter: JSON writes
/// one byte as six at most.
pub(crate) fn truncated_text(text: &str, limits: &Limits) -> bool {
    text.len() >= limits.text_bytes / 6 && text.ends_with(CUT)
}

/// An opened file: unpacked where it was packed, with its beginning at hand.
pub(super) struct Input<'r> {
    head: Vec<u8>,
    rest: Box<dyn Read + 'r>,
    gzip: bool,
    broken: bool,
}

impl<'r> Input<'r> {
    pub(super) fn open(name: &str, bytes: impl Read + 'r, limits: &Limits) -> Result<Self, ReadError> {
        let fail = |error: io::Error| ReadError::Io { file: name.to_owned(), reason: error.to_string() };
        let mut bytes = BufReader::with_capacity(HEAD_BYTES, bytes);
        let gzip = bytes.fill_buf().map_err(fail)?.starts_with(&[0x1f, 0x8b]);
        let mut rest: Box<dyn Read + 'r> = match gzip {
            true => Box::new(MultiGzDecoder::new(bytes).take(limits.input_bytes)),
            false => Box::new(bytes.take(limits.input_bytes)),
        };
        let (mut head, mut broken) = (Vec::new(), false);
        match rest.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head) {
            Ok(_) => {}
            // What was unpacked before the damage may be enough; the reader meets the error again.
            Err(_) if gzip => {
                broken = true;
                rest = Box::new(Broken);
            }
            Err(error) => return Err(fail(error)),
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        Ok(Self { head, rest, gzip, broken })
    }

    /// The beginning of the unpacked content.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// What the content is, where its beginning shows nothing else.
    pub(super) fn damage(&self) -> Option<&'static str> {
        self.broken.then_some("a gzip file that cannot be unpacked (damaged or cut off at its beginning)")
    }

    /// The whole content, once.
    pub(super) fn take(&mut self) -> impl BufRead + use<'r> {
        let rest = std::mem::replace(&mut self.rest, Box::new(io::empty()));
        BufReader::with_capacity(HEAD_BYTES, Cursor::new(std::mem::take(&mut self.head)).chain(rest))
    }

    /// What an error of reading means.
    pub(super) fn explain(&self, error: &io::Error) -> String {
        match self.gzip {
            true => format!("the compressed data is damaged or cut off ({error})"),
            false => error.to_string(),
        }
    }
}

/// A stream that was damaged already in its first bytes.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::InvalidData, "damaged near its beginning"))
    }
}

/// JSON text on its way to a parser. Strings that are longer than the limit are cut, so that a parser that
/// keeps one string at a time needs bounded memory whatever the file.
pub(super) struct JsonBytes<R> {
    inner: R,
    limit: usize,
    state: State,
    /// What passed and was not handed out yet, from `next` on.
    passed: Vec<u8>,
    next: usize,
    /// How many bytes and newlines of the file have been looked at.
    bytes: u64,
    newlines: u64,
    error: Option<String>,
}

#[derive(Clone, Copy)]
enum State {
    Outside,
    /// Within a string of which this many bytes have passed; `escape` more bytes belong to an escape.
    Text {
        len: usize,
        escape: u8,
    },
    /// Within the part of a string that is dropped.
    Dropping {
        escaped: bool,
    },
}

/// The longest stretch that passes at once, in bytes.
const STRETCH: usize = 8 << 10;

impl<R: BufRead> JsonBytes<R> {
    pub(super) fn new(inner: R, limits: &Limits) -> Self {
        Self {
            inner,
            limit: limits.text_bytes,
            state: State::Outside,
            passed: Vec::new(),
            next: 0,
            bytes: 0,
            newlines: 0,
            error: None,
        }
    }

    /// How far the parser has come: exact, unless a string was cut within the last few kilobytes.
    pub(super) fn position(&self) -> Position {
        let ahead = &self.passed[self.next..];
        let lines = self.newlines - newlines(ahead).min(self.newlines);
        Position { line: lines + 1, offset: self.bytes.saturating_sub(ahead.len() as u64) }
    }

    /// Why reading failed, if it did.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Lets the next stretch pass; nothing has, where the file has ended.
    fn refill(&mut self) -> io::Result<()> {
        self.passed.clear();
        self.next = 0;
        while self.passed.is_empty() {
            let stretch = match self.inner.fill_buf() {
                Ok(stretch) => &stretch[..stretch.len().min(STRETCH)],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.error = Some(error.to_string());
                    return Err(error);
                }
            };
            if stretch.is_empty() {
                break;
            }
            let used = stretch.len();
            self.bytes += used as u64;
            self.newlines += newlines(stretch);
            let mut rest = stretch;
            let mut too_long = false;
            while !rest.is_empty() && !too_long {
                let taken;
                (self.state, taken) = pass(self.state, rest, self.limit, &mut self.passed);
                rest = &rest[taken..];
                too_long =
                    matches!(self.state, State::Text { len, .. } if len >= self.limit.saturating_mul(8));
            }
            self.inner.consume(used);
            if too_long {
                let reason = "a text of escapes alone is longer than any that is accepted";
                self.error = Some(reason.to_owned());
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
        }
        Ok(())
    }
}

/// Lets the longest beginning of `bytes` (at least one) pass that can be treated alike: the new state, and how
/// many bytes it has.
fn pass(state: State, bytes: &[u8], limit: usize, passed: &mut Vec<u8>) -> (State, usize) {
    let until = |stop: fn(u8) -> bool| bytes.iter().position(|byte| stop(*byte)).unwrap_or(bytes.len());
    let mut take = |count: usize| {
        passed.extend_from_slice(&bytes[..count]);
        count
    };
    match state {
        State::Outside => match until(|byte| byte == b'"') {
            0 => (State::Text { len: 0, escape: 0 }, take(1)),
            plain => (State::Outside, take(plain)),
        },
        State::Text { len, escape: 0 } => match bytes[0] {
            b'"' => (State::Outside, take(1)),
            b'\\' => (State::Text { len: len + 1, escape: 1 }, take(1)),
            // Cut only where neither an escape nor a character of several bytes is split.
            0x20..0x80 if len >= limit => {
                passed.extend_from_slice("…".as_bytes());
                (State::Dropping { escaped: false }, 1)
            }
            _ => {
                let plain = until(|byte| byte == b'"' || byte == b'\\').min(limit.saturating_sub(len).max(1));
                (State::Text { len: len + plain, escape: 0 }, take(plain))
            }
        },
        State::Text { len, escape } => {
            let escape = if escape == 1 && bytes[0] == b'u' { 5 } else { escape };
            (State::Text { len: len + 1, escape: escape - 1 }, take(1))
        }
        State::Dropping { escaped: true } => (State::Dropping { escaped: false }, 1),
        State::Dropping { escaped: false } => match (until(|byte| byte == b'"' || byte == b'\\'), bytes[0]) {
            (0, b'"') => (State::Outside, take(1)),
            (0, _) => (State::Dropping { escaped: true }, 1),
            (plain, _) => (State::Dropping { escaped: false }, plain),
        },
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

impl<R: BufRead> Read for JsonBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.next == self.passed.len() {
            self.refill()?;
        }
        let ready = &self.passed[self.next..];
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.next += count;
        Ok(count)
    }
}

/// What may still be kept of a file.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    full: bool,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { left: limits.memory_bytes, full: false }
    }

    /// Asks for `bytes`, and the fixed cost of an entry. False where they are not to be had; from then on
    /// nothing is.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        const ENTRY: usize = 256;
        match self.left.checked_sub(bytes.saturating_add(ENTRY)) {
            Some(left) if !self.full => self.left = left,
            _ => self.full = true,
        }
        !self.full
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str, limit: usize) -> String {
        let limits = Limits { text_bytes: limit, ..Limits::default() };
        let mut out = String::new();
        JsonBytes::new(text.as_bytes(), &limits).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn long_texts_are_cut_and_everything_else_passes() {
        assert_eq!(through(r#"{"a":"12345","b":[1,"x"]}"#, 5), r#"{"a":"12345","b":[1,"x"]}"#);
        assert_eq!(through(r#"{"a":"123456","b":2}"#, 5), r#"{"a":"12345…","b":2}"#);
        assert_eq!(through(r#""1234\"67\\""#, 4), r#""1234\"…""#);
    }

    #[test]
    fn neither_escapes_nor_characters_are_split() {
        assert_eq!(through(r#""1234\u00e9\ud83d\ude00xyz""#, 5), r#""1234\u00e9\ud83d\ude00…""#);
        assert_eq!(through(r#""1234éééx\"y""#, 5), r#""1234ééé…""#);
    }

    #[test]
    fn an_endless_text_of_escapes_is_refused() {
        let limits = Limits { text_bytes: 4, ..Limits::default() };
        let text = format!("\"{}", r"\n".repeat(40));
        assert!(JsonBytes::new(text.as_bytes(), &limits).read_to_string(&mut String::new()).is_err());
    }

    #[test]
    fn a_budget_that_is_used_up_stays_so() {
        let mut budget = Budget::new(&Limits { memory_bytes: 1000, ..Limits::default() });
        assert!(budget.take(700));
        assert!(!budget.take(1));
        assert!(!budget.take(0) && budget.is_full());
    }
}
