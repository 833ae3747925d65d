//! From JSON to descriptions, candidates, states and tracks, in the forms that browsers of different ages write.

use serde_json::Value;
use timeline::{Machine, State};

use crate::{
    candidate::Candidate,
    sdp::{Description, SdpType},
    trace::{Configuration, TrackInfo, TransceiverChange},
};

/// The longest text that is kept of a value that has no form of its own, in characters.
const MAX_TEXT: usize = 300;

/// A value that is itself JSON in a string, or not: `"\"stable\""`, `{…}`, `bare text`, nothing.
pub(crate) fn unwrapped(value: Value) -> Value {
    match value {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::String(text) => match text.trim_start().as_bytes().first() {
            Some(b'{' | b'[' | b'"') => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            _ => Value::String(text),
        },
        other => other,
    }
}

/// The value as text for people, cut to a bearable length; `None` where there is none.
pub(crate) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => Some(format!("{}…", &text[..end])),
        None => Some(text),
    }
}

/// `{"type":"offer","sdp":"v=0…"}`, or `type: offer, sdp: v=0…`.
pub(crate) fn description(value: &Value) -> Option<Description> {
    let (kind, sdp) = match value {
        Value::Object(object) => {
            (object.get("type")?.as_str()?, object.get("sdp").and_then(Value::as_str).unwrap_or_default())
        }
        Value::String(text) => {
            let (kind, rest) = text.strip_prefix("type:")?.split_once(',').unwrap_or((text, ""));
            let kind = kind.strip_prefix("type:").unwrap_or(kind);
            (kind.trim(), rest.trim_start().strip_prefix("sdp:").unwrap_or_default().trim_start())
        }
        _ => return None,
    };
    Some(Description { kind: SdpType::from_word(kind)?, sdp: sdp.to_owned() })
}

/// `{"candidate":"candidate:…","sdpMid":"0","sdpMLineIndex":0}`, or
/// `sdpMid: 0, sdpMLineIndex: 0, candidate: candidate:…`.
pub(crate) fn candidate(value: &Value) -> Option<Candidate> {
    match value {
        Value::Object(object) => {
            let of = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
            let mut candidate = Candidate::new(of("candidate")?);
            candidate.mid = of("sdpMid");
            let index = object.get("sdpMLineIndex").and_then(Value::as_u64);
            candidate.mline_index = index.and_then(|index| u16::try_from(index).ok());
            candidate.ufrag = of("usernameFragment").or(candidate.ufrag);
            candidate.url = of("url").filter(|url| !url.is_empty());
            Some(candidate)
        }
        Value::String(text) => {
            let at = text.find("candidate: ").map(|at| at + "candidate: ".len());
            let line = &text[at.or_else(|| text.find("candidate:"))?..];
            let end = [", url:", ", relayProtocol:", ", address:", ", ufrag:"];
            let end = end.iter().filter_map(|end| line.find(end)).min();
            let mut candidate = Candidate::new(line[..end.unwrap_or(line.len())].trim());
            candidate.mid = field(text, "sdpMid").map(str::to_owned);
            candidate.mline_index = field(text, "sdpMLineIndex").and_then(|index| index.parse().ok());
            candidate.url = field(text, "url").map(str::to_owned);
            Some(candidate)
        }
        _ => None,
    }
}

/// The value of `key: value,` in a bare text.
pub(crate) fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let start = text.find(&format!("{key}:"))? + key.len() + 1;
    let value = text[start..].trim_start();
    let end = value.find([',', '\n', '}']).unwrap_or(value.len());
    Some(value[..end].trim().trim_matches(['\'', '"'])).filter(|value| !value.is_empty() && *value != "null")
}

/// The state that a machine entered: `stable`, `ICEConnectionStateConnected`,
/// `SignalingStateHaveLocalOffer`.
pub(crate) fn state(machine: Machine, value: &Value) -> Option<State> {
    let text = value.as_str()?.trim();
    let bare = text.rfind("State").map_or(text, |at| &text[at + "State".len()..]);
    let mut word = String::new();
    for letter in bare.trim_start_matches('k').chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    let word = word.replace("-pr-answer", "-pranswer");
    machine.state(&word)
}

/// `{"kind":"audio","id":"…","streams":["…"]}`, `["audio","id",("label",)"stream"]`, or a bare text.
pub(crate) fn track(value: &Value, labelled: bool) -> TrackInfo {
    match value {
        Value::Object(object) => {
            let of = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let streams = object.get("streams").and_then(Value::as_array).into_iter().flatten();
            let streams = streams.filter_map(Value::as_str).map(str::to_owned).collect();
            TrackInfo { kind: of("kind"), id: of("id"), streams }
        }
        Value::Array(items) => {
            let mut texts = items.iter().map(|item| item.as_str().unwrap_or_default().to_owned());
            let kind = texts.next().unwrap_or_default();
            let id = texts.next().unwrap_or_default();
            TrackInfo { kind, id, streams: texts.skip(usize::from(labelled)).collect() }
        }
        Value::String(text) => {
            // `audio:id stream:stream` of rtcstats servers, else `id: …, audio: …` of older browsers.
            let mut words = text.split_whitespace();
            let first = words.next().and_then(|word| word.split_once(':'));
            if let Some((kind @ ("audio" | "video"), id)) = first.filter(|(_, id)| !id.is_empty()) {
                let streams = words.filter_map(|word| word.strip_prefix("stream:"));
                let streams = streams.map(str::to_owned).collect();
                return TrackInfo { kind: kind.to_owned(), id: id.to_owned(), streams };
            }
            let kind = ["audio", "video"].into_iter().find(|kind| text.contains(kind)).unwrap_or_default();
            let id = field(text, "id").unwrap_or_default();
            TrackInfo { kind: kind.to_owned(), id: id.to_owned(), streams: Vec::new() }
        }
        _ => TrackInfo::default(),
    }
}

/// The value of `transceiverAdded` and `transceiverModified`.
pub(crate) fn transceiver(value: &Value, added: bool) -> TransceiverChange {
    let mut change = TransceiverChange { added, ..TransceiverChange::default() };
    match value {
        Value::Object(object) => {
            let of = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
            change.kind = of("kind").unwrap_or_default();
            change.mid = of("mid");
            change.direction = of("direction");
            change.current_direction = of("currentDirection");
            change.reason = of("reason");
            let track = object.get("sender").and_then(|sender| sender.get("track"));
            change.has_track = track.map(|track| !track.is_null());
        }
        Value::String(text) => {
            let of = |key: &str| field(text, key).map(str::to_owned);
            change.kind = of("kind").unwrap_or_default();
            change.mid = of("mid");
            change.direction = of("direction");
            change.current_direction = of("currentDirection");
            change.reason = field(text, "Caused by").map(str::to_owned);
        }
        _ => {}
    }
    change
}

/// `RTCConfiguration`, as JSON or as the bare text of older browsers.
pub(crate) fn configuration(value: &Value) -> Option<Configuration> {
    if let Value::String(text) = value {
        let urls = text.split(['[', ']', ',', ' ', '"', '\'']);
        let urls = urls.filter(|word| is_ice_url(word)).map(str::to_owned).collect();
        let policy = field(text, "iceTransportPolicy").or_else(|| field(text, "iceTransportType"));
        let ice_transport_policy = policy.map(str::to_owned);
        let bundle_policy = field(text, "bundlePolicy").map(str::to_owned);
        return Some(Configuration { ice_servers: urls, ice_transport_policy, bundle_policy });
    }
    let object = value.as_object()?;
    let of = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let servers = object.get("iceServers").and_then(Value::as_array).into_iter().flatten();
    let urls = servers.flat_map(|server| match server.get("urls").or_else(|| server.get("url")) {
        Some(Value::Array(urls)) => urls.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(url)) => vec![url.clone()],
        _ => Vec::new(),
    });
    Some(Configuration {
        ice_servers: urls.collect(),
        ice_transport_policy: of("iceTransportPolicy"),
        bundle_policy: of("bundlePolicy"),
    })
}

fn is_ice_url(word: &str) -> bool {
    ["stun:", "stuns:", "turn:", "turns:"].iter().any(|scheme| word.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_state(machine: Machine, value: &str, expect: Option<&str>) {
        assert_eq!(state(machine, &unwrapped(json!(value))).map(State::as_str), expect);
    }

    #[test]
    fn states_of_three_generations() {
        check_state(Machine::Ice, "\"connected\"", Some("connected"));
        check_state(Machine::Ice, "checking", Some("checking"));
        check_state(Machine::Ice, "ICEConnectionStateCompleted", Some("completed"));
        check_state(Machine::Signaling, "SignalingStateHaveLocalOffer", Some("have-local-offer"));
        check_state(Machine::Signaling, "SignalingStateHaveRemotePrAnswer", Some("have-remote-pranswer"));
        check_state(Machine::Gathering, "ICEGatheringStateComplete", Some("complete"));
        check_state(Machine::Ice, "dancing", None);
    }

    #[test]
    fn descriptions_of_two_generations() {
        let new = description(&unwrapped(json!("{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}"))).unwrap();
        let old = description(&json!("type: offer, sdp: v=0\r\n")).unwrap();
        assert_eq!(new, old);
        assert_eq!(description(&json!({"type":"rollback"})), Some(Description::rollback()));
        assert_eq!(description(&Value::Null), None);
        assert_eq!(description(&json!("type: nonsense")), None);
    }

    #[test]
    fn candidates_of_two_generations() {
        let line = "candidate:1 1 udp 2 10.0.0.1 5 typ srflx ufrag ab";
        let new =
            candidate(&json!({"sdpMid":"0","sdpMLineIndex":0,"candidate":line,"url":"stun:x"})).unwrap();
        let old = format!("sdpMid: 0, sdpMLineIndex: 0, candidate: {line}, url: stun:x, relayProtocol: null");
        assert_eq!(candidate(&json!(old)), Some(new));
    }

    #[test]
    fn tracks_of_four_generations() {
        let check = |value: Value, labelled: bool, streams: &[&str]| {
            let found = track(&value, labelled);
            assert_eq!((found.kind.as_str(), found.id.as_str()), ("video", "t1"), "{value}");
            assert_eq!(found.streams, streams, "{value}");
        };
        check(json!({ "kind": "video", "id": "t1", "streams": ["s1"] }), false, &["s1"]);
        check(json!(["video", "t1", "FaceTime", "s1"]), true, &["s1"]);
        check(json!("video:t1 stream:s1"), true, &["s1"]);
        check(json!("video:t1 -"), true, &[]);
        check(json!("id: t1, video: [t1]"), true, &[]);
    }

    #[test]
    fn configurations_of_two_generations() {
        let new = configuration(&json!({"iceServers":[{"urls":["stun:a"]},{"url":"turn:b?transport=udp"}],
            "iceTransportPolicy":"relay"}));
        let old = configuration(&json!(
            "{ iceServers: [stun:a, turn:b?transport=udp], iceTransportPolicy: relay, bundlePolicy: null }"
        ));
        assert_eq!(new, old);
    }
}
