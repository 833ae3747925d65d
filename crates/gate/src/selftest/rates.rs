use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{metric::Percent, statistics::Proportion, verdict::Verdict};

/// What the trials of one slowdown came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// By how much the candidate was slower.
    pub slowdown: Percent,
    /// How many trials there were.
    pub trials: u64,
    /// How often each verdict was given.
    pub verdicts: BTreeMap<Verdict, u64>,
}

/// What is claimed of a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim {
    /// At most so often, as a fraction.
    AtMost(f64),
    /// At least so often.
    AtLeast(f64),
}

/// What trials say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The bound of the rate fulfils it.
    Shown,
    /// The bound of the other side contradicts it.
    Refuted,
    /// Too few trials to say.
    Open,
}

impl Claim {
    /// What `rate` says about it, at `confidence` (for example 0.95) on either side.
    pub fn check(self, rate: Proportion, confidence: f64) -> Proof {
        let (lower, upper) = (rate.lower_bound(confidence), rate.upper_bound(confidence));
        let (shown, refuted) = match self {
            Self::AtMost(most) => (upper <= most, lower > most),
            Self::AtLeast(least) => (lower >= least, upper < least),
        };
        match (shown, refuted) {
            (true, _) => Proof::Shown,
            (_, true) => Proof::Refuted,
            _ => Proof::Open,
        }
    }
}

impl Rates {
    /// How often something was called a regression: false alarms of an A/A pair, catches of a slowdown.
    pub fn regressions(&self) -> Proportion {
        self.of(&[Verdict::Regression])
    }

    /// How often it passed, or was called an improvement.
    pub fn passes(&self) -> Proportion {
        self.of(&[Verdict::Pass, Verdict::Improved])
    }

    /// How often it was called an improvement; in the exact tier, one to be accepted.
    pub fn improvements(&self) -> Proportion {
        self.of(&[Verdict::Improved, Verdict::ImprovedNotAccepted])
    }

    /// How often there was no answer.
    pub fn inconclusive(&self) -> Proportion {
        self.of(&[Verdict::Inconclusive])
    }

    /// How often one of `verdicts` was given.
    pub fn of(&self, verdicts: &[Verdict]) -> Proportion {
        let hits = verdicts.iter().filter_map(|verdict| self.verdicts.get(verdict)).sum();
        Proportion::new(hits, self.trials)
    }

    /// "0 of 299 called a regression (0.0 % to 1.0 %)", with bounds that each hold with `confidence`.
    pub fn line(&self, confidence: f64) -> String {
        let bounded = |what: &str, rate: Proportion| {
            let (lower, upper) = (rate.lower_bound(confidence) * 100.0, rate.upper_bound(confidence) * 100.0);
            format!("{} of {} {what} ({lower:.1} % to {upper:.1} %)", rate.hits, rate.trials)
        };
        format!(
            "{} slower: {}, {}, {}",
            self.slowdown,
            bounded("regressions", self.regressions()),
            bounded("passed", self.passes()),
            bounded("inconclusive", self.inconclusive())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(claim: Claim, hits: u64, trials: u64, expect: Proof) {
        assert_eq!(claim.check(Proportion::new(hits, trials), 0.95), expect, "{hits} of {trials}");
    }

    #[test]
    fn a_claim_is_shown_from_the_number_of_trials_that_can_show_it() {
        check(Claim::AtMost(0.01), 0, 299, Proof::Shown);
        check(Claim::AtMost(0.01), 0, 298, Proof::Open);
        check(Claim::AtMost(0.01), 1, 299, Proof::Open);
        check(Claim::AtMost(0.01), 12, 299, Proof::Refuted);
        check(Claim::AtLeast(0.95), 59, 59, Proof::Shown);
        check(Claim::AtLeast(0.95), 58, 58, Proof::Open);
        check(Claim::AtLeast(0.95), 40, 59, Proof::Refuted);
        check(Claim::AtLeast(0.95), 0, 0, Proof::Open);
    }

    #[test]
    fn a_line_has_counts_and_bounds() {
        let verdicts = BTreeMap::from([(Verdict::Pass, 298), (Verdict::Inconclusive, 1)]);
        let rates = Rates { slowdown: Percent::ZERO, trials: 299, verdicts };
        let expect = "0 % slower: 0 of 299 regressions (0.0 % to 1.0 %), 298 of 299 passed (98.4 % to 100.0 %), \
                      1 of 299 inconclusive (0.0 % to 1.6 %)";
        assert_eq!(rates.line(0.95), expect);
    }
}
