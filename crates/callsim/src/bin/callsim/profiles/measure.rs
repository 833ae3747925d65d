//! A call on each profile: towards good home Wi-Fi, and towards somebody on the same kind of network.

use std::num::{NonZeroU32, NonZeroUsize};

use scenario::{
    plan::{Outcome, Plan},
    profile::{self, Profile, Profiles, USUAL_CALLEE},
    report::Report,
    run::Player,
    suite::{self, Keep, Options, Seeds},
};
use serde::Serialize;

use crate::{interrupt, now, progress::Bar};

/// How calls on one profile went.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Measured {
    /// The profile's name.
    pub(super) profile: String,
    /// The callee is on good home Wi-Fi.
    pub(super) to_wifi: Calls,
    /// The callee is on the same profile.
    pub(super) to_same: Calls,
}

/// How many calls connected, and how fast.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Calls {
    /// How many were made.
    pub(super) calls: u64,
    /// How many were connected, with media.
    pub(super) connected: u64,
    /// Virtual milliseconds from the dial until both sides were connected, the median.
    pub(super) setup_p50_ms: Option<u64>,
    /// The same, 95 of a hundred.
    pub(super) setup_p95_ms: Option<u64>,
}

/// Plays `seeds` calls each way on each of `chosen`; `None` if Ctrl-C came first.
pub(super) fn measure(
    profiles: &Profiles,
    chosen: &[Profile],
    seeds: NonZeroU32,
    jobs: NonZeroUsize,
) -> anyhow::Result<Option<Vec<Measured>>> {
    let calls = chosen
        .iter()
        .flat_map(|Profile { name, .. }| [USUAL_CALLEE, name].map(|callee| call(profiles, name, callee)));
    let plans: Vec<Plan> = calls.collect::<Result<_, _>>()?;
    let options = Options { seeds: Seeds::Count(seeds.get()), jobs, keep: Keep::Nothing };
    let (bar, started) = (Bar::new(), now());
    let result = suite::run(
        &plans,
        &options,
        &interrupt::CANCEL,
        |plan, seed| Player::new(plan).seed(seed).play(),
        |progress| bar.show(progress),
    );
    bar.clear();
    if result.is_partial() {
        return Ok(None);
    }
    let report = Report::new(&plans, &result, now().duration_since(started), &|_, _| String::new());
    anyhow::ensure!(
        report.totals.broken_runs == 0,
        "{} calls could not be played",
        report.totals.broken_runs
    );
    let calls: Vec<Calls> = report
        .scenarios
        .iter()
        .map(|scenario| Calls {
            calls: scenario.runs as u64,
            connected: scenario.outcomes.get(&Outcome::Connected).map_or(0, |count| *count as u64),
            setup_p50_ms: scenario.setup_ms.as_ref().map(|setup| setup.p50),
            setup_p95_ms: scenario.setup_ms.as_ref().map(|setup| setup.p95),
        })
        .collect();
    let pairs = chosen.iter().zip(calls.chunks(2));
    Ok(Some(
        pairs
            .filter_map(|(profile, pair)| {
                let [to_wifi, to_same] = pair else { return None };
                let profile = profile.name.clone();
                Some(Measured { profile, to_wifi: to_wifi.clone(), to_same: to_same.clone() })
            })
            .collect(),
    ))
}

fn call(profiles: &Profiles, caller: &str, callee: &str) -> anyhow::Result<Plan> {
    let plan = profile::call_between(profiles, caller, callee);
    plan.map_err(|error| anyhow::anyhow!(error.lines().collect::<Vec<_>>().join("\n")))
}
