//! What is random in a real server: a pure function of the seed, the boot, a purpose and a counter or
//! an input. Nobody attacks a virtual network, so the function need not be cryptographic.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::wire::FiveTuple;

/// What a value is drawn for; keeps the purposes apart.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    NonceTag,
    ReservationToken,
    TransactionId,
}

/// 128 bits for `purpose` and `input` in the `boot`-th life of the server with this `seed`.
pub(crate) fn draw(seed: u64, boot: u64, purpose: Purpose, input: &[u8]) -> [u8; 16] {
    let mut keyed = Vec::with_capacity(input.len() + 9);
    keyed.push(purpose as u8);
    keyed.extend_from_slice(&boot.to_be_bytes());
    keyed.extend_from_slice(input);
    xxh3_128_with_seed(&keyed, seed).to_be_bytes()
}

const TIME_DIGITS: usize = 12;
/// Bytes of a nonce: twelve hexadecimal digits of milliseconds, twenty of tag.
pub(crate) const NONCE_BYTES: usize = TIME_DIGITS + 20;

/// Issues and checks the nonces of one boot, without memory: a nonce says when it was issued, and a tag
/// binds it to the client, the seed and the boot. So a stranger's request leaves nothing behind, no two
/// clients share a nonce (RFC 8489 §9.2.4), and a reboot makes all of them stale.
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
