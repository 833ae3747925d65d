//! What came of a lab, for people and for machines.

use std::{collections::BTreeMap, fmt::Write as _, sync::Mutex, time::Duration};

use ::lab::{Played, Priority, Rights};
use scenario::{
    plan::Plan,
    report::Report,
    run::{Lateness, RunError},
    suite::{self, Seeds, SuiteResult},
};
use serde::Serialize;

use super::{Arguments, Asked, Format};
use crate::{exit::Code, output, run, screen, typed};

/// Where packets were later than this, 99 of 100, something else had the processor.
const DISTURBED: Duration = Duration::from_millis(2);

/// The report for machines.
#[derive(Serialize)]
struct Form<'a> {
    schema: u32,
    command: &'static str,
    scenario: &'a str,
    seed: u64,
    elapsed_ms: u64,
    accuracy: Accuracy,
    programs: Vec<ProgramForm>,
    /// How many packets each verdict was given to.
    packets: BTreeMap<String, usize>,
    fragments_dropped: u64,
    others_dropped: u64,
    /// As `run --format json` prints it, where the engine played all peers.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<serde_json::Value>,
}

/// How late packets left their links.
#[derive(Serialize)]
struct Accuracy {
    releases: u32,
    mean_us: u64,
    p50_us: u64,
    p99_us: u64,
    max_us: u64,
    real_time_priority: bool,
    unprivileged: bool,
    disturbed: bool,
}

#[derive(Serialize)]
struct ProgramForm {
    host: String,
    command: String,
    /// `null` where a signal or the end of the lab ended it.
    exit: Option<i32>,
}

/// Writes what is asked for; what the command comes to.
pub(super) fn hand_over(
    arguments: &Arguments,
    asked: &Asked,
    played: Played,
    rights: Rights,
    wall: Duration,
) -> anyhow::Result<Code> {
    let width = screen::width(arguments.out.as_deref());
    let transcript = timeline::side_by_side(&played.record.timeline, width);
    if let Some(path) = &arguments.transcript {
        output::write_file(path, &transcript)?;
    }
    if let Some(path) = &arguments.packets {
        let mut text = String::new();
        for packet in &played.record.timeline.packets {
            text += &serde_json::to_string(packet)?;
            text.push('\n');
        }
        output::write_file(path, &text)?;
    }
    let lateness = played.record.lateness.unwrap_or_default();
    let accuracy = Accuracy::of(lateness, played.priority, rights);
    let mut packets = BTreeMap::<String, usize>::new();
    for packet in &played.record.timeline.packets {
        *packets.entry(packet.verdict.to_string()).or_default() += 1;
    }
    let programs: Vec<ProgramForm> = played.ended.iter().map(ProgramForm::of).collect();
    let failed = programs.iter().any(|program| program.exit.is_some_and(|code| code != 0));
    let (fragments, others, elapsed) = (played.fragments, played.dropped, played.record.elapsed);
    let judged = asked.is_judged().then(|| judge(asked, arguments.seed, played, wall));
    let text = match arguments.format {
        Format::Human => {
            let mut text = match &judged {
                Some((report, _)) => format!("{transcript}\n{}", run::human_report(report, width)),
                None => transcript,
            };
            push_facts(&mut text, &accuracy, &packets, &programs);
            if fragments > 0 {
                let _ = writeln!(
                    text,
                    "{fragments} IP fragments were dropped: the lab has no fragments (docs/lab.md)"
                );
            }
            text
        }
        Format::Json => {
            let run = judged.as_ref().map(|(report, _)| report.to_json()).transpose()?;
            let form = Form {
                schema: 1,
                command: "lab",
                scenario: asked.plan.name(),
                seed: arguments.seed,
                elapsed_ms: elapsed.as_millis(),
                accuracy,
                programs,
                packets,
                fragments_dropped: fragments,
                others_dropped: others,
                run: run.map(|text| serde_json::from_str(&text)).transpose()?,
            };
            format!("{}\n", serde_json::to_string_pretty(&form)?)
        }
    };
    match &arguments.out {
        Some(path) => output::write_file(path, &text)?,
        None => output::print(&text)?,
    }
    Ok(match judged {
        Some((_, code)) => code,
        None if failed => Code::CheckFailed,
        None => Code::Good,
    })
}

/// The report of the run, as of a simulated one.
fn judge(asked: &Asked, seed: u64, played: Played, wall: Duration) -> (Report, Code) {
    let record = Mutex::new(Some(played.record));
    let play = |_: &Plan, _| -> Result<_, RunError> {
        let record = record.lock().ok().and_then(|mut record| record.take());
        Ok(record.expect("one run is judged once"))
    };
    let run = suite::one_kept(&asked.plan, seed, &play);
    let code = if run.passed() { Code::Good } else { Code::CheckFailed };
    let result = SuiteResult { scenarios: vec![vec![run]], asked: 1 };
    let repeat = |_: &Plan, _: Seeds| format!("{} {} --seed {seed}", typed::command("lab"), asked.argument);
    (Report::new(std::slice::from_ref(&asked.plan), &result, wall, &repeat), code)
}

impl Accuracy {
    fn of(lateness: Lateness, priority: Priority, rights: Rights) -> Self {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self {
            releases: lateness.releases,
            mean_us: micros(lateness.mean()),
            p50_us: micros(lateness.p50),
            p99_us: micros(lateness.p99),
            max_us: micros(lateness.most),
            real_time_priority: priority == Priority::RealTime,
            unprivileged: rights == Rights::Namespace,
            disturbed: lateness.p99 > DISTURBED,
        }
    }
}

impl ProgramForm {
    fn of(ended: &::lab::Ended) -> Self {
        let exit = ended.status.and_then(|status| status.code());
        Self { host: ended.task.host.to_string(), command: ended.task.line(), exit }
    }
}

fn push_facts(
    text: &mut String,
    accuracy: &Accuracy,
    packets: &BTreeMap<String, usize>,
    programs: &[ProgramForm],
) {
    text.push('\n');
    let verdicts: Vec<String> = packets.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    let _ = writeln!(text, "packets    {}", verdicts.join(", "));
    let ms = |micros: u64| format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10);
    let Accuracy { releases, p50_us, p99_us, max_us, .. } = accuracy;
    let _ = writeln!(
        text,
        "accuracy   packets left their links late by {} (p50), {} (p99), {} at most; {releases} releases",
        ms(*p50_us),
        ms(*p99_us),
        ms(*max_us)
    );
    if accuracy.disturbed {
        let _ = writeln!(
            text,
            "           DISTURBED: something else had the processor; times are not those of the plan"
        );
    }
    if !accuracy.real_time_priority {
        let _ = writeln!(text, "           without real-time priority, which needs root or RLIMIT_RTPRIO");
    }
    for ProgramForm { host, command, exit } in programs {
        let how = exit.map_or("was ended".to_owned(), |code| format!("exit {code}"));
        let _ = writeln!(text, "program    {host}: {command} ({how})");
    }
}
