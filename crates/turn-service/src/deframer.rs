//! Cutting a TCP stream into STUN and ChannelData messages (RFC 8489 §6.2.2, RFC 8656 §12.5).

use thiserror::Error;

use crate::channel;

const STUN_HEADER_BYTES: usize = 20;

/// Collects the bytes of one TCP connection, gives whole messages back. Holds at most one message
/// (64 KiB) beyond what was pushed and not yet asked for.
#[derive(Debug, Default)]
pub struct StreamDeframer {
    buffer: Vec<u8>,
}

impl StreamDeframer {
    /// For a connection that has just opened.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends what the connection delivered, in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, ChannelData without its padding; `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the stream holds neither STUN nor ChannelData. There is no way to find the next
    /// message then: close the connection.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let Some(frame) = Frame::at_start(&self.buffer)? else { return Ok(None) };
        if self.buffer.len() < frame.padded {
            return Ok(None);
        }
        let mut message: Vec<u8> = self.buffer.drain(..frame.padded).collect();
        message.truncate(frame.bytes);
        Ok(Some(message))
    }

    /// How many bytes wait for the rest of their message.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }
}

/// Why a stream cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Neither a STUN message (first byte 0–3) nor ChannelData (64–79; RFC 8656 §12, table 3).
    #[error("the stream holds neither STUN nor ChannelData: first byte {first:#04x}")]
    NotTurn {
        /// The first byte of what should be a message.
        first: u8,
    },
    /// A STUN length that is no multiple of four (RFC 8489 §5).
    #[error("a STUN message claims {length} bytes, which is no multiple of four")]
    StunLength {
        /// The length field.
        length: u16,
    },
}

/// How many bytes the message at the start of a stream takes.
struct Frame {
    bytes: usize,
    padded: usize,
}

impl Frame {
    fn at_start(buffer: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some(&first) = buffer.first() else { return Ok(None) };
        let is_channel = channel::is_channel_data(buffer);
        if !is_channel && first > 3 {
            return Err(FrameError::NotTurn { first });
        }
        let Some(&[high, low]) = buffer.get(2..4) else { return Ok(None) };
        let length = u16::from_be_bytes([high, low]);
        if is_channel {
            let bytes = channel::HEADER_BYTES + usize::from(length);
            return Ok(Some(Self { bytes, padded: bytes.next_multiple_of(4) }));
        }
        if !length.is_multiple_of(4) {
            return Err(FrameError::StunLength { length });
        }
        let bytes = STUN_HEADER_BYTES + usize::from(length);
        Ok(Some(Self { bytes, padded: bytes }))
    }
}
