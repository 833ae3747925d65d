//! Socket addresses between the C library's form and Rust's.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use libc::{sockaddr, sockaddr_in, sockaddr_in6, socklen_t};

/// Reads an IPv4 or IPv6 address; `None` for any other family, or where `len` is too short.
///
/// # Safety
/// `address` must be null or valid for reads of `len` bytes.
pub(super) unsafe fn read(address: *const sockaddr, len: socklen_t) -> Option<SocketAddr> {
    let len = len as usize;
    if address.is_null() || len < size_of::<sockaddr>() {
        return None;
    }
    // SAFETY: the caller vouches for `len` bytes, and each family is read only where its size fits.
    unsafe {
        match i32::from((*address).sa_family) {
            libc::AF_INET if len >= size_of::<sockaddr_in>() => {
                let v4 = address.cast::<sockaddr_in>().read_unaligned();
                let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
                Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 if len >= size_of::<sockaddr_in6>() => {
                let v6 = address.cast::<sockaddr_in6>().read_unaligned();
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Some(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

/// Writes `name` as getsockname(2) does: as many bytes as there is room for, and in `len` how many
/// there are.
///
/// # Safety
/// `len` must be valid for reads and writes, `address` for writes of `*len` bytes.
pub(super) unsafe fn write(name: SocketAddr, address: *mut sockaddr, len: *mut socklen_t) {
    // SAFETY: both structures are plain integers, and the caller vouches for the destination.
    unsafe {
        match name {
            SocketAddr::V4(name) => {
                let mut v4: sockaddr_in = std::mem::zeroed();
                v4.sin_family = libc::AF_INET as libc::sa_family_t;
                v4.sin_port = name.port().to_be();
                v4.sin_addr.s_addr = u32::from(*name.ip()).to_be();
                copy(&v4, address, len);
            }
            SocketAddr::V6(name) => {
                let mut v6: sockaddr_in6 = std::mem::zeroed();
                v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                v6.sin6_port = name.port().to_be();
                v6.sin6_addr.s6_addr = name.ip().octets();
                v6.sin6_flowinfo = name.flowinfo();
                v6.sin6_scope_id = name.scope_id();
                copy(&v6, address, len);
            }
        }
    }
}

/// # Safety
/// As for [`write`].
unsafe fn copy<T>(from: &T, to: *mut sockaddr, len: *mut socklen_t) {
    // SAFETY: at most `*len` bytes are written, and at most the size of `T` read.
    unsafe {
        let bytes = size_of::<T>().min(*len as usize);
        std::ptr::copy_nonoverlapping(std::ptr::from_ref(from).cast::<u8>(), to.cast::<u8>(), bytes);
        *len = size_of::<T>() as socklen_t;
    }
}
