//! What is compared: the figures of each scenario over its seeds, from two runs of each.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use gate::{
    compare::{MeasuredRuns, NotMeasured},
    exact::VirtualRun,
    metric::{Better, Metric, MetricId, Tier, Unit},
    value::Value,
};
use scenario::{
    plan::{Outcome, Plan},
    report::{Report, ScenarioReport},
    run::{Player, RunError},
    suite::{self, Keep, Options, Seeds},
};

use crate::{interrupt, jobs, output::BadInput, progress::Bar, project::Project};

/// The figures of one run of everything, each with the digest of all its packets.
type Figures = BTreeMap<MetricId, (Metric, VirtualRun)>;

/// Packets and bytes that the hosts of a scenario sent, over all seeds.
type Sent = Mutex<BTreeMap<String, (u64, u64)>>;

/// Plays everything twice: if the two differ, a figure depends on something besides scenario and seed. `None` if Ctrl-C came
/// first.
pub(super) fn measure(plans: &[Plan], project: &Project) -> anyhow::Result<Option<MeasuredRuns>> {
    let (Some(first), Some(mut second)) = (once(plans, project)?, once(plans, project)?) else {
        return Ok(None);
    };
    let both = first.into_iter().map(|(id, (metric, first))| {
        let second = second.remove(&id).map(|(_, second)| second);
        let runs = second.ok_or_else(|| NotMeasured("it was measured in one of two runs only".to_owned()));
        (id, (metric, runs.map(|second| [first, second])))
    });
    Ok(Some(both.collect()))
}

fn once(plans: &[Plan], project: &Project) -> anyhow::Result<Option<Figures>> {
    let seeds = project.seeds.map_or(Seeds::OfScenario, |count| Seeds::Count(count.get()));
    let options = Options { seeds, jobs: jobs(project.jobs), keep: Keep::Nothing };
    let sent = Sent::default();
    let play = |plan: &Plan, seed| {
        let record = Player::new(plan).seed(seed).play()?;
        let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        let (packets, bytes) = sent.entry(plan.name().to_owned()).or_default();
        *packets += record.timeline.packets.len() as u64;
        *bytes += record.timeline.packets.iter().map(|packet| u64::from(packet.len)).sum::<u64>();
        Ok::<_, RunError>(record)
    };
    let bar = Bar::new();
    let result = suite::run(plans, &options, &interrupt::CANCEL, play, |progress| bar.show(progress));
    bar.clear();
    if result.is_partial() {
        return Ok(None);
    }
    let report = Report::new(plans, &result, std::time::Duration::ZERO, &|plan, _| plan.name().to_owned());
    let broken = result.scenarios.iter().flatten().find_map(|run| run.result.as_ref().err());
    if let Some(broken) = broken {
        anyhow::bail!("a run could not be played: {broken}");
    }
    let sent = sent.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut figures = Figures::new();
    for scenario in &report.scenarios {
        let sent = sent.get(&scenario.name).copied().unwrap_or_default();
        for (metric, value) in figures_of(scenario, sent)? {
            let digest = Some(scenario.digest.to_string());
            figures.insert(metric.id.clone(), (metric, VirtualRun { value: Value::Single(value), digest }));
        }
    }
    Ok(Some(figures))
}

fn figures_of(
    scenario: &ScenarioReport,
    (packets, bytes): (u64, u64),
) -> Result<Vec<(Metric, u64)>, BadInput> {
    let connected = scenario.outcomes.get(&Outcome::Connected).copied().unwrap_or_default() as u64;
    let setup = scenario.setup_ms;
    let figures = [
        ("connected", Unit::Count, Better::Higher, Some(connected)),
        ("setup-p50", Unit::Milliseconds, Better::Lower, setup.map(|setup| setup.p50)),
        ("setup-p95", Unit::Milliseconds, Better::Lower, setup.map(|setup| setup.p95)),
        ("packets", Unit::Packets, Better::Lower, Some(packets)),
        ("bytes", Unit::Bytes, Better::Lower, Some(bytes)),
    ];
    let mut measured = Vec::new();
    for (what, unit, better, value) in figures {
        let name = &scenario.name;
        let id =
            MetricId::new(format!("{name}#{what}")).map_err(|error| BadInput(format!("{name}: {error}")))?;
        let metric = Metric { id, tier: Tier::Virtual, unit, better, budget: None };
        measured.extend(value.map(|value| (metric, value)));
    }
    Ok(measured)
}
