//! What was measured, as it is kept between measuring and showing.

use serde::{Deserialize, Serialize};

use crate::latency::summary::Summary;

/// The version of [`Results`] in files.
pub const SCHEMA: u32 = 1;

/// Everything that one run of the benches yielded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Where and how it was measured, in words.
    pub machine: String,
    /// Set-ups in virtual time: the same on every machine.
    pub latency: Vec<Summary>,
    /// What workloads cost on this machine.
    pub costs: Vec<Cost>,
    /// How many complete calls a second this machine plays.
    pub worlds: Vec<Worlds>,
}

/// What one unit of a workload costs: in the least disturbed of several rounds, where there were more than one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The workload.
    pub id: String,
    /// What one unit is.
    pub unit: String,
    /// Units in one run.
    pub units: u64,
    /// How often it was run, after one run that does not count.
    pub runs: u64,
    /// Processor time of the whole process for one unit, in nanoseconds: the median of the runs.
    pub cpu_ns: f64,
    /// Wall-clock time for one unit, in nanoseconds: the median of the runs.
    pub wall_ns: f64,
    /// What one run adds to the process's memory at its peak, in bytes for one unit; `None` where the system does not
    /// say.
    pub memory_bytes: Option<f64>,
}

/// How many complete calls a second are played on some threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worlds {
    /// Threads.
    pub jobs: usize,
    /// Calls, each in a world of its own.
    pub calls: u64,
    /// Calls a second.
    pub per_second: f64,
}

impl Results {
    /// Those that stand for nothing yet.
    pub fn new(machine: String) -> Self {
        Self { schema: SCHEMA, machine, latency: Vec::new(), costs: Vec::new(), worlds: Vec::new() }
    }

    /// The cost of a workload, where it was measured.
    pub fn cost(&self, id: &str) -> Option<&Cost> {
        self.costs.iter().find(|cost| cost.id == id)
    }
}
