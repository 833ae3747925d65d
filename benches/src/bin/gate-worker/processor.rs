//! The instruction and wall tiers: workloads, counted and timed.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use benches::workload::{self, Prepared, Size};
use gate::{
    metric::{Better, Metric, MetricId, Percent, Tier, Unit},
    value::Value,
};

use crate::{error::WorkerError, region};

/// A workload in one of the tiers.
struct Gated {
    workload: &'static str,
    tier: Tier,
    size: Size,
}

const fn gated(workload: &'static str, tier: Tier, size: Size) -> Gated {
    Gated { workload, tier, size }
}

/// What is gated: whole calls, and of the parts those that a change can make slower without a call noticing. In each tier
/// a short one stands first: a self-test takes the first, some hundred times. A run of the wall tier takes some
/// milliseconds, so that an epoch is short.
const GATED: [Gated; 13] = [
    gated("wire/ping-pong", Tier::Instructions, Size::Smoke),
    gated("call/websocket", Tier::Instructions, Size::Smoke),
    gated("call/rest", Tier::Instructions, Size::Smoke),
    gated("media/minute", Tier::Instructions, Size::Smoke),
    gated("idle/minute", Tier::Instructions, Size::Full),
    gated("calls-in-one-world/10", Tier::Instructions, Size::Smoke),
    gated("sdp/parse", Tier::Instructions, Size::Smoke),
    gated("candidate/parse-and-write", Tier::Instructions, Size::Full),
    gated("wire/udp", Tier::Instructions, Size::Smoke),
    gated("digest/packets", Tier::Instructions, Size::Full),
    gated("wire/ping-pong", Tier::Wall, Size::Smoke),
    gated("call/websocket", Tier::Wall, Size::Smoke),
    gated("media/minute", Tier::Wall, Size::Smoke),
];

/// What one round of the loop in the region costs, in the release profile.
const INSTRUCTIONS_PER_ROUND: u64 = 4;

/// Workloads that are ready, by their ids and sizes.
pub(super) struct Processor {
    ready: BTreeMap<(&'static str, bool), Prepared>,
}

/// The workload and the tier that `id` is about.
pub(super) fn workload_of(id: &MetricId) -> Option<(usize, Tier)> {
    let (name, tier) = id.as_str().split_once('#')?;
    let fits = |gated: &Gated| gated.workload == name && gated.tier.as_str() == tier;
    GATED.iter().position(fits).map(|index| (index, GATED[index].tier))
}

impl Processor {
    pub(super) fn new() -> Self {
        Self { ready: BTreeMap::new() }
    }

    pub(super) fn metrics() -> Result<Vec<Metric>, WorkerError> {
        let metric = |gated: &Gated| {
            let id = MetricId::new(format!("{}#{}", gated.workload, gated.tier));
            let unit = if gated.tier == Tier::Wall { Unit::Nanoseconds } else { Unit::Instructions };
            let id = id.map_err(|error| WorkerError::MetricId { workload: gated.workload, error })?;
            Ok(Metric { id, tier: gated.tier, unit, better: Better::Lower, budget: None })
        };
        GATED.iter().map(metric).collect()
    }

    /// Runs it once, to be counted from outside. A slowdown is a share of `base`, what it counts without one.
    pub(super) fn counted(
        &mut self,
        index: usize,
        slowdown: Percent,
        base: Option<u64>,
    ) -> Result<Value, WorkerError> {
        let rounds = match (slowdown, base) {
            (Percent::ZERO, _) => 0,
            (_, None) => return Err(WorkerError::NoBase),
            (slowdown, Some(base)) => {
                let parts = u128::from(base) * u128::from(slowdown.ppm().unsigned_abs());
                u64::try_from(parts / 1_000_000).unwrap_or(u64::MAX) / INSTRUCTIONS_PER_ROUND
            }
        };
        region::slow_down(rounds);
        self.run(index)?;
        Ok(Value::Single(1))
    }

    /// How long one run takes, in nanoseconds. A slowdown spins for a share of that.
    #[expect(clippy::disallowed_methods, reason = "the wall tier is about real time")]
    pub(super) fn timed(&mut self, index: usize, slowdown: Percent) -> Result<Value, WorkerError> {
        self.prepare(index)?;
        let begun = Instant::now();
        self.run(index)?;
        let took = begun.elapsed();
        let until = took + took.mul_f64(slowdown.fraction());
        while begun.elapsed() < until {
            std::hint::spin_loop();
        }
        let took = if slowdown == Percent::ZERO { took } else { begun.elapsed() };
        Ok(Value::Single(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)))
    }

    fn run(&mut self, index: usize) -> Result<(), WorkerError> {
        let id = GATED[index].workload;
        let run = self.prepare(index)?;
        // Whoever panicked said why on standard error.
        catch_unwind(AssertUnwindSafe(run)).map(drop).map_err(|_| WorkerError::Panicked { id })
    }

    fn prepare(&mut self, index: usize) -> Result<&mut Prepared, WorkerError> {
        let Gated { workload: id, size, .. } = GATED[index];
        match self.ready.entry((id, size == Size::Full)) {
            Entry::Occupied(ready) => Ok(ready.into_mut()),
            Entry::Vacant(place) => {
                let workload = workload::find(id).ok_or(WorkerError::UnknownWorkload { id })?;
                let ready = workload.prepare(size, region::measured)?;
                Ok(place.insert(ready))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gated_is_a_workload_and_listed_once() {
        for gated in &GATED {
            assert!(workload::find(gated.workload).is_some(), "{}", gated.workload);
        }
        let mut ids: Vec<String> =
            Processor::metrics().unwrap().iter().map(|metric| metric.id.to_string()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), GATED.len());
    }

    #[test]
    fn a_slowed_run_takes_at_least_its_share_longer() {
        let mut processor = Processor::new();
        let (index, tier) = workload_of(&MetricId::new("wire/ping-pong#wall").unwrap()).unwrap();
        assert_eq!(tier, Tier::Wall);
        let Ok(Value::Single(slowed)) = processor.timed(index, Percent::from_ppm(10_000_000)) else {
            panic!("one number")
        };
        // Eleven times as long as the run within it, which is more than nothing.
        assert!(slowed > 11, "{slowed}");
    }
}
