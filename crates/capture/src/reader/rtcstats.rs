//! rtcstats dumps: one JSON array a line, `[type, connection, value, …, time]`, in three forms.
//!
//! - The "rtcstats dump" of `chrome://webrtc-internals`: after two lines of heading, `time` is milliseconds since the
//!   line before, the first line's since the epoch.
//! - What an rtcstats service stores: the same, and types, members of statistics and descriptions are
//!   shortened ([`compressed`]).
//! - What an older rtcstats server stores (Jitsi's): no heading, and each line's `time` is milliseconds since the epoch.

mod compressed;

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    MediaRequest, Recording, TimedSample,
    input::{Budget, Input},
    lines::{LineError, array, for_each_line},
    peer_log::{PeerLog, outcome_of},
    stats::{self, Statistics},
    webrtc_internals::constraints,
};
use crate::{
    json,
    limits::Limits,
    moment::Moment,
    trace::{ApiCall, CallResult, Method},
};

pub(super) fn read(mut recording: Recording, input: &mut Input<'_>, limits: &Limits) -> Recording {
    let mut dump = Dump::default();
    for_each_line(&mut recording, input, limits, |recording, line, budget| {
        dump.line(recording, line, budget)
    });
    recording.connections = dump.peers.into_values().map(|peer| peer.log.finish()).collect();
    recording.connections.sort_by_key(|log| dump.order.get(&log.key).copied());
    recording
}

/// Times from here on are moments, not differences, in milliseconds: the year 1973.
const FIRST_MOMENT_MS: f64 = 1e11;

/// The page of connections whose names tell none: a dump of one page alone.
const ONLY_PAGE: &str = "";

#[derive(Default)]
struct Dump {
    /// The time of the line before, in milliseconds since the epoch: its own, or the sum of all differences, of which
    /// some are negative.
    clock_ms: f64,
    peers: BTreeMap<String, Peer>,
    /// The place of each connection among those that were named.
    order: BTreeMap<String, usize>,
    /// The ids of requests for media and their places among the recording's.
    requests: Vec<(String, usize)>,
}

struct Peer {
    log: PeerLog,
    statistics: Statistics,
    descriptions: compressed::Descriptions,
}

impl Peer {
    fn new(key: &str) -> Self {
        let mut log = PeerLog::new(key);
        log.log().page.get_or_insert_with(|| ONLY_PAGE.to_owned());
        Self { log, statistics: Statistics::default(), descriptions: compressed::Descriptions::default() }
    }
}

impl Dump {
    fn line(&mut self, recording: &mut Recording, line: &str, budget: &mut Budget) -> Result<(), LineError> {
        let line = line.trim();
        if line.starts_with("RTCStatsDump") || line.starts_with('{') {
            return Ok(());
        }
        let mut fields = array(line)?;
        let time = fields.pop().and_then(|time| time.as_f64()).ok_or(LineError::NoTime)?;
        self.clock_ms = if time >= FIRST_MOMENT_MS { time } else { self.clock_ms + time };
        let mut fields = fields.into_iter();
        let name = fields.next().unwrap_or_default();
        let name: Cow<'_, str> = match &name {
            Value::String(name) => compressed::type_name(name),
            Value::Number(number) => compressed::type_name(&number.to_string()).into_owned().into(),
            _ => return Err(LineError::NoType),
        };
        let at = Moment::from_millis(self.clock_ms).ok_or(LineError::BadTime)?;
        recording.observe(at);
        let key = fields.next().and_then(|key| key.as_str().map(str::to_owned));
        let value = json::unwrapped(fields.next().unwrap_or_default());
        let extra: Vec<Value> = fields.collect();
        let is_media = name.starts_with("navigator.mediaDevices.");
        let Some(key) = key.or_else(|| is_media.then(|| ONLY_PAGE.to_owned())) else { return Ok(()) };
        if name.eq_ignore_ascii_case("getStats") {
            self.statistics(at, &key, &value, budget);
        } else if budget.take(line.len() * 2) && is_media {
            self.media_request(recording, at, &name, &key, &value, &extra);
        } else if !budget.is_full() {
            self.entry(at, &name, &key, value, &extra);
        }
        Ok(())
    }

    fn entry(&mut self, at: Moment, name: &str, key: &str, value: Value, extra: &[Value]) {
        match name {
            "create" => {
                let log = self.peer(key).log.log();
                log.created = Some(at);
                log.configuration = json::configuration(&value);
                log.url = extra.first().and_then(Value::as_str).map(str::to_owned);
            }
            // The page has gone, or the connection was collected; `close` is an entry of its own.
            "remove" => {}
            _ => {
                let peer = self.peer(key);
                let value = peer.descriptions.whole(name, value);
                peer.log.entry(at, name, &value);
            }
        }
    }

    fn peer(&mut self, key: &str) -> &mut Peer {
        let place = self.order.len();
        self.order.entry(key.to_owned()).or_insert(place);
        self.peers.entry(key.to_owned()).or_insert_with(|| Peer::new(key))
    }

    /// Values that have not changed may be left out of a line.
    fn statistics(&mut self, at: Moment, key: &str, value: &Value, budget: &mut Budget) {
        let peer = self.peer(key);
        for (id, object) in value.as_object().into_iter().flatten() {
            let Some(members) = object.as_object() else { continue };
            let kind = members.get("type").map(compressed::statistics_type).unwrap_or_default();
            for (member, value) in members {
                if let Some(member) = stats::wanted(compressed::member(member)) {
                    peer.statistics.set(id, &kind, member, value.clone());
                }
            }
        }
        if let Some(sample) = peer.statistics.sample().filter(|_| budget.take(0)) {
            peer.log.log().stats.push(TimedSample { at, sample });
        }
    }

    /// `["navigator.mediaDevices.getUserMedia", "8-0", {"audio":true,"video":"{…}"}, id, url]` and its result.
    fn media_request(
        &mut self,
        recording: &mut Recording,
        at: Moment,
        name: &str,
        key: &str,
        value: &Value,
        extra: &[Value],
    ) {
        let id = extra.first().and_then(Value::as_str).unwrap_or(key).to_owned();
        if let Some((_, failed)) = outcome_of(name) {
            let Some((_, place)) = self.requests.iter().rfind(|(known, _)| *known == id) else { return };
            let Some(asked) = recording.media_requests.get_mut(*place) else { return };
            let took = u64::try_from(at.micros_since(asked.at)).unwrap_or(0);
            asked.call.took = Some(Duration::from_micros(took));
            asked.call.result = match failed {
                true => CallResult::Failed(json::text(value).unwrap_or_default()),
                false => CallResult::Succeeded,
            };
        } else if let Some(method) = Method::from_name(name) {
            let mut call = ApiCall::new(method);
            let of = |kind: &str| match value.get(kind) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            call.argument = Some(constraints(&of("audio"), &of("video")));
            let page = key.rsplit_once('-').map_or(key, |(page, _)| page).to_owned();
            self.requests.push((id, recording.media_requests.len()));
            recording.media_requests.push(MediaRequest { page, at, call });
        }
    }
}
