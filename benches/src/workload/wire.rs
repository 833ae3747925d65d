//! The network by itself: packets that nobody makes sense of.

use std::{future::Future, hint::black_box, net::SocketAddr, num::NonZeroU64, time::Duration};

use netsim::{Access, HostSpec, LinkModel, ProcessingDelay, QueueLimit, Rate, World, WorldConfig};
use timeline::Digest;

use super::{PrepareError, Prepared, Region, Size, Workload, within};

/// In the order in which they are shown.
pub(super) const ALL: &[Workload] = &[
    Workload {
        id: "wire/udp",
        about: "Datagrams of 1000 bytes from one host to another over links with delay, jitter and a rate, fifty in flight.",
        unit: "packet",
        prepare: |size, region| world("wire/udp", size, region, udp),
    },
    Workload {
        id: "wire/ping-pong",
        about: "Datagrams of 100 bytes to and fro, one in flight: each wakes a task and moves the clock.",
        unit: "packet",
        prepare: |size, region| world("wire/ping-pong", size, region, ping_pong),
    },
    Workload {
        id: "wire/world",
        about: "A world of two hosts, from its beginning to its end, in which nothing happens.",
        unit: "world",
        prepare: |_, region| world("wire/world", Size::Smoke, region, |_, _| async { 1 }),
    },
    Workload {
        id: "digest/packets",
        about: "The digest over 1000-byte packets.",
        unit: "byte",
        prepare: |size, region| Ok(digest(size, region)),
    },
];

const CALLER: &str = "10.0.0.1:5000";
const CALLEE: &str = "10.0.0.2:5000";

fn world<F: Future<Output = u64> + 'static>(
    id: &'static str,
    size: Size,
    region: Region,
    main: fn(World, u64) -> F,
) -> Result<Prepared, PrepareError> {
    determinism::supported()?;
    let packets = if size == Size::Full { 10_000 } else { 100 };
    Ok(Box::new(move || {
        let settings = determinism::Settings { seed: 1, epoch_s: 1_767_225_600 };
        let outcome = determinism::on_simulation_thread(settings, || {
            within(region, || World::run(config(), |world| main(world, packets)))
        });
        let outcome = outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let outcome = outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
        outcome.value.unwrap_or_else(|| panic!("{id}: {}", outcome.end))
    }))
}

fn config() -> WorldConfig {
    let link = LinkModel {
        jitter: Duration::from_millis(5),
        rate: NonZeroU64::new(100_000_000)
            .map(|bps| Rate { bps, queue: QueueLimit::Time(Duration::from_secs(1)) }),
        ..LinkModel::with_delay(Duration::from_millis(10))
    };
    let host = |name: &str, address: &str| HostSpec {
        name: name.into(),
        addresses: vec![address.parse::<SocketAddr>().expect("an address").ip()],
        access: Access::symmetric(link),
        processing: ProcessingDelay::ZERO,
    };
    let config = WorldConfig::builder(1).host(host("caller", CALLER)).host(host("callee", CALLEE));
    config.build().expect("hosts with names and addresses of their own")
}

fn sockets(world: &World) -> [netsim::UdpSocket; 2] {
    [("caller", CALLER), ("callee", CALLEE)].map(|(host, address)| {
        let host = world.host(&host.into()).expect("a host of this world");
        host.bind_udp(address.parse().expect("an address")).expect("a free port")
    })
}

/// Nothing is lost on these links, so that as many arrive as are sent.
async fn udp(world: World, packets: u64) -> u64 {
    const WINDOW: u64 = 50;
    let [caller, callee] = sockets(&world);
    let to = CALLEE.parse().expect("an address");
    let mut buf = [0; 1500];
    for round in 0..packets / WINDOW {
        for _ in 0..WINDOW {
            caller.send_to(&[round as u8; 1000], to).await.expect("sent");
        }
        for _ in 0..WINDOW {
            callee.recv_from(&mut buf).await.expect("received");
        }
    }
    packets / WINDOW * WINDOW
}

async fn ping_pong(world: World, packets: u64) -> u64 {
    let [caller, callee] = sockets(&world);
    let mut buf = [0; 1500];
    for _ in 0..packets / 2 {
        caller.send_to(&[1; 100], CALLEE.parse().expect("an address")).await.expect("sent");
        let (len, from) = callee.recv_from(&mut buf).await.expect("received");
        callee.send_to(&buf[..len], from).await.expect("sent");
        caller.recv_from(&mut buf).await.expect("received");
    }
    packets / 2 * 2
}

fn digest(size: Size, region: Region) -> Prepared {
    let packets: u64 = if size == Size::Full { 10_000 } else { 10 };
    let payload = [7; 1000];
    Box::new(move || {
        within(region, || {
            let mut digest = Digest::new();
            for packet in 0..packets {
                digest.update_u64(packet);
                digest.update(black_box(&payload));
            }
            black_box(digest.value());
        });
        packets * payload.len() as u64
    })
}
