use std::time::Duration;

/// How long something may take before a rule speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// A wait on the way to `connected` that is worth a note.
    pub slow: Duration,
    /// A wait that is worth a warning, unless it is a person's.
    pub very_slow: Duration,
    /// ICE needs no longer than that to connect where it can (RFC 8445 §14 lets checks run for some seconds;
    /// Chromium gives up after 15 s): after it, not being connected is an error.
    pub ice: Duration,
    /// An attempt that was given up sooner than that tells nothing of ICE.
    pub ice_min: Duration,
    /// DTLS needs no longer than that once ICE is connected: three of its one-second timers
    /// (RFC 6347 §4.2.4.1).
    pub dtls: Duration,
    /// Gathering needs no longer than that, even where a server does not answer.
    pub gathering: Duration,
    /// What happens this shortly before the end of a call may be cut off by it.
    pub end: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(1),
            very_slow: Duration::from_secs(5),
            ice: Duration::from_secs(10),
            ice_min: Duration::from_secs(2),
            dtls: Duration::from_secs(3),
            gathering: Duration::from_secs(10),
            end: Duration::from_millis(500),
        }
    }
}
