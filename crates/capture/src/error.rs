use std::fmt;

use crate::format::Format;

/// Why nothing could be read of a file.
///
/// Where *something* could be read there is no error: the recording says what is missing
/// ([`Gap`](crate::reader::Gap)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be opened or read.
    #[error("{file}: {reason}")]
    Io {
        /// The file.
        file: String,
        /// The system's words.
        reason: String,
    },
    /// The file has no content.
    #[error("{file}: the file is empty; was the download interrupted?")]
    Empty {
        /// The file.
        file: String,
    },
    /// The content is something else.
    #[error("{file}: this is {what}, not a captured call; {ACCEPTED}")]
    NotACapture {
        /// The file.
        file: String,
        /// What it looks like: `a PNG picture`.
        what: String,
    },
    /// The content looks like a capture, but is damaged before anything of use.
    #[error("{file}:{position}: this looks like {format}, but {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// What it looks like.
        format: Format,
        /// Where reading stopped.
        position: Position,
        /// What was found.
        reason: String,
    },
}

/// What readers accept, as a half sentence for error messages.
pub(crate) const ACCEPTED: &str = "accepted are webrtc-internals dumps, rtcstats dumps, HAR files, relay logs \
     (JSON Lines), page event logs, timelines, session descriptions, Firefox' about:webrtc \
     and what getStats gives, each plain or \
     gzip-compressed";

/// A place in a file, after decompression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Lines, from 1; 0 where lines mean nothing.
    pub line: u64,
    /// Bytes from the beginning.
    pub offset: u64,
}

/// `3: byte 120`, as it follows `file:`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "byte {}", self.offset),
            line => write!(f, "{line}: byte {}", self.offset),
        }
    }
}
