use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use timeline::Name;

use crate::{
    TcpListener, TcpStream, UdpSocket, UnknownHost,
    ids::HostIndex,
    shared::Shared,
    socket::{self},
};

/// A host of a world: where sockets are opened. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
    index: HostIndex,
    name: Name,
}

impl Host {
    pub(crate) fn new(shared: &Arc<Shared>, index: HostIndex) -> Self {
        let name = shared.network().name(index).clone();
        Self { shared: Arc::clone(shared), index, name }
    }

    pub(crate) const fn parts(&self) -> (&Arc<Shared>, HostIndex) {
        (&self.shared, self.index)
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its present addresses, without loopback, in the order in which they were given; those of its newest
    /// attachment first. None while it moves.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.shared.network().addresses(self.index)
    }

    /// The present addresses of the host called `name`, as [`Host::addresses`] gives them. A world has no
    /// name service: every host knows every name, and where the other one is behind a NAT, its addresses
    /// inside.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn lookup(&self, name: &Name) -> Result<Vec<IpAddr>, UnknownHost> {
        let network = self.shared.network();
        Ok(network.addresses(network.host(name)?))
    }

    /// Opens a UDP socket; port 0 stands for a free one from 49152 up.
    ///
    /// # Errors
    /// `AddrNotAvailable` where the host does not have the address, `AddrInUse` where another socket
    /// stands in the way, `NotConnected` where the world is over or the host is switched off.
    pub fn bind_udp(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        UdpSocket::bind(&self.shared, self.index, address)
    }

    /// Listens for TCP connections; port 0 stands for a free one from 49152 up.
    ///
    /// # Errors
    /// As for [`Host::bind_udp`]. A port can be bound again only when the connections that its earlier
    /// listener accepted are gone.
    pub fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(&self.shared, self.index, address)
    }

    /// Opens a TCP connection to `to`. Dropping the future gives the attempt up.
    ///
    /// # Errors
    /// `ConnectionRefused` where nobody listens there, `TimedOut` where nothing got through for the
    /// user timeout (nobody has the address, a link is down, or a gateway lets nothing through),
    /// `NetworkUnreachable` where the host has no address of `to`'s family, `NotConnected` where the world is
    /// over or the host is switched off.
    pub async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        socket::connect(&self.shared, self.index, to).await
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.name)
    }
}
