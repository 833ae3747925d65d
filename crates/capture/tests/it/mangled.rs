//! Bytes from anywhere: no panic, no hang, no more memory than allowed, all the way to the findings.

use capture::{
    Format, Limits, Mapping, Mappings,
    audit::{audit, verdict, waits},
    diagram::{Sequence, svg, terminal},
    merge,
    reader::read_as_format,
    redact::Redactor,
};
use proptest::prelude::*;

use crate::fixtures::root;

#[derive(Clone, Debug)]
enum Mangle {
    Set(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
}

/// Edits that leave enough in place for a reader to get somewhere.
fn mangle() -> impl Strategy<Value = Mangle> {
    let word = prop::sample::select(vec![
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "-1",
        "1e999",
        "\\u0000",
        "\\ud800",
        "\n",
        "true",
        "\"v=0\"",
        "offer",
        "candidate:",
        "\\\"",
        "9999999999999999999",
        "…",
    ]);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Mangle::Set(at, byte)),
        any::<usize>().prop_map(Mangle::Cut),
        (any::<usize>(), 1..200_usize).prop_map(|(at, length)| Mangle::Remove(at, length)),
        (any::<usize>(), 1..2000_usize).prop_map(|(at, length)| Mangle::Repeat(at, length)),
        (any::<usize>(), word).prop_map(|(at, word)| Mangle::Insert(at, word.as_bytes().to_vec())),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, more)| Mangle::Insert(at, more)),
    ]
}

fn apply(mut bytes: Vec<u8>, mangles: &[Mangle]) -> Vec<u8> {
    for mangle in mangles {
        let length = bytes.len().max(1);
        match mangle {
            Mangle::Set(at, byte) => bytes.iter_mut().skip(at % length).take(1).for_each(|old| *old = *byte),
            Mangle::Cut(at) => bytes.truncate(at % length),
            Mangle::Remove(at, count) => {
                let start = (at % length).min(bytes.len());
                let end = (start + count).min(bytes.len());
                bytes.drain(start..end);
            }
            Mangle::Repeat(at, count) => {
                let start = (at % length).min(bytes.len());
                let end = (start + count).min(bytes.len());
                let part = bytes[start..end].to_vec();
                bytes.splice(end..end, part);
            }
            Mangle::Insert(at, more) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
        }
    }
    bytes
}

/// A few kilobytes of a real file: enough for a reader, little enough for many cases.
fn sample(file: &str) -> Vec<u8> {
    let text = std::fs::read(root().join(file)).unwrap();
    text[..text.len().min(40_000)].to_vec()
}

/// Everything that is done with a file.
fn through(format: Format, bytes: &[u8]) {
    let limits = Limits { memory_bytes: 1 << 20, text_bytes: 1 << 14, input_bytes: 1 << 24 };
    let Ok(recording) = read_as_format(format, "file", bytes, &Mappings::default(), &limits) else { return };
    let _ = recording.unmapped.advice();
    for trace in merge(vec![recording.clone(), recording]).calls {
        let findings = audit(&trace);
        let _ = (verdict(&trace, &findings), waits(&trace));
        let sequence = Sequence::new(&trace, &findings);
        let _ = (terminal(&sequence, 100), svg(&sequence));
        assert!(serde_json::to_string(&trace).is_ok());
    }
    let _ = Redactor::new().redact("file", bytes, &limits);
}

macro_rules! mangled {
    ($($name:ident: $format:expr, $file:expr;)+) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $name(mangles in prop::collection::vec(mangle(), 1..12)) {
                    through($format, &apply(sample($file), &mangles));
                }
            )+

            #[test]
            fn any_bytes_as_any_format(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0..Format::ALL.len()) {
                through(Format::ALL[which], &bytes);
            }

            #[test]
            fn any_text_as_a_mapping_or_a_frame(text in "\\PC{0,80}") {
                let _ = Mapping::from_toml("m.toml", &text);
                let _ = Mappings::default().text(&text);
                let _ = Mappings::default().text(&format!("42[\"x\",{text}]"));
            }
        }
    };
}

mangled! {
    a_mangled_webrtc_internals_dump: Format::WebrtcInternals, "happy-av/with-stats.webrtc-internals.json";
    a_mangled_dump_of_the_oldest_form: Format::WebrtcInternals, "hand-made/oldest-form.webrtc-internals.json";
    a_mangled_rtcstats_dump: Format::Rtcstats, "glare-perfect-rollback/rtcstats.txt";
    a_mangled_dump_of_an_rtcstats_server: Format::Rtcstats, "hand-made/sfu.rtcstats-server.txt";
    a_mangled_dump_of_short_forms: Format::Rtcstats, "hand-made/shortened.rtcstats.txt";
    a_mangled_har: Format::Har, "happy-av/playwright.har";
    a_mangled_socket_io_har: Format::Har, "hand-made/socket-io.har";
    a_mangled_relay_log: Format::RelayLog, "candidates-before-offer/relay.jsonl";
    a_mangled_page_log: Format::PageEvents, "callee-closes/events.jsonl";
    a_mangled_sip_har: Format::Har, "field/sip-renegotiated-and-trickled.har";
    a_mangled_whip_har: Format::Har, "field/whip-connected.har";
    a_mangled_matrix_har: Format::Har, "field/matrix-answered.har";
    a_mangled_janus_har: Format::Har, "field/janus-ice-failed.har";
    a_mangled_livekit_har: Format::Har, "field/livekit-connected.har";
    a_mangled_mediasoup_har: Format::Har, "field/mediasoup-connected.har";
    mangled_descriptions: Format::Descriptions, "field/pasted-descriptions.txt";
    mangled_statistics: Format::GetStats, "field/get-stats-nothing-comes.json";
    a_mangled_page_of_firefox: Format::AboutWebrtc, "field/about-webrtc-connected.html";
    a_mangled_timeline: Format::Timeline, "hand-made/timeline.json";
}
