//! Programs for namespaces: small ones, on the standard library's sockets.

#![allow(clippy::disallowed_methods, reason = "they live in real time")]

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

/// Plays the role that the environment names; a test like any other where it names none.
#[test]
fn play() {
    let Ok(role) = std::env::var("LAB_ROLE") else { return };
    let words: Vec<&str> = role.split_whitespace().collect();
    let said = match words.as_slice() {
        ["echo", at, until] => echo(at, number(until)),
        ["ping", to, count, apart_ms] => ping(to, number(count), Duration::from_millis(number(apart_ms))),
        ["send-tcp", to, bytes] => send_tcp(to, number(bytes)),
        ["take-tcp", at] => take_tcp(at),
        ["punch", from, to] => punch(from, to),
        ["mapped", from, first, second] => mapped(from, [first, second]),
        ["big", to, bytes] => big(to, number(bytes)),
        ["refused", to, count] => refused(to, number(count)),
        ["sleep", seconds] => {
            std::thread::sleep(Duration::from_secs(number(seconds)));
            Vec::new()
        }
        other => panic!("no such role: {other:?}"),
    };
    let said: Vec<String> = said.iter().map(f64::to_string).collect();
    println!("\nSAID {}", said.join(" "));
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word} is no number"))
}

fn patient(socket: UdpSocket, ms: u64) -> UdpSocket {
    socket.set_read_timeout(Some(Duration::from_millis(ms))).unwrap();
    socket
}

/// Answers each datagram with itself and the port that it came from, until nothing comes for so many milliseconds; how
/// many there were.
fn echo(at: &str, quiet_ms: u64) -> Vec<f64> {
    let socket = patient(UdpSocket::bind(at).unwrap(), quiet_ms);
    let (mut buffer, mut count) = ([0; 2048], 0.0);
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        count += 1.0;
        let mut answer = buffer[..length].to_vec();
        answer.extend(from.port().to_be_bytes());
        socket.send_to(&answer, from).unwrap();
    }
    vec![count]
}

/// Sends so many datagrams; how many came back, then the median and the greatest round trip in milliseconds, and for how
/// long at most none came back.
fn ping(to: &str, count: u32, apart: Duration) -> Vec<f64> {
    let any = if to.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = patient(UdpSocket::bind(any).unwrap(), 10);
    // The other end may not listen yet.
    for _ in 0..500 {
        let _ = socket.send_to(&u32::MAX.to_be_bytes(), to);
        if socket.recv_from(&mut [0; 64]).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let start = Instant::now();
    let (mut sent, mut trips, mut last, mut longest) = (0, Vec::new(), start, Duration::ZERO);
    let end = start + apart * count + Duration::from_secs(1);
    let mut times = Vec::new();
    while Instant::now() < end {
        if sent < count && start.elapsed() >= apart * sent {
            times.push(Instant::now());
            // A link that is down is no error of the sender's.
            let _ = socket.send_to(&sent.to_be_bytes(), to);
            sent += 1;
        }
        let mut buffer = [0; 64];
        if let Ok((6.., _)) = socket.recv_from(&mut buffer) {
            let nth = u32::from_be_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]);
            // One from before.
            let Some(time) = times.get(nth as usize) else { continue };
            trips.push(time.elapsed());
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
    }
    trips.sort();
    let ms = |duration: Option<&Duration>| duration.map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e3);
    vec![trips.len() as f64, ms(trips.get(trips.len() / 2)), ms(trips.last()), ms(Some(&longest))]
}

/// Sends so many bytes; how long it took until the other end had them, in milliseconds.
fn send_tcp(to: &str, bytes: usize) -> Vec<f64> {
    let start = Instant::now();
    let mut stream = connect(to);
    let block = vec![7; bytes];
    stream.write_all(&block).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    vec![start.elapsed().as_secs_f64() * 1e3, f64::from(u32::from_be_bytes(answer.try_into().unwrap()))]
}

/// The other end may not listen yet.
fn connect(to: &str) -> TcpStream {
    let start = Instant::now();
    loop {
        match TcpStream::connect(to) {
            Ok(stream) => return stream,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && start.elapsed().as_secs() < 10 => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Takes one connection, and answers how many bytes came, if all of them are right.
fn take_tcp(at: &str) -> Vec<f64> {
    let (mut stream, _) = TcpListener::bind(at).unwrap().accept().unwrap();
    let mut taken = Vec::new();
    stream.read_to_end(&mut taken).unwrap();
    assert!(taken.iter().all(|byte| *byte == 7));
    stream.write_all(&u32::try_from(taken.len()).unwrap().to_be_bytes()).unwrap();
    vec![taken.len() as f64]
}

/// Sends to an endpoint for two seconds, from a port of its own; how many came from anywhere.
fn punch(from: &str, to: &str) -> Vec<f64> {
    let socket = patient(UdpSocket::bind(from).unwrap(), 100);
    let (start, mut count, mut buffer) = (Instant::now(), 0.0, [0; 64]);
    while start.elapsed() < Duration::from_secs(2) {
        let _ = socket.send_to(b"punch", to);
        if socket.recv_from(&mut buffer).is_ok() {
            count += 1.0;
        }
    }
    vec![count]
}

/// Which ports two echoes see of one socket: how a NAT maps.
fn mapped(from: &str, echoes: [&str; 2]) -> Vec<f64> {
    let socket = patient(UdpSocket::bind(from).unwrap(), 300);
    let ask = |echo: &str| {
        let mut buffer = [0; 64];
        for _ in 0..20 {
            let _ = socket.send_to(b"x", echo);
            if let Ok((3, _)) = socket.recv_from(&mut buffer) {
                return f64::from(u16::from_be_bytes([buffer[1], buffer[2]]));
            }
        }
        f64::NAN
    };
    echoes.map(ask).to_vec()
}

/// Sends datagrams of so many bytes that must not be fragmented, until the system says that they are too long: after how
/// many milliseconds, or -1.
fn big(to: &str, bytes: usize) -> Vec<f64> {
    let socket = patient(UdpSocket::bind("0.0.0.0:0").unwrap(), 50);
    socket.connect(to).unwrap();
    // Linux: IP_MTU_DISCOVER is "want", which sets DF; what is longer than the path's MTU is then cut into fragments, of
    // which the path has none, and nothing comes back.
    let (start, mut buffer) = (Instant::now(), [0; 2048]);
    let (mut sent, mut came) = (0.0, 0.0);
    while start.elapsed() < Duration::from_secs(1) {
        if socket.send(&vec![0; bytes]).is_ok() {
            sent += 1.0;
        }
        if socket.recv(&mut buffer).is_ok() {
            came += 1.0;
        }
    }
    vec![sent, came]
}

/// Sends so many datagrams to a port where nobody listens; how many refusals came (ICMP "port unreachable"), and after how
/// long, the median in milliseconds.
fn refused(to: &str, count: u32) -> Vec<f64> {
    let any = if to.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let mut trips = Vec::new();
    for _ in 0..count {
        let socket = patient(UdpSocket::bind(any).unwrap(), 1000);
        socket.connect(to).unwrap();
        let start = Instant::now();
        socket.send(b"anybody?").unwrap();
        if socket.recv(&mut [0; 16]).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
            trips.push(start.elapsed());
        }
    }
    trips.sort();
    let median = trips.get(trips.len() / 2).map_or(f64::NAN, |trip| trip.as_secs_f64() * 1e3);
    vec![trips.len() as f64, median]
}
