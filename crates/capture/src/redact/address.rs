//! What is one in a text and looks like none of its words: addresses, names of mDNS, fingerprints, runs of numbers.

use std::net::{IpAddr, SocketAddr};

use super::{pseudonyms::Pseudonyms, vocabulary::is_of_a_word};

/// What begins here and is more than a word: an address, a masked one, an mDNS name, a run of numbers. How long it is,
/// and what takes its place.
pub(super) fn special(
    pseudonyms: &mut Pseudonyms,
    text: &str,
    before: Option<char>,
) -> (usize, Option<String>) {
    if before.is_some_and(|before| before.is_ascii_alphanumeric()) {
        return (0, None);
    }
    if let Some((length, replaced)) = address(pseudonyms, text) {
        return (length, Some(replaced));
    }
    numbers(pseudonyms, text)
}

/// An address or an mDNS name at the beginning of `text`: how long it is, and what takes its place.
pub(super) fn address(pseudonyms: &mut Pseudonyms, text: &str) -> Option<(usize, String)> {
    // Neither is longer.
    let run = |fits: fn(u8) -> bool| text.bytes().take(64).take_while(|byte| fits(*byte)).count();
    let digits = run(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
    if let Some(found) = ip(pseudonyms, text, digits) {
        return Some(found);
    }
    let name = run(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_mdns =
        name > 0 && text[name..].starts_with(".local") && !text[name + 6..].starts_with(is_of_a_word);
    is_mdns.then(|| (name + 6, format!("{}.local", pseudonyms.word(&text[..name]))))
}

/// An address at the beginning of `text`, of whose first `run` bytes it may be made.
fn ip(pseudonyms: &mut Pseudonyms, text: &str, run: usize) -> Option<(usize, String)> {
    let dots = text[..run].matches('.').count();
    let colons = text[..run].matches(':').count();
    if dots < 2 && colons < 2 {
        return None;
    }
    // `10.77.0.x`, as browsers mask an address in `icecandidateerror`.
    if let Some(bytes) = text[..run].strip_suffix('.')
        && text[run..].starts_with('x')
        && bytes.split('.').count() == 3
        && bytes.split('.').all(|byte| byte.parse::<u8>().is_ok())
    {
        return Some((run + 1, "0.0.0.x".to_owned()));
    }
    // The longest beginning that is one: `fe80::1:2`, `10.0.0.1:80`, `10.0.0.1.` at the end of a sentence.
    let mut end = run;
    for _ in 0..3 {
        let candidate = text[..end].trim_end_matches(['.', ':']);
        let candidate =
            if candidate.is_empty() || text[..end].ends_with("::") { &text[..end] } else { candidate };
        if let Ok(address) = candidate.parse::<IpAddr>() {
            return Some((candidate.len(), pseudonyms.address(address).to_string()));
        }
        if let Ok(socket) = candidate.parse::<SocketAddr>() {
            let address = pseudonyms.address(socket.ip());
            return Some((candidate.len(), SocketAddr::new(address, socket.port()).to_string()));
        }
        end = text[..end].rfind(':')?;
    }
    // Neither: its numbers and words one by one, a hardware address as a whole.
    let mac = text[..run].split(':').count() == 6 && text[..run].split(':').all(|pair| pair.len() == 2);
    mac.then(|| (run, with_colons(&pseudonyms.word(&text[..run].replace(':', "")))))
}

/// Numbers with one sign between each two: `2026-11-30`, `192-168-1-1`, `+49 170 1234567`. Three digits tell nothing; a clock
/// (`6:38:39`) and a decimal fraction of few digits neither. How long they are, and what takes their place.
pub(super) fn numbers(pseudonyms: &mut Pseudonyms, text: &str) -> (usize, Option<String>) {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return (0, None);
    }
    let bytes = text.as_bytes();
    let mut groups = Vec::new();
    let mut at = 0;
    loop {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        groups.push((at, at + digits));
        at += digits;
        let next = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !(next
            && bytes.get(at).is_some_and(|byte| matches!(byte, b'.' | b'-' | b':' | b'/' | b'_' | b'+')))
        {
            break;
        }
        at += 1;
    }
    // A word that begins with digits is a word.
    let last = groups.last().copied().unwrap_or_default();
    if text[last.1..].starts_with(is_of_a_word) {
        groups.pop();
        if groups.is_empty() {
            return (0, None);
        }
    }
    let end = groups.last().map_or(0, |group| group.1);
    let total: usize = groups.iter().map(|(from, to)| to - from).sum();
    let is_clock = groups.len() > 1
        && text[..end].bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
        && total <= 6;
    if total <= 3 || is_clock || (groups.len() == 1 && is_well_known(&text[..end])) {
        return (end, Some(text[..end].to_owned()));
    }
    let mut out = String::new();
    let mut from = 0;
    for (start, stop) in groups {
        out.push_str(&text[from..start]);
        out.push_str(&pseudonyms.digits(&text[start..stop]));
        from = stop;
    }
    (end, Some(out))
}

/// Ports of STUN, codes of WebSocket closes, clock rates.
fn is_well_known(digits: &str) -> bool {
    matches!(digits, "3478" | "5349" | "8000" | "16000" | "44100" | "48000" | "90000")
        || digits.parse::<u32>().is_ok_and(|code| (1000..=1015).contains(&code) && digits.len() == 4)
}

/// How long the pairs of hexadecimal digits are with which `text` begins, and the colons between them.
pub(super) fn colons_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_pair =
        |at: usize| bytes.get(at..at + 2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
    if !is_pair(0) {
        return 0;
    }
    let mut end = 2;
    while bytes.get(end) == Some(&b':') && is_pair(end + 1) {
        end += 3;
    }
    end
}

/// Where a fingerprint begins: at least 16 pairs of hexadecimal digits with colons between (RFC 8122 §5). Something may stand
/// before it: the id of a statistic of a certificate is named by its fingerprint.
pub(super) fn fingerprint_start(chunk: &str) -> Option<usize> {
    const LEAST: usize = 16 * 3 - 1;
    if chunk.len() < LEAST {
        return None;
    }
    let first = chunk.find(':')?;
    let start = first.checked_sub(2).filter(|start| chunk.is_char_boundary(*start))?;
    (colons_end(&chunk[start..]) >= LEAST).then_some(start)
}

pub(super) fn with_colons(digits: &str) -> String {
    let pairs: Vec<&str> = (0..digits.len() / 2).map(|pair| &digits[pair * 2..pair * 2 + 2]).collect();
    pairs.join(":").to_ascii_uppercase()
}
