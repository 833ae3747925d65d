//! A copy of a captured file that can be handed on: without addresses, credentials, fingerprints and names,
//! and still a capture that reads as the original does.
//!
//! It is a list of what may stay, not of what must go. A word stays where it is one of the specifications' and browsers' own
//! (`vocabulary`), a line of SDP where it says how a call is set up (`sdp`), a number of more than three digits where its key
//! says that it is a time or a figure (`keys`), a browser with its major version alone. All else is replaced, the same by
//! the same, through all files that one [`Redactor`] sees: a caller's dump and a callee's dump still find together. An
//! address stays an address of its kind (private, public, IPv6, mDNS), a user fragment keeps its length, ports and times
//! stay.
//!
//! HAR files lose everything but their WebSocket messages, and the bodies of requests to servers that are signalled with:
//! those that are JSON, SIP or session descriptions. Of any other it is left that a description was in it. Dumps of rtcstats
//! servers lose what belongs to no connection; timelines lose their packets. What is no JSON where JSON is expected is left
//! out, never passed on unread. Redacting takes time in proportion to the file.

mod address;
mod bodies;
mod browser;
mod document;
mod har;
mod keys;
mod own_line;
mod page;
mod pseudonyms;
mod rtcstats;
mod sdp;
mod text;
mod vocabulary;

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::{
    error::ReadError,
    limits::Limits,
    mapping::{LineMapping, Mapping},
    reader::{self, Format},
};
use pseudonyms::Pseudonyms;

/// Takes out of captured files what is nobody else's business.
#[derive(Debug, Default)]
pub struct Redactor {
    pseudonyms: Pseudonyms,
    /// How the application writes the lines of its server's log.
    line: Option<LineMapping>,
}

/// Why a file could not be redacted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is longer than may be held in memory: a redacted copy is made of the whole.
    #[error("{file}: more than {limit} bytes; a file is redacted as a whole, raise the limit to do so")]
    TooLarge {
        /// The file.
        file: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// It is one JSON document, and that is damaged: what cannot be read cannot be redacted.
    #[error("{file}: the document is damaged and cannot be redacted ({reason})")]
    Damaged {
        /// The file.
        file: String,
        /// The JSON reader's words.
        reason: String,
    },
}

impl Redactor {
    /// A redactor that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for the messages and logs of an application that needs `mapping` to be understood: its words for places and
    /// types stay.
    pub fn keep_words_of(&mut self, mapping: &Mapping) {
        self.line = self.line.take().or_else(|| mapping.line.clone());
        self.pseudonyms
            .own
            .extend(mapping.own_words().flat_map(|text| vocabulary::words(text)).map(str::to_owned));
    }

    /// The redacted copy of `bytes`, in the same format, never compressed. `file` stands for it in messages.
    ///
    /// # Errors
    /// [`RedactError`] where it is no capture, too large, or damaged as a whole. Damaged lines of a line-based
    /// format are left out.
    pub fn redact(&mut self, file: &str, bytes: impl Read, limits: &Limits) -> Result<Vec<u8>, RedactError> {
        let (format, content) = reader::unpacked(file, bytes, self.line.as_ref(), limits)?;
        if content.len() >= limits.memory_bytes {
            return Err(RedactError::TooLarge { file: file.to_owned(), limit: limits.memory_bytes });
        }
        let text = String::from_utf8_lossy(&content);
        match format {
            // A line each, or one document.
            Format::GetStats if serde_json::from_str::<Value>(&text).is_err() => {
                Ok(self.lines(&text, |_| true))
            }
            Format::WebrtcInternals | Format::Har | Format::Timeline | Format::GetStats => {
                let mut document: Value = serde_json::from_str(&text).map_err(|error| {
                    RedactError::Damaged { file: file.to_owned(), reason: error.to_string() }
                })?;
                match format {
                    Format::Har => document = har::stripped(&document),
                    Format::Timeline if document["packets"].is_array() => document["packets"] = json!([]),
                    _ => {}
                }
                self.pseudonyms.learn(&document);
                let redacted = match format {
                    Format::Har => har::redacted(&mut self.pseudonyms, document),
                    _ => document::redacted(&mut self.pseudonyms, document),
                };
                Ok(serde_json::to_vec_pretty(&redacted).unwrap_or_default())
            }
            Format::Rtcstats => Ok(self.lines(&text, rtcstats::is_of_the_call)),
            Format::RelayLog | Format::PageEvents => Ok(self.lines(&text, |_| true)),
            Format::AboutWebrtc => Ok(page::redacted(&mut self.pseudonyms, &text).into_bytes()),
            // What is not JSON is one text, of which each description is redacted where it stands.
            Format::Descriptions => {
                let document =
                    serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
                self.pseudonyms.learn(&document);
                Ok(match document::redacted(&mut self.pseudonyms, document) {
                    Value::String(text) => text.into_bytes(),
                    value => serde_json::to_vec_pretty(&value).unwrap_or_default(),
                })
            }
        }
    }

    /// The lines that `keep` wants; those that are no JSON go.
    fn lines(&mut self, text: &str, keep: impl Fn(&Value) -> bool) -> Vec<u8> {
        let parse = |line: &str| serde_json::from_str(line).ok().filter(&keep);
        let parsed: Vec<Option<Value>> = text.lines().map(parse).collect();
        for value in parsed.iter().flatten() {
            if let Some(own) = self.line.as_ref().filter(|own| own.fits(value)) {
                own_line::learn(&mut self.pseudonyms, own, value);
            }
            self.pseudonyms.learn(value);
        }
        let mut out = Vec::new();
        for (line, value) in text.lines().zip(parsed) {
            let line = match value {
                Some(value) => match self.line.as_ref().filter(|own| own.fits(&value)) {
                    Some(own) => own_line::redacted(&mut self.pseudonyms, own, value).to_string(),
                    None => document::redacted(&mut self.pseudonyms, value).to_string(),
                },
                None if line == "RTCStatsDump" => line.to_owned(),
                None => continue,
            };
            // Writing to memory does not fail.
            let _ = writeln!(out, "{line}");
        }
        out
    }
}
