//! What a file is, by its first bytes.

use crate::format::Format;

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Capture(Format),
    Nothing,
    /// Something else, in words: `a PNG picture`.
    Other(String),
}

/// Tells by the first (unpacked) bytes of a file.
pub(super) fn detect(head: &[u8]) -> Content {
    let text = head.trim_ascii_start();
    if text.is_empty() {
        return Content::Nothing;
    }
    if text.starts_with(b"RTCStatsDump") || is_rtcstats_line(text) {
        return Content::Capture(Format::Rtcstats);
    }
    if text.starts_with(b"<") && has(text, super::about_webrtc::SIGN) {
        return Content::Capture(Format::AboutWebrtc);
    }
    if let Some(what) = KNOWN_OTHERS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| what) {
        return Content::Other((*what).to_owned());
    }
    if text[0] != b'{' {
        return match (is_statistics(text), holds_descriptions(text)) {
            (true, _) => Content::Capture(Format::GetStats),
            (false, true) => Content::Capture(Format::Descriptions),
            (false, false) => Content::Other(describe(text)),
        };
    }
    let keys = Keys::new(text);
    let described = keys.has("sdp") && keys.has("type") || keys.has("offer") && keys.has("answer");
    match format_of(&keys) {
        Some(format) => Content::Capture(format),
        None if described && holds_descriptions(text) => Content::Capture(Format::Descriptions),
        None if is_statistics(text) => Content::Capture(Format::GetStats),
        None if keys.found.is_empty() => Content::Other("JSON without any known key".to_owned()),
        None => {
            let shown: Vec<&str> = keys.found.iter().take(6).map(String::as_str).collect();
            Content::Other(format!("JSON with the keys `{}`", shown.join("`, `")))
        }
    }
}

/// Whether SDP stands in it: `v=0`, and a media section.
fn holds_descriptions(text: &[u8]) -> bool {
    has(text, b"v=0")
        && [&b"m=audio "[..], b"m=video ", b"m=application "].iter().any(|media| has(text, media))
}

fn has(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// Whether it is JSON in which objects of statistics stand: `"type":"inbound-rtp"`.
fn is_statistics(text: &[u8]) -> bool {
    if !text.starts_with(b"[") && !text.starts_with(b"{") {
        return false;
    }
    let text = String::from_utf8_lossy(text);
    let mut parts = text.split("\"type\"").skip(1).map(|rest| rest.trim_start_matches([':', ' ', '"']));
    parts.any(|rest| super::get_stats::TYPES.iter().any(|kind| rest.starts_with(kind)))
}

const KNOWN_OTHERS: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WebP picture or a RIFF recording"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (unpack it first)"),
    (b"\xff\xfe", "text in UTF-16 (save it as UTF-8)"),
    (b"\xfe\xff", "text in UTF-16 (save it as UTF-8)"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture (pcap)"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture (pcapng)"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
];

fn describe(text: &[u8]) -> String {
    match std::str::from_utf8(&text[..text.len().min(32)]) {
        Ok(start) if !start.contains(|c: char| c.is_control() && !c.is_whitespace()) => {
            format!("text that begins with `{}`", start.lines().next().unwrap_or_default())
        }
        _ => "binary data".to_owned(),
    }
}

/// `["type", "8-1", …`, `["type", null, …`: a line of an rtcstats dump that has no heading. The line may be longer
/// than what is at hand.
fn is_rtcstats_line(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) {
        let Some([name, connection, .., time]) = value.as_array().map(Vec::as_slice) else { return false };
        return (name.is_string() || name.is_u64())
            && (connection.is_string() || connection.is_null())
            && time.is_number();
    }
    let Some(rest) = line.strip_prefix(b"[\"") else { return false };
    let end = end_of_text(rest, 0);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
    let name = rest.get(..end).unwrap_or_default();
    let after = rest.get(end + 1..).unwrap_or_default();
    let second = after.strip_prefix(b",").unwrap_or_default();
    let is_cut_off = line.len() == text.len();
    is_cut_off
        && !name.is_empty()
        && name.iter().all(is_name)
        && (second.starts_with(b"null,") || second.starts_with(b"\"PC_") || is_connection(second))
}

/// `"8-1",`
fn is_connection(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"\"") else { return false };
    let name = &rest[..end_of_text(rest, 0).min(rest.len())];
    name.contains(&b'-') && name.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
}

fn format_of(keys: &Keys) -> Option<Format> {
    const INTERNALS: [&str; 5] =
        ["PeerConnections", "getUserMedia", "UserAgent", "UserAgentData", "cpuPerformance"];
    let any = |names: &[&str]| names.iter().any(|name| keys.has(name));
    if any(&INTERNALS) {
        Some(Format::WebrtcInternals)
    } else if keys.has("log") {
        Some(Format::Har)
    } else if keys.has("ev") && any(&["ts", "peer"]) {
        Some(Format::PageEvents)
    } else if keys.has("entries") && !any(super::relay_log::MESSAGE_KEYS) {
        Some(Format::Timeline)
    } else if any(super::relay_log::TIME_KEYS)
        && (any(super::relay_log::DIRECTION_KEYS)
            || any(super::relay_log::EVENT_KEYS) && any(super::relay_log::MESSAGE_KEYS))
    {
        Some(Format::RelayLog)
    } else {
        None
    }
}

/// The keys of the first object of a text that may be cut off anywhere.
struct Keys {
    found: Vec<String>,
}

impl Keys {
    fn has(&self, name: &str) -> bool {
        self.found.iter().any(|key| key == name)
    }

    fn new(text: &[u8]) -> Self {
        let mut found = Vec::new();
        let (mut depth, mut at, mut last_text) = (0_u32, 0, None);
        while let Some(&byte) = text.get(at) {
            at += 1;
            match byte {
                b'"' => {
                    let end = end_of_text(text, at);
                    if depth == 1 {
                        last_text = std::str::from_utf8(&text[at..end]).ok();
                    }
                    at = end + 1;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth <= 1 => break,
                b'}' | b']' => depth -= 1,
                b':' if depth == 1 => found.extend(last_text.take().map(str::to_owned)),
                _ => {}
            }
        }
        Self { found }
    }
}

/// The index of the quote that ends the string that began before `from`, or of the text's end.
fn end_of_text(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], format: Format) {
        assert_eq!(detect(head), Content::Capture(format));
    }

    #[test]
    fn content_tells_the_format() {
        check(b"{\n \"cpuPerformance\": 2,\n \"getUserMedia\": [", Format::WebrtcInternals);
        check(br#"{"PeerConnections":{}}"#, Format::WebrtcInternals);
        check(b"RTCStatsDump\n{", Format::Rtcstats);
        check(b"[\"create\",null,{},1795416078922]\n[\"x\"", Format::Rtcstats);
        check(b"[39,null,{},1795416078922]\n[", Format::Rtcstats);
        // Its first line is longer than what is at hand.
        check(br#"["connectionInfo",null,{"path":"/a"#, Format::Rtcstats);
        check(br#"["create","PC_0",{"iceServers":["#, Format::Rtcstats);
        check(br#"["create","8-1",{"iceServers":["#, Format::Rtcstats);
        check(b" {\"log\":{\"version\":\"1.2\"", Format::Har);
        check(br#"{"ts":1,"dir":"in","peer":"a","msg":{"type":"join"}}"#, Format::RelayLog);
        check(br#"{"ts":1,"peer":"a","ev":"gum"}"#, Format::PageEvents);
        check(br#"{"entries":[],"packets":[]}"#, Format::Timeline);
        check(b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 RTP/SAVPF 0\r\n", Format::Descriptions);
        check(b"The offer was:\nv=0\nm=video 9 X 96\n", Format::Descriptions);
        check(br#"{"type":"offer","sdp":"v=0\r\nm=audio 9 X 0\r\n"}"#, Format::Descriptions);
        check(br#"[{"id":"T1","timestamp":1,"type": "transport"}]"#, Format::GetStats);
        check(br#"{"T1":{"id":"T1","type":"candidate-pair"}}"#, Format::GetStats);
    }

    #[test]
    fn what_is_no_capture_is_named() {
        let other = |head: &[u8]| match detect(head) {
            Content::Other(what) => what,
            content => panic!("{content:?}"),
        };
        assert_eq!(other(b"\x89PNG\r\n"), "a PNG picture");
        assert_eq!(other(b"\x00\x01\x02"), "binary data");
        assert_eq!(other(b"hello there\nyou"), "text that begins with `hello there`");
        assert_eq!(other(br#"{"a":{"log":1},"b":2}"#), "JSON with the keys `a`, `b`");
        assert_eq!(
            other(br#"["message",{"type":"offer"}]"#),
            r#"text that begins with `["message",{"type":"offer"}]`"#
        );
        assert_eq!(other(br#"["a b",null,"#), r#"text that begins with `["a b",null,`"#);
        assert_eq!(other(b"[1,2,3]"), "text that begins with `[1,2,3]`");
        assert_eq!(detect(b" \n"), Content::Nothing);
    }
}
