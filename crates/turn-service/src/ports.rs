//! Relayed ports: handed out in order from the range, so that transcripts read. RFC 8656 §7.2 leaves
//! the choice to the server; randomness there protects against strangers, which a world has none of.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

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
