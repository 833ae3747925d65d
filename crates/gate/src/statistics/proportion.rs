use serde::{Deserialize, Serialize};
use statrs::function::beta;

/// How often something happened in independent trials, with exact bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proportion {
    /// How often it happened.
    pub hits: u64,
    /// How often it could have.
    pub trials: u64,
}

impl Proportion {
    /// `hits` out of `trials`; no more hits than trials.
    pub fn new(hits: u64, trials: u64) -> Self {
        Self { hits: hits.min(trials), trials }
    }

    /// The observed share; `None` without trials.
    pub fn rate(self) -> Option<f64> {
        (self.trials > 0).then(|| self.hits as f64 / self.trials as f64)
    }

    /// The true rate is at least this, with one-sided `confidence` (Clopper and Pearson, Biometrika 26,
    /// 1934). 0 without hits.
    pub fn lower_bound(self, confidence: f64) -> f64 {
        if self.hits == 0 {
            return 0.0;
        }
        beta::inv_beta_reg(self.hits as f64, (self.trials - self.hits + 1) as f64, 1.0 - confidence)
    }

    /// The true rate is at most this, with one-sided `confidence`. 1 without misses.
    pub fn upper_bound(self, confidence: f64) -> f64 {
        if self.hits == self.trials {
            return 1.0;
        }
        beta::inv_beta_reg((self.hits + 1) as f64, (self.trials - self.hits) as f64, confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expect: f64) {
        assert!((found - expect).abs() < 1e-6, "{found} is not {expect}");
    }

    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        // Without hits the bound has a closed form: 1 − (1 − confidence)^(1/n).
        close(Proportion::new(0, 299).upper_bound(0.95), 1.0 - 0.05f64.powf(1.0 / 299.0));
        close(Proportion::new(59, 59).lower_bound(0.95), 0.05f64.powf(1.0 / 59.0));
        // R: binom.test(5, 20, conf.level = 0.95)$conf.int
        close(Proportion::new(5, 20).lower_bound(0.975), 0.086_571_47);
        close(Proportion::new(5, 20).upper_bound(0.975), 0.491_045_87);
    }

    #[test]
    fn trials_needed_for_a_claim_are_those_of_the_design() {
        let clean = |trials| Proportion::new(0, trials).upper_bound(0.95);
        assert!(clean(299) <= 0.01 && clean(298) > 0.01);
        let all = |trials| Proportion::new(trials, trials).lower_bound(0.95);
        assert!(all(59) >= 0.95 && all(58) < 0.95);
    }

    #[test]
    fn nothing_tried_is_nothing_known() {
        let nothing = Proportion::new(0, 0);
        assert_eq!((nothing.rate(), nothing.lower_bound(0.95), nothing.upper_bound(0.95)), (None, 0.0, 1.0));
    }
}
