//! Quiet interceptors against talkative ones.

use bytes::Bytes;
use proptest::prelude::*;
use rtc::{
    interceptor::{
        AttributedPacket, NackGeneratorBuilder, RTCPFeedback, RTPHeaderExtension, TwccReceiverBuilder,
    },
    rtp,
    sdp::extmap::TRANSPORT_CC_URI,
    shared::TransportContext,
};

use super::*;

const TICK: Duration = Duration::from_millis(100);
const EXTENSION: u8 = 5;

/// A packet that comes so many milliseconds after the one before, having skipped so many.
type Arrival = (u64, u16);

/// What an interceptor sent, and when, in milliseconds; the sender's SSRC is drawn at random and left out.
type Sent = Vec<(u128, Vec<u8>)>;

/// Feeds `arrivals` to `interceptor`, waking it when it asks for that, and for another ten seconds. What it sent, and
/// how often it was woken.
fn run(mut interceptor: impl Interceptor, arrivals: &[Arrival]) -> (Sent, usize) {
    interceptor.bind_remote_stream(&StreamInfo {
        ssrc: 1,
        rtcp_feedback: vec![RTCPFeedback { typ: "nack".to_owned(), parameter: String::new() }],
        rtp_header_extensions: vec![RTPHeaderExtension {
            uri: TRANSPORT_CC_URI.to_owned(),
            id: EXTENSION.into(),
        }],
        ..StreamInfo::default()
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "instants cannot be made; only distances from this one count"
    )]
    let start = Instant::now();
    let (mut sent, mut wakes, mut at, mut sequence) = (Vec::new(), 0, start, 0_u16);
    let mut wake_until = |interceptor: &mut dyn Interceptor, until: Instant| {
        while let Some(due) = interceptor.poll_timeout().filter(|due| *due <= until) {
            interceptor.handle_timeout(due).expect("a tick");
            wakes += 1;
            while let Some(packet) = interceptor.poll_write() {
                let Packet::Rtcp(reports) = packet.message.packet else { panic!("media was sent") };
                for report in reports {
                    let mut bytes = report.marshal().expect("a report").to_vec();
                    bytes.drain(4..8);
                    sent.push(((due - start).as_millis(), bytes));
                }
            }
        }
    };
    for &(after, skipped) in arrivals {
        at += Duration::from_millis(after);
        wake_until(&mut interceptor, at);
        sequence = sequence.wrapping_add(1 + skipped);
        interceptor.handle_read(media(at, sequence)).expect("a packet");
        assert!(interceptor.poll_read().is_some(), "it is handed on");
    }
    wake_until(&mut interceptor, at + Duration::from_secs(10));
    (sent, wakes)
}

fn media(now: Instant, sequence: u16) -> TaggedPacket {
    let mut header = rtp::Header { ssrc: 1, sequence_number: sequence, ..rtp::Header::default() };
    header.set_extension(EXTENSION, Bytes::copy_from_slice(&sequence.to_be_bytes())).expect("an extension");
    let message =
        AttributedPacket::new(Packet::Rtp(rtp::Packet { header, payload: Bytes::from_static(b"media") }));
    TaggedPacket { now, transport: TransportContext::default(), message }
}

proptest! {
    #[test]
    fn what_is_sent_and_when_stays_the_same(
        arrivals in proptest::collection::vec((0_u64..700, prop_oneof![4 => Just(0), 1 => 1_u16..4]), 0..40),
    ) {
        let nack = || NackGeneratorBuilder::new().with_interval(TICK).build();
        prop_assert_eq!(run(nack(), &arrivals).0, run(Quiet::new(nack(), TICK), &arrivals).0);
        let arrived = || TwccReceiverBuilder::new().with_interval(TICK).build();
        prop_assert_eq!(run(arrived(), &arrivals).0, run(Quiet::new(arrived(), TICK), &arrivals).0);
    }
}

#[test]
fn silence_is_not_ticked_through() {
    let arrivals = [(0, 0), (20, 0), (20, 0)];
    let nack = || NackGeneratorBuilder::new().with_interval(TICK).build();
    let (_, bare) = run(nack(), &arrivals);
    let (_, quiet) = run(Quiet::new(nack(), TICK), &arrivals);
    assert_eq!((bare, quiet), (100, 1), "ten seconds after the last packet");
}

#[test]
fn what_is_missing_is_asked_for_until_it_comes() {
    let nack = Quiet::new(NackGeneratorBuilder::new().with_interval(TICK).build(), TICK);
    let (sent, wakes) = run(nack, &[(0, 0), (20, 1), (20, 0)]);
    assert_eq!((sent.len(), wakes), (100, 100));
}
