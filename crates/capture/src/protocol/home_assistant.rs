//! go2rtc (`{ "type": "webrtc/offer", "value": "v=0…" }`) and Home Assistant, which wraps it
//! (`{ "type": "camera/webrtc/offer", "offer": "v=0…" }`, answered by events).

use serde_json::Value;

use super::{described, of_candidate, of_description, word};
use crate::{
    sdp::SdpType,
    trace::{Signal, SignalKind},
};

pub(super) fn value(value: &Value) -> Option<Vec<Signal>> {
    let kind = value.get("type")?.as_str()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let signal = match kind {
        "webrtc/offer" => described(SdpType::Offer, text("value")?),
        "webrtc/answer" => described(SdpType::Answer, text("value")?),
        "webrtc/candidate" => of_candidate(value.get("value")?)?,
        "webrtc" => of_description(value.get("value")?)?,
        // `webrtc/offer: codecs not matched`
        "error" if text("value").is_some_and(|said| said.starts_with("webrtc")) => {
            Signal { reason: word(value.get("value")), ..Signal::of(SignalKind::Error) }
        }
        // The other ways in which go2rtc gives a stream.
        "mse" | "hls" | "mp4" | "mjpeg" if value.get("value").is_some() => return Some(Vec::new()),
        "camera/webrtc/offer" | "camera/web_rtc_offer" => described(SdpType::Offer, text("offer")?),
        "camera/webrtc/candidate" => of_candidate(value.get("candidate")?)?,
        "event" => return event(value.get("event")?),
        "result" => return result(value),
        _ => return None,
    };
    Some(vec![signal])
}

fn event(event: &Value) -> Option<Vec<Signal>> {
    let signal = match event.get("type")?.as_str()? {
        "answer" => described(SdpType::Answer, event.get("answer")?.as_str()?),
        "candidate" => of_candidate(event.get("candidate")?)?,
        "session" => return Some(Vec::new()),
        "error" => Signal { reason: word(event.get("message")), ..Signal::of(SignalKind::Error) },
        _ => return None,
    };
    Some(vec![signal])
}

/// Of the command of older versions, the answer is in its result.
fn result(value: &Value) -> Option<Vec<Signal>> {
    if let Some(sdp) = value.get("result").and_then(|result| result.get("answer")).and_then(Value::as_str) {
        return Some(vec![described(SdpType::Answer, sdp)]);
    }
    let error = value.get("error")?;
    let code = error.get("code").and_then(Value::as_str)?;
    let reason = word(error.get("message"));
    code.contains("rtc").then(|| vec![Signal { reason, ..Signal::of(SignalKind::Error) }])
}
