//! The sign test: exact, and free of any assumption on how noise is distributed.
//!
//! Where the median of independent samples is at most *t*, each is above *t* with a chance of at most one
//! half, so their number follows a binomial distribution. The samples need not be alike: one epoch may be
//! far noisier than another.

use statrs::distribution::{Binomial, ContinuousCDF as _, DiscreteCDF as _, Normal};
use statrs::function::beta;

/// The chance that at least as many samples are above `threshold` if the median is not: small values
/// speak for a median above it. Samples at the threshold count against. 1 of nothing.
pub fn p_value_above(samples: &[f64], threshold: f64) -> f64 {
    let above = samples.iter().filter(|sample| **sample > threshold).count();
    at_least(samples.len(), above)
}

/// The same for a median below `threshold`.
pub(crate) fn p_value_below(samples: &[f64], threshold: f64) -> f64 {
    let below = samples.iter().filter(|sample| **sample < threshold).count();
    at_least(samples.len(), below)
}

/// The smallest number of samples out of `count` above a threshold whose p-value is at most `alpha`;
/// `None` where even all of them do not suffice.
pub(crate) fn critical_count(count: usize, alpha: f64) -> Option<usize> {
    (0..=count).find(|&above| at_least(count, above) <= alpha)
}

/// How far, in standard deviations of a sample, the median must lie beyond the threshold for the sign
/// test of `count` normal samples at level `alpha` to see it with probability `power`. `None` where no
/// distance suffices.
pub(crate) fn detectable_shift(count: usize, alpha: f64, power: f64) -> Option<f64> {
    let critical = critical_count(count, alpha)?;
    // P(Binomial(n, q) ≥ c) = I_q(c, n − c + 1): the chance q of one sample that makes it `power`.
    let share = beta::inv_beta_reg(critical as f64, (count - critical + 1) as f64, power);
    let shift = Normal::standard().inverse_cdf(share);
    shift.is_finite().then_some(shift)
}

/// P(Binomial(count, ½) ≥ hits).
fn at_least(count: usize, hits: usize) -> f64 {
    match (Binomial::new(0.5, count as u64), hits.checked_sub(1)) {
        (Ok(binomial), Some(fewer)) => binomial.sf(fewer as u64),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expect: f64) {
        assert!((found - expect).abs() < 1e-9 * expect.abs().max(1.0), "{found} is not {expect}");
    }

    #[test]
    fn p_values_are_binomial_tails() {
        let samples: Vec<f64> = (1..=10).map(f64::from).collect();
        close(p_value_above(&samples, 0.5), 1.0 / 1024.0);
        close(p_value_above(&samples, 1.5), 11.0 / 1024.0);
        // A sample at the threshold is not above it.
        close(p_value_above(&samples, 1.0), 11.0 / 1024.0);
        close(p_value_below(&samples, 10.0), 11.0 / 1024.0);
        close(p_value_above(&samples, 10.0), 1.0);
        close(p_value_above(&[], 0.0), 1.0);
    }

    #[test]
    fn the_critical_count_is_the_smallest_that_suffices() {
        assert_eq!(critical_count(10, 11.0 / 1024.0 + 1e-9), Some(9));
        assert_eq!(critical_count(10, 11.0 / 1024.0 - 1e-9), Some(10));
        assert_eq!(critical_count(3, 0.01), None);
        assert_eq!(critical_count(0, 0.01), None);
    }

    #[test]
    fn a_larger_sample_sees_a_smaller_shift() {
        let few = detectable_shift(20, 0.01 / 3.0, 0.95).unwrap();
        let many = detectable_shift(80, 0.01 / 3.0, 0.95).unwrap();
        assert!(many < few, "{many} {few}");
        // 16 of 20 must be above (p = 0.0059 > α, so 17): q with P(Bin(20, q) ≥ 17) = 0.95.
        let share = Normal::standard().cdf(few);
        let power = Binomial::new(share, 20).unwrap().sf(16);
        assert!((power - 0.95).abs() < 1e-6, "{power}");
        assert_eq!(detectable_shift(3, 0.01, 0.95), None);
    }
}
