//! Threads, which a simulation has one of.

use libc::{c_int, c_void, pthread_attr_t, pthread_t};

use super::{REFUSED, escape, hooks};
use crate::EscapeKind;

hooks! {
    /// It returns its error and leaves `errno` alone.
    fn pthread_create(
        thread: *mut pthread_t,
        attributes: *const pthread_attr_t,
        start: *mut c_void,
        argument: *mut c_void,
    ) -> c_int {
        escape("pthread_create", EscapeKind::Thread, REFUSED)
    }
}
