//! Session descriptions (RFC 8866) and candidates (RFC 8839 §5.1): of each line is kept what says how a call is set up.

use std::net::IpAddr;

use super::{
    address::{address, numbers},
    pseudonyms::Pseudonyms,
    text::{plain, word},
    vocabulary::is_of_a_word,
};

/// Whether a line is one of a session description.
pub(super) fn is_line(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.get(1) == Some(&b'=') && b"vosiuepcbtrzkam".contains(&bytes[0])
}

/// One line of a session description; false where nothing of it is to be kept.
pub(super) fn line(pseudonyms: &mut Pseudonyms, line: &str, out: &mut String) -> bool {
    let (kind, value) = line.split_at(2);
    match kind {
        "a=" => return attribute(pseudonyms, value, out),
        "s=" => out.push_str("s=-"),
        "t=" => out.push_str("t=0 0"),
        "v=" => {
            out.push_str(kind);
            fields(pseudonyms, value, out);
        }
        "o=" => {
            out.push_str("o=-");
            if let Some((_, rest)) = value.split_once(' ') {
                out.push(' ');
                addressed(pseudonyms, rest, out);
            }
        }
        "c=" => {
            out.push_str(kind);
            addressed(pseudonyms, value, out);
        }
        // A section that is as in the description before it is `m=` alone.
        "m=" => {
            out.push_str(kind);
            let (media, rest) = value.split_at(value.find(' ').map_or(value.len(), |at| at + 1));
            fields(pseudonyms, media, out);
            addressed(pseudonyms, rest, out);
        }
        "b=" => {
            let Some((what, rate)) = value.split_once(':') else { return false };
            out.push_str(kind);
            fields(pseudonyms, what, out);
            out.push(':');
            addressed(pseudonyms, rate, out);
        }
        // Free text, addresses of people, keys.
        _ => return false,
    }
    true
}

/// Attributes of which the value is words, numbers and ids.
const PLAIN: &[&str] = &[
    "bundle-only",
    "end-of-candidates",
    "extmap-allow-mixed",
    "fmtp",
    "framerate",
    "framesize",
    "group",
    "ice-lite",
    "ice-options",
    "imageattr",
    "inactive",
    "max-message-size",
    "maxptime",
    "mid",
    "msid",
    "msid-semantic",
    "ptime",
    "recvonly",
    "rid",
    "rtcp-fb",
    "rtcp-mux",
    "rtcp-mux-only",
    "rtcp-rsize",
    "rtcp-xr",
    "rtpmap",
    "sctp-port",
    "sctpmap",
    "sendonly",
    "sendrecv",
    "setup",
    "simulcast",
    "ssrc-group",
    "content",
    "label",
    "rtcp-fb-trr-int",
    "x-google-flag",
];

fn attribute(pseudonyms: &mut Pseudonyms, attribute: &str, out: &mut String) -> bool {
    let (name, value) = match attribute.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (attribute.trim_end(), None),
    };
    let begin = |out: &mut String| {
        out.push_str("a=");
        out.push_str(name);
        if value.is_some() {
            out.push(':');
        }
    };
    let value = value.unwrap_or_default();
    match name {
        "candidate" => {
            begin(out);
            candidate(pseudonyms, value, out);
        }
        "ice-ufrag" | "ice-pwd" => {
            begin(out);
            out.push_str(&pseudonyms.word(value.trim_end()));
        }
        "fingerprint" => {
            begin(out);
            plain(pseudonyms, value, out);
        }
        "rtcp" => {
            begin(out);
            addressed(pseudonyms, value, out);
        }
        "ssrc" => return ssrc(pseudonyms, value, out),
        "extmap" => return extension(pseudonyms, value, out),
        name if PLAIN.contains(&name) => {
            begin(out);
            match name {
                "sctp-port" | "sctpmap" | "max-message-size" => addressed(pseudonyms, value, out),
                _ => fields(pseudonyms, value, out),
            }
        }
        _ => return false,
    }
    true
}

/// `1001 cname:…`, `1001 msid:stream track` (RFC 5576).
fn ssrc(pseudonyms: &mut Pseudonyms, value: &str, out: &mut String) -> bool {
    let (number, attribute) = value.split_once(' ').unwrap_or((value, ""));
    let (name, of) = attribute.split_once(':').unwrap_or((attribute, ""));
    if !matches!(name, "cname" | "msid" | "mslabel" | "label") {
        return false;
    }
    out.push_str("a=ssrc:");
    fields(pseudonyms, number, out);
    out.push(' ');
    out.push_str(name);
    out.push(':');
    match name {
        // Often `user@host`; the same for all streams of one end.
        "cname" => out.push_str(&pseudonyms.word(of.trim_end())),
        _ => fields(pseudonyms, of, out),
    }
    true
}

/// The extensions of RTP that are specified (RFC 8285): their names are URLs, and say nothing of anybody.
const EXTENSIONS: &[&str] = &[
    "urn:ietf:params:rtp-hdrext:",
    "http://www.webrtc.org/experiments/rtp-hdrext/",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-",
    "http://tools.ietf.org/html/draft-",
    "urn:3gpp:",
    "https://aomediacodec.github.io/av1-rtp-spec/#",
];

fn extension(pseudonyms: &mut Pseudonyms, value: &str, out: &mut String) -> bool {
    let Some((number, rest)) = value.split_once(' ') else { return false };
    let Some(known) = EXTENSIONS.iter().find(|known| rest.starts_with(**known)) else { return false };
    out.push_str("a=extmap:");
    fields(pseudonyms, number, out);
    out.push(' ');
    out.push_str(known);
    fields(pseudonyms, &rest[known.len()..], out);
    true
}

/// Fields of which some may be addresses or hosts: those after `IP4` and `IP6`.
fn addressed(pseudonyms: &mut Pseudonyms, value: &str, out: &mut String) {
    let mut is_address = false;
    for (index, field) in value.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        match is_address {
            true => out.push_str(&host(pseudonyms, field)),
            false if index == 0 => port(pseudonyms, field, out),
            false => fields(pseudonyms, field, out),
        }
        is_address = matches!(field, "IP4" | "IP6");
    }
}

/// An address, an mDNS name, or another name of a host.
fn host(pseudonyms: &mut Pseudonyms, field: &str) -> String {
    let (bare, scope) = field.split_once('/').unwrap_or((field, ""));
    let scope = if scope.is_empty() || !scope.bytes().all(|byte| byte.is_ascii_digit()) {
        ""
    } else {
        &field[bare.len()..]
    };
    let scope = if scope.len() > 4 { "" } else { scope };
    if let Ok(address) = bare.parse::<IpAddr>() {
        return format!("{}{scope}", pseudonyms.address(address));
    }
    match bare
        .strip_suffix(".local")
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    {
        Some(name) => format!("{}.local", pseudonyms.word(name)),
        None => pseudonyms.host(bare),
    }
}

/// A port, or the size of a message.
fn port(pseudonyms: &mut Pseudonyms, field: &str, out: &mut String) {
    match field.len() <= 6 && field.bytes().all(|byte| byte.is_ascii_digit()) {
        true => out.push_str(field),
        false => fields(pseudonyms, field, out),
    }
}

/// Words of the vocabulary, numbers, and stand-ins for the rest. A number may have up to six digits (a clock rate) after one
/// of `/=`.
fn fields(pseudonyms: &mut Pseudonyms, value: &str, out: &mut String) {
    let mut rest = value;
    while !rest.is_empty() {
        let start = rest.find(is_of_a_word).unwrap_or(rest.len());
        out.extend(rest[..start].chars().filter(|letter| !letter.is_control()));
        rest = &rest[start..];
        if let Some((length, replaced)) = address(pseudonyms, rest) {
            out.push_str(&replaced);
            rest = &rest[length..];
            continue;
        }
        let end = rest.find(|letter| !is_of_a_word(letter)).unwrap_or(rest.len());
        let (field, after) = rest.split_at(end);
        let is_number = field.bytes().all(|byte| byte.is_ascii_digit());
        let is_long = is_number && field.len() <= 6 && out.ends_with(['/', '=']);
        let is_of_several = after.starts_with(['-', '.', ':', '+', '_']);
        // RFC 6184 §8.1: three bytes that name profile and level.
        let is_profile = field.len() == 6
            && out.ends_with("profile-level-id=")
            && field.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_profile || is_long && !is_of_several {
            out.push_str(field);
        } else if let (length @ 1.., Some(replaced)) = numbers(pseudonyms, rest) {
            out.push_str(&replaced);
            rest = &rest[length..];
            continue;
        } else {
            out.push_str(&word(pseudonyms, field));
        }
        rest = after;
    }
}

/// A candidate after `candidate:`. What is no field of one (RFC 8839 §5.1, RFC 6544 §4.5, and what browsers add) goes.
pub(super) fn candidate(pseudonyms: &mut Pseudonyms, value: &str, out: &mut String) {
    const TYPES: &[&str] =
        &["host", "srflx", "prflx", "relay", "serverreflexive", "peerreflexive", "relayed"];
    let mut all = value.split_ascii_whitespace();
    let mut put = |pseudonyms: &mut Pseudonyms, index: usize, field: &str| {
        if index > 0 {
            out.push(' ');
        }
        let number = |most: u64| {
            field.bytes().all(|byte| byte.is_ascii_digit()) && field.parse::<u64>().is_ok_and(|it| it <= most)
        };
        match index {
            // Foundation.
            0 => out.push_str(&word(pseudonyms, field)),
            1 if number(256) => out.push_str(field),
            2 if ["udp", "tcp", "ssltcp", "tls"].contains(&field.to_ascii_lowercase().as_str()) => {
                out.push_str(field)
            }
            3 if number(u64::from(u32::MAX)) => out.push_str(field),
            4 => out.push_str(&host(pseudonyms, field)),
            5 if number(u64::from(u16::MAX)) => out.push_str(field),
            6 if field == "typ" => out.push_str(field),
            7 if TYPES.contains(&field) => out.push_str(field),
            // A line with a field too many.
            7 if field == "typ" => out.push_str(field),
            _ => out.push_str(&pseudonyms.word(field)),
        }
    };
    let mut last = "";
    for (index, field) in all.by_ref().take(8).enumerate() {
        put(pseudonyms, index, field);
        last = field;
    }
    if let Some(kind) = all.clone().next().filter(|kind| last == "typ" && TYPES.contains(kind)) {
        out.push(' ');
        out.push_str(kind);
        all.next();
    }
    while let (Some(name), Some(of)) = (all.next(), all.next()) {
        let number = of.len() <= 5 && of.bytes().all(|byte| byte.is_ascii_digit());
        let of = match name {
            "raddr" => host(pseudonyms, of),
            "rport" | "generation" | "network-id" | "network-cost" if number => of.to_owned(),
            "tcptype" if ["active", "passive", "so"].contains(&of) => of.to_owned(),
            "ufrag" => pseudonyms.word(of),
            "typ" if TYPES.contains(&of) => of.to_owned(),
            _ => continue,
        };
        out.push(' ');
        out.push_str(name);
        out.push(' ');
        out.push_str(&of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let (mut pseudonyms, mut out) = (Pseudonyms::default(), String::new());
        assert!(is_line(text), "{text}");
        let kept = line(&mut pseudonyms, text, &mut out);
        assert_eq!(kept.then_some(out.as_str()), expect, "{text}");
    }

    #[test]
    fn what_says_how_a_call_is_set_up_is_kept() {
        for kept in [
            "v=0",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "a=group:BUNDLE 0 1",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
            "a=rtcp-fb:96 nack pli",
            "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=extmap:13 urn:3gpp:video-orientation",
            "a=setup:actpass",
            "a=max-message-size:262144",
            "a=mid:0",
            "a=sendrecv",
            "a=msid-semantic: WMS *",
        ] {
            check(kept, Some(kept));
        }
    }

    #[test]
    fn what_says_who_and_where_is_not() {
        check(
            "o=carol 1463935321065312985 2 IN IP4 laptop.corp.example",
            Some("o=- 1000000000000000001 2 IN IP4 host-1.invalid"),
        );
        check("s=Board meeting of Carol", Some("s=-"));
        check("c=IN IP4 laptop.corp.example", Some("c=IN IP4 host-1.invalid"));
        check(
            "a=candidate:1 1 udp 2 laptop.corp.example 5 typ host",
            Some("a=candidate:1 1 udp 2 host-1.invalid 5 typ host"),
        );
        check(
            "a=candidate:842163049 1 udp 1677729535 10.1.1.1 5 typ srflx raddr 10.1.1.2 rport 7 generation 0 x carol ufrag ab+c",
            Some(
                "a=candidate:100000001 1 udp 1677729535 10.0.0.1 5 typ srflx raddr 10.0.0.2 rport 7 generation 0 ufrag 0001",
            ),
        );
        check("a=ssrc:3315540437 cname:carol@laptop", Some("a=ssrc:1000000001 cname:000000000001"));
        check(
            "a=fmtp:96 sprop-parameter-sets=Z0IAH5WoFAFuQA",
            Some("a=fmtp:96 sprop-parameter-sets=00000000000001"),
        );
        for gone in [
            "k=clear:hunter2",
            "i=hunter2",
            "u=https://hunter2",
            "e=hunter2",
            "p=hunter2",
            "a=tool:hunter2",
            "a=key-mgmt:hunter2",
            "a=crypto:1 hunter2",
            "a=identity:hunter2",
            "a=hunter2",
            "a=extmap:1 https://corp.example/hunter2",
        ] {
            check(gone, None);
        }
    }
}
