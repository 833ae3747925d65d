//! The dump of `chrome://webrtc-internals`: one JSON document, in the form of today and in the two older
//! ones (entries with a locale date instead of a timestamp, bare values, other names).

use std::collections::BTreeMap;

use serde::de::{MapAccess, SeqAccess};
use serde_json::Value;

use super::{
    MediaRequest, Recording, TimedSample,
    document::stream,
    input::{Budget, Input},
    lenient::{Array, Fields, Items, Number, Object, Text},
    peer_log::PeerLog,
    stats::{self, Statistics},
    times,
};
use crate::{
    json,
    limits::Limits,
    moment::Moment,
    trace::{ApiCall, CallResult, Method},
};

pub(super) fn read(mut recording: Recording, input: &mut Input<'_>, limits: &Limits) -> Recording {
    let mut dump = Dump {
        budget: Budget::new(limits),
        peers: Vec::new(),
        requests: Vec::new(),
        timeless: 0,
        last: None,
        has_other_form: false,
        made: None,
    };
    stream(&mut dump, &mut recording, input, limits, |dump| dump.budget.is_full());
    if dump.timeless > 0 {
        let what =
            format!("{} entries have no time that can be read; they stand where they stood", dump.timeless);
        recording.gap(crate::error::Position::default(), what);
    }
    if dump.has_other_form && dump.peers.is_empty() {
        recording.gap(
            crate::error::Position::default(),
            "its connections stand under `peerConnections`, in a form of 2016 that is not read",
        );
    }
    dump.made.into_iter().for_each(|at| recording.observe(at));
    recording.media_requests = requests(dump.requests);
    recording.connections = dump.peers.into_iter().map(Peer::finish).collect();
    recording
}

/// The whole dump.
struct Dump {
    budget: Budget,
    peers: Vec<Peer>,
    requests: Vec<Request>,
    timeless: u64,
    last: Option<Moment>,
    /// Whether connections stand in it in a form that is not read.
    has_other_form: bool,
    /// When the dump was made.
    made: Option<Moment>,
}

impl Fields for Dump {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "PeerConnections" => map.next_value_seed(Object(&mut Connections(self))),
            // An rtcstats server of 2016 wrote its dumps in this form.
            "peerConnections" => {
                self.has_other_form = true;
                map.next_value::<serde::de::IgnoredAny>().map(drop)
            }
            "getUserMedia" => map.next_value_seed(Array(&mut Requests(self))),
            "timestamp" => {
                self.made = map.next_value::<Number>()?.0.and_then(Moment::from_millis);
                Ok(())
            }
            _ => map.next_value::<serde::de::IgnoredAny>().map(drop),
        }
    }
}

struct Connections<'d>(&'d mut Dump);

impl Fields for Connections<'_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if !self.0.budget.take(key.len()) {
            return Err(serde::de::Error::custom("memory"));
        }
        // It is kept at once, so that a dump that ends within it shows what there was.
        self.0.peers.push(Peer { log: PeerLog::new(key), series: Vec::new() });
        map.next_value_seed(Object(&mut OnePeer(self.0)))
    }
}

/// One peer connection: its log, and its statistics as `(id, type, member, times, values)`.
struct Peer {
    log: PeerLog,
    series: Vec<Series>,
}

#[derive(Default)]
struct Series {
    id: String,
    kind: String,
    member: String,
    start: Option<Moment>,
    end: Option<Moment>,
    values: Vec<Value>,
}

/// The connection that was kept last.
struct OnePeer<'d>(&'d mut Dump);

impl OnePeer<'_> {
    fn log(&mut self) -> Option<&mut PeerLog> {
        self.0.peers.last_mut().map(|peer| &mut peer.log)
    }
}

impl Fields for OnePeer<'_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "url" => {
                let url = map.next_value::<Text>()?.0;
                if let Some(log) = self.log() {
                    log.log().url = url;
                }
            }
            "rtcConfiguration" => {
                let text = map.next_value::<Text>()?.0.unwrap_or_default();
                if let Some(log) = self.log() {
                    log.log().configuration = json::configuration(&json::unwrapped(Value::String(text)));
                }
            }
            "stats" => map.next_value_seed(Object(&mut Stats(self.0)))?,
            "updateLog" => map.next_value_seed(Array(&mut UpdateLog(self.0)))?,
            _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
        }
        Ok(())
    }
}

struct UpdateLog<'d>(&'d mut Dump);

impl Items for UpdateLog<'_> {
    fn item<'de, A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<bool, A::Error> {
        let mut entry = Update::default();
        if seq.next_element_seed(Object(&mut entry))?.is_none() {
            return Ok(false);
        }
        let value = entry.value.unwrap_or_default();
        if !self.0.budget.take(entry.kind.len() + value.len() * 2) {
            return Err(serde::de::Error::custom("memory"));
        }
        if entry.at.is_none() {
            self.0.timeless += 1;
        }
        let at = entry.at.or(self.0.last).unwrap_or_default();
        self.0.last = Some(at);
        if let Some(peer) = self.0.peers.last_mut() {
            peer.log.entry(at, &entry.kind, &json::unwrapped(Value::String(value)));
        }
        Ok(true)
    }
}

#[derive(Default)]
struct Update {
    kind: String,
    value: Option<String>,
    at: Option<Moment>,
}

impl Fields for Update {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => self.kind = map.next_value::<Text>()?.0.unwrap_or_default(),
            "value" => self.value = map.next_value::<Text>()?.0,
            "timestamp" => {
                let at = map.next_value::<Number>()?.0.and_then(Moment::from_millis);
                self.at = at.or(self.at);
            }
            "time" => {
                let at = map.next_value::<Text>()?.0.and_then(|text| times::moment(&text));
                self.at = self.at.or(at);
            }
            _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
        }
        Ok(())
    }
}

struct Stats<'d>(&'d mut Dump);

impl Fields for Stats<'_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let (id, member) = key.rsplit_once('-').unwrap_or(("", key));
        if stats::wanted(member).is_none() && member != "timestamp" {
            return map.next_value::<serde::de::IgnoredAny>().map(drop);
        }
        let mut series = Series { id: id.to_owned(), member: member.to_owned(), ..Series::default() };
        map.next_value_seed(Object(&mut series))?;
        if !self.0.budget.take(series.id.len() + series.values.len() * 64) {
            return Err(serde::de::Error::custom("memory"));
        }
        if let Some(peer) = self.0.peers.last_mut() {
            peer.series.push(series);
        }
        Ok(())
    }
}

impl Fields for Series {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "statsType" => self.kind = map.next_value::<Text>()?.0.unwrap_or_default(),
            "startTime" => self.start = map.next_value::<Text>()?.0.and_then(|text| times::moment(&text)),
            "endTime" => self.end = map.next_value::<Text>()?.0.and_then(|text| times::moment(&text)),
            "values" => {
                let text = map.next_value::<Text>()?.0.unwrap_or_default();
                self.values = serde_json::from_str(&text).unwrap_or_default();
            }
            _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Peer {
    fn finish(self) -> super::ConnectionLog {
        let samples = samples(&self.series);
        let mut log = self.log.finish();
        log.stats = samples;
        log
    }
}

/// The series put together again, moment by moment.
fn samples(series: &[Series]) -> Vec<TimedSample> {
    let mut points: Vec<(Moment, &Series, &Value)> = Vec::new();
    let mut ticks: Vec<Moment> = Vec::new();
    let stamps: BTreeMap<&str, &Series> =
        series.iter().filter(|one| one.member == "timestamp").map(|one| (one.id.as_str(), one)).collect();
    for one in series.iter().filter(|one| one.member != "timestamp") {
        let stamps = stamps.get(one.id.as_str()).copied();
        for (index, value) in one.values.iter().enumerate() {
            if let Some(at) = time_of(one, stamps, index) {
                points.push((at, one, value));
                ticks.extend(matches!(one.kind.as_str(), "transport" | "candidate-pair").then_some(at));
            }
        }
    }
    points.sort_by_key(|(at, ..)| *at);
    ticks.sort_unstable();
    ticks.dedup();
    // A dump that holds counters alone has no ticks but theirs.
    if ticks.is_empty() {
        ticks = points.iter().map(|(at, ..)| *at).collect();
        ticks.dedup();
    }
    let (mut statistics, mut points, mut samples) =
        (Statistics::default(), points.into_iter().peekable(), Vec::new());
    for tick in ticks {
        while let Some((_, one, value)) = points.next_if(|(at, ..)| *at <= tick) {
            if let Some(member) = stats::wanted(&one.member) {
                statistics.set(&one.id, &one.kind, member, value.clone());
            }
        }
        samples.extend(statistics.sample().map(|sample| TimedSample { at: tick, sample }));
    }
    samples
}

/// When the value with this index was taken: by the object's own timestamps, else spread evenly between the
/// first and the last.
fn time_of(series: &Series, stamps: Option<&Series>, index: usize) -> Option<Moment> {
    let stamp = stamps.and_then(|stamps| {
        // A member that came up later has fewer values; the last ones belong together.
        let missing = stamps.values.len().checked_sub(series.values.len())?;
        stamps.values.get(index + missing)?.as_f64().and_then(Moment::from_millis)
    });
    stamp.or_else(|| {
        let (start, end) = (series.start?, series.end?);
        let steps = i64::try_from(series.values.len().saturating_sub(1).max(1)).ok()?;
        let step = end.micros_since(start) / steps;
        Some(start.shifted(step.saturating_mul(i64::try_from(index).ok()?)))
    })
}

struct Requests<'d>(&'d mut Dump);

impl Items for Requests<'_> {
    fn item<'de, A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<bool, A::Error> {
        let mut request = Request::default();
        if seq.next_element_seed(Object(&mut request))?.is_none() {
            return Ok(false);
        }
        if !self.0.budget.take(request.audio.len() + request.video.len()) {
            return Err(serde::de::Error::custom("memory"));
        }
        self.0.requests.push(request);
        Ok(true)
    }
}

/// A request or its result; the two are told apart by their fields.
#[derive(Default)]
struct Request {
    page: String,
    id: String,
    kind: String,
    at: Option<Moment>,
    audio: String,
    video: String,
    asks: bool,
    error: Option<String>,
}

impl Fields for Request {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key == "timestamp" {
            self.at = map.next_value::<Number>()?.0.and_then(Moment::from_millis);
            return Ok(());
        }
        let Some(text) = map.next_value::<Text>()?.0 else { return Ok(()) };
        match key {
            "rid" => self.page = text,
            "request_id" => self.id = text,
            "request_type" => self.kind = text,
            "origin" | "url" => self.asks = true,
            "audio" => self.audio = if text.is_empty() { "true".to_owned() } else { text },
            "video" => self.video = if text.is_empty() { "true".to_owned() } else { text },
            "error" => self.error = Some(text),
            "error_message" => self.error = Some(format!("{} {text}", self.error.take().unwrap_or_default())),
            _ => {}
        }
        Ok(())
    }
}

/// Requests with their results.
fn requests(all: Vec<Request>) -> Vec<MediaRequest> {
    let mut found: Vec<(String, MediaRequest)> = Vec::new();
    for request in all {
        let Some(at) = request.at else { continue };
        if request.asks {
            let method = Method::from_name(&request.kind).unwrap_or(Method::GetUserMedia);
            let mut call = ApiCall::new(method);
            call.argument = Some(constraints(&request.audio, &request.video));
            found.push((request.id, MediaRequest { page: request.page, at, call }));
        } else if let Some((_, asked)) =
            found.iter_mut().find(|(id, asked)| *id == request.id && asked.page == request.page)
        {
            let took = u64::try_from(at.micros_since(asked.at)).unwrap_or(0);
            asked.call.took = Some(std::time::Duration::from_micros(took));
            asked.call.result = match request.error {
                Some(error) => CallResult::Failed(error.trim().to_owned()),
                None => CallResult::Succeeded,
            };
        }
    }
    found.into_iter().map(|(_, request)| request).collect()
}

/// `audio: true, video: {…}`.
pub(super) fn constraints(audio: &str, video: &str) -> String {
    let named = [("audio", audio), ("video", video)];
    let parts = named.iter().filter(|(_, value)| !value.is_empty() && *value != "false");
    parts.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ")
}
