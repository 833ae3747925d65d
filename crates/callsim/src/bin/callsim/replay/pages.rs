//! `--html FILE`: each call as a page, what was captured beside what was played again.

use std::path::Path;

use capture::{
    Outcome, Trace,
    audit::Severity,
    trace::{CallResult, Message, PeerEvent, StatsSample},
};
use page::{CallPage, CapturedMessage, Difference, Layout, Mark, Moment, Source, Tone, Verdict, View};
use serde_json::json;
use timeline::{Entry, Event, Machine, Name, State, Timeline, VirtualTime};

use super::{pictures::numbered, report::CallReport};
use crate::{output, typed};

/// Writes one page per call.
pub(super) fn write(path: &Path, calls: &[CallReport]) -> anyhow::Result<()> {
    for (index, call) in calls.iter().enumerate() {
        output::write_file(&numbered(path, index), &of_call(call)?.render())?;
    }
    Ok(())
}

/// The page about one call.
pub(super) fn of_call(call: &CallReport) -> anyhow::Result<CallPage> {
    let trace = &call.trace;
    let mut views = vec![captured(trace)];
    let mut facts = vec![("captured".to_owned(), trace.outcome().as_str().to_owned())];
    let mut marks = findings(call);
    let mut difference = None;
    if let Some(played) = call.played() {
        let timeline = played.timeline()?;
        let end = timeline.entries.last().map_or(trace.ended_at, |entry| entry.at.max(trace.ended_at));
        let source = Source::new("the scenario that was played", played.scenario.clone(), &[]);
        views.push(View::new("re-executed", &timeline, end, &order(trace)).source(Some(source)));
        facts.push(("re-executed".to_owned(), played.outcome.as_str().to_owned()));
        facts.push((
            "transitions that came again".to_owned(),
            format!("{} of {}", played.matched, played.captured),
        ));
        marks.extend(played.tolerated.iter().map(|tolerated| Mark {
            at: tolerated.at.as_millis_f64(),
            view: None,
            who: Some(tolerated.peer.to_string()),
            tone: Tone::Plain,
            title: format!("tolerated: {}", tolerated.freedom),
            text: String::new(),
        }));
        difference = played.divergence.as_ref().map(|divergence| {
            let at = divergence.at.as_millis_f64();
            Difference { at: [at, at], text: format!("{divergence}.") }
        });
    }
    marks.sort_by(|one, other| one.at.total_cmp(&other.at));
    let files: Vec<&str> = trace.sources.iter().map(|source| source.file.as_str()).collect();
    Ok(CallPage {
        title: format!("Captured call {}", trace.id),
        summary: files.join(", "),
        verdict: verdict(call, &files),
        marks,
        views,
        difference,
        facts,
        layout: Layout::SideBySide,
    })
}

fn verdict(call: &CallReport, files: &[&str]) -> Verdict {
    let worst = call.findings.iter().map(|finding| finding.severity).max();
    let mut advice: Vec<String> = Vec::new();
    for finding in call.findings.iter().filter(|finding| finding.severity > Severity::Note) {
        if !finding.advice.is_empty() && !advice.contains(&finding.advice) {
            advice.push(finding.advice.clone());
        }
    }
    let grave = call.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let moment = |finding: &capture::audit::Finding| Moment {
        at_ms: finding.at.as_millis_f64(),
        text: finding.message.clone(),
    };
    Verdict {
        tone: match (worst, call.trace.outcome()) {
            (Some(Severity::Error), _) => Tone::Bad,
            (Some(Severity::Warning), _) | (_, Outcome::Unknown) => Tone::Warning,
            _ => Tone::Good,
        },
        word: call.trace.outcome().as_str().to_owned(),
        sentence: call.verdict.clone(),
        advice,
        evidence: grave.map(moment).collect(),
        consequences: Vec::new(),
        command: format!("{} {} --details", typed::command("replay"), files.join(" ")),
    }
}

fn findings(call: &CallReport) -> Vec<Mark> {
    let mark = |finding: &capture::audit::Finding| Mark {
        at: finding.at.as_millis_f64(),
        view: Some(0),
        who: finding.peer.as_ref().map(ToString::to_string),
        tone: match finding.severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Warning,
            Severity::Note => Tone::Plain,
        },
        title: finding.code.to_string(),
        text: finding.message.clone(),
    };
    call.findings.iter().map(mark).collect()
}

/// The caller, the server, the others.
fn order(trace: &Trace) -> Vec<Name> {
    let mut order: Vec<Name> = trace.peers.iter().map(|peer| peer.id.clone()).collect();
    order.insert(order.len().min(1), Name::new("signaller"));
    order
}

/// What was captured, in the words of a timeline.
fn captured(trace: &Trace) -> View {
    let mut timeline = Timeline::default();
    for peer in &trace.peers {
        for connection in &peer.connections {
            let mut states: Vec<State> = Machine::OF_A_PEER.iter().map(|machine| machine.initial()).collect();
            for entry in &connection.entries {
                if let Some(event) = event(&entry.event, &mut states) {
                    timeline.entries.push(Entry { at: entry.at, actor: peer.id.clone(), event });
                }
            }
            let samples = connection.stats.iter();
            timeline.entries.extend(samples.map(|sample| statistics(&peer.id, sample)));
        }
        // A lane also where nothing of it was captured.
        let event = Event::Note { what: "the capture begins".into() };
        timeline.entries.push(Entry { at: VirtualTime::ZERO, actor: peer.id.clone(), event });
    }
    timeline.sort();
    let messages: Vec<CapturedMessage> = trace.messages.iter().map(message).collect();
    View::new("captured", &timeline, trace.ended_at, &order(trace)).captured(&messages)
}

fn event(event: &PeerEvent, states: &mut [State]) -> Option<Event> {
    let what = match event {
        PeerEvent::State { to } => {
            let state = states.iter_mut().find(|state| state.machine() == to.machine())?;
            let from = std::mem::replace(state, *to);
            return Some(Event::Transition { from, to: *to, cause: None });
        }
        PeerEvent::Call(call) => {
            let kind = call.description.as_ref().map(|description| description.kind.as_str());
            let argument = kind.or(call.argument.as_deref()).unwrap_or_default();
            let said = format!("{}({argument})", call.method);
            if let CallResult::Failed(error) = &call.result {
                return Some(Event::Problem { what: format!("{said} failed: {error}").into() });
            }
            said
        }
        PeerEvent::NegotiationNeeded => "negotiationneeded".to_owned(),
        PeerEvent::CandidateGathered { candidate } if candidate.is_end() => "end of candidates".to_owned(),
        PeerEvent::CandidateGathered { candidate } => format!("candidate gathered: {}", candidate.summary()),
        PeerEvent::CandidateHeld { candidate } => format!("candidate held: {}", candidate.summary()),
        PeerEvent::CandidateError { url, code, text } => {
            let (url, text) = (url.clone().into(), text.clone().into());
            return Some(Event::CandidateError { url, code: *code, text });
        }
        PeerEvent::DataChannel { change, label } => format!("data channel {label}: {change}"),
        PeerEvent::Note { text } => text.clone(),
        PeerEvent::Other { name, text } => format!("{name}: {text}"),
        _ => return None,
    };
    Some(Event::Note { what: what.into() })
}

fn statistics(peer: &Name, sample: &StatsSample) -> Entry {
    let known = |count: Option<u64>, what: &str| count.map(|count| format!("{count} packets {what}"));
    let parts = [
        sample.round_trip_ms.map(|ms| format!("round trip {ms:.0} ms")),
        known(sample.packets_received, "received"),
        known(sample.packets_sent, "sent"),
        sample.packets_lost.map(|lost| format!("{lost} lost")),
    ];
    let what = format!("statistics: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    Entry { at: sample.at, actor: peer.clone(), event: Event::Note { what: what.into() } }
}

fn message(message: &Message) -> CapturedMessage {
    let mut body = json!({ "type": message.signal.kind.as_str() });
    if let Some(description) = &message.signal.description {
        body["sdp"] = json!(description.sdp);
    }
    if let Some(candidate) = &message.signal.candidate {
        body["candidate"] = json!(candidate);
    }
    let moments = [
        ("sent", message.sent),
        ("at the server", message.relay_in),
        ("passed on", message.relay_out),
        ("dropped", message.dropped),
        ("received", message.received),
        ("applied", message.applied.as_ref().map(|applied| applied.at)),
    ];
    for (moment, at) in moments.into_iter().filter_map(|(moment, at)| Some((moment, at?))) {
        body["seen"][moment] = json!(at.as_millis_f64());
    }
    CapturedMessage {
        from: message.from.clone(),
        to: message.to.clone(),
        at: message.departed().unwrap_or_else(|| message.first_seen()),
        until: message.arrived(),
        kind: message.signal.kind.to_string(),
        detail: message.signal.summary(),
        body,
    }
}
