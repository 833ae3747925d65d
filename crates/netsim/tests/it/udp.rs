use std::{
    future::poll_fn,
    io::ErrorKind,
    task::{Context, Waker},
};

use netsim::LinkState;
use timeline::{Protocol, Verdict};

use crate::world::{NAMES, address, config, ms, perfect, run, value};

#[test]
fn a_datagram_takes_both_links_delays() {
    let outcome = run(config(1, perfect(ms(15))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("10.0.0.1:5000")).unwrap();
        let b = b.bind_udp(address("10.0.0.2:5000")).unwrap();
        a.send_to(b"ping", address("10.0.0.2:5000")).await.unwrap();
        let mut buf = [0; 16];
        let (len, from) = b.recv_from(&mut buf).await.unwrap();
        assert_eq!((&buf[..len], from), (b"ping".as_slice(), address("10.0.0.1:5000")));
        world.now().as_millis()
    });
    assert_eq!(outcome.value, Some(30));
    let packet = &outcome.packets[0];
    assert_eq!((packet.from_host.as_str(), packet.to_host.as_ref().unwrap().as_str()), ("a", "b"));
    assert_eq!((packet.protocol, packet.len, packet.verdict), (Protocol::Udp, 4, Verdict::Delivered));
}

#[test]
fn delays_are_added_exactly_and_rounded_up_once() {
    let arrival = |micros| {
        value(config(1, perfect(std::time::Duration::from_micros(micros))), |world| async move {
            let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
            let a = a.bind_udp(address("10.0.0.1:5000")).unwrap();
            let b = b.bind_udp(address("10.0.0.2:5000")).unwrap();
            a.send_to(b"ping", address("10.0.0.2:5000")).await.unwrap();
            b.recv_from(&mut [0; 16]).await.unwrap();
            world.now().as_millis()
        })
    };
    assert_eq!([arrival(0), arrival(400), arrival(500), arrival(501)], [0, 1, 1, 2]);
}

#[test]
fn loopback_and_own_addresses_touch_no_link() {
    let outcome = run(config(1, perfect(ms(15))), |world| async move {
        world.set_link_state(&"a".into(), LinkState::Down).unwrap();
        let a = world.host(&"a".into()).unwrap();
        let first = a.bind_udp(address("0.0.0.0:0")).unwrap();
        let second = a.bind_udp(address("10.0.0.1:7")).unwrap();
        first.send_to(b"x", address("10.0.0.1:7")).await.unwrap();
        let (_, from) = second.recv_from(&mut [0; 16]).await.unwrap();
        assert_eq!(from, address("10.0.0.1:49152"));
        second.send_to(b"y", address("127.0.0.1:49152")).await.unwrap();
        first.recv_from(&mut [0; 16]).await.unwrap();
        world.now().as_millis()
    });
    assert_eq!(outcome.value, Some(0));
    assert_eq!(outcome.counts.hosts["a"].up.sent, 0);
    assert_eq!(outcome.packets.len(), 2);
}

#[test]
fn ipv6_and_wildcard_sockets_work() {
    value(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("[::]:0")).unwrap();
        let b = b.bind_udp(address("[::]:9")).unwrap();
        a.send_to(b"x", address("[2001:db8::2]:9")).await.unwrap();
        let (_, from) = b.recv_from(&mut [0; 16]).await.unwrap();
        assert_eq!(from, address("[2001:db8::1]:49152"));
        let other_family = a.send_to(b"x", address("10.0.0.2:9")).await.unwrap_err();
        assert_eq!(other_family.raw_os_error(), Some(97));
    });
}

#[test]
fn binding_follows_the_rules() {
    value(config(1, perfect(ms(1))), |world| async move {
        let a = world.host(&"a".into()).unwrap();
        let fails = |text| a.bind_udp(address(text)).unwrap_err().kind();
        let first = a.bind_udp(address("10.0.0.1:9")).unwrap();
        assert_eq!(fails("10.0.0.2:9"), ErrorKind::AddrNotAvailable);
        assert_eq!(fails("10.0.0.1:9"), ErrorKind::AddrInUse);
        assert_eq!(fails("0.0.0.0:9"), ErrorKind::AddrInUse);
        let _other_family = a.bind_udp(address("[::]:9")).unwrap();
        let _other_address = a.bind_udp(address("127.0.0.1:9")).unwrap();
        drop(first);
        let _again = a.bind_udp(address("10.0.0.1:9")).unwrap();
        let ephemeral = [(); 2].map(|()| a.bind_udp(address("10.0.0.1:0")).unwrap());
        assert_eq!(ephemeral.each_ref().map(|socket| socket.local_addr().unwrap().port()), [49152, 49153]);
        assert_eq!(world.open_sockets(&"a".into()).unwrap(), 5);
    });
}

#[test]
fn what_nobody_gets_has_a_verdict() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let a = world.host(&"a".into()).unwrap().bind_udp(address("10.0.0.1:9")).unwrap();
        for to in ["10.0.0.2:9", "10.9.9.9:9", "10.0.0.255:9"] {
            a.send_to(b"x", address(to)).await.unwrap();
        }
        assert_eq!(
            a.send_to(&[0; 65_508], address("10.0.0.2:9")).await.unwrap_err().raw_os_error(),
            Some(90)
        );
        a.send_to(&[0; 65_507], address("10.0.0.2:9")).await.unwrap();
        tokio::time::sleep(ms(10)).await;
        world.set_link_state(&"b".into(), LinkState::Down).unwrap();
        a.send_to(b"x", address("10.0.0.2:9")).await.unwrap();
        tokio::time::sleep(ms(10)).await;
        a.send_to(b"x", address("10.0.0.2:9")).await.unwrap();
    });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    use Verdict::{InFlight, LinkDown, NoRoute, NoSocket};
    assert_eq!(verdicts, [NoSocket, NoRoute, NoRoute, NoSocket, LinkDown, InFlight]);
}

#[test]
fn a_connected_socket_takes_nothing_from_others() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let socket = a.bind_udp(address("0.0.0.0:9")).unwrap();
        let [friend, stranger] = ["10.0.0.2:7", "10.0.0.2:8"].map(|at| b.bind_udp(address(at)).unwrap());
        let unconnected = [socket.try_send(b"x").unwrap_err().kind(), socket.peer_addr().unwrap_err().kind()];
        assert_eq!(unconnected, [ErrorKind::NotConnected; 2]);
        socket.connect(address("10.0.0.2:7")).unwrap();
        assert_eq!(socket.local_addr().unwrap(), address("10.0.0.1:9"));
        assert_eq!(socket.peer_addr().unwrap(), address("10.0.0.2:7"));
        socket.try_send(b"ping").unwrap();
        assert_eq!(friend.recv_from(&mut [0; 4]).await.unwrap(), (4, address("10.0.0.1:9")));
        stranger.send_to(b"no", address("10.0.0.1:9")).await.unwrap();
        friend.send_to(b"pong", address("10.0.0.1:9")).await.unwrap();
        assert_eq!(socket.recv_from(&mut [0; 8]).await.unwrap(), (4, address("10.0.0.2:7")));
        let other_family = socket.connect(address("[2001:db8::2]:7")).unwrap_err();
        assert_eq!(other_family.raw_os_error(), Some(97));
    });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    assert_eq!(verdicts, [Verdict::Delivered, Verdict::NoSocket, Verdict::Delivered]);
}

#[test]
fn a_receiver_may_try_and_may_wait_until_there_is_something() {
    value(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
        let b = b.bind_udp(address("10.0.0.2:9")).unwrap();
        assert_eq!(b.try_recv_from(&mut [0; 4]).unwrap_err().kind(), ErrorKind::WouldBlock);
        a.send_to(b"ping", address("10.0.0.2:9")).await.unwrap();
        poll_fn(|cx| b.poll_recv_ready(cx)).await;
        assert_eq!(world.now().as_millis(), 2);
        assert_eq!(b.try_recv_from(&mut [0; 8]).unwrap(), (4, address("10.0.0.1:9")));
        assert_eq!(b.try_recv_from(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_host_knows_the_addresses_of_others_by_their_names() {
    value(config(1, perfect(ms(1))), |world| async move {
        let a = world.host(&"a".into()).unwrap();
        let found: Vec<_> = a.lookup(&"b".into()).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["10.0.0.2", "2001:db8::2"]);
        let unknown = a.lookup(&"c".into()).unwrap_err();
        assert_eq!(unknown.to_string(), "no host is called c; there are a, b");
    });
}

#[test]
fn a_question_that_cannot_be_answered_does_not_hide_an_earlier_one() {
    value(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
        let b = std::sync::Arc::new(b.bind_udp(address("10.0.0.2:9")).unwrap());
        let waiting = tokio::spawn({
            let b = b.clone();
            async move { b.recv_from(&mut [0; 16]).await.unwrap().0 }
        });
        tokio::task::yield_now().await;
        let unheard = b.poll_recv_from(&mut Context::from_waker(Waker::noop()), &mut [0; 16]);
        assert!(unheard.is_pending());
        a.send_to(b"ping", address("10.0.0.2:9")).await.unwrap();
        assert_eq!(waiting.await.unwrap(), 4);
    });
}
