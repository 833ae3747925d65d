//! File descriptors: each connection needs one.

/// What the server needs beside its connections: the listener, the runtime's own, logs, a store.
const BESIDE: u64 = 32;

/// Why fewer connections are accepted than were asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooFew {
    /// The limit of the system.
    allowed: u64,
    /// How many are accepted.
    pub(super) connections: usize,
    asked: usize,
}

/// Raises the limit of open files as far as `connections` need it and the system lets it.
///
/// # Errors
/// [`TooFew`] where that is not far enough.
pub(super) fn raise(connections: usize) -> Result<(), TooFew> {
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(BESIDE);
    let allowed = allow(needed);
    fitting(allowed, connections)
}

#[cfg(unix)]
fn allow(needed: u64) -> u64 {
    // A system that does not say has no limit that anybody knows.
    let Ok((soft, hard)) = rlimit::Resource::NOFILE.get() else { return u64::MAX };
    if soft >= needed {
        return soft;
    }
    let raised = needed.min(hard);
    match rlimit::Resource::NOFILE.set(raised, hard) {
        Ok(()) => raised,
        Err(_) => soft,
    }
}

#[cfg(not(unix))]
const fn allow(_needed: u64) -> u64 {
    u64::MAX
}

fn fitting(allowed: u64, asked: usize) -> Result<(), TooFew> {
    let room = usize::try_from(allowed.saturating_sub(BESIDE)).unwrap_or(usize::MAX).max(1);
    if room >= asked { Ok(()) } else { Err(TooFew { allowed, connections: room, asked }) }
}

impl std::fmt::Display for TooFew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { allowed, connections, asked } = self;
        write!(
            f,
            "this system allows {allowed} open files (ulimit -n): {connections} connections are accepted at once, not \
             {asked}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_the_limit() {
        assert_eq!(fitting(4096 + 32, 4096), Ok(()));
        let few = fitting(4096 + 31, 4096).unwrap_err();
        assert_eq!(few, TooFew { allowed: 4127, connections: 4095, asked: 4096 });
        assert_eq!(fitting(3, 4096).unwrap_err().connections, 1);
    }
}
