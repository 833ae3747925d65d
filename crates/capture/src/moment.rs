use std::fmt;

/// A moment on the clock of one captured file: microseconds since the Unix epoch.
///
/// Clocks of different files differ; [`merge`](crate::merge()) brings them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// The end of the year 9999: later moments are taken for nonsense.
const LATEST_US: f64 = 253_402_300_800e6;

impl Moment {
    /// The moment `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `millis` milliseconds after the Unix epoch, to the microsecond; `None` for what is not
    /// a number, lies before the epoch or after the year 9999.
    pub fn from_millis(millis: f64) -> Option<Self> {
        let micros = (millis * 1e3).round();
        (0.0..LATEST_US).contains(&micros).then_some(Self(micros as i64))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment moved by `micros` microseconds (saturating).
    pub(crate) const fn shifted(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this moment; negative where `earlier` is later (saturating).
    pub(crate) const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds since the epoch, with their fraction.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.div_euclid(1000), self.0.rem_euclid(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_no_moment() {
        assert_eq!(Moment::from_millis(1.5), Some(Moment::from_micros(1500)));
        for nonsense in [f64::NAN, f64::INFINITY, -1.0, 1e18] {
            assert_eq!(Moment::from_millis(nonsense), None);
        }
    }
}
