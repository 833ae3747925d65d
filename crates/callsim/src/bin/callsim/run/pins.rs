//! The project's pins: what its scenarios yield exactly, over the seeds that they are played with by default.

use std::{fs, io, path::PathBuf};

use scenario::{
    cause::Code,
    pins::{self, Pin, Pins},
    plan::Plan,
    report::{FailureReport, Report, ScenarioReport},
    suite::Seeds,
};

use super::Asked;
use crate::output::{self, BadInput};

/// The name under which the report lists what differs from its pin, beside the names of checks.
pub(super) const CHECK: &str = "pin";

/// The pins of a project, and where they are kept.
pub(super) struct Kept {
    path: PathBuf,
    /// `None` where the project has no such file.
    pins: Option<Pins>,
}

impl Kept {
    /// The pins in the folder of the scenarios.
    pub(super) fn read(asked: &Asked<'_>) -> anyhow::Result<Self> {
        let path = asked.project.scenarios(asked.arguments.dir.as_deref()).join(pins::FILE);
        let name = path.display().to_string();
        let pins = match fs::read_to_string(&path) {
            Ok(text) => Some(Pins::from_json(&name, &text).map_err(|error| BadInput(error.to_string()))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(BadInput(format!("cannot read {name}: {error}")).into()),
        };
        Ok(Self { path, pins })
    }

    /// Adds to `report` what differs from its pin, or has none. `repeat` is the command that plays a plan's runs again.
    pub(super) fn judge(
        &self,
        report: &mut Report,
        asked: &Asked<'_>,
        repeat: &dyn Fn(&Plan, Seeds) -> String,
    ) {
        let Some(pins) = &self.pins else { return };
        for scenario in &mut report.scenarios {
            let Some(plan) = pinnable(scenario, asked) else { continue };
            let message = match pins.0.get(&scenario.name) {
                Some(pin) if pin.seeds == scenario.runs => pin.difference(&Pin::of(scenario)),
                // Other seeds were asked for, or the scenario has others by now.
                _ if asked.arguments.seeds.is_some() => None,
                Some(pin) => Some(format!("{} seeds were played, pinned {}", scenario.runs, pin.seeds)),
                None => Some(format!("it is not in {}", self.path.display())),
            };
            let Some(message) = message else { continue };
            let message = format!("{message} (`--accept-pins` takes what was found)");
            let repro = repeat(plan, Seeds::Count(u32::try_from(scenario.runs).unwrap_or(u32::MAX)));
            let transcript = Vec::new();
            scenario.failures.push(FailureReport {
                seed: None,
                code: Code::Pin,
                check: CHECK,
                at_ms: 0,
                message,
                repro,
                transcript,
                cause: None,
            });
            report.passed = false;
        }
    }

    /// Takes what `report` says for the pins of what was played, and forgets those of scenarios that are no longer there.
    pub(super) fn accept(self, report: &Report, asked: &Asked<'_>) -> anyhow::Result<()> {
        if !report.passed {
            output::complain("no pin was written: what fails is not what is expected");
            return Ok(());
        }
        let before = self.pins.unwrap_or_default();
        let mut after = before.clone();
        if asked.arguments.names.is_empty() {
            after.0.retain(|name, _| report.scenarios.iter().any(|scenario| scenario.name == *name));
        }
        let played = report.scenarios.iter().filter(|scenario| pinnable(scenario, asked).is_some());
        after.0.extend(played.map(|scenario| (scenario.name.clone(), Pin::of(scenario))));
        let new = after.0.iter().filter(|(name, pin)| before.0.get(*name) != Some(pin)).count();
        output::write_file(&self.path, &after.to_json()?)?;
        let all = after.0.len();
        output::complain(&format!("wrote {}: {all} pins, {new} of them new", self.path.display()));
        Ok(())
    }
}

/// The plan of what is in the project's folder: a file from elsewhere has no pin there.
fn pinnable<'a>(scenario: &ScenarioReport, asked: &Asked<'a>) -> Option<&'a Plan> {
    let plan = asked.chosen.plans.iter().find(|plan| plan.name() == scenario.name)?;
    (asked.chosen.argument(plan) == plan.name()).then_some(plan)
}
