//! What a process is started with.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Before `main`, the standard library opens `/dev/null` in the place of a standard descriptor that is closed. From then on
/// such a process cannot be told from one that is meant to write there; what runs earlier can.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: F_GETFD takes any number for a descriptor, and writes nothing.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    IS_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Whether the process was started with its standard output closed (`program >&-`): what is written there is lost, and
/// no error says so.
pub fn standard_output_is_closed() -> bool {
    // The linker keeps what is referred to.
    std::hint::black_box(&AT_START);
    IS_CLOSED.load(Ordering::Relaxed)
}
