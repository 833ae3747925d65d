//! The scenarios of this repository: each passes its checks, has the transcript that was reviewed, and
//! gives the same bytes wherever it is played.

mod causes;
mod checks;
mod determinism;
mod endings;
mod ends;
mod guards_off;
mod heard_again;
mod nat_grid;
mod programs;
mod replay;
mod replay_round_trip;
mod stagger;
mod transcripts;
mod witnesses;

use std::path::PathBuf;

use scenario::{format::load_dir, plan::Plan};

/// Where the scenario files are.
fn scenarios_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// All of them, in the order of their names.
fn scenarios() -> Vec<Plan> {
    load_dir(&scenarios_dir()).expect("the repository's scenarios can be read")
}

/// The one of this name.
#[track_caller]
fn scenario(name: &str) -> Plan {
    scenarios().into_iter().find(|plan| plan.name() == name).expect("a scenario of this name")
}
