use proptest::prelude::*;

use super::*;

/// A Binding request of RFC 5769 §2.1.
const BINDING: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
/// The IPv4 response of RFC 5769 §2.2.
const RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
/// The IPv6 response of RFC 5769 §2.3.
const RESPONSE_V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn value(layer: &Layer, name: &str) -> String {
    let found = layer.fields.iter().find_map(|field| match field {
        Field::Value(key, value) if *key == name => Some(value.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no {name} in {layer:?}"))
}

#[test]
fn stun_is_decoded_as_in_the_test_vectors_of_rfc_5769() {
    let [request] = &decode(&bytes(BINDING))[..] else { panic!("one layer") };
    assert_eq!(request.name, "STUN Binding request (RFC 8489)");
    assert_eq!(value(request, "USERNAME"), "evtj:h6vY");
    assert_eq!(value(request, "PRIORITY"), "1845494271");
    assert_eq!(value(request, "SOFTWARE"), "STUN test client");
    for (response, address) in
        [(RESPONSE, "192.0.2.1:32853"), (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let [response] = &decode(&bytes(response))[..] else { panic!("one layer") };
        assert_eq!(value(response, "XOR-MAPPED-ADDRESS"), address);
    }
}

#[test]
fn a_datagram_of_two_dtls_records_has_two_layers_with_what_is_in_clear() {
    // ServerHelloDone in the first epoch, and an encrypted record.
    let datagram = bytes("16fefd0000000000000005000c0e0000000003000000000000")
        .into_iter()
        .chain(bytes("16fefd000100000000000000040badcafe"))
        .collect::<Vec<_>>();
    let layers = decode(&datagram);
    assert_eq!(layers[0].name, "DTLS handshake (RFC 6347)");
    assert_eq!(value(&layers[0], "sequence number"), "5");
    let Some(Field::Inner(message)) = layers[0].fields.last() else { panic!("a message") };
    assert_eq!((message.name.as_str(), value(message, "message number").as_str()), ("ServerHelloDone", "3"));
    assert_eq!(layers[1].name, "DTLS handshake, encrypted (RFC 6347)");
    assert_eq!(layers.len(), 2);
}

#[test]
fn headers_of_media_are_in_clear() {
    let [rtp] = &decode(&bytes("90ef00070000303912345678"))[..] else { panic!("one layer") };
    assert_eq!((value(rtp, "payload type"), value(rtp, "marker")), ("111".to_owned(), "yes".to_owned()));
    assert_eq!(
        (value(rtp, "sequence number"), value(rtp, "timestamp")),
        ("7".to_owned(), "12345".to_owned())
    );
    let [rtcp] = &decode(&bytes("81c9000700000001"))[..] else { panic!("one layer") };
    assert_eq!(value(rtcp, "first packet"), "201, receiver report");
    let [channel, rtp] = &decode(&bytes("4001000c90ef00070000303912345678"))[..] else {
        panic!("two layers")
    };
    assert_eq!(
        (value(channel, "channel"), value(rtp, "SSRC")),
        ("0x4001".to_owned(), "305419896".to_owned())
    );
}

proptest! {
    /// Whatever comes, and whatever of a real message is cut or changed, it has an answer.
    #[test]
    fn mangled_packets_are_answered(
        random in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200_usize, at in 0..200_usize, to in any::<u8>(),
    ) {
        for whole in [bytes(BINDING), bytes(RESPONSE_V6), bytes("16fefd0000000000000005000c0e0000000003000000000000"), random] {
            let mut mangled = whole;
            mangled.truncate(cut);
            if let Some(byte) = mangled.get_mut(at) {
                *byte = to;
            }
            for first in [0, 1, 22, 64, 128] {
                if let Some(byte) = mangled.first_mut() {
                    *byte = first;
                }
                prop_assert!(decode(&mangled).len() <= 40);
            }
        }
    }
}
