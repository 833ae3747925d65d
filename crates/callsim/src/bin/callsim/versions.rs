//! Which `webrtc` this program is built with. What scenarios and documentation say of its defects was found with one
//! version; the program may be built with another that its requirement allows.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    panic::Location,
    sync::{Arc, OnceLock},
};

use webrtc::peer_connection::{PeerConnectionBuilder, PeerConnectionEventHandler};

use crate::output;

/// The version whose defects are pinned.
const PINNED: &str = "0.21.1";

/// Says so on standard error, where this program is not built with the version whose defects are pinned.
pub(crate) fn check() {
    if let Some(version) = webrtc().filter(|version| version != PINNED) {
        output::complain(&format!(
            "note: this is webrtc {version}; what scenarios expect of its defects was found with {PINNED}"
        ));
    }
}

/// The version of `webrtc`, by the path of its source: the crate does not say it in any other way. `None` where it was
/// not built from a registry.
pub(crate) fn webrtc() -> Option<String> {
    let source = Arc::new(OnceLock::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    // It ends where the address is asked for.
    let _ = runtime.block_on(
        PeerConnectionBuilder::new()
            .with_handler(Arc::new(Silent))
            .with_udp_addrs(vec![Probe(Arc::clone(&source))])
            .build(),
    );
    version_in(source.get()?)
}

/// `0.21.1` of `…/webrtc-0.21.1/src/…`.
fn version_in(path: &str) -> Option<String> {
    let mut folders = path.split(['/', '\\']);
    let version = folders.find_map(|folder| folder.strip_prefix("webrtc-"))?;
    version.starts_with(|letter: char| letter.is_ascii_digit()).then(|| version.to_owned())
}

struct Silent;

impl PeerConnectionEventHandler for Silent {}

/// An address that notes which file asks for it, and is none.
struct Probe(Arc<OnceLock<&'static str>>);

impl ToSocketAddrs for Probe {
    type Iter = std::option::IntoIter<SocketAddr>;

    #[track_caller]
    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let _ = self.0.set(Location::caller().file());
        Err(io::Error::other("no address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_tests_the_pinned_version() {
        assert_eq!(webrtc().as_deref(), Some(PINNED));
    }

    #[test]
    fn a_version_is_that_of_a_registry() {
        assert_eq!(version_in("/r/webrtc-0.22.0-rc.1/src/x.rs").as_deref(), Some("0.22.0-rc.1"));
        assert_eq!(version_in("C:\\r\\webrtc-0.21.1\\src\\x.rs").as_deref(), Some("0.21.1"));
        assert_eq!(version_in("/home/me/webrtc-fork/src/x.rs"), None);
        assert_eq!(version_in("src/x.rs"), None);
    }
}
