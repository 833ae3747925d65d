//! DTLS 1.2 records and handshake messages (RFC 6347), as far as a capture needs them; and what a TURN relay carries
//! (RFC 8656).

use std::collections::BTreeSet;

use netsim::Wire;
use timeline::{Name, PacketRecord};

/// The length of a record's header (RFC 6347 §4.1).
pub(super) const RECORD_HEADER: usize = 13;
const HANDSHAKE: u8 = 22;
const HANDSHAKE_HEADER: usize = 12;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
/// The extension `use_srtp` (RFC 5764 §4.1.1).
const USE_SRTP: u16 = 14;

/// A hello that begins a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hello {
    Client {
        random: Vec<u8>,
    },
    Server {
        random: Vec<u8>,
        cipher_suite: u16,
        /// The SRTP protection profile, where media was asked for.
        srtp: Option<u16>,
    },
}

/// The records of a datagram: each with its header.
pub(super) fn records(mut datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(datagram, 11)?);
        let record = datagram.get(..RECORD_HEADER + len)?;
        datagram = &datagram[RECORD_HEADER + len..];
        Some(record)
    })
}

/// The hellos in a datagram.
pub(super) fn hellos(datagram: &[u8]) -> Vec<Hello> {
    let is_clear = |record: &&[u8]| record[0] == HANDSHAKE && record[3..5] == [0, 0];
    records(datagram).filter(is_clear).filter_map(|record| hello(&record[RECORD_HEADER..])).collect()
}

fn hello(message: &[u8]) -> Option<Hello> {
    let kind = *message.first()?;
    // Only what is the beginning of a message.
    if message.get(6..9)? != [0; 3] {
        return None;
    }
    let body = message.get(HANDSHAKE_HEADER..)?;
    let random = body.get(2..34)?.to_vec();
    match kind {
        CLIENT_HELLO => Some(Hello::Client { random }),
        SERVER_HELLO => {
            let session = usize::from(*body.get(34)?);
            let at = 35 + session;
            let cipher_suite = u16_at(body, at)?;
            Some(Hello::Server { random, cipher_suite, srtp: srtp_profile(body.get(at + 3..)?) })
        }
        _ => None,
    }
}

/// The profile that `use_srtp` names among the extensions of a server hello.
fn srtp_profile(extensions: &[u8]) -> Option<u16> {
    let mut rest = extensions.get(2..)?;
    loop {
        let (kind, len) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        let value = rest.get(4..4 + len)?;
        if kind == USE_SRTP {
            return u16_at(value, 2);
        }
        rest = &rest[4 + len..];
    }
}

/// The hosts that begin or answer handshakes: the others only pass on.
pub(super) fn speakers(packets: &[PacketRecord], wire: &Wire) -> BTreeSet<Name> {
    let mut seen = BTreeSet::new();
    let mut speakers = BTreeSet::new();
    for (packet, payload) in packets.iter().zip(&wire.payloads) {
        for hello in hellos(relayed(payload)) {
            let (Hello::Client { random } | Hello::Server { random, .. }) = hello;
            // Whoever says it first has made it.
            if seen.insert(random) {
                speakers.insert(packet.from_host.clone());
            }
        }
    }
    speakers
}

/// What a TURN client or server has wrapped: the data of a ChannelData message (§12.4), or of a Send or Data indication
/// (§11.1, §11.3). Anything else is returned as it is.
pub(super) fn relayed(payload: &[u8]) -> &[u8] {
    const INDICATIONS: [[u8; 2]; 2] = [[0x00, 0x16], [0x00, 0x17]];
    const DATA: u16 = 0x0013;
    const HEADER: usize = 20;
    match payload {
        [0x40..=0x4f, _, ..] => {
            let data = u16_at(payload, 2).and_then(|len| payload.get(4..4 + usize::from(len)));
            data.unwrap_or(payload)
        }
        [first, second, ..] if INDICATIONS.contains(&[*first, *second]) => {
            let mut rest = payload.get(HEADER..).unwrap_or_default();
            while let (Some(kind), Some(len)) = (u16_at(rest, 0), u16_at(rest, 2).map(usize::from)) {
                match rest.get(4..4 + len) {
                    Some(data) if kind == DATA => return data,
                    _ => rest = rest.get(4 + len.next_multiple_of(4)..).unwrap_or_default(),
                }
            }
            payload
        }
        _ => payload,
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = (body.len() as u16).to_be_bytes();
        [&[kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0], len.as_slice(), body].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = [0, 0, body.len() as u8];
        [[kind].as_slice(), &len, &[0, 0], &[0, 0, 0], &len, body].concat()
    }

    #[test]
    fn hellos_say_randoms_cipher_suite_and_profile() {
        let client = message(CLIENT_HELLO, &[&[0xfe, 0xfd][..], &[7; 32], &[0; 9]].concat());
        let extensions = [0, 15, 0, 23, 0, 0, 0, 14, 0, 5, 0, 2, 0, 1, 0, 0, 0];
        let server = [&[0xfe, 0xfd][..], &[9; 32], &[2, 1, 1], &[0xc0, 0x2b], &[0], &extensions].concat();
        let datagram = [record(22, &client), record(22, &message(SERVER_HELLO, &server))].concat();
        let server = Hello::Server { random: vec![9; 32], cipher_suite: 0xc02b, srtp: Some(1) };
        assert_eq!(hellos(&datagram), [Hello::Client { random: vec![7; 32] }, server]);
        assert_eq!(hellos(&datagram[..30]), []);
    }

    #[test]
    fn what_a_relay_carries_is_unwrapped() {
        assert_eq!(relayed(&[0x40, 1, 0, 2, 8, 9, 0, 0]), [8, 9]);
        let indication =
            [&[0, 0x16, 0, 16][..], &[0; 16], &[0, 0x12, 0, 1, 5, 0, 0, 0], &[0, 0x13, 0, 2, 8, 9, 0, 0]];
        assert_eq!(relayed(&indication.concat()), [8, 9]);
        assert_eq!(relayed(&[0x40, 1, 0, 9, 8]), [0x40, 1, 0, 9, 8]);
        assert_eq!(relayed(&[23, 1]), [23, 1]);
    }
}
