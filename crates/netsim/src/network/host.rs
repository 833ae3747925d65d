//! What the network knows of one host.

use std::{collections::BTreeMap, net::IpAddr};

use timeline::Name;

use super::{border::Border, half::HalfLink, processing::Processing, topology::Realm, udp::Inbox};
use crate::{Access, AccessCounts, Attachment, Half, HostSpec, Power, draw::Place};

#[derive(Debug)]
pub(super) struct HostState {
    pub(super) name: Name,
    pub(super) power: Power,
    /// How often it was switched off. What was opened before is dead.
    pub(super) boots: u64,
    seed: u64,
    /// Its attachments, the oldest first; never none, but their addresses may be gone.
    pub(super) interfaces: Vec<Interface>,
    /// How many attachments it has had.
    attached: u64,
    /// How many handovers it has begun.
    pub(super) moves: u64,
    /// What the links have carried that it has left.
    left: AccessCounts,
    pub(super) processing: Processing,
    /// The bound UDP sockets. The key has no flow label or scope, which do not tell sockets apart.
    pub(super) udp: BTreeMap<(IpAddr, u16), Inbox>,
    /// Where its programs are outside of the world.
    pub(super) border: Option<Border>,
    pub(super) next_port: u16,
    pub(super) open_sockets: usize,
}

/// One attachment of a host.
#[derive(Debug)]
pub(super) struct Interface {
    /// Tells the attachments of a host apart.
    pub(super) number: u64,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) realm: Realm,
    pub(super) up: HalfLink,
    pub(super) down: HalfLink,
    /// Which schedule changes it; a later one has a higher number.
    pub(super) schedule: u64,
}

/// The dynamic port range of RFC 6335 §6, 49152 to 65535.
pub(super) const FIRST_EPHEMERAL_PORT: u16 = 49152;

impl HostState {
    pub(super) fn new(seed: u64, spec: &HostSpec, realm: Realm) -> Self {
        let mut host = Self {
            name: spec.name.clone(),
            power: Power::On,
            boots: 0,
            seed,
            interfaces: Vec::new(),
            attached: 0,
            moves: 0,
            left: AccessCounts::default(),
            processing: Processing::new(seed, &spec.name, spec.processing),
            udp: BTreeMap::new(),
            border: None,
            next_port: FIRST_EPHEMERAL_PORT,
            open_sockets: 0,
        };
        let (addresses, access) = (spec.addresses.clone(), spec.access);
        host.attach(&Attachment { addresses, access, gateway: None }, realm);
        host
    }

    /// Gives it a further attachment, in `realm`.
    pub(super) fn attach(&mut self, attachment: &Attachment, realm: Realm) {
        let number = self.attached;
        self.attached += 1;
        let half = |place, model| HalfLink::new(self.seed, &self.name, place, number, model);
        let Access { up, down } = attachment.access;
        let interface = Interface {
            number,
            addresses: attachment.addresses.clone(),
            realm,
            up: half(Place::Up, up),
            down: half(Place::Down, down),
            schedule: 0,
        };
        self.interfaces.push(interface);
    }

    pub(super) fn is_on(&self) -> bool {
        self.power == Power::On
    }

    /// The attachment that carries what does not name its source: the newest.
    pub(super) fn newest(&self) -> &Interface {
        self.interfaces.last().expect("a host always has an interface")
    }

    pub(super) fn newest_mut(&mut self) -> &mut Interface {
        self.interfaces.last_mut().expect("a host always has an interface")
    }

    /// The attachment that has `address`.
    pub(super) fn interface(&mut self, address: IpAddr) -> Option<&mut Interface> {
        self.interfaces.iter_mut().find(|interface| interface.addresses.contains(&address))
    }

    /// Where what is sent from `address` enters the network.
    pub(super) fn realm_of(&self, address: IpAddr) -> Realm {
        let of = self.interfaces.iter().find(|interface| interface.addresses.contains(&address));
        of.unwrap_or_else(|| self.newest()).realm
    }

    /// All addresses, without loopback, those of the newest attachment first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.interfaces.iter().rev().flat_map(|interface| interface.addresses.iter().copied())
    }

    /// Whether this host answers to `address`.
    pub(super) fn owns(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.addresses().any(|own| own == address)
    }

    /// The address from which it sends to `to` where a program names none: to one of its own, that one.
    pub(super) fn source_for(&self, to: IpAddr) -> Option<IpAddr> {
        let of_family = || self.addresses().find(|address| address.is_ipv4() == to.is_ipv4());
        if self.owns(to) { Some(to) } else { of_family() }
    }

    /// What all its links have carried.
    pub(super) fn counts(&self) -> AccessCounts {
        self.interfaces.iter().fold(self.left, |counts, interface| AccessCounts {
            up: counts.up + interface.up.counts,
            down: counts.down + interface.down.counts,
        })
    }

    /// Drops attachments that have no addresses any more, but for the newest.
    pub(super) fn drop_left_interfaces(&mut self) {
        let newest = self.newest().number;
        let is_left =
            |interface: &mut Interface| interface.addresses.is_empty() && interface.number != newest;
        for interface in self.interfaces.extract_if(.., is_left) {
            self.left.up = self.left.up + interface.up.counts;
            self.left.down = self.left.down + interface.down.counts;
        }
    }
}

impl Interface {
    pub(super) const fn half(&mut self, half: Half) -> &mut HalfLink {
        match half {
            Half::Up => &mut self.up,
            Half::Down => &mut self.down,
        }
    }

    pub(super) const fn access(&self) -> Access {
        Access { up: self.up.model, down: self.down.model }
    }

    pub(super) const fn set_access(&mut self, access: Access) {
        self.up.model = access.up;
        self.down.model = access.down;
    }
}
