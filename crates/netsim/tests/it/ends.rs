use std::time::{Duration, SystemTime, UNIX_EPOCH};

use netsim::{ConfigError, End, ProcessingDelay, World, WorldError};
use tokio::time::sleep;

use crate::world::{NAMES, address, config, connection, ms, perfect, run};

#[test]
fn a_world_ends_with_its_main_future() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        sleep(ms(1500)).await;
        world.now().as_millis()
    });
    assert_eq!((outcome.value, outcome.end), (Some(1500), End::Finished));
    assert_eq!(outcome.elapsed.as_millis(), 1500);
}

#[test]
fn a_world_ends_at_its_deadline() {
    let mut config = config(1, perfect(ms(1)));
    config.deadline = ms(5000);
    let outcome = run(config, |_| std::future::pending::<()>());
    assert_eq!((outcome.value, outcome.end), (None, End::Deadline));
    assert_eq!(outcome.elapsed.as_millis(), 5000);
}

#[test]
fn a_world_ends_when_its_budget_is_used_up() {
    let mut config = config(1, perfect(ms(1)));
    config.event_budget = 1000;
    let outcome = run(config, |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
        let b = b.bind_udp(address("10.0.0.2:9")).unwrap();
        a.send_to(b"x", address("10.0.0.2:9")).await.unwrap();
        let echo = async |socket: netsim::UdpSocket| loop {
            let (_, from) = socket.recv_from(&mut [0; 4]).await.unwrap();
            socket.send_to(b"x", from).await.unwrap();
        };
        tokio::join!(echo(a), echo(b)).0
    });
    let (): () = outcome.value.unwrap_or_default();
    assert_eq!(outcome.end, End::EventBudget);
    assert!(outcome.counts.events >= 1000);
}

#[test]
fn a_loop_of_empty_sleeps_is_a_stall() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        sleep(ms(7)).await;
        let spinning = world.clone();
        tokio::spawn(async move {
            loop {
                spinning.sleep(Duration::ZERO).await;
            }
        });
        sleep(ms(1000)).await;
    });
    assert_eq!(outcome.end, End::Stalled);
    assert_eq!(outcome.elapsed.as_millis(), 7);
}

#[test]
fn a_stall_in_the_main_future_itself_ends_too() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        loop {
            world.sleep(Duration::ZERO).await;
        }
    });
    let (): () = outcome.value.unwrap_or_default();
    assert_eq!(outcome.end, End::Stalled);
}

#[test]
fn packets_that_chase_each_other_at_one_instant_are_a_stall() {
    let outcome = run(config(1, perfect(Duration::ZERO)), |world| async move {
        let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
        let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
        let b = b.bind_udp(address("10.0.0.2:9")).unwrap();
        a.send_to(b"x", address("10.0.0.2:9")).await.unwrap();
        let echo = async |socket: netsim::UdpSocket| loop {
            let (_, from) = socket.recv_from(&mut [0; 4]).await.unwrap();
            socket.send_to(b"x", from).await.unwrap();
        };
        tokio::join!(echo(a), echo(b)).0
    });
    let (): () = outcome.value.unwrap_or_default();
    assert_eq!(outcome.end, End::Stalled);
}

#[test]
fn all_clocks_agree_at_every_moment() {
    #[allow(clippy::disallowed_methods, reason = "shows that the system's clocks are virtual")]
    let read = |world: &World, start: std::time::Instant| {
        let wall =
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 - 1_767_225_600_000;
        let monotonic = (std::time::Instant::now() - start).as_millis() as u64;
        [wall, monotonic, (world.instant() - start).as_millis() as u64, world.now().as_millis()]
    };
    run(config(1, perfect(ms(1))), |world| async move {
        let start = world.instant();
        for at in [0, 3, 250] {
            tokio::time::sleep_until(tokio::time::Instant::from_std(start) + ms(at)).await;
            // The first two are read before anything asks the world, after nothing but a timer.
            assert_eq!(read(&world, start), [at; 4]);
        }
    });
}

#[test]
fn a_panic_comes_through() {
    let panic = std::panic::catch_unwind(|| {
        run(config(1, perfect(ms(1))), |world| async move {
            let _open = connection(&world).await;
            sleep(ms(1)).await;
            panic!("an assertion of the scenario");
        });
    });
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"an assertion of the scenario"));
}

#[test]
fn open_sockets_are_counted_at_the_end_and_after() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let (client, server) = connection(&world).await;
        assert_eq!(world.open_sockets(&"b".into()).unwrap(), 1);
        tokio::spawn(async move {
            let _open = server;
            sleep(ms(1_000_000)).await;
        });
        let udp = world.host(&"a".into()).unwrap().bind_udp(address("10.0.0.1:9")).unwrap();
        std::mem::forget(udp);
        drop(client);
    });
    let count = |open: &std::collections::BTreeMap<timeline::Name, usize>| {
        NAMES.map(|name| open.get(name).copied().unwrap_or(0))
    };
    assert_eq!(count(&outcome.leftovers.at_end), [1, 1]);
    assert_eq!(count(&outcome.leftovers.after_shutdown), [1, 0]);
}

#[test]
fn sockets_outlive_their_world_without_harm() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let (client, server) = connection(&world).await;
        let listener = world.host(&"a".into()).unwrap().listen(address("10.0.0.1:81")).unwrap();
        let udp = world.host(&"a".into()).unwrap().bind_udp(address("10.0.0.1:9")).unwrap();
        sleep(ms(10)).await;
        (client, server, listener, udp, world)
    });
    // This is another thread than the world's.
    let (client, _server, _listener, udp, world) = outcome.value.unwrap();
    assert_eq!(
        udp.try_send_to(b"x", address("10.0.0.2:9")).unwrap_err().kind(),
        std::io::ErrorKind::NotConnected
    );
    assert_eq!(client.peer_addr().unwrap(), address("10.0.0.2:80"));
    assert_eq!(world.now(), outcome.elapsed);
}

#[test]
fn impossible_worlds_are_refused() {
    let config = || config(1, perfect(ms(1)));
    assert!(matches!(
        World::run(config().build().unwrap(), |_| async {}),
        Err(WorldError::NotOnSimulationThread)
    ));
    let mut twice = config();
    twice.hosts[1].addresses = twice.hosts[0].addresses.clone();
    assert_eq!(twice.build().unwrap_err().to_string(), "a and b both have the address 10.0.0.1");
    let given = |addresses: &[&str]| {
        let mut config = config();
        config.hosts[1].addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        config.build().map(|config| config.hosts().len())
    };
    let host = || "b".into();
    for nobodys in ["127.0.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "100::1"] {
        let address = nobodys.parse().unwrap();
        assert_eq!(
            given(&["10.0.0.2", nobodys]),
            Err(ConfigError::NotAHostAddress { host: host(), address })
        );
    }
    assert_eq!(given(&[]), Err(ConfigError::NoAddress { host: host() }));
    assert_eq!(given(&["223.255.255.255", "100:0:0:1::1"]), Ok(2));
    let mut hasty = config();
    hasty.hosts[0].processing = ProcessingDelay { min: ms(2), max: ms(1) };
    assert!(matches!(hasty.build(), Err(ConfigError::ProcessingRange { .. })));
    let nested = run(config(), |_| async move {
        let config = crate::world::config(1, perfect(ms(1))).build().unwrap();
        matches!(World::run(config, |_| async {}), Err(WorldError::Nested))
    });
    assert_eq!(nested.value, Some(true));
}
