//! How long a call takes to stand, in virtual time: exact, and the same on every machine.
//!
//! Virtual time has a resolution of one millisecond.

pub mod attribution;
mod cases;
pub mod floor;
mod metrics;
mod play;
pub mod summary;

use std::{collections::BTreeMap, time::Duration};

use gate::metric::Percent;
use scenario::{
    checks,
    metrics::{FirstCall, Milestones},
    plan::{Access, Milestone, Outcome, Plan},
    record::RunRecord,
    run::{Player, RunError},
};

use attribution::{Attribution, Cause};
use floor::Floor;

pub use self::{
    cases::{BrokenPlan, cases, on_profile},
    metrics::{GATED_SEEDS, MetricError, metrics, rough_metric},
    play::play_all,
};

/// A call whose latency is measured.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name: the scenario's, or `profiles/CALLER-to-CALLEE`.
    pub id: String,
    /// What its network does.
    pub weather: Weather,
    /// What is played.
    pub plan: Plan,
}

/// What the network of a case does to packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// It delays them, for all seeds nearly alike: one seed stands for all.
    Calm,
    /// It loses them, or delays them at random: only many seeds say something.
    Rough,
}

/// What one seed of a case yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The seed.
    pub seed: u64,
    /// How the call came out.
    pub outcome: Outcome,
    /// From the dial to each milestone of the call that was reached.
    pub reached: BTreeMap<Milestone, Duration>,
    /// Packets that hosts handed to the network in the whole run.
    pub packets: u64,
    /// Their payload, in bytes.
    pub bytes: u64,
    /// The digest of all of them.
    pub digest: String,
    /// What each phase, since the one before it, was spent on; empty where a side was never connected. A set-up ends
    /// when both are: what comes later is in none.
    pub phases: BTreeMap<Milestone, BTreeMap<Cause, Duration>>,
    /// The shortest set-up that the protocols allow over the path that was taken; `None` where none was.
    pub floor: Option<Floor>,
    /// What the set-up was spent on: adds up to the time until both sides were connected. Empty where a side never was.
    pub parts: BTreeMap<Cause, Duration>,
    /// The checks that did not hold; empty in a run as it should be.
    pub failed_checks: Vec<&'static str>,
}

/// The milestones of a set-up, in the order in which a call reaches them.
pub const PHASES: [Milestone; 7] = [
    Milestone::Ringing,
    Milestone::Offer,
    Milestone::Answer,
    Milestone::FirstPair,
    Milestone::IceConnected,
    Milestone::DtlsConnected,
    Milestone::FirstMedia,
];

impl Case {
    /// Plays it with `seed`.
    ///
    /// # Errors
    ///
    /// [`RunError`] where it could not be played; a call that fails is none.
    pub fn play(&self, seed: u64) -> Result<Latency, RunError> {
        Player::new(&self.plan).seed(seed).play().map(|record| Latency::of(&self.plan, &record))
    }

    /// Whether it is a call on a named network.
    pub fn is_on_profile(&self) -> bool {
        self.id.starts_with("profiles/")
    }

    /// The same call where every link delays packets by so much more (or less).
    #[must_use]
    pub fn slowed(&self, slowdown: Percent) -> Self {
        let plan = self.plan.clone().map_access(|access| slow_down(access, slowdown));
        Self { plan, ..self.clone() }
    }
}

fn slow_down(access: &mut Access, slowdown: Percent) {
    for half in [&mut access.up, &mut access.down] {
        half.delay = half.delay.mul_f64((1.0 + slowdown.fraction()).max(0.0));
    }
}

impl Latency {
    /// Of one run.
    pub fn of(plan: &Plan, record: &RunRecord) -> Self {
        let milestones = Milestones::of(plan, record);
        let dialled = FirstCall::of(plan).map(|call| call.dialled).unwrap_or_default();
        let reached = Milestone::ALL.iter().filter_map(|milestone| {
            milestones.at(*milestone, None).map(|at| (*milestone, at.since(dialled)))
        });
        let attribution = Attribution::of(plan, record);
        Self {
            seed: record.seed,
            outcome: scenario::metrics::outcome(plan, record),
            reached: reached.collect(),
            packets: record.timeline.packets.len() as u64,
            bytes: record.timeline.packets.iter().map(|packet| u64::from(packet.len)).sum(),
            digest: record.digest.to_string(),
            phases: attribution.as_ref().map(|all| all.by_phase(&milestones)).unwrap_or_default(),
            floor: Floor::of(plan, record),
            parts: attribution.as_ref().map(Attribution::parts).unwrap_or_default(),
            failed_checks: checks::check(plan, record).iter().map(|failure| failure.check).collect(),
        }
    }

    /// Whether both sides were connected and media flowed.
    pub fn is_connected(&self) -> bool {
        self.outcome == Outcome::Connected
    }
}
