//! What a UDP payload carries, by its first bytes: RFC 7983 §7 for the protocols that share a socket,
//! RFC 5761 §4 for RTP against RTCP. Total: every byte string has an answer.

use timeline::{DtlsContent, Protocol, StunClass};

/// The protocol of a UDP payload.
pub fn classify(payload: &[u8]) -> Protocol {
    match payload.first() {
        Some(0..=3) => stun(payload),
        Some(20..=63) => dtls(payload),
        Some(64..=79) if payload.len() >= 4 => Protocol::ChannelData,
        Some(128..=191) => rtp(payload),
        _ => Protocol::Udp,
    }
}

/// RFC 8489 §5: a header of 20 bytes with the magic cookie in bytes 4 to 7.
fn stun(payload: &[u8]) -> Protocol {
    const HEADER_BYTES: usize = 20;
    const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    if payload.len() < HEADER_BYTES || payload[4..8] != MAGIC_COOKIE {
        return Protocol::Udp;
    }
    let kind = u16::from_be_bytes([payload[0], payload[1]]);
    let class = match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => StunClass::Request,
        (false, true) => StunClass::Indication,
        (true, false) => StunClass::Success,
        (true, true) => StunClass::Error,
    };
    let method = (kind & 0x000f) | ((kind & 0x00e0) >> 1) | ((kind & 0x3e00) >> 2);
    Protocol::Stun { class, method }
}

/// RFC 6347 §4.1: a record header of 13 bytes; a handshake message starts with its type, which is
/// encrypted in every epoch but the first.
fn dtls(payload: &[u8]) -> Protocol {
    const HEADER_BYTES: usize = 13;
    let first_epoch = payload.get(3..5) == Some(&[0, 0]);
    let content = match payload[0] {
        20 => DtlsContent::ChangeCipherSpec,
        21 => DtlsContent::Alert,
        22 => DtlsContent::Handshake(payload.get(HEADER_BYTES).copied().filter(|_| first_epoch)),
        23 => DtlsContent::ApplicationData,
        other => DtlsContent::Other(other),
    };
    Protocol::Dtls(content)
}

/// RFC 5761 §4: RTCP packet types are 192 to 223 in the second byte, which RTP leaves free.
fn rtp(payload: &[u8]) -> Protocol {
    match payload.get(1) {
        Some(192..=223) => Protocol::Srtcp,
        Some(_) => Protocol::Srtp,
        None => Protocol::Udp,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(payload: &[u8], expect: &str) {
        assert_eq!(classify(payload).to_string(), expect);
    }

    fn stun_header(kind: u16) -> Vec<u8> {
        let mut header = kind.to_be_bytes().to_vec();
        header.extend([0, 0, 0x21, 0x12, 0xa4, 0x42]);
        header.resize(20, 7);
        header
    }

    fn record(content: u8, epoch: u8, first: u8) -> Vec<u8> {
        vec![content, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 0, 0, 1, first]
    }

    #[test]
    fn tells_the_protocols_of_a_call_apart() {
        check(&stun_header(0x0001), "stun binding request");
        check(&stun_header(0x0101), "stun binding success");
        check(&stun_header(0x0113), "stun allocate error");
        check(&stun_header(0x0016), "stun send indication");
        check(&record(22, 0, 1), "dtls client-hello");
        check(&record(22, 1, 200), "dtls handshake encrypted");
        check(&record(20, 0, 1), "dtls change-cipher-spec");
        check(&record(23, 1, 9), "dtls application-data (sctp)");
        check(&[0x40, 0, 0, 4, 1, 2, 3, 4], "turn channel-data");
        check(&[0x80, 111, 0, 1], "srtp");
        check(&[0x80, 111 | 0x80, 0, 1], "srtp");
        check(&[0x80, 200, 0, 1], "srtcp");
        check(b"", "udp");
        check(b"hello", "udp");
        check(&[0, 1, 0, 0], "udp");
    }

    proptest! {
        #[test]
        fn every_byte_string_has_an_answer(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            classify(&payload);
        }
    }
}
