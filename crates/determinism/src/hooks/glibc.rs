//! Replacements of glibc's functions. Each looks whether the calling thread simulates and otherwise
//! calls the function it replaced, which the dynamic linker finds behind it (`RTLD_NEXT`).
//!
//! They run in every thread of the process, also while a thread ends and inside the allocator, so they
//! neither allocate (but for the bookkeeping of `bind`) nor panic, and they leave `errno` as the
//! replaced function set it.

use std::{
    ffi::CStr,
    sync::atomic::{AtomicPtr, Ordering},
    time::Duration,
};

use libc::{c_int, c_long, c_uint, c_void, clockid_t, size_t, sockaddr, socklen_t, ssize_t, timespec};

use super::address as socket_address;
use crate::{Unsupported, thread};

/// Whether simulation threads work in this process.
///
/// # Errors
/// Where the dynamic linker would send calls elsewhere than to the hooks: some other library was
/// loaded before the program and replaces the same functions.
pub fn supported() -> Result<(), Unsupported> {
    let hooks: [(&CStr, *mut c_void); 6] = [
        (c"getrandom", getrandom as *mut c_void),
        (c"getentropy", getentropy as *mut c_void),
        (c"syscall", syscall as *mut c_void),
        (c"clock_gettime", clock_gettime as *mut c_void),
        (c"bind", bind as *mut c_void),
        (c"getsockname", getsockname as *mut c_void),
    ];
    // SAFETY: the names are null-terminated; looking a symbol up runs none of its code.
    let in_place = |(name, hook): (&CStr, *mut c_void)| unsafe {
        libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) == hook
    };
    if hooks.into_iter().all(in_place) {
        Ok(())
    } else {
        Err(Unsupported(
            "simulations cannot run because another library replaces the C library's clock, random or socket functions.",
        ))
    }
}

/// The function that a hook replaced, looked up on first use.
struct Replaced {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

impl Replaced {
    const fn new(name: &'static CStr) -> Self {
        Self { name, address: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Its address. Ends the process where the C library lacks the function, since no answer would be
    /// right; every glibc since 2.25 has all of them.
    fn address(&self) -> *mut c_void {
        let known = self.address.load(Ordering::Relaxed);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the name is null-terminated; looking a symbol up runs none of its code.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        if found.is_null() {
            std::process::abort();
        }
        self.address.store(found, Ordering::Relaxed);
        found
    }
}

/// Fills `len` bytes at `buffer` from the thread's stream; `false` where the thread does not simulate.
///
/// # Safety
/// `buffer` must be valid for writes of `len` bytes.
unsafe fn fill(buffer: *mut c_void, len: size_t) -> bool {
    if !thread::is_active() {
        return false;
    }
    if len == 0 {
        return true;
    }
    // SAFETY: the caller vouches for the buffer; it is zeroed before a slice of it exists.
    let bytes = unsafe {
        buffer.write_bytes(0, len);
        std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len)
    };
    thread::fill_random(bytes)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, len: size_t, flags: c_uint) -> ssize_t {
    static REPLACED: Replaced = Replaced::new(c"getrandom");
    type Function = unsafe extern "C" fn(*mut c_void, size_t, c_uint) -> ssize_t;
    // SAFETY: the contract of getrandom(2); the address is that of the C library's function.
    unsafe {
        if fill(buffer, len) {
            return len as ssize_t;
        }
        std::mem::transmute::<*mut c_void, Function>(REPLACED.address())(buffer, len, flags)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut c_void, len: size_t) -> c_int {
    static REPLACED: Replaced = Replaced::new(c"getentropy");
    type Function = unsafe extern "C" fn(*mut c_void, size_t) -> c_int;
    /// The most that getentropy(3) gives in one call.
    const MAX: size_t = 256;
    // SAFETY: the contract of getentropy(3); the address is that of the C library's function.
    unsafe {
        if len <= MAX && fill(buffer, len) {
            return 0;
        }
        std::mem::transmute::<*mut c_void, Function>(REPLACED.address())(buffer, len)
    }
}

/// `syscall(2)` is variadic; all of its arguments arrive as registers or, the last on x86-64, in a
/// stack slot, and what the caller did not pass is passed on unused.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    static REPLACED: Replaced = Replaced::new(c"syscall");
    type Function = unsafe extern "C" fn(c_long, ...) -> c_long;
    // SAFETY: the contract of syscall(2); the address is that of the C library's function.
    unsafe {
        if number == libc::SYS_getrandom && fill(a as *mut c_void, b as size_t) {
            return b;
        }
        std::mem::transmute::<*mut c_void, Function>(REPLACED.address())(number, a, b, c, d, e, f)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    static REPLACED: Replaced = Replaced::new(c"clock_gettime");
    type Function = unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int;
    let simulated = match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => thread::realtime(),
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_BOOTTIME => thread::monotonic(),
        _ => None,
    };
    // SAFETY: the contract of clock_gettime(2); the address is that of the C library's function.
    unsafe {
        if let Some(simulated) = simulated {
            time.write(to_timespec(simulated));
            return 0;
        }
        std::mem::transmute::<*mut c_void, Function>(REPLACED.address())(clock, time)
    }
}

fn to_timespec(time: Duration) -> timespec {
    timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bind(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
    static REPLACED: Replaced = Replaced::new(c"bind");
    type Function = unsafe extern "C" fn(c_int, *const sockaddr, socklen_t) -> c_int;
    // SAFETY: the contract of bind(2); the address is that of the C library's function.
    unsafe {
        if thread::is_active()
            && is_datagram(fd)
            && let Some(address) = socket_address::read(address, len)
            && thread::bind(fd, address)
        {
            return 0;
        }
        std::mem::transmute::<*mut c_void, Function>(REPLACED.address())(fd, address, len)
    }
}

/// Whether `fd` is a UDP (or other datagram) socket. Leaves `errno` as it was.
fn is_datagram(fd: c_int) -> bool {
    let mut kind: c_int = 0;
    let mut len = size_of::<c_int>() as socklen_t;
    // SAFETY: `kind` and `len` are valid for the writes that getsockopt(2) makes, and live on.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        let kind_at = (&raw mut kind).cast::<c_void>();
        let status = libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, kind_at, &raw mut len);
        *errno = before;
        status == 0 && kind == libc::SOCK_DGRAM
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getsockname(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
    static REPLACED: Replaced = Replaced::new(c"getsockname");
    type Function = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;
    // SAFETY: the contract of getsockname(2); the address is that of the C library's function.
    unsafe {
        if let Some(name) = thread::bound(fd) {
            socket_address::write(name, address, len);
            return 0;
        }
        std::mem::transmute::<*mut c_void, Function>(REPLACED.address())(fd, address, len)
    }
}
