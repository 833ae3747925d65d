//! What the keys of JSON say about their values. A key decides by what a text or number is replaced, and whether a number is
//! kept; that a text may stay, only its words decide (`vocabulary`).

use serde_json::{Map, Value};

use super::vocabulary::{is_known, parts, words};
use crate::mapping::kind_of;

/// What stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Somebody's name.
    Name,
    /// A call's or a room's name.
    Call,
    /// What nobody else may know.
    Secret,
    /// A user fragment.
    Ufrag,
    /// A device's or a channel's label.
    Label,
    /// The name of a host.
    Host,
    /// A browser, with its versions and its system.
    Browser,
    /// The version of something.
    Version,
    /// A moment.
    Time,
    /// What is counted or measured.
    Figure,
    /// Anything.
    Other,
}

/// What stands under `key` of `object`. The `from` and `to` of a transition are states, and `name` may be a message's type.
pub(super) fn meaning_in(object: &Map<String, Value>, key: &str) -> Meaning {
    match key {
        "from" | "to" if object.contains_key("machine") => Meaning::Other,
        // Janus: the number of a connection, which is called `handle_id` elsewhere.
        "sender" if object.contains_key("janus") => Meaning::Other,
        "name" if object.get(key).and_then(Value::as_str).is_some_and(|name| kind_of(name).is_some()) => {
            Meaning::Other
        }
        _ => meaning(key),
    }
}

/// What stands under `key`, whatever its spelling: `callId`, `call_id`.
pub(super) fn meaning(key: &str) -> Meaning {
    // A series of statistics is called `T01-iceLocalUsernameFragment`.
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    let is = |words: &[&str]| words.contains(&plain.as_str());
    let ends = |words: &[&str]| words.iter().any(|word| plain.ends_with(word));
    if ends(&["usernamefragment", "ufrag"]) {
        Meaning::Ufrag
    } else if is(CALLS) || ends(&["roomname", "callname", "meetingname", "conferencename", "confname"]) {
        Meaning::Call
    } else if is(NAMES) || ends(NAME_ENDS) {
        Meaning::Name
    } else if is(SECRETS) || ends(SECRET_ENDS) {
        Meaning::Secret
    } else if is(&["label"]) {
        Meaning::Label
    } else if ends(&["hostname"]) || is(&["host"]) {
        Meaning::Host
    } else if is(&["useragent", "creator", "userbrand"]) {
        Meaning::Browser
    } else if ends(&["version"]) {
        Meaning::Version
    } else if is(&[
        "time",
        "timestamp",
        "startdatetime",
        "starteddatetime",
        "starttime",
        "endtime",
        "ts",
        "date",
        "now",
    ]) {
        Meaning::Time
    } else if is_figure(key) {
        Meaning::Figure
    } else {
        Meaning::Other
    }
}

/// Whether numbers under `key` are kept: it is made of known words, and names nobody.
fn is_figure(key: &str) -> bool {
    const IDS: [&str; 7] = ["id", "ids", "ssrc", "number", "identity", "identifier", "user"];
    let none = std::collections::BTreeSet::new();
    let last = words(key).last().and_then(|word| parts(word).last()).unwrap_or_default();
    let member = key.rsplit('-').next().unwrap_or_default();
    words(member).next().is_some()
        && words(member).all(|word| is_known(word, &none) || is_short_form(word))
        && !IDS.contains(&last.to_ascii_lowercase().as_str())
}

/// An rtcstats service writes members of statistics as numbers.
fn is_short_form(word: &str) -> bool {
    word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}

const NAMES: &[&str] = &[
    "from",
    "to",
    "peer",
    "peers",
    "sender",
    "senderid",
    "target",
    "targetid",
    "receiver",
    "receiverid",
    "recipient",
    "recipientid",
    "source",
    "src",
    "destination",
    "dst",
    "user",
    "userid",
    "users",
    "client",
    "clientid",
    "clients",
    "participant",
    "participantid",
    "participants",
    "actor",
    "name",
    "displayname",
    "nickname",
    "nick",
    "fromid",
    "toid",
    "me",
    "peerid",
    "callee",
    "caller",
    "who",
    "owner",
    "member",
    "members",
    "endpointid",
    "fromhost",
    "tohost",
];

/// The ends of keys.
const NAME_ENDS: &[&str] = &[
    "displayname",
    "fullname",
    "firstname",
    "lastname",
    "nickname",
    "callername",
    "calleename",
    "peername",
    "participantname",
    "sendername",
    "receivername",
    "contactname",
    "userid",
    "peerid",
    "clientid",
    "participantid",
];

const CALLS: &[&str] = &[
    "call",
    "callid",
    "room",
    "roomid",
    "session",
    "sessionid",
    "conversationid",
    "conversation",
    "channel",
    "meeting",
    "meetingid",
    "conference",
    "conferenceid",
    "groupid",
];

const SECRETS: &[&str] = &[
    "auth",
    "pin",
    "otp",
    "sid",
    "phone",
    "mail",
    "key",
    "jwt",
    "csrf",
    "xsrf",
    "mobilenumber",
    "msisdn",
    "bearer",
    "socketid",
];

/// The ends of keys.
const SECRET_ENDS: &[&str] = &[
    "credential",
    "credentials",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "token",
    "tokens",
    "authorization",
    "cookie",
    "cookies",
    "secret",
    "secrets",
    "apikey",
    "privatekey",
    "secretkey",
    "accesskey",
    "encryptionkey",
    "username",
    "email",
    "emailaddress",
    "phonenumber",
    "base64certificate",
    "signature",
    "deviceid",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_any_spelling_say_what_they_hold() {
        for (key, expect) in [
            ("callId", Meaning::Call),
            ("call_id", Meaning::Call),
            ("fromId", Meaning::Name),
            ("callerName", Meaning::Name),
            ("roomName", Meaning::Call),
            ("authToken", Meaning::Secret),
            ("turnPassword", Meaning::Secret),
            ("usernameFragment", Meaning::Ufrag),
            ("T01-iceLocalUsernameFragment", Meaning::Ufrag),
            ("username", Meaning::Secret),
            ("hostname", Meaning::Host),
            ("UserAgent", Meaning::Browser),
            ("sdpMLineIndex", Meaning::Figure),
            ("IT01V-framesPerSecond", Meaning::Figure),
            ("ssrc", Meaning::Other),
            ("id", Meaning::Other),
            ("birthYear", Meaning::Other),
        ] {
            assert_eq!(meaning(key), expect, "{key}");
        }
    }
}
