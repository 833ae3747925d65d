use std::{
    cell::RefCell,
    hash::{BuildHasher, RandomState},
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use super::*;

const EPOCH_S: u64 = 1_767_225_600;

fn simulate<T: Send>(seed: u64, f: impl FnOnce() -> T + Send) -> T {
    on_simulation_thread(Settings { seed, epoch_s: EPOCH_S }, f).expect("the closure does not panic")
}

/// All that a program can draw: the standard library's hash keys, `getrandom` as a function, as a bare
/// system call, and `getentropy`.
fn fingerprint() -> (u64, [u8; 16], [u8; 16], [u8; 16]) {
    (RandomState::new().hash_one("callsim"), random(), random_by_syscall(), entropy())
}

#[allow(unsafe_code, reason = "calls the C library as foreign code does")]
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // SAFETY: the buffer has 16 bytes.
    let len = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), 16, 0) };
    assert_eq!(len, 16);
    bytes
}

#[allow(unsafe_code, reason = "calls the C library as foreign code does")]
fn random_by_syscall() -> [u8; 16] {
    let mut bytes = [0u8; 16];
    // SAFETY: the buffer has 16 bytes.
    let len = unsafe { libc::syscall(libc::SYS_getrandom, bytes.as_mut_ptr(), 16usize, 0) };
    assert_eq!(len, 16);
    bytes
}

#[allow(unsafe_code, reason = "calls the C library as foreign code does")]
fn entropy() -> [u8; 16] {
    let mut bytes = [0u8; 16];
    // SAFETY: the buffer has 16 bytes.
    assert_eq!(unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), 16) }, 0);
    bytes
}

/// Both clocks. The one place that reads them: what is tested is that they are virtual.
#[allow(clippy::disallowed_methods, reason = "shows that the system's clocks are hooked")]
fn clocks() -> (SystemTime, Instant) {
    (SystemTime::now(), Instant::now())
}

#[test]
fn is_supported_here() {
    assert_eq!(supported(), Ok(()));
}

#[test]
fn one_seed_gives_the_same_randomness_on_every_thread() {
    let first = simulate(7, fingerprint);
    assert_eq!(first, simulate(7, fingerprint));
    let other = simulate(8, fingerprint);
    assert_ne!(first.0, other.0);
    assert_ne!(first.1, other.1);
    assert_ne!(first.2, other.2);
    assert_ne!(first.3, other.3);
}

#[test]
fn draws_are_counted() {
    let (before, after) = simulate(7, || {
        let before = draws();
        random();
        random_by_syscall();
        (before, draws())
    });
    assert_eq!(after - before, 2);
}

#[test]
fn clocks_show_virtual_time() {
    let (start, later, elapsed) = simulate(7, || {
        let start = clocks();
        assert_eq!(start, clocks());
        set_virtual_now(Duration::from_millis(1500));
        (start, clocks(), virtual_now())
    });
    assert_eq!(start.0, UNIX_EPOCH + Duration::from_secs(EPOCH_S));
    assert_eq!(later.0, start.0 + Duration::from_millis(1500));
    assert_eq!(later.1, start.1 + Duration::from_millis(1500));
    assert_eq!(elapsed, Duration::from_millis(1500));
    assert_eq!(start, simulate(9, clocks));
}

#[test]
fn ordinary_threads_notice_nothing() {
    set_virtual_now(Duration::from_secs(5));
    assert!(!is_simulation_thread());
    assert_eq!(virtual_now(), Duration::ZERO);
    assert_ne!(random(), random());
    assert_ne!(random_by_syscall(), random_by_syscall());
    assert_ne!(entropy(), entropy());
    let (first, _) = clocks();
    while clocks().0 == first {}
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_ne!(socket.local_addr().unwrap().port(), 0);
    assert_eq!(take_bound(socket.as_raw_fd()), None);
}

#[test]
fn failed_calls_keep_their_errno() {
    assert_eq!(UdpSocket::bind("203.0.113.1:9").unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
}

#[test]
fn sockets_have_simulated_names() {
    simulate(7, || {
        let fixed = UdpSocket::bind("203.0.113.1:9").unwrap();
        assert_eq!(fixed.local_addr().unwrap(), "203.0.113.1:9".parse::<SocketAddr>().unwrap());
        let v6 = UdpSocket::bind("[2001:db8::1]:0").unwrap();
        assert_eq!(v6.local_addr().unwrap(), "[2001:db8::1]:49152".parse::<SocketAddr>().unwrap());
        let next = UdpSocket::bind("192.168.1.2:0").unwrap();
        assert_eq!(next.local_addr().unwrap(), "192.168.1.2:49153".parse::<SocketAddr>().unwrap());
        assert_eq!(take_bound(fixed.as_raw_fd()), Some("203.0.113.1:9".parse::<SocketAddr>().unwrap()));
        assert_eq!(take_bound(fixed.as_raw_fd()), None);
    });
}

#[test]
fn parallel_and_nested_simulations_are_independent() {
    let alone = simulate(7, fingerprint);
    let (outer, inner, outer_again) = simulate(8, || {
        let outer = random();
        set_virtual_now(Duration::from_secs(1));
        let inner = simulate(7, fingerprint);
        assert_eq!(virtual_now(), Duration::from_secs(1));
        (outer, inner, random())
    });
    assert_eq!(inner, alone);
    assert_eq!((outer, outer_again), simulate(8, || (random(), random())));
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|_| scope.spawn(|| simulate(7, fingerprint))).collect();
        for handle in running {
            assert_eq!(handle.join().unwrap(), alone);
        }
    });
}

#[test]
fn a_panic_comes_back_and_leaves_no_hook_behind() {
    let settings = Settings { seed: 7, epoch_s: EPOCH_S };
    let payload = on_simulation_thread(settings, || panic!("scenario")).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"scenario"));

    let on_same_thread = std::panic::catch_unwind(|| {
        let _active = thread::Active::begin(settings);
        assert!(is_simulation_thread());
        panic!("scenario");
    });
    assert!(on_same_thread.is_err());
    assert!(!is_simulation_thread());
    assert_ne!(random(), random());
}

#[test]
fn a_simulation_leaves_nothing_to_the_next_on_its_thread() {
    let settings = Settings { seed: 7, epoch_s: EPOCH_S };
    let spawn = || std::thread::Builder::new().spawn(|| ()).map(drop);
    for (escapes, is_refused) in [(Escapes::Note, false), (Escapes::Fail, true), (Escapes::Allow, false)] {
        let _active = thread::Active::begin(settings);
        assert!(spawn().is_err(), "each begins with a refusal");
        assert_eq!(take_escapes().len(), 1, "and without what the one before recorded");
        set_escapes(escapes);
        assert_eq!(spawn().is_err(), is_refused);
    }
    assert!(spawn().is_ok(), "the thread is an ordinary one again");
}

/// Escapes while its thread ends, when other thread-locals may be gone.
struct Last;

impl Drop for Last {
    fn drop(&mut self) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        drop(socket.connect("127.0.0.1:9"));
        drop(std::thread::Builder::new().spawn(|| ()));
    }
}

/// Thread-locals are destroyed in an order of their own: one is made before the first escape, one after it.
#[test]
fn hooks_act_to_the_very_end_of_a_thread() {
    thread_local! {
        static EARLY: RefCell<Option<Last>> = const { RefCell::new(None) };
        static LATE: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let simulating = std::thread::spawn(|| {
        std::mem::forget(thread::Active::begin(Settings { seed: 7, epoch_s: EPOCH_S }));
        EARLY.set(Some(Last));
        assert!(std::thread::Builder::new().spawn(|| ()).is_err());
        LATE.set(Some(Last));
    });
    assert!(simulating.join().is_ok());
}

/// On one thread that simulates and one that does not, by turns: the clock never goes back.
#[test]
fn a_thread_may_go_by_the_systems_clocks_and_keeps_its_seeded_randomness() {
    let before = clocks();
    let (between, drawn, virtual_now) = simulate(7, || {
        use_system_clocks();
        set_virtual_now(Duration::from_secs(5));
        (clocks(), fingerprint(), virtual_now())
    });
    let after = clocks();
    assert!(before.0 <= between.0 && between.0 <= after.0);
    assert!(before.1 <= between.1 && between.1 <= after.1);
    assert_eq!(virtual_now, Duration::from_secs(5));
    assert_eq!(drawn, simulate(7, fingerprint));
    let (wall, _) = simulate(7, clocks);
    assert_eq!(
        wall,
        UNIX_EPOCH + Duration::from_secs(EPOCH_S),
        "the next simulation has its own clocks again"
    );
}
