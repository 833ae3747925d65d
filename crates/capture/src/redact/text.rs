//! Plain text and SDP: addresses, credentials and fingerprints, wherever they stand.

use std::net::{IpAddr, SocketAddr};

use super::pseudonyms::Pseudonyms;

/// The text with everything replaced that is nobody else's business.
pub(super) fn redacted(pseudonyms: &mut Pseudonyms, text: &str) -> String {
    if let Some(known) = pseudonyms.known(text) {
        return known.clone();
    }
    if let Some(url) = url(pseudonyms, text) {
        return url;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\r', '\n']);
        out.push_str(&self::line(pseudonyms, body));
        out.push_str(&line[body.len()..]);
    }
    let is_sdp = text.starts_with("v=0") || text.contains("candidate:");
    if is_sdp { out } else { without_names(pseudonyms, out) }
}

/// `https://host/path?query` → `https://host-1.invalid/`; of `turn:host:port?transport=udp` only the host goes.
fn url(pseudonyms: &mut Pseudonyms, text: &str) -> Option<String> {
    for scheme in ["https://", "http://", "wss://", "ws://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let (host, port) = host_and_port(authority.rsplit('@').next().unwrap_or_default());
            return Some(format!("{scheme}{}{port}/", pseudonyms.host(host)));
        }
    }
    for scheme in ["stuns:", "stun:", "turns:", "turn:"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            let end = rest.find(['?', ' ', ',']).unwrap_or(rest.len());
            let (host, port) = host_and_port(&rest[..end]);
            let tail = if rest[end..].starts_with('?') { &rest[end..] } else { "" };
            return Some(format!("{scheme}{}{port}{tail}", pseudonyms.host(host)));
        }
    }
    None
}

/// The port with its colon.
fn host_and_port(authority: &str) -> (&str, &str) {
    let at = authority.rfind(':').filter(|at| authority[at + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    // The colons of a bare IPv6 address are its own.
    let bare_v6 = authority.matches(':').count() > 1 && !authority.starts_with('[');
    match at.filter(|_| !bare_v6) {
        Some(at) => authority.split_at(at),
        None => (authority, ""),
    }
}

/// Lines of SDP that hold a secret or free text (RFC 8866 §5, RFC 8839 §5.4, RFC 8122 §5, RFC 4568).
fn line(pseudonyms: &mut Pseudonyms, line: &str) -> String {
    for prefix in ["a=ice-ufrag:", "a=ice-pwd:"] {
        if let Some(value) = line.strip_prefix(prefix) {
            return format!("{prefix}{}", pseudonyms.word(value));
        }
    }
    for prefix in ["a=crypto:", "i=", "u=", "e=", "p=", "a=identity:"] {
        if line.starts_with(prefix) {
            return format!("{prefix}redacted");
        }
    }
    if let Some(rest) = line.strip_prefix("o=").filter(|rest| rest.matches(' ').count() == 5) {
        let (_, rest) = rest.split_once(' ').unwrap_or_default();
        return format!("o=- {}", words(pseudonyms, rest));
    }
    words(pseudonyms, line)
}

/// Word by word; what stands between words stays.
fn words(pseudonyms: &mut Pseudonyms, line: &str) -> String {
    let is_word = |c: char| {
        !c.is_whitespace()
            && !matches!(
                c,
                '"' | '\'' | ',' | '/' | '=' | ';' | '(' | ')' | '<' | '>' | '{' | '}' | '|' | '\\'
            )
    };
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut before = "";
    while !rest.is_empty() {
        let gap = rest.find(is_word).unwrap_or(rest.len());
        out.push_str(&rest[..gap]);
        let after_slash = rest[..gap].ends_with('/') || out.ends_with('/');
        rest = &rest[gap..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        // `Chrome/156.0.0.0` is a version.
        let is_version = after_slash && before.bytes().any(|byte| byte.is_ascii_alphabetic());
        match before == "ufrag" || before == "ufrag:" {
            true => out.push_str(&pseudonyms.word(word)),
            false if is_version => out.push_str(word),
            false => out.push_str(&self::word(pseudonyms, word)),
        }
        before = word;
        rest = tail;
    }
    out
}

fn word(pseudonyms: &mut Pseudonyms, word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':', ')', ']']).trim_start_matches('[');
    if let Ok(address) = word.parse::<IpAddr>().or(bare.parse::<IpAddr>()) {
        let text = address.to_string();
        let replaced = pseudonyms.address(address).to_string();
        // Written in another form than ours (capitals, zeros), it is replaced as a whole.
        return if word.contains(&text) { word.replacen(&text, &replaced, 1) } else { replaced };
    }
    if let Ok(socket) = word.parse::<SocketAddr>().or(bare.parse::<SocketAddr>()) {
        return SocketAddr::new(pseudonyms.address(socket.ip()), socket.port()).to_string();
    }
    if let Some(masked) = masked_address(word) {
        return masked;
    }
    if let Some((name, port)) = mdns_name(word) {
        return format!("{}.local{port}", pseudonyms.word(name));
    }
    if let Some(server) = bare_server(pseudonyms, word) {
        return server;
    }
    // `CF43:DC:…-fingerprint`: a member of statistics of a certificate, which is named by its fingerprint.
    if let Some((id, member)) = word.rsplit_once('-').filter(|(id, _)| fingerprint_start(id).is_some()) {
        return format!("{}-{member}", self::word(pseudonyms, id));
    }
    match fingerprint_start(word) {
        Some(start) => {
            format!("{}{}", &word[..start], colons(&pseudonyms.word(&word[start..].replace(':', ""))))
        }
        None => word.to_owned(),
    }
}

/// `[turn:host:3478]`, as older browsers write the servers of a configuration.
fn bare_server(pseudonyms: &mut Pseudonyms, word: &str) -> Option<String> {
    let start = word.len() - word.trim_start_matches(['[', '{']).len();
    let rest = &word[start..];
    // The brackets of an IPv6 address are its own.
    let unbalanced = rest.matches(']').count().saturating_sub(rest.matches('[').count());
    let server = (0..unbalanced).fold(rest, |server, _| server.strip_suffix(']').unwrap_or(server));
    let is_server = ["stun:", "stuns:", "turn:", "turns:"].iter().any(|scheme| server.starts_with(scheme));
    let replaced = is_server.then(|| url(pseudonyms, server)).flatten()?;
    Some(format!("{}{replaced}{}", &word[..start], &rest[server.len()..]))
}

/// `10.77.0.x`, as browsers mask an address in `icecandidateerror`.
fn masked_address(word: &str) -> Option<String> {
    let (start, port) = word.split_once(':').unwrap_or((word, ""));
    let bytes = start.strip_suffix(".x")?;
    let is_address = bytes.split('.').count() == 3 && bytes.split('.').all(|byte| byte.parse::<u8>().is_ok());
    let port = if port.is_empty() { String::new() } else { format!(":{port}") };
    is_address.then(|| format!("0.0.0.x{port}"))
}

/// An mDNS name and what follows it (`:port`).
fn mdns_name(word: &str) -> Option<(&str, &str)> {
    let at = word.find(".local")?;
    let (name, port) = (&word[..at], &word[at + ".local".len()..]);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_name && (port.is_empty() || port.starts_with(':'))).then_some((name, port))
}

/// Where a fingerprint begins: at least 16 pairs of hexadecimal digits with colons between (RFC 8122 §5), at the
/// word's end.
fn fingerprint_start(word: &str) -> Option<usize> {
    let pairs: Vec<&str> = word.split(':').collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    let whole = pairs.iter().rev().take_while(|pair| is_pair(pair)).count();
    if whole < 15 {
        return None;
    }
    let length = whole * 3 - 1;
    let start = word.len() - length;
    // The first pair may have something before it: the id of a statistic.
    let first = word[..start]
        .strip_suffix(':')
        .filter(|first| first.len() >= 2 && first.is_char_boundary(first.len() - 2));
    match first {
        Some(first) if is_pair(&&first[first.len() - 2..]) => Some(start - 3),
        _ => Some(start),
    }
}

fn colons(digits: &str) -> String {
    let pairs: Vec<&str> = (0..digits.len() / 2).map(|pair| &digits[pair * 2..pair * 2 + 2]).collect();
    pairs.join(":").to_ascii_uppercase()
}

/// Names that were learnt, where they stand as words.
fn without_names(pseudonyms: &Pseudonyms, text: String) -> String {
    let mut text = text;
    for (name, replacement) in pseudonyms.long_names() {
        if !text.contains(name.as_str()) || name == replacement {
            continue;
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(name.as_str()) {
            let before = rest[..at].chars().next_back().or(out.chars().next_back());
            let after = rest[at + name.len()..].chars().next();
            let alone =
                !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric);
            out.push_str(&rest[..at]);
            out.push_str(if alone { replacement } else { name });
            rest = &rest[at + name.len()..];
        }
        out.push_str(rest);
        text = out;
    }
    text
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
        check("at 10.1.2.3:4444.", "at 10.0.0.1:4444");
        check("10.77.0.x:1", "0.0.0.x:1");
        check("0f1e2d3c-aaaa.local", "0000000000001.local");
    }

    #[test]
    fn credentials_fingerprints_and_hosts() {
        check("a=ice-pwd:0123456789012345678901", "a=ice-pwd:0000000000000000000001");
        let fingerprint = format!("a=fingerprint:sha-256 {}", ["F7"; 32].join(":"));
        assert!(redacted(&mut Pseudonyms::default(), &fingerprint).ends_with(":00:00:01"));
        check("https://app.example.com:8443/call?me=alice", "https://host-1.invalid:8443/");
        check("turn:turn.example.com:3478?transport=udp", "turn:host-1.invalid:3478?transport=udp");
        check("turn:[2a00::7]:3478", "turn:[2001:db8::1]:3478");
    }

    #[test]
    fn servers_and_certificates_of_older_forms() {
        check(
            "{ iceServers: [stun:stun.example.com:19302, turn:93.184.216.34:3478?transport=udp], bundlePolicy: x }",
            "{ iceServers: [stun:host-1.invalid:19302, turn:198.18.0.1:3478?transport=udp], bundlePolicy: x }",
        );
        check("[turn:[2a00::7]:3478]", "[turn:[2001:db8::1]:3478]");
        check("url: stun:stun.example.com:19302, address: x", "url: stun:host-1.invalid:19302, address: x");
        let id = format!("CF{}-base64Certificate", ["F7"; 32].join(":"));
        let copy = redacted(&mut Pseudonyms::default(), &id);
        assert!(copy.starts_with("CF00:00") && copy.ends_with(":01-base64Certificate"), "{copy}");
    }

    #[test]
    fn names_are_words_and_versions_are_no_addresses() {
        check("bye alice, malice", "bye peer-1, malice");
        check("Mozilla/5.0 Chrome/156.0.0.0 Safari", "Mozilla/5.0 Chrome/156.0.0.0 Safari");
    }
}
