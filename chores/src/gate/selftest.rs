//! `cargo xtask gate selftest`

mod page;
mod plan;
mod trial;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use gate::{
    Mode, Settings,
    instructions::Valgrind,
    metric::{Metric, Percent, Tier},
    selftest::{Claim, Plan, Proof, Rates, run as run_trials},
};
use serde::Serialize;

use self::{plan::Injection, trial::Trials};
use super::{
    WorkerArguments,
    build::{self, Profile},
    compare::TierName,
    machine,
    neighbour::Neighbour,
    outputs,
    tier::{self, Wanted},
    wait::Wait,
    worker::WorkerError,
};
use crate::{exit::Code, now, output};

/// The options of the command.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// One identical pair and one slowed down by 5 % in each tier; exit 0 only if both come out as they must
    #[arg(long, conflicts_with_all = ["aa", "inject", "noisy"])]
    quick: bool,
    /// How many identical pairs [default: by tier, up to 299]
    #[arg(long, value_name = "N")]
    aa: Option<u64>,
    /// A slowdown and how often to try it, as 5%:59; negative is faster [default: 5 %, 1 % and -5 %]
    #[arg(long, value_name = "PCT:N", allow_hyphen_values = true)]
    inject: Vec<Injection>,
    /// Which tiers
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = TierName::ALL)]
    tier: Vec<TierName>,
    /// Everything once more, with a neighbour that keeps all cores busy, on and off
    #[arg(long)]
    noisy: bool,
    /// In each tier, the first metric that fits this glob [default: the first that the worker lists]
    #[arg(long, value_name = "GLOB")]
    filter: Vec<String>,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write it to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    worker: WorkerArguments,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask gate selftest --quick                    under a minute, once the worker is built
  cargo xtask gate selftest --noisy --format markdown --out docs/gate-selftest.md
  cargo xtask gate selftest --tier wall --aa 60 --inject 5%:20 --inject 3%:20

Exit codes: 0 as it must be, 1 the gate failed, 2 usage, 3 a claim is refuted, 5 nothing could be tried";

/// The form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines
    Human,
    /// The page docs/gate-selftest.md
    Markdown,
    /// One object
    Json,
}

/// What trials of one tier came to, on a machine with or without a neighbour.
#[derive(Debug, Serialize)]
struct Tried {
    tier: Tier,
    metric: String,
    noisy: bool,
    rates: Vec<Rates>,
    /// What was measured of each slowdown: the median change over its trials, as a fraction.
    changes: Vec<Option<f64>>,
    took_s: f64,
}

/// With which confidence bounds hold, each of its own.
const CONFIDENCE: f64 = 0.95;

/// What is claimed: identical pairs alarm at most so often, 5 % are caught at least so often.
const CLAIMS: [(Percent, Claim); 2] =
    [(Percent::ZERO, Claim::AtMost(0.01)), (Percent::from_ppm(50_000), Claim::AtLeast(0.95))];

/// Tries, counts, reports.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let worker = match &arguments.worker.worker {
        Some(worker) => worker.clone(),
        None => build::here(&build::gate_dir()?, Profile::Release)?,
    };
    let started = now();
    let mut all = Vec::new();
    for noisy in if arguments.noisy { vec![false, true] } else { vec![false] } {
        for tier in &arguments.tier {
            all.extend(try_tier(arguments, &worker, tier.tier(), noisy)?);
        }
    }
    if all.is_empty() {
        output::complain(
            "nothing could be tried: the worker has no metric of these tiers, or valgrind is missing",
        );
        return Ok(Code::NothingRan);
    }
    let took = now().duration_since(started);
    let text = match arguments.format {
        Format::Human => page::human(&all, took),
        Format::Markdown => page::markdown(&all, took, &machine::description()),
        Format::Json => page::json(&all, took)?,
    };
    match &arguments.out {
        Some(file) => output::write_file(file, &text)?,
        None => output::print(&text)?,
    }
    Ok(code(&all, arguments.quick))
}

/// `None` where the tier cannot be tried here, which is said.
fn try_tier(arguments: &Arguments, worker: &Path, tier: Tier, noisy: bool) -> anyhow::Result<Option<Tried>> {
    if tier == Tier::Instructions && !matches!(machine::valgrind(), Valgrind::Found { .. }) {
        output::complain("instructions: not tried: valgrind is not installed (apt-get install valgrind)");
        return Ok(None);
    }
    let wanted = Wanted(arguments.filter.clone());
    let (metrics, _) = tier::list(worker)?;
    let fits = |metric: &Metric| metric.tier == tier && wanted.fits(&metric.id);
    let Some(metric) = metrics.into_iter().find(fits) else {
        output::complain(&format!("{tier}: not tried: the worker has no such metric"));
        return Ok(None);
    };
    // Limits are those of the tier: a budget is about the metric.
    let metric = Metric { budget: None, ..metric };
    let plan = plan::of(arguments.quick, arguments.aa, &arguments.inject, tier, noisy);
    let neighbour = if noisy { Some(Neighbour::start()?) } else { None };
    let tried = try_metric(worker, &metric, &plan, noisy)?;
    drop(neighbour);
    Ok(Some(tried))
}

fn try_metric(worker: &Path, metric: &Metric, plan: &Plan, noisy: bool) -> Result<Tried, WorkerError> {
    let trials: u64 = plan.injections.iter().map(|(_, trials)| trials).sum();
    let neighbour = if noisy { " beside a busy neighbour" } else { "" };
    let wait =
        Wait::steps(&format!("{}{neighbour}", metric.tier), usize::try_from(trials).unwrap_or(usize::MAX));
    let settings = Settings::new(Mode::Change, outputs::fresh_seed());
    let mut trier = Trials::new(worker, metric);
    let started = now();
    let rates = run_trials(plan, metric, &settings, |trial, settings| {
        let evidence = trier.evidence(trial, settings)?;
        wait.step(format!("{} slower", trial.slowdown));
        Ok::<_, WorkerError>(evidence)
    })?;
    Ok(Tried {
        tier: metric.tier,
        metric: metric.id.to_string(),
        noisy,
        changes: trier.changes(plan),
        rates,
        took_s: now().duration_since(started).as_secs_f64(),
    })
}

/// The proof of each claim that trials were made for.
fn proofs(tried: &Tried) -> Vec<(Percent, Proof)> {
    let of = |(slowdown, claim): (Percent, Claim)| {
        let rates = tried.rates.iter().find(|rates| rates.slowdown == slowdown)?;
        (rates.trials > 0).then(|| (slowdown, claim.check(rates.regressions(), CONFIDENCE)))
    };
    CLAIMS.into_iter().filter_map(of).collect()
}

/// A smoke test wants everything right; many trials may err as often as is claimed.
fn code(all: &[Tried], quick: bool) -> Code {
    let right = |rates: &Rates| {
        let slowed = rates.slowdown > Percent::ZERO;
        let hits = if slowed { rates.regressions() } else { rates.passes() };
        hits.hits == hits.trials
    };
    let good = match quick {
        true => all.iter().flat_map(|tried| &tried.rates).all(right),
        false => all.iter().flat_map(proofs).all(|(_, proof)| proof != Proof::Refuted),
    };
    if good { Code::Good } else { Code::CheckFailed }
}

fn minutes(took: Duration) -> String {
    format!("{:.1} minutes", took.as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gate::Verdict;

    use super::*;

    fn tried(rates: &[(i32, Verdict, u64, u64)]) -> Tried {
        let rates = rates.iter().map(|&(percent, verdict, hits, trials)| {
            let verdicts = BTreeMap::from([(verdict, hits), (Verdict::Inconclusive, trials - hits)]);
            Rates { slowdown: Percent::from_ppm(percent * 10_000), trials, verdicts }
        });
        let rates: Vec<Rates> = rates.collect();
        let changes = vec![None; rates.len()];
        Tried { tier: Tier::Wall, metric: "m".to_owned(), noisy: false, changes, rates, took_s: 60.0 }
    }

    #[track_caller]
    fn check(rates: &[(i32, Verdict, u64, u64)], quick: Code, full: Code) {
        let all = [tried(rates)];
        assert_eq!((code(&all, true), code(&all, false)), (quick, full));
    }

    #[test]
    fn a_smoke_test_forgives_nothing_and_many_trials_what_is_claimed() {
        use Verdict::{Pass, Regression};
        check(&[(0, Pass, 1, 1), (5, Regression, 1, 1)], Code::Good, Code::Good);
        check(&[(0, Pass, 0, 1), (5, Regression, 1, 1)], Code::CheckFailed, Code::Good);
        check(&[(0, Pass, 1, 1), (5, Regression, 0, 1)], Code::CheckFailed, Code::Good);
        check(&[(0, Pass, 1, 1), (5, Regression, 0, 2)], Code::CheckFailed, Code::CheckFailed);
        check(&[(0, Regression, 2, 299), (5, Regression, 58, 59)], Code::CheckFailed, Code::Good);
        check(&[(0, Regression, 9, 299), (5, Regression, 59, 59)], Code::CheckFailed, Code::CheckFailed);
    }
}
