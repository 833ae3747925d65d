//! The words with which applications name the types of their messages.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::trace::SignalKind;

/// The type that `word` names, in any spelling: `iceCandidate`, `ICE_CANDIDATE`, `ice-candidate`.
pub(crate) fn kind_of(word: &str) -> Option<SignalKind> {
    let known = match word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => KINDS.get(word),
        false => KINDS.get(plain(word).as_str()),
    };
    known.map(|kind| (*kind).clone()).or_else(|| {
        // `webrtc-offer`, `call:answer`, `signal/candidate`: the last part says it.
        let last = word.rsplit([':', '/', '.', '-', '_']).next().filter(|last| *last != word)?;
        let kind = kind_of(last)?;
        (kind.is_description() || matches!(kind, SignalKind::Candidate | SignalKind::EndOfCandidates))
            .then_some(kind)
    })
}

static KINDS: LazyLock<BTreeMap<&'static str, &'static SignalKind>> = LazyLock::new(|| {
    TABLE.iter().flat_map(|(words, kind)| words.iter().map(move |word| (*word, kind))).collect()
});

/// Every word that names a type.
pub(crate) fn known_words() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(words, _)| words.iter().copied())
}

/// Without case and separators.
fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

static TABLE: &[(&[&str], SignalKind)] = &[
    (&["offer", "sdpoffer", "videooffer", "calloffer", "sendoffer"], SignalKind::Offer),
    (&["answer", "sdpanswer", "videoanswer", "callanswer", "sendanswer"], SignalKind::Answer),
    (&["pranswer"], SignalKind::Pranswer),
    (
        &["candidate", "icecandidate", "newicecandidate", "ice", "trickle", "addicecandidate", "candidates"],
        SignalKind::Candidate,
    ),
    (
        &["endofcandidates", "icecomplete", "candidatesend", "lastcandidate", "icegatheringcomplete"],
        SignalKind::EndOfCandidates,
    ),
    (
        &["ring", "invite", "call", "incomingcall", "callrequest", "callinvite", "calling", "dial"],
        SignalKind::Ring,
    ),
    (&["ringing", "alerting"], SignalKind::Ringing),
    (
        &["accept", "accepted", "callaccept", "callaccepted", "acceptcall", "pickup", "callanswered"],
        SignalKind::Accept,
    ),
    (
        &[
            "reject",
            "rejected",
            "callreject",
            "callrejected",
            "rejectcall",
            "decline",
            "declined",
            "calldeclined",
            "declinecall",
            "busy",
            "callbusy",
            "userbusy",
            "deny",
            "denied",
        ],
        SignalKind::Reject,
    ),
    (
        &[
            "bye",
            "hangup",
            "hungup",
            "leave",
            "leaving",
            "end",
            "ended",
            "endcall",
            "callend",
            "callended",
            "cancel",
            "cancelled",
            "canceled",
            "callcancel",
            "callcancelled",
            "terminate",
            "close",
            "stop",
            "goodbye",
        ],
        SignalKind::Bye,
    ),
    (
        &[
            "mediastate",
            "mute",
            "unmute",
            "togglevideo",
            "toggleaudio",
            "videotoggle",
            "audiotoggle",
            "videostate",
            "mutestate",
            "mediastatus",
            "camera",
            "trackstate",
        ],
        SignalKind::MediaState,
    ),
    (&["join", "register", "login", "hello", "joinroom", "subscribe", "auth", "connect"], SignalKind::Join),
    (
        &[
            "joined",
            "registered",
            "welcome",
            "peerjoined",
            "userjoined",
            "newpeer",
            "ready",
            "roomjoined",
            "loginok",
        ],
        SignalKind::Joined,
    ),
    (
        &[
            "peerleft",
            "userleft",
            "left",
            "peerdisconnected",
            "userdisconnected",
            "disconnected",
            "removepeer",
            "participantleft",
            "disconnect",
        ],
        SignalKind::PeerLeft,
    ),
    (&["ping", "pong", "keepalive", "heartbeat", "ack"], SignalKind::Ping),
    (&["error", "failure", "refused"], SignalKind::Error),
    (&["report", "connectionreport"], SignalKind::Report),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_spelling() {
        for word in
            ["iceCandidate", "ICE_CANDIDATE", "ice-candidate", "new-ice-candidate", "webrtc:candidate"]
        {
            assert_eq!(kind_of(word), Some(SignalKind::Candidate), "{word}");
        }
        assert_eq!(
            kind_of("call.hangup"),
            None,
            "only descriptions and candidates are told by their last part"
        );
        assert_eq!(kind_of("hang-up"), Some(SignalKind::Bye));
        assert_eq!(kind_of("weather"), None);
        for kind in SignalKind::KNOWN {
            assert_eq!(kind_of(kind.as_str()), Some(kind));
        }
    }
}
