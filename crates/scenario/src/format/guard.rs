//! `[guard]`: the guard of the engine that a scenario is about.

use call_engine::Guards;

use super::{
    error::{ProblemKind, Problems},
    reader::Value,
};
use crate::{checks, plan::GuardPlan};

/// `off = "hold_early_candidates"`, `fails = ["no-candidate-lost", "outcome"]`.
pub(super) fn read(value: Option<Value<'_>>, guards: Guards, problems: &Problems) -> Option<GuardPlan> {
    let value = value?;
    let mut table = value.table("[guard]", problems)?;
    let off = table.require("off", problems).and_then(|value| {
        let name = value.known_text("guard", Guards::NAMES, problems)?;
        let mut without = guards;
        without.set(&name, false);
        if without == guards {
            let reason = format!("`{name}` is off in `[engine]` already: the scenario never has it");
            problems.add(ProblemKind::Impossible { reason }, value.span());
        }
        Some(name)
    });
    let fails = table.require("fails", problems).map(|value| {
        let fails = value.one_or_list();
        if fails.is_empty() {
            problems.add(ProblemKind::Empty { what: "this list of checks" }, value.span());
        }
        fails.into_iter().filter_map(|value| value.known_text("check", checks::NAMES, problems)).collect()
    });
    table.finish(problems);
    Some(GuardPlan { off: off?, fails: fails? })
}
