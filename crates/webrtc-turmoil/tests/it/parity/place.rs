//! What a row of the table is played with: sockets of one of the three kinds, and turns that both ends keep
//! to.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::watch,
};

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

#[async_trait(?Send)]
pub(crate) trait Listener {
    async fn accept(&self) -> io::Result<Box<dyn Stream>>;
}

#[async_trait(?Send)]
pub(crate) trait Udp {
    fn port(&self) -> u16;
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize>;
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<usize>;
}

/// The sockets of one host.
#[async_trait(?Send)]
pub(crate) trait Sockets {
    /// Listens at `address`; also the port that it was given.
    async fn listen(&self, address: SocketAddr) -> io::Result<(Box<dyn Listener>, u16)>;
    async fn connect(&self, to: SocketAddr) -> io::Result<Box<dyn Stream>>;
    async fn bind_udp(&self, address: SocketAddr) -> io::Result<Box<dyn Udp>>;
}

/// One end of a row: its sockets, where the other end is, and what both share.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) sockets: Rc<dyn Sockets>,
    pub(crate) own: IpAddr,
    pub(crate) other: IpAddr,
    pub(crate) shared: Shared,
}

/// What both ends share. The ends may run in different runtimes of one thread.
#[derive(Clone)]
pub(crate) struct Shared {
    turn: Arc<watch::Sender<u32>>,
    port: Arc<Mutex<u16>>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self { turn: Arc::new(watch::Sender::new(0)), port: Arc::default(), notes: Arc::default() }
    }

    /// The next turn begins; its number.
    pub(crate) fn next_turn(&self) -> u32 {
        self.turn.send_modify(|turn| *turn += 1);
        *self.turn.borrow()
    }

    /// What was observed, in the order in which it was.
    pub(crate) fn observed(&self) -> String {
        self.notes.lock().unwrap().join("; ")
    }
}

impl Place {
    /// Waits for a turn. By then what was done in the turn before it has arrived and was answered.
    pub(crate) async fn turn(&self, number: u32) {
        let mut turn = self.shared.turn.subscribe();
        turn.wait_for(|turn| *turn >= number).await.unwrap();
    }

    /// What `what` results in before turn `number`; `None` if it waits beyond.
    pub(crate) async fn before<T>(&self, number: u32, what: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = what => Some(done),
            () = self.turn(number) => None,
        }
    }

    /// Writes an observation down.
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.shared.notes.lock().unwrap().push(what.into());
    }

    /// Listens at a port of the system's choice, which the other end learns.
    pub(crate) async fn listen(&self) -> Box<dyn Listener> {
        let (listener, port) = self.sockets.listen(self.at(0)).await.unwrap();
        self.publish(port);
        listener
    }

    /// Listens and accepts one connection; the listener stays until it is dropped.
    pub(crate) async fn accepted(&self) -> (Box<dyn Listener>, Box<dyn Stream>) {
        let listener = self.listen().await;
        let stream = listener.accept().await.unwrap();
        (listener, stream)
    }

    /// Tells the other end a port.
    pub(crate) fn publish(&self, port: u16) {
        *self.shared.port.lock().unwrap() = port;
    }

    /// Connects, in turn 1, to where the other end listens.
    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        self.turn(1).await;
        self.sockets.connect(self.target()).await
    }

    /// The port that one end has published, at the other end.
    pub(crate) fn target(&self) -> SocketAddr {
        SocketAddr::new(self.other, self.published())
    }

    pub(crate) fn published(&self) -> u16 {
        *self.shared.port.lock().unwrap()
    }

    /// An address that every one of the three lets its host bind.
    pub(crate) fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new([0, 0, 0, 0].into(), port)
    }
}

/// What Linux calls a datagram that is too long (`errno(3)`).
const EMSGSIZE: i32 = 90;

/// The word of the table for what came of an attempt.
pub(crate) fn word<T>(result: io::Result<T>, good: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => good(value),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => "refused".to_owned(),
            io::ErrorKind::ConnectionReset => "reset".to_owned(),
            io::ErrorKind::BrokenPipe => "broken pipe".to_owned(),
            io::ErrorKind::AddrInUse => "address in use".to_owned(),
            io::ErrorKind::AddrNotAvailable => "no such address".to_owned(),
            io::ErrorKind::TimedOut => "timed out".to_owned(),
            io::ErrorKind::NotConnected => "not connected".to_owned(),
            _ if error.raw_os_error() == Some(EMSGSIZE) => "too long".to_owned(),
            _ => error.to_string(),
        },
    }
}

/// As [`word`], of something that may still wait.
pub(crate) fn word_or_waits<T>(result: Option<io::Result<T>>, good: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|| "waits".to_owned(), |result| word(result, good))
}

/// The word for the result of an attempt that gives nothing.
pub(crate) fn ok<T>(_: T) -> String {
    "ok".to_owned()
}

/// Reads once: what came, in words.
pub(crate) async fn read(stream: &mut dyn Stream) -> String {
    let mut buffer = [0; 64];
    let read = stream.read(&mut buffer).await;
    word(read, |len| match len {
        0 => "end".to_owned(),
        len => format!("`{}`", String::from_utf8_lossy(&buffer[..len])),
    })
}

/// Writes: whether it was taken, in words.
pub(crate) async fn write(stream: &mut dyn Stream, bytes: &[u8]) -> String {
    word(stream.write_all(bytes).await, ok)
}
