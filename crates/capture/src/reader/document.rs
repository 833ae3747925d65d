//! Formats that are one JSON document.

use serde::de::DeserializeSeed;

use super::{
    Recording,
    input::{Input, JsonBytes},
    lenient::{Fields, Object},
};
use crate::limits::Limits;

/// Streams over the document, which is an object. `visitor` keeps what it wants; whatever ends the document
/// early is left as a gap by `keep`, which gets what was kept back.
pub(super) fn stream<F: Fields>(
    visitor: &mut F,
    recording: &mut Recording,
    input: &mut Input<'_>,
    limits: &Limits,
    is_full: impl Fn(&F) -> bool,
) {
    let mut bytes = JsonBytes::new(input.take(), limits);
    let mut deserializer = serde_json::Deserializer::from_reader(&mut bytes);
    let outcome = Object(visitor).deserialize(&mut deserializer);
    drop(deserializer);
    let Err(error) = outcome else { return };
    let reason = if is_full(visitor) {
        let limit = limits.memory_bytes;
        format!("the limit of {limit} bytes of memory is used up; the rest was not read")
    } else if let Some(reason) = bytes.error() {
        format!("{}; what came before was read", input.explain(&std::io::Error::other(reason.to_owned())))
    } else if error.is_eof() {
        "the file ends in the middle; what came before was read".to_owned()
    } else {
        format!("the JSON is damaged ({error}); what came before was read")
    };
    recording.gap(bytes.position(), reason);
}
