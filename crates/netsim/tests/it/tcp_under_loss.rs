//! Bytes arrive intact whatever links do, or the stream ends with a timeout.

use std::io::ErrorKind;

use netsim::{LinkState, ProcessingDelay, TcpStream};
use proptest::prelude::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::world::{config, ms, rough, run, try_connection};

/// What one end saw of the other's bytes.
#[derive(Debug)]
enum Seen {
    All,
    Prefix(ErrorKind),
    Wrong,
}

fn bytes(salt: u8, len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8 ^ salt).collect()
}

/// Writes in chunks with pauses, closes its side, and reads the other's to the end.
async fn exchange(stream: TcpStream, send: Vec<u8>, expect: Vec<u8>, pause_ms: u64) -> Seen {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let writing = async {
        for chunk in send.chunks(3000) {
            writer.write_all(chunk).await?;
            sleep(ms(pause_ms)).await;
        }
        writer.shutdown().await
    };
    let reading = async {
        let mut read = Vec::new();
        (reader.read_to_end(&mut read).await, read)
    };
    let (written, (result, read)) = tokio::join!(writing, reading);
    match result.and(written.map(|()| 0)) {
        Ok(_) if read == expect => Seen::All,
        Err(error) if expect.starts_with(&read) => Seen::Prefix(error.kind()),
        _ => Seen::Wrong,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn bytes_arrive_intact_or_time_out(
        seed in any::<u64>(),
        loss in 0.0..0.35f64,
        (delay, jitter) in (0..300u64, 0..200u64),
        flaps in proptest::collection::vec((0..8000u64, 0..200_000u64), 0..4),
        lens in [0..20_000usize, 0..20_000usize],
        pause_ms in 0..400u64,
    ) {
        let mut config = config(seed, rough(ms(delay), ms(jitter), loss));
        config.deadline = ms(100_000_000);
        config.hosts[0].processing = ProcessingDelay::PHONE;
        let outcome = run(config, move |world| async move {
            let opened = timeout(ms(3_000_000), try_connection(&world));
            let faults = world.clone();
            tokio::spawn(async move {
                for (after, lasting) in flaps {
                    sleep(ms(after)).await;
                    faults.set_link_state(&"b".into(), LinkState::Down).unwrap();
                    sleep(ms(lasting / 10)).await;
                    faults.set_link_state(&"b".into(), LinkState::Up).unwrap();
                }
            });
            let Ok(Ok((client, server))) = opened.await else { return None };
            let [up, down] = [(1, lens[0]), (2, lens[1])].map(|(salt, len)| bytes(salt, len));
            let client = exchange(client, up.clone(), down.clone(), pause_ms);
            Some(tokio::join!(client, exchange(server, down, up, pause_ms)))
        });
        prop_assert!(outcome.value.is_some(), "the world was {}", outcome.end);
        if let Some(Some((client, server))) = outcome.value {
            for seen in [client, server] {
                let fine = matches!(seen, Seen::All | Seen::Prefix(ErrorKind::TimedOut));
                prop_assert!(fine, "{seen:?}");
                prop_assert!(matches!(seen, Seen::All) || outcome.counts.user_timeouts > 0);
            }
        }
    }
}
