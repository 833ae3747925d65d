//! `[guard]`: the guard of the engine that a scenario is about.

use call_engine::Guards;

use super::{error::ProblemKind, reader::Value};
use crate::{checks, plan::GuardPlan};

/// `off = "hold_early_candidates"`, `fails = ["no-candidate-lost", "outcome"]`.
pub(super) fn read(value: Option<Value<'_>>, guards: Guards) -> Option<GuardPlan> {
    let table = value?.table("[guard]")?;
    let off = table.need("off", "The guard.", |value| {
        let name = value.known_text("guard", Guards::NAMES)?;
        let mut without = guards;
        without.set(&name, false);
        if without == guards {
            let reason = format!("`{name}` is off in `[engine]` already: the scenario never has it");
            value.problem::<()>(ProblemKind::Impossible { reason });
        }
        Some(name)
    });
    let fails = table.require("fails", "The checks of which one must fail without it.").map(|value| {
        let fails = value.one_or_list(1..);
        if fails.is_empty() {
            value.problem::<()>(ProblemKind::Empty { what: "this list of checks" });
        }
        fails.into_iter().filter_map(|value| value.known_text("check", checks::NAMES)).collect()
    });
    table.finish();
    Some(GuardPlan { off: off?, fails: fails? })
}
