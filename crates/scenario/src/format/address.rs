//! Who has which address: those that a file gives, and those that it leaves to be given.

use std::net::IpAddr;

use timeline::Name;

use super::{
    error::{ProblemKind, Span},
    gateways::GatewayRead,
    reader::{Table, Value},
};
use crate::plan::Gateway;

/// The addresses at `address`, one or a list, if they are such as a host can have.
pub(super) fn take(table: &Table<'_>, doc: &str) -> Option<(Vec<IpAddr>, Span)> {
    let value = table.take("address", doc)?;
    let addresses: Vec<IpAddr> = value.one_or_list(0..).into_iter().filter_map(one).collect();
    if addresses.is_empty() {
        if !value.reading.problems.any() {
            value.problem::<()>(ProblemKind::Empty { what: "this list of addresses" });
        }
        return None;
    }
    Some((addresses, value.span()))
}

/// An address that a host can have.
pub(super) fn one(value: Value<'_>) -> Option<IpAddr> {
    let text = value.string("an IPv4 or IPv6 address")?;
    let bad = |reason| value.problem(ProblemKind::BadAddress { found: text.to_owned(), reason });
    let Ok(address) = text.parse::<IpAddr>() else { return bad("it is neither IPv4 nor IPv6") };
    if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
        return bad("it is not a unicast address of its own");
    }
    if matches!(address, IpAddr::V4(v4) if v4.octets()[3] == 255) {
        return bad("it ends in .255, which the world's kernel takes for a broadcast");
    }
    Some(address)
}

/// The places where hosts are attached to the network, as far as they have been read: gives out addresses,
/// and collects the gateways.
#[derive(Default)]
pub(super) struct Sites {
    pub(super) gateways: Vec<Gateway>,
    /// How many NATs have a public address from here, in the core and behind others.
    public: u16,
    carrier: u16,
    /// How many private networks have been numbered.
    private: u16,
    /// How many addresses in the core have been given to hosts that move there.
    moved: u16,
}

impl Sites {
    /// The gateway that `name` is directly behind.
    pub(super) fn gateway_of(&self, name: &Name) -> Option<&Name> {
        self.gateways.iter().find(|gateway| gateway.inside.contains(name)).map(|gateway| &gateway.name)
    }

    /// One more gateway.
    pub(super) fn add_gateway(&mut self, read: &GatewayRead, name: Name, inside: Vec<Name>, is_nested: bool) {
        let placed = read.placed(name, inside, || self.next_outside(is_nested));
        self.gateways.push(placed);
    }

    /// The gateways of `host` alone, `chain`, the nearest first, around `inside`. The nearest one's name.
    pub(super) fn add_chain(
        &mut self,
        host: &Name,
        chain: &[GatewayRead],
        inside: Vec<Name>,
    ) -> Option<Name> {
        let mut inside = inside;
        let mut nearest = None;
        for (index, gateway) in chain.iter().enumerate() {
            let name = self.own_name(host);
            let is_nested = chain[index + 1..].iter().any(GatewayRead::translates);
            self.add_gateway(gateway, name.clone(), inside, is_nested);
            nearest.get_or_insert(name.clone());
            inside = vec![name];
        }
        nearest
    }

    /// A name that no host can have, so that it is free.
    fn own_name(&self, host: &Name) -> Name {
        let own = format!("{host}/gateway");
        let count = self.gateways.iter().filter(|gateway| gateway.name.as_str().starts_with(&own)).count();
        if count == 0 {
            Name::from(own.as_str())
        } else {
            Name::from(format!("{own}-{}", count + 1).as_str())
        }
    }

    /// The outside address of one more NAT: of TEST-NET-3 (RFC 5737), or of the space between carriers and
    /// their customers (RFC 6598).
    fn next_outside(&mut self, is_nested: bool) -> IpAddr {
        if is_nested {
            self.carrier += 1;
            return numbered([100, 64], 0, self.carrier);
        }
        self.public += 1;
        numbered([203, 0], 113, self.public)
    }

    /// The address of a host alone behind its own NAT.
    pub(super) fn next_private(&mut self) -> IpAddr {
        self.private += 1;
        let [high, low] = self.private.to_be_bytes();
        IpAddr::from([192, 168 + high.min(80), low, 2])
    }

    /// The address of a host that moves to somewhere without a NAT.
    pub(super) fn next_moved(&mut self) -> IpAddr {
        self.moved += 1;
        numbered([10, 0], 100, self.moved)
    }
}

/// The `n`-th address, from 1, of the networks from `prefix.third.0/24` on, 250 in each.
pub(super) fn numbered(prefix: [u8; 2], third: u8, n: u16) -> IpAddr {
    let (network, host) = ((n - 1) / 250, (n - 1) % 250 + 1);
    let third = u8::try_from(u16::from(third) + network).unwrap_or(u8::MAX);
    IpAddr::from([prefix[0], prefix[1], third, u8::try_from(host).unwrap_or(u8::MAX)])
}
