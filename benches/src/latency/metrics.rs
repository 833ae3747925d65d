//! Latencies as the gate takes them.

use gate::{
    metric::{Better, Budget, Metric, MetricId, MetricIdError, Percent, Tier, Unit},
    value::{Distribution, DistributionError, Value},
};
use scenario::plan::Milestone;
use thiserror::Error;

use super::{Case, Latency, PHASES, Weather};

/// How many seeds, from 1 on, stand for a case on a rough network.
pub const GATED_SEEDS: u64 = gate::value::MIN_SEEDS as u64;

/// What a distribution may lose before it counts: 2 % and a millisecond, the clock's resolution.
const ROUGH_BUDGET_PPM: i32 = 20_000;
const RESOLUTION_US: u64 = 1000;

/// Why latencies are no metrics.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetricError {
    /// There are none.
    #[error("no seed was played")]
    NoSeed,
    /// The name of a case cannot be part of a metric's.
    #[error("{case}: {error}")]
    Id {
        /// The case.
        case: String,
        /// What is wrong.
        error: MetricIdError,
    },
    /// There are too few or too many for a distribution.
    #[error("{case}: {error}")]
    Seeds {
        /// The case.
        case: String,
        /// What is wrong.
        error: DistributionError,
    },
}

/// The metrics of `case` and their values, of its first seed on a calm network, of [`GATED_SEEDS`] on a rough one.
///
/// On a calm network: microseconds from the dial to each phase and to `connected`, packets and bytes. On a rough one:
/// those to `connected`, by seed. A milestone that was not reached is left out on a calm network, so that its id
/// vanishes; on a rough one its seed failed.
///
/// `latencies` are in the order of their seeds, from 1 on.
///
/// # Errors
///
/// [`MetricError`] where there are too few of them, or none.
pub fn metrics(case: &Case, latencies: &[Latency]) -> Result<Vec<(Metric, Value)>, MetricError> {
    match case.weather {
        Weather::Calm => calm(case, latencies.first().ok_or(MetricError::NoSeed)?),
        Weather::Rough => rough(case, latencies).map(|one| vec![one]),
    }
}

fn calm(case: &Case, latency: &Latency) -> Result<Vec<(Metric, Value)>, MetricError> {
    let milestones = PHASES.into_iter().chain([Milestone::Connected]);
    let reached = milestones.filter_map(|milestone| Some((milestone, latency.reached.get(&milestone)?)));
    let times = reached.map(|(milestone, time)| {
        (milestone.as_str(), Unit::Microseconds, u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    });
    let sizes = [("packets", Unit::Packets, latency.packets), ("bytes", Unit::Bytes, latency.bytes)];
    let all = times.chain(sizes);
    all.map(|(what, unit, value)| Ok((metric(case, what, unit, None)?, Value::Single(value)))).collect()
}

/// The metric of a case on a rough network, which is known before anything was played; `None` on a calm one.
///
/// # Errors
///
/// [`MetricError`] where its id would not be one.
pub fn rough_metric(case: &Case) -> Option<Result<Metric, MetricError>> {
    (case.weather == Weather::Rough).then(|| connected_by_seed(case))
}

fn connected_by_seed(case: &Case) -> Result<Metric, MetricError> {
    let budget = Budget::of(Percent::from_ppm(ROUGH_BUDGET_PPM)).at_least(RESOLUTION_US);
    metric(case, "connected", Unit::Microseconds, Some(budget))
}

fn rough(case: &Case, latencies: &[Latency]) -> Result<(Metric, Value), MetricError> {
    let connected = |latency: &Latency| {
        let time = latency.is_connected().then(|| latency.reached.get(&Milestone::Connected)).flatten();
        time.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    };
    let outcomes = latencies.iter().map(connected).collect();
    let value = Distribution::new(1, outcomes)
        .map_err(|error| MetricError::Seeds { case: case.id.clone(), error })?;
    Ok((connected_by_seed(case)?, Value::BySeed(value)))
}

fn metric(case: &Case, what: &str, unit: Unit, budget: Option<Budget>) -> Result<Metric, MetricError> {
    let id = MetricId::new(format!("{}#{what}", case.id))
        .map_err(|error| MetricError::Id { case: case.id.clone(), error })?;
    Ok(Metric { id, tier: Tier::Virtual, unit, better: Better::Lower, budget })
}
