//! The rules that `simulate` keeps.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use turmoil::IpVersion;
use webrtc::runtime::Runtime as _;
use webrtc_turmoil::{Settings, SimulationError, TurmoilRuntime, clock, simulate};

const SETTINGS: Settings = Settings { seed: 3, epoch_s: 1_767_225_600 };

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what the standard library's clocks show is looked at")]
fn the_clocks_of_the_thread_are_those_of_the_simulation() {
    let shown = simulate(
        SETTINGS,
        |_| {},
        |sim| {
            let begun = Instant::now();
            sim.client("a", async {
                tokio::time::sleep(ms(250)).await;
                Ok(())
            });
            assert!(!sim.run_until(ms(100))?);
            let shown = (begun.elapsed(), SystemTime::now().duration_since(UNIX_EPOCH)?);
            sim.run()?;
            Ok((shown, sim.elapsed() > ms(250)))
        },
    );
    assert_eq!(shown, Ok(((ms(100), Duration::from_secs(SETTINGS.epoch_s) + ms(100)), true)));
}

#[test]
fn the_time_of_day_goes_on_where_a_host_starts_again() {
    let epoch = Duration::from_secs(SETTINGS.epoch_s);
    let shown = simulate(
        SETTINGS,
        |_| {},
        |sim| {
            let shown = Arc::<Mutex<Vec<Duration>>>::default();
            let noted = Arc::clone(&shown);
            sim.host("a", move || {
                let noted = Arc::clone(&noted);
                let note = move || noted.lock().unwrap().push(clock().now());
                note();
                async move {
                    note();
                    std::future::pending().await
                }
            });
            sim.client("b", std::future::pending());
            sim.run_until(ms(100))?;
            sim.bounce("a");
            sim.run_until(ms(200))?;
            let shown = shown.lock().unwrap();
            Ok(shown.iter().map(|shown| shown.as_millis() - epoch.as_millis()).collect::<Vec<_>>())
        },
    );
    // A runtime of turmoil begins with a millisecond that its host does not count before.
    assert_eq!(shown, Ok(vec![0, 0, 101, 100]));
}

#[test]
fn a_failure_says_when_and_why() {
    let failed = simulate(
        SETTINGS,
        |_| {},
        |sim| {
            sim.client("a", async {
                tokio::time::sleep(ms(5)).await;
                Err("no more coffee".into())
            });
            sim.run()
        },
    );
    let reason = "no more coffee".to_owned();
    assert_eq!(failed, Err(SimulationError::Failed { at: ms(5), reason }));
}

/// What `act` gives on a host `a` beside a host `b`.
fn on_a_host<T: Send + 'static>(act: fn() -> T) -> T {
    on_a_host_of(IpVersion::V4, act)
}

fn on_a_host_of<T: Send + 'static>(family: IpVersion, act: fn() -> T) -> T {
    let result = Arc::new(Mutex::new(None));
    let given = Arc::clone(&result);
    let ran = simulate(
        SETTINGS,
        |builder| _ = builder.ip_version(family),
        |sim| {
            sim.client("b", async { Ok(()) });
            sim.client("a", async move {
                *given.lock().unwrap() = Some(act());
                Ok(())
            });
            sim.run()
        },
    );
    assert_eq!(ran, Ok(()));
    let mut result = result.lock().unwrap();
    result.take().expect("the client ran")
}

#[test]
fn a_name_that_no_host_has_is_not_found() {
    let (kind, same) = on_a_host(|| {
        let kind = TurmoilRuntime::new("c").map_err(|error| error.kind());
        let own = TurmoilRuntime::new("a").map(|runtime| runtime.address());
        (kind.map(|_| ()), own.is_ok_and(|address| address == turmoil::lookup("a")))
    });
    assert_eq!((kind, same), (Err(std::io::ErrorKind::NotFound), true));
}

#[test]
fn a_socket_takes_the_hosts_own_address_and_no_other() {
    let results = on_a_host(|| {
        let runtime = TurmoilRuntime::new("a").unwrap();
        let bind = |address: &str| {
            let wrapped = runtime.wrap_udp_socket(std::net::UdpSocket::bind(address)?)?;
            wrapped.local_addr().map(|address| address.ip())
        };
        let own = runtime.address().to_string();
        let own = bind(&format!("{own}:0")).is_ok_and(|address| address == runtime.address());
        (own, [bind("0.0.0.0:0"), bind("192.0.2.1:0")].map(|wrapped| wrapped.map_err(|error| error.kind())))
    });
    let elsewhere = || Err(std::io::ErrorKind::AddrNotAvailable);
    assert_eq!(results, (true, [elsewhere(), elsewhere()]));
}

#[test]
fn a_socket_opens_on_a_host_of_either_family() {
    for family in [IpVersion::V4, IpVersion::V6] {
        let bound = on_a_host_of(family, || {
            let runtime = TurmoilRuntime::new("a")?;
            let socket = runtime.wrap_udp_socket(std::net::UdpSocket::bind(runtime.udp_address())?)?;
            Ok::<_, std::io::Error>(socket.local_addr()?.ip() == runtime.address())
        });
        assert!(bound.unwrap());
    }
}

/// As on a network: nobody says that nobody is there.
#[test]
fn what_is_sent_to_nobody_is_sent() {
    let sent = on_a_host(|| {
        let runtime = TurmoilRuntime::new("a").unwrap();
        let socket = std::net::UdpSocket::bind(runtime.udp_address()).unwrap();
        let socket = runtime.wrap_udp_socket(socket).unwrap();
        let to = ["192.0.2.1:3478", "[2001:db8::1]:3478"].map(|to| to.parse().unwrap());
        to.map(|to| futures::FutureExt::now_or_never(socket.send_to(b"four", to)).unwrap().unwrap())
    });
    assert_eq!(sent, [4, 4]);
}

#[test]
fn names_are_resolved_with_their_ports() {
    let results = on_a_host(|| {
        let runtime = TurmoilRuntime::new("a").unwrap();
        let resolve = |host: &str| {
            let resolved =
                futures::FutureExt::now_or_never(runtime.resolve_host(host)).expect("it never waits");
            resolved.map_err(|error| error.kind())
        };
        let b = std::net::SocketAddr::new(turmoil::lookup("b"), 3478);
        (resolve("b:3478") == Ok(vec![b]), resolve("192.0.2.1:1"), resolve("c:1"), resolve("b"))
    });
    assert!(results.0);
    assert_eq!(results.1, Ok(vec!["192.0.2.1:1".parse().unwrap()]));
    assert_eq!(results.2, Err(std::io::ErrorKind::NotFound));
    assert_eq!(results.3, Err(std::io::ErrorKind::InvalidInput));
}
