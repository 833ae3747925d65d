//! The question to a STUN server under which address it sees us: str0m leaves it to the application, and its own reader
//! refuses answers that are not signed, as those of STUN servers are not.

use std::net::{IpAddr, SocketAddr};

/// The magic cookie (RFC 8489 §5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER_BYTES: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];

/// What tells one question from another.
pub(crate) type TransactionId = [u8; 12];

/// A binding request without attributes.
pub(crate) fn request(id: TransactionId) -> Vec<u8> {
    [&BINDING_REQUEST[..], &[0, 0], &COOKIE, &id].concat()
}

/// The address in the answer to this question (XOR-MAPPED-ADDRESS, RFC 8489 §14.2).
pub(crate) fn mapped_address(packet: &[u8], id: TransactionId) -> Option<SocketAddr> {
    let (header, mut attributes) = packet.split_at_checked(HEADER_BYTES)?;
    if header[..2] != BINDING_SUCCESS || header[4..] != *[&COOKIE[..], &id].concat() {
        return None;
    }
    loop {
        let (head, rest) = attributes.split_at_checked(4)?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[..2] == XOR_MAPPED_ADDRESS {
            return address(rest.get(..length)?, &header[4..]);
        }
        // Attributes are padded to four bytes.
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
}

/// A family, a port and an address, of which the latter two are XORed with `mask`.
fn address(value: &[u8], mask: &[u8]) -> Option<SocketAddr> {
    let plain: Vec<u8> = value.get(4..)?.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    let ip = match value[1] {
        1 => IpAddr::from(<[u8; 4]>::try_from(plain).ok()?),
        2 => IpAddr::from(<[u8; 16]>::try_from(plain).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([value[2] ^ mask[0], value[3] ^ mask[1]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: TransactionId = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    /// SOFTWARE and XOR-MAPPED-ADDRESS of the sample response (RFC 5769 §2.2), without what signs them.
    const ANSWER: &[u8] = b"\x01\x01\x00\x1c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0btest vector \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43";

    #[test]
    fn the_address_of_the_sample_response_is_read() {
        assert_eq!(mapped_address(ANSWER, ID), Some("192.0.2.1:32853".parse().unwrap()));
    }

    #[test]
    fn what_does_not_answer_the_question_is_not_read() {
        assert_eq!(mapped_address(ANSWER, [0; 12]), None);
        assert_eq!(mapped_address(&request(ID), ID), None);
        for length in 0..ANSWER.len() {
            assert_eq!(mapped_address(&ANSWER[..length], ID), None, "the first {length} bytes");
        }
    }
}
