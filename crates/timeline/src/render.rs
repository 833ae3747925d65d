//! The transcript of a run: the text that snapshots keep.

use std::fmt::Write as _;

use crate::{Cause, Entry, Event, Needed, Timeline, VirtualTime, escaped};

/// A silence that begins a new paragraph.
pub(crate) const PARAGRAPH_GAP_MS: u64 = 300;

const TRANSCRIPT_LEGEND: &str = "\
# virtual ms | who | what happened
#   · step of the script   ⚡ change of the network   ! problem
#   → message sent         ← message received          machine: from → to (cause)
";

/// The transcript: what participants, servers and the script did, without packets and without
/// anything that is drawn at random (SDP bodies, credentials, certificates).
pub fn transcript(timeline: &Timeline) -> String {
    let mut out = String::from(TRANSCRIPT_LEGEND);
    let width = actor_width(timeline);
    let mut paragraphs = Paragraphs::default();
    for entry in &timeline.entries {
        paragraphs.begin(&mut out, entry.at, starts_paragraph(&entry.event));
        push_entry(&mut out, entry, width);
    }
    out
}

/// Where blank lines go.
#[derive(Default)]
struct Paragraphs {
    last: Option<(VirtualTime, bool)>,
}

impl Paragraphs {
    fn begin(&mut self, out: &mut String, at: VirtualTime, starts: bool) {
        let blank = match self.last {
            None => true,
            Some((last, last_started)) => {
                (starts && !last_started) || at.since(last).as_millis() >= u128::from(PARAGRAPH_GAP_MS)
            }
        };
        if blank {
            out.push('\n');
        }
        self.last = Some((at, starts));
    }
}

fn starts_paragraph(event: &Event) -> bool {
    matches!(event, Event::Action { .. } | Event::Fault { .. })
}

fn actor_width(timeline: &Timeline) -> usize {
    timeline
        .entries
        .iter()
        .map(|entry| &entry.actor)
        .map(|name| name.as_str().chars().count())
        .max()
        .unwrap_or(0)
}

fn push_entry(out: &mut String, entry: &Entry, width: usize) {
    let _ = writeln!(out, "{:>9}  {:<width$}  {}", entry.at, entry.actor, event_line(&entry.event));
}

/// An event in one line, as transcripts have it: without its time and without to whom it happened. Whatever the texts
/// within it, it is one line.
pub fn event_line(event: &Event) -> String {
    escaped(&event_text(event)).into_owned()
}

fn event_text(event: &Event) -> String {
    match event {
        Event::Transition { from, to, cause } => {
            let cause = cause.map_or("", Cause::as_str);
            with_detail(format!("{}: {from} → {to}", to.machine()), cause)
        }
        Event::MessageSent { kind, to, detail, .. } => with_detail(format!("→ {kind} to {to}"), detail),
        Event::MessageReceived { kind, from, detail, .. } => {
            with_detail(format!("← {kind} from {from}"), detail)
        }
        Event::MessageHeld { kind, from, to, for_ms, .. } => {
            format!("holds {kind} from {from} to {to} for {for_ms} ms")
        }
        Event::Candidate { fate, candidate, error: Some(error), .. } => {
            format!("candidate {fate}: {candidate}: {error}")
        }
        Event::Candidate { fate, candidate, .. } => format!("candidate {fate}: {candidate}"),
        Event::PairSelected { local, remote } => format!("pair selected: {local} ↔ {remote}"),
        Event::CandidateError { url, code, text } => format!("! icecandidateerror: {url}: {code} {text}"),
        Event::NegotiationNeeded { verdict } => {
            with_detail("negotiationneeded".to_owned(), in_words(*verdict))
        }
        Event::Track { change, kind } => format!("track {change}: {kind}"),
        Event::Stream { change, id } => format!("stream {change}: {id}"),
        Event::Statistics { round_trip_ms, sent_bps, received_bps, packets_lost, pair } => {
            let round_trip = round_trip_ms.map_or("unknown".to_owned(), |ms| format!("{ms} ms"));
            let [sent, received] = [sent_bps, received_bps].map(|bps| bps.div_ceil(1_000));
            let pair = pair.as_ref();
            let pair = pair.map_or("no pair".to_owned(), |(local, remote)| format!("{local} and {remote}"));
            format!(
                "statistics: round trip {round_trip}, sent {sent} kbps, received {received} kbps, lost {packets_lost}, {pair}"
            )
        }
        Event::Media { kind, change } => format!("media {kind}: {}", change.as_str().replace('-', " ")),
        Event::Action { what } => format!("· {what}"),
        Event::Fault { what } => format!("⚡ {what}"),
        Event::Problem { what } => format!("! {what}"),
        Event::Note { what } => what.to_string(),
    }
}

const fn in_words(needed: Needed) -> &'static str {
    match needed {
        Needed::Offer => "offer",
        Needed::Coalesced => "coalesced: an offer is in flight",
        Needed::Deferred => "deferred: the caller offers first",
        Needed::Ignored => "ignored: nothing changed",
    }
}

fn with_detail(mut line: String, detail: &str) -> String {
    if !detail.is_empty() {
        let _ = write!(line, " ({detail})");
    }
    line
}

/// A small timeline for the tests of what renders one.
#[cfg(test)]
pub(crate) fn sample() -> Timeline {
    use crate::{
        CallState, CandidateAddress, CandidateRef, CandidateType, IceProtocol, MessageKind, MessageRef,
        State, Trickle,
    };

    let entry =
        |ms, actor: &str, event| Entry { at: VirtualTime::from_millis(ms), actor: actor.into(), event };
    Timeline {
        entries: vec![
            entry(1000, "caller", Event::Action { what: "dials callee".into() }),
            entry(
                1000,
                "caller",
                Event::Transition {
                    from: State::Call(CallState::Idle),
                    to: State::Call(CallState::Dialling),
                    cause: Some(Cause::Dial),
                },
            ),
            entry(
                1060,
                "callee",
                Event::MessageReceived {
                    id: 1,
                    kind: MessageKind::Ring,
                    from: "caller".into(),
                    detail: "".into(),
                },
            ),
            entry(
                1070,
                "callee",
                Event::Candidate {
                    fate: crate::CandidateFate::Held,
                    candidate: Trickle::Candidate(CandidateRef {
                        kind: CandidateType::Host,
                        protocol: IceProtocol::Udp,
                        address: CandidateAddress::new("10.0.0.1", 50000),
                    }),
                    message: Some(MessageRef { from: "caller".into(), id: 4 }),
                    error: None,
                },
            ),
            entry(3000, "network", Event::Fault { what: "link of caller goes down".into() }),
        ],
        packets: vec![crate::PacketRecord {
            at: VirtualTime::from_millis(1001),
            from_host: "caller".into(),
            to_host: None,
            from: "10.0.0.1:50000".parse().unwrap(),
            to: "10.9.9.9:1".parse().unwrap(),
            protocol: crate::Protocol::Srtp,
            len: 120,
            verdict: crate::Verdict::NoRoute,
            translated: None,
            transit: crate::Transit::default(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcript_has_legend_paragraphs_and_causes() {
        insta::assert_snapshot!(transcript(&sample()));
    }
}
