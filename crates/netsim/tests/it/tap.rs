//! Hosts whose programs are outside of the world.

use netsim::{Access, Arrival, Content, Crossing, LinkModel, Probability, World};
use timeline::{Protocol, TcpFlags, Verdict};

use crate::world::{NAMES, address, config, ms, perfect, run};

const SYN: TcpFlags = TcpFlags { syn: true, ack: false, fin: false, rst: false };

fn packet(content: Content, from: &str, to: &str, len: usize) -> Crossing {
    Crossing { content, from: address(from), to: address(to), bytes: vec![7; len].into() }
}

fn to_b(content: Content) -> Crossing {
    packet(content, "10.0.0.1:5000", "10.0.0.2:6000", 40)
}

fn narrow(mtu_bytes: u32) -> Access {
    Access::symmetric(LinkModel { mtu_bytes: Some(mtu_bytes), ..LinkModel::with_delay(ms(15)) })
}

#[test]
fn what_crosses_takes_as_long_as_what_the_world_sends_itself() {
    for (content, protocol) in [
        (Content::Udp, Protocol::Udp),
        (Content::Tcp(SYN), Protocol::Tcp(SYN)),
        (Content::Icmp, Protocol::Icmp),
    ] {
        let outcome = run(config(1, perfect(ms(15))), move |world| async move {
            let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap().tap());
            a.send(&to_b(content)).unwrap();
            let arrival = b.recv().await;
            (arrival, world.now().as_millis())
        });
        assert_eq!(outcome.value, Some((Arrival::Packet(to_b(content)), 30)));
        assert_eq!((outcome.packets[0].protocol, outcome.packets[0].verdict), (protocol, Verdict::Delivered));
    }
}

#[test]
fn datagrams_pass_between_a_tap_and_a_socket_and_segments_do_not() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let (tap, socket) = (a.tap(), b.bind_udp(address("10.0.0.2:6000")).unwrap());
        tap.send(&to_b(Content::Tcp(SYN))).unwrap();
        tap.send(&to_b(Content::Udp)).unwrap();
        let (len, from) = socket.recv_from(&mut [0; 64]).await.unwrap();
        socket.send_to(b"answer", from).await.unwrap();
        (len, tap.recv().await)
    });
    let mut answer = packet(Content::Udp, "10.0.0.2:6000", "10.0.0.1:5000", 0);
    answer.bytes = b"answer".as_slice().into();
    assert_eq!(outcome.value, Some((40, Arrival::Packet(answer))));
    assert_eq!(outcome.packets[0].verdict, Verdict::NoSocket);
}

#[test]
fn a_segment_from_outside_is_lost_where_one_of_the_worlds_own_would_be_held() {
    let lossy = LinkModel { loss: Probability::new(1.0).unwrap(), ..LinkModel::with_delay(ms(1)) };
    let outcome = run(config(1, Access::symmetric(lossy)), |world| async move {
        let a = world.host(&"a".into()).unwrap().tap();
        a.send(&to_b(Content::Tcp(SYN))).unwrap();
        world.sleep(ms(10_000)).await;
    });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    assert_eq!(verdicts, [Verdict::LostUp]);
    assert_eq!(outcome.counts.retransmissions, 0);
}

#[test]
fn a_link_keeps_the_order_of_segments() {
    let jittery = LinkModel { jitter: ms(20), ..LinkModel::with_delay(ms(25)) };
    let order = |content| {
        let outcome = run(config(1, Access::symmetric(jittery)), move |world| async move {
            let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap().tap());
            for nth in 0..50 {
                a.send(&packet(content, "10.0.0.1:5000", "10.0.0.2:6000", nth)).unwrap();
                world.sleep(ms(1)).await;
            }
            let mut seen = Vec::new();
            for _ in 0..50 {
                let Arrival::Packet(packet) = b.recv().await else { panic!() };
                seen.push(packet.bytes.len());
            }
            seen
        });
        outcome.value.unwrap()
    };
    assert!(order(Content::Tcp(SYN)).is_sorted());
    assert!(!order(Content::Icmp).is_sorted());
}

/// A packet of 1000 bytes, headers included, meets a link that carries this much.
#[track_caller]
fn check_mtu(content: Content, headers: usize, mtu_bytes: u32, expect: Option<u128>) {
    let outcome = run(config(1, perfect(ms(15))), move |world: World| async move {
        world.update_access(&"b".into(), |access| *access = narrow(mtu_bytes)).unwrap();
        let [a, _b] = NAMES.map(|name| world.host(&name.into()).unwrap().tap());
        let sent = packet(content, "10.0.0.1:5000", "10.0.0.2:6000", 1000 - headers);
        a.send(&sent).unwrap();
        tokio::select! {
            biased;
            arrival = a.recv() => {
                assert_eq!(arrival, Arrival::TooBig { mtu_bytes, packet: sent });
                Some(u128::from(world.now().as_millis()))
            }
            () = world.sleep(ms(1000)) => None,
        }
    });
    assert_eq!(outcome.value, Some(expect));
}

#[test]
fn who_sends_too_much_hears_of_it_after_a_round_trip_to_that_link() {
    for (content, headers) in [(Content::Udp, 28), (Content::Tcp(SYN), 20), (Content::Icmp, 20)] {
        check_mtu(content, headers, 1000, None);
        // It meets the receiver's link 15 ms away.
        check_mtu(content, headers, 999, Some(30));
    }
}

#[test]
fn nobody_sends_from_an_address_of_somebody_else() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let a = world.host(&"a".into()).unwrap().tap();
        let forged = |content| a.send(&packet(content, "10.0.0.9:1", "10.0.0.2:6000", 30)).is_err();
        [Content::Udp, Content::Tcp(SYN), Content::Icmp].map(forged)
    });
    assert_eq!((outcome.value, outcome.packets.len()), (Some([true; 3]), 0));
}
