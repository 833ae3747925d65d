//! One trial: what a whole gate would have measured of one metric, with a slowdown on one side.

use std::{collections::BTreeMap, path::Path, thread};

use gate::{
    Evidence, Settings,
    compare::NotMeasured,
    exact::VirtualEvidence,
    instructions::{Counts, InstructionEvidence},
    metric::{Metric, Percent, Tier},
    selftest::{Plan, Trial},
    statistics::median,
    wall::{Epoch, Presence, Role, Subject, WallEvidence, measure},
};

use crate::gate::{
    tier::{
        instructions, virtual_time,
        wall::{Programs, epoch},
    },
    worker::{Launch, Worker, WorkerError},
};

/// How often the candidate is counted.
const COUNTS: usize = 3;

/// The trials of one metric.
pub(super) struct Trials<'a> {
    worker: &'a Path,
    metric: &'a Metric,
    /// Baselines of the instruction tier, by the slowdown of what is compared with.
    counted: BTreeMap<Percent, u64>,
    changes: BTreeMap<Percent, Vec<f64>>,
}

impl<'a> Trials<'a> {
    pub(super) fn new(worker: &'a Path, metric: &'a Metric) -> Self {
        Self { worker, metric, counted: BTreeMap::new(), changes: BTreeMap::new() }
    }

    /// Fresh evidence for one trial.
    pub(super) fn evidence(&mut self, trial: &Trial, settings: &Settings) -> Result<Evidence, WorkerError> {
        let sides = Sides::of(trial.slowdown);
        let (evidence, change) = match self.metric.tier {
            Tier::Virtual => self.virtual_time(sides)?,
            Tier::Instructions => self.instructions(sides)?,
            Tier::Wall => self.wall(sides, settings)?,
        };
        self.changes.entry(trial.slowdown).or_default().extend(change);
        Ok(evidence)
    }

    /// The median change that was measured of each slowdown of `plan`.
    pub(super) fn changes(&self, plan: &Plan) -> Vec<Option<f64>> {
        let of =
            |(slowdown, _): &(Percent, u64)| self.changes.get(slowdown).and_then(|changes| median(changes));
        plan.injections.iter().map(of).collect()
    }

    fn virtual_time(&self, sides: Sides) -> Result<(Evidence, Option<f64>), WorkerError> {
        let run = |launch: &Launch, slowdown| {
            let mut worker = Worker::start(self.worker, launch)?;
            let run = virtual_time::run(&mut worker, self.metric, slowdown)?;
            worker.finish()?;
            run.map_err(|NotMeasured(message)| WorkerError::Failed { message })
        };
        let base = run(&Launch::Plain, sides.base)?;
        let runs = [run(&Launch::Plain, sides.new)?, run(&Launch::Disturbed, sides.new)?];
        let figures = base.value.figure().zip(runs[0].value.figure());
        let change = figures.and_then(|(base, new)| share(base, new));
        let evidence =
            VirtualEvidence { base: Some(base.value), runs: Some(runs), stale: None, failed: None };
        Ok((Evidence::Virtual(evidence), change))
    }

    fn instructions(&mut self, sides: Sides) -> Result<(Evidence, Option<f64>), WorkerError> {
        let plain = self.counted_base(Percent::ZERO, None)?;
        let base = self.counted_base(sides.base, Some(plain))?;
        // Counts do not depend on what runs beside them.
        let count = || instructions::count(self.worker, &self.metric.id, sides.new, Some(plain));
        let counts = thread::scope(|scope| {
            let running: Vec<_> = (0..COUNTS).map(|_| scope.spawn(count)).collect();
            let joined = running.into_iter().map(|thread| match thread.join() {
                Ok(count) => count,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.collect::<Result<Vec<u64>, _>>()
        })?;
        let change = share(base, counts[0]);
        let measured = Some(Counts::Counted(counts));
        Ok((Evidence::Instructions(InstructionEvidence { base: Some(base), measured, stale: None }), change))
    }

    /// Counted once, as the number in a baseline is.
    fn counted_base(&mut self, slowdown: Percent, plain: Option<u64>) -> Result<u64, WorkerError> {
        if let Some(counted) = self.counted.get(&slowdown) {
            return Ok(*counted);
        }
        let counted = instructions::count(self.worker, &self.metric.id, slowdown, plain)?;
        self.counted.insert(slowdown, counted);
        Ok(counted)
    }

    fn wall(&self, sides: Sides, settings: &Settings) -> Result<(Evidence, Option<f64>), WorkerError> {
        let programs = Programs { base: self.worker, new: self.worker };
        let evidence = WallEvidence::new(Role::Metric, Presence::Both);
        let subject = Subject { metric: self.metric.clone(), evidence };
        let subjects = measure(vec![subject], &settings.wall, |request| {
            epoch(programs, &self.metric.id, [sides.base, sides.new], &request.first).map(Some)
        })?;
        let evidence = subjects.into_iter().next().map(|subject| subject.evidence);
        let evidence = evidence.unwrap_or_else(|| WallEvidence::new(Role::Metric, Presence::Failed));
        let effects: Vec<f64> =
            evidence.epochs.iter().map(|epoch: &Epoch| epoch.effect(self.metric.better)).collect();
        let change = median(&effects).map(f64::exp_m1);
        Ok((Evidence::Wall(evidence), change))
    }
}

fn share(base: u64, new: u64) -> Option<f64> {
    (base > 0).then(|| new as f64 / base as f64 - 1.0)
}

/// By how much either side is slowed down.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sides {
    base: Percent,
    new: Percent,
}

impl Sides {
    /// Nothing can be made faster than it is: for a speed-up, what is compared with is slowed down.
    fn of(slowdown: Percent) -> Self {
        if slowdown >= Percent::ZERO {
            return Self { base: Percent::ZERO, new: slowdown };
        }
        let ratio = 1.0 + slowdown.fraction();
        let base = Percent::try_from((1.0 / ratio - 1.0) * 100.0).unwrap_or(Percent::ZERO);
        Self { base, new: Percent::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_up_is_a_slowdown_of_the_other_side() {
        let percent = |percent: f64| Percent::try_from(percent).unwrap();
        assert_eq!(Sides::of(percent(5.0)), Sides { base: Percent::ZERO, new: percent(5.0) });
        assert_eq!(Sides::of(percent(-50.0)), Sides { base: percent(100.0), new: Percent::ZERO });
        assert_eq!(Sides::of(percent(-5.0)), Sides { base: percent(5.2632), new: Percent::ZERO });
    }

    #[test]
    fn values_have_shares_where_there_is_something_to_share() {
        assert_eq!(share(100, 105), Some(1.05 - 1.0));
        assert_eq!(share(0, 5), None);
    }
}
