//! What names a host, an end of a connection and a packet within a world.

use std::net::SocketAddr;

/// A host's place in its world.
pub(crate) type HostIndex = usize;

/// The place of a packet in the log.
pub(crate) type RecordId = usize;

/// One end of a connection, as its host sees it: a NAT may show the peer other addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EndKey {
    pub(crate) host: HostIndex,
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}
