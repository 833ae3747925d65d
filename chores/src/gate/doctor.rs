//! `cargo xtask gate doctor`

mod finding;

use clap::Args;
use gate::{
    metric::{Percent, Tier},
    wall::{Presence, Role, Subject, WallEvidence, WallSettings, assess, measure},
};

use self::finding::{Finding, Findings};
use super::{
    WorkerArguments,
    build::{self, Profile},
    machine::{self, Ticks},
    outputs,
    tier::{self, wall::Programs},
    wait::Wait,
};
use crate::{exit::Code, output};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    worker: WorkerArguments,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask gate doctor                        builds the worker (release), then takes ten seconds
  cargo xtask gate doctor --worker ./my-worker   with a worker of your own, at once

A line that begins with ! is a defect. Exit codes: 0 every tier can be judged here, 1 the gate failed,
4 one of them cannot, or less surely";

/// Looks at the machine, and says each thing as soon as it is known.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let before = Ticks::now();
    let mut findings = Findings::default();
    let mut show = |finding: Finding| {
        let shown = output::print(&finding.to_string());
        findings.push(finding);
        shown
    };
    show(Finding::machine(machine::description()))?;
    show(Finding::valgrind(machine::valgrind()))?;
    show(Finding::addresses(machine::fixed_addresses().is_some()))?;
    show(Finding::governor(machine::governor().as_deref()))?;
    show(Finding::cores(machine::cores()))?;
    show(spread(arguments)?)?;
    if let (Some(before), Some(now)) = (before, Ticks::now()) {
        let (busy, stolen) = now.since(before);
        show(Finding::stolen(busy, stolen))?;
    }
    output::print(&findings.to_string())?;
    Ok(if findings.are_good() { Code::Good } else { Code::Inconclusive })
}

/// How far identical programs differ in the wall tier: one look at a program against itself.
fn spread(arguments: &Arguments) -> anyhow::Result<Finding> {
    let worker = match &arguments.worker.worker {
        Some(worker) => worker.clone(),
        None => build::here(&build::gate_dir()?, Profile::Release)?,
    };
    let (metrics, _) = tier::list(&worker)?;
    let Some(metric) = metrics.into_iter().find(|metric| metric.tier == Tier::Wall) else {
        return Ok(Finding::nothing_to_time());
    };
    let id = metric.id.clone();
    let all = WallSettings::new(outputs::fresh_seed());
    let settings = WallSettings { looks: all.looks[..1].to_vec(), ..all };
    let wait = Wait::steps("a program against itself", settings.looks[0]);
    let subject = Subject { metric, evidence: WallEvidence::new(Role::ControlSame, Presence::Both) };
    let programs = Programs { base: &worker, new: &worker };
    let subjects = measure(vec![subject], &settings, |request| {
        wait.step(id.to_string());
        tier::wall::epoch(programs, &id, [Percent::ZERO; 2], &request.first).map(Some)
    })?;
    let judged = assess(&subjects, &settings);
    Ok(judged.first().map_or_else(Finding::nothing_to_time, |assessment| Finding::spread(&id, assessment)))
}
