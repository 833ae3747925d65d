//! Readers: bytes of a captured file → what it shows, on its own clock.
//!
//! The format is told by the content, never by the name; gzip is unpacked on the way. A file is read as a
//! stream: memory is bounded by [`Limits`], not by its size. Where a file ends too early, is damaged in the
//! middle or holds more than may be kept, what came before is returned, with a [`Gap`] that says what is
//! missing; an error is returned only where there is nothing at all.
//!
//! Every reader takes any bytes: it never panics and never hangs.

mod about_webrtc;
mod descriptions;
mod detect;
mod document;
mod get_stats;
mod har;
mod input;
mod lenient;
mod lines;
mod page_events;
mod peer_log;
mod recording;
mod relay_log;
mod rtcstats;
mod stats;
mod timeline_file;
mod times;
mod webrtc_internals;

use std::{fs::File, io::Read, path::Path};

pub use crate::{format::Format, trace::Gap};
pub use recording::{
    ConnectionLog, Frame, FrameDirection, MediaRequest, Recording, RelayDirection, RelayLine, SocketLog,
    TimedSample,
};

pub(crate) use har::{holds_a_description, server};
use timeline::escaped;

/// Whether `text` names a moment, in a form that is read.
pub(crate) fn is_moment(text: &str) -> bool {
    times::moment(text).is_some()
}

use crate::{
    error::ReadError,
    limits::Limits,
    mapping::{LineMapping, Mappings},
};
use detect::{Content, detect};
use input::Input;

/// Reads the file at `path`; see [`read`].
///
/// # Errors
/// As for [`read`], and where it cannot be opened.
pub fn read_file(path: &Path, mappings: &Mappings, limits: &Limits) -> Result<Recording, ReadError> {
    let name = escaped(&path.display().to_string()).into_owned();
    let file =
        File::open(path).map_err(|error| ReadError::Io { file: name.clone(), reason: error.to_string() })?;
    read(&name, file, mappings, limits)
}

/// Reads `bytes`, which `name` stands for in messages. Signalling messages are understood by `mappings`.
///
/// # Errors
/// [`ReadError`] where nothing could be read; what could be read of a damaged file is no error.
pub fn read(
    name: &str,
    bytes: impl Read,
    mappings: &Mappings,
    limits: &Limits,
) -> Result<Recording, ReadError> {
    let mut input = Input::open(name, bytes, limits)?;
    let format = format_of(name, &input, mappings.line())?;
    read_as(format, name, &mut input, mappings, limits)
}

/// Whether the first line is one of a log whose lines the application's mapping describes.
fn is_own_log(line: &LineMapping, head: &[u8]) -> bool {
    let first = head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let first = first.and_then(|line| serde_json::from_slice(line).ok());
    first.is_some_and(|value: serde_json::Value| line.fits(&value))
}

/// Reads `bytes` as `format`, whatever they look like. For tests of one reader; users have [`read`].
///
/// # Errors
/// As for [`read`].
pub fn read_as_format(
    format: Format,
    name: &str,
    bytes: impl Read,
    mappings: &Mappings,
    limits: &Limits,
) -> Result<Recording, ReadError> {
    read_as(format, name, &mut Input::open(name, bytes, limits)?, mappings, limits)
}

/// The format and the unpacked content of a file, of which no more than the memory limit is returned. A log of the
/// application's own may have these lines.
pub(crate) fn unpacked(
    name: &str,
    bytes: impl Read,
    line: Option<&LineMapping>,
    limits: &Limits,
) -> Result<(Format, Vec<u8>), ReadError> {
    let mut input = Input::open(name, bytes, limits)?;
    let format = format_of(name, &input, line)?;
    let mut content = Vec::new();
    let limit = u64::try_from(limits.memory_bytes).unwrap_or(u64::MAX);
    match input.take().take(limit).read_to_end(&mut content) {
        Ok(_) => Ok((format, content)),
        Err(error) => Err(ReadError::Io { file: name.to_owned(), reason: input.explain(&error) }),
    }
}

fn format_of(name: &str, input: &Input<'_>, line: Option<&LineMapping>) -> Result<Format, ReadError> {
    if line.is_some_and(|line| is_own_log(line, input.head())) {
        return Ok(Format::RelayLog);
    }
    let file = name.to_owned();
    match (detect(input.head()), input.damage()) {
        (Content::Capture(format), _) => Ok(format),
        (_, Some(damage)) => Err(ReadError::NotACapture { file, what: damage.to_owned() }),
        (Content::Nothing, None) => Err(ReadError::Empty { file }),
        (Content::Other(what), None) => {
            Err(ReadError::NotACapture { file, what: escaped(&what).into_owned() })
        }
    }
}

fn read_as(
    format: Format,
    name: &str,
    input: &mut Input<'_>,
    mappings: &Mappings,
    limits: &Limits,
) -> Result<Recording, ReadError> {
    let recording = Recording::new(name, format);
    let recording = match format {
        Format::WebrtcInternals => webrtc_internals::read(recording, input, limits),
        Format::Rtcstats => rtcstats::read(recording, input, limits),
        Format::Har => har::read(recording, input, mappings, limits),
        Format::RelayLog => relay_log::read(recording, input, mappings, limits),
        Format::PageEvents => page_events::read(recording, input, limits),
        Format::Timeline => timeline_file::read(recording, input, limits),
        Format::Descriptions => descriptions::read(recording, input, limits),
        Format::GetStats => get_stats::read(recording, input, limits),
        Format::AboutWebrtc => about_webrtc::read(recording, input, limits),
    };
    recording.or_malformed(format)
}
