//! Clocks, which show virtual time, and what waits for the machine's.

use std::time::Duration;

use libc::{c_int, c_uint, clockid_t, time_t, timespec, timeval, timezone};

use super::{escape, hooks};
use crate::{EscapeKind, thread};

hooks! {
    fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
        let simulated = match clock {
            libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => thread::realtime(),
            libc::CLOCK_MONOTONIC
            | libc::CLOCK_MONOTONIC_COARSE
            | libc::CLOCK_MONOTONIC_RAW
            | libc::CLOCK_BOOTTIME => thread::monotonic(),
            _ => None,
        };
        simulated.map(|simulated| {
            time.write(to_timespec(simulated));
            0
        })
    }

    fn gettimeofday(time: *mut timeval, zone: *mut timezone) -> c_int {
        thread::realtime().map(|now| {
            time.write(timeval { tv_sec: seconds(now), tv_usec: now.subsec_micros().into() });
            0
        })
    }

    fn time(at: *mut time_t) -> time_t {
        thread::realtime().map(|now| {
            if !at.is_null() {
                at.write(seconds(now));
            }
            seconds(now)
        })
    }

    fn nanosleep(length: *const timespec, left: *mut timespec) -> c_int {
        sleep_for("nanosleep", from_timespec(length))
    }

    /// Where it is to wait until an instant, that is what counts as its length.
    fn clock_nanosleep(clock: clockid_t, flags: c_int, length: *const timespec, left: *mut timespec) -> c_int {
        sleep_for("clock_nanosleep", from_timespec(length))
    }

    fn usleep(micros: c_uint) -> c_int {
        sleep_for("usleep", Duration::from_micros(micros.into()))
    }

    fn sleep(seconds: c_uint) -> c_uint {
        sleep_for("sleep", Duration::from_secs(seconds.into()))
    }

    fn timerfd_create(clock: clockid_t, flags: c_int) -> c_int {
        escape("timerfd_create", EscapeKind::Timer, -1)
    }
}

/// Refuses to sleep by returning at once with success: the standard library takes any error but an
/// interruption for a bug of its own. Where the thread goes by the machine's time, it sleeps.
fn sleep_for<R: From<bool>>(call: &'static str, length: Duration) -> Option<R> {
    thread::has_virtual_clocks().then(|| escape(call, EscapeKind::Sleep { length }, R::from(false))).flatten()
}

fn to_timespec(time: Duration) -> timespec {
    timespec { tv_sec: seconds(time), tv_nsec: time.subsec_nanos().into() }
}

/// # Safety
/// `time` must be null or valid for reads.
unsafe fn from_timespec(time: *const timespec) -> Duration {
    // SAFETY: the caller vouches for it.
    let Some(time) = (unsafe { time.as_ref() }) else { return Duration::ZERO };
    let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap_or(0));
    seconds.saturating_add(Duration::from_nanos(time.tv_nsec.try_into().unwrap_or(0)))
}

fn seconds(time: Duration) -> time_t {
    time.as_secs().try_into().unwrap_or(time_t::MAX)
}
