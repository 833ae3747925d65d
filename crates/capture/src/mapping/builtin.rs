//! The mappings that come with the crate.

use super::{Framing, Mapping};

/// In the order in which they are tried: the more a mapping asks for, the earlier.
pub(super) fn all() -> Vec<Mapping> {
    vec![relay(), plain(), envelope("envelope", Framing::Plain), envelope("socket.io", Framing::SocketIo)]
}

fn texts(pointers: &[&str]) -> Vec<String> {
    pointers.iter().map(|pointer| (*pointer).to_owned()).collect()
}

/// This project's relay: `{"version":1,"id":3,"call":"c1","from":"alice","to":"bob","body":{"type":…}}`.
fn relay() -> Mapping {
    Mapping {
        name: "relay".to_owned(),
        kind: texts(&["/body/type"]),
        sdp: texts(&["/body/sdp"]),
        candidate: texts(&["/body"]),
        from: texts(&["/from"]),
        to: texts(&["/to"]),
        call: texts(&["/call"]),
        reason: texts(&["/body/reason"]),
        audio: texts(&["/body/media/audio"]),
        video: texts(&["/body/media/video"]),
        ..Mapping::default()
    }
}

const CALL_KEYS: [&str; 12] = [
    "/callId",
    "/call_id",
    "/call",
    "/roomId",
    "/room_id",
    "/room",
    "/sessionId",
    "/session_id",
    "/session",
    "/conversationId",
    "/channel",
    "/callID",
];
const FROM_KEYS: [&str; 10] = [
    "/from",
    "/sender",
    "/senderId",
    "/sender_id",
    "/fromId",
    "/from_id",
    "/source",
    "/src",
    "/userId",
    "/clientId",
];
const TO_KEYS: [&str; 10] = [
    "/to",
    "/target",
    "/targetId",
    "/target_id",
    "/toId",
    "/to_id",
    "/receiver",
    "/recipient",
    "/dst",
    "/destination",
];
/// Where the description stands within a payload.
const SDP_KEYS: [&str; 12] = [
    "/sdp",
    "/sdp/sdp",
    "/description/sdp",
    "/desc/sdp",
    "/offer/sdp",
    "/answer/sdp",
    "/jsep/sdp",
    "/sessionDescription/sdp",
    "/sdpOffer",
    "/sdpAnswer",
    "/offer",
    "/answer",
];
const CANDIDATE_KEYS: [&str; 6] =
    ["/candidate", "/ice", "/iceCandidate", "/ice_candidate", "/ice/candidate", ""];

/// `{type, sdp}`, `{candidate}`, `{candidate, sdpMid}`, with sender, addressee and call beside them.
fn plain() -> Mapping {
    let mut mapping = Mapping { name: "plain".to_owned(), ..Mapping::default() };
    mapping.kind =
        texts(&["/type", "/kind", "/event", "/action", "/cmd", "/command", "/method", "/op", "/msgType"]);
    mapping.kind.extend(texts(&["/sdp/type", "/description/type", "/desc/type", "/jsep/type"]));
    mapping.fill(&[""]);
    mapping.reason = texts(&[
        "/reason",
        "/code",
        "/cause",
        "/message",
        "/error/message",
        "/error/reason",
        "/error",
        "/data",
    ]);
    mapping
}

/// `{event, data}`, `{action, payload}`, `{type: "signal", data: {type, sdp}}`: the payload one level down.
fn envelope(name: &str, framing: Framing) -> Mapping {
    const PAYLOADS: [&str; 11] = [
        "/data",
        // JSON-RPC: `params` of a request, `result` of its response.
        "/result",
        "/payload",
        "/body",
        "/message",
        "/msg",
        "/signal",
        "/params",
        "/content",
        "/data/signal",
        "/data/data",
    ];
    let mut mapping = Mapping { name: name.to_owned(), framing, ..Mapping::default() };
    // A word inside says more than one outside: `message` says nothing, the `offer` in it does.
    for payload in PAYLOADS {
        mapping.kind.extend(
            ["/type", "/kind", "/event", "/action", "/sdp/type", "/description/type"]
                .map(|key| format!("{payload}{key}")),
        );
    }
    mapping.kind.extend(texts(&["/event", "/type", "/action", "/cmd", "/method", "/kind", "/name", "/op"]));
    mapping.fill(&PAYLOADS);
    mapping.from.extend(texts(&FROM_KEYS));
    mapping.to.extend(texts(&TO_KEYS));
    mapping.call.extend(texts(&CALL_KEYS));
    const REASONS: [&str; 4] = ["reason", "message", "error", "code"];
    mapping.reason =
        PAYLOADS.iter().flat_map(|at| REASONS.iter().map(move |key| format!("{at}/{key}"))).collect();
    mapping.reason.push("/reason".to_owned());
    if framing == Framing::SocketIo {
        // `emit("offer", room, sdp)`: arguments one after the other.
        mapping.sdp.extend(texts(&["/args/1/sdp", "/args/1", "/args/0", "/args/2/sdp", "/args/2"]));
        mapping.candidate.extend(texts(&["/args/1", "/args/2"]));
    }
    mapping
}

impl Mapping {
    /// The usual places within each payload.
    fn fill(&mut self, payloads: &[&str]) {
        let within = |keys: &[&str]| -> Vec<String> {
            payloads
                .iter()
                .flat_map(|payload| keys.iter().map(move |key| format!("{payload}{key}")))
                .collect()
        };
        self.sdp = within(&SDP_KEYS);
        self.candidate = within(&CANDIDATE_KEYS);
        self.mid = within(&["/sdpMid", "/mid", "/id"]);
        self.mline_index = within(&["/sdpMLineIndex", "/label", "/index"]);
        self.from = within(&FROM_KEYS);
        self.to = within(&TO_KEYS);
        self.call = within(&CALL_KEYS);
        self.audio = within(&["/audio", "/mic", "/microphone", "/media/audio"]);
        self.video = within(&["/video", "/camera", "/cam", "/media/video"]);
    }
}
