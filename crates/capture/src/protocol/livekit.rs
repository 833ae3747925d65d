//! LiveKit: `SignalRequest` and `SignalResponse` of its protocol (`livekit_rtc.proto`) in Protocol Buffers. A client has
//! one peer connection to send and one to receive: each is a call.

use std::io::Read as _;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD};
use flate2::read::GzDecoder;
use quick_protobuf::{BytesReader, Result};
use serde_json::Value;

use super::{described, of_candidate};
use crate::{
    sdp::SdpType,
    trace::{Signal, SignalKind},
};

/// What a message of either side carries, by its field.
#[derive(Clone, Copy)]
enum Field {
    Offer,
    Answer,
    Trickle,
    Leave,
    Other,
}

pub(super) fn frame(bytes: &[u8], by_client: bool) -> Option<Vec<Signal>> {
    let signals = message(bytes, by_client).ok()?;
    // Any bytes may be a message without known fields.
    (!signals.is_empty()).then_some(signals)
}

fn message(bytes: &[u8], by_client: bool) -> Result<Vec<Signal>> {
    let mut reader = BytesReader::from_bytes(bytes);
    let mut signals = Vec::new();
    while !reader.is_eof() {
        let tag = reader.next_tag(bytes)?;
        let field = match (by_client, tag >> 3) {
            (true, 1) | (false, 3) => Field::Offer,
            (_, 2) => Field::Answer,
            (true, 3) | (false, 4) => Field::Trickle,
            (_, 8) => Field::Leave,
            _ => Field::Other,
        };
        if tag & 7 != 2 || matches!(field, Field::Other) {
            reader.read_unknown(bytes, tag)?;
            continue;
        }
        let inner = reader.read_bytes(bytes)?;
        signals.extend(match field {
            Field::Offer | Field::Answer => description(inner, field, by_client)?,
            Field::Trickle => trickle(inner)?,
            Field::Leave => Some(Signal::of(SignalKind::Bye)),
            Field::Other => None,
        });
    }
    Ok(signals)
}

/// The first offer of a client, which stands in the address that it connects to: `…/rtc/v1?join_request=` and a
/// `WrappedJoinRequest` in base64, mostly compressed.
pub(crate) fn offer_in_address(url: &str) -> Option<Signal> {
    let (_, query) = url.split_once('?')?;
    let wrapped = query.split('&').find_map(|part| part.strip_prefix("join_request="))?;
    let plain = wrapped.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    // Both alphabets are in use (RFC 4648 §4, §5), with and without the padding.
    let plain = plain.replace('-', "+").replace('_', "/");
    let bytes = STANDARD_NO_PAD.decode(plain.trim_end_matches('=')).ok()?;
    joined(&bytes).ok().flatten()
}

fn joined(wrapped: &[u8]) -> Result<Option<Signal>> {
    let mut reader = BytesReader::from_bytes(wrapped);
    let (mut is_compressed, mut inner) = (false, &[][..]);
    while !reader.is_eof() {
        match reader.next_tag(wrapped)? {
            8 => is_compressed = reader.read_int32(wrapped)? == 1,
            18 => inner = reader.read_bytes(wrapped)?,
            tag => reader.read_unknown(wrapped, tag)?,
        }
    }
    let mut unpacked = Vec::new();
    if is_compressed {
        let mut unpacker = GzDecoder::new(inner).take(MOST_UNPACKED);
        if unpacker.read_to_end(&mut unpacked).is_err() {
            return Ok(None);
        }
        inner = &unpacked;
    }
    let mut reader = BytesReader::from_bytes(inner);
    while !reader.is_eof() {
        match reader.next_tag(inner)? {
            // `publisher_offer`
            50 => return description(reader.read_bytes(inner)?, Field::Offer, true),
            tag => reader.read_unknown(inner, tag)?,
        }
    }
    Ok(None)
}

/// No offer is longer.
const MOST_UNPACKED: u64 = 1 << 20;

/// The client offers on the connection that it publishes with, the server on the one that it subscribes with.
const fn connection(client_offers: bool) -> &'static str {
    if client_offers { "publisher" } else { "subscriber" }
}

fn description(bytes: &[u8], field: Field, by_client: bool) -> Result<Option<Signal>> {
    let [kind, sdp] = texts(bytes)?;
    let offers = matches!(field, Field::Offer);
    let kind = SdpType::from_word(&kind).unwrap_or(if offers { SdpType::Offer } else { SdpType::Answer });
    let call = Some(connection(offers == by_client).to_owned());
    Ok(sdp.trim_start().starts_with("v=").then(|| Signal { call, ..described(kind, &sdp) }))
}

/// Its first two fields, where they are texts.
fn texts(bytes: &[u8]) -> Result<[String; 2]> {
    let mut reader = BytesReader::from_bytes(bytes);
    let mut found = [String::new(), String::new()];
    while !reader.is_eof() {
        match reader.next_tag(bytes)? {
            10 => found[0] = reader.read_string(bytes)?.to_owned(),
            18 => found[1] = reader.read_string(bytes)?.to_owned(),
            tag => reader.read_unknown(bytes, tag)?,
        }
    }
    Ok(found)
}

/// A candidate as JSON, and which of the two connections it is for.
fn trickle(bytes: &[u8]) -> Result<Option<Signal>> {
    let mut reader = BytesReader::from_bytes(bytes);
    let (mut init, mut subscriber) = (String::new(), false);
    while !reader.is_eof() {
        match reader.next_tag(bytes)? {
            10 => init = reader.read_string(bytes)?.to_owned(),
            16 => subscriber = reader.read_int32(bytes)? == 1,
            tag => reader.read_unknown(bytes, tag)?,
        }
    }
    let value: Option<Value> = serde_json::from_str(&init).ok();
    let call = Some(connection(!subscriber).to_owned());
    Ok(value.and_then(|value| of_candidate(&value)).map(|signal| Signal { call, ..signal }))
}
