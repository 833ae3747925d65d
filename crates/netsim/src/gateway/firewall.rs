//! A firewall at work: rules for what goes out, pinholes for what comes back.

use std::{collections::BTreeMap, net::SocketAddr};

use super::{
    Glance,
    config::{Action, Firewall, Outward, Refresh},
    tracking::{Direction, Tracking},
};
use crate::Transport;

/// A firewall, and what it remembers of each inside endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Pinholes {
    config: Firewall,
    open: BTreeMap<(Transport, SocketAddr), Tracking>,
}

impl Pinholes {
    pub(crate) fn new(config: &Firewall) -> Self {
        Self { config: config.clone(), open: BTreeMap::new() }
    }

    /// A packet wants out.
    pub(crate) fn outbound(&mut self, glance: Glance, inside: SocketAddr, remote: SocketAddr) -> Action {
        let rule = self.config.rules.iter().find(|rule| rule.fits.covers(glance.transport, remote));
        if rule.map_or(self.config.otherwise, |rule| rule.action) == Action::Drop {
            return Action::Drop;
        }
        self.passes(glance, inside, Direction::Out, remote);
        Action::Allow
    }

    /// A packet wants in.
    pub(crate) fn inbound(&mut self, glance: Glance, remote: SocketAddr, inside: SocketAddr) -> Action {
        let pinhole = self.open.get(&(glance.transport, inside));
        let is_open = pinhole.is_some_and(|pinhole| {
            pinhole.is_alive(glance.at) && pinhole.admits(remote, self.config.filtering)
        });
        if !is_open {
            return Action::Drop;
        }
        self.passes(glance, inside, Direction::In, remote);
        Action::Allow
    }

    fn passes(&mut self, glance: Glance, inside: SocketAddr, direction: Direction, remote: SocketAddr) {
        let pinhole = self.open.entry((glance.transport, inside)).or_insert_with(Tracking::new);
        if !pinhole.is_alive(glance.at) {
            *pinhole = Tracking::new();
        }
        pinhole.passes(glance, direction, remote, &self.config.timeouts, Refresh::Both);
    }
}

impl Outward {
    /// Whether a packet to `remote` is one of these.
    fn covers(&self, transport: Transport, remote: SocketAddr) -> bool {
        self.transport.is_none_or(|of| of == transport)
            && self.to.is_none_or(|to| to == remote.ip())
            && self.ports.contains(remote.port())
    }
}

#[cfg(test)]
mod tests {
    use timeline::{TcpFlags, VirtualTime};

    use super::*;
    use crate::Rule;

    #[test]
    fn a_pinhole_that_has_closed_remembers_nobody() {
        let mut firewall = Pinholes::new(&Firewall::stateful());
        let udp = |ms| Glance {
            at: VirtualTime::from_millis(ms),
            transport: Transport::Udp,
            flags: TcpFlags::default(),
        };
        let [inside, first, second] = ["[2001:db8::2]:1", "[2001:db8::8]:1", "[2001:db8::9]:1"]
            .map(|text| text.parse::<SocketAddr>().unwrap());
        assert_eq!(firewall.outbound(udp(0), inside, first), Action::Allow);
        assert_eq!(firewall.inbound(udp(0), second, inside), Action::Drop);
        assert_eq!(firewall.inbound(udp(120_000), first, inside), Action::Allow);
        assert_eq!(firewall.inbound(udp(240_001), first, inside), Action::Drop);
        assert_eq!(firewall.outbound(udp(240_001), inside, second), Action::Allow);
        assert_eq!(firewall.inbound(udp(240_002), first, inside), Action::Drop);
        assert_eq!(firewall.inbound(udp(240_002), second, inside), Action::Allow);
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let address = "198.51.100.1:443".parse::<SocketAddr>().unwrap();
        let glance = |transport| Glance { at: VirtualTime::ZERO, transport, flags: TcpFlags::default() };
        let allowed = |rules: &[Rule], otherwise, transport| {
            let firewall = Firewall { rules: rules.to_vec(), otherwise, ..Firewall::stateful() };
            Pinholes::new(&firewall).outbound(glance(transport), address, address)
        };
        let here = Outward::ANY.to_address(address.ip());
        let elsewhere = Outward::ANY.to_address("198.51.100.2".parse().unwrap());
        use Action::{Allow, Drop};
        use Transport::{Tcp, Udp};
        assert_eq!(allowed(&[Rule::drop(here), Rule::allow(here)], Allow, Udp), Drop);
        assert_eq!(allowed(&[Rule::drop(elsewhere)], Allow, Udp), Allow);
        assert_eq!(allowed(&[Rule::allow(Outward::TCP)], Drop, Tcp), Allow);
        assert_eq!(allowed(&[Rule::allow(Outward::TCP)], Drop, Udp), Drop);
    }
}
