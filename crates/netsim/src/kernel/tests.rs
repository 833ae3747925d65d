//! Two stacks side by side, with a network between them that hands over at once, or when a test says so.

use std::{
    net::{IpAddr, SocketAddr},
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::{Close, Connecting, Kernel, Listener, Segment, Stream};

const PORT: u16 = 80;

/// The last byte of an address is its host's number.
fn address(host: u8) -> SocketAddr {
    ([10, 0, 0, host], PORT).into()
}

/// What a host does to connect to host 1.
fn connect(kernel: &Kernel, host: u8) -> Connecting {
    Connecting::start(kernel.stack(usize::from(host)), address(host).ip(), address(1)).unwrap()
}

fn deliver(kernel: &Kernel, segments: Vec<Segment>) {
    for segment in segments {
        let IpAddr::V4(to) = segment.to().ip() else { panic!("{segment:?}") };
        kernel.deliver(usize::from(to.octets()[3]), segment);
    }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// What the stacks have sent and not received yet.
fn sent(kernel: &Kernel) -> Vec<Segment> {
    let mut out = Vec::new();
    kernel.egress(|_, segment| out.push(segment)).wake();
    out
}

/// Delivers until nobody has anything to say; how many segments that took.
fn settle(kernel: &Kernel) -> usize {
    let mut segments = 0;
    loop {
        let out = sent(kernel);
        if out.is_empty() {
            return segments;
        }
        segments += out.len();
        deliver(kernel, out);
    }
}

fn ready<T>(poll: Poll<std::io::Result<T>>) -> T {
    match poll {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => panic!("it has to wait"),
    }
}

/// A connection from host 0 to a listener on host 1.
fn connected(kernel: &Kernel) -> (Stream, Stream, Listener) {
    let listener = Listener::bind(kernel.stack(1), address(1)).unwrap();
    let mut connecting = connect(kernel, 0);
    assert_eq!(settle(kernel), 3, "SYN, SYN-ACK, ACK");
    let client = ready(connecting.poll(&context()));
    connecting.close();
    (client, ready(listener.poll_accept(&context())), listener)
}

/// What can be read at once; `None` where the stream has ended.
fn read(stream: &Stream, limit: usize) -> Option<Vec<u8>> {
    let mut space = vec![0; limit];
    let mut buf = ReadBuf::new(&mut space);
    match stream.poll_read(&context(), &mut buf) {
        Poll::Pending => Some(Vec::new()),
        Poll::Ready(result) => {
            result.unwrap();
            (!buf.filled().is_empty()).then(|| buf.filled().to_vec())
        }
    }
}

#[test]
fn a_port_is_free_again_when_both_ends_have_finished() {
    let kernel = Kernel::new(2);
    let (client, server, listener) = connected(&kernel);
    let bind = || Listener::bind(kernel.stack(1), address(1)).map(|_| ()).map_err(|error| error.kind());
    assert_eq!(bind(), Err(std::io::ErrorKind::AddrInUse));
    listener.close();
    client.close();
    settle(&kernel);
    assert_eq!(bind(), Err(std::io::ErrorKind::AddrInUse), "an accepted connection still has it");
    server.close();
    settle(&kernel);
    assert_eq!(bind(), Ok(()));
}

#[test]
fn a_writer_waits_when_nothing_is_acknowledged_and_goes_on_when_something_is() {
    let kernel = Kernel::new(2);
    let (client, server, _listener) = connected(&kernel);
    let mut written = 0;
    while let Poll::Ready(more) = client.poll_write(&context(), &[7; 10_000]) {
        written += more.unwrap();
    }
    assert_eq!(written, 256 << 10);
    let first = sent(&kernel);
    assert_eq!(first.iter().map(|segment| segment.payload().len()).sum::<usize>(), 65_535, "one window");
    assert_eq!(first[0].payload().len(), 1460);
    deliver(&kernel, first);
    settle(&kernel);
    assert!(client.poll_write(&context(), &[7; 10_000]).is_ready());
    let mut got = 0;
    while let Some(bytes) = read(&server, 100_000).filter(|bytes| !bytes.is_empty()) {
        got += bytes.len();
    }
    assert_eq!(got, written);
}

#[test]
fn what_comes_out_of_order_is_not_taken() {
    let kernel = Kernel::new(2);
    let (client, server, _listener) = connected(&kernel);
    ready(client.poll_write(&context(), b"first"));
    let first = sent(&kernel);
    ready(client.poll_write(&context(), b"second"));
    deliver(&kernel, sent(&kernel));
    assert_eq!(read(&server, 20).unwrap(), b"");
    deliver(&kernel, first);
    assert_eq!(read(&server, 20).unwrap(), b"first");
}

#[test]
fn a_listener_at_every_address_and_one_at_a_single_address_exclude_each_other() {
    let kind = |first: SocketAddr, second: SocketAddr| {
        let kernel = Kernel::new(2);
        let _first = Listener::bind(kernel.stack(1), first).unwrap();
        Listener::bind(kernel.stack(1), second).map(|_| ()).map_err(|error| error.kind())
    };
    let everywhere = SocketAddr::new("0.0.0.0".parse().unwrap(), PORT);
    let elsewhere = ([10, 1, 0, 1], PORT).into();
    assert_eq!(kind(everywhere, address(1)), Err(std::io::ErrorKind::AddrInUse));
    assert_eq!(kind(address(1), everywhere), Err(std::io::ErrorKind::AddrInUse));
    assert_eq!(kind(address(1), elsewhere), Ok(()));
}

#[test]
fn a_listener_that_closes_resets_what_nobody_has_accepted() {
    let kernel = Kernel::new(2);
    let listener = Listener::bind(kernel.stack(1), address(1)).unwrap();
    let mut connecting = connect(&kernel, 0);
    settle(&kernel);
    let client = ready(connecting.poll(&context()));
    listener.close();
    settle(&kernel);
    let Poll::Ready(Err(error)) = client.poll_write(&context(), b"x") else { panic!("it goes on") };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    client.close();
    assert_eq!((settle(&kernel), kernel.connections()), (0, 0));
}

#[test]
fn a_handshake_that_is_given_up_leaves_nothing_at_the_listener() {
    let kernel = Kernel::new(2);
    let listener = Listener::bind(kernel.stack(1), address(1)).unwrap();
    let connecting = connect(&kernel, 0);
    deliver(&kernel, sent(&kernel));
    connecting.close();
    assert_eq!((settle(&kernel), kernel.connections()), (2, 0), "SYN-ACK, RST");
    listener.close();
    assert!(Listener::bind(kernel.stack(1), address(1)).is_ok());
}

#[test]
fn a_host_talks_to_itself_without_a_network() {
    let kernel = Kernel::new(2);
    let listener = Listener::bind(kernel.stack(1), address(1)).unwrap();
    let mut connecting = connect(&kernel, 1);
    assert_eq!(settle(&kernel), 0);
    let client = ready(connecting.poll(&context()));
    let server = ready(listener.poll_accept(&context()));
    ready(client.poll_write(&context(), b"self"));
    settle(&kernel);
    assert_eq!(read(&server, 10).unwrap(), b"self");
}

#[derive(Clone, Debug)]
enum Act {
    Write(bool, usize),
    Read(bool, usize),
    Deliver,
    ShutDown(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<bool>(), 1_usize..80_000).prop_map(|(client, length)| Act::Write(client, length)),
        4 => (any::<bool>(), 1_usize..50_000).prop_map(|(client, limit)| Act::Read(client, limit)),
        4 => Just(Act::Deliver),
        1 => any::<bool>().prop_map(Act::ShutDown),
    ]
}

proptest! {
    /// Whatever is written arrives once and in order, in both directions, whenever who reads, writes and ends.
    #[test]
    fn streams_carry_what_was_written(acts in prop::collection::vec(act(), 1..60)) {
        let kernel = Kernel::new(2);
        let (client, server, _listener) = connected(&kernel);
        let ends = [&server, &client];
        let mut written = [Vec::new(), Vec::new()];
        let mut read_by = [Vec::new(), Vec::new()];
        let mut open = [true, true];
        let mut next = 0_u8;
        for act in acts {
            match act {
                Act::Write(end, length) if open[usize::from(end)] => {
                    let bytes: Vec<u8> = (0..length).map(|i| next.wrapping_add((i % 251) as u8)).collect();
                    next = next.wrapping_add(1);
                    if let Poll::Ready(count) = ends[usize::from(end)].poll_write(&context(), &bytes) {
                        written[usize::from(end)].extend_from_slice(&bytes[..count.unwrap()]);
                    }
                }
                Act::Write(end, length) => {
                    let refused = ends[usize::from(end)].poll_write(&context(), &vec![0; length]);
                    prop_assert!(matches!(refused, Poll::Ready(Err(_))));
                }
                Act::Read(end, limit) => {
                    read_by[usize::from(end)].extend(read(ends[usize::from(end)], limit).unwrap_or_default());
                }
                Act::Deliver => deliver(&kernel, sent(&kernel)),
                Act::ShutDown(end) => {
                    ends[usize::from(end)].shut_down().unwrap();
                    open[usize::from(end)] = false;
                }
            }
        }
        settle(&kernel);
        for end in [0, 1] {
            let mut ended = false;
            loop {
                match read(ends[end], 1 << 20) {
                    Some(bytes) if bytes.is_empty() => break,
                    Some(bytes) => read_by[end].extend(bytes),
                    None => {
                        ended = true;
                        break;
                    }
                }
            }
            prop_assert!(read_by[end] == written[1 - end]);
            prop_assert_eq!(ended, !open[1 - end]);
        }
        for end in [client, server] {
            end.close();
        }
        settle(&kernel);
        prop_assert_eq!(kernel.connections(), 0);
    }
}
