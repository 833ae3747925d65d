//! TURN over TCP: cutting the stream, padding, the end of a connection.

use proptest::prelude::*;
use rtc_stun::message::*;
use turn_service::{FrameError, Output, ServiceEvent, StreamDeframer, Transport};

use crate::harness::*;

#[test]
fn a_client_on_tcp_gets_padded_channel_data() {
    let (mut server, mut alice) = (server(), Client::alice_on_tcp());
    let relay = alice.allocate(&mut server, s(0));
    alice.bind(&mut server, s(0), 0x4000, peer());
    let outputs = server.handle(s(0), Transport::Udp, peer(), relay, b"abcde");
    let padded = [channel_data(0x4000, b"abcde"), vec![0; 3]].concat();
    let [Output::Send { transport: Transport::Tcp, bytes, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(*bytes, padded);
}

#[test]
fn the_same_address_on_udp_is_another_client() {
    let (mut server, mut alice) = (server(), Client::alice_on_tcp());
    alice.allocate(&mut server, s(0));
    Client::alice().allocate(&mut server, s(0));
    assert_eq!(server.relays().count(), 2);
}

#[test]
fn an_allocation_ends_with_its_connection() {
    let (mut server, mut alice) = (server(), Client::alice_on_tcp());
    let relay = alice.allocate(&mut server, s(0));
    let outputs = server.disconnected(s(1), alice.me, server_address());
    assert_eq!(outputs, [Output::Event(ServiceEvent::Released { relay }), Output::Close { relay }]);
    assert_eq!(server.disconnected(s(1), alice.me, server_address()), []);
}

#[test]
fn a_stream_of_something_else_is_an_error() {
    let mut deframer = StreamDeframer::new();
    deframer.push(b"GET / HTTP/1.1\r\n");
    // 'G' is 71, which a ChannelData message may start with: a huge one, that never comes.
    assert_eq!(deframer.next_message(), Ok(None));
    let mut deframer = StreamDeframer::new();
    deframer.push(&[22, 3, 1]);
    assert_eq!(deframer.next_message(), Err(FrameError::NotTurn { first: 22 }));
    let mut deframer = StreamDeframer::new();
    deframer.push(&[0, 1, 0, 6]);
    assert_eq!(deframer.next_message(), Err(FrameError::StunLength { length: 6 }));
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let data = prop::collection::vec(any::<u8>(), 0..60);
    (any::<bool>(), data).prop_map(|(stun, data)| {
        if stun {
            Client::alice().bare(BINDING_REQUEST, vec![raw(rtc_stun::attributes::ATTR_SOFTWARE, &data)])
        } else {
            channel_data(0x4000, &data)
        }
    })
}

proptest! {
    #[test]
    fn messages_survive_any_cutting(
        messages in prop::collection::vec(message(), 0..8),
        cuts in prop::collection::vec(1usize..40, 1..200),
    ) {
        let padded = messages.iter().map(|message| {
            let mut message = message.clone();
            message.resize(message.len().next_multiple_of(4), 0);
            message
        });
        let stream: Vec<u8> = padded.flatten().collect();
        let (mut deframer, mut got, mut rest) = (StreamDeframer::new(), Vec::new(), stream.as_slice());
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            deframer.push(piece);
            while let Some(message) = deframer.next_message().unwrap() {
                got.push(message);
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(got, messages);
        prop_assert_eq!(deframer.buffered(), 0);
    }

    #[test]
    fn any_stream_is_cut_without_panic_or_hang(stream in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut deframer = StreamDeframer::new();
        deframer.push(&stream);
        let mut left = stream.len();
        while let Ok(Some(message)) = deframer.next_message() {
            prop_assert!(message.len() >= 4 && deframer.buffered() < left);
            left = deframer.buffered();
        }
    }
}
