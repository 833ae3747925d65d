use serde_json::Value;

use super::apply::opened_whole;

/// What stands around the JSON of a text frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Nothing: the frame is the JSON.
    #[default]
    Plain,
    /// Engine.IO and Socket.IO: `42/namespace,7["event",{…}]`. What is mapped is
    /// `{"event": …, "data": …}`, with all arguments under `args`.
    SocketIo,
}

impl Framing {
    /// The word used in mapping files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::SocketIo => "socket.io",
        }
    }

    /// All framings.
    pub const ALL: [Self; 2] = [Self::Plain, Self::SocketIo];

    /// The JSON within the frame, `None` where this framing does not fit.
    pub(super) fn open(self, text: &str) -> Option<Value> {
        match self {
            Self::Plain => {
                let text = text.trim();
                let value: Value =
                    text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok())??;
                Some(opened_whole(value))
            }
            Self::SocketIo => socket_io(text),
        }
    }
}

/// Engine.IO open, close, ping, pong, upgrade and noop; Socket.IO connect and disconnect.
pub(super) fn is_heartbeat(text: &str) -> bool {
    let bare = text.split(['{', '/', '[', ',']).next().unwrap_or_default().trim();
    matches!(bare, "1" | "2" | "3" | "5" | "6" | "40" | "41" | "2probe" | "3probe")
        || (matches!(bare, "0" | "40") && !text.contains('['))
        || text.starts_with("0{")
}

/// `4` message, `2` event (`5` with attachments: `451-`), namespace, acknowledgement id, arguments.
fn socket_io(text: &str) -> Option<Value> {
    let rest = text.strip_prefix("42").or_else(|| text.strip_prefix("45"))?;
    let rest = match rest.split_once('-') {
        Some((count, after)) if count.chars().all(|c| c.is_ascii_digit()) => after,
        _ => rest,
    };
    let rest = match rest.strip_prefix('/') {
        Some(namespaced) => namespaced.split_once(',')?.1,
        None => rest,
    };
    let arguments = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let Value::Array(mut arguments) = serde_json::from_str(arguments).ok()? else { return None };
    if !arguments.first()?.is_string() {
        return None;
    }
    let event = arguments.remove(0);
    let data = arguments.first().cloned().unwrap_or_default();
    Some(opened_whole(serde_json::json!({ "event": event, "data": data, "args": arguments })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn socket_io_frames_are_opened() {
        let open = |text: &str| Framing::SocketIo.open(text);
        let expect = json!({"event": "offer", "data": {"sdp": "v=0"}, "args": [{"sdp": "v=0"}]});
        assert_eq!(open(r#"42["offer",{"sdp":"v=0"}]"#), Some(expect.clone()));
        assert_eq!(open(r#"42/call,["offer",{"sdp":"v=0"}]"#), Some(expect.clone()));
        assert_eq!(open(r#"4217["offer",{"sdp":"v=0"}]"#), Some(expect.clone()));
        assert_eq!(open(r#"451-["offer",{"sdp":"v=0"}]"#), Some(expect));
        assert_eq!(open("42[1]"), None);
        assert_eq!(open(r#"{"sdp":1}"#), None);
    }

    #[test]
    fn heartbeats_are_no_messages() {
        for text in ["2", "3", "40", "40/call,", r#"0{"sid":"x"}"#, "2probe", r#"40{"sid":"x"}"#] {
            assert!(is_heartbeat(text), "{text}");
        }
        for text in [r#"42["offer",{}]"#, r#"{"type":"offer"}"#, "[1,2]"] {
            assert!(!is_heartbeat(text), "{text}");
        }
    }
}
