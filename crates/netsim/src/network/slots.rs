//! Which of a host's addresses each slot of its stack stands for ([`kernel`]).

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
};

use crate::kernel::{self, SLOTS};

/// The slots of one host from number 1 on: which address each stands for. An address keeps its slot after the host
/// has left it, so that its connections go on when it comes back, until another address needs the slot.
#[derive(Debug)]
pub(super) struct Slots {
    host: usize,
    /// By family, with the slots' numbers, the one that was given away last at the end.
    v4: VecDeque<(usize, IpAddr)>,
    v6: VecDeque<(usize, IpAddr)>,
}

impl Slots {
    pub(super) const fn new(host: usize) -> Self {
        Self { host, v4: VecDeque::new(), v6: VecDeque::new() }
    }

    /// Gives each of the `owned` addresses a slot.
    pub(super) fn reserve(&mut self, owned: &[IpAddr]) {
        for &address in owned {
            self.slot(address, owned);
        }
    }

    /// The slot that stands for `address`. Where all are taken, an address that is not among the `owned` ones
    /// loses its own; a host with more than seven addresses of one family at once shares the oldest slot.
    pub(super) fn slot(&mut self, address: IpAddr, owned: &[IpAddr]) -> IpAddr {
        let taken = if address.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        let number = match taken.iter().find(|(_, of)| *of == address) {
            Some((number, _)) => *number,
            None => {
                let number = if taken.len() + 1 < SLOTS {
                    taken.len() + 1
                } else {
                    let idle = taken.iter().position(|(_, of)| !owned.contains(of)).unwrap_or(0);
                    taken.remove(idle).map_or(1, |(number, _)| number)
                };
                taken.push_back((number, address));
                number
            }
        };
        kernel::slot(self.host, number, address)
    }

    /// The address that a slot stands for; `None` for slot 0 and for what is no slot.
    pub(super) fn address(&self, slot: SocketAddr) -> Option<SocketAddr> {
        let (_, number) = kernel::host_and_slot(slot.ip())?;
        let taken = if slot.is_ipv4() { &self.v4 } else { &self.v6 };
        let (_, address) = taken.iter().find(|(of, _)| *of == number)?;
        Some(SocketAddr::new(*address, slot.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_slot_until_all_are_needed() {
        let mut slots = Slots::new(3);
        let address = |i: u8| IpAddr::from([10, 0, 0, i]);
        let first = slots.slot(address(1), &[address(1)]);
        assert_eq!(slots.slot(address(1), &[]), first);
        for i in 2..=7 {
            slots.slot(address(i), &[address(i)]);
        }
        let found = |slots: &Slots, slot| slots.address(SocketAddr::new(slot, 9)).map(|address| address.ip());
        assert_eq!(found(&slots, first), Some(address(1)));
        assert_eq!(slots.slot(address(8), &[address(8)]), first);
        assert_eq!(found(&slots, first), Some(address(8)));
        let second = slots.slot(address(2), &[]);
        slots.slot(address(9), &[address(2), address(9)]);
        assert_eq!(found(&slots, second), Some(address(2)), "a living address keeps its slot");
        assert_eq!(found(&slots, kernel::slot(3, 0, address(1))), None);
    }
}
