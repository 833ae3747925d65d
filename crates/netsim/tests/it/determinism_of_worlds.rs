use netsim::World;
use timeline::Digest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

use crate::world::{NAMES, address, config, ms, perfect, rough, run, value};

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
