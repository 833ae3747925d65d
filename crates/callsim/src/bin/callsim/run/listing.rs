//! `--list`

use scenario::plan::Plan;
use serde_json::json;
use timeline::{escaped, fit_lines};

use super::Format;

/// Every scenario with its sentence; in JSON an object like that of a report, without results.
pub(super) fn listing(plans: &[Plan], format: Format, width: usize) -> anyhow::Result<String> {
    if format == Format::Json {
        let scenario = |plan: &Plan| json!({ "name": plan.name(), "file": plan.file(), "summary": plan.summary(), "seeds": plan.seeds() });
        let scenarios: Vec<_> = plans.iter().map(scenario).collect();
        let object = json!({ "schema": 1, "command": "scenarios", "scenarios": scenarios });
        return Ok(serde_json::to_string_pretty(&object)? + "\n");
    }
    let name = plans.iter().map(|plan| plan.name().chars().count()).max().unwrap_or(0);
    let line = |plan: &Plan| format!("{:<name$}  {}\n", plan.name(), escaped(plan.summary()));
    Ok(fit_lines(&plans.iter().map(line).collect::<String>(), width))
}
