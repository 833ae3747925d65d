//! What is measured one after another.

use std::{ffi::OsString, path::Path, process::Command};

use anyhow::Context as _;
use serde_json::Value;

use super::{
    build::Programs,
    child::{self, Ended},
    groups::{Groups, NEGOTIATION, WORLDS},
};
use crate::jobs;

/// Tells criterion's benches to leave out what takes seconds a run (`benches::bench::QUICK`).
const QUICK: &str = "CALLSIM_BENCH_QUICK";

/// One measurement.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// For people.
    pub(super) name: String,
    /// Who measures.
    by: By,
    arguments: Vec<OsString>,
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Our own program; its answer goes to this place of the results.
    Own(Place),
    /// Criterion's benches of costs.
    Cost,
    /// Criterion's benches of set-ups.
    Negotiation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Latency,
    Costs,
    Worlds,
}

/// All of them, in order.
pub(super) struct Steps(pub(super) Vec<Step>);

/// The ids of all workloads; `None` if Ctrl-C came first.
pub(super) fn ids(programs: &Programs, directory: &Path) -> anyhow::Result<Option<Vec<String>>> {
    let mut command = Command::new(&programs.measure);
    command.arg("list");
    match child::run(command, directory)? {
        Ended::Interrupted => Ok(None),
        Ended::With(text) => Ok(Some(serde_json::from_str(&text).context("the ids of workloads")?)),
    }
}

impl Steps {
    pub(super) fn of(groups: &Groups, ids: &[String], quick: bool, with_criterion: bool) -> Self {
        let ids: Vec<&String> = ids.iter().filter(|id| groups.has_workload(id)).collect();
        let mut steps = Vec::new();
        if groups.has(NEGOTIATION) {
            let seeds = if quick { "20" } else { "200" };
            let jobs = jobs(None).to_string();
            let name = format!("set-ups in virtual time, {seeds} seeds");
            steps.push(Step::own(name, Place::Latency, &["latency", "--seeds", seeds, "--jobs", &jobs]));
        }
        // Rounds, so that what one costs beside another is not a matter of the minute in which it was measured.
        let (rounds, for_ms) = if quick { (1, "300") } else { (3, "2000") };
        for round in 1..=rounds {
            for id in &ids {
                let name = if rounds == 1 { (*id).clone() } else { format!("{id}, {round} of {rounds}") };
                steps.push(Step::own(name, Place::Costs, &["cost", id, "--for-ms", for_ms]));
            }
        }
        if groups.has(WORLDS) {
            let for_ms = if quick { "2000" } else { "10000" };
            let all = jobs(None).get();
            for jobs in [1, all].into_iter().take(if all > 1 { 2 } else { 1 }) {
                let jobs = jobs.to_string();
                let arguments = ["worlds", "--jobs", &jobs, "--for-ms", for_ms];
                steps.push(Step::own(format!("calls a second, {jobs} threads"), Place::Worlds, &arguments));
            }
        }
        if with_criterion && groups.has(NEGOTIATION) {
            let name = "criterion: set-ups in virtual time".to_owned();
            let quick: &[&str] = if quick { &["--sample-size", "20", "--nresamples", "1000"] } else { &[] };
            steps.push(Step::new(name, By::Negotiation, &[&["--bench"], quick].concat()));
        }
        if with_criterion && !ids.is_empty() {
            steps.push(Step::new(
                "criterion: costs".to_owned(),
                By::Cost,
                &criterion(&groups.filter(), quick),
            ));
        }
        steps.iter_mut().for_each(|step| step.quick = quick);
        Self(steps)
    }
}

fn criterion(filter: &str, quick: bool) -> Vec<&str> {
    let short =
        ["--warm-up-time", "0.1", "--measurement-time", "0.3", "--sample-size", "10", "--nresamples", "1000"];
    let short: &[&str] = if quick { &short } else { &[] };
    [&["--bench", filter], short].concat()
}

impl Step {
    fn new(name: String, by: By, arguments: &[&str]) -> Self {
        Self { name, by, arguments: arguments.iter().map(Into::into).collect(), quick: false }
    }

    fn own(name: String, place: Place, arguments: &[&str]) -> Self {
        Self::new(name, By::Own(place), arguments)
    }

    /// Measures; criterion's reports go below `directory`.
    pub(super) fn carry_out(&self, programs: &Programs, directory: &Path) -> anyhow::Result<Ended> {
        let program = match (self.by, &programs.criterion) {
            (By::Own(_), _) => &programs.measure,
            (By::Cost, Some(criterion)) => &criterion.cost,
            (By::Negotiation, Some(criterion)) => &criterion.negotiation,
            (_, None) => anyhow::bail!("criterion's benches were not built"),
        };
        let mut command = Command::new(program);
        command.args(&self.arguments).env("CRITERION_HOME", directory.join("criterion"));
        if self.quick {
            command.env(QUICK, "1");
        }
        child::run(command, directory).context(self.name.clone())
    }

    /// Puts the answer where it belongs. Criterion has written its own.
    pub(super) fn keep(&self, output: &str, results: &mut Value) -> anyhow::Result<()> {
        let By::Own(place) = self.by else { return Ok(()) };
        let answer: Value = serde_json::from_str(output).with_context(|| self.name.clone())?;
        match place {
            Place::Latency => results["latency"] = answer,
            Place::Costs => push_or_better(&mut results["costs"], answer),
            Place::Worlds => push(&mut results["worlds"], answer),
        }
        Ok(())
    }
}

fn push(list: &mut Value, answer: Value) {
    if let Value::Array(list) = list {
        list.push(answer);
    }
}

/// Of several rounds the one that was disturbed the least counts.
fn push_or_better(costs: &mut Value, cost: Value) {
    let cpu_ns = |cost: &Value| cost["cpu_ns"].as_f64().unwrap_or(f64::INFINITY);
    let before = costs.as_array_mut().and_then(|costs| costs.iter_mut().find(|one| one["id"] == cost["id"]));
    match before {
        None => push(costs, cost),
        Some(before) if cpu_ns(&cost) < cpu_ns(before) => *before = cost,
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str], with_criterion: bool) -> Vec<String> {
        let groups = Groups::of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        let ids = ["call/websocket", "call/rest", "wire/udp"].map(str::to_owned);
        Steps::of(&groups, &ids, true, with_criterion).0.into_iter().map(|step| step.name).collect()
    }

    #[test]
    fn only_what_was_asked_for() {
        assert_eq!(names(&["call"], false), ["call/websocket", "call/rest"]);
        assert_eq!(names(&["negotiation"], false), ["set-ups in virtual time, 20 seeds"]);
        assert_eq!(names(&["wire"], true), ["wire/udp", "criterion: costs"]);
    }

    #[test]
    fn the_least_disturbed_round_counts() {
        let mut results = serde_json::json!({ "costs": [] });
        for (id, cpu_ns) in [("a", 3.0), ("b", 9.0), ("a", 2.0), ("b", 10.0), ("a", 4.0)] {
            let answer = serde_json::json!({ "id": id, "cpu_ns": cpu_ns }).to_string();
            Step::own(id.to_owned(), Place::Costs, &[]).keep(&answer, &mut results).unwrap();
        }
        let expected = serde_json::json!([{ "id": "a", "cpu_ns": 2.0 }, { "id": "b", "cpu_ns": 9.0 }]);
        assert_eq!(results["costs"], expected);
    }

    #[test]
    fn answers_go_where_they_belong() {
        let mut results = serde_json::json!({ "latency": [], "costs": [], "worlds": [] });
        let step = |place| Step::own("a step".to_owned(), place, &[]);
        step(Place::Costs).keep("{\"id\":1}", &mut results).unwrap();
        step(Place::Costs).keep("{\"id\":2}", &mut results).unwrap();
        step(Place::Latency).keep("[3]", &mut results).unwrap();
        assert_eq!(
            results,
            serde_json::json!({ "latency": [3], "costs": [{"id": 1}, {"id": 2}], "worlds": [] })
        );
        assert!(step(Place::Worlds).keep("no JSON", &mut results).is_err());
    }
}
