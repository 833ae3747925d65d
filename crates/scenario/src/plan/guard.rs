use super::Plan;

/// Which guard of the engine a scenario is about, and what must fail where that one is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardPlan {
    /// The guard, one of [`call_engine::Guards::NAMES`].
    pub off: String,
    /// The checks of which one must fail then ([`crate::checks::NAMES`]); at least one.
    pub fails: Vec<String>,
}

impl Plan {
    /// The same scenario played by engines without the guard that it is about. `None` where it is about
    /// none.
    pub fn guard_off(&self) -> Option<Self> {
        let mut plan = self.clone();
        plan.guards.set(&self.guard.as_ref()?.off, false)?;
        Some(plan)
    }
}
