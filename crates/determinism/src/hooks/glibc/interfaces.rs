//! A host's network interfaces, as getifaddrs(3) lists them.

use std::{
    iter::once,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use libc::{c_char, c_int, c_uint, ifaddrs, sockaddr, sockaddr_storage, socklen_t};

use super::{address as socket_address, escape, hooks, set_errno};
use crate::{EscapeKind, interfaces};

hooks! {
    fn getifaddrs(list: *mut *mut ifaddrs) -> c_int {
        match interfaces::current() {
            Some(addresses) => Some(answer(list, &interfaces_of(&addresses))),
            None => escape("getifaddrs", EscapeKind::Interfaces, -1),
        }
    }
}

/// One address of one interface.
struct Interface {
    name: String,
    flags: c_int,
    address: IpAddr,
    netmask: IpAddr,
    broadcast: Option<IpAddr>,
}

/// The loopback interface and one that is up for each address; the n-th IPv4 and the n-th IPv6 address share
/// one.
fn interfaces_of(addresses: &[IpAddr]) -> Vec<Interface> {
    let (mut v4, mut v6) = (0.., 0..);
    let ethernet = addresses.iter().filter_map(|address| {
        let number = if address.is_ipv4() { v4.next() } else { v6.next() };
        number.map(|number| ethernet(number, *address))
    });
    once(loopback()).chain(ethernet).collect()
}

fn loopback() -> Interface {
    Interface {
        name: "lo".to_owned(),
        flags: libc::IFF_UP | libc::IFF_RUNNING | libc::IFF_LOOPBACK,
        address: Ipv4Addr::LOCALHOST.into(),
        netmask: Ipv4Addr::new(255, 0, 0, 0).into(),
        broadcast: None,
    }
}

/// In a network of 24 bits, or 64 for IPv6.
fn ethernet(number: u32, address: IpAddr) -> Interface {
    let (netmask, broadcast) = match address {
        IpAddr::V4(v4) => {
            let mask = Ipv4Addr::new(255, 255, 255, 0);
            (mask.into(), Some((v4 | !mask).into()))
        }
        IpAddr::V6(_) => (Ipv6Addr::from(!u128::from(u64::MAX)).into(), None),
    };
    let flags = libc::IFF_UP | libc::IFF_RUNNING | libc::IFF_BROADCAST;
    Interface { name: format!("eth{number}"), flags, address, netmask, broadcast }
}

/// What one element of the list needs.
#[repr(C)]
struct Element {
    links: ifaddrs,
    name: [c_char; libc::IF_NAMESIZE],
    address: sockaddr_storage,
    netmask: sockaddr_storage,
    broadcast: sockaddr_storage,
}

/// Writes a list as the C library does, in one block of its heap: glibc's freeifaddrs(3) is free(3) of the
/// first element.
///
/// # Safety
/// `list` must be valid for writes.
unsafe fn answer(list: *mut *mut ifaddrs, interfaces: &[Interface]) -> c_int {
    // SAFETY: the block is zeroed, which is a valid value of all fields, and has room for all elements. It is
    // the caller's from here on.
    unsafe {
        let block = libc::calloc(interfaces.len(), size_of::<Element>()).cast::<Element>();
        if block.is_null() {
            set_errno(libc::ENOMEM);
            return -1;
        }
        for (index, interface) in interfaces.iter().enumerate() {
            let next = if index + 1 < interfaces.len() { block.add(index + 1) } else { std::ptr::null_mut() };
            fill(&mut *block.add(index), interface, next.cast());
        }
        *list = block.cast();
    }
    0
}

fn fill(element: &mut Element, interface: &Interface, next: *mut ifaddrs) {
    let room = element.name.len() - 1;
    for (to, from) in element.name.iter_mut().zip(interface.name.bytes().take(room)) {
        *to = from as c_char;
    }
    element.links.ifa_next = next;
    element.links.ifa_name = element.name.as_mut_ptr();
    element.links.ifa_flags = interface.flags as c_uint;
    element.links.ifa_addr = store(&mut element.address, interface.address);
    element.links.ifa_netmask = store(&mut element.netmask, interface.netmask);
    if let Some(broadcast) = interface.broadcast {
        element.links.ifa_ifu = store(&mut element.broadcast, broadcast);
    }
}

/// Writes `address` into `storage` and returns where it is.
fn store(storage: &mut sockaddr_storage, address: IpAddr) -> *mut sockaddr {
    let at = (&raw mut *storage).cast::<sockaddr>();
    let mut len = size_of::<sockaddr_storage>() as socklen_t;
    // SAFETY: the storage is large enough for every family, and `len` says so.
    unsafe { socket_address::write((address, 0).into(), at, &raw mut len) };
    at
}
