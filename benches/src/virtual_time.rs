//! Virtual time as criterion measures it, so that its reports and plots show simulated milliseconds.

use std::time::Duration;

use criterion::{
    Throughput,
    measurement::{Measurement, ValueFormatter},
};

/// Time that passes in a world. It passes nowhere else: benches tell it, with `Bencher::iter_custom`.
#[derive(Clone, Copy, Debug)]
pub struct VirtualTime;

impl Measurement for VirtualTime {
    type Intermediate = ();
    type Value = Duration;

    fn start(&self) {}

    /// None: outside worlds virtual time does not advance.
    fn end(&self, (): ()) -> Duration {
        Duration::ZERO
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    /// In milliseconds.
    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_secs_f64() * 1e3
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Milliseconds
    }
}

const UNIT: &str = "ms (virtual)";

struct Milliseconds;

impl ValueFormatter for Milliseconds {
    /// Always milliseconds, so that two phases or two networks are compared at a glance.
    fn scale_values(&self, _typical: f64, _values: &mut [f64]) -> &'static str {
        UNIT
    }

    /// Per simulated second.
    fn scale_throughputs(&self, _typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let units = match throughput {
            Throughput::Elements(units) | Throughput::Bytes(units) => *units,
            _ => 1,
        };
        values.iter_mut().for_each(|value| *value = units as f64 * 1e3 / *value);
        "per virtual second"
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_simulated_milliseconds() {
        let value = VirtualTime.to_f64(&Duration::from_micros(453_500));
        assert_eq!(VirtualTime.formatter().format_value(value), "453.50 ms (virtual)");
        let rate = VirtualTime.formatter().format_throughput(&Throughput::Elements(2), 500.0);
        assert_eq!(rate.trim(), "4.0000 per virtual second");
    }

    #[test]
    fn nothing_passes_outside_a_world() {
        VirtualTime.start();
        assert_eq!(VirtualTime.end(()), Duration::ZERO);
    }
}
