//! What is drawn, without how.

use std::time::Duration;

use timeline::{GatheringState, Name, State, VirtualTime, escaped};

use crate::{
    audit::{Finding, Severity},
    trace::{
        ApiCall, CallResult, Message, Method, PeerEvent, ServerEvent, SignalKind, Trace, is_disconnected,
        is_failed,
    },
};

/// A silence longer than this is drawn as one.
const SILENCE: Duration = Duration::from_millis(500);

/// More peers than that do not fit side by side; the others are left out.
const MAX_LANES: usize = 6;

/// Lanes and rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Who stands side by side: the caller, the server where it was seen, the others.
    pub lanes: Vec<Name>,
    /// What happened, in the order of time.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When.
    pub at: VirtualTime,
    /// What.
    pub kind: RowKind,
    /// How it is to be shown.
    pub tone: Tone,
}

/// How a row is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As usual.
    Plain,
    /// Something to look at.
    Warning,
    /// Something that went wrong.
    Error,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub enum RowKind {
    /// A message from one lane to another.
    Arrow {
        /// The lane that it leaves.
        from: usize,
        /// The lane that it goes to.
        to: usize,
        /// What it is.
        text: String,
        /// It did not arrive.
        lost: bool,
        /// Nobody saw the message itself.
        inferred: bool,
    },
    /// Something that happened in one lane.
    Event {
        /// The lane.
        lane: usize,
        /// What.
        text: String,
    },
    /// Nothing happened for so long.
    Silence(Duration),
    /// A finding; `None` for one about the call as a whole.
    Finding(Option<usize>, String),
}

impl Sequence {
    /// The sequence of a call with its findings; notes are left out of it.
    pub fn new(trace: &Trace, findings: &[Finding]) -> Self {
        let mut drawing = Drawing { lanes: lanes(trace), rows: Vec::new() };
        for message in &trace.messages {
            drawing.message(message);
        }
        for peer in &trace.peers {
            for connection in &peer.connections {
                for entry in &connection.entries {
                    drawing.event(&peer.id, entry.at, &entry.event);
                }
            }
        }
        for entry in &trace.server {
            let text = match entry.event {
                ServerEvent::Closed(code) => {
                    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
                    format!("leaves the server{code}")
                }
                ServerEvent::Rejoined => "is back at the server".to_owned(),
                ServerEvent::Dropped(_) => continue,
            };
            drawing.lane_row(&entry.peer, entry.at, text, Tone::Plain);
        }
        for finding in findings.iter().filter(|finding| finding.severity > Severity::Note) {
            let lane = finding.peer.as_ref().and_then(|peer| drawing.lane(peer));
            let tone = if finding.severity == Severity::Error { Tone::Error } else { Tone::Warning };
            let kind = RowKind::Finding(lane, finding.code.to_string());
            drawing.rows.push(Row { at: finding.at, kind, tone });
        }
        drawing.finish()
    }
}

fn lanes(trace: &Trace) -> Vec<Name> {
    let mut lanes: Vec<Name> = trace.peers.iter().take(MAX_LANES).map(|peer| peer.id.clone()).collect();
    let relayed = trace.messages.iter().any(|m| m.relay_in.is_some() || m.relay_out.is_some());
    if relayed || lanes.is_empty() {
        lanes.insert(lanes.len().min(1), Name::new("server"));
    }
    lanes
}

struct Drawing {
    lanes: Vec<Name>,
    rows: Vec<Row>,
}

impl Drawing {
    fn lane(&self, name: &Name) -> Option<usize> {
        self.lanes.iter().position(|lane| lane == name)
    }

    fn server(&self) -> Option<usize> {
        self.lanes.iter().position(|lane| lane == "server")
    }

    fn lane_row(&mut self, name: &Name, at: VirtualTime, text: String, tone: Tone) {
        if let Some(lane) = self.lane(name) {
            let text = escaped(&text).into_owned();
            self.rows.push(Row { at, kind: RowKind::Event { lane, text }, tone });
        }
    }

    fn message(&mut self, message: &Message) {
        let from = self.lane(&message.from);
        let to = message.to.as_ref().and_then(|to| self.lane(to)).or(self.server());
        let summary = match message.signal.kind {
            SignalKind::Candidate => String::new(),
            _ => message.signal.summary(),
        };
        let text = match summary.is_empty() {
            true => message.signal.kind.to_string(),
            false => format!("{}: {summary}", message.signal.kind),
        };
        let text = escaped(&text).into_owned();
        let mut arrow = |at: Option<VirtualTime>, from: Option<usize>, to: Option<usize>, lost: bool| {
            if let (Some(at), Some(from), Some(to)) = (at, from, to)
                && from != to
            {
                let kind = RowKind::Arrow { from, to, text: text.clone(), lost, inferred: message.inferred };
                self.rows.push(Row { at, kind, tone: if lost { Tone::Error } else { Tone::Plain } });
            }
        };
        let server = self.lanes.iter().position(|lane| lane == "server");
        if message.relay_in.is_some() || message.relay_out.is_some() {
            arrow(message.relay_in.or(message.sent), from, server, message.dropped.is_some());
            arrow(message.relay_out, server, to, false);
        } else {
            let lost = message.arrived().is_none() && message.dropped.is_some();
            arrow(message.departed().or(message.arrived()), from, to, lost);
        }
    }

    fn event(&mut self, peer: &Name, at: VirtualTime, event: &PeerEvent) {
        let (text, tone) = match event {
            PeerEvent::State { to: State::Gathering(GatheringState::New | GatheringState::Gathering) } => {
                return;
            }
            PeerEvent::State { to } => {
                let tone = match *to {
                    to if is_failed(to) => Tone::Error,
                    to if is_disconnected(to) => Tone::Warning,
                    _ => Tone::Plain,
                };
                (format!("{}: {to}", to.machine()), tone)
            }
            PeerEvent::Call(call) => match call_text(call) {
                Some(said) => said,
                None => return,
            },
            PeerEvent::CandidateError { code, text, .. } => {
                (format!("icecandidateerror {code} {text}"), Tone::Warning)
            }
            PeerEvent::CandidateHeld { .. } => ("holds a candidate".to_owned(), Tone::Plain),
            _ => return,
        };
        self.lane_row(peer, at, text, tone);
    }

    fn finish(mut self) -> Sequence {
        self.rows.sort_by_key(|row| row.at);
        let mut rows: Vec<Row> = Vec::new();
        let mut repeated = 1;
        for row in self.rows {
            let before = rows.last_mut();
            if let Some(last) = before.filter(|last| is_repetition(last, &row, repeated)) {
                repeated += 1;
                repeat(last, repeated);
                continue;
            }
            repeated = 1;
            let silence = rows.last().map(|last: &Row| row.at.since(last.at)).filter(|gap| *gap >= SILENCE);
            rows.extend(silence.map(|gap| Row {
                at: row.at,
                kind: RowKind::Silence(gap),
                tone: Tone::Plain,
            }));
            rows.push(row);
        }
        Sequence { lanes: self.lanes, rows }
    }
}

fn call_text(call: &ApiCall) -> Option<(String, Tone)> {
    let text = match call.method {
        Method::SetLocalDescription | Method::SetRemoteDescription => {
            let side = if call.method == Method::SetLocalDescription { "local" } else { "remote" };
            let kind =
                call.description.as_ref().map_or("description", |description| description.kind.as_str());
            format!("sets {side} {kind}")
        }
        Method::Close => "closes".to_owned(),
        Method::RestartIce | Method::AddTrack | Method::RemoveTrack | Method::CreateDataChannel => {
            call.method.to_string()
        }
        // Only where it fails: there are many.
        Method::AddIceCandidate | Method::GetUserMedia | Method::GetDisplayMedia
            if matches!(call.result, CallResult::Failed(_)) =>
        {
            call.method.to_string()
        }
        _ => return None,
    };
    Some(match &call.result {
        CallResult::Failed(_) => (format!("✗ {text}"), Tone::Error),
        _ => (text, Tone::Plain),
    })
}

/// Whether `row` says what the row before it said, `repeated` times so far.
fn is_repetition(last: &Row, row: &Row, repeated: usize) -> bool {
    let bare = |text: &str| text.strip_suffix(&format!(" ×{repeated}")).unwrap_or(text).to_owned();
    match (&last.kind, &row.kind) {
        (
            RowKind::Arrow { from, to, text, lost, .. },
            RowKind::Arrow { from: next_from, to: next_to, text: next, lost: next_lost, .. },
        ) => (from, to, lost, bare(text)) == (next_from, next_to, next_lost, next.clone()),
        (RowKind::Event { lane, text }, RowKind::Event { lane: next_lane, text: next }) => {
            lane == next_lane && bare(text) == *next
        }
        _ => false,
    }
}

fn repeat(row: &mut Row, times: usize) {
    if let RowKind::Arrow { text, .. } | RowKind::Event { text, .. } = &mut row.kind {
        let bare = text.strip_suffix(&format!(" ×{}", times - 1)).unwrap_or(text).to_owned();
        *text = format!("{bare} ×{times}");
    }
}
