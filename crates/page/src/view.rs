//! One call as lanes: what a page shows of a timeline.

use serde::Serialize;
use timeline::{Event, Name, Timeline, VirtualTime, event_line};

use crate::packets::Packets;

/// One call: its lanes, what happened in them, and the packets between them.
#[derive(Debug, Serialize)]
pub struct View {
    name: String,
    lanes: Vec<String>,
    entries: Vec<Line>,
    packets: Packets,
    arrows: Vec<Arrow>,
    messages: Vec<Message>,
    source: Option<Source>,
    end: f64,
}

/// Something that happened in a lane.
#[derive(Debug, Serialize)]
struct Line {
    at: f64,
    /// `null` for what happens to the network, and so to everybody.
    lane: Option<usize>,
    /// Whom its engine has a pair with: in a call of several a host has an engine for each of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<String>,
    text: String,
    event: Event,
}

/// A signalling message of a captured call, of which not all need be known.
#[derive(Clone, Debug)]
pub struct CapturedMessage {
    /// Who sent it.
    pub from: Name,
    /// Who is to get it; `None` for one to everybody or to the server.
    pub to: Option<Name>,
    /// When it left, as far as that is known.
    pub at: VirtualTime,
    /// When it arrived.
    pub until: Option<VirtualTime>,
    /// Its type.
    pub kind: String,
    /// What tells it from others of its type.
    pub detail: String,
    /// What was sent, as JSON.
    pub body: serde_json::Value,
}

/// A [`CapturedMessage`] between lanes.
#[derive(Debug, Serialize)]
struct Arrow {
    at: f64,
    until: Option<f64>,
    from: usize,
    to: Option<usize>,
    kind: String,
    text: String,
    body: serde_json::Value,
}

/// The body of a signalling message, by its sender and the number that the sender gave it.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Who sent it.
    pub from: Name,
    /// The sender's number for it.
    pub id: u64,
    /// What was sent, as JSON.
    pub body: serde_json::Value,
}

/// A scenario file.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Its path, for people.
    pub file: String,
    /// All of it.
    pub text: String,
    /// Its steps, in order of time.
    pub steps: Vec<SourceStep>,
}

/// Where a step of a script stands in its file.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SourceStep {
    /// When it is carried out, milliseconds.
    pub at_ms: f64,
    /// Its first line, from 1 on.
    pub first: usize,
    /// Its last line.
    pub last: usize,
}

impl View {
    /// Of what happened up to `end`; `name` tells it from another on the same page. `order` names the lanes from above, as
    /// far as they do anything; others follow in the order in which they act.
    pub fn new(name: impl Into<String>, timeline: &Timeline, end: VirtualTime, order: &[Name]) -> Self {
        Self::with_payloads(name, timeline, &[], end, order)
    }

    /// The same with what is in its packets: a payload for each of them, in the order of the timeline.
    pub fn with_payloads(
        name: impl Into<String>,
        timeline: &Timeline,
        payloads: &[Box<[u8]>],
        end: VirtualTime,
        order: &[Name],
    ) -> Self {
        // `bob/alice` is the engine of bob's host for its pair with alice.
        let pair = |actor: &Name| {
            let (host, other) = actor.as_str().split_once('/')?;
            let host = order.iter().find(|name| *name == host)?;
            Some((host.clone(), Name::new(other)))
        };
        let acts = |name: &&Name| {
            timeline.entries.iter().any(|entry| entry.actor == **name)
                || timeline
                    .packets
                    .iter()
                    .any(|packet| packet.from_host == **name || packet.to_host.as_ref() == Some(*name))
        };
        let mut lanes: Vec<Name> = order.iter().filter(acts).cloned().collect();
        let mut lane = |name: &Name| {
            lanes.iter().position(|lane| lane == name).unwrap_or_else(|| {
                lanes.push(name.clone());
                lanes.len() - 1
            })
        };
        let entries = timeline.entries.iter().map(|entry| Line {
            at: entry.at.as_millis_f64(),
            lane: (!matches!(entry.event, Event::Fault { .. }))
                .then(|| lane(&pair(&entry.actor).map_or_else(|| entry.actor.clone(), |(host, _)| host))),
            pair: pair(&entry.actor).map(|(_, other)| other.to_string()),
            text: event_line(&entry.event),
            event: entry.event.clone(),
        });
        let entries: Vec<Line> = entries.collect();
        let packets = Packets::new(&timeline.packets, payloads, &mut lane);
        Self {
            name: name.into(),
            lanes: lanes.iter().map(ToString::to_string).collect(),
            entries,
            packets,
            arrows: Vec::new(),
            messages: Vec::new(),
            source: None,
            end: end.as_millis_f64(),
        }
    }

    /// The same with these messages of a captured call; those of whom no lane is are left out.
    pub fn captured(mut self, messages: &[CapturedMessage]) -> Self {
        let lane = |name: &Name| self.lanes.iter().position(|lane| *lane == name.to_string());
        let arrow = |message: &CapturedMessage| {
            let CapturedMessage { from, to, at, until, kind, detail, body } = message;
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            Some(Arrow {
                at: at.as_millis_f64(),
                until: until.map(VirtualTime::as_millis_f64),
                from: lane(from)?,
                to: to.as_ref().and_then(lane),
                kind: kind.clone(),
                text: format!("→ {kind} to {}{detail}", to.as_ref().map_or("the server", Name::as_str)),
                body: body.clone(),
            })
        };
        self.arrows = messages.iter().filter_map(arrow).collect();
        self
    }

    /// The same with the bodies of its messages.
    pub fn messages(mut self, messages: Vec<Message>) -> Self {
        self.messages = messages;
        self
    }

    /// The same with the scenario that was played.
    pub fn source(mut self, source: Option<Source>) -> Self {
        self.source = source;
        self
    }
}

impl Source {
    /// The file `file` with this text, whose steps are carried out at these times. Steps are found where each has a
    /// table of its own, `[[steps]]`, in the order of their times; else none is.
    pub fn new(file: impl Into<String>, text: impl Into<String>, at_ms: &[f64]) -> Self {
        let (file, text) = (file.into(), text.into());
        let mut places: Vec<(usize, usize)> = Vec::new();
        let mut within = false;
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
            if line.starts_with('[') && !line.starts_with("[steps") {
                within = line.strip_prefix("[[steps]]").is_some();
                if within {
                    places.push((number, number));
                }
            } else if within && !line.is_empty() && !line.starts_with('#') {
                places.last_mut().expect("within one").1 = number;
            }
        }
        let steps = match places.len() == at_ms.len() {
            true => at_ms
                .iter()
                .zip(places)
                .map(|(&at_ms, (first, last))| SourceStep { at_ms, first, last })
                .collect(),
            false => Vec::new(),
        };
        Self { file, text, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_by_their_tables() {
        let text = "version = 1\n[[steps]]\nat = \"1s\"\n\n# then\n[[steps]]\nat = \"6s\"\ncaller = \"hang-up\"\n[expect]\n";
        let places = |at: &[f64]| {
            let steps = Source::new("a.toml", text, at).steps;
            steps.iter().map(|step| (step.first, step.last)).collect::<Vec<_>>()
        };
        assert_eq!(places(&[1000.0, 6000.0]), [(2, 3), (6, 8)]);
        assert_eq!(places(&[1000.0]), [], "not what is in the file");
    }
}
