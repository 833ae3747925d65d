//! The local addresses that ICE gathers on, which a change of network replaces.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec,
};

/// The present addresses. `webrtc` asks for them each time that it opens sockets, which is when a peer
/// connection is built and when its ICE restarts. All clones are one list.
#[derive(Clone, Debug)]
pub(crate) struct BindAddresses(Arc<Mutex<Vec<String>>>);

impl BindAddresses {
    /// `addresses` are of the form `address:port`.
    pub(crate) fn new(addresses: Vec<String>) -> Self {
        Self(Arc::new(Mutex::new(addresses)))
    }

    /// The device has other addresses now.
    pub(crate) fn replace(&self, addresses: Vec<String>) {
        *self.list() = addresses;
    }

    fn list(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ToSocketAddrs for BindAddresses {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let mut all = Vec::new();
        for address in self.list().iter() {
            all.extend(address.to_socket_addrs()?);
        }
        Ok(all.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_opened_where_the_device_is_now() {
        let addresses = BindAddresses::new(vec!["10.0.0.1:5000".to_owned()]);
        let held = addresses.clone();
        addresses.replace(vec!["192.0.2.1:5000".to_owned(), "192.0.2.2:0".to_owned()]);
        let found: Vec<String> = held.to_socket_addrs().unwrap().map(|address| address.to_string()).collect();
        assert_eq!(found, ["192.0.2.1:5000", "192.0.2.2:0"]);
        addresses.replace(vec!["nowhere".to_owned()]);
        assert!(held.to_socket_addrs().is_err());
    }
}
