//! Small builders for the tests.

use gate::{
    Case, Evidence, Mode, Settings,
    baseline::Expected,
    exact::{VirtualEvidence, VirtualRun},
    instructions::{Counts, InstructionEvidence},
    metric::{Better, Budget, Metric, MetricId, Percent, Tier, Unit},
    value::{Distribution, Value},
    wall::{Epoch, Presence, Role, WallEvidence},
};

pub(crate) fn id(text: &str) -> MetricId {
    MetricId::new(text).unwrap()
}

pub(crate) fn percent(percent: f64) -> Percent {
    Percent::try_from(percent).unwrap()
}

pub(crate) fn metric(name: &str, tier: Tier) -> Metric {
    let unit = match tier {
        Tier::Virtual => Unit::Microseconds,
        Tier::Instructions => Unit::Instructions,
        _ => Unit::Nanoseconds,
    };
    Metric { id: id(name), tier, unit, better: Better::Lower, budget: None }
}

pub(crate) fn budgeted(metric: Metric, max_change: f64) -> Metric {
    Metric { budget: Some(Budget::of(percent(max_change))), ..metric }
}

pub(crate) fn settings() -> Settings {
    Settings::new(Mode::Change, 1)
}

/// What a virtual metric in µs is expected to be.
pub(crate) fn expected(value: Value) -> Expected {
    Expected { unit: Unit::Microseconds, better: Better::Lower, budget: None, value }
}

pub(crate) fn run(value: Value) -> VirtualRun {
    VirtualRun { value, digest: None }
}

/// 200 seeds from 1 on: 1000, 1001, …
pub(crate) fn ramp() -> Vec<Option<u64>> {
    (1000..1200).map(Some).collect()
}

pub(crate) fn by_seed(outcomes: Vec<Option<u64>>) -> Value {
    Value::BySeed(Distribution::new(1, outcomes).unwrap())
}

pub(crate) fn virtual_case(metric: Metric, base: Option<Value>, new: Value) -> Case {
    let runs = Some([run(new.clone()), run(new)]);
    Case { metric, evidence: Evidence::Virtual(VirtualEvidence { base, runs, stale: None, failed: None }) }
}

pub(crate) fn instruction_case(metric: Metric, base: Option<u64>, measured: Option<Counts>) -> Case {
    let evidence = InstructionEvidence { base, measured, stale: None };
    Case { metric, evidence: Evidence::Instructions(evidence) }
}

/// `count` epochs, each a single alternation of a microsecond, the candidate slower by so many per mille.
pub(crate) fn epochs(count: usize, permille: u64) -> Vec<Epoch> {
    (0..count).map(|_| Epoch::new(vec![1_000_000], vec![1_000_000 + 1000 * permille]).unwrap()).collect()
}

pub(crate) fn wall_case(name: &str, role: Role, first: Vec<Epoch>, confirmation: Vec<Epoch>) -> Case {
    let evidence = WallEvidence { role, presence: Presence::Both, epochs: first, confirmation };
    Case { metric: metric(name, Tier::Wall), evidence: Evidence::Wall(evidence) }
}
