//! The gate itself: measures the tiers, judges, reports.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use gate::{
    Case, Mode, Report, Settings,
    baseline::{Fingerprint, Reference},
    compare::{instruction_cases, virtual_cases},
    metric::Tier,
};

use super::{
    WorkerArguments,
    baselines::{Baselines, Unusable},
    build::{self, Profile},
    git::{Base, Repository},
    machine, outputs,
    tier::{self, Wanted},
};
use crate::{
    exit::{self, Code},
    output, screen,
};

mod predecessor;
mod rebuilt;

use predecessor::Predecessor;

/// How often each metric of the instruction tier is counted: on the way, and for a release.
const COUNTS: [usize; 2] = [3, 10];

/// The options of the gate.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(super) struct Arguments {
    /// Which tiers
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = TierName::ALL)]
    tier: Vec<TierName>,
    /// What the wall tier compares with: a commit, a tag, or the last release
    #[arg(long, value_name = "REF", default_value = "last-release")]
    against: String,
    /// The branch that a change is merged into; the baseline where it was left is what counts [default: the pull
    /// request's, else origin's, else main]
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Only metrics whose ids fit this glob
    #[arg(long, value_name = "GLOB")]
    filter: Vec<String>,
    /// Be strict: new metrics fail, and so does a tool that is missing
    #[arg(long)]
    release: bool,
    /// The form of what is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write that to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write the report, from which `gate verdict` comes to the same, to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Also write JUnit XML to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// How long the wall tier may measure; what is undecided then is inconclusive
    #[arg(long, value_name = "TIME", default_value = "180s", value_parser = humantime::parse_duration)]
    budget: Duration,
    /// Where baselines stand
    #[arg(long, value_name = "DIR", default_value = "benches/baselines")]
    baselines: PathBuf,
    #[command(flatten)]
    worker: WorkerArguments,
    /// The worker of what is compared with, in the wall tier: for a `--worker` that cargo does not build
    #[arg(long, value_name = "PROGRAM", requires = "worker")]
    base_worker: Option<PathBuf>,
}

/// A tier, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum TierName {
    /// Virtual time: exact
    Virtual,
    /// Instructions under valgrind: nearly exact
    Instructions,
    /// Wall-clock time: statistical
    Wall,
}

impl TierName {
    pub(super) const ALL: [Self; 3] = [Self::Virtual, Self::Instructions, Self::Wall];

    pub(super) fn tier(self) -> Tier {
        match self {
            Self::Virtual => Tier::Virtual,
            Self::Instructions => Tier::Instructions,
            Self::Wall => Tier::Wall,
        }
    }
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, the worst first
    Human,
    /// One object
    Json,
}

/// Measures, judges, reports.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let gate_dir = build::gate_dir()?;
    let mut session = Session::new(arguments, gate_dir);
    let mut tiers = arguments.tier.clone();
    tiers.sort_unstable();
    tiers.dedup();
    for tier in tiers {
        let result = match tier {
            TierName::Virtual => session.virtual_time(),
            TierName::Instructions => session.instructions(),
            TierName::Wall => session.wall(),
        };
        if let Err(error) = result {
            return explain(error);
        }
    }
    let report = session.report();
    outputs::keep(&session.gate_dir, &report)?;
    if let Some(file) = &arguments.report {
        output::write_file(file, &(report.to_json() + "\n"))?;
    }
    if let Some(file) = &arguments.junit {
        output::write_file(file, &gate::report::junit(&report)?)?;
    }
    let text = match arguments.format {
        Format::Human => gate::report::table(&report, screen::width(arguments.out.as_deref())),
        Format::Json => report.to_json() + "\n",
    };
    match (arguments.format, &arguments.out) {
        (Format::Human, out) => output::show(out.as_deref(), &text)?,
        (Format::Json, Some(file)) => output::write_file(file, &text)?,
        (Format::Json, None) => output::print(&text)?,
    }
    outputs::tell_github(&report)?;
    Ok(exit::of_gate(report.outcome))
}

/// A baseline that cannot be used is an answer, not a failure of the gate.
fn explain(error: anyhow::Error) -> anyhow::Result<Code> {
    let code = match error.downcast_ref::<Unusable>() {
        Some(Unusable::Unreadable(_) | Unusable::Io { .. }) => Code::BadInput,
        Some(Unusable::NotAccepted { .. }) => Code::NothingRan,
        None => return Err(error),
    };
    let error = output::in_one_line(&error);
    output::complain(&format!("error: {error}"));
    outputs::tell_github_of_failure(&error);
    Ok(code)
}

/// What was measured so far.
struct Session<'a> {
    arguments: &'a Arguments,
    gate_dir: PathBuf,
    repository: Option<Repository>,
    base: Base,
    wanted: Wanted,
    baselines: Baselines,
    settings: Settings,
    cases: Vec<Case>,
    notes: Vec<String>,
    fingerprints: BTreeMap<Tier, Fingerprint>,
    /// The worker in the release profile, once it was needed.
    release_worker: Option<PathBuf>,
}

impl<'a> Session<'a> {
    fn new(arguments: &'a Arguments, gate_dir: PathBuf) -> Self {
        let repository = Repository::here();
        let base = match &repository {
            Some(repository) => repository.merge_base(arguments.base.as_deref()),
            None => Base::Unknown { why: "no git repository here".to_owned() },
        };
        let mode = if arguments.release { Mode::Release } else { Mode::Change };
        let commit = repository.as_ref().map_or("no repository".to_owned(), Repository::describe_head);
        Self {
            arguments,
            gate_dir,
            base,
            wanted: Wanted(arguments.filter.clone()),
            baselines: Baselines::new(arguments.baselines.clone()),
            settings: Settings::new(mode, outputs::fresh_seed()),
            cases: Vec::new(),
            notes: vec![format!("{commit} on {}", machine::description())],
            fingerprints: BTreeMap::new(),
            release_worker: None,
            repository,
        }
    }

    fn report(&mut self) -> Report {
        let (cases, notes) = (std::mem::take(&mut self.cases), std::mem::take(&mut self.notes));
        Report::new(cases, self.settings.clone(), notes)
            .with_fingerprints(std::mem::take(&mut self.fingerprints))
    }

    fn reference(&mut self, tier: Tier) -> Result<Option<Reference>, Unusable> {
        let found = self.baselines.reference(tier, self.repository.as_ref(), &self.base, &self.wanted)?;
        self.notes.push(found.note);
        Ok(found.reference)
    }

    fn virtual_time(&mut self) -> anyhow::Result<()> {
        let reference = self.reference(Tier::Virtual)?;
        // Virtual numbers do not depend on the profile, and this one is built already wherever tests run.
        let worker = match (&self.arguments.worker.worker, &self.release_worker) {
            (Some(worker), _) | (None, Some(worker)) => worker.clone(),
            (None, None) => build::here(&self.gate_dir, Profile::Dev)?,
        };
        let measured = tier::virtual_time::measure(&worker, &self.wanted)?;
        self.cases.extend(virtual_cases(reference.as_ref(), &measured.fingerprint, &measured.runs));
        self.fingerprints.insert(Tier::Virtual, measured.fingerprint);
        Ok(())
    }

    fn instructions(&mut self) -> anyhow::Result<()> {
        let reference = self.reference(Tier::Instructions)?;
        let worker = self.release_worker()?;
        let counts = COUNTS[usize::from(self.arguments.release)];
        let measured = tier::instructions::measure(&worker, &self.wanted, counts)?;
        let reference = self.rebuilt_if_stale(reference, &measured)?;
        self.cases.extend(instruction_cases(reference.as_ref(), &measured.fingerprint, &measured.counts));
        self.fingerprints.insert(Tier::Instructions, measured.fingerprint);
        Ok(())
    }

    fn wall(&mut self) -> anyhow::Result<()> {
        let Predecessor { worker: base, note } = self.predecessor()?;
        self.notes.push(note);
        let Some(base) = base else { return Ok(()) };
        let new = self.release_worker()?;
        if are_the_same(&base, &new)? {
            self.notes.push("wall: the two programs are the same, byte for byte".to_owned());
        }
        let programs = tier::wall::Programs { base: &base, new: &new };
        let measured =
            tier::wall::measure(programs, &self.wanted, &self.settings.wall, self.arguments.budget)?;
        self.notes.extend(measured.failures);
        self.cases.extend(measured.subjects.into_iter().map(Case::from));
        Ok(())
    }

    fn release_worker(&mut self) -> anyhow::Result<PathBuf> {
        if let Some(worker) = &self.arguments.worker.worker {
            return Ok(worker.clone());
        }
        if let Some(worker) = &self.release_worker {
            return Ok(worker.clone());
        }
        let worker = build::here(&self.gate_dir, Profile::Release)?;
        Ok(self.release_worker.insert(worker).clone())
    }

    /// The worker of `commit`, where its sources have one.
    fn worker_of(&self, repository: &Repository, commit: &str) -> anyhow::Result<Option<PathBuf>> {
        build::of_commit(repository, commit, &self.gate_dir)
    }

    fn is_own_worker(&self) -> bool {
        self.arguments.worker.worker.is_none()
    }

    fn given_base_worker(&self) -> Option<&Path> {
        self.arguments.base_worker.as_deref()
    }
}

/// Whether two programs are one: where nothing was to be compared, that is worth a word.
fn are_the_same(one: &Path, other: &Path) -> anyhow::Result<bool> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    Ok(read(one)? == read(other)?)
}
