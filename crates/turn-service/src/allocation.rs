//! One allocation: its relayed transport address, its permissions, its channels (RFC 8656 §6); and the
//! ports that such addresses are made of.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::api::ServiceEvent;

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

/// How long a reserved port is held (RFC 8656 §7.2 wants 30 s at least).
const RESERVATION_LIFETIME: Duration = Duration::from_secs(30);
/// How far each boot starts into the range after the one before, so that a peer's late packets meet
/// no allocation of the new life.
const BOOT_STRIDE: u64 = 1000;

pub(crate) type Token = [u8; 8];

/// What the client asks of the port (RFC 8656 §7.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Any,
    /// EVEN-PORT with R = 0.
    Even,
    /// EVEN-PORT with R = 1: the next port is reserved.
    EvenAndNext,
}

/// Relayed ports, handed out in order from the range, so that transcripts read. RFC 8656 §7.2 leaves the
/// choice to the server; randomness there protects against strangers, which a world has none of.
pub(crate) struct Ports {
    range: RangeInclusive<u16>,
    next: u16,
    reserved: BTreeMap<SocketAddr, Reservation>,
}

struct Reservation {
    token: Token,
    expires: Duration,
}

impl Ports {
    /// The ports of the `boot`-th life.
    pub(crate) fn new(range: RangeInclusive<u16>, boot: u64) -> Self {
        let count = u64::from(range.end() - range.start()) + 1;
        let offset = (boot.wrapping_mul(BOOT_STRIDE) % count) as u16;
        Self { next: range.start() + offset, range, reserved: BTreeMap::new() }
    }

    pub(crate) fn contains(&self, port: u16) -> bool {
        self.range.contains(&port)
    }

    /// A free port on `ip`, looked for once around the range. `None`: there is none as wanted.
    pub(crate) fn take(
        &mut self,
        ip: IpAddr,
        wanted: Wanted,
        in_use: impl Fn(SocketAddr) -> bool,
    ) -> Option<SocketAddr> {
        let free = |port: u16| {
            let address = SocketAddr::new(ip, port);
            self.range.contains(&port) && !self.reserved.contains_key(&address) && !in_use(address)
        };
        let fits = |port: u16| match wanted {
            Wanted::Any => free(port),
            Wanted::Even => port.is_multiple_of(2) && free(port),
            Wanted::EvenAndNext => {
                port.is_multiple_of(2) && free(port) && port.checked_add(1).is_some_and(&free)
            }
        };
        let ahead = self.next..=*self.range.end();
        let port = ahead.chain(*self.range.start()..self.next).find(|port| fits(*port))?;
        self.next = if port == *self.range.end() { *self.range.start() } else { port + 1 };
        Some(SocketAddr::new(ip, port))
    }

    /// Holds `address` for whoever shows `token`.
    pub(crate) fn reserve(&mut self, now: Duration, address: SocketAddr, token: Token) {
        self.reserved.insert(address, Reservation { token, expires: now + RESERVATION_LIFETIME });
    }

    /// The address held for `token`, no longer held.
    pub(crate) fn redeem(&mut self, token: Token) -> Option<SocketAddr> {
        let (address, _) = self.reserved.iter().find(|(_, reservation)| reservation.token == token)?;
        let address = *address;
        self.reserved.remove(&address);
        Some(address)
    }

    pub(crate) fn expire(&mut self, now: Duration) {
        self.reserved.retain(|_, reservation| now < reservation.expires);
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.reserved.values().map(|reservation| reservation.expires).min()
    }
}
