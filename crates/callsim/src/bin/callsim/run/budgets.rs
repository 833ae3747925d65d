//! The budgets of `callsim.toml`: what set-ups and recoveries may take, in virtual time.

use std::time::Duration;

use scenario::{
    cause::Code,
    plan::Plan,
    report::{FailureReport, Report, ScenarioReport},
    select::fits_glob,
    suite::Seeds,
};

use crate::project::{Budget, Quantity};

/// The name under which the report lists what exceeds its budget, beside the names of checks.
pub(super) const CHECK: &str = "budget";

/// Adds to `report` what exceeds its budget. `repeat` is the command that plays a plan's runs again.
pub(super) fn judge(
    report: &mut Report,
    plans: &[Plan],
    budgets: &[Budget],
    repeat: &dyn Fn(&Plan, Seeds) -> String,
) {
    for scenario in &mut report.scenarios {
        let Some(plan) = plans.iter().find(|plan| plan.name() == scenario.name) else { continue };
        for budget in budgets.iter().filter(|budget| fits_glob(&budget.scenarios, &scenario.name)) {
            if let Some(message) = exceeded(scenario, budget) {
                let at_ms = u64::try_from(budget.at_most.as_millis()).unwrap_or(u64::MAX);
                let repro = repeat(plan, Seeds::Count(u32::try_from(scenario.runs).unwrap_or(u32::MAX)));
                let failure = FailureReport {
                    seed: None,
                    code: Code::Budget,
                    check: CHECK,
                    at_ms,
                    message,
                    repro,
                    transcript: Vec::new(),
                    cause: None,
                };
                scenario.failures.push(failure);
                report.passed = false;
            }
        }
    }
}

/// Nothing where nothing was measured: that no call connects is not a matter of time.
fn exceeded(scenario: &ScenarioReport, budget: &Budget) -> Option<String> {
    let (what, found) = match budget.quantity {
        Quantity::SetupP50 => ("set-up p50", scenario.setup_ms?.p50),
        Quantity::SetupP95 => ("set-up p95", scenario.setup_ms?.p95),
        Quantity::SetupMax => ("the slowest set-up", scenario.setup_ms?.max),
        Quantity::RecoveryP95 => ("recovery p95", scenario.recovery_ms?.p95),
    };
    let Budget { scenarios, at_most, .. } = budget;
    let is_over = Duration::from_millis(found) > *at_most;
    is_over
        .then(|| format!("{what} is {found} ms; the budget of `{scenarios}` is {} ms", at_most.as_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing;

    #[track_caller]
    fn check(scenarios: &str, quantity: Quantity, at_most_ms: u64, expect: &[&str]) {
        let at_most = Duration::from_millis(at_most_ms);
        let budget = Budget { scenarios: scenarios.to_owned(), quantity, at_most };
        let mut report = testing::report();
        report.scenarios.iter_mut().for_each(|scenario| scenario.failures.clear());
        report.passed = true;
        judge(&mut report, &testing::plans(), &[budget], &|plan, _| plan.name().to_owned());
        let found = report.scenarios.iter().flat_map(|scenario| &scenario.failures);
        let found: Vec<&str> = found.map(|failure| failure.message.as_str()).collect();
        assert_eq!((found.as_slice(), report.passed), (expect, expect.is_empty()));
    }

    #[test]
    fn what_takes_longer_than_its_budget_fails() {
        check("happy/*", Quantity::SetupP95, 610, &[]);
        check(
            "happy/*",
            Quantity::SetupP95,
            609,
            &["set-up p95 is 610 ms; the budget of `happy/*` is 609 ms"],
        );
        check("*", Quantity::SetupP50, 559, &["set-up p50 is 560 ms; the budget of `*` is 559 ms"]);
        check("*", Quantity::SetupMax, 639, &["the slowest set-up is 640 ms; the budget of `*` is 639 ms"]);
        check("nat/*", Quantity::SetupP95, 1, &[]);
        check("*", Quantity::RecoveryP95, 1, &[]);
    }
}
