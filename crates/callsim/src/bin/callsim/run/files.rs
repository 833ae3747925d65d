//! `--pcapng`, `--perfetto`, `--transcript`, `--out-dir`: files of single runs, for other tools and for CI.
//!
//! A run is played again for them, from its seed and with everything kept: that is cheaper than keeping everything of all
//! runs, and shows each time that keeping it changes nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use clap::Args;
use export::Scene;
use scenario::{
    plan::Plan,
    record::{RunRecord, WireRecord},
    report::Report,
    run::Player,
    suite::{Run, SuiteResult},
};

use super::{Arguments, Asked, human, table};
use crate::{
    output::{self, BadInput},
    screen,
};

/// Where files of runs go.
#[derive(Args)]
pub(super) struct Files {
    /// Write the run's packets to this file for Wireshark, decrypted; for several runs, a folder (`captures/`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "guards_off"])]
    pcapng: Option<PathBuf>,
    /// Write the run to this file as a trace for ui.perfetto.dev; for several runs, a folder
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "guards_off"])]
    perfetto: Option<PathBuf>,
    /// Write what everybody did to this file, as snapshots have it; for several runs, a folder
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "guards_off"])]
    transcript: Option<PathBuf>,
    /// Write the report to this folder, and of each failed run its report, transcript, capture, trace and the command
    /// that repeats it
    #[arg(long, value_name = "DIR", conflicts_with_all = ["list", "guards_off"])]
    out_dir: Option<PathBuf>,
}

/// A form in which a run is written down.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Pcapng,
    Perfetto,
    Transcript,
}

impl Form {
    const ALL: [Self; 3] = [Self::Pcapng, Self::Perfetto, Self::Transcript];

    const fn option(self) -> &'static str {
        match self {
            Self::Pcapng => "--pcapng",
            Self::Perfetto => "--perfetto",
            Self::Transcript => "--transcript",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Pcapng => "run.pcapng",
            Self::Perfetto => "perfetto.json",
            Self::Transcript => "transcript.txt",
        }
    }

    fn write(self, path: &Path, plan: &Plan, record: &RunRecord) -> anyhow::Result<()> {
        match self {
            Self::Pcapng => {
                let WireRecord { wire, keys } = record.wire.as_ref().context("the run was not recorded")?;
                let capture = export::pcapng(&scene(plan), &record.timeline, wire, keys);
                output::write_bytes(path, &capture)
            }
            Self::Perfetto => output::write_file(path, &export::perfetto(&record.timeline)?),
            Self::Transcript => output::write_file(path, &timeline::transcript(&record.timeline)),
        }
    }
}

/// A file for the only run, or a folder for several.
enum Target {
    File(PathBuf),
    Folder(PathBuf),
}

impl Files {
    /// All that are asked for.
    pub(super) fn all(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.pcapng, &self.perfetto, &self.transcript, &self.out_dir].into_iter().flatten()
    }

    fn of(&self, form: Form) -> Option<&Path> {
        match form {
            Form::Pcapng => self.pcapng.as_deref(),
            Form::Perfetto => self.perfetto.as_deref(),
            Form::Transcript => self.transcript.as_deref(),
        }
    }

    fn targets(&self) -> impl Iterator<Item = (Form, Target)> {
        Form::ALL.into_iter().filter_map(|form| Some((form, target(self.of(form)?))))
    }

    /// Whether all could be written, before anything is played. `runs` is how many there will be.
    pub(super) fn check(&self, arguments: &Arguments, scenarios: usize) -> Result<(), BadInput> {
        let is_single = scenarios == 1 && arguments.seed.is_some();
        for (form, target) in self.targets() {
            match target {
                Target::File(path) if is_single => output::check_target(Some(&path))?,
                Target::File(path) => {
                    let option = form.option();
                    return Err(BadInput(format!(
                        "{option} {} is a file, for one scenario and one seed (`--seed S`), and {scenarios} \
                         scenarios were chosen; for more, name a folder: `{option} {}/`",
                        path.display(),
                        path.display(),
                    )));
                }
                Target::Folder(path) => check_folder(&path)?,
            }
        }
        self.out_dir.as_deref().map_or(Ok(()), check_folder)
    }

    /// Writes what was asked for.
    pub(super) fn write(
        &self,
        asked: &Asked<'_>,
        result: &SuiteResult,
        report: &Report,
    ) -> anyhow::Result<()> {
        let targets: Vec<(Form, Target)> = self.targets().collect();
        if let Some(folder) = &self.out_dir {
            make(folder)?;
            output::write_file(&folder.join("report.json"), &report.to_json()?)?;
            let view = human::View { width: screen::width(Some(folder)), rows: table::Rows::All };
            output::write_file(&folder.join("report.txt"), &human::report(report, None, view))?;
        }
        for (plan, runs) in asked.chosen.plans.iter().zip(&result.scenarios) {
            for run in runs {
                let is_failed = self.out_dir.is_some() && !run.passed();
                if targets.is_empty() && !is_failed {
                    continue;
                }
                // What could not be played the first time cannot be the second time: its report is all there is.
                let record = record(plan, run)?;
                for (form, target) in &targets {
                    let Some(record) = &record else { continue };
                    let path = match target {
                        Target::File(path) => path.clone(),
                        Target::Folder(folder) => {
                            make(folder)?;
                            folder.join(format!("{}-{}", folder_name(plan, run), form.file()))
                        }
                    };
                    form.write(&path, plan, record)?;
                }
                if let (Some(folder), true) = (&self.out_dir, is_failed) {
                    failed_run(
                        &folder.join(folder_name(plan, run)),
                        asked,
                        (plan, run),
                        record.as_ref(),
                        report,
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Everything about a failed run, in a folder of its own.
fn failed_run(
    folder: &Path,
    asked: &Asked<'_>,
    (plan, run): (&Plan, &Run),
    record: Option<&RunRecord>,
    report: &Report,
) -> anyhow::Result<()> {
    make(folder)?;
    let mut own = report.clone();
    own.scenarios.retain(|scenario| scenario.name == plan.name());
    for scenario in &mut own.scenarios {
        scenario.failures.retain(|failure| failure.seed == Some(run.seed));
    }
    let view = human::View { width: screen::width(Some(folder)), rows: table::Rows::All };
    output::write_file(&folder.join("report.txt"), &human::failures(&own, view))?;
    let repeat = super::repeat(asked, plan, scenario::suite::Seeds::One(run.seed));
    output::write_file(&folder.join("repeat.sh"), &format!("{repeat}\n"))?;
    let Some(record) = record else { return Ok(()) };
    output::write_file(&folder.join("run.html"), &super::pages::of_run(plan, run.seed, &repeat)?.render())?;
    Form::ALL.into_iter().try_for_each(|form| form.write(&folder.join(form.file()), plan, record))
}

/// The run once more, with everything kept; `None` where it could not be played at all.
fn record(plan: &Plan, run: &Run) -> anyhow::Result<Option<RunRecord>> {
    let Ok(played) = &run.result else { return Ok(None) };
    let record = Player::new(plan).wire().seed(run.seed).play()?;
    ensure!(
        record.digest == played.digest,
        "{} (seed {}) was not the same when it was recorded: a program in it does not repeat itself",
        plan.name(),
        run.seed
    );
    Ok(Some(record))
}

fn scene(plan: &Plan) -> Scene {
    let gateways = plan.gateways().iter().map(|gateway| {
        let outside = gateway.nat.as_ref().map(|nat| nat.public.clone()).unwrap_or_default();
        (gateway.name.clone(), outside)
    });
    let hosts = plan.hosts().map(|host| (host.name, host.addresses.to_vec()));
    Scene { hosts: hosts.collect(), gateways: gateways.collect() }
}

/// `loss-uniform-5pct-seed-7`.
fn folder_name(plan: &Plan, run: &Run) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let name: String =
        plan.name().chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    format!("{}-seed-{}", name.trim_start_matches('.'), run.seed)
}

/// A folder is one that is there, or a name that ends like one.
fn target(path: &Path) -> Target {
    let is_folder = path.is_dir() || path.to_string_lossy().ends_with('/');
    if is_folder { Target::Folder(path.to_owned()) } else { Target::File(path.to_owned()) }
}

fn check_folder(path: &Path) -> Result<(), BadInput> {
    if path.exists() && !path.is_dir() {
        return Err(BadInput(format!("cannot write into {}: it is a file, no folder", path.display())));
    }
    Ok(())
}

fn make(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}
