//! ChannelData messages (RFC 8656 §12.4).

use rtc_turn::proto::chandata::ChannelData;

use crate::transport::Transport;

/// Bytes of a ChannelData header: channel number and length.
pub(crate) const HEADER_BYTES: usize = 4;

/// Channel numbers that a client may bind (RFC 8656 §12); `rtc-turn` still knows RFC 5766's range.
pub(crate) const NUMBERS: std::ops::RangeInclusive<u16> = 0x4000..=0x4fff;

/// Is this a ChannelData message, by its first byte (RFC 8656 §12, table 3)?
pub(crate) fn is_channel_data(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| (64..=79).contains(first))
}

/// Channel number and application data; padding is dropped. `None` if the datagram is too short for
/// the length that it claims (RFC 8656 §12.6).
pub(crate) fn decode(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut message = ChannelData { raw: bytes.to_vec(), ..ChannelData::default() };
    message.decode().ok()?;
    Some((message.number.0, message.data))
}

/// The message for `data`; padded to four bytes over TCP, bare over UDP (RFC 8656 §12.5).
pub(crate) fn encode(number: u16, data: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let length = u16::try_from(data.len()).ok()?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + data.len() + 3);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(data);
    if transport == Transport::Tcp {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    Some(bytes)
}
