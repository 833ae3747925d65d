//! Randomness, from the thread's stream.

use libc::{c_int, c_long, c_uint, c_void, size_t, ssize_t};

use super::hooks;
use crate::thread;

hooks! {
    fn getrandom(buffer: *mut c_void, len: size_t, flags: c_uint) -> ssize_t {
        fill(buffer, len).then_some(len as ssize_t)
    }

    fn getentropy(buffer: *mut c_void, len: size_t) -> c_int {
        /// The most that getentropy(3) gives in one call.
        const MAX: size_t = 256;
        (len <= MAX && fill(buffer, len)).then_some(0)
    }

    /// `syscall(2)` is variadic, and written in assembly; all of its arguments arrive as registers or, the
    /// last on x86-64, in a stack slot, and what the caller did not pass is passed on unused.
    fn syscall(number: c_long, a: c_long, b: c_long, c: c_long, d: c_long, e: c_long, f: c_long) -> c_long {
        (number == libc::SYS_getrandom && fill(a as *mut c_void, b as size_t)).then_some(b)
    }
}

/// Fills `len` bytes at `buffer` from the thread's stream; `false` where it cannot be reached.
///
/// # Safety
/// `buffer` must be valid for writes of `len` bytes.
unsafe fn fill(buffer: *mut c_void, len: size_t) -> bool {
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
