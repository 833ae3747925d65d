#![doc = include_str!("../README.md")]

mod assertion;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod terminal;

pub use scenario::{
    cause,
    checks::{self, Failure, check},
    format, metrics,
    plan::{self, Outcome, Plan},
    profile,
    record::{self, RunRecord},
    report,
    run::{self, Player, Programs, RunError},
    schema, suite, timeline,
};

pub use netsim::{self, World, WorldConfig};
pub use stage::{self, BoxFuture, Command, Observed, Place, Program, Reporter, Task, Unsupported, net};

pub use self::assertion::{SEED_VARIABLE, assert_passes};
