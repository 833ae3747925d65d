//! Messages as bytes: STUN on the types of `rtc-stun` and `rtc-turn`, ChannelData (RFC 8656 §12.4), and the
//! cutting of a TCP stream into both.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use rtc_stun::attributes::*;
use rtc_stun::error_code::{ErrorCode as StunCode, ErrorCodeAttribute};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_SUCCESS_RESPONSE, Getter, MESSAGE_HEADER_SIZE, Message, MessageType, Setter,
};
use rtc_stun::uattrs::UnknownAttributes;
use rtc_stun::xoraddr::XorMappedAddress;
use rtc_turn::proto::chandata::ChannelData;
use rtc_turn::proto::peeraddr::PeerAddress;
use thiserror::Error;

use crate::code::{DropReason, ErrorCode};
use crate::credentials::crypto;

/// How a client reaches the server (RFC 8656 §3.1). Peers are always reached over UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// One message per datagram.
    Udp,
    /// A stream; see [`StreamDeframer`](crate::StreamDeframer). ChannelData is padded to four bytes.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// The 5-tuple that identifies an allocation (RFC 8656 §6), as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FiveTuple {
    /// Transport protocol between client and server.
    pub transport: Transport,
    /// The client's server-reflexive transport address.
    pub client: SocketAddr,
    /// The server's transport address.
    pub server: SocketAddr,
}

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
        let is_channel = is_channel_data(buffer);
        if !is_channel && first > 3 {
            return Err(FrameError::NotTurn { first });
        }
        let Some(&[high, low]) = buffer.get(2..4) else { return Ok(None) };
        let length = u16::from_be_bytes([high, low]);
        if is_channel {
            let bytes = CHANNEL_HEADER_BYTES + usize::from(length);
            return Ok(Some(Self { bytes, padded: bytes.next_multiple_of(4) }));
        }
        if !length.is_multiple_of(4) {
            return Err(FrameError::StunLength { length });
        }
        let bytes = MESSAGE_HEADER_SIZE + usize::from(length);
        Ok(Some(Self { bytes, padded: bytes }))
    }
}

/// Bytes of a ChannelData header: channel number and length.
pub(crate) const CHANNEL_HEADER_BYTES: usize = 4;

/// Channel numbers that a client may bind (RFC 8656 §12); `rtc-turn` still knows RFC 5766's range.
pub(crate) const CHANNEL_NUMBERS: RangeInclusive<u16> = 0x4000..=0x4fff;

/// Is this a ChannelData message, by its first byte (RFC 8656 §12, table 3)?
pub(crate) fn is_channel_data(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| (64..=79).contains(first))
}

/// Channel number and application data of a ChannelData message; padding is dropped. `None` if the datagram
/// is too short for the length that it claims (RFC 8656 §12.6).
pub(crate) fn decode_channel_data(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut message = ChannelData { raw: bytes.to_vec(), ..ChannelData::default() };
    message.decode().ok()?;
    Some((message.number.0, message.data))
}

/// The ChannelData message for `data`; padded to four bytes over TCP, bare over UDP (RFC 8656 §12.5).
pub(crate) fn encode_channel_data(number: u16, data: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let length = u16::try_from(data.len()).ok()?;
    let mut bytes = Vec::with_capacity(CHANNEL_HEADER_BYTES + data.len() + 3);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(data);
    if transport == Transport::Tcp {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    Some(bytes)
}

/// Attributes to put into a response or an indication.
pub(crate) type Attrs = Vec<Box<dyn Setter>>;

const INTEGRITY_BYTES: usize = 20;

/// A message that passed the basic checks of RFC 8489 §6.3.
pub(crate) struct Received {
    /// Everything, for the integrity check.
    whole: Message,
    /// Without what follows MESSAGE-INTEGRITY, which must be ignored (RFC 8489 §14.5).
    view: Message,
}

impl Received {
    /// Parses one message that fills `bytes`; header, attribute lengths and FINGERPRINT are checked.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, DropReason> {
        let claimed = bytes.get(2..4).ok_or(DropReason::Malformed)?;
        let claimed = usize::from(u16::from_be_bytes([claimed[0], claimed[1]]));
        if bytes[0] > 0x3f || !claimed.is_multiple_of(4) || bytes.len() != MESSAGE_HEADER_SIZE + claimed {
            return Err(DropReason::Malformed);
        }
        let mut whole = Message { raw: bytes.to_vec(), ..Message::default() };
        whole.decode().map_err(|_| DropReason::Malformed)?;
        check_fingerprint(&whole)?;
        let seen = whole.attributes.0.iter().position(|attribute| attribute.typ == ATTR_MESSAGE_INTEGRITY);
        let seen = seen.map_or(whole.attributes.0.len(), |integrity| integrity + 1);
        let view = Message {
            typ: whole.typ,
            transaction_id: whole.transaction_id,
            attributes: Attributes(whole.attributes.0.iter().take(seen).cloned().collect()),
            ..Message::default()
        };
        Ok(Self { whole, view })
    }

    pub(crate) fn kind(&self) -> MessageType {
        self.view.typ
    }

    pub(crate) fn transaction_id(&self) -> [u8; 12] {
        self.view.transaction_id.0
    }

    /// Method and class in the RFC's words, such as `Allocate`.
    pub(crate) fn method_name(&self) -> String {
        self.view.typ.method.to_string()
    }

    pub(crate) fn contains(&self, attribute: AttrType) -> bool {
        self.view.contains(attribute)
    }

    /// The bytes of an attribute.
    pub(crate) fn value(&self, attribute: AttrType) -> Option<&[u8]> {
        let found = self.view.attributes.0.iter().find(|candidate| candidate.typ == attribute);
        found.map(|found| found.value.as_slice())
    }

    /// The text of an attribute; `None` also if it is not UTF-8.
    pub(crate) fn text(&self, attribute: AttrType) -> Option<&str> {
        std::str::from_utf8(self.value(attribute)?).ok()
    }

    /// A typed attribute: `None` if absent, 400 if malformed.
    pub(crate) fn read<T: Getter + Default>(&self, attribute: AttrType) -> Result<Option<T>, Refusal> {
        if !self.contains(attribute) {
            return Ok(None);
        }
        let mut value = T::default();
        value.get_from(&self.view).map_err(|_| ErrorCode::BadRequest)?;
        Ok(Some(value))
    }

    /// Every `XOR-PEER-ADDRESS`; 400 if one is malformed.
    pub(crate) fn peers(&self) -> Result<Vec<SocketAddr>, Refusal> {
        let attributes = self.view.attributes.0.iter();
        attributes.filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS).map(|a| self.peer(a)).collect()
    }

    fn peer(&self, attribute: &RawAttribute) -> Result<SocketAddr, Refusal> {
        let expected_bytes = if attribute.value.get(1) == Some(&1) { 8 } else { 20 };
        if attribute.value.len() != expected_bytes {
            return Err(ErrorCode::BadRequest.into());
        }
        let transaction_id = self.view.transaction_id;
        let attributes = Attributes(vec![attribute.clone()]);
        let mut peer = PeerAddress::default();
        peer.get_from(&Message { transaction_id, attributes, ..Message::default() })
            .map_err(|_| ErrorCode::BadRequest)?;
        Ok(SocketAddr::new(peer.ip, peer.port))
    }

    /// Comprehension-required attributes that are not `understood`, each once.
    pub(crate) fn unknown(&self, understood: fn(AttrType) -> bool) -> Vec<AttrType> {
        let mut unknown = Vec::new();
        for attribute in &self.view.attributes.0 {
            if attribute.typ.required() && !understood(attribute.typ) && !unknown.contains(&attribute.typ) {
                unknown.push(attribute.typ);
            }
        }
        unknown
    }

    /// Does MESSAGE-INTEGRITY hold under `key` (RFC 8489 §14.5)?
    pub(crate) fn is_intact(&self, key: &[u8]) -> bool {
        self.value(ATTR_MESSAGE_INTEGRITY).is_some_and(|tag| tag.len() == INTEGRITY_BYTES)
            && MessageIntegrity::check(&mut self.whole.clone(), key, crypto()).is_ok()
    }

    /// A success response with `attrs`, MESSAGE-INTEGRITY under `key`, and FINGERPRINT.
    pub(crate) fn success(&self, attrs: Attrs, key: Option<&[u8]>) -> Option<Vec<u8>> {
        let kind = MessageType::new(self.view.typ.method, CLASS_SUCCESS_RESPONSE);
        build(kind, self.transaction_id(), attrs, key)
    }

    /// An error response, with `attrs` after ERROR-CODE and UNKNOWN-ATTRIBUTES.
    pub(crate) fn error(&self, refusal: &Refusal, attrs: Attrs, key: Option<&[u8]>) -> Option<Vec<u8>> {
        let kind = MessageType::new(self.view.typ.method, CLASS_ERROR_RESPONSE);
        let code = StunCode(refusal.code.number());
        let reason = refusal.code.reason().as_bytes().to_vec();
        let mut all: Attrs = vec![Box::new(ErrorCodeAttribute { code, reason })];
        if !refusal.unknown.is_empty() {
            all.push(Box::new(UnknownAttributes(refusal.unknown.clone())));
        }
        all.extend(attrs);
        build(kind, self.transaction_id(), all, key)
    }
}

/// Why a request gets an error response.
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// For 420.
    pub(crate) unknown: Vec<AttrType>,
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self { code, unknown: Vec::new() }
    }
}

/// The client's address as an attribute.
pub(crate) fn mapped(client: SocketAddr) -> Box<dyn Setter> {
    Box::new(XorMappedAddress { ip: client.ip(), port: client.port() })
}

/// Is a comprehension-required attribute known to a STUN server? Known but unexpected ones are
/// ignored (RFC 8489 §6.3).
pub(crate) fn understood_by_stun(attribute: AttrType) -> bool {
    [
        ATTR_MAPPED_ADDRESS,
        ATTR_USERNAME,
        ATTR_MESSAGE_INTEGRITY,
        ATTR_ERROR_CODE,
        ATTR_UNKNOWN_ATTRIBUTES,
        ATTR_REALM,
        ATTR_NONCE,
        ATTR_XORMAPPED_ADDRESS,
    ]
    .contains(&attribute)
}

/// The same for a TURN server. DONT-FRAGMENT is not in the list: a server that cannot set the DF bit
/// treats it as unknown (RFC 8656 §7.2, §11.2).
pub(crate) fn understood_by_turn(attribute: AttrType) -> bool {
    understood_by_stun(attribute)
        || [
            ATTR_CHANNEL_NUMBER,
            ATTR_LIFETIME,
            ATTR_XOR_PEER_ADDRESS,
            ATTR_DATA,
            ATTR_XOR_RELAYED_ADDRESS,
            ATTR_REQUESTED_ADDRESS_FAMILY,
            ATTR_EVEN_PORT,
            ATTR_REQUESTED_TRANSPORT,
            ATTR_RESERVATION_TOKEN,
        ]
        .contains(&attribute)
}

/// An indication with `attrs`, bare of integrity and fingerprint (RFC 8656 §5 makes both optional).
pub(crate) fn indication(kind: MessageType, transaction_id: [u8; 12], attrs: Attrs) -> Option<Vec<u8>> {
    let mut message = Message::new();
    let mut all: Attrs = vec![Box::new(rtc_stun::message::TransactionId(transaction_id)), Box::new(kind)];
    all.extend(attrs);
    message.build(&all).ok()?;
    Some(message.raw)
}

fn build(
    kind: MessageType,
    transaction_id: [u8; 12],
    mut attrs: Attrs,
    key: Option<&[u8]>,
) -> Option<Vec<u8>> {
    if let Some(key) = key {
        attrs.push(Box::new(MessageIntegrity::new_raw_integrity_with_provider(key, crypto())));
    }
    attrs.push(Box::new(FINGERPRINT));
    indication(kind, transaction_id, attrs)
}

/// Whatever follows FINGERPRINT breaks its checksum, so this also holds that it comes last.
fn check_fingerprint(message: &Message) -> Result<(), DropReason> {
    if message.contains(ATTR_FINGERPRINT) && FINGERPRINT.check(message).is_err() {
        return Err(DropReason::Fingerprint);
    }
    Ok(())
}
