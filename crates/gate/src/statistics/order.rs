//! Medians, quartiles, fences: statistics of order, which one odd sample cannot drag along.

/// Makes a MAD an estimate of the standard deviation of normal samples.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// How far beyond the quartiles a fence stands, in interquartile ranges: as rustc-perf has it.
const FENCE_IQRS: f64 = 3.0;

/// The median; of an even number, the mean of the middle two. `None` of nothing.
pub fn median(samples: &[f64]) -> Option<f64> {
    median_in_place(&mut samples.to_vec())
}

/// The median, with the samples left in another order.
pub(crate) fn median_in_place(samples: &mut [f64]) -> Option<f64> {
    let middle = samples.len() / 2;
    if samples.is_empty() {
        return None;
    }
    let (_, &mut upper, _) = samples.select_nth_unstable_by(middle, f64::total_cmp);
    if samples.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = below_max(&samples[..middle]);
    Some(lower + (upper - lower) / 2.0)
}

fn below_max(samples: &[f64]) -> f64 {
    samples.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The quartiles of a set of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quartiles {
    /// A quarter of the samples is below.
    pub first: f64,
    /// Three quarters are below.
    pub third: f64,
}

/// First and third quartile, interpolated linearly (type 7 of Hyndman and Fan). `None` of nothing.
pub(crate) fn quartiles(samples: &[f64]) -> Option<Quartiles> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(Quartiles { first: interpolated(&sorted, 0.25)?, third: interpolated(&sorted, 0.75)? })
}

fn interpolated(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(position.floor() as usize)?;
    let above = *sorted.get(position.ceil() as usize)?;
    Some(below + (above - below) * position.fract())
}

/// Q3 + 3·IQR: samples of the same thing are practically never above. `None` of nothing.
pub(crate) fn upper_fence(samples: &[f64]) -> Option<f64> {
    quartiles(samples).map(|quartiles| quartiles.third + FENCE_IQRS * (quartiles.third - quartiles.first))
}

/// What makes the MAD of 2 to 9 samples an estimate without bias (C. Croux and P. J. Rousseeuw,
/// "Time-Efficient Algorithms for Two Highly Robust Estimators of Scale", COMPSTAT 1992).
const FEW_SAMPLES: [f64; 8] = [1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107];

/// The spread of samples around their median: the median absolute deviation, scaled to be the standard
/// deviation where they are normal, and corrected for small numbers of them. `None` of nothing.
pub(crate) fn robust_spread(samples: &[f64]) -> Option<f64> {
    let centre = median(samples)?;
    let mut deviations: Vec<f64> = samples.iter().map(|sample| (sample - centre).abs()).collect();
    median_in_place(&mut deviations).map(|mad| mad * MAD_TO_SIGMA * small_sample_factor(samples.len()))
}

fn small_sample_factor(count: usize) -> f64 {
    match count {
        0 | 1 => 1.0,
        2..=9 => FEW_SAMPLES[count - 2],
        _ => count as f64 / (count as f64 - 0.8),
    }
}

/// The smallest of `sorted` that `percent` per cent of them do not exceed (nearest rank). `None` of nothing.
pub(crate) fn nearest_rank(sorted: &[u64], percent: u8) -> Option<u64> {
    let rank = (sorted.len() * usize::from(percent.min(100))).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_nothing() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_fence_stands_three_ranges_beyond() {
        let samples: Vec<f64> = (0..=8).map(f64::from).collect();
        assert_eq!(quartiles(&samples), Some(Quartiles { first: 2.0, third: 6.0 }));
        assert_eq!(upper_fence(&samples), Some(18.0));
        assert_eq!(upper_fence(&[1.0]), Some(1.0));
        assert_eq!(upper_fence(&[]), None);
    }

    #[test]
    fn one_odd_sample_does_not_widen_the_spread() {
        let calm = [1.0, 2.0, 3.0, 4.0, 5.0];
        let odd = [1.0, 2.0, 3.0, 4.0, 5000.0];
        assert_eq!(robust_spread(&calm), robust_spread(&odd));
        assert_eq!(robust_spread(&calm), Some(MAD_TO_SIGMA * 1.206));
    }

    #[test]
    fn nearest_ranks() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(nearest_rank(&hundred, 50), Some(50));
        assert_eq!(nearest_rank(&hundred, 95), Some(95));
        assert_eq!(nearest_rank(&[7], 95), Some(7));
        assert_eq!(nearest_rank(&[1, 2, 3], 95), Some(3));
        assert_eq!(nearest_rank(&[], 50), None);
    }
}
