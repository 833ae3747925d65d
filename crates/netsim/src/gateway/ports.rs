//! Which outside port a new mapping gets.

use std::{collections::BTreeMap, net::IpAddr};

use timeline::Name;

use super::config::{PortAllocation, PortRange};
use crate::{
    Transport,
    draw::{Draws, Place, Purpose},
};

/// Chooses ports; who has which is the caller's knowledge.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    allocation: PortAllocation,
    range: PortRange,
    /// The last one that was given away, for each transport and outside address.
    last: BTreeMap<(Transport, IpAddr), u16>,
    udp: Draws,
    tcp: Draws,
}

impl Ports {
    pub(super) fn new(seed: u64, gateway: &Name, allocation: PortAllocation, range: PortRange) -> Self {
        let draws = |transport| Draws::new(seed, gateway, Place::Gateway, transport);
        Self {
            allocation,
            range,
            last: BTreeMap::new(),
            udp: draws(Transport::Udp),
            tcp: draws(Transport::Tcp),
        }
    }

    /// A port of `address` that is free, for an inside endpoint with port `inside`; `None` where there is none.
    pub(super) fn choose(
        &mut self,
        transport: Transport,
        address: IpAddr,
        inside: u16,
        mut is_free: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let PortRange { first, last } = self.range;
        let count = u64::from(last - first) + 1;
        let wanted = match self.allocation {
            PortAllocation::Preserving if self.range.contains(inside) => inside,
            PortAllocation::Preserving => first,
            PortAllocation::Sequential => {
                let last_given = self.last.get(&(transport, address));
                last_given.map_or(first, |&given| if given == last { first } else { given + 1 })
            }
            PortAllocation::Random => {
                let draws = if transport == Transport::Udp { &mut self.udp } else { &mut self.tcp };
                first + draws.next_packet().below(Purpose::Port, count) as u16
            }
        };
        let port = (wanted..=last).chain(first..wanted).find(|&port| is_free(port))?;
        self.last.insert((transport, address), port);
        Some(port)
    }
}
