//! Random traffic against the RFC's words, written down a second time: [`Oracle`] keeps a history of what
//! happened and derives from it what must happen next. It shares no code with the NAT.

use std::time::Duration;

use proptest::prelude::*;
use timeline::TcpFlags;

use super::*;
use crate::{PortAllocation, PortRange, Refresh, Timeouts};

const UDP_TIMEOUT: Duration = Timeouts::RFC.udp;

fn udp(at: VirtualTime) -> Glance {
    Glance { at, transport: Transport::Udp, flags: TcpFlags::default() }
}

fn ms(ms: u64) -> VirtualTime {
    VirtualTime::from_millis(ms)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn nat(change: impl FnOnce(&mut NatConfig)) -> Nat {
    let mut config = NatConfig::port_restricted_cone("203.0.113.1".parse().unwrap());
    change(&mut config);
    Nat::new(7, &"nat".into(), &config)
}

/// What went through, oldest first.
#[derive(Default)]
struct Oracle {
    sent: Vec<Sent>,
}

struct Sent {
    inside: SocketAddr,
    remote: SocketAddr,
    outside: SocketAddr,
    at: VirtualTime,
    /// When the mapping was refreshed last, by this packet or by what came in for it.
    refreshed: VirtualTime,
}

impl Oracle {
    fn same_mapping(mapping: Dependence, a: SocketAddr, b: SocketAddr) -> bool {
        match mapping {
            Dependence::EndpointIndependent => true,
            Dependence::AddressDependent => a.ip() == b.ip(),
            Dependence::AddressAndPortDependent => a == b,
        }
    }

    /// The packets whose mapping is `outside` and alive. A mapping that has expired has no past.
    fn alive(&self, at: VirtualTime, outside: SocketAddr) -> Vec<&Sent> {
        let mut life: Vec<&Sent> = Vec::new();
        let mut last = VirtualTime::ZERO;
        for sent in self.sent.iter().filter(|sent| sent.outside == outside) {
            let starts_anew = sent.at.since(last) > UDP_TIMEOUT;
            let changed_hands = life.last().is_some_and(|earlier| earlier.inside != sent.inside);
            if starts_anew || changed_hands {
                life.clear();
            }
            last = sent.refreshed;
            life.push(sent);
        }
        if at.since(last) > UDP_TIMEOUT { Vec::new() } else { life }
    }

    /// The mapping that a packet has to use, if one is alive for it.
    fn mapping(
        &self,
        at: VirtualTime,
        config: &NatConfig,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Option<SocketAddr> {
        let fits =
            |sent: &&Sent| sent.inside == inside && Self::same_mapping(config.mapping, sent.remote, remote);
        let outside = self.sent.iter().rev().find(fits)?.outside;
        let life = self.alive(at, outside);
        life.iter().any(fits).then_some(outside)
    }

    /// To whom a packet from `remote` has to go, or why not.
    fn inbound(
        &self,
        at: VirtualTime,
        config: &NatConfig,
        remote: SocketAddr,
        outside: SocketAddr,
    ) -> Result<SocketAddr, Verdict> {
        let life = self.alive(at, outside);
        let inside = life.first().ok_or(Verdict::NatNoMapping)?.inside;
        let admits = |sent: &&Sent| match config.filtering {
            Dependence::EndpointIndependent => true,
            Dependence::AddressDependent => sent.remote.ip() == remote.ip(),
            Dependence::AddressAndPortDependent => sent.remote == remote,
        };
        if life.iter().any(admits) { Ok(inside) } else { Err(Verdict::NatFiltered) }
    }
}

/// What random traffic does.
#[derive(Clone, Debug)]
enum Act {
    Out(usize, usize),
    /// To the outside endpoint of an earlier packet, from a remote.
    In(usize, usize),
    Wait(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let waits = prop_oneof![0..2000u64, Just(120_000), Just(120_001), 100_000..140_000u64];
    let act = prop_oneof![
        4 => (0..6usize, 0..6usize).prop_map(|(inside, remote)| Act::Out(inside, remote)),
        4 => (0..40usize, 0..6usize).prop_map(|(earlier, remote)| Act::In(earlier, remote)),
        2 => waits.prop_map(Act::Wait),
    ];
    proptest::collection::vec(act, 1..60)
}

fn dependence() -> impl Strategy<Value = Dependence> {
    prop_oneof![
        Just(Dependence::EndpointIndependent),
        Just(Dependence::AddressDependent),
        Just(Dependence::AddressAndPortDependent),
    ]
}

fn config() -> impl Strategy<Value = NatConfig> {
    let ports = prop_oneof![
        Just(PortAllocation::Preserving),
        Just(PortAllocation::Sequential),
        Just(PortAllocation::Random)
    ];
    let refresh = prop_oneof![Just(Refresh::Outbound), Just(Refresh::Both)];
    let ranges = prop_oneof![Just(PortRange { first: 5000, last: 5003 }), Just(PortRange::UNPRIVILEGED)];
    (dependence(), dependence(), ports, refresh, ranges).prop_map(
        |(mapping, filtering, ports, refresh, port_range)| {
            let public = "203.0.113.1".parse().unwrap();
            NatConfig { ports, refresh, port_range, ..NatConfig::new(public, mapping, filtering) }
        },
    )
}

fn inside(i: usize) -> SocketAddr {
    address(
        ["10.0.0.2:5000", "10.0.0.2:5001", "10.0.0.3:5000", "10.0.0.3:9", "10.0.0.4:5000", "10.0.0.4:5003"]
            [i],
    )
}

fn remote(i: usize) -> SocketAddr {
    address(
        [
            "198.51.100.1:1",
            "198.51.100.1:2",
            "198.51.100.2:1",
            "198.51.100.2:2",
            "198.51.100.3:1",
            "198.51.100.3:2",
        ][i],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn random_traffic_meets_the_invariants_of_rfc_4787(config in config(), acts in acts()) {
        let mut nat = Nat::new(7, &"nat".into(), &config);
        let mut oracle = Oracle::default();
        let mut now = VirtualTime::ZERO;
        for act in acts {
            match act {
                Act::Wait(millis) => now = now + Duration::from_millis(millis),
                Act::Out(from, to) => {
                    let (inside, remote) = (inside(from), remote(to));
                    let expect = oracle.mapping(now, &config, inside, remote);
                    let found = nat.outbound(udp(now), inside, remote);
                    let Ok(outside) = found else {
                        // Only where every port of the range belongs to a living mapping.
                        prop_assert!(expect.is_none());
                        let range = config.port_range.first..=config.port_range.last;
                        let all_taken = range.into_iter().all(|port| {
                            !oracle.alive(now, SocketAddr::new(config.public[0], port)).is_empty()
                        });
                        prop_assert!(all_taken);
                        continue;
                    };
                    // REQ-1 and its kin: the mapping is kept while it lives.
                    prop_assert!(expect.is_none_or(|expect| expect == outside));
                    prop_assert!(config.port_range.contains(outside.port()));
                    // REQ-3: no two mappings share an outside endpoint.
                    if expect.is_none() {
                        prop_assert!(oracle.alive(now, outside).is_empty());
                    }
                    oracle.sent.push(Sent { inside, remote, outside, at: now, refreshed: now });
                }
                Act::In(earlier, from) => {
                    let outside = match oracle.sent.len() {
                        0 => SocketAddr::new(config.public[0], 5000),
                        len => oracle.sent[earlier % len].outside,
                    };
                    let expect = oracle.inbound(now, &config, remote(from), outside);
                    let found = nat.inbound(udp(now), remote(from), outside);
                    prop_assert_eq!(found, expect);
                    // REQ-6a.
                    if found.is_ok() && config.refresh == Refresh::Both {
                        let last = oracle.sent.iter_mut().rev().find(|sent| sent.outside == outside);
                        last.unwrap().refreshed = now;
                    }
                }
            }
        }
    }
}

#[track_caller]
fn check_life(refresh: Refresh, acts: &[(u64, &str)], expect: [bool; 2]) {
    for (late, expect) in (0..2).zip(expect) {
        let mut nat = nat(|config| config.refresh = refresh);
        let outside = nat.outbound(udp(ms(0)), inside(0), remote(0)).unwrap();
        for (at, act) in acts {
            match *act {
                "out" => drop(nat.outbound(udp(ms(*at)), inside(0), remote(0)).unwrap()),
                _ => drop(nat.inbound(udp(ms(*at)), remote(0), outside).unwrap()),
            }
        }
        let last = acts.last().map_or(0, |(at, _)| *at);
        let at = ms(last + 120_000 + late);
        assert_eq!(nat.inbound(udp(at), remote(0), outside).is_ok(), expect);
    }
}

#[test]
fn a_mapping_lives_for_its_timeout_and_not_a_millisecond_longer() {
    check_life(Refresh::Outbound, &[], [true, false]);
    check_life(Refresh::Outbound, &[(60_000, "out")], [true, false]);
    check_life(Refresh::Both, &[(60_000, "in")], [true, false]);
    check_life(Refresh::Outbound, &[(60_000, "in")], [false, false]);
}

#[test]
fn ports_are_preserved_until_somebody_else_has_them() {
    let mut nat = nat(|_| ());
    let mut port = |inside: &str| nat.outbound(udp(ms(0)), address(inside), remote(0)).unwrap().port();
    assert_eq!(
        ["10.0.0.2:5000", "10.0.0.3:5000", "10.0.0.4:5000", "10.0.0.2:80"].map(&mut port),
        [5000, 5001, 5002, 1024]
    );
}

#[test]
fn sequential_ports_go_round_and_random_ones_spread() {
    let range = PortRange { first: 2000, last: 2002 };
    let mut sequential =
        nat(|config| (config.ports, config.port_range) = (PortAllocation::Sequential, range));
    let mut port =
        |at, i| sequential.outbound(udp(ms(at)), inside(i), remote(0)).map(|outside| outside.port());
    assert_eq!([0, 1, 2].map(|i| port(0, i)), [Ok(2000), Ok(2001), Ok(2002)]);
    assert_eq!(port(120_000, 3), Err(Verdict::NatPortsExhausted));
    assert_eq!([0, 4].map(|i| port(120_001, i)), [Ok(2000), Ok(2001)]);
    let mut random = nat(|config| {
        (config.ports, config.mapping) = (PortAllocation::Random, Dependence::AddressAndPortDependent);
    });
    let mut quarters = [0; 4];
    for i in 0..10_000u16 {
        let remote = SocketAddr::new("198.51.100.1".parse().unwrap(), i + 1);
        let port = random.outbound(udp(ms(0)), inside(0), remote).unwrap().port();
        quarters[usize::from((port - 1024) / 16_128).min(3)] += 1;
    }
    // 2500 expected, standard deviation √(10000 · 1/4 · 3/4) = 43 without the taken ports; four of them.
    assert!(quarters.iter().all(|count| (2500 - 174..=2500 + 174).contains(count)), "{quarters:?}");
}

#[test]
fn inside_addresses_are_paired_with_public_ones() {
    let mut nat = nat(|config| config.public.push("203.0.113.2".parse().unwrap()));
    let mut public = |i| nat.outbound(udp(ms(0)), inside(i), remote(0)).unwrap().ip().to_string();
    assert_eq!(
        [0, 2, 1, 3, 4].map(&mut public).map(|ip| ip.chars().last().unwrap()),
        ['1', '2', '1', '2', '1']
    );
}

/// RFC 5382 REQ-5: what each exchange of flags leaves the mapping to live, as a boundary pair.
#[track_caller]
fn check_tcp(exchange: &[(&str, &str)], lives: Duration) {
    for late in [0, 1] {
        let mut nat = nat(|config| config.timeouts = Timeouts::RFC);
        let glance = |at, flags: &str| Glance {
            at,
            transport: Transport::Tcp,
            flags: TcpFlags {
                syn: flags.contains('s'),
                fin: flags.contains('f'),
                rst: flags.contains('r'),
                ack: flags.contains('a'),
            },
        };
        let mut outside = None;
        for (at, (direction, flags)) in (0..).zip(exchange) {
            let glance = glance(ms(at), flags);
            match (*direction, outside) {
                ("out", _) => outside = Some(nat.outbound(glance, inside(0), remote(0)).unwrap()),
                (_, outside) => drop(nat.inbound(glance, remote(0), outside.unwrap()).unwrap()),
            }
        }
        let at = ms(exchange.len() as u64 - 1 + late) + lives;
        let found = nat.inbound(glance(at, "a"), remote(0), outside.unwrap());
        assert_eq!(found.is_ok(), late == 0, "{exchange:?}");
    }
}

#[test]
fn tcp_mappings_live_by_the_state_of_their_connection() {
    let (transitory, established) = (Duration::from_secs(240), Duration::from_secs(7440));
    check_tcp(&[("out", "s")], transitory);
    check_tcp(&[("out", "s"), ("in", "sa")], established);
    check_tcp(&[("out", "s"), ("in", "sa"), ("out", "a"), ("in", "fa")], established);
    check_tcp(&[("out", "s"), ("in", "sa"), ("out", "fa"), ("in", "fa")], transitory);
    check_tcp(&[("out", "s"), ("in", "sa"), ("in", "r")], transitory);
    check_tcp(&[("out", "s"), ("in", "r"), ("out", "s"), ("in", "sa")], established);
}

#[test]
fn udp_and_tcp_have_ports_of_their_own() {
    let mut nat = nat(|config| config.port_range = PortRange::only(5000));
    let tcp = Glance { transport: Transport::Tcp, ..udp(ms(0)) };
    assert_eq!(nat.outbound(udp(ms(0)), inside(0), remote(0)).unwrap().port(), 5000);
    assert_eq!(nat.outbound(tcp, inside(2), remote(0)).unwrap().port(), 5000);
    assert_eq!(nat.inbound(tcp, remote(0), address("203.0.113.1:5000")), Ok(inside(2)));
}
