//! What is random in a real server: a pure function of the seed, the boot, a purpose and a counter or
//! an input. Nobody attacks a virtual network, so the function need not be cryptographic.

use xxhash_rust::xxh3::xxh3_128_with_seed;

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
