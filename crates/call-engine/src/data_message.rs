//! Messages on data channels.

use serde::{Deserialize, Serialize};

/// A message on a data channel: the two differ on the wire (RFC 8831 §6.6), and a browser gives the
/// one as a string and the other as bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataMessage {
    /// Text. Where what arrived is no UTF-8, with replacement characters.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl DataMessage {
    /// Its bytes, UTF-8 for text.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// As it arrived.
    pub(crate) fn received(is_text: bool, data: &[u8]) -> Self {
        if is_text {
            Self::Text(String::from_utf8_lossy(data).into_owned())
        } else {
            Self::Binary(data.to_vec())
        }
    }
}

impl From<Vec<u8>> for DataMessage {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl From<String> for DataMessage {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for DataMessage {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_told_apart_and_bad_text_is_text() {
        assert_eq!(DataMessage::received(true, b"hi"), "hi".into());
        assert_eq!(DataMessage::received(false, b"hi"), b"hi".to_vec().into());
        assert_eq!(DataMessage::received(true, &[0xff]), "\u{fffd}".into());
    }
}
