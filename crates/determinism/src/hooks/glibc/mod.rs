//! Replacements of glibc's functions. Each is called by every thread of the process, also while a thread
//! ends and inside the allocator. It answers only a thread that simulates; otherwise it calls the function
//! that it replaced, which the dynamic linker finds behind it (`RTLD_NEXT`).
//!
//! No hook panics, and what is passed on keeps its `errno`. The hooks that an allocator may call (clocks and
//! randomness) do not allocate; those that notice an escape do.

mod address;
mod clock;
mod interfaces;
mod random;
mod resolver;
mod socket;
mod start;
mod task;

use std::{
    ffi::CStr,
    sync::atomic::{AtomicPtr, Ordering},
};

use libc::{c_int, c_void};
pub use start::standard_output_is_closed;

use crate::{
    EscapeKind, Unsupported,
    escape::{self, Verdict},
};

/// Whether simulation threads work in this process.
///
/// # Errors
/// Where the dynamic linker would send calls elsewhere than to the hooks: some other library was
/// loaded before the program and replaces the same functions.
pub fn supported() -> Result<(), Unsupported> {
    let in_place = clock::in_place()
        && interfaces::in_place()
        && random::in_place()
        && resolver::in_place()
        && socket::in_place()
        && task::in_place();
    let elsewhere = Unsupported(
        "simulations cannot run because another library replaces functions of the C library that they replace: \
         those of clocks, randomness, sockets, threads or name resolution.",
    );
    if in_place { Ok(()) } else { Err(elsewhere) }
}

/// Defines replacements of the C library's functions of the same names. A body yields the answer for simulation
/// threads, as an `Option`: with `None` the call goes to the C library. `in_place` is whether the dynamic linker
/// sends calls to all of them.
macro_rules! hooks {
    ($(
        $(#[$about:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $answer:ty { $($body:tt)* }
    )*) => {
        $(
            $(#[$about])*
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $type),*) -> $answer {
                static REPLACED: $crate::hooks::glibc::Replaced =
                    $crate::hooks::glibc::Replaced::new($crate::hooks::glibc::c_name!($name));
                type Function = unsafe extern "C" fn($($type),*) -> $answer;
                // SAFETY: the caller keeps the contract of the C library's function of this name, which is
                // the one at this address.
                unsafe {
                    let simulated: Option<$answer> =
                        if $crate::thread::is_active() { $($body)* } else { None };
                    match simulated {
                        Some(answer) => answer,
                        None => std::mem::transmute::<*mut libc::c_void, Function>(REPLACED.address())(
                            $($argument),*
                        ),
                    }
                }
            }
        )*

        pub(super) fn in_place() -> bool {
            $($crate::hooks::glibc::is_found($crate::hooks::glibc::c_name!($name), $name as *mut libc::c_void))&&*
        }
    };
}

/// An identifier as a string of C.
macro_rules! c_name {
    ($name:ident) => {
        const {
            match std::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("an identifier has no null in it"),
            }
        }
    };
}

use {c_name, hooks};

/// Whether the dynamic linker finds `hook` under `name`.
fn is_found(name: &CStr, hook: *mut c_void) -> bool {
    // SAFETY: the name is null-terminated; looking a symbol up runs none of its code.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) == hook }
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

/// What the call to `call` is answered, which is an escape: `refusal` with [`REFUSED`] as `errno`, or `None`
/// where it may go on to the C library.
fn escape<R>(call: &'static str, what: EscapeKind, refusal: R) -> Option<R> {
    match escape::seen(call, what) {
        Verdict::Refuse => {
            set_errno(REFUSED);
            Some(refusal)
        }
        Verdict::Pass => None,
    }
}

/// The `errno` of a call that is refused: "operation not permitted", as a sandbox of the kernel would say.
const REFUSED: c_int = libc::EPERM;

fn set_errno(errno: c_int) {
    // SAFETY: the C library gives each thread an `errno` that is valid for writes.
    unsafe { *libc::__errno_location() = errno };
}
