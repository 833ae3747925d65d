//! Worlds in real time. Their links are so short that nobody waits for them.

use std::time::Duration;

use netsim::{Pace, ProcessingDelay};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

use crate::world::{Recipe, address, config, perfect, run};

/// In each half of each link.
const HALF: Duration = Duration::from_micros(50);
/// From one host to the other.
const ONE_WAY: Duration = Duration::from_micros(100);

fn in_real_time() -> Recipe {
    Recipe { pace: Pace::RealTime, ..config(1, perfect(HALF)) }
}

#[test]
fn a_datagram_arrives_when_its_way_is_done_and_not_earlier() {
    let begun = Instant::now();
    let outcome = run(in_real_time(), |world| async move {
        let a = world.host(&"a".into()).unwrap().bind_udp(address("10.0.0.1:1")).unwrap();
        let b = world.host(&"b".into()).unwrap().bind_udp(address("10.0.0.2:2")).unwrap();
        let sent = Instant::now();
        a.send_to(b"hello", address("10.0.0.2:2")).await.unwrap();
        let mut buf = [0; 16];
        let (len, _) = b.recv_from(&mut buf).await.unwrap();
        assert_eq!(&buf[..len], b"hello");
        (sent.elapsed(), world.instant())
    });
    let (took, at_the_end) = outcome.value.unwrap();
    assert!(took >= ONE_WAY, "{took:?}");
    assert!(outcome.elapsed.elapsed() >= took);
    assert!(outcome.elapsed.elapsed() <= begun.elapsed(), "its clock is the machine's");
    assert!(begun.into_std() <= at_the_end && at_the_end <= Instant::now().into_std());
}

#[test]
fn how_late_packets_were_is_told_in_real_time_only() {
    let exchange = |config| {
        run(config, |world| async move {
            let listener = world.host(&"b".into()).unwrap().listen(address("10.0.0.2:2")).unwrap();
            let a = world.host(&"a".into()).unwrap();
            let (mut stream, mut accepted) =
                tokio::join!(async { a.connect(address("10.0.0.2:2")).await.unwrap() }, async {
                    listener.accept().await.unwrap().0
                });
            stream.write_all(b"hello").await.unwrap();
            let mut buf = [0; 5];
            accepted.read_exact(&mut buf).await.unwrap();
            assert_eq!(&buf, b"hello");
        })
    };
    let late = exchange(in_real_time()).lateness.unwrap();
    // SYN, SYN-ACK and data at least.
    assert!(late.releases >= 3, "{late:?}");
    assert!(late.most > Duration::ZERO && late.mean() <= late.most && late.total >= late.most, "{late:?}");
    assert_eq!(exchange(Recipe { pace: Pace::Virtual, ..in_real_time() }).lateness, None);
}

#[test]
fn timers_and_processing_take_their_time() {
    let mut config = in_real_time();
    let takes = Duration::from_micros(300);
    config.hosts[1].processing = ProcessingDelay { min: takes, max: takes };
    let outcome = run(config, |world| async move {
        let begun = world.now();
        world.sleep(Duration::from_micros(200)).await;
        let slept = world.now().since(begun);
        let a = world.host(&"a".into()).unwrap().bind_udp(address("10.0.0.1:1")).unwrap();
        let b = world.host(&"b".into()).unwrap().bind_udp(address("10.0.0.2:2")).unwrap();
        let sent = world.now();
        a.send_to(b"hello", address("10.0.0.2:2")).await.unwrap();
        b.recv_from(&mut [0; 16]).await.unwrap();
        (slept, world.now().since(sent))
    });
    let (slept, took) = outcome.value.unwrap();
    assert!(slept >= Duration::from_micros(200), "{slept:?}");
    assert!(took >= ONE_WAY + takes, "{took:?}");
}
