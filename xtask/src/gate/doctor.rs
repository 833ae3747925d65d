//! `cargo xtask gate doctor`

use std::fmt::Write as _;

use clap::Args;
use gate::{
    instructions::Valgrind,
    metric::{Percent, Tier},
    wall::{Presence, Role, State, Subject, WallEvidence, WallSettings, assess, measure},
};

use super::{
    WorkerArguments,
    build::{self, Profile},
    machine::{self, Ticks},
    outputs,
    tier::{self, wall::Programs},
    wait::Wait,
};
use crate::{exit::Code, output};

/// The options of the command.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 fit for all tiers, 1 the gate failed, 4 not fit for one of them")]
pub(super) struct Arguments {
    #[command(flatten)]
    worker: WorkerArguments,
}

/// A finding, and whether the machine is fit as far as it goes.
struct Line {
    what: &'static str,
    found: String,
    fit: bool,
}

/// Looks at the machine.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let before = Ticks::now();
    let mut lines = vec![
        line("machine", machine::description(), true),
        match machine::valgrind() {
            Valgrind::Found { version } => line("valgrind", version, true),
            Valgrind::Missing => {
                line("valgrind", "not installed: no instruction tier (apt-get install valgrind)", false)
            }
            Valgrind::Unusable { answer } => line("valgrind", format!("answers `{answer}`"), false),
        },
        match machine::fixed_addresses() {
            Some(_) => line("addresses", "can be fixed (setarch -R)", true),
            None => {
                line("addresses", "cannot be fixed (setarch -R): counts may differ by some hundredths", true)
            }
        },
        match machine::governor() {
            Some(name) => line("governor", name.clone(), name == "performance"),
            None => line("governor", "the kernel does not say: a virtual machine?", true),
        },
        line(
            "cores",
            match machine::cores() {
                1 => "1: the wall tier shares it with everything else".to_owned(),
                cores => cores.to_string(),
            },
            true,
        ),
    ];
    lines.extend(spread(arguments)?);
    if let (Some(before), Some(now)) = (before, Ticks::now()) {
        let (busy, stolen) = now.since(before);
        lines.push(line(
            "stolen",
            format!("{:.1} % of the time by other machines ({:.0} % busy)", stolen * 100.0, busy * 100.0),
            stolen < 0.02,
        ));
    }
    let mut text = String::new();
    for Line { what, found, fit } in &lines {
        let mark = if *fit { "  " } else { "! " };
        let _ = writeln!(text, "{mark}{what:<10} {found}");
    }
    let fit = lines.iter().all(|line| line.fit);
    text.push_str(if fit { "fit for all tiers\n" } else { "not fit for everything: see the lines with !\n" });
    output::print(&text)?;
    Ok(if fit { Code::Good } else { Code::Inconclusive })
}

fn line(what: &'static str, found: impl Into<String>, fit: bool) -> Line {
    Line { what, found: found.into(), fit }
}

/// How far identical programs differ in the wall tier: one look at an A/A pair.
fn spread(arguments: &Arguments) -> anyhow::Result<Option<Line>> {
    let worker = match &arguments.worker.worker {
        Some(worker) => worker.clone(),
        None => build::here(&build::gate_dir()?, Profile::Release)?,
    };
    let (metrics, _) = tier::list(&worker)?;
    let Some(metric) = metrics.into_iter().find(|metric| metric.tier == Tier::Wall) else { return Ok(None) };
    let id = metric.id.clone();
    let all = WallSettings::new(outputs::fresh_seed());
    let settings = WallSettings { looks: all.looks[..1].to_vec(), ..all };
    let wait = Wait::steps("an A/A pair", settings.looks[0]);
    let subject = Subject { metric, evidence: WallEvidence::new(Role::ControlSame, Presence::Both) };
    let programs = Programs { base: &worker, new: &worker };
    let subjects = measure(vec![subject], &settings, |request| {
        wait.step(id.to_string());
        tier::wall::epoch(programs, &id, [Percent::ZERO; 2], &request.first).map(Some)
    })?;
    let judged = assess(&subjects, &settings);
    let Some((assessment, power)) = judged.first().and_then(|judged| Some((judged, judged.power?))) else {
        return Ok(None);
    };
    let sees = power.detectable.map_or("nothing".to_owned(), |share| format!("{:.1} %", share * 100.0));
    let found = format!(
        "{:.2} % from epoch to epoch of `{id}`: {} of them see {sees}",
        power.spread * 100.0,
        assessment.epochs
    );
    Ok(Some(line("spread", found, assessment.state == State::Pass)))
}
