//! The system's name resolution, which depends on the machine's files and network.

use std::ffi::CStr;

use libc::{addrinfo, c_char, c_int, c_void, size_t, sockaddr, socklen_t};

use super::{REFUSED, address as socket_address, escape, hooks};
use crate::EscapeKind;

/// `NO_RECOVERY` of netdb.h.
const NO_RECOVERY: c_int = 3;

unsafe extern "C" {
    fn __h_errno_location() -> *mut c_int;
}

hooks! {
    /// An address in figures needs no resolver.
    fn getaddrinfo(
        host: *const c_char,
        service: *const c_char,
        hints: *const addrinfo,
        found: *mut *mut addrinfo,
    ) -> c_int {
        let is_numeric = hints.as_ref().is_some_and(|hints| hints.ai_flags & libc::AI_NUMERICHOST != 0);
        if is_numeric { None } else { escape("getaddrinfo", resolves(host), libc::EAI_SYSTEM) }
    }

    fn getnameinfo(
        address: *const sockaddr,
        len: socklen_t,
        host: *mut c_char,
        host_len: socklen_t,
        service: *mut c_char,
        service_len: socklen_t,
        flags: c_int,
    ) -> c_int {
        let asked = socket_address::read(address, len).map(|address| address.ip().to_string());
        let is_numeric = flags & libc::NI_NUMERICHOST != 0;
        let what = EscapeKind::Resolver { name: asked };
        if is_numeric { None } else { escape("getnameinfo", what, libc::EAI_SYSTEM) }
    }

    fn gethostbyname(name: *const c_char) -> *mut c_void {
        no_host("gethostbyname", name)
    }

    fn gethostbyname2(name: *const c_char, family: c_int) -> *mut c_void {
        no_host("gethostbyname2", name)
    }

    fn gethostbyname_r(
        name: *const c_char,
        entry: *mut c_void,
        buffer: *mut c_char,
        len: size_t,
        found: *mut *mut c_void,
        h_errno: *mut c_int,
    ) -> c_int {
        no_host_r("gethostbyname_r", name, found, h_errno)
    }

    fn gethostbyname2_r(
        name: *const c_char,
        family: c_int,
        entry: *mut c_void,
        buffer: *mut c_char,
        len: size_t,
        found: *mut *mut c_void,
        h_errno: *mut c_int,
    ) -> c_int {
        no_host_r("gethostbyname2_r", name, found, h_errno)
    }
}

/// # Safety
/// `name` must be null or a string of C.
unsafe fn resolves(name: *const c_char) -> EscapeKind {
    // SAFETY: the caller vouches for it.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned());
    EscapeKind::Resolver { name }
}

/// # Safety
/// As for [`resolves`].
unsafe fn no_host(call: &'static str, name: *const c_char) -> Option<*mut c_void> {
    // SAFETY: the caller vouches for the name; each thread has an `h_errno`.
    unsafe {
        let refused = escape(call, resolves(name), std::ptr::null_mut())?;
        *__h_errno_location() = NO_RECOVERY;
        Some(refused)
    }
}

/// # Safety
/// As for [`resolves`], and the other pointers must be valid for writes.
unsafe fn no_host_r(
    call: &'static str,
    name: *const c_char,
    found: *mut *mut c_void,
    h_errno: *mut c_int,
) -> Option<c_int> {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        let refused = escape(call, resolves(name), REFUSED)?;
        *found = std::ptr::null_mut();
        *h_errno = NO_RECOVERY;
        Some(refused)
    }
}
