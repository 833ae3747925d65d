//! One allocation: its relayed transport address, its permissions, its channels (RFC 8656 §6).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::event::ServiceEvent;

/// A permission lasts 300 s (RFC 8656 §9).
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
/// A channel binding lasts 600 s (RFC 8656 §12).
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

pub(crate) struct Allocation {
    pub(crate) relay: SocketAddr,
    /// Every later request must come with this one (RFC 8656 §5).
    pub(crate) username: String,
    /// Whose quota it counts against.
    pub(crate) account: String,
    pub(crate) expires: Duration,
    permissions: BTreeMap<IpAddr, Duration>,
    channels: BTreeMap<u16, Channel>,
    numbers: BTreeMap<SocketAddr, u16>,
}

struct Channel {
    peer: SocketAddr,
    expires: Duration,
}

impl Allocation {
    pub(crate) fn new(relay: SocketAddr, username: String, account: String, expires: Duration) -> Self {
        Self {
            relay,
            username,
            account,
            expires,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// Installs or refreshes a permission.
    pub(crate) fn permit(&mut self, now: Duration, peer: IpAddr) -> ServiceEvent {
        self.permissions.insert(peer, now + PERMISSION_LIFETIME);
        ServiceEvent::Permitted { relay: self.relay, peer }
    }

    pub(crate) fn permits(&self, peer: IpAddr) -> bool {
        self.permissions.contains_key(&peer)
    }

    /// Binds or refreshes a channel and the permission with it (RFC 8656 §12.2). `None` if the number
    /// has another peer or the peer another number.
    pub(crate) fn bind(&mut self, now: Duration, number: u16, peer: SocketAddr) -> Option<[ServiceEvent; 2]> {
        let number_free = self.channels.get(&number).is_none_or(|channel| channel.peer == peer);
        let peer_free = self.numbers.get(&peer).is_none_or(|bound| *bound == number);
        if !(number_free && peer_free) {
            return None;
        }
        self.channels.insert(number, Channel { peer, expires: now + CHANNEL_LIFETIME });
        self.numbers.insert(peer, number);
        let bound = ServiceEvent::ChannelBound { relay: self.relay, number, peer };
        Some([bound, self.permit(now, peer.ip())])
    }

    /// The peer behind a channel number.
    pub(crate) fn peer_of(&self, number: u16) -> Option<SocketAddr> {
        self.channels.get(&number).map(|channel| channel.peer)
    }

    /// The channel number of a peer.
    pub(crate) fn number_of(&self, peer: SocketAddr) -> Option<u16> {
        self.numbers.get(&peer).copied()
    }

    /// Forgets permissions and channels that have run out.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<ServiceEvent> {
        let relay = self.relay;
        let mut events = Vec::new();
        for (peer, _) in self.permissions.extract_if(.., |_, expires| *expires <= now) {
            events.push(ServiceEvent::PermissionExpired { relay, peer });
        }
        for (number, channel) in self.channels.extract_if(.., |_, channel| channel.expires <= now) {
            self.numbers.remove(&channel.peer);
            events.push(ServiceEvent::ChannelExpired { relay, number });
        }
        events
    }

    /// When the allocation or something in it runs out next.
    pub(crate) fn next_deadline(&self) -> Duration {
        let permissions = self.permissions.values().copied();
        let channels = self.channels.values().map(|channel| channel.expires);
        permissions.chain(channels).fold(self.expires, Duration::min)
    }
}
