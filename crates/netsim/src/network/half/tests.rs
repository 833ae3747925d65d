use super::*;
use crate::Probability;

fn half() -> HalfLink {
    let model = LinkModel {
        jitter: Duration::from_millis(5),
        loss: Probability::new(0.2).unwrap(),
        ..LinkModel::with_delay(Duration::from_millis(10))
    };
    HalfLink::new(1, &"caller".into(), Place::Up, 0, model)
}

fn cross(half: &mut HalfLink, transport: Transport, exposure: Exposure) -> Crossing {
    half.cross(VirtualTime::ZERO, Load { transport, exposure, mtu: MtuFate::Counts, bytes: 100 })
}

#[test]
fn tcp_leaves_the_weather_of_udp_alone() {
    let (mut quiet, mut busy) = (half(), half());
    for i in 0..1000 {
        for _ in 0..i % 3 {
            cross(&mut busy, Transport::Tcp, Exposure::Full);
        }
        let [quiet, busy] = [&mut quiet, &mut busy].map(|half| cross(half, Transport::Udp, Exposure::Full));
        assert_eq!(quiet, busy);
    }
}

#[test]
fn a_time_without_link_does_not_shift_the_weather_after_it() {
    let (mut steady, mut flapping) = (half(), half());
    for half in [&mut steady, &mut flapping] {
        half.model.bursts = Some(crate::GilbertElliott::bursts(Probability::new(0.3).unwrap(), 5.0).unwrap());
        half.model.correlation = crate::Correlation::new(0.9).unwrap();
    }
    for i in 0..1000 {
        flapping.model.up = !(100..200).contains(&i);
        let expect = cross(&mut steady, Transport::Udp, Exposure::Full);
        let found = cross(&mut flapping, Transport::Udp, Exposure::Full);
        assert_eq!(found, if flapping.model.up { expect } else { Crossing::Stopped(Stop::Down) });
    }
    assert_eq!(flapping.counts.dropped, 100);
    assert_eq!(flapping.counts.sent, 1000);
}

#[test]
fn spared_packets_are_only_stopped_by_a_link_that_is_down() {
    let mut half = half();
    half.model.loss = Probability::ONE;
    half.model.rate = Some(crate::Rate { bps: 1000.try_into().unwrap(), queue: crate::QueueLimit::Bytes(0) });
    assert!(matches!(cross(&mut half, Transport::Tcp, Exposure::Spared), Crossing::Passes { .. }));
    assert_eq!(cross(&mut half, Transport::Tcp, Exposure::Full), Crossing::Stopped(Stop::QueueFull));
    half.model.rate = None;
    assert_eq!(cross(&mut half, Transport::Tcp, Exposure::Full), Crossing::Stopped(Stop::Lost));
    half.model.up = false;
    assert_eq!(cross(&mut half, Transport::Tcp, Exposure::Spared), Crossing::Stopped(Stop::Down));
}

#[test]
fn a_datagram_of_the_mtu_passes_and_one_byte_more_does_not() {
    let mut half = half();
    half.model = LinkModel { mtu_bytes: Some(1280), ..LinkModel::with_delay(Duration::ZERO) };
    let mut cross = |transport, mtu, bytes| {
        half.cross(VirtualTime::ZERO, Load { transport, exposure: Exposure::Full, mtu, bytes })
    };
    assert!(matches!(cross(Transport::Udp, MtuFate::Counts, 1280), Crossing::Passes { .. }));
    assert_eq!(cross(Transport::Udp, MtuFate::Counts, 1281), Crossing::Stopped(Stop::TooBig));
    // A TCP stack of the world knows the path's MTU; one outside of it learns it from what is too big.
    assert!(matches!(cross(Transport::Tcp, MtuFate::Known, 1281), Crossing::Passes { .. }));
    assert_eq!(cross(Transport::Tcp, MtuFate::Counts, 1281), Crossing::Stopped(Stop::TooBig));
}

#[test]
fn damage_flips_one_bit() {
    let mut payload = [0; 3];
    Damage(24 * 7 + 17).apply(&mut payload);
    assert_eq!(payload, [0, 0, 2]);
    Damage(5).apply(&mut []);
}
