//! The short forms in which an rtcstats service stores what it is sent (file format 3).

use std::borrow::Cow;

use serde_json::Value;

/// The type of a line in full; one that is not short is itself.
pub(super) fn type_name(short: &str) -> Cow<'_, str> {
    let known = TYPES.iter().find(|(number, _)| *number == short);
    known.map_or(Cow::Borrowed(short), |(_, name)| Cow::Borrowed(*name))
}

/// The member of an object of statistics in full, where it is one that is of use; else as it is.
pub(super) fn member(short: &str) -> &str {
    MEMBERS.iter().find(|(number, _)| *number == short).map_or(short, |(_, name)| name)
}

/// The type of an object of statistics (W3C webrtc-stats §6) in full.
pub(super) fn statistics_type(short: &Value) -> String {
    match short {
        Value::String(name) => name.clone(),
        Value::Number(number) => {
            let place = number.as_u64().and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
            place.and_then(|place| STATISTICS.get(place)).map(|name| (*name).to_owned()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

const TYPES: &[(&str, &str)] = &[
    ("g", "getStats"),
    ("1", "getStats"),
    ("2", "createOffer"),
    ("3", "createOfferOnSuccess"),
    ("4", "createAnswer"),
    ("5", "createAnswerOnSuccess"),
    ("6", "setLocalDescription"),
    ("7", "setLocalDescriptionOnSuccess"),
    ("8", "setRemoteDescription"),
    ("9", "setRemoteDescriptionOnSuccess"),
    ("10", "addIceCandidate"),
    ("11", "addIceCandidateOnSuccess"),
    ("12", "createOfferOnFailure"),
    ("13", "createAnswerOnFailure"),
    ("14", "setLocalDescriptionOnFailure"),
    ("15", "setRemoteDescriptionOnFailure"),
    ("16", "addIceCandidateOnFailure"),
    ("20", "onicecandidate"),
    ("21", "onicecandidateerror"),
    ("22", "ontrack"),
    ("23", "onsignalingstatechange"),
    ("24", "oniceconnectionstatechange"),
    ("25", "onconnectionstatechange"),
    ("26", "onicegatheringstatechange"),
    ("27", "onnegotiationneeded"),
    ("28", "ondatachannel"),
    ("30", "addTrack"),
    ("32", "addTransceiver"),
    ("34", "removeTrack"),
    ("35", "createDataChannel"),
    ("36", "close"),
    ("37", "restartIce"),
    ("38", "setConfiguration"),
    ("39", "create"),
    ("40", "constraints"),
    ("51", "replaceTrack"),
    ("60", "navigator.mediaDevices.getUserMedia"),
    ("61", "navigator.mediaDevices.getUserMediaOnSuccess"),
    ("63", "navigator.mediaDevices.getDisplayMedia"),
    ("64", "navigator.mediaDevices.getDisplayMediaOnSuccess"),
    ("65", "navigator.mediaDevices.getUserMediaOnFailure"),
    ("68", "navigator.mediaDevices.getDisplayMediaOnFailure"),
];

const MEMBERS: &[(&str, &str)] = &[
    ("14", "packetsReceived"),
    ("15", "packetsLost"),
    ("79", "packetsSent"),
    ("116", "protocol"),
    ("118", "state"),
    ("125", "selectedCandidatePairId"),
    ("136", "candidateType"),
    ("148", "localCandidateId"),
    ("149", "remoteCandidateId"),
    ("150", "nominated"),
    ("152", "currentRoundTripTime"),
];

/// By their numbers, from 1.
const STATISTICS: &[&str] = &[
    "inbound-rtp",
    "outbound-rtp",
    "remote-inbound-rtp",
    "remote-outbound-rtp",
    "transport",
    "candidate-pair",
    "local-candidate",
    "remote-candidate",
    "data-channel",
    "peer-connection",
    "certificate",
    "media-source",
    "media-playout",
    "codec",
];

/// What one connection made last: a description that says `m=` alone for a media section, or `v=` for the session's,
/// has that section unchanged from the one before it (`createOffer` and `setLocalDescription` mostly agree).
#[derive(Default)]
pub(super) struct Descriptions {
    last: Vec<(String, String)>,
}

impl Descriptions {
    /// The value of a line of type `name`, its description whole.
    pub(super) fn whole(&mut self, name: &str, mut value: Value) -> Value {
        if !matches!(name, "createOfferOnSuccess" | "createAnswerOnSuccess" | "setLocalDescription") {
            return value;
        }
        let Some(object) = value.as_object_mut() else { return value };
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let (Some(kind), Some(sdp)) = (text("type"), text("sdp").filter(|sdp| !sdp.is_empty())) else {
            return value;
        };
        let before = self.last.iter().position(|(known, _)| *known == kind);
        let sdp = match before {
            Some(place) => expanded(&sdp, &self.last[place].1),
            None => sdp,
        };
        object.insert("sdp".to_owned(), Value::String(sdp.clone()));
        match before {
            Some(place) => self.last[place].1 = sdp,
            None => self.last.push((kind, sdp)),
        }
        value
    }
}

fn expanded(short: &str, base: &str) -> String {
    let base = sections(base);
    let sections = sections(short);
    let is_left_out = |section: &str| matches!(section, "m=" | "v=");
    if !sections.iter().any(|section| is_left_out(section)) {
        return short.to_owned();
    }
    let whole = sections.iter().enumerate().map(|(index, section)| match base.get(index) {
        Some(before) if is_left_out(section) => *before,
        _ => *section,
    });
    whole.collect::<Vec<_>>().join("\r\n") + "\r\n"
}

/// The session's section, and each media section, without the line break at its end.
fn sections(sdp: &str) -> Vec<&str> {
    let starts = std::iter::once(0).chain(sdp.match_indices("\nm=").map(|(at, _)| at + 1));
    let starts: Vec<usize> = starts.chain([sdp.len()]).collect();
    starts.windows(2).map(|pair| sdp[pair[0]..pair[1]].trim()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_names_stand_for_long_ones_and_long_ones_for_themselves() {
        assert_eq!(type_name("24"), "oniceconnectionstatechange");
        assert_eq!(type_name("g"), "getStats");
        assert_eq!(type_name("close"), "close");
        assert_eq!(member("152"), "currentRoundTripTime");
        assert_eq!(member("state"), "state");
        assert_eq!(statistics_type(&json!(6)), "candidate-pair");
        assert_eq!(statistics_type(&json!("transport")), "transport");
        assert_eq!(statistics_type(&json!(0)), "");
        assert_eq!(statistics_type(&json!(99)), "");
    }

    #[test]
    fn sections_that_did_not_change_come_from_the_description_before() {
        let mut descriptions = Descriptions::default();
        let mut whole = |name: &str, kind: &str, sdp: &str| {
            descriptions.whole(name, json!({ "type": kind, "sdp": sdp }))["sdp"].as_str().unwrap().to_owned()
        };
        let first = "v=0\r\no=- 1 2\r\nm=audio 9\r\na=mid:0\r\nm=video 9\r\na=mid:1\r\n";
        assert_eq!(whole("createOfferOnSuccess", "offer", first), first);
        assert_eq!(whole("setLocalDescription", "offer", "v=\r\nm=\r\nm=\r\n"), first);
        let changed = "v=0\r\no=- 1 3\r\nm=\r\nm=video 9\r\na=mid:1\r\na=sendonly\r\n";
        let expect = "v=0\r\no=- 1 3\r\nm=audio 9\r\na=mid:0\r\nm=video 9\r\na=mid:1\r\na=sendonly\r\n";
        assert_eq!(whole("createOfferOnSuccess", "offer", changed), expect);
        // Answers are another row, and what the other side made is written in full.
        assert_eq!(whole("setLocalDescription", "answer", "v=\r\nm=\r\n"), "v=\r\nm=\r\n");
        assert_eq!(whole("setRemoteDescription", "offer", "v=\r\n"), "v=\r\n");
    }

    #[test]
    fn a_section_that_was_never_there_stays_short() {
        let mut descriptions = Descriptions::default();
        descriptions.whole("createOfferOnSuccess", json!({ "type": "offer", "sdp": "v=0\r\n" }));
        let value = descriptions
            .whole("setLocalDescription", json!({ "type": "offer", "sdp": "v=\r\nm=\r\nm=\r\n" }));
        assert_eq!(value["sdp"], "v=0\r\nm=\r\nm=\r\n");
    }
}
