//! The addresses that the stacks know.
//!
//! A stack's addresses are fixed when its world begins and unique among all stacks, while a host's addresses
//! come and go, and two sites may use the same private ones. So each stack has a few addresses of its own,
//! its *slots*, from ranges that no host may have; the network puts the host's addresses in their place when a
//! segment leaves a stack, and the slots when one comes in. A peer's address is never replaced.
//!
//! Slot 0 is what the stacks give to every connection that a program opens; the others stand for one address
//! each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many slots a stack has in each family.
pub(crate) const SLOTS: usize = 8;

/// 240.0.0.0/4, "reserved for future use" (RFC 1112 §4).
const FIRST_V4: u32 = 0xf000_0000;
const V4_PREFIX: u32 = 0xf000_0000;
/// 100::/64, the discard prefix (RFC 6666).
const FIRST_V6: u128 = 0x0100 << 112;
const V6_PREFIX: u128 = !0 << 64;

/// An address of the family of `like`.
pub(crate) fn slot(host: usize, slot: usize, like: IpAddr) -> IpAddr {
    let number = host * SLOTS + slot;
    match like {
        IpAddr::V4(_) => Ipv4Addr::from(FIRST_V4 + number as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from(FIRST_V6 + number as u128).into(),
    }
}

/// The host and the number of a slot; `None` for any other address.
pub(crate) fn host_and_slot(address: IpAddr) -> Option<(usize, usize)> {
    let number = match address {
        _ if !is_reserved(address) => return None,
        IpAddr::V4(v4) => (v4.to_bits() - FIRST_V4) as usize,
        IpAddr::V6(v6) => (v6.to_bits() - FIRST_V6) as usize,
    };
    Some((number / SLOTS, number % SLOTS))
}

/// Whether an address belongs to the stacks, so that no host may have it.
pub(crate) fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.to_bits() & V4_PREFIX == FIRST_V4,
        IpAddr::V6(v6) => v6.to_bits() & V6_PREFIX == FIRST_V6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_again() {
        for like in ["10.0.0.1", "2001:db8::1"] {
            let like = like.parse().unwrap();
            assert_eq!(host_and_slot(like), None);
            for place in [(0, 0), (0, 7), (1, 0), (70_000, 3)] {
                let address = slot(place.0, place.1, like);
                assert_eq!((address.is_ipv4(), host_and_slot(address)), (like.is_ipv4(), Some(place)));
            }
        }
    }
}
