//! Programs outside of the world, whose packets cross it in real time: a lab.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use netsim::World;
use timeline::Name;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
};
use webrtc::runtime::Runtime;

/// What brings packets into a world and takes them out, and where callsim's own engine runs meanwhile.
///
/// A plan that is played with one is played in real time: hosts take no time of their own over messages, since their
/// programs do, and a program may call the machine.
pub trait Outside: Send + Sync {
    /// The world runs; nothing on its hosts does yet. On the world's thread, within its runtime.
    fn begin(&self, world: &World);

    /// Where the engine of this peer runs; `None` for on its host in the world. Not asked for peers that have a program
    /// of their own ([`Player::program`](super::Player::program)).
    fn site(&self, peer: &Name) -> Option<Site>;

    /// When the world ends at the latest.
    fn deadline(&self) -> Duration;

    /// Resolves when nobody needs the world any more: what is left of the script is left out.
    fn over(&self) -> OutsideFuture<()>;

    /// The host has these addresses from now on; none while it moves. Its program hears of it when this resolves.
    ///
    /// # Errors
    /// Why the system did not take them, in words.
    fn moves(&self, host: &Name, addresses: Vec<IpAddr>) -> OutsideFuture<Result<(), String>>;
}

/// What is done outside, and takes its time.
pub type OutsideFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A place outside of the world, with real sockets.
#[derive(Clone)]
pub struct Site {
    /// Where tasks are spawned.
    pub handle: Handle,
    /// What the peer connections run on.
    pub runtime: Arc<dyn Runtime>,
    /// Opens TCP connections from there.
    pub connect: Arc<dyn Fn(SocketAddr) -> Connecting + Send + Sync>,
}

/// A connection that is being opened.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Connection>>> + Send>>;

/// A TCP connection, or what does for one.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}
