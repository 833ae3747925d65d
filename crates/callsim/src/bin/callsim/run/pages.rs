//! `--html`: runs as pages for a browser.

mod against;
mod suite;

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use page::{CallPage, Layout, Mark, Message, Moment, Source, Tone, Verdict, View};
use scenario::{
    plan::Plan,
    record::RunRecord,
    report::Report,
    run::Player,
    suite::{self as suites, Played, Seeds, SuiteResult},
};
use serde::Deserialize;
use serde_json::Value;
use timeline::Name;

use super::{Asked, repeat};
use crate::output;

/// Writes the page of the only run, or the folder of a suite.
pub(super) fn write(
    path: &Path,
    asked: &Asked<'_>,
    report: &Report,
    result: &SuiteResult,
) -> anyhow::Result<()> {
    let plans = &asked.chosen.plans;
    match (plans.as_slice(), asked.arguments.seed) {
        ([plan], Some(seed)) => {
            let command = repeat(asked, plan, Seeds::One(seed));
            let page = match &asked.arguments.against {
                Some(other) => against::page(asked, plan, seed, other)?,
                None => of_run(plan, seed, &command)?,
            };
            output::write_file(path, &page.render())
        }
        _ if asked.arguments.against.is_some() => {
            bail!(output::BadInput(format!("--against is for one scenario, and {} were chosen", plans.len())))
        }
        _ => suite::write(path, asked, report, result),
    }
}

/// The page about one run, which is played for it: a page shows more than is kept of a run in a suite.
///
/// # Errors
/// Where the run cannot be played.
pub(crate) fn of_run(plan: &Plan, seed: u64, command: &str) -> anyhow::Result<CallPage> {
    let (played, record) = played(plan, seed)?;
    let failures = played.failures.iter().map(|(failure, _)| Mark {
        at: failure.at.as_millis_f64(),
        view: None,
        who: None,
        tone: Tone::Bad,
        title: failure.check.to_owned(),
        text: failure.message.clone(),
    });
    let mut marks: Vec<Mark> = failures.collect();
    if let Some(cause) = &played.cause {
        marks.push(Mark {
            at: cause.at.as_millis_f64(),
            view: None,
            who: None,
            tone: Tone::Bad,
            title: format!("cause: {}", cause.code),
            text: cause.sentence.clone(),
        });
    }
    marks.sort_by(|one, other| one.at.total_cmp(&other.at));
    Ok(CallPage {
        title: format!("{}, seed {seed}", plan.name()),
        summary: plan.summary().to_owned(),
        verdict: verdict(&played, command),
        marks,
        views: vec![view("run", plan, &record)],
        difference: None,
        facts: facts(&played, &record),
        layout: Layout::Stacked,
    })
}

/// A run of this seed, with its record.
fn played(plan: &Plan, seed: u64) -> anyhow::Result<(Played, RunRecord)> {
    let play = |plan: &Plan, seed| Player::new(plan).relay_log().wire().seed(seed).play();
    let mut played = suites::one_kept(plan, seed, &play)
        .result
        .with_context(|| format!("{}, seed {seed}", plan.name()))?;
    let record = played.record.take().expect("it is kept");
    Ok((played, *record))
}

fn verdict(played: &Played, command: &str) -> Verdict {
    let Played { outcome, setup, failures, cause, .. } = played;
    let setup = setup.map(|setup| format!(", {} ms after the dial", setup.as_millis())).unwrap_or_default();
    let held = format!("Everything that is expected held. The call's outcome: {outcome}{setup}.");
    let passed = failures.is_empty();
    let said = failures.first().map_or(held, |(failure, _)| format!("{}.", failure.message));
    let mut verdict = Verdict {
        tone: if passed { Tone::Good } else { Tone::Bad },
        word: if passed { "passed" } else { "failed" }.to_owned(),
        sentence: said,
        advice: Vec::new(),
        evidence: Vec::new(),
        consequences: Vec::new(),
        command: command.to_owned(),
    };
    if let Some(cause) = cause {
        let moment = |evidence: &scenario::cause::Evidence| Moment {
            at_ms: evidence.at.as_millis_f64(),
            text: match &evidence.who {
                Some(who) => format!("{who}: {}", evidence.what),
                None => evidence.what.clone(),
            },
        };
        verdict.sentence = format!("{}: {}.", cause.code, cause.sentence);
        verdict.advice.extend((!cause.recommendation.is_empty()).then(|| cause.recommendation.to_string()));
        verdict.evidence = cause.evidence.iter().map(moment).collect();
        verdict.consequences =
            cause.consequences.iter().map(|it| format!("{}: {}", it.code, it.sentence)).collect();
    }
    verdict
}

fn facts(played: &Played, record: &RunRecord) -> Vec<(String, String)> {
    let ms = |time: std::time::Duration| format!("{} ms", time.as_millis());
    let packets = &record.timeline.packets;
    let lost = packets.iter().filter(|packet| !packet.verdict.arrived()).count();
    let facts = [
        ("outcome", Some(played.outcome.to_string())),
        ("set-up", played.setup.map(ms)),
        ("longest recovery", played.recovery.map(ms)),
        ("virtual time", Some(format!("{:.1} s", record.elapsed.elapsed().as_secs_f64()))),
        ("packets", Some(packets.len().to_string())),
        ("not arrived", (lost > 0).then(|| lost.to_string())),
        ("messages", Some(record.signalling.messages().len().to_string())),
        ("digest", Some(record.digest.to_string())),
    ];
    let some = facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    some.collect()
}

/// The lanes of a run: the first peer, the servers, the other peers.
fn view(name: &str, plan: &Plan, record: &RunRecord) -> View {
    let (first, others) = plan.peers().split_first().expect("a plan has two peers at least");
    let mut order = vec![first.name.clone(), Name::new(Plan::SIGNALLER)];
    order.extend(plan.ice_servers().iter().map(|server| server.name.clone()));
    order.extend(others.iter().map(|peer| peer.name.clone()));
    let payloads = record.wire.as_ref().map_or(&[][..], |kept| &kept.wire.payloads);
    View::with_payloads(name, &record.timeline, payloads, record.elapsed, &order)
        .messages(record.relay_log.as_deref().map(messages).unwrap_or_default())
        .source(source(plan))
}

/// The scenario's file, where it can still be read.
fn source(plan: &Plan) -> Option<Source> {
    let file = plan.file()?;
    let text = fs::read_to_string(file).ok()?;
    let at: Vec<f64> = plan.steps().iter().map(|step| step.at.as_secs_f64() * 1e3).collect();
    Some(Source::new(file.display().to_string(), text, &at))
}

/// The messages of a relay's log, each once, in the order in which they were accepted.
fn messages(log: &str) -> Vec<Message> {
    #[derive(Deserialize)]
    struct Line {
        dir: String,
        msg: Sent,
    }
    #[derive(Deserialize)]
    struct Sent {
        from: String,
        id: u64,
        body: Value,
    }
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let accepted = lines.filter(|line| line.dir == "in").map(|line| line.msg);
    accepted.map(|Sent { from, id, body }| Message { from: Name::new(from), id, body }).collect()
}
