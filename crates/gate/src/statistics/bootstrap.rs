use serde::{Deserialize, Serialize};

use super::{Draw, order::median_in_place};

/// The stream of a seed from which resamples are drawn.
const STREAM: u64 = 1;

/// A range in which a true value lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
}

/// The percentile bootstrap of a median: where the median would have come to lie if the samples had been
/// drawn again (B. Efron, Ann. Statist. 7, 1979).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// How often the samples are drawn again; at least 1.
    pub resamples: usize,
    /// Where the draws come from.
    pub seed: u64,
}

impl Bootstrap {
    /// The interval that leaves `tail` (0 to ½) of the resampled medians on either side. `None` of nothing.
    pub fn of_median(self, samples: &[f64], tail: f64) -> Option<Interval> {
        let mut draw = Draw::new(self.seed, STREAM);
        let mut resample = vec![0.0; samples.len()];
        let mut medians = Vec::with_capacity(self.resamples.max(1));
        for _ in 0..self.resamples.max(1) {
            resample.fill_with(|| samples[draw.below(samples.len())]);
            medians.push(median_in_place(&mut resample)?);
        }
        medians.sort_by(f64::total_cmp);
        let outside = (tail.clamp(0.0, 0.5) * medians.len() as f64).floor() as usize;
        let outside = outside.min((medians.len() - 1) / 2);
        Some(Interval { lower: medians[outside], upper: medians[medians.len() - 1 - outside] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::median;

    const BOOTSTRAP: Bootstrap = Bootstrap { resamples: 2000, seed: 7 };

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let samples: Vec<f64> = (0..21).map(|n| f64::from(n * n)).collect();
        let interval = BOOTSTRAP.of_median(&samples, 0.05);
        assert_eq!(interval, BOOTSTRAP.of_median(&samples, 0.05));
        let other = Bootstrap { resamples: 20, seed: 8 };
        assert_ne!(interval, other.of_median(&samples, 0.05));
    }

    #[test]
    fn a_smaller_tail_gives_a_wider_interval_around_the_median() {
        let samples: Vec<f64> = (0..21).map(f64::from).collect();
        let narrow = BOOTSTRAP.of_median(&samples, 0.25).unwrap();
        let wide = BOOTSTRAP.of_median(&samples, 0.01).unwrap();
        assert!(wide.lower < narrow.lower && narrow.lower < 10.0);
        assert!(10.0 < narrow.upper && narrow.upper < wide.upper);
    }

    #[test]
    fn it_covers_the_true_median_about_as_often_as_it_says() {
        let mut draw = Draw::new(3, 0);
        let bootstrap = Bootstrap { resamples: 400, seed: 1 };
        let covered = (0..400)
            .filter(|_| {
                let samples: Vec<f64> = (0..21).map(|_| draw.unit()).collect();
                let interval = bootstrap.of_median(&samples, 0.05).unwrap();
                (interval.lower..=interval.upper).contains(&0.5)
            })
            .count();
        // 90 % nominal: 360 of 400, four standard deviations either way.
        assert!((336..=384).contains(&covered), "{covered}");
    }

    #[test]
    fn nothing_and_one_sample_have_their_answers() {
        assert_eq!(BOOTSTRAP.of_median(&[], 0.05), None);
        assert_eq!(BOOTSTRAP.of_median(&[2.0], 0.05), Some(Interval { lower: 2.0, upper: 2.0 }));
        assert_eq!(median(&[2.0]), Some(2.0));
    }
}
