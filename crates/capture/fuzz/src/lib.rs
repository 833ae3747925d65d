//! What every target does with its bytes: all that is done with a file.

use capture::{
    Format, Limits, Mappings,
    audit::{audit, verdict, waits},
    diagram::{Sequence, svg, terminal},
    merge,
    reader::read_as_format,
    redact::Redactor,
};

/// Reads `bytes` as `format` and takes them all the way to findings and pictures.
pub fn through(format: Format, bytes: &[u8]) {
    let limits = Limits { memory_bytes: 4 << 20, text_bytes: 1 << 16, input_bytes: 1 << 24 };
    let Ok(recording) = read_as_format(format, "file", bytes, &Mappings::default(), &limits) else { return };
    let _ = recording.unmapped.advice();
    for trace in merge(vec![recording]).calls {
        let findings = audit(&trace);
        let sequence = Sequence::new(&trace, &findings);
        let _ = (verdict(&trace, &findings), waits(&trace), terminal(&sequence, 100), svg(&sequence));
        serde_json::to_string(&trace).expect("a trace has a JSON form");
    }
}

/// Redacts `bytes`, and reads what comes of it.
pub fn redacted(bytes: &[u8]) {
    let limits = Limits { memory_bytes: 4 << 20, ..Limits::default() };
    if let Ok(copy) = Redactor::new().redact("file", bytes, &limits) {
        let _ = capture::read("copy", copy.as_slice(), &Mappings::default(), &limits);
    }
}

/// What is planted in a file: one of each kind, and none of them anything that a file has by itself.
const SECRETS: [&str; 9] = [
    "zqxhunter",
    "Quixotia Zwolle",
    "203.0.113.177",
    "2001:67c:2e8:22::c100",
    "zqx@wvut.example",
    "wvut17.zqx.example",
    "7f3aq9c1e2",
    "https://zqx.example/wvut?k=vq",
    "Größenwahn",
];

/// Plants a secret in a file, redacts that, and looks for it. The first byte says which, the next two say where.
///
/// # Panics
/// Where it is in the copy.
pub fn planted(bytes: &[u8]) {
    let [which, high, low, file @ ..] = bytes else { return };
    let Ok(file) = std::str::from_utf8(file) else { return };
    let secret = SECRETS[usize::from(*which) % SECRETS.len()];
    let wanted = usize::from(u16::from_be_bytes([*high, *low])) % (file.len() + 1);
    let at = (0..=wanted).rev().find(|at| file.is_char_boundary(*at)).unwrap_or_default();
    let text = format!("{}{secret}{}", &file[..at], &file[at..]);
    let limits = Limits { memory_bytes: 4 << 20, ..Limits::default() };
    let Ok(copy) = Redactor::new().redact("file", text.as_bytes(), &limits) else { return };
    let copy = String::from_utf8_lossy(&copy).to_lowercase();
    assert!(!copy.contains(&secret.to_lowercase()), "{secret} is still there: {copy}");
}

/// Takes `bytes` for a mapping file and for a text frame.
pub fn mapped(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = capture::Mapping::from_toml("mapping.toml", text);
    let _ = Mappings::default().text(text);
}
