//! What the keys of JSON say about their values.

use serde_json::{Map, Value};

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
    /// A version, or something else in which dots and digits are no address.
    Harmless,
    /// Anything.
    Other,
}

/// What stands under `key` of `object`. The `from` and `to` of a transition are states.
pub(super) fn meaning_in(object: &Map<String, Value>, key: &str) -> Meaning {
    match key {
        "from" | "to" if object.contains_key("machine") => Meaning::Harmless,
        _ => meaning(key),
    }
}

/// What stands under `key`, whatever its spelling: `callId`, `call_id`.
pub(super) fn meaning(key: &str) -> Meaning {
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    let table: [(&[&str], Meaning); 6] = [
        (NAMES, Meaning::Name),
        (CALLS, Meaning::Call),
        (SECRETS, Meaning::Secret),
        (
            &["usernamefragment", "icelocalusernamefragment", "iceremoteusernamefragment", "ufrag"],
            Meaning::Ufrag,
        ),
        (&["label"], Meaning::Label),
        (
            &[
                "useragent",
                "useragentdata",
                "userbrand",
                "brand",
                "version",
                "fullversionlist",
                "implementation",
                "platform",
            ],
            Meaning::Harmless,
        ),
    ];
    table
        .iter()
        .find(|(keys, _)| keys.contains(&plain.as_str()))
        .map_or(Meaning::Other, |(_, meaning)| *meaning)
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
    "recipient",
    "user",
    "userid",
    "client",
    "clientid",
    "participant",
    "participantid",
    "actor",
    "name",
    "displayname",
    "nickname",
    "fromid",
    "toid",
    "src",
    "dst",
    "me",
    "peerid",
    "callee",
    "caller",
    "who",
];
const CALLS: &[&str] =
    &["call", "callid", "room", "roomid", "session", "sessionid", "conversationid", "channel"];
const SECRETS: &[&str] = &[
    "credential",
    "credentials",
    "password",
    "pwd",
    "token",
    "accesstoken",
    "idtoken",
    "refreshtoken",
    "authorization",
    "auth",
    "cookie",
    "cookies",
    "secret",
    "apikey",
    "username",
    "email",
    "mail",
    "phone",
    "phonenumber",
    "base64certificate",
    "jwt",
    "sid",
    "socketid",
    "pushtoken",
    "devicetoken",
];
