use std::{future::poll_fn, io::ErrorKind, sync::Arc};

use netsim::{Access, Half, LinkModel, LinkState, Probability, QueueLimit, Rate, World};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::world::{NAMES, Recipe, address, config, connection, host, ms, perfect, run, value, world_of};

async fn blackout(world: &World, from_ms: u64, for_ms: u64) {
    sleep(ms(from_ms)).await;
    world.set_link_state(&"a".into(), LinkState::Down).unwrap();
    sleep(ms(for_ms)).await;
    world.set_link_state(&"a".into(), LinkState::Up).unwrap();
}

#[test]
fn a_connection_takes_one_round_trip_and_carries_bytes_both_ways() {
    let outcome = run(config(1, perfect(ms(15))), |world| async move {
        let (mut client, mut server) = connection(&world).await;
        assert_eq!(world.now().as_millis(), 90);
        assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
        client.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!((&buf, world.now().as_millis()), (b"ping", 120));
        server.write_all(b"pong").await.unwrap();
        server.shutdown().await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"pong");
    });
    assert!(outcome.packets.iter().all(|packet| packet.verdict.arrived() || packet.at.as_millis() >= 120));
    assert_eq!(outcome.packets[0].protocol.to_string(), "tcp syn");
}

#[test]
fn nobody_listening_is_a_refusal() {
    let (kind, at) = value(config(1, perfect(ms(15))), |world| async move {
        let a = world.host(&"a".into()).unwrap();
        (a.connect(address("10.0.0.2:80")).await.unwrap_err().kind(), world.now().as_millis())
    });
    assert_eq!((kind, at), (ErrorKind::ConnectionRefused, 60));
}

#[test]
fn nobody_at_the_address_is_a_timeout() {
    let attempt = |config| {
        value(config, |world| async move {
            let a = world.host(&"a".into()).unwrap();
            (a.connect(address("10.9.9.9:80")).await.unwrap_err().kind(), world.now().as_millis())
        })
    };
    let patient = config(1, perfect(ms(15)));
    let hasty = Recipe { user_timeout: ms(5000), ..patient.clone() };
    assert_eq!(attempt(patient), (ErrorKind::TimedOut, 120_015));
    assert_eq!(attempt(hasty), (ErrorKind::TimedOut, 5015));
}

#[test]
fn a_short_blackout_delays_and_loses_nothing() {
    let (at, kept) = value(config(1, perfect(ms(15))), |world| async move {
        let (mut client, mut server) = connection(&world).await;
        let faults = world.clone();
        tokio::spawn(async move { blackout(&faults, 10, 5000).await });
        sleep(ms(20)).await;
        for number in 0..10u8 {
            client.write_all(&[number]).await.unwrap();
            sleep(ms(100)).await;
        }
        let mut kept = [0; 10];
        server.read_exact(&mut kept).await.unwrap();
        (world.now().as_millis(), kept)
    });
    assert_eq!(kept, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // Written at 110; retransmissions 200, 600, 1400, 3000 and 6200 ms later.
    assert_eq!(at, 110 + 6200 + 30);
}

#[test]
fn a_long_blackout_times_out_at_both_ends() {
    let (kinds, at) = value(config(1, perfect(ms(15))), |world| async move {
        let (mut client, mut server) = connection(&world).await;
        world.set_link_state(&"a".into(), LinkState::Down).unwrap();
        client.write_all(b"x").await.unwrap();
        let kinds = [
            client.read(&mut [0; 4]).await.unwrap_err().kind(),
            server.read(&mut [0; 4]).await.unwrap_err().kind(),
            client.write(b"y").await.unwrap_err().kind(),
        ];
        (kinds, world.now().as_millis())
    });
    assert_eq!(kinds, [ErrorKind::TimedOut; 3]);
    assert_eq!(at, 90 + 120_000);
}

/// A stack discards data that comes before the end of the handshake, so that order must hold even where
/// the acknowledgement is stopped and what follows it is not.
#[test]
fn data_never_overtakes_the_end_of_the_handshake() {
    let at = value(config(1, perfect(ms(300))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let listener = b.listen(address("10.0.0.2:80")).unwrap();
        let faults = world.clone();
        tokio::spawn(async move {
            // The acknowledgement leaves at 1200 and meets this at the core, at 1500.
            sleep(ms(1490)).await;
            let down = LinkModel { up: false, ..LinkModel::with_delay(ms(300)) };
            faults.set_link(&"b".into(), Half::Down, down).unwrap();
            sleep(ms(20)).await;
            faults.set_link(&"b".into(), Half::Down, LinkModel { up: true, ..down }).unwrap();
        });
        tokio::spawn(async move {
            let mut client = a.connect(address("10.0.0.2:80")).await.unwrap();
            // At the core at 1750, while the acknowledgement is on its way there for the second time.
            sleep(ms(250)).await;
            client.write_all(b"x").await.unwrap();
            sleep(ms(100_000)).await;
        });
        let (mut server, _) = listener.accept().await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        world.now().as_millis()
    });
    assert_eq!(at, 1700 + 600);
}

#[test]
fn acknowledgements_survive_a_blackout_of_their_half() {
    let read = value(config(1, perfect(ms(15))), |world| async move {
        let (mut client, mut server) = connection(&world).await;
        tokio::spawn(async move {
            server.write_all(&[7; 1_000_000]).await.unwrap();
            server.shutdown().await.unwrap();
            sleep(ms(100_000)).await;
        });
        let faults = world.clone();
        tokio::spawn(async move {
            sleep(ms(100)).await;
            let down = LinkModel { up: false, ..LinkModel::with_delay(ms(15)) };
            faults.set_link(&"a".into(), Half::Up, down).unwrap();
            sleep(ms(500)).await;
            faults.set_link(&"a".into(), Half::Up, LinkModel { up: true, ..down }).unwrap();
        });
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        read.len()
    });
    assert_eq!(read, 1_000_000);
}

#[test]
fn writing_to_a_closed_peer_draws_a_reset() {
    let results = value(config(1, perfect(ms(15))), |world| async move {
        let (mut client, server) = connection(&world).await;
        drop(server);
        sleep(ms(200)).await;
        let mut results = Vec::new();
        for _ in 0..2 {
            results.push(client.write(b"x").await.map_err(|error| error.kind()));
            sleep(ms(200)).await;
        }
        results
    });
    assert_eq!(results, [Ok(1), Err(ErrorKind::ConnectionReset)]);
}

#[test]
fn a_peer_that_leaves_data_unread_resets() {
    let kind = value(config(1, perfect(ms(15))), |world| async move {
        let (mut client, server) = connection(&world).await;
        client.write_all(b"hello").await.unwrap();
        sleep(ms(200)).await;
        drop(server);
        client.read(&mut [0; 4]).await.unwrap_err().kind()
    });
    assert_eq!(kind, ErrorKind::ConnectionReset);
}

#[test]
fn a_closed_stream_still_delivers_what_was_written() {
    let read = value(config(1, perfect(ms(15))), |world| async move {
        let (mut client, mut server) = connection(&world).await;
        client.write_all(&[7; 100_000]).await.unwrap();
        drop(client);
        let mut read = Vec::new();
        server.read_to_end(&mut read).await.unwrap();
        read.len()
    });
    assert_eq!(read, 100_000);
}

#[test]
fn an_attempt_that_is_given_up_leaves_no_ghost() {
    value(config(1, perfect(ms(15))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let listener = b.listen(address("10.0.0.2:80")).unwrap();
        let attempt = timeout(ms(10), a.connect(address("10.0.0.2:80"))).await;
        assert!(attempt.is_err());
        assert!(timeout(ms(5000), listener.accept()).await.is_err());
        assert_eq!(world.open_sockets(&"a".into()).unwrap(), 0);
    });
}

#[test]
fn a_program_may_try_to_read_and_write_and_wait_until_that_is_possible() {
    value(config(1, perfect(ms(15))), |world| async move {
        let (client, server) = connection(&world).await;
        assert_eq!(client.try_read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::WouldBlock);
        let mut written = 0;
        let full = loop {
            match client.try_write(&[7; 10_000]) {
                Ok(length) => written += length,
                Err(error) => break error.kind(),
            }
        };
        assert_eq!((full, written), (ErrorKind::WouldBlock, 256 << 10));
        poll_fn(|cx| client.poll_write_ready(cx)).await.unwrap();
        // The first window has been acknowledged.
        assert_eq!(world.now().as_millis(), 90 + 60);
        drop(client);
        let mut buf = vec![0; written];
        let mut read = 0;
        loop {
            poll_fn(|cx| server.poll_read_ready(cx)).await.unwrap();
            match server.try_read(&mut buf).unwrap() {
                0 => break,
                length => read += length,
            }
        }
        assert_eq!(read, written);
    });
}

#[test]
fn what_waits_for_a_dead_connection_goes_on_with_its_error() {
    value(config(1, perfect(ms(15))), |world| async move {
        let (client, server) = connection(&world).await;
        while client.try_write(&[7; 10_000]).is_ok() {}
        sleep(ms(40)).await;
        // What has arrived is unread, so that this is a reset.
        drop(server);
        tokio::try_join!(poll_fn(|cx| client.poll_read_ready(cx)), async {
            sleep(ms(100)).await;
            poll_fn(|cx| client.poll_write_ready(cx)).await
        })
        .unwrap();
        let kinds =
            [client.try_read(&mut [0]).unwrap_err().kind(), client.try_write(b"x").unwrap_err().kind()];
        assert_eq!(kinds, [ErrorKind::ConnectionReset; 2]);
    });
}

#[test]
fn one_task_reads_while_another_one_writes() {
    value(config(1, perfect(ms(15))), |world| async move {
        let (client, server) = connection(&world).await;
        let client = Arc::new(client);
        let reading = tokio::spawn({
            let client = Arc::clone(&client);
            async move {
                let mut all = Vec::new();
                (&mut &*client).read_to_end(&mut all).await.unwrap();
                all
            }
        });
        tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(server);
            tokio::io::copy(&mut read, &mut write).await.unwrap();
            write.shutdown().await.unwrap();
        });
        let mut writing = &*client;
        writing.write_all(&[7; 300_000]).await.unwrap();
        writing.shutdown().await.unwrap();
        assert_eq!(reading.await.unwrap(), [7; 300_000]);
    });
}

#[test]
fn a_slow_reader_gets_everything() {
    let read = value(config(1, perfect(ms(15))), |world| async move {
        let (mut client, mut server) = connection(&world).await;
        tokio::spawn(async move {
            client.write_all(&vec![7; 4 << 20]).await.unwrap();
            client.shutdown().await.unwrap();
            sleep(ms(3_000_000)).await;
        });
        sleep(ms(1000)).await;
        let (mut read, mut buf) = (0, [0; 64]);
        loop {
            match server.read(&mut buf).await.unwrap() {
                0 => break read,
                len => read += len,
            }
        }
    });
    assert_eq!(read, 4 << 20);
}

#[test]
fn ports_are_used_again_and_no_state_piles_up() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let listener = b.listen(address("10.0.0.2:80")).unwrap();
        for number in 0..17_000u32 {
            let a = a.clone();
            let connecting = tokio::spawn(async move { a.connect(address("10.0.0.2:80")).await });
            let (mut server, _) = listener.accept().await.unwrap();
            let mut client = connecting.await.unwrap().unwrap();
            client.write_all(&number.to_le_bytes()).await.unwrap();
            let mut buf = [0; 4];
            server.read_exact(&mut buf).await.unwrap();
            assert_eq!(buf, number.to_le_bytes());
            drop(client);
            assert_eq!(server.read(&mut buf).await.unwrap(), 0);
        }
        sleep(ms(100)).await;
        format!("{world:?}")
    });
    assert!(outcome.value.unwrap().contains("tcp_flows: 0"));
    assert_eq!(outcome.leftovers.after_shutdown.len(), 0);
}

#[test]
fn loopback_connections_touch_no_link() {
    let outcome = run(config(1, perfect(ms(15))), |world| async move {
        let a = world.host(&"a".into()).unwrap();
        let listener = a.listen(address("127.0.0.1:80")).unwrap();
        let (connected, accepted) = tokio::join!(a.connect(address("127.0.0.1:80")), listener.accept());
        connected.unwrap().write_all(b"x").await.unwrap();
        accepted.unwrap().0.read_exact(&mut [0]).await.unwrap();
        world.now().as_millis()
    });
    assert_eq!((outcome.value, outcome.packets.len()), (Some(0), 0));
}

#[test]
fn a_host_that_connects_to_its_own_address_is_told_that_address() {
    let hosts = [host("a", &["10.0.0.1", "10.0.0.9", "2001:db8::1"], perfect(ms(15)))];
    let outcome = run(world_of(hosts), |world| async move {
        let a = world.host(&"a".into()).unwrap();
        for to in ["10.0.0.1:80", "10.0.0.9:81", "[2001:db8::1]:82"].map(address) {
            let listener = a.listen(to).unwrap();
            let (connected, accepted) = tokio::join!(a.connect(to), listener.accept());
            let (mut client, (mut server, peer)) = (connected.unwrap(), accepted.unwrap());
            assert_eq!((client.peer_addr().unwrap(), server.local_addr().unwrap()), (to, to));
            assert_eq!((client.local_addr().unwrap(), server.peer_addr().unwrap()), (peer, peer));
            assert_eq!(peer.ip(), to.ip());
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
        }
        world.now().as_millis()
    });
    assert_eq!((outcome.value, outcome.packets.len()), (Some(0), 0));
}

#[test]
fn a_host_may_have_any_number_of_addresses() {
    let own: Vec<_> = (1..=20).map(|i| format!("10.0.1.{i}")).collect();
    let hosts = [
        host("a", &["10.0.0.1"], perfect(ms(1))),
        host("b", &own.iter().map(String::as_str).collect::<Vec<_>>(), perfect(ms(1))),
    ];
    value(world_of(hosts), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let listener = b.listen(address("0.0.0.0:80")).unwrap();
        let mut open = Vec::new();
        for ip in own {
            let to = address(&format!("{ip}:80"));
            let (connected, accepted) = tokio::join!(a.connect(to), listener.accept());
            open.push((to, connected.unwrap(), accepted.unwrap().0));
        }
        for (to, client, server) in &mut open {
            assert_eq!((client.peer_addr().unwrap(), server.local_addr().unwrap()), (*to, *to));
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
        }
    });
}

/// Neither flow label nor scope tells sockets apart.
#[test]
fn scoped_addresses_connect() {
    value(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let listener = b.listen(address("[2001:db8::2%3]:80")).unwrap();
        let (connected, accepted) = tokio::join!(a.connect(address("[2001:db8::2%7]:80")), listener.accept());
        let (mut client, (mut server, _)) = (connected.unwrap(), accepted.unwrap());
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
    });
}

#[test]
fn ipv6_connects() {
    value(config(1, perfect(ms(1))), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let listener = b.listen(address("[2001:db8::2]:0")).unwrap();
        let to = listener.local_addr().unwrap();
        let (connected, accepted) = tokio::join!(a.connect(to), listener.accept());
        assert_eq!(connected.unwrap().local_addr().unwrap(), accepted.unwrap().1);
    });
}

#[test]
fn a_corrupted_segment_counts_as_lost() {
    let corruption = Probability::new(0.2).unwrap();
    let bad = LinkModel { corruption, ..LinkModel::with_delay(ms(5)) };
    let outcome = run(config(1, Access::symmetric(bad)), |world| async move {
        let (mut client, mut server) = connection(&world).await;
        client.write_all(&[7; 100_000]).await.unwrap();
        let mut read = vec![0; 100_000];
        server.read_exact(&mut read).await.unwrap();
        assert!(read.iter().all(|byte| *byte == 7));
    });
    let up = outcome.counts.hosts["a"].up;
    assert!(outcome.counts.retransmissions > 5 && up.lost > 5 && up.corrupted == 0, "{up:?}");
}

/// Both transports wait in one queue; what TCP loses at its end arrives later, and complete.
#[test]
fn a_slow_link_carries_a_stream_at_its_rate_and_completely() {
    let bps = 8_000_000.try_into().unwrap();
    let transfer = |queue| {
        let slow = LinkModel { rate: Some(Rate { bps, queue }), ..LinkModel::with_delay(ms(5)) };
        let outcome = run(config(1, Access::symmetric(slow)), |world| async move {
            let (mut client, mut server) = connection(&world).await;
            let began = world.now();
            let writing = async {
                client.write_all(&vec![7; 1_000_000]).await.unwrap();
                client.shutdown().await.unwrap();
            };
            let mut read = Vec::new();
            let (_, result) = tokio::join!(writing, server.read_to_end(&mut read));
            assert_eq!((result.unwrap(), read.iter().all(|byte| *byte == 7)), (1_000_000, true));
            (world.now() - began).as_millis()
        });
        (outcome.value.unwrap(), outcome.counts.hosts["a"].up.queue_full)
    };
    // 1 MB at 8 Mbit/s is 1 s, plus 40 bytes of header on 1460: 2.7 %.
    let (took, dropped) = transfer(QueueLimit::Bytes(100_000));
    assert!((1020..1200).contains(&took) && dropped == 0, "{took} ms, {dropped} dropped");
    let (took, dropped) = transfer(QueueLimit::Bytes(20_000));
    assert!(took > 1200 && dropped > 0, "{took} ms, {dropped} dropped");
}
