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

/// Takes `bytes` for a mapping file and for a text frame.
pub fn mapped(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = capture::Mapping::from_toml("mapping.toml", text);
    let _ = Mappings::default().text(text);
}
