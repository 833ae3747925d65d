//! Nonces without memory: a nonce says when it was issued, and a tag binds it to the client, the seed
//! and the boot. So a stranger's request leaves nothing behind, no two clients share a nonce (RFC 8489
//! §9.2.4), and a reboot makes all of them stale.

use std::time::Duration;

use crate::draw::{Purpose, draw};
use crate::transport::FiveTuple;

const TIME_DIGITS: usize = 12;
/// Bytes of a nonce: twelve hexadecimal digits of milliseconds, twenty of tag.
pub(crate) const NONCE_BYTES: usize = TIME_DIGITS + 20;

/// Issues and checks the nonces of one boot.
pub(crate) struct Nonces {
    pub(crate) seed: u64,
    pub(crate) boot: u64,
}

impl Nonces {
    /// The nonce for `client` at `now`.
    pub(crate) fn issue(&self, now: Duration, client: &FiveTuple) -> String {
        let issued_ms = now.as_millis() as u64 & 0xffff_ffff_ffff;
        let input = format!("{issued_ms}|{}|{}|{}", client.transport, client.client, client.server);
        let tag = draw(self.seed, self.boot, Purpose::NonceTag, input.as_bytes());
        let mut nonce = format!("{issued_ms:0TIME_DIGITS$x}");
        nonce.extend(tag.iter().take(10).map(|byte| format!("{byte:02x}")));
        nonce
    }

    /// Is `nonce` one that this boot gave to `client` less than `lifetime` ago?
    pub(crate) fn is_fresh(
        &self,
        nonce: &str,
        client: &FiveTuple,
        now: Duration,
        lifetime: Duration,
    ) -> bool {
        let Some(digits) = nonce.get(..TIME_DIGITS) else { return false };
        let Ok(issued_ms) = u64::from_str_radix(digits, 16) else { return false };
        let issued = Duration::from_millis(issued_ms);
        nonce == self.issue(issued, client) && now.saturating_sub(issued) < lifetime
    }
}
