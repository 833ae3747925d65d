//! How often to try what.

use std::str::FromStr;

use gate::{
    metric::{Percent, PercentError, Tier},
    selftest::Plan,
};
use thiserror::Error;

/// A slowdown and how often to try it, as `5%:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Injection {
    slowdown: Percent,
    trials: u64,
}

/// Why a text is no injection.
#[derive(Debug, Error)]
pub(super) enum InjectionError {
    #[error("write it as 5%:59")]
    NoColon,
    #[error("`{0}` is not a percentage")]
    Slowdown(String),
    #[error(transparent)]
    Percent(#[from] PercentError),
    #[error("a slowdown is -50% to 1000%, and not 0%: `--aa N` tries identical pairs")]
    OutOfRange,
    #[error("`{0}` is not a number of trials")]
    Trials(String),
}

/// The largest speed-up that can be shown: what is compared with is slowed down to the double.
const FASTEST: Percent = Percent::from_ppm(-500_000);

impl FromStr for Injection {
    type Err = InjectionError;

    fn from_str(text: &str) -> Result<Self, InjectionError> {
        let (slowdown, trials) = text.split_once(':').ok_or(InjectionError::NoColon)?;
        let number = slowdown.trim_end_matches('%').trim();
        let number: f64 = number.parse().map_err(|_| InjectionError::Slowdown(slowdown.to_owned()))?;
        let slowdown = Percent::try_from(number)?;
        if slowdown < FASTEST || slowdown == Percent::ZERO {
            return Err(InjectionError::OutOfRange);
        }
        let trials = trials.parse().map_err(|_| InjectionError::Trials(trials.to_owned()))?;
        Ok(Self { slowdown, trials })
    }
}

/// What is asked for, or what the tier can do in its share of half an hour.
///
/// Nothing about the exact tiers is random, so that trials there look for leaks and no more; counting is slow.
pub(super) fn of(quick: bool, aa: Option<u64>, inject: &[Injection], tier: Tier, noisy: bool) -> Plan {
    if quick {
        return Plan::smoke();
    }
    let [same, five, others] = match (tier, noisy) {
        (Tier::Virtual, false) => [299, 59, 20],
        (Tier::Virtual, true) => [59, 20, 5],
        (Tier::Instructions, false) => [59, 20, 10],
        (Tier::Instructions, true) => [10, 5, 2],
        (Tier::Wall, _) => [299, 59, 20],
    };
    let percent = |percent: i32| Percent::from_ppm(percent * 10_000);
    let mut injections = vec![(Percent::ZERO, aa.unwrap_or(same))];
    match inject {
        // Only identical pairs were asked for.
        [] if aa.is_some() => {}
        [] => injections.extend([(percent(5), five), (percent(1), others), (percent(-5), others)]),
        given => injections.extend(given.iter().map(|given| (given.slowdown, given.trials))),
    }
    if aa.is_none() && !inject.is_empty() {
        injections.remove(0);
    }
    injections.retain(|(_, trials)| *trials > 0);
    Plan { injections }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(i32, u64)>) {
        let parsed = text.parse::<Injection>().ok();
        assert_eq!(parsed.map(|given| (given.slowdown.ppm(), given.trials)), expect, "{text}");
    }

    #[test]
    fn injections_are_percentages_with_a_number_of_trials() {
        check("5%:59", Some((50_000, 59)));
        check("-5%:3", Some((-50_000, 3)));
        check("2.5:10", Some((25_000, 10)));
        check("-50%:1", Some((-500_000, 1)));
        check("-51%:1", None);
        check("0%:9", None);
        check("5%", None);
        check("5%:many", None);
        check("fast:1", None);
    }

    #[test]
    fn what_is_asked_for_is_all_that_is_tried() {
        let five = "5%:7".parse().unwrap();
        let trials = |aa, inject: &[Injection]| of(false, aa, inject, Tier::Wall, false).injections;
        assert_eq!(trials(Some(3), &[five]), [(Percent::ZERO, 3), (Percent::from_ppm(50_000), 7)]);
        assert_eq!(trials(Some(3), &[]), [(Percent::ZERO, 3)]);
        assert_eq!(trials(None, &[five]), [(Percent::from_ppm(50_000), 7)]);
        assert_eq!(trials(None, &[]).len(), 4);
        assert_eq!(trials(Some(0), &[five]), [(Percent::from_ppm(50_000), 7)]);
    }
}
