//! The machine's clock, which nothing but a measurement may look at.

use std::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured here")]
pub(super) fn now() -> Instant {
    Instant::now()
}
