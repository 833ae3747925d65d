//! The wall tier: two live processes in turns, a fresh pair for each epoch.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use gate::{
    compare::wall_subjects,
    metric::{Metric, MetricId, Percent},
    wall::{
        Epoch, Phase, Presence, Request, Role, Side, Subject, WallEvidence, WallSettings,
        measure as measure_all,
    },
};

use super::{Wanted, list};
use crate::{
    gate::{
        wait::Wait,
        worker::{Launch, Worker, WorkerError},
    },
    now,
};

/// By how much the control that must be caught is slowed down.
pub(in crate::gate) const CONTROL: Percent = Percent::from_ppm(50_000);

/// The two programs.
#[derive(Clone, Copy)]
pub(in crate::gate) struct Programs<'a> {
    pub(in crate::gate) base: &'a Path,
    pub(in crate::gate) new: &'a Path,
}

/// What the tier yielded.
pub(in crate::gate) struct Measured {
    pub(in crate::gate) subjects: Vec<Subject>,
    /// Why metrics could not be measured.
    pub(in crate::gate) failures: Vec<String>,
}

/// Measures all wanted metrics and two controls, for at most `budget`.
pub(in crate::gate) fn measure(
    programs: Programs<'_>,
    wanted: &Wanted,
    settings: &WallSettings,
    budget: Duration,
) -> Result<Measured, WorkerError> {
    let of = |program| list(program).map(|(metrics, _)| wanted.of(metrics, gate::metric::Tier::Wall));
    let (base, new) = (of(programs.base)?, of(programs.new)?);
    let subjects = wall_subjects(&base, &new);
    let controls = controls(&subjects);
    let wait = Wait::steps("wall time", 0);
    let mut session = Session { programs, controls, wait: &wait, ends: now() + budget };
    let mut failed: BTreeMap<MetricId, String> = BTreeMap::new();
    loop {
        let mut subjects = subjects.clone();
        for subject in &mut subjects {
            if failed.contains_key(&subject.metric.id) {
                subject.evidence.presence = Presence::Failed;
            }
        }
        subjects.extend(session.controls.values().map(|control| control.subject.clone()));
        let each = settings.looks.first().copied().unwrap_or_default();
        wait.set_steps(
            subjects.iter().filter(|subject| subject.evidence.presence == Presence::Both).count() * each,
        );
        match measure_all(subjects, settings, |request| session.epoch(request)) {
            Ok(subjects) => {
                let failures = failed.into_iter().map(|(id, why)| format!("`{id}` was not measured: {why}"));
                return Ok(Measured { subjects, failures: failures.collect() });
            }
            Err(failed_one) => {
                let (id, error) = *failed_one;
                if matches!(error, WorkerError::Interrupted) {
                    return Err(error);
                }
                // Without it once more: what was measured with it is gone.
                session.controls.retain(|_, control| control.of != id);
                failed.insert(id, error.to_string());
            }
        }
    }
}

/// A control, and the metric that it measures.
struct Control {
    of: MetricId,
    slowdown: Percent,
    subject: Subject,
}

/// An A/A pair and a slowed-down one, of the first metric that can be compared.
fn controls(subjects: &[Subject]) -> BTreeMap<MetricId, Control> {
    let Some(first) = subjects.iter().find(|subject| subject.evidence.presence == Presence::Both) else {
        return BTreeMap::new();
    };
    let control = |name: &str, role, slowdown| {
        let id = MetricId::new(name).ok()?;
        // A budget of the metric is about the metric.
        let metric = Metric { id: id.clone(), budget: None, ..first.metric.clone() };
        let subject = Subject { metric, evidence: WallEvidence::new(role, Presence::Both) };
        Some((id, Control { of: first.metric.id.clone(), slowdown, subject }))
    };
    let same = control("control/same#wall", Role::ControlSame, Percent::ZERO);
    let slowed = control("control/slowed#wall", Role::ControlSlowed(CONTROL), CONTROL);
    same.into_iter().chain(slowed).collect()
}

struct Session<'a> {
    programs: Programs<'a>,
    controls: BTreeMap<MetricId, Control>,
    wait: &'a Wait,
    ends: Instant,
}

impl Session<'_> {
    fn epoch(&mut self, request: &Request) -> Result<Option<Epoch>, Box<(MetricId, WorkerError)>> {
        if now() >= self.ends {
            return Ok(None);
        }
        let (metric, slowdowns, programs) = match self.controls.get(&request.metric) {
            Some(control) => {
                let programs = Programs { base: self.programs.base, new: self.programs.base };
                (control.of.clone(), [Percent::ZERO, control.slowdown], programs)
            }
            None => (request.metric.clone(), [Percent::ZERO; 2], self.programs),
        };
        let phase = if request.phase == Phase::Confirmation { ", once more" } else { "" };
        self.wait.step(format!("{}{phase}", request.metric));
        epoch(programs, &metric, slowdowns, &request.first)
            .map(Some)
            .map_err(|error| Box::new((metric, error)))
    }
}

/// One epoch: a fresh pair of processes, once each to warm up, then in turns.
pub(in crate::gate) fn epoch(
    programs: Programs<'_>,
    metric: &MetricId,
    slowdowns: [Percent; 2],
    first: &[Side],
) -> Result<Epoch, WorkerError> {
    let mut base = Worker::start(programs.base, &Launch::Plain)?;
    let mut new = Worker::start(programs.new, &Launch::Plain)?;
    let [slow_base, slow_new] = slowdowns;
    base.sample(metric, slow_base, None)?;
    new.sample(metric, slow_new, None)?;
    let (mut of_base, mut of_new) = (Vec::with_capacity(first.len()), Vec::with_capacity(first.len()));
    for side in first {
        let order = match side {
            Side::Base => [Side::Base, Side::New],
            Side::New => [Side::New, Side::Base],
        };
        for side in order {
            match side {
                Side::Base => of_base.push(base.sample(metric, slow_base, None)?),
                Side::New => of_new.push(new.sample(metric, slow_new, None)?),
            }
        }
    }
    Epoch::new(of_base, of_new)
        .map_err(|error| WorkerError::Failed { message: format!("`{metric}`: {error}") })
}
