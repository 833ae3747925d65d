use std::net::SocketAddr;

use netsim::{
    Access, Attachment, Connections, Correlation, Ending, Firewall, Gateway, GilbertElliott, Handover, Host,
    LinkModel, NatConfig, Power, Probability, ProcessingDelay, QueueLimit, Rate, Reordering, Schedule,
    Spread, TailIndex, Transition, UdpSocket, World,
};
use timeline::Digest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::world::{NAMES, Recipe, address, config, host, ms, perfect, rough, run, value, world_of};

/// Ties on purpose: many sockets and streams whose timers and packets meet at the same instants.
async fn crowd(world: World) {
    const PAIRS: u16 = 8;
    let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for port in 1..=PAIRS {
        let ends = [(&a, 1, 2), (&b, 2, 1)];
        for (host, own, other) in ends {
            let socket = host.bind_udp(address(&format!("10.0.0.{own}:{port}"))).unwrap();
            let to = address(&format!("10.0.0.{other}:{port}"));
            tasks.spawn(async move {
                let mut received = Vec::new();
                for round in 0..20u8 {
                    socket.send_to(&[port as u8, round, received.len() as u8], to).await.unwrap();
                    let mut buf = [0; 8];
                    tokio::select! {
                        biased;
                        got = socket.recv_from(&mut buf) => received.push(got.unwrap().0),
                        () = sleep(ms(20)) => {}
                    }
                }
            });
        }
    }
    for port in 101..=100 + PAIRS {
        let listener = b.listen(address(&format!("10.0.0.2:{port}"))).unwrap();
        tasks.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buf = [0; 64];
            while let Ok(len @ 1..) = stream.read(&mut buf).await {
                stream.write_all(&buf[..len]).await.unwrap();
            }
        });
        let a = a.clone();
        tasks.spawn(async move {
            let mut stream = a.connect(address(&format!("10.0.0.2:{port}"))).await.unwrap();
            // Hash order and the thread's randomness take part, as they do in real code.
            let key = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), port);
            for round in 0..10u64 {
                stream.write_all(&(key ^ round).to_le_bytes()).await.unwrap();
                stream.read_exact(&mut [0; 8]).await.unwrap();
                sleep(ms(20)).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

fn digest(seed: u64, is_rough: bool) -> Digest {
    let access = if is_rough { rough(ms(10), ms(4), 0.05) } else { perfect(ms(10)) };
    let outcome = run(config(seed, access), crowd);
    assert_eq!(outcome.end, netsim::End::Finished);
    assert!(outcome.packets.len() > 500);
    outcome.digest
}

#[test]
fn ties_break_the_same_way_every_time_and_on_every_thread() {
    for is_rough in [false, true] {
        let first = digest(1, is_rough);
        for _ in 0..20 {
            assert_eq!(digest(1, is_rough), first);
        }
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..4)
                .map(|_| scope.spawn(move || (0..5).map(|_| digest(1, is_rough)).collect::<Vec<_>>()))
                .collect();
            for other in others {
                assert!(other.join().unwrap().iter().all(|digest| *digest == first));
            }
        });
    }
}

/// All that the network can do at once: bursts, queues, correlated tails, duplicates, damage, detours, NATs
/// with random ports, a firewall, a schedule, two handovers and a power cut.
fn everything(seed: u64) -> Recipe {
    let rough = LinkModel {
        bursts: Some(GilbertElliott::bursts(probability(0.03), 3.0).unwrap()),
        jitter: ms(3),
        spread: Spread::HeavyTail { scale: ms(5), index: TailIndex::new(1.5).unwrap() },
        correlation: Correlation::new(0.7).unwrap(),
        rate: Some(Rate { bps: 400_000.try_into().unwrap(), queue: QueueLimit::Time(ms(60)) }),
        reordering: Some(Reordering { probability: probability(0.05), extra: ms(20) }),
        duplication: probability(0.05),
        corruption: probability(0.02),
        ..LinkModel::with_delay(ms(10))
    };
    let mut config = world_of([
        host("phone", &["192.168.1.2", "2001:db8:1::2"], Access::symmetric(rough)),
        host("laptop", &["192.168.1.3"], Access::symmetric(rough)),
        host("server", &["198.51.100.1", "2001:db8::1"], perfect(ms(10))),
    ]);
    config.hosts.iter_mut().for_each(|host| host.processing = ProcessingDelay::PHONE);
    let nat = |public: &str| NatConfig::symmetric(public.parse().unwrap());
    let home = Gateway::with_nat("home", vec!["phone".into(), "laptop".into()], nat("100.64.0.2"));
    config.gateways = vec![
        Gateway { firewall: Some(Firewall::stateful()), ..home },
        Gateway::with_nat("carrier", vec!["home".into()], nat("203.0.113.1")),
    ];
    Recipe { seed, ..config }
}

fn probability(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

async fn everything_happens(world: World) {
    let [phone, laptop, server] = ["phone", "laptop", "server"].map(|name| world.host(&name.into()).unwrap());
    serve(&server);
    let mut tasks = tokio::task::JoinSet::new();
    for (host, port) in [(&phone, 1), (&phone, 2), (&laptop, 1), (&laptop, 2)] {
        tasks.spawn(send_datagrams(host.bind_udp(SocketAddr::new([0, 0, 0, 0].into(), port)).unwrap()));
        tasks.spawn(open_connections(host.clone()));
    }
    faults(&world).await;
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Echoes datagrams and streams.
fn serve(server: &Host) {
    let echo = server.bind_udp(address("0.0.0.0:9")).unwrap();
    tokio::spawn(async move {
        let mut buf = [0; 1500];
        while let Ok((len, from)) = echo.recv_from(&mut buf).await {
            echo.send_to(&buf[..len], from).await.unwrap();
        }
    });
    let listener = server.listen(address("0.0.0.0:80")).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(stream);
                tokio::io::copy(&mut reader, &mut writer).await.ok();
            });
        }
    });
}

async fn send_datagrams(socket: UdpSocket) {
    for round in 0..150u16 {
        let datagram = vec![round as u8; usize::from(round % 7) * 150];
        socket.send_to(&datagram, address("198.51.100.1:9")).await.ok();
        while let Ok(Ok(_)) = timeout(ms(20), socket.recv_from(&mut [0; 1500])).await {}
    }
}

async fn open_connections(host: Host) {
    for _ in 0..4 {
        let connecting = timeout(ms(5000), host.connect(address("198.51.100.1:80")));
        let Ok(Ok(mut stream)) = connecting.await else { continue };
        for _ in 0..10 {
            let exchange = async {
                stream.write_all(&[7; 700]).await?;
                stream.read_exact(&mut [0; 700]).await
            };
            if !matches!(timeout(ms(3000), exchange).await, Ok(Ok(_))) {
                break;
            }
        }
    }
}

async fn faults(world: &World) {
    let steps = vec![(ms(0), perfect(ms(30))), (ms(150), perfect(ms(5)))];
    let schedule = Schedule { steps, ending: Ending::RepeatEvery(ms(300)) };
    sleep(ms(400)).await;
    world.schedule_access(&"laptop".into(), &schedule).unwrap();
    for (ip, gateway, transition) in [
        ("10.1.1.1", None, Transition::Overlap(ms(200))),
        ("192.168.1.9", Some("home"), Transition::Gap(ms(150))),
    ] {
        let access = rough(ms(20), ms(10), 0.02);
        let to =
            Attachment { addresses: vec![ip.parse().unwrap()], access, gateway: gateway.map(Into::into) };
        let handover = Handover { to, transition, connections: Connections::Reset };
        world.handover(&"phone".into(), &handover).unwrap();
        sleep(ms(700)).await;
    }
    world.set_power(&"laptop".into(), Power::Off).unwrap();
    sleep(ms(300)).await;
    world.set_power(&"laptop".into(), Power::On).unwrap();
}

#[test]
fn everything_at_once_is_the_same_every_time_and_on_every_thread() {
    let play = |seed| {
        let outcome = run(everything(seed), everything_happens);
        assert_eq!(outcome.end, netsim::End::Finished);
        let verdicts: std::collections::BTreeSet<_> =
            outcome.packets.iter().map(|packet| packet.verdict).collect();
        assert!(outcome.packets.len() > 1000 && verdicts.len() >= 8, "{verdicts:?}");
        (outcome.digest, outcome.packets)
    };
    let first = play(1);
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..5).all(|_| play(1) == first))).collect();
        assert!(others.into_iter().all(|other| other.join().unwrap()));
    });
    assert_ne!(play(2).0, first.0);
}

#[test]
fn seeds_differ() {
    let digests: std::collections::BTreeSet<_> = (0..20).map(|seed| digest(seed, true).to_string()).collect();
    assert_eq!(digests.len(), 20);
}

/// Two datagrams and a timer meet at one instant: the timer goes first, then the datagrams one by one, each
/// with time to be answered before the next is seen.
#[test]
fn what_meets_at_one_instant_happens_one_by_one() {
    let seen = value(config(1, perfect(ms(10))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
        let sockets = [1, 2].map(|port| b.bind_udp(address(&format!("10.0.0.2:{port}"))).unwrap());
        for port in [2, 1] {
            a.send_to(b"x", address(&format!("10.0.0.2:{port}"))).await.unwrap();
        }
        let mut timer = std::pin::pin!(sleep(ms(20)));
        let (mut seen, mut is_timer_done) = (Vec::new(), false);
        std::future::poll_fn(|cx| {
            let mut at_once = String::new();
            if !is_timer_done && timer.as_mut().poll(cx).is_ready() {
                is_timer_done = true;
                at_once.push('t');
            }
            for (socket, name) in sockets.iter().zip(['1', '2']) {
                while socket.poll_recv_from(cx, &mut [0; 4]).is_ready() {
                    at_once.push(name);
                }
            }
            seen.push(at_once);
            let is_done = seen.concat().len() == 3;
            if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        assert_eq!(world.now().as_millis(), 20);
        seen
    });
    assert_eq!(seen, ["", "t", "2", "1"]);
}
