//! Packets, decoded layer by layer, as far as they are in clear. Total: every byte string has an answer.

mod bytes;
mod dtls;
mod rtp;
mod stun;

use serde::{Serialize, Serializer, ser::SerializeTuple as _};

use self::bytes::Bytes;

/// A layer of a packet, or a part of one: its name, and its fields in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    name: String,
    fields: Vec<Field>,
}

/// A field of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    /// Name and value.
    Value(&'static str, String),
    /// A layer within this one.
    Inner(Layer),
}

impl Layer {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), fields: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.push(Field::Value(name, value.to_string()));
        self
    }

    fn within(mut self, inner: Self) -> Self {
        self.fields.push(Field::Inner(inner));
        self
    }
}

/// The layers of a UDP payload, told apart by its first byte (RFC 7983 §7): the outermost first.
pub(crate) fn decode(payload: &[u8]) -> Vec<Layer> {
    match payload.first() {
        Some(0..=3) => stun::message(payload).into_iter().collect(),
        Some(20..=63) => dtls::records(payload),
        Some(64..=79) => channel_data(payload),
        Some(128..=191) => rtp::header(payload).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// TURN ChannelData (RFC 8656 §12.4), and what is in it.
fn channel_data(payload: &[u8]) -> Vec<Layer> {
    let mut bytes = Bytes(payload);
    let (Some(channel), Some(length)) = (bytes.u16(), bytes.u16()) else { return Vec::new() };
    let layer = Layer::new("TURN ChannelData (RFC 8656)")
        .with("channel", format!("0x{channel:04x}"))
        .with("length", format!("{length} B"));
    let inner = bytes.take(usize::from(length).min(bytes.0.len())).unwrap_or_default();
    // What is in a channel is no channel again.
    let inner = if matches!(inner.first(), Some(64..=79)) { Vec::new() } else { decode(inner) };
    std::iter::once(layer).chain(inner).collect()
}

/// As name and fields, a field as name and value: `["STUN …", [["length", "8 B"]]]`.
impl Serialize for Layer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.name)?;
        pair.serialize_element(&self.fields)?;
        pair.end()
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(name, value) => (name, value).serialize(serializer),
            Self::Inner(layer) => layer.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests;
