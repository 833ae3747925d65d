//! A run as a trace for ui.perfetto.dev, in the trace event format (JSON), which it opens: it has state machines as
//! slices, messages and packets as flows, and counters, and needs no library.
//!
//! A process is somebody who takes part; its threads are its state machines, what it does, its messages and its packets.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use timeline::{Entry, Event, MessageKind, Name, PacketRecord, Timeline, VirtualTime, event_line};

/// How long something is shown that takes no time, in microseconds: what happens in one millisecond stays apart.
const INSTANT_US: f64 = 1.0;
/// The grain of counters of packets.
const BUCKET_MS: u64 = 100;

/// The trace of a run.
///
/// # Errors
/// None that these values can cause; the signature is that of `serde_json`.
pub fn perfetto(timeline: &Timeline) -> Result<String, serde_json::Error> {
    let mut trace = Trace::default();
    trace.states(timeline);
    for entry in &timeline.entries {
        trace.entry(entry);
    }
    trace.packets(&timeline.packets);
    trace.rates(&timeline.packets);
    let mut events = trace.named();
    events.append(&mut trace.events);
    let trace = json!({ "displayTimeUnit": "ms", "traceEvents": events });
    Ok(serde_json::to_string(&trace)? + "\n")
}

#[derive(Default)]
struct Trace {
    events: Vec<Value>,
    /// Processes by name, and threads by process and name, each numbered from 1.
    processes: BTreeMap<String, u64>,
    threads: BTreeMap<(u64, String), u64>,
    /// When the last slice of a thread ends: slices of one thread stand one behind the other.
    ends: BTreeMap<u64, f64>,
}

/// A thread of a process.
#[derive(Clone, Copy)]
struct Track {
    process: u64,
    thread: u64,
}

fn micros(at: VirtualTime) -> f64 {
    at.as_nanos() as f64 / 1e3
}

impl Trace {
    fn process(&mut self, name: &str) -> u64 {
        let next = self.processes.len() as u64 + 1;
        *self.processes.entry(name.to_owned()).or_insert(next)
    }

    fn track(&mut self, who: &Name, thread: &str) -> Track {
        let process = self.process(who.as_str());
        let next = self.threads.len() as u64 + 1;
        let thread = *self.threads.entry((process, thread.to_owned())).or_insert(next);
        Track { process, thread }
    }

    /// The events that say what processes and threads are called.
    fn named(&self) -> Vec<Value> {
        let processes = self.processes.iter().map(
            |(name, pid)| json!({ "ph": "M", "name": "process_name", "pid": pid, "args": { "name": name } }),
        );
        let threads = self.threads.iter().map(|((pid, name), tid)| {
            json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": name } })
        });
        processes.chain(threads).collect()
    }

    fn slice(&mut self, track: Track, name: &str, start: f64, length: f64, args: &Value) {
        let Track { process, thread } = track;
        self.events.push(json!({
            "ph": "X", "pid": process, "tid": thread, "ts": start, "dur": length, "name": name, "args": args,
        }));
    }

    /// A short slice; moved behind the one before it where both are at one instant. When it begins.
    fn moment(&mut self, track: Track, name: &str, at: f64, args: &Value) -> f64 {
        let start = self.ends.get(&track.thread).copied().unwrap_or(0.0).max(at);
        self.ends.insert(track.thread, start + INSTANT_US);
        self.slice(track, name, start, INSTANT_US, args);
        start
    }

    /// One end of an arrow between two slices: `s` where it leaves, `f` where it arrives.
    fn flow(&mut self, phase: &str, track: Track, category: &str, id: &str, at: f64) {
        let Track { process, thread } = track;
        let mut event = json!({
            "ph": phase, "pid": process, "tid": thread, "ts": at, "id": id, "cat": category, "name": category,
        });
        if phase == "f" {
            event["bp"] = "e".into();
        }
        self.events.push(event);
    }

    fn counter(&mut self, who: &Name, name: &str, at: f64, value: f64) {
        let process = self.process(who.as_str());
        self.events
            .push(json!({ "ph": "C", "pid": process, "ts": at, "name": name, "args": { "value": value } }));
    }

    /// Each state, from when it was entered until it was left, or until the run was over.
    fn states(&mut self, timeline: &Timeline) {
        let ends = [timeline.entries.last().map(|it| it.at), timeline.packets.last().map(|it| it.at)];
        let end = ends.into_iter().flatten().max().map_or(0.0, micros);
        let mut open: BTreeMap<(Name, &'static str), (String, f64)> = BTreeMap::new();
        let mut closed: Vec<(Name, &'static str, String, f64, f64)> = Vec::new();
        for entry in &timeline.entries {
            let Event::Transition { to, .. } = &entry.event else { continue };
            let (key, at) = ((entry.actor.clone(), to.machine().as_str()), micros(entry.at));
            if let Some((state, start)) = open.insert(key.clone(), (to.to_string(), at)) {
                closed.push((key.0, key.1, state, start, at));
            }
        }
        let rest = open.into_iter().map(|((who, machine), (state, start))| (who, machine, state, start, end));
        for (who, machine, state, start, end) in closed.into_iter().chain(rest) {
            let track = self.track(&who, machine);
            self.slice(track, &state, start, (end - start).max(0.0), &json!({}));
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let Entry { at, actor, event } = entry;
        let (at, line) = (micros(*at), event_line(event));
        let message =
            |from: &Name, to: &Name, kind: &MessageKind, id: u64| format!("{from} {to} {kind} {id}");
        match event {
            Event::Transition { .. } => {}
            Event::MessageSent { id, kind, to, detail } => {
                let track = self.track(actor, "messages");
                let start =
                    self.moment(track, &format!("→ {kind}"), at, &json!({ "to": to, "detail": detail }));
                self.flow("s", track, "message", &message(actor, to, kind, *id), start);
            }
            Event::MessageReceived { id, kind, from, detail } => {
                let track = self.track(actor, "messages");
                let args = json!({ "from": from, "detail": detail });
                let start = self.moment(track, &format!("← {kind}"), at, &args);
                self.flow("f", track, "message", &message(from, actor, kind, *id), start);
            }
            Event::Statistics { round_trip_ms, sent_bps, received_bps, .. } => {
                self.counter(actor, "sent bit/s", at, *sent_bps as f64);
                self.counter(actor, "received bit/s", at, *received_bps as f64);
                if let Some(ms) = round_trip_ms {
                    self.counter(actor, "round trip ms", at, *ms as f64);
                }
            }
            _ => {
                let track = self.track(actor, "events");
                self.moment(track, &line, at, &json!({}));
            }
        }
    }

    /// Packets where they were sent, and where they arrived, in the order of arrival, with arrows between.
    fn packets(&mut self, packets: &[PacketRecord]) {
        for (index, packet) in packets.iter().enumerate() {
            let sender = self.track(&packet.from_host, "packets sent");
            let (name, args) = described(packet);
            let sent = self.moment(sender, &name, micros(packet.at), &args);
            if packet.arrived_at().is_some() {
                self.flow("s", sender, "packet", &index.to_string(), sent);
            }
        }
        let mut arrivals: Vec<(VirtualTime, usize)> = packets
            .iter()
            .enumerate()
            .filter_map(|(index, packet)| Some((packet.arrived_at()?, index)))
            .collect();
        arrivals.sort_unstable();
        for (at, index) in arrivals {
            let packet = &packets[index];
            let host = packet.to_host.as_ref().unwrap_or(&packet.from_host);
            let receiver = self.track(host, &format!("packets of {}", packet.from_host));
            let (name, args) = described(packet);
            let arrived = self.moment(receiver, &name, micros(at), &args);
            self.flow("f", receiver, "packet", &index.to_string(), arrived);
        }
    }

    /// What each host sent, lost and had queued, every 100 ms.
    fn rates(&mut self, packets: &[PacketRecord]) {
        #[derive(Default)]
        struct Bucket {
            bytes: u64,
            lost: u64,
            queued_us: u32,
        }
        let mut buckets: BTreeMap<(Name, u64), Bucket> = BTreeMap::new();
        for packet in packets {
            let key = (packet.from_host.clone(), packet.at.as_millis() / BUCKET_MS);
            let bucket = buckets.entry(key).or_default();
            bucket.bytes += u64::from(packet.len);
            bucket.lost += u64::from(packet.arrived_at().is_none());
            bucket.queued_us = bucket.queued_us.max(packet.transit.queued_us);
        }
        let silent: Vec<(Name, u64)> = buckets
            .keys()
            .map(|(who, bucket)| (who.clone(), bucket + 1))
            .filter(|next| !buckets.contains_key(next))
            .collect();
        // A counter keeps its value: who falls silent goes back to nothing.
        for next in silent {
            buckets.insert(next, Bucket::default());
        }
        for ((who, bucket), Bucket { bytes, lost, queued_us }) in buckets {
            let at = (bucket * BUCKET_MS) as f64 * 1e3;
            self.counter(&who, "on the wire bit/s", at, (bytes * 8 * 1000 / BUCKET_MS) as f64);
            self.counter(&who, "packets lost", at, lost as f64);
            self.counter(&who, "longest wait in queues ms", at, f64::from(queued_us) / 1e3);
        }
    }
}

/// Its name, and what is shown when it is clicked on.
fn described(packet: &PacketRecord) -> (String, Value) {
    let args = json!({
        "from": packet.from, "to": packet.to, "bytes": packet.len, "verdict": packet.verdict.to_string(),
        "queued_us": packet.transit.queued_us, "held_us": packet.transit.held_us,
    });
    let name = match packet.arrived_at() {
        Some(_) => packet.protocol.to_string(),
        None => format!("✗ {}", packet.protocol),
    };
    (name, args)
}

#[cfg(test)]
mod tests {
    use timeline::{CallState, Protocol, State, Transit, Verdict};

    use super::*;

    fn timeline() -> Timeline {
        let entry =
            |ms, actor: &str, event| Entry { at: VirtualTime::from_millis(ms), actor: actor.into(), event };
        let call = |from, to| Event::Transition { from: State::Call(from), to: State::Call(to), cause: None };
        let packet = |ms, verdict: Verdict| PacketRecord {
            at: VirtualTime::from_millis(ms),
            from_host: "caller".into(),
            to_host: Some("callee".into()),
            from: "10.0.0.1:1".parse().unwrap(),
            to: "10.0.0.2:2".parse().unwrap(),
            protocol: Protocol::Srtp,
            len: 125,
            verdict,
            translated: None,
            transit: if verdict.arrived() {
                Transit { total_us: 20_000, ..Transit::default() }
            } else {
                Transit::default()
            },
        };
        Timeline {
            entries: vec![
                entry(10, "caller", call(CallState::Idle, CallState::Dialling)),
                entry(
                    10,
                    "caller",
                    Event::MessageSent {
                        id: 1,
                        kind: MessageKind::Ring,
                        to: "callee".into(),
                        detail: "".into(),
                    },
                ),
                entry(
                    30,
                    "callee",
                    Event::MessageReceived {
                        id: 1,
                        kind: MessageKind::Ring,
                        from: "caller".into(),
                        detail: "".into(),
                    },
                ),
                entry(50, "caller", call(CallState::Dialling, CallState::Connecting)),
                entry(90, "caller", Event::Note { what: "over".into() }),
            ],
            packets: vec![packet(60, Verdict::Delivered), packet(60, Verdict::LostUp)],
        }
    }

    fn events() -> Vec<Value> {
        let trace: Value = serde_json::from_str(&perfetto(&timeline()).unwrap()).unwrap();
        trace["traceEvents"].as_array().unwrap().clone()
    }

    #[test]
    fn states_are_slices_from_entering_to_leaving() {
        let slices: Vec<(String, f64, f64)> = events()
            .iter()
            .filter(|event| {
                event["ph"] == "X" && ["dialling", "connecting"].contains(&event["name"].as_str().unwrap())
            })
            .map(|event| {
                let number = |key: &str| event[key].as_f64().unwrap();
                (event["name"].as_str().unwrap().to_owned(), number("ts"), number("dur"))
            })
            .collect();
        let expect = [("dialling", 10_000.0, 40_000.0), ("connecting", 50_000.0, 40_000.0)];
        assert_eq!(slices, expect.map(|(name, ts, dur)| (name.to_owned(), ts, dur)));
    }

    /// Each arrow leaves a slice and arrives at one; what was lost has none.
    #[test]
    fn arrows_begin_and_end_at_slices() {
        let events = events();
        let flows: Vec<&Value> = events.iter().filter(|it| it["ph"] == "s" || it["ph"] == "f").collect();
        assert_eq!(flows.len(), 4, "a message and a packet, each with two ends");
        for flow in flows {
            let slice = events
                .iter()
                .find(|it| it["ph"] == "X" && it["tid"] == flow["tid"] && it["ts"] == flow["ts"]);
            assert!(slice.is_some(), "{flow}");
            let ends = events.iter().filter(|it| it["cat"] == flow["cat"] && it["id"] == flow["id"]).count();
            assert_eq!(ends, 2);
        }
    }

    #[test]
    fn slices_of_a_thread_do_not_overlap_and_counters_fall_back() {
        let events = events();
        let mut ends: BTreeMap<u64, f64> = BTreeMap::new();
        for slice in events.iter().filter(|it| it["ph"] == "X") {
            let (start, length) = (slice["ts"].as_f64().unwrap(), slice["dur"].as_f64().unwrap());
            let end = ends.entry(slice["tid"].as_u64().unwrap()).or_insert(0.0);
            assert!(start >= *end, "{slice}");
            *end = start + length;
        }
        let rates: Vec<f64> = events
            .iter()
            .filter(|it| it["ph"] == "C" && it["name"] == "on the wire bit/s")
            .map(|it| it["args"]["value"].as_f64().unwrap())
            .collect();
        assert_eq!(rates, [20_000.0, 0.0]);
    }
}
