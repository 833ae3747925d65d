use std::fmt;

use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::Xxh3;

/// A running hash over everything that a run put on the wire: the proof that two runs were the same.
///
/// XXH3 with 128 bits, shown as 32 hexadecimal digits. Not a cryptographic hash: it tells two honest
/// runs apart, it does not withstand somebody who wants two of them to look alike.
#[derive(Clone, Default)]
pub struct Digest(Xxh3);

impl Digest {
    /// The digest of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `bytes` in. Callers delimit fields of varying length themselves.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Takes a number in, in little-endian order.
    pub fn update_u64(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    /// The hash of all that was taken in so far.
    pub fn value(&self) -> u128 {
        self.0.digest128()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl Eq for Digest {}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.value())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_known_function_of_its_bytes() {
        let mut digest = Digest::new();
        digest.update(b"callsim");
        digest.update_u64(7);
        assert_eq!(digest.to_string(), {
            let mut whole = b"callsim".to_vec();
            whole.extend(7u64.to_le_bytes());
            format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&whole))
        });
        assert_eq!(Digest::new().to_string(), "99aa06d3014798d86001c324468d497f");
    }
}
