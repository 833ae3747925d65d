//! mediasoup, as protoo carries it: no SDP, but the parameters of each transport as JSON. The server makes a transport
//! (ICE parameters, candidates, DTLS fingerprints: what an offer says), and the client connects it (its fingerprints:
//! what an answer says).

use serde_json::Value;

use super::{trickled, word};
use crate::{
    candidate::Candidate,
    trace::{Signal, SignalKind},
};

pub(super) fn value(value: &Value) -> Option<Vec<Signal>> {
    let is = |key: &str| value.get(key) == Some(&Value::Bool(true));
    let data = value.get("data").unwrap_or(&Value::Null);
    if is("request") {
        return asked(value.get("method")?.as_str()?, data);
    }
    if !is("response") {
        return None;
    }
    // protoo says `ok` of what went well only.
    if value.get("ok") == Some(&Value::Bool(false)) || value.get("errorReason").is_some() {
        let reason = word(value.get("errorReason"));
        return Some(vec![Signal { reason, ..Signal::of(SignalKind::Error) }]);
    }
    // A transport that was made, or the new ICE parameters of one.
    if data.get("iceParameters").is_none() || data.get("dtlsParameters").is_none() {
        return Some(Vec::new());
    }
    let call = word(data.get("id"));
    let offer = Signal { detail: Some("transport".to_owned()), ..Signal::of(SignalKind::Offer) };
    let candidates = data.get("iceCandidates").and_then(Value::as_array).into_iter().flatten();
    let candidates = candidates.filter_map(line).map(trickled);
    let all = std::iter::once(offer).chain(candidates);
    Some(all.map(|signal| Signal { call: call.clone(), ..signal }).collect())
}

fn asked(method: &str, data: &Value) -> Option<Vec<Signal>> {
    let call = word(data.get("transportId"));
    let of = |kind: SignalKind| vec![Signal { call: call.clone(), ..Signal::of(kind) }];
    Some(match method {
        "connectWebRtcTransport" => vec![Signal {
            call: call.clone(),
            detail: Some("transport".to_owned()),
            ..Signal::of(SignalKind::Answer)
        }],
        "join" => of(SignalKind::Join),
        // `createWebRtcTransport`, `produce`, `newConsumer`, `getRouterRtpCapabilities`, `restartIce` and others.
        _ => Vec::new(),
    })
}

/// `{ foundation, priority, ip, protocol, port, type }`.
fn line(value: &Value) -> Option<Candidate> {
    let of = |key: &str| word(value.get(key));
    let address = of("address").or_else(|| of("ip"))?;
    let (foundation, protocol) = (of("foundation")?, of("protocol")?);
    let (priority, port, kind) = (of("priority")?, of("port")?, of("type")?);
    Some(Candidate::new(format!(
        "candidate:{foundation} 1 {protocol} {priority} {address} {port} typ {kind}"
    )))
}
