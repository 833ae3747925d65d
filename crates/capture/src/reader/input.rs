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
    position: Position,
    state: State,
    /// Bytes of the mark that are still to be handed out.
    mark: &'static [u8],
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

impl<R: BufRead> JsonBytes<R> {
    pub(super) fn new(inner: R, limits: &Limits) -> Self {
        let position = Position { line: 1, offset: 0 };
        Self { inner, limit: limits.text_bytes, position, state: State::Outside, mark: &[], error: None }
    }

    /// How far the parser has come.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Why reading failed, if it did.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    fn raw(&mut self) -> io::Result<Option<u8>> {
        let byte = loop {
            match self.inner.fill_buf() {
                Ok(buffer) => break buffer.first().copied(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error.to_string());
                    return Err(error);
                }
            }
        };
        if byte.is_some() {
            self.inner.consume(1);
            self.position.offset += 1;
            self.position.line += u64::from(byte == Some(b'\n'));
        }
        Ok(byte)
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        if let Some((&first, rest)) = self.mark.split_first() {
            self.mark = rest;
            return Ok(Some(first));
        }
        while let Some(byte) = self.raw()? {
            match self.state {
                State::Outside if byte == b'"' => self.state = State::Text { len: 0, escape: 0 },
                State::Outside => {}
                State::Text { len, .. } if len >= self.limit.saturating_mul(8) => {
                    let reason = "a text of escapes alone is longer than any that is accepted";
                    self.error = Some(reason.to_owned());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
                }
                State::Text { len, escape: 0 } => match byte {
                    b'"' => self.state = State::Outside,
                    b'\\' => self.state = State::Text { len: len + 1, escape: 1 },
                    // Cut only where neither an escape nor a character of several bytes is split.
                    0x20..0x80 if len >= self.limit => {
                        self.state = State::Dropping { escaped: false };
                        self.mark = "…".as_bytes();
                        return self.next();
                    }
                    _ => self.state = State::Text { len: len + 1, escape: 0 },
                },
                State::Text { len, escape } => {
                    let escape = if escape == 1 && byte == b'u' { 5 } else { escape };
                    self.state = State::Text { len: len + 1, escape: escape - 1 };
                }
                State::Dropping { escaped: true } => {
                    self.state = State::Dropping { escaped: false };
                    continue;
                }
                State::Dropping { .. } => match byte {
                    b'"' => self.state = State::Outside,
                    _ => {
                        self.state = State::Dropping { escaped: byte == b'\\' };
                        continue;
                    }
                },
            }
            return Ok(Some(byte));
        }
        Ok(None)
    }
}

impl<R: BufRead> Read for JsonBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.next() {
                Ok(Some(byte)) => buffer[filled] = byte,
                Ok(None) => break,
                Err(_) if filled > 0 => break,
                Err(error) => return Err(error),
            }
            filled += 1;
        }
        Ok(filled)
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
