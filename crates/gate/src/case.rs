//! A metric with what is known about it, and the one function that judges them all.

use serde::{Deserialize, Serialize};

use crate::{
    exact::{self, VirtualEvidence},
    finding::Finding,
    instructions::{self, InstructionEvidence, InstructionSettings},
    metric::{Metric, Tier},
    verdict::{Mode, Verdict},
    wall::{self, Role, Subject, WallEvidence, WallSettings},
};

/// A metric with what is known about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The metric.
    pub metric: Metric,
    /// What is known about it.
    pub evidence: Evidence,
}

/// What is known about a metric, by tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// An expectation and two runs.
    Virtual(VirtualEvidence),
    /// An expectation and several counts.
    Instructions(InstructionEvidence),
    /// Epochs of two programs.
    Wall(WallEvidence),
}

impl Evidence {
    /// The tier that it belongs to.
    pub fn tier(&self) -> Tier {
        match self {
            Self::Virtual(_) => Tier::Virtual,
            Self::Instructions(_) => Tier::Instructions,
            Self::Wall(_) => Tier::Wall,
        }
    }
}

impl Case {
    /// Whether it is there to show that the machine can judge, and not to be judged.
    pub fn is_control(&self) -> bool {
        matches!(&self.evidence, Evidence::Wall(evidence) if evidence.role != Role::Metric)
    }
}

impl From<Subject> for Case {
    fn from(subject: Subject) -> Self {
        Self { metric: subject.metric, evidence: Evidence::Wall(subject.evidence) }
    }
}

/// By what everything is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How strict to be about what cannot be judged.
    pub mode: Mode,
    /// The limits of the instruction tier.
    pub instructions: InstructionSettings,
    /// How the wall tier measures and judges.
    pub wall: WallSettings,
}

impl Settings {
    /// The documented limits, for `mode`; the wall tier draws from `seed`.
    pub fn new(mode: Mode, seed: u64) -> Self {
        Self { mode, instructions: InstructionSettings::DEFAULT, wall: WallSettings::new(seed) }
    }
}

/// What is said about each case: a pure function, so that anybody can repeat it from a report.
pub fn judge(cases: &[Case], settings: &Settings) -> Vec<Finding> {
    let subjects: Vec<Subject> = cases.iter().filter_map(wall_subject).collect();
    let mut wall = wall::judge(&subjects, &settings.wall).into_iter();
    let findings = cases.iter().map(|case| match &case.evidence {
        _ if case.evidence.tier() != case.metric.tier => {
            Finding::new(Verdict::ToolFailed, "its evidence is of another tier than the metric")
        }
        Evidence::Virtual(evidence) => exact::judge(&case.metric, evidence),
        Evidence::Instructions(evidence) => {
            instructions::judge(&case.metric, evidence, &settings.instructions)
        }
        Evidence::Wall(_) => {
            wall.next().unwrap_or_else(|| Finding::new(Verdict::ToolFailed, "it was not judged"))
        }
    });
    findings.collect()
}

fn wall_subject(case: &Case) -> Option<Subject> {
    match &case.evidence {
        Evidence::Wall(evidence) if case.metric.tier == Tier::Wall => {
            Some(Subject { metric: case.metric.clone(), evidence: evidence.clone() })
        }
        _ => None,
    }
}
