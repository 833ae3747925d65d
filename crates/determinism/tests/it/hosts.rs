//! Which interfaces a program finds.
#![allow(unsafe_code, reason = "calls the C library as foreign code does")]

use std::{
    ffi::CStr,
    future::{Future, poll_fn},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::pin,
    ptr::null_mut,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use determinism::{EscapeKind, Escapes, Interfaces, on_host, with_interfaces};

use crate::simulate;

/// The interfaces with an address, as getifaddrs(3) lists them: name, state, address, netmask, broadcast
/// address.
fn listed() -> Vec<String> {
    let mut list = null_mut();
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return vec![std::io::Error::last_os_error().kind().to_string()];
    }
    let (mut all, mut next) = (Vec::new(), list);
    while let Some(element) = unsafe { next.as_ref() } {
        let name = unsafe { CStr::from_ptr(element.ifa_name) }.to_str().unwrap();
        let is_broadcast = element.ifa_flags & libc::IFF_BROADCAST as u32 != 0;
        let broadcast = if is_broadcast { unsafe { ip(element.ifa_ifu) } } else { None };
        if let (Some(address), Some(mask)) = unsafe { (ip(element.ifa_addr), ip(element.ifa_netmask)) } {
            let broadcast = broadcast.map(|broadcast| format!(" {broadcast}")).unwrap_or_default();
            let up = if element.ifa_flags & libc::IFF_UP as u32 == 0 { "down" } else { "up" };
            all.push(format!("{name} {up} {address} {mask}{broadcast}"));
        }
        next = element.ifa_next;
    }
    unsafe { libc::freeifaddrs(list) };
    all
}

unsafe fn ip(address: *const libc::sockaddr) -> Option<IpAddr> {
    let family = i32::from(unsafe { address.as_ref() }?.sa_family);
    match family {
        libc::AF_INET => {
            let v4 = unsafe { address.cast::<libc::sockaddr_in>().read() };
            Some(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            let v6 = unsafe { address.cast::<libc::sockaddr_in6>().read() };
            Some(Ipv6Addr::from(v6.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

fn host(addresses: &[&str]) -> Interfaces {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Arc::new(move || addresses.clone())
}

const LO: &str = "lo up 127.0.0.1 255.0.0.0";

/// Lists twice, with a pause in between.
async fn program() -> [Vec<String>; 2] {
    let first = listed();
    let mut paused = false;
    poll_fn(|_| {
        let is_over = std::mem::replace(&mut paused, true);
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    [first, listed()]
}

#[test]
fn each_host_has_its_own_interfaces() {
    let (found, escapes) = simulate(Escapes::Fail, || {
        let phone = ["10.0.0.7", "2001:db8::7", "192.168.1.200"];
        let mut phone = pin!(on_host(host(&phone), program()));
        let mut laptop = pin!(on_host(host(&["192.168.1.2"]), program()));
        let context = &mut Context::from_waker(Waker::noop());
        assert!(phone.as_mut().poll(context).is_pending());
        assert!(laptop.as_mut().poll(context).is_pending());
        let (Poll::Ready(phone), Poll::Ready(laptop)) = (phone.poll(context), laptop.poll(context)) else {
            panic!("there is one pause in it");
        };
        [phone, laptop]
    });
    let phone = [
        LO,
        "eth0 up 10.0.0.7 255.255.255.0 10.0.0.255",
        "eth0 up 2001:db8::7 ffff:ffff:ffff:ffff::",
        "eth1 up 192.168.1.200 255.255.255.0 192.168.1.255",
    ];
    let laptop = [LO, "eth0 up 192.168.1.2 255.255.255.0 192.168.1.255"];
    assert_eq!(found[0], [phone, phone]);
    assert_eq!(found[1], [laptop, laptop]);
    assert_eq!(escapes, []);
}

#[test]
fn a_handover_changes_what_is_listed() {
    let addresses = Arc::new(Mutex::new(vec!["10.0.0.7".parse().unwrap()]));
    let of_now = Arc::clone(&addresses);
    let interfaces: Interfaces = Arc::new(move || of_now.lock().unwrap().clone());
    let (found, _) = simulate(Escapes::Fail, || {
        let mut program = pin!(on_host(interfaces, program()));
        let context = &mut Context::from_waker(Waker::noop());
        assert!(program.as_mut().poll(context).is_pending());
        addresses.lock().unwrap().clear();
        program.poll(context)
    });
    let Poll::Ready([before, after]) = found else { panic!("there is one pause in it") };
    assert_eq!(before, [LO, "eth0 up 10.0.0.7 255.255.255.0 10.0.0.255"]);
    assert_eq!(after, [LO]);
}

#[test]
fn the_innermost_host_counts_and_outside_of_all_it_is_an_escape() {
    let ((inner, outer, outside), escapes) = simulate(Escapes::Fail, || {
        let (outer, inner) = (host(&["10.0.0.1"]), host(&["10.0.0.2"]));
        let (inside, after) = with_interfaces(&outer, || (with_interfaces(&inner, listed), listed()));
        (inside, after, listed())
    });
    assert_eq!(inner[1], "eth0 up 10.0.0.2 255.255.255.0 10.0.0.255");
    assert_eq!(outer[1], "eth0 up 10.0.0.1 255.255.255.0 10.0.0.255");
    assert_eq!(outside, ["permission denied"]);
    assert_eq!(
        escapes.iter().map(|escape| escape.what.clone()).collect::<Vec<_>>(),
        [EscapeKind::Interfaces]
    );
}

#[test]
fn addresses_that_cannot_be_had_are_no_reason_to_unwind_through_c() {
    let broken: Interfaces = Arc::new(|| panic!("the host is gone"));
    let (found, escapes) = simulate(Escapes::Fail, || with_interfaces(&broken, listed));
    assert_eq!(found, ["permission denied"]);
    assert_eq!(escapes.len(), 1);
}

#[test]
fn ordinary_threads_list_the_machines() {
    let machines = listed();
    assert_eq!(with_interfaces(&host(&["203.0.113.1"]), listed), machines);
}
