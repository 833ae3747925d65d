//! Hosts that move, links that change by themselves, hosts that lose their power.

use std::{io::ErrorKind, time::Duration};

use netsim::{
    Access, Attachment, Connections, Ending, Gateway, Handover, HostSpec, LinkModel, NatConfig, Power,
    ProcessingDelay, Schedule, Transition, World,
};
use timeline::Verdict;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::world::{Recipe, address, host, ms, perfect, run, value, world_of};

/// A phone that starts on Wi-Fi behind a home's NAT, and a server.
fn phone_and_server() -> Recipe {
    let mut config = world_of([
        host("phone", &["192.168.1.2"], perfect(ms(5))),
        host("server", &["198.51.100.1"], perfect(ms(5))),
    ]);
    let nat = |public: &str| NatConfig::port_restricted_cone(public.parse().unwrap());
    config.gateways = vec![
        Gateway::with_nat("home", vec!["phone".into()], nat("203.0.113.1")),
        Gateway::with_nat("carrier", vec![], NatConfig::symmetric("203.0.113.2".parse().unwrap())),
    ];
    config
}

fn wifi() -> Attachment {
    attachment("192.168.1.2", perfect(ms(5)), "home")
}

fn lte() -> Attachment {
    attachment("10.64.0.7", perfect(ms(40)), "carrier")
}

fn attachment(ip: &str, access: Access, gateway: &str) -> Attachment {
    Attachment { addresses: vec![ip.parse().unwrap()], access, gateway: Some(gateway.into()) }
}

fn moves(world: &World, to: Attachment, transition: Transition, connections: Connections) {
    world.handover(&"phone".into(), &Handover { to, transition, connections }).unwrap();
}

/// Sends from `socket` and says from where the server saw it, and how long it took; `None` where it did not.
async fn seen(world: &World, from: &netsim::UdpSocket, at: &netsim::UdpSocket) -> Option<(String, u64)> {
    let sent = world.now();
    from.send_to(b"x", address("198.51.100.1:9")).await.ok()?;
    let (_, peer) = timeout(ms(1000), at.recv_from(&mut [0; 4])).await.ok()?.unwrap();
    Some((peer.ip().to_string(), (world.now() - sent).as_millis() as u64))
}

#[test]
fn a_wildcard_socket_moves_on_after_the_gap_and_back_again() {
    value(phone_and_server(), |world| async move {
        let phone = world.host(&"phone".into()).unwrap();
        let socket = phone.bind_udp(address("0.0.0.0:5000")).unwrap();
        let server = world.host(&"server".into()).unwrap().bind_udp(address("198.51.100.1:9")).unwrap();
        let on_wifi = Some(("203.0.113.1".to_owned(), 10));
        assert_eq!(seen(&world, &socket, &server).await, on_wifi);
        moves(&world, lte(), Transition::Gap(ms(300)), Connections::Stall);
        assert_eq!(phone.addresses().len(), 0);
        let error = socket.send_to(b"x", address("198.51.100.1:9")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
        // At one instant programs' timers come first, then the network.
        sleep(ms(300)).await;
        assert_eq!(phone.addresses().len(), 0);
        sleep(ms(1)).await;
        assert_eq!(phone.addresses(), lte().addresses);
        assert_eq!(seen(&world, &socket, &server).await, Some(("203.0.113.2".to_owned(), 45)));
        moves(&world, wifi(), Transition::Gap(Duration::ZERO), Connections::Stall);
        assert_eq!(seen(&world, &socket, &server).await, on_wifi);
    });
}

#[test]
fn with_overlap_both_addresses_work_for_a_while() {
    let outcome = run(phone_and_server(), |world| async move {
        let phone = world.host(&"phone".into()).unwrap();
        let old = phone.bind_udp(address("192.168.1.2:5000")).unwrap();
        let any = phone.bind_udp(address("0.0.0.0:6000")).unwrap();
        let server = world.host(&"server".into()).unwrap().bind_udp(address("198.51.100.1:9")).unwrap();
        moves(&world, lte(), Transition::Overlap(ms(2000)), Connections::Stall);
        let new = phone.bind_udp(address("10.64.0.7:5000")).unwrap();
        assert_eq!(phone.addresses().len(), 2);
        let wifi = Some(("203.0.113.1".to_owned(), 10));
        let lte = Some(("203.0.113.2".to_owned(), 45));
        // The newest attachment carries what names no source.
        assert_eq!(seen(&world, &any, &server).await, lte);
        assert_eq!(seen(&world, &new, &server).await, lte);
        assert_eq!(seen(&world, &old, &server).await, wifi);
        // What comes for either address is received: the server answers on the old one.
        server.send_to(b"y", address("203.0.113.1:5000")).await.unwrap();
        old.recv_from(&mut [0; 4]).await.unwrap();
        sleep(ms(2000)).await;
        let gone = old.send_to(b"x", address("198.51.100.1:9")).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::InvalidInput);
        server.send_to(b"y", address("203.0.113.1:5000")).await.unwrap();
        assert_eq!(seen(&world, &new, &server).await, lte);
        // Back again: the old socket's address is there once more.
        moves(&world, super::handover::wifi(), Transition::Overlap(ms(500)), Connections::Stall);
        assert_eq!(seen(&world, &old, &server).await, wifi);
        assert_eq!(seen(&world, &any, &server).await, wifi);
        sleep(ms(500)).await;
        assert_eq!(phone.addresses(), super::handover::wifi().addresses);
    });
    let lost = outcome.packets.iter().filter(|packet| packet.verdict == Verdict::NoRoute).count();
    assert_eq!(lost, 1);
}

/// A connection from the phone, and what becomes of it when the phone moves: what it reads, and when.
fn connection_moves(connections: Connections, comes_back: bool) -> (Result<u8, ErrorKind>, u64) {
    value(phone_and_server(), move |world| async move {
        let listener = world.host(&"server".into()).unwrap().listen(address("198.51.100.1:80")).unwrap();
        let phone = world.host(&"phone".into()).unwrap();
        let (client, server) = tokio::join!(phone.connect(address("198.51.100.1:80")), listener.accept());
        let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
        moves(&world, lte(), Transition::Gap(ms(100)), connections);
        let start = world.now();
        sleep(ms(1000)).await;
        if client.write_all(&[7]).await.is_ok() {
            tokio::spawn(async move {
                while let Ok(byte) = server.read_u8().await {
                    server.write_u8(byte).await.ok();
                }
            });
        }
        // A new connection works at once, from the new address.
        let (fresh, accepted) = tokio::join!(phone.connect(address("198.51.100.1:80")), listener.accept());
        assert_eq!(fresh.unwrap().local_addr().unwrap().ip().to_string(), "10.64.0.7");
        assert_eq!(accepted.unwrap().1.ip().to_string(), "203.0.113.2");
        if comes_back {
            moves(&world, wifi(), Transition::Gap(ms(100)), connections);
        }
        let read = client.read_u8().await.map_err(|error| error.kind());
        (read, (world.now() - start).as_millis() as u64)
    })
}

#[test]
fn connections_stall_until_the_user_timeout_or_until_the_address_is_back() {
    let (read, at) = connection_moves(Connections::Stall, false);
    assert_eq!((read, at), (Err(ErrorKind::TimedOut), 1000 + 120_000));
    let (read, at) = connection_moves(Connections::Stall, true);
    // Written at 1000 and held; tried again 200 and 600 ms later. The address is back at about 1280.
    assert_eq!((read, at), (Ok(7), 1600 + 20));
}

#[test]
fn connections_are_reset_where_that_is_asked_for() {
    let (read, at) = connection_moves(Connections::Reset, false);
    assert_eq!(read, Err(ErrorKind::ConnectionReset));
    assert!(at < 1500, "{at}");
}

#[test]
fn moves_that_cannot_be_are_refused_and_change_nothing() {
    value(phone_and_server(), |world| async move {
        let refused = |ip: &str, gateway: Option<&str>, transition| {
            let addresses = ip.split_whitespace().map(|ip| ip.parse().unwrap()).collect();
            let to = Attachment { addresses, access: perfect(ms(1)), gateway: gateway.map(Into::into) };
            let handover = Handover { to, transition, connections: Connections::Stall };
            world.handover(&"phone".into(), &handover).unwrap_err().to_string()
        };
        let gap = Transition::Gap(Duration::ZERO);
        assert_eq!(refused("198.51.100.1", None, gap), "198.51.100.1 is taken by server");
        assert_eq!(refused("203.0.113.1", None, gap), "203.0.113.1 is taken by home");
        assert_eq!(refused("10.0.0.1", Some("nobody"), gap), "no gateway is called nobody");
        assert_eq!(refused("", None, gap), "host phone would have no address");
        assert_eq!(
            refused("127.0.0.1", None, gap),
            "host phone cannot have the address 127.0.0.1: it is a loopback, wildcard, multicast or reserved one"
        );
        let overlap = Transition::Overlap(ms(1));
        assert_eq!(refused("192.168.1.2", Some("home"), overlap), "192.168.1.2 is taken by phone");
        assert_eq!(world.host(&"phone".into()).unwrap().addresses(), wifi().addresses);
    });
}

#[test]
fn a_later_move_ends_an_earlier_one() {
    value(phone_and_server(), |world| async move {
        moves(&world, lte(), Transition::Gap(ms(500)), Connections::Stall);
        sleep(ms(100)).await;
        moves(&world, wifi(), Transition::Gap(ms(500)), Connections::Stall);
        sleep(ms(1000)).await;
        assert_eq!(world.host(&"phone".into()).unwrap().addresses(), wifi().addresses);
    });
}

/// How long datagrams that are sent every 50 ms, from 25 ms on, take, or that they are lost, while a schedule
/// runs.
fn delays_on(schedule: Schedule) -> Vec<Option<u64>> {
    let config = world_of([
        host("phone", &["10.0.0.1"], perfect(ms(1))),
        host("server", &["198.51.100.1"], perfect(Duration::ZERO)),
    ]);
    value(config, |world| async move {
        let socket = world.host(&"phone".into()).unwrap().bind_udp(address("0.0.0.0:5000")).unwrap();
        let server = world.host(&"server".into()).unwrap().bind_udp(address("198.51.100.1:9")).unwrap();
        world.schedule_access(&"phone".into(), &schedule).unwrap();
        sleep(ms(25)).await;
        let mut delays = Vec::new();
        for _ in 0..10 {
            let sent = world.now();
            socket.send_to(b"x", address("198.51.100.1:9")).await.unwrap();
            let got = timeout(ms(49), server.recv_from(&mut [0; 4])).await;
            delays.push(got.ok().map(|_| (world.now() - sent).as_millis() as u64));
            sleep(ms(50) - (world.now() - sent)).await;
        }
        delays
    })
}

#[test]
fn schedules_change_links_in_time_and_may_repeat() {
    let down = Access::symmetric(LinkModel { up: false, ..LinkModel::with_delay(ms(2)) });
    // Written out of order on purpose.
    let steps = vec![(ms(150), perfect(ms(3))), (Duration::ZERO, perfect(ms(2))), (ms(100), down)];
    let once = delays_on(Schedule { steps: steps.clone(), ending: Ending::Stay });
    let (two, three) = (Some(2), Some(3));
    assert_eq!(once, [two, two, None, three, three, three, three, three, three, three]);
    let again = delays_on(Schedule { steps, ending: Ending::RepeatEvery(ms(200)) });
    assert_eq!(again, [two, two, None, three, two, two, None, three, two, two]);
}

#[test]
fn a_later_schedule_ends_an_earlier_one_and_so_does_a_handover() {
    value(phone_and_server(), |world| async move {
        let phone = world.host(&"phone".into()).unwrap();
        let socket = phone.bind_udp(address("0.0.0.0:5000")).unwrap();
        let server = world.host(&"server".into()).unwrap().bind_udp(address("198.51.100.1:9")).unwrap();
        let schedule =
            |after, delay| Schedule { steps: vec![(ms(after), perfect(ms(delay)))], ending: Ending::Stay };
        world.schedule_access(&"phone".into(), &schedule(1000, 100)).unwrap();
        world.schedule_access(&"phone".into(), &schedule(2000, 200)).unwrap();
        sleep(ms(1500)).await;
        assert_eq!(seen(&world, &socket, &server).await.unwrap().1, 10);
        moves(&world, lte(), Transition::Gap(Duration::ZERO), Connections::Stall);
        sleep(ms(1000)).await;
        assert_eq!(seen(&world, &socket, &server).await.unwrap().1, 45);
    });
}

fn with_slow_server() -> Recipe {
    let slow = ProcessingDelay { min: ms(50), max: ms(50) };
    let mut config = phone_and_server();
    config.hosts[1] = HostSpec { processing: slow, ..config.hosts[1].clone() };
    config
}

#[test]
fn a_host_without_power_is_silent_and_its_sockets_are_dead() {
    let outcome = run(phone_and_server(), |world| async move {
        let [phone, server] = ["phone", "server"].map(|name| world.host(&name.into()).unwrap());
        let socket = phone.bind_udp(address("0.0.0.0:5000")).unwrap();
        let old = server.bind_udp(address("198.51.100.1:9")).unwrap();
        let waiting = async { old.recv_from(&mut [0; 4]).await.unwrap_err().kind() };
        let switch = async { world.set_power(&"server".into(), Power::Off).unwrap() };
        assert_eq!(tokio::join!(waiting, switch).0, ErrorKind::NotConnected);
        socket.send_to(b"x", address("198.51.100.1:9")).await.unwrap();
        assert_eq!(server.bind_udp(address("198.51.100.1:9")).unwrap_err().kind(), ErrorKind::NotConnected);
        assert_eq!(server.listen(address("198.51.100.1:80")).unwrap_err().kind(), ErrorKind::NotConnected);
        assert_eq!(
            server.connect(address("203.0.113.1:80")).await.unwrap_err().kind(),
            ErrorKind::NotConnected
        );
        sleep(ms(100)).await;
        world.set_power(&"server".into(), Power::On).unwrap();
        assert_eq!(
            old.send_to(b"x", address("203.0.113.1:5000")).await.unwrap_err().kind(),
            ErrorKind::NotConnected
        );
        let new = server.bind_udp(address("198.51.100.1:9")).unwrap();
        // The old socket's end does not touch the new one.
        drop(old);
        assert!(seen(&world, &socket, &new).await.is_some());
    });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    assert_eq!(verdicts, [Verdict::PowerOff, Verdict::Delivered]);
}

/// The server loses its power for two seconds while a connection stands. `sends_at` is when the phone sends
/// something, from then on; what it sees, and when.
fn power_loss(config: Recipe, sends_at: u64) -> (ErrorKind, u64) {
    value(config, move |world| async move {
        let [phone, server] = ["phone", "server"].map(|name| world.host(&name.into()).unwrap());
        let listener = server.listen(address("198.51.100.1:80")).unwrap();
        let (client, accepted) = tokio::join!(phone.connect(address("198.51.100.1:80")), listener.accept());
        let (mut client, mut accepted) = (client.unwrap(), accepted.unwrap().0);
        let start = world.now();
        let power = world.clone();
        tokio::spawn(async move {
            sleep(ms(1000)).await;
            power.set_power(&"server".into(), Power::Off).unwrap();
            assert_eq!(accepted.read_u8().await.unwrap_err().kind(), ErrorKind::NotConnected);
            assert_eq!(accepted.write_all(b"x").await.unwrap_err().kind(), ErrorKind::NotConnected);
            // The program may be slow to notice that it is dead: its stream is not dropped yet.
            drop(listener);
            sleep(ms(2000)).await;
            power.set_power(&"server".into(), Power::On).unwrap();
            // Another port: the old one is in use for as long as that stream is.
            let listener = server.listen(address("198.51.100.1:81")).unwrap();
            listener.accept().await.unwrap().0.write_all(b"!").await.unwrap();
            sleep(ms(100_000)).await;
            drop(accepted);
        });
        sleep(ms(sends_at)).await;
        client.write_all(b"x").await.unwrap();
        let kind = client.read_u8().await.unwrap_err().kind();
        let seen_at = (world.now() - start).as_millis() as u64;
        assert!(format!("{world:?}").contains("tcp_flows: 0"));
        sleep(ms(3000)).await;
        let mut again = phone.connect(address("198.51.100.1:81")).await.unwrap();
        assert_eq!(again.read_u8().await.unwrap(), b'!');
        (kind, seen_at)
    })
}

#[test]
fn who_sends_to_a_rebooted_host_is_reset_as_soon_as_a_retransmission_gets_there() {
    // Sent at 2000, lost in front of the server 10 ms later; tried again after 200, 400 and 800 ms more, each of
    // which is lost after 10 ms but for the last: at the server at 3440, back at 3450.
    assert_eq!(power_loss(phone_and_server(), 2000), (ErrorKind::ConnectionReset, 3450));
    // Sent after the reboot: one round trip.
    assert_eq!(power_loss(phone_and_server(), 5000), (ErrorKind::ConnectionReset, 5020));
}

#[test]
fn what_a_host_was_handling_when_its_power_went_is_answered_when_it_is_back() {
    // At the server at 980 + 10, where it would have been handled by 1040: but the server is off from 1000 on.
    assert_eq!(power_loss(with_slow_server(), 980), (ErrorKind::ConnectionReset, 3000 + 10));
}

#[test]
fn who_has_nothing_to_say_never_learns_of_a_reboot() {
    value(phone_and_server(), |world| async move {
        let [phone, server] = ["phone", "server"].map(|name| world.host(&name.into()).unwrap());
        let listener = server.listen(address("198.51.100.1:80")).unwrap();
        let (client, accepted) = tokio::join!(phone.connect(address("198.51.100.1:80")), listener.accept());
        let mut client = client.unwrap();
        world.set_power(&"server".into(), Power::Off).unwrap();
        drop((listener, accepted));
        sleep(ms(1000)).await;
        world.set_power(&"server".into(), Power::On).unwrap();
        assert!(timeout(ms(1_000_000), client.read_u8()).await.is_err());
    });
}

#[test]
fn an_attempt_on_a_host_without_power_succeeds_when_it_is_back() {
    let at = value(phone_and_server(), |world| async move {
        world.set_power(&"server".into(), Power::Off).unwrap();
        let (server, power) = (world.host(&"server".into()).unwrap(), world.clone());
        tokio::spawn(async move {
            sleep(ms(2000)).await;
            power.set_power(&"server".into(), Power::On).unwrap();
            let listener = server.listen(address("198.51.100.1:80")).unwrap();
            listener.accept().await.unwrap();
        });
        world.host(&"phone".into()).unwrap().connect(address("198.51.100.1:80")).await.unwrap();
        world.now().as_millis()
    });
    // A SYN that finds nobody: its sender repeats it 1 and 3 seconds after it was lost at the server, at 10 ms.
    assert_eq!(at, 10 + 1000 + 10 + 2000 + 20);
}
