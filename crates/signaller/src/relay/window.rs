use std::time::Duration;

/// When a rule of a scenario holds, counted from the relay's beginning: messages and requests outside of it
/// are neither counted nor touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From this moment on.
    pub from: Duration,
    /// Until before this moment; `None`: for ever.
    pub until: Option<Duration>,
}

impl Window {
    /// From the beginning, for ever.
    pub const ALWAYS: Self = Self { from: Duration::ZERO, until: None };

    pub(super) fn contains(self, now: Duration) -> bool {
        now >= self.from && self.until.is_none_or(|until| now < until)
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::ALWAYS
    }
}
