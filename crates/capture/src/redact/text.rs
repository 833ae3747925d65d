//! Text, word by word: addresses, servers and fingerprints become others of their kind, and of the rest stays what is in the
//! vocabulary.

use super::{
    address::{colons_end, fingerprint_start, special, with_colons},
    pseudonyms::Pseudonyms,
    sdp,
    vocabulary::{is_known, is_of_a_word},
};

/// The text with everything replaced that is nobody else's business.
pub(super) fn redacted(pseudonyms: &mut Pseudonyms, text: &str) -> String {
    if let Some(known) = pseudonyms.known(text) {
        return known.clone();
    }
    let mut out = String::with_capacity(text.len());
    // An application may have escaped the ends of lines once more.
    let is_escaped = text.starts_with("v=0\\") && !text.contains('\n');
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(end_of_line(rest, is_escaped));
        let (kept, breaks) = (out.len(), after.len() - after.trim_start_matches(['\r', '\n']).len());
        let breaks = if is_escaped { escaped_breaks(after) } else { breaks };
        match self::line(pseudonyms, line, &mut out) {
            true => out.push_str(&after[..breaks]),
            false => out.truncate(kept),
        }
        rest = &after[breaks..];
    }
    out
}

fn end_of_line(text: &str, is_escaped: bool) -> usize {
    let end = match is_escaped {
        true => text.match_indices('\\').map(|(at, _)| at).find(|at| escaped_breaks(&text[*at..]) > 0),
        false => text.find(['\r', '\n']),
    };
    end.unwrap_or(text.len())
}

/// How long the line breaks are with which `text` begins, written as `\r\n`.
fn escaped_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    while bytes.get(end) == Some(&b'\\') && matches!(bytes.get(end + 1), Some(b'r' | b'n')) {
        end += 2;
    }
    end
}

/// One line, which may be one of SDP, or hold a candidate; false where nothing of it is to be kept.
fn line(pseudonyms: &mut Pseudonyms, line: &str, out: &mut String) -> bool {
    // Older browsers write `type: offer, sdp: v=0`, and the other lines as they are.
    if let Some(at) = line.find("v=0").filter(|at| line[..*at].ends_with(": ")) {
        plain(pseudonyms, &line[..at], out);
        out.push_str("v=0");
        plain(pseudonyms, &line[at + 3..], out);
        return true;
    }
    if sdp::is_line(line) {
        return sdp::line(pseudonyms, line, out);
    }
    match candidate_start(line) {
        Some(at) => {
            plain(pseudonyms, &line[..at], out);
            out.push_str("candidate:");
            let rest = &line[at + "candidate:".len()..];
            let end = rest.find([',', '"', '}', ']', ')']).unwrap_or(rest.len());
            sdp::candidate(pseudonyms, &rest[..end], out);
            plain(pseudonyms, &rest[end..], out);
        }
        None => plain(pseudonyms, line, out),
    }
    true
}

/// Where a candidate begins. Older browsers write `candidate: candidate:1 1 udp …`.
fn candidate_start(line: &str) -> Option<usize> {
    let mut starts = line.match_indices("candidate:").map(|(at, found)| (at, at + found.len()));
    starts.find(|(_, end)| line[*end..].starts_with(|next: char| !next.is_whitespace())).map(|(at, _)| at)
}

/// A piece of plain text.
pub(super) fn plain(pseudonyms: &mut Pseudonyms, text: &str, out: &mut String) {
    let mut rest = text;
    let mut before = "";
    while !rest.is_empty() {
        let start = rest.find(|letter: char| !divides(letter)).unwrap_or(rest.len());
        out.extend(rest[..start].chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
        rest = &rest[start..];
        let end = rest.find(divides).unwrap_or(rest.len());
        let (chunk, after) = rest.split_at(end);
        match before == "ufrag" || before == "ufrag:" {
            true => out.push_str(&pseudonyms.word(chunk)),
            false => self::chunk(pseudonyms, chunk, out),
        }
        before = chunk;
        rest = after;
    }
}

/// What stands between addresses, servers and other things of which each is one.
const fn divides(letter: char) -> bool {
    letter.is_ascii_whitespace()
        || letter.is_ascii_control()
        || matches!(letter, '"' | '\'' | '`' | ',' | ';' | '(' | ')' | '<' | '>' | '{' | '}' | '|' | '\\')
}

fn chunk(pseudonyms: &mut Pseudonyms, chunk: &str, out: &mut String) {
    if chunk.is_empty() {
        return;
    }
    if let Some((at, scheme)) = url_start(chunk) {
        words(pseudonyms, &chunk[..at], out);
        url(pseudonyms, scheme, &chunk[at + scheme.len()..], out);
    } else if let Some(start) = fingerprint_start(chunk) {
        words(pseudonyms, &chunk[..start], out);
        let (colons, rest) = chunk[start..].split_at(colons_end(&chunk[start..]));
        out.push_str(&with_colons(&pseudonyms.word(&colons.replace(':', ""))));
        words(pseudonyms, rest, out);
    } else {
        words(pseudonyms, chunk, out);
    }
}

const SCHEMES: [&str; 4] = ["stuns:", "stun:", "turns:", "turn:"];

/// Where a URL begins, and its scheme with what divides it from the host.
fn url_start(chunk: &str) -> Option<(usize, &str)> {
    if let Some(at) = chunk.find("://") {
        let scheme = chunk[..at].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
        return (scheme > 0).then(|| (at - scheme, &chunk[at - scheme..at + 3]));
    }
    SCHEMES.iter().find_map(|scheme| {
        let at = chunk.find(scheme)?;
        let whole = !chunk[..at].ends_with(is_of_a_word) && chunk.len() > at + scheme.len();
        whole.then(|| (at, &chunk[at..at + scheme.len()]))
    })
}

/// `https://host/path?query` → `https://host-1.invalid/`; of `turn:host:port?transport=udp` only the host goes.
fn url(pseudonyms: &mut Pseudonyms, scheme: &str, rest: &str, out: &mut String) {
    const KNOWN: [&str; 7] = ["https", "http", "wss", "ws", "ftp", "file", "blob"];
    let is_page = scheme.ends_with("//");
    let known = !is_page || KNOWN.contains(&scheme.trim_end_matches("://"));
    out.push_str(if known { scheme } else { "https://" });
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let tail = &rest[authority.len()..];
    let host = authority.rsplit('@').next().unwrap_or_default();
    // The brackets of an IPv6 address are its own; others close a list.
    let unbalanced = host.matches(']').count().saturating_sub(host.matches('[').count());
    let (host, closing) =
        host.split_at(host.len() - unbalanced.min(host.len() - host.trim_end_matches(']').len()));
    let (host, port) = host_and_port(host);
    out.push_str(&pseudonyms.host(host));
    out.push_str(port);
    if is_page {
        out.push('/');
    } else if let Some(transport) =
        ["?transport=udp", "?transport=tcp"].into_iter().find(|it| tail.starts_with(*it))
    {
        out.push_str(transport);
    }
    out.push_str(closing);
    // What closes a list after it.
    out.extend(tail.chars().rev().take_while(|letter| *letter == ']'));
}

/// The port with its colon.
fn host_and_port(authority: &str) -> (&str, &str) {
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let at = authority.rfind(':').filter(|at| is_port(&authority[at + 1..]));
    // The colons of a bare IPv6 address are its own.
    let bare_v6 = authority.matches(':').count() > 1 && !authority.starts_with('[');
    match at.filter(|_| !bare_v6) {
        Some(at) => authority.split_at(at),
        None => (authority, ""),
    }
}

/// Word by word; what divides them stays.
fn words(pseudonyms: &mut Pseudonyms, text: &str, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let (taken, replaced) = special(pseudonyms, rest, out.chars().next_back());
        if let Some(replaced) = replaced {
            out.push_str(&replaced);
            rest = &rest[taken..];
            continue;
        }
        let end = rest.find(|letter| !is_of_a_word(letter)).unwrap_or(rest.len());
        match end {
            0 => {
                let letter = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..letter]);
                rest = &rest[letter..];
            }
            end => {
                out.push_str(&word(pseudonyms, &rest[..end]));
                rest = &rest[end..];
            }
        }
    }
}

/// A word as it may stay, or what takes its place.
pub(super) fn word(pseudonyms: &mut Pseudonyms, word: &str) -> String {
    if let Some(known) = pseudonyms.known(word) {
        return known.clone();
    }
    if is_known(word, &pseudonyms.own) {
        return word.to_owned();
    }
    if let Some((of, number)) = statistic(word) {
        return format!("{of}{}", pseudonyms.digits(number));
    }
    match word.bytes().all(|byte| byte.is_ascii_digit()) {
        true if word.len() <= 3 => word.to_owned(),
        true => pseudonyms.digits(word),
        false => pseudonyms.word(word),
    }
}

/// The id of a stream's statistics in Chromium, `IT01A3462000205`: of what it is, and the number of its source.
fn statistic(word: &str) -> Option<(&str, &str)> {
    let digits = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (of, number) = word.split_at(word.len() - digits);
    let is_of = match of.as_bytes() {
        [b'I' | b'O', b'T', one, other, kind] => {
            one.is_ascii_digit() && other.is_ascii_digit() && matches!(kind, b'A' | b'V')
        }
        [b'R', b'I' | b'O', kind] => matches!(kind, b'A' | b'V'),
        _ => false,
    };
    (is_of && digits > 0).then_some((of, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let mut pseudonyms = Pseudonyms::default();
        pseudonyms.name("alice");
        assert_eq!(redacted(&mut pseudonyms, text), expect);
        assert_eq!(
            redacted(&mut pseudonyms, expect).len(),
            expect.len(),
            "it is stable enough to be redacted again"
        );
    }

    #[test]
    fn addresses_stay_addresses_of_their_kind() {
        check(
            "candidate:1 1 udp 2 192.168.7.9 5 typ host ufrag abcd",
            "candidate:1 1 udp 2 10.0.0.1 5 typ host ufrag 0001",
        );
        check("c=IN IP4 93.184.216.34", "c=IN IP4 198.18.0.1");
        check("raddr 0.0.0.0 rport 0 127.0.0.1", "raddr 0.0.0.0 rport 0 127.0.0.1");
        check("fe80::1:2 and 2a00:1450::5", "fe80::1 and 2001:db8::2");
        check("at 10.1.2.3:4444.", "at 10.0.0.1:4444.");
        check("10.77.0.x:1", "0.0.0.x:1");
        check("0f1e2d3c-aaaa.local", "0000000000001.local");
    }

    #[test]
    fn addresses_are_found_in_any_wrapping() {
        for text in [
            "ip=192.168.77.5&port=1",
            "addr:192.168.77.5",
            "host:192.168.77.5:4444",
            "user@192.168.77.5",
            "srflx_192.168.77.5",
            "#192.168.77.5",
            "192.168.77.5-192.168.77.5",
            "192.168.77.5%3A80",
            "X/192.168.77.5",
            "[192.168.77.5]",
            "ip-192-168-77-5",
            "(192.168.77.5)",
            "x192.168.77.5y",
            "1.192.168.77.5",
        ] {
            let copy = redacted(&mut Pseudonyms::default(), text);
            assert!(
                !copy.contains("192.168") && !copy.contains("192-168") && !copy.contains("77.5"),
                "{text} → {copy}"
            );
        }
        check("fe80::abcd:1234%eth0", "fe80::1%0001");
    }

    #[test]
    fn credentials_fingerprints_and_hosts() {
        check("a=ice-pwd:0123456789012345678901", "a=ice-pwd:0000000000000000000001");
        let fingerprint = format!("a=fingerprint:sha-256 {}", ["F7"; 32].join(":"));
        assert!(redacted(&mut Pseudonyms::default(), &fingerprint).ends_with(":00:00:01"));
        check("https://app.example.com:8443/call?me=alice", "https://host-1.invalid:8443/");
        check("turn:turn.example.com:3478?transport=udp", "turn:host-1.invalid:3478?transport=udp");
        check("turn:[2a00::7]:3478", "turn:[2001:db8::1]:3478");
        check("GET https://meet.corp.example/room?pw=hunter2 failed", "GET https://host-1.invalid/ failed");
        check("00:1a:2b:3c:4d:5e", "00:00:00:00:00:01");
        check("Bearer hunter2", "000001 0000002");
    }

    #[test]
    fn servers_and_certificates_of_older_forms() {
        check(
            "{ iceServers: [stun:stun.example.com:19302, turn:93.184.216.34:3478?transport=udp], bundlePolicy: max-bundle }",
            "{ iceServers: [stun:host-1.invalid:19302, turn:198.18.0.1:3478?transport=udp], bundlePolicy: max-bundle }",
        );
        check("[turn:[2a00::7]:3478]", "[turn:[2001:db8::1]:3478]");
        check("url: stun:stun.example.com:19302, address: x", "url: stun:host-1.invalid:19302, address: x");
        let id = format!("CF{}-base64Certificate", ["F7"; 32].join(":"));
        let copy = redacted(&mut Pseudonyms::default(), &id);
        assert!(copy.contains(":00:00:02-"), "{copy}");
    }

    #[test]
    fn of_the_rest_stays_what_specifications_and_browsers_say() {
        check("bye alice, malice", "bye peer-1, 000001");
        check(
            "InvalidStateError: Failed to execute 'setLocalDescription': Called in wrong state: stable",
            "InvalidStateError: Failed to execute 'setLocalDescription': Called in wrong state: stable",
        );
        check("The remote description was null", "The remote description was null");
        check("Carol's AirPods (Bluetooth)", "00001's 0000002 (000000003)");
        check("IT01A3462000205 of ssrc 3462000205", "IT01A1000000001 of ssrc 1000000001");
        check("487 after 1.5 s at 6:38:39", "487 after 1.5 s at 6:38:39");
        check("call +49 170 1234567", "call +49 170 1000001");
        check("born 2026-11-30", "0001 1001-1002-1003");
    }

    #[test]
    fn what_has_no_end_takes_no_longer_than_its_length() {
        for piece in ["1.", "::", "a:", "candidate:", "00:", "://", "turn:", ".local", "v=0\\r"] {
            let text = piece.repeat(200_000);
            redacted(&mut Pseudonyms::default(), &text);
        }
    }
}
