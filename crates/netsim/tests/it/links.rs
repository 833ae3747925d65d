use std::time::Duration;

use netsim::{Half, LinkModel, LinkState, Probability, ProcessingDelay, World};
use timeline::Verdict;

use crate::world::{NAMES, address, config, ms, perfect, rough, run, value};

/// Sends `count` datagrams from `a` to `b`, one per millisecond, and returns how long each that arrived
/// was under way, in milliseconds, by its number.
async fn stream(world: World, count: u32) -> Vec<(u32, u64)> {
    let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
    let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
    let b = b.bind_udp(address("10.0.0.2:9")).unwrap();
    let clock = world.clone();
    let receiving = tokio::spawn(async move {
        let (mut buf, mut arrived) = ([0; 16], Vec::new());
        while let Ok(received) = tokio::time::timeout(ms(10_000), b.recv_from(&mut buf)).await {
            received.unwrap();
            let number = u32::from_le_bytes(buf[..4].try_into().unwrap());
            arrived.push((number, clock.now().as_millis() - u64::from(number)));
        }
        arrived
    });
    for number in 0..count {
        tokio::time::sleep_until(
            tokio::time::Instant::from_std(world.instant()) + ms(u64::from(number != 0)),
        )
        .await;
        a.send_to(&number.to_le_bytes(), address("10.0.0.2:9")).await.unwrap();
    }
    receiving.await.unwrap()
}

#[test]
fn loss_is_as_frequent_as_the_model_says() {
    const COUNT: u32 = 100_000;
    let mut config = config(3, perfect(ms(5)));
    config.hosts[0].access.up.loss = Probability::new(0.05).unwrap();
    let outcome = run(config, |world| async move { stream(world, COUNT).await.len() });
    let lost = outcome.counts.hosts["a"].up.lost;
    assert_eq!(outcome.counts.hosts["a"].up.sent, u64::from(COUNT));
    assert_eq!(outcome.value, Some(COUNT as usize - lost as usize));
    let verdicts = outcome.packets.iter().filter(|packet| packet.verdict == Verdict::LostUp).count();
    assert_eq!(verdicts as u64, lost);
    // 5000 expected, standard deviation √(n p (1 − p)) = 68.9; four of them.
    assert!((5000 - 276..=5000 + 276).contains(&lost), "{lost} of {COUNT} lost");
}

#[test]
fn jitter_is_uniform_over_its_range() {
    const COUNT: u32 = 20_000;
    let mut config = config(3, perfect(ms(5)));
    config.hosts[1].access.down.jitter = ms(20);
    let arrived = value(config, |world| stream(world, COUNT));
    assert_eq!(arrived.len(), COUNT as usize);
    let delays: Vec<u64> = arrived.iter().map(|(_, delay)| *delay).collect();
    // 10 ms fixed, 0 to 20 ms of jitter, rounded up to the millisecond.
    assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&11), Some(&30)));
    let mean = delays.iter().sum::<u64>() as f64 / f64::from(COUNT);
    // The rounding adds half a millisecond; the standard error is 20 / √12 / √20000 = 0.041.
    assert!((mean - 20.5).abs() < 0.17, "mean {mean}");
    assert!(arrived.windows(2).any(|pair| pair[0].0 > pair[1].0), "jitter reorders datagrams");
}

#[test]
fn without_jitter_delays_are_exact() {
    let arrived = value(config(3, perfect(ms(5))), |world| stream(world, 1000));
    assert!(arrived.iter().all(|(_, delay)| *delay == 10));
}

#[test]
fn one_more_packet_elsewhere_changes_no_fate() {
    let fates = |extra: bool| {
        let outcome = run(config(5, rough(ms(5), ms(3), 0.2)), move |world| async move {
            // The other direction, and the signalling's transport: neither may shift a draw.
            if extra {
                let b = world.host(&"b".into()).unwrap();
                let socket = b.bind_udp(address("10.0.0.2:1")).unwrap();
                for _ in 0..7 {
                    socket.send_to(b"extra", address("10.0.0.1:1")).await.unwrap();
                }
                let a = world.host(&"a".into()).unwrap();
                tokio::spawn(async move { a.connect(address("10.0.0.2:1")).await.map(drop) });
            }
            stream(world, 500).await
        });
        outcome.value.unwrap()
    };
    assert_eq!(fates(false), fates(true));
}

#[test]
fn a_link_that_is_down_drops_and_a_changed_one_behaves_anew() {
    let arrived = value(config(1, perfect(ms(5))), |world| async move {
        let faults = world.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ms(100)).await;
            faults.set_link_state(&"a".into(), LinkState::Down).unwrap();
            tokio::time::sleep(ms(100)).await;
            faults.set_link_state(&"a".into(), LinkState::Up).unwrap();
            tokio::time::sleep(ms(100)).await;
            faults.set_link(&"b".into(), Half::Down, LinkModel::with_delay(ms(50))).unwrap();
        });
        stream(world, 400).await
    });
    let delay_of = |number| arrived.iter().find(|(found, _)| *found == number).map(|(_, delay)| *delay);
    assert_eq!([50, 150, 250, 350].map(delay_of), [Some(10), None, Some(10), Some(55)]);
    assert!((299..=301).contains(&arrived.len()));
}

#[test]
fn a_slow_host_handles_one_message_after_the_other() {
    let mut config = config(1, perfect(ms(5)));
    config.hosts[1].processing = ProcessingDelay { min: ms(3), max: ms(3) };
    let arrivals = value(config, |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
        let b = b.bind_udp(address("10.0.0.2:9")).unwrap();
        for _ in 0..4 {
            a.send_to(b"x", address("10.0.0.2:9")).await.unwrap();
        }
        let mut arrivals = Vec::new();
        for _ in 0..4 {
            b.recv_from(&mut [0; 4]).await.unwrap();
            arrivals.push(world.now().as_millis());
        }
        arrivals
    });
    assert_eq!(arrivals, [13, 16, 19, 22]);
}

#[test]
fn hosts_that_are_not_there_are_named() {
    value(config(1, perfect(Duration::ZERO)), |world| async move {
        let error = world.host(&"c".into()).unwrap_err();
        assert_eq!(error.to_string(), "no host is called c; there are a, b");
        assert!(world.set_link_state(&"c".into(), LinkState::Up).is_err());
    });
}
