//! Whole worlds behind NATs and firewalls.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use netsim::{
    Dependence, Firewall, Gateway, Hairpinning, Half, Host, NatConfig, PortRange, UdpSocket, World,
};
use timeline::Verdict;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::world::{Recipe, address, host, ms, perfect, run, value, world_of};

const SERVER: &str = "198.51.100.1:3478";
const HOME: &str = "203.0.113.1";

/// `left` and `right` behind NATs of their own, both with the same private address, and a server at the core.
fn two_homes(left: NatConfig, right: NatConfig) -> Recipe {
    let mut config = world_of([
        host("left", &["192.168.1.2"], perfect(ms(5))),
        host("right", &["192.168.1.2"], perfect(ms(5))),
        host("server", &["198.51.100.1", "198.51.100.2"], perfect(ms(5))),
    ]);
    config.gateways = vec![
        Gateway::with_nat("left-nat", vec!["left".into()], left),
        Gateway::with_nat("right-nat", vec!["right".into()], right),
    ];
    config
}

/// `left` and `right` behind one NAT.
fn one_home(nat: NatConfig) -> Recipe {
    let mut config = world_of([
        host("left", &["192.168.1.2"], perfect(ms(5))),
        host("right", &["192.168.1.3"], perfect(ms(5))),
        host("server", &["198.51.100.1", "198.51.100.2"], perfect(ms(5))),
    ]);
    config.gateways = vec![Gateway::with_nat("nat", vec!["left".into(), "right".into()], nat)];
    config
}

fn home(mapping: Dependence, filtering: Dependence) -> NatConfig {
    NatConfig::new(HOME.parse().unwrap(), mapping, filtering)
}

fn cone() -> NatConfig {
    NatConfig::port_restricted_cone(HOME.parse().unwrap())
}

/// The same NAT with another public address.
fn on(public: &str, nat: NatConfig) -> NatConfig {
    NatConfig { public: vec![public.parse().unwrap()], ..nat }
}

fn at(world: &World, name: &str) -> Host {
    world.host(&name.into()).unwrap()
}

fn bind(world: &World, name: &str, port: u16) -> UdpSocket {
    at(world, name).bind_udp(SocketAddr::new([0, 0, 0, 0].into(), port)).unwrap()
}

/// The next datagram within a second: what it says, and from where.
async fn next(socket: &UdpSocket) -> Option<(Vec<u8>, SocketAddr)> {
    let mut buf = [0; 64];
    let (len, from) = timeout(ms(1000), socket.recv_from(&mut buf)).await.ok()?.unwrap();
    Some((buf[..len].to_vec(), from))
}

/// What a STUN server would answer: the address that `socket` has for `server`.
async fn reflexive(socket: &UdpSocket, server: &UdpSocket) -> SocketAddr {
    socket.send_to(b"who am I", server.local_addr().unwrap()).await.unwrap();
    next(server).await.unwrap().1
}

fn server_socket(world: &World) -> UdpSocket {
    at(world, "server").bind_udp(address(SERVER)).unwrap()
}

#[test]
fn a_nat_shows_its_own_address_and_lets_answers_back() {
    let outcome = run(two_homes(cone(), on("203.0.113.2", cone())), |world| async move {
        let (left, server) = (bind(&world, "left", 5000), server_socket(&world));
        let mapped = reflexive(&left, &server).await;
        assert_eq!(mapped, address("203.0.113.1:5000"));
        server.send_to(b"you are", mapped).await.unwrap();
        assert_eq!(next(&left).await.unwrap().1, address(SERVER));
        // Another port of the server is filtered; another port of the NAT has no mapping.
        let other = at(&world, "server").bind_udp(address("198.51.100.1:9")).unwrap();
        other.send_to(b"x", mapped).await.unwrap();
        server.send_to(b"x", address("203.0.113.1:5001")).await.unwrap();
        server.send_to(b"x", address("192.168.1.2:5000")).await.unwrap();
        assert_eq!(next(&left).await, None);
    });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    use Verdict::{Delivered, NatFiltered, NatNoMapping, Unroutable};
    assert_eq!(verdicts, [Delivered, Delivered, NatFiltered, NatNoMapping, Unroutable]);
    let [out, back, ..] = outcome.packets.as_slice() else { panic!("five packets") };
    assert_eq!(out.from, address("192.168.1.2:5000"));
    assert_eq!(out.translated.as_ref().unwrap().from, address("203.0.113.1:5000"));
    assert_eq!(back.to_host.as_ref().unwrap().as_str(), "left");
    assert_eq!(back.translated.as_ref().unwrap().to, address("192.168.1.2:5000"));
}

/// Whether two peers that know each other's server-reflexive addresses find a path as ICE does (RFC 8445 §7):
/// checks to every address that was announced or heard from, answered where they came from; a check counts if
/// its answer comes from where it was sent to (§7.2.5.2.1).
fn punches(left: NatConfig, right: NatConfig) -> bool {
    value(two_homes(left, on("203.0.113.2", right)), |world| async move {
        let sockets = [bind(&world, "left", 5000), bind(&world, "right", 5000)];
        let server = server_socket(&world);
        let mapped = [reflexive(&sockets[0], &server).await, reflexive(&sockets[1], &server).await];
        let mut targets = [vec![mapped[1]], vec![mapped[0]]];
        for _ in 0..4 {
            for (socket, targets) in sockets.iter().zip(&targets) {
                for to in targets {
                    socket.send_to(to.to_string().as_bytes(), *to).await.unwrap();
                }
            }
            for _ in 0..4 {
                for (socket, targets) in sockets.iter().zip(&mut targets) {
                    if listen(socket, targets).await {
                        return true;
                    }
                }
            }
        }
        false
    })
}

/// Answers what `socket` hears within 20 ms, and remembers from where. Whether one of its own checks was
/// answered by whom it was sent to.
async fn listen(socket: &UdpSocket, targets: &mut Vec<SocketAddr>) -> bool {
    let mut buf = [0; 64];
    while let Ok(got) = timeout(ms(20), socket.recv_from(&mut buf)).await {
        let (len, from) = got.unwrap();
        match std::str::from_utf8(&buf[..len]).unwrap().strip_prefix("answer to ") {
            Some(checked) if address(checked) == from => return true,
            Some(_) => {}
            None => {
                let answer = [b"answer to ", &buf[..len]].concat();
                socket.send_to(&answer, from).await.unwrap();
                if !targets.contains(&from) {
                    targets.push(from);
                }
            }
        }
    }
    false
}

/// Whether a direct path exists, thought through from RFC 4787 for peers that know each other's mapping towards
/// a server.
///
/// A check gets in to the mapping that was announced if the filter lets anybody in, or if the receiver sends
/// from that mapping (endpoint-independent) and has sent to the address, or to the very endpoint, that the check
/// comes from. If the receiver answers from that mapping, the path is found. Otherwise its own check, from a new
/// mapping, must get back in, and one of the two must keep its mapping towards the other's new port.
fn has_direct_path(left: (Dependence, Dependence), right: (Dependence, Dependence)) -> bool {
    use Dependence::{AddressAndPortDependent as Apd, AddressDependent as Ad, EndpointIndependent as Ei};
    let gets_in = |from: (Dependence, _), to: (Dependence, Dependence)| {
        to.1 == Ei || (to.0 == Ei && (to.1 == Ad || from.0 == Ei))
    };
    let comes_back = |from: (Dependence, Dependence), to: (Dependence, _)| {
        to.0 == Ei || (from.1 != Apd && (from.0 != Apd || to.0 != Apd))
    };
    let is_found = |from, to| gets_in(from, to) && comes_back(from, to);
    is_found(left, right) || is_found(right, left)
}

/// The 81 pairs of RFC 4787 behaviours; `determinism-nat.md` counted 42 that connect.
#[test]
fn hole_punching_works_for_the_pairs_for_which_it_should() {
    let mut connecting = 0;
    for left in behaviours() {
        for right in behaviours() {
            let [left_nat, right_nat] = [left, right].map(|(mapping, filtering)| home(mapping, filtering));
            let found = punches(left_nat, right_nat);
            assert_eq!(found, has_direct_path(left, right), "{left:?} against {right:?}");
            connecting += usize::from(found);
        }
    }
    assert_eq!(connecting, 42);
}

fn behaviours() -> impl Iterator<Item = (Dependence, Dependence)> {
    use Dependence::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    let all = [EndpointIndependent, AddressDependent, AddressAndPortDependent];
    all.into_iter().flat_map(move |mapping| all.into_iter().map(move |filtering| (mapping, filtering)))
}

#[test]
fn neighbours_reach_each_other_directly_and_by_hairpin() {
    let outcome = run(one_home(cone()), |world| async move {
        let (left, right, server) =
            (bind(&world, "left", 5000), bind(&world, "right", 5000), server_socket(&world));
        left.send_to(b"directly", address("192.168.1.3:5000")).await.unwrap();
        assert_eq!(next(&right).await.unwrap().1, address("192.168.1.2:5000"));
        // Right's port is taken by left, so it gets the next one.
        let mapped = [reflexive(&left, &server).await, reflexive(&right, &server).await];
        assert_eq!(mapped, [address("203.0.113.1:5000"), address("203.0.113.1:5001")]);
        left.send_to(b"first", mapped[1]).await.unwrap();
        assert_eq!(next(&right).await, None);
        right.send_to(b"second", mapped[0]).await.unwrap();
        // RFC 4787 REQ-9a: the source is the external one.
        assert_eq!(next(&left).await.unwrap(), (b"second".to_vec(), mapped[1]));
    });
    assert_eq!(outcome.packets[3].verdict, Verdict::NatFiltered);
}

#[test]
fn a_nat_that_does_not_hairpin_drops() {
    let nat = NatConfig { hairpinning: Hairpinning::Off, ..NatConfig::full_cone(HOME.parse().unwrap()) };
    let outcome = run(one_home(nat), |world| async move {
        let (left, right, server) =
            (bind(&world, "left", 5000), bind(&world, "right", 5000), server_socket(&world));
        let mapped = reflexive(&right, &server).await;
        left.send_to(b"x", mapped).await.unwrap();
        assert_eq!(next(&right).await, None);
    });
    assert_eq!(outcome.packets[1].verdict, Verdict::NatNoHairpin);
}

#[test]
fn a_mapping_dies_after_two_minutes_of_silence() {
    for (late, arrives) in [(0, true), (1, false)] {
        let outcome = run(two_homes(cone(), on("203.0.113.2", cone())), move |world| async move {
            let (left, server) = (bind(&world, "left", 5000), server_socket(&world));
            let mapped = reflexive(&left, &server).await;
            // The mapping was made when the datagram was at the core, at 5 ms; the answer takes 5 ms there.
            tokio::time::sleep_until(tokio::time::Instant::now() + ms(120_000 + late - 10)).await;
            server.send_to(b"x", mapped).await.unwrap();
            next(&left).await.is_some()
        });
        assert_eq!(outcome.value, Some(arrives));
        let expect = if arrives { Verdict::Delivered } else { Verdict::NatNoMapping };
        assert_eq!(outcome.packets[1].verdict, expect);
    }
}

#[test]
fn a_carrier_grade_nat_translates_twice() {
    let mut config = two_homes(on("100.64.0.2", cone()), on("100.64.0.3", cone()));
    let inside = vec!["left-nat".into(), "right-nat".into()];
    let nat = NatConfig::full_cone("203.0.113.9".parse().unwrap());
    config.gateways.push(Gateway::with_nat("carrier", inside, nat));
    let outcome = run(config, |world| async move {
        let (left, right, server) =
            (bind(&world, "left", 5000), bind(&world, "right", 5000), server_socket(&world));
        let mapped = [reflexive(&left, &server).await, reflexive(&right, &server).await];
        assert_eq!(mapped, [address("203.0.113.9:5000"), address("203.0.113.9:5001")]);
        // Both punch, through the carrier's hairpin.
        left.send_to(b"x", mapped[1]).await.unwrap();
        sleep(ms(100)).await;
        right.send_to(b"y", mapped[0]).await.unwrap();
        assert_eq!(next(&left).await.unwrap(), (b"y".to_vec(), mapped[1]));
        left.send_to(b"z", mapped[1]).await.unwrap();
        assert_eq!(next(&right).await.unwrap(), (b"z".to_vec(), mapped[0]));
    });
    assert_eq!(outcome.packets[2].verdict, Verdict::NatFiltered);
}

#[test]
fn an_exhausted_nat_drops() {
    let nat = NatConfig { port_range: PortRange { first: 4000, last: 4001 }, ..cone() };
    let outcome = run(one_home(nat), |world| async move {
        let server = server_socket(&world);
        for port in [1, 2, 3] {
            bind(&world, "left", port).send_to(b"x", address(SERVER)).await.unwrap();
            sleep(ms(20)).await;
        }
        drop(server);
    });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    assert_eq!(verdicts, [Verdict::Delivered, Verdict::Delivered, Verdict::NatPortsExhausted]);
}

/// Opens a connection from `left` to the server's `port` and has a byte echoed.
async fn echo_over_tcp(world: &World, port: u16) -> std::io::Result<SocketAddr> {
    let to = SocketAddr::new([198, 51, 100, 1].into(), port);
    let listener = at(world, "server").listen(to)?;
    let serving = tokio::spawn(async move {
        let (mut stream, peer) = listener.accept().await?;
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await?;
        stream.read_u8().await.ok();
        std::io::Result::Ok(peer)
    });
    let mut stream = at(world, "left").connect(to).await?;
    assert_eq!(stream.local_addr()?.ip().to_string(), "192.168.1.2");
    stream.write_u8(7).await?;
    assert_eq!(stream.read_u8().await?, 7);
    drop(stream);
    serving.await.unwrap()
}

#[test]
fn tcp_goes_through_nats_and_only_from_inside() {
    let outcome = run(two_homes(cone(), on("203.0.113.2", cone())), |world| async move {
        let peer = echo_over_tcp(&world, 443).await.unwrap();
        assert_eq!(peer.ip().to_string(), HOME);
        let listener = at(&world, "left").listen(address("0.0.0.0:80")).unwrap();
        let kind = at(&world, "server").connect(address("203.0.113.1:80")).await.unwrap_err().kind();
        drop(listener);
        sleep(ms(1000)).await;
        (kind, format!("{world:?}"))
    });
    let (kind, world) = outcome.value.unwrap();
    assert_eq!(kind, ErrorKind::TimedOut);
    assert!(world.contains("tcp_flows: 0"), "{world}");
}

#[test]
fn two_connections_from_one_private_address_do_not_mix() {
    value(two_homes(cone(), on("203.0.113.2", cone())), |world| async move {
        let listener = at(&world, "server").listen(address("198.51.100.1:80")).unwrap();
        let mut streams = Vec::new();
        for name in ["left", "right"] {
            let host = at(&world, name);
            let (client, server) = tokio::join!(host.connect(address("198.51.100.1:80")), listener.accept());
            streams.push((client.unwrap(), server.unwrap().0));
        }
        assert_eq!(streams[0].0.local_addr().unwrap(), streams[1].0.local_addr().unwrap());
        for (i, (client, _)) in streams.iter_mut().enumerate() {
            client.write_u8(i as u8).await.unwrap();
        }
        for (i, (_, server)) in streams.iter_mut().enumerate() {
            assert_eq!(server.read_u8().await.unwrap(), i as u8);
        }
    });
}

/// After the mapping of a connection is gone its segments come from another port: the server knows no such
/// connection and resets it.
#[test]
fn a_connection_whose_mapping_is_gone_is_reset() {
    let mut nat = on(HOME, NatConfig::symmetric(HOME.parse().unwrap()));
    nat.timeouts.tcp_established = Duration::from_secs(60);
    let at_ms = value(two_homes(nat, on("203.0.113.2", cone())), |world| async move {
        let listener = at(&world, "server").listen(address("198.51.100.1:80")).unwrap();
        let left = at(&world, "left");
        let (client, server) = tokio::join!(left.connect(address("198.51.100.1:80")), listener.accept());
        let (mut client, _server) = (client.unwrap(), server.unwrap());
        let idle_since = world.now();
        sleep(Duration::from_secs(70)).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        (world.now() - idle_since).as_millis()
    });
    assert_eq!(at_ms, 70_000 + 20);
}

/// The mapping of a SYN expires before its retransmission, which therefore comes from another port. Nothing of
/// the first one is left when the connection is over.
#[test]
fn a_syn_that_is_sent_again_may_come_from_another_port() {
    let mut nat = NatConfig::symmetric(HOME.parse().unwrap());
    nat.timeouts.tcp_transitory = ms(500);
    let world = value(two_homes(nat, on("203.0.113.2", cone())), |world| async move {
        let slow = netsim::LinkModel::with_delay(ms(5));
        world.set_link(&"server".into(), Half::Down, netsim::LinkModel { up: false, ..slow }).unwrap();
        let faults = world.clone();
        tokio::spawn(async move {
            sleep(ms(700)).await;
            faults.set_link(&"server".into(), Half::Down, slow).unwrap();
        });
        echo_over_tcp(&world, 80).await.unwrap();
        assert!(world.now().as_millis() >= 1000);
        sleep(ms(1000)).await;
        format!("{world:?}")
    });
    assert!(world.contains("tcp_flows: 0"), "{world}");
}

#[test]
fn a_nat_leaves_ipv6_alone() {
    let mut config = one_home(cone());
    config.hosts[0].addresses.push("2001:db8:1::2".parse().unwrap());
    config.hosts[2].addresses.push("2001:db8::1".parse().unwrap());
    value(config, |world| async move {
        let left = at(&world, "left").bind_udp(address("[2001:db8:1::2]:9")).unwrap();
        let server = at(&world, "server").bind_udp(address("[2001:db8::1]:9")).unwrap();
        server.send_to(b"x", left.local_addr().unwrap()).await.unwrap();
        assert_eq!(next(&left).await.unwrap().1, server.local_addr().unwrap());
        assert_eq!(reflexive(&left, &server).await, left.local_addr().unwrap());
    });
}

fn behind(firewall: Firewall) -> Recipe {
    let mut config = one_home(cone());
    config.gateways[0].firewall = Some(firewall);
    config
}

/// Whether UDP to the ports 53 and 3478, and TCP to 443 and 8080, get an answer.
#[track_caller]
fn check_firewall(firewall: Firewall, expect: [bool; 4]) {
    let outcome = run(behind(firewall), |world| async move {
        let mut found = Vec::new();
        for port in [53, 3478] {
            let server =
                at(&world, "server").bind_udp(SocketAddr::new([198, 51, 100, 1].into(), port)).unwrap();
            let left = bind(&world, "left", 0);
            left.send_to(b"ping", server.local_addr().unwrap()).await.unwrap();
            if let Some((_, from)) = next(&server).await {
                server.send_to(b"pong", from).await.unwrap();
            }
            found.push(next(&left).await.is_some());
        }
        for port in [443, 8080] {
            found.push(timeout(ms(10_000), echo_over_tcp(&world, port)).await.is_ok());
        }
        found
    });
    assert_eq!(outcome.value.unwrap(), expect);
}

#[test]
fn firewalls_let_out_what_their_rules_say() {
    check_firewall(Firewall::stateful(), [true, true, true, true]);
    check_firewall(Firewall::udp_blocked(), [false, false, true, true]);
    check_firewall(Firewall::web_only(), [false, false, true, false]);
    check_firewall(Firewall::udp_only_to(3478), [false, true, true, true]);
}

#[test]
fn a_stateful_firewall_guards_ipv6_without_translating() {
    let mut config = world_of([
        host("left", &["2001:db8:1::2"], perfect(ms(5))),
        host("server", &["2001:db8::1"], perfect(ms(5))),
    ]);
    config.gateways = vec![Gateway::with_firewall("router", vec!["left".into()], Firewall::stateful())];
    let outcome = run(config, |world| async move {
        let left = at(&world, "left").bind_udp(address("[::]:5000")).unwrap();
        let server = at(&world, "server").bind_udp(address("[2001:db8::1]:9")).unwrap();
        server.send_to(b"unasked", address("[2001:db8:1::2]:5000")).await.unwrap();
        assert_eq!(next(&left).await, None);
        assert_eq!(reflexive(&left, &server).await, address("[2001:db8:1::2]:5000"));
        server.send_to(b"asked", address("[2001:db8:1::2]:5000")).await.unwrap();
        assert!(next(&left).await.is_some());
        // Boundary: what comes back refreshes; two minutes after it everything is shut.
        sleep(ms(120_000 - 1005)).await;
        server.send_to(b"in time", address("[2001:db8:1::2]:5000")).await.unwrap();
        sleep(ms(120_001)).await;
        server.send_to(b"late", address("[2001:db8:1::2]:5000")).await.unwrap();
        sleep(ms(1000)).await;
    });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    use Verdict::{Delivered, FirewallBlocked};
    assert_eq!(verdicts, [FirewallBlocked, Delivered, Delivered, Delivered, FirewallBlocked]);
    assert!(outcome.packets.iter().all(|packet| packet.translated.is_none()));
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Recipe), expect: &str) {
    let mut config = one_home(cone());
    change(&mut config);
    assert_eq!(config.build().unwrap_err().to_string(), expect);
}

#[test]
fn impossible_networks_are_refused() {
    check_refused(
        |config| config.gateways[0].inside.push("nobody".into()),
        "gateway nat has nobody inside, but no host and no gateway is called that",
    );
    check_refused(
        |config| config.gateways.push(Gateway::with_nat("b", vec!["left".into()], on("203.0.113.2", cone()))),
        "left is inside two gateways",
    );
    check_refused(|config| config.gateways[0].inside.push("nat".into()), "gateway nat is behind itself");
    check_refused(
        |config| config.hosts[1].addresses = config.hosts[0].addresses.clone(),
        "left and right both have the address 192.168.1.2",
    );
    check_refused(
        |config| config.gateways[0].nat = Some(on("198.51.100.2", cone())),
        "nat and server both have the address 198.51.100.2",
    );
    check_refused(|config| config.gateways[0].name = "left".into(), "two hosts or gateways are called left");
    check_refused(
        |config| config.gateways[0].nat = Some(on("2001:db8::1", cone())),
        "gateway nat cannot translate to 2001:db8::1: not an IPv4 address of a host",
    );
    check_refused(
        |config| {
            config.gateways[0].nat = Some(NatConfig { port_range: PortRange { first: 2, last: 1 }, ..cone() })
        },
        "gateway nat has no ports: its range is empty or begins at 0",
    );
}
