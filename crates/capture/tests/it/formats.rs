//! Files as users hand them in: compressed, cut off, damaged, huge, or something else.

use std::io::{self, Read, Write};

use capture::{
    Limits, Mappings, ReadError, Recording, read, read_file,
    reader::TimedSample,
    trace::{ApiCall, PeerEvent, StatsSample},
};
use timeline::State;

use crate::fixtures::root;

fn text(file: &str) -> Vec<u8> {
    std::fs::read(root().join(file)).unwrap()
}

fn read_bytes(bytes: impl Read) -> Result<Recording, ReadError> {
    read("file", bytes, &Mappings::default(), &Limits::default())
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_files_read_like_plain_ones() {
    for file in [
        "happy-av/rtcstats.txt",
        "happy-av/webrtc-internals.json",
        "happy-av/playwright.har",
        "happy-av/relay.jsonl",
    ] {
        let plain = text(file);
        assert_eq!(
            read_bytes(gzipped(&plain).as_slice()).unwrap(),
            read_bytes(plain.as_slice()).unwrap(),
            "{file}"
        );
    }
}

#[test]
fn files_that_end_in_the_middle_are_partial() {
    for file in [
        "happy-av/rtcstats.txt",
        "happy-av/webrtc-internals.json",
        "happy-av/playwright.har",
        "happy-av/relay.jsonl",
    ] {
        let whole = text(file);
        let half = &whole[..whole.len() * 2 / 3];
        for (recording, how) in
            [(read_bytes(half), "plain"), (read_bytes(&gzipped(&whole)[..whole.len() / 12]), "gzip")]
        {
            let recording = recording.unwrap_or_else(|error| panic!("{file} {how}: {error}"));
            assert!(recording.is_partial() && !recording.shows_nothing(), "{file} {how}");
            assert!(
                recording.gaps[0].what.contains("the file ends in the middle") || how == "gzip",
                "{:?}",
                recording.gaps
            );
        }
    }
}

#[test]
fn a_damaged_line_is_left_out_and_named() {
    let mut lines: Vec<String> =
        String::from_utf8(text("happy-av/relay.jsonl")).unwrap().lines().map(str::to_owned).collect();
    let all = read_bytes(lines.join("\n").as_bytes()).unwrap().relay.len();
    lines[6] = "{\"ts\":1,".to_owned();
    lines[8] = r#"{"ts":1795415919821,"dir":"sideways","peer":"x","msg":{}}"#.to_owned();
    let recording = read_bytes(lines.join("\n").as_bytes()).unwrap();
    assert_eq!(recording.relay.len(), all - 2);
    let gaps: Vec<(u64, bool)> = recording
        .gaps
        .iter()
        .map(|gap| (gap.line, gap.what.contains("`in`, `out`, `drop` and `close`")))
        .collect();
    assert_eq!(gaps, [(7, false), (9, true)]);
}

#[track_caller]
fn check_refused(bytes: &[u8], expect: &str) {
    let error = read_bytes(bytes).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn what_is_no_capture_is_refused_with_a_sentence() {
    check_refused(b"", "the file is empty");
    check_refused(b"\xff\xd8\xff\xe0JFIF", "a JPEG picture");
    check_refused(br#"{"hello":1}"#, "JSON with the keys `hello`");
    check_refused(b"\x1f\x8b\x08\x00nonsense", "cannot be unpacked");
    check_refused(b"{\"log\":{\"entries\":[{]}", "byte");
    check_refused(b"RTCStatsDump\nnonsense\n", "2: byte 13");
    let missing = read_file(std::path::Path::new("no/such/file"), &Mappings::default(), &Limits::default());
    assert!(matches!(missing, Err(ReadError::Io { .. })));
}

/// A HAR of any size, made while it is read: pictures, then one message, then pictures.
struct HugeHar {
    picture: Vec<u8>,
    parts: std::vec::IntoIter<u8>,
    current: io::Cursor<Vec<u8>>,
}

impl HugeHar {
    fn new(pictures: usize, picture_bytes: usize) -> Self {
        let mut picture = br#"{"request":{"url":"https://x/"},"response":{"content":{"text":""#.to_vec();
        picture.resize(picture.len() + picture_bytes, b'A');
        picture.extend_from_slice(br#"","encoding":"base64"}}},"#);
        // 0 a picture, 1 the message, 2 the end.
        let mut parts = vec![0; pictures];
        parts.insert(pictures / 2, 1);
        parts.push(2);
        let current = io::Cursor::new(br#"{"log":{"entries":["#.to_vec());
        Self { picture, parts: parts.into_iter(), current }
    }
}

impl Read for HugeHar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            let next = match self.parts.next() {
                None => return Ok(0),
                Some(0) => self.picture.clone(),
                Some(1) => br#"{"_webSocketMessages":[{"type":"send","time":1795000000.5,"opcode":1,"data":"{\"type\":\"offer\",\"sdp\":\"v=0\"}"}]},"#.to_vec(),
                Some(_) => b"{}]}}".to_vec(),
            };
            self.current = io::Cursor::new(next);
        }
    }
}

#[test]
fn what_a_reader_does_not_need_costs_no_memory() {
    // 16 MB through a reader that may keep 4 KB.
    let limits = Limits { memory_bytes: 4096, text_bytes: 1024, ..Limits::default() };
    let recording = read("huge", HugeHar::new(16, 1 << 20), &Mappings::default(), &limits).unwrap();
    assert_eq!(recording.sockets.len(), 1);
    assert!(!recording.is_partial(), "{:?}", recording.gaps);
}

#[test]
fn a_limit_that_is_reached_makes_the_recording_partial() {
    for file in [
        "happy-av/rtcstats.txt",
        "happy-av/webrtc-internals.json",
        "happy-av/playwright.har",
        "happy-av/relay.jsonl",
        "happy-av/events.jsonl",
    ] {
        let limits = Limits { memory_bytes: 20_000, ..Limits::default() };
        let limits =
            if file.ends_with("events.jsonl") { Limits { memory_bytes: 4000, ..limits } } else { limits };
        let recording = read("file", text(file).as_slice(), &Mappings::default(), &limits).unwrap();
        assert!(
            recording.gaps.iter().any(|gap| gap.what.contains("bytes of memory")),
            "{file}: {:?}",
            recording.gaps
        );
    }
}

#[test]
fn a_small_file_that_unfolds_to_a_large_one_ends_at_the_limit() {
    let bomb =
        gzipped(&b"{\"ts\":1,\"dir\":\"in\",\"peer\":\"a\",\"msg\":{\"type\":\"join\"}}\n".repeat(20_000));
    let limits = Limits { input_bytes: 100_000, ..Limits::default() };
    let recording = read("bomb", bomb.as_slice(), &Mappings::default(), &limits).unwrap();
    assert!(recording.relay.len() < 2000);
}

#[test]
fn seconds_and_milliseconds_are_told_apart() {
    let frame = |time: &str| {
        format!(
            r#"{{"log":{{"entries":[{{"_webSocketMessages":[{{"type":"send","time":{time},"opcode":1,"data":"{{\"type\":\"bye\"}}"}}]}}]}}}}"#
        )
    };
    let time = |text: &str| read_bytes(frame(text).as_bytes()).unwrap().sockets[0].frames[0].at.as_micros();
    assert_eq!(time("1795416801.0754719"), 1_795_416_801_075_472);
    assert_eq!(time("1795416801075.4719"), 1_795_416_801_075_472);
}

#[test]
fn negative_deltas_move_the_clock_back() {
    let dump = "RTCStatsDump\n[\"create\",\"1-1\",{},1795000000000]\n[\"close\",\"1-1\",null,500]\n[\"x\",\"2-1\",null,-200.5]\n";
    let recording = read_bytes(dump.as_bytes()).unwrap();
    assert_eq!(recording.connections[1].entries[0].0.as_micros(), 1_795_000_000_299_500);
}

#[test]
fn times_of_rtcstats_lines_are_differences_or_moments() {
    let micros = |dump: &str| -> Vec<i64> {
        let recording = read_bytes(dump.as_bytes()).unwrap();
        recording.connections[0].entries.iter().map(|(at, _)| at.as_micros()).collect()
    };
    let differences =
        "RTCStatsDump\n[\"onnegotiationneeded\",\"1-1\",null,1795000000000]\n[\"close\",\"1-1\",null,500]\n";
    let moments =
        "[\"onnegotiationneeded\",\"PC_0\",null,1795000000000]\n[\"close\",\"PC_0\",null,1795000000500]\n";
    let expect = [1_795_000_000_000_000, 1_795_000_000_500_000];
    assert_eq!(micros(differences), expect);
    assert_eq!(micros(moments), expect);
}

#[test]
fn short_forms_read_like_long_ones() {
    let states = |file: &str| -> Vec<State> {
        let recording = read_bytes(text(file).as_slice()).unwrap();
        let entries = recording.connections.into_iter().flat_map(|connection| connection.entries);
        let state = |event| match event {
            PeerEvent::State { to } => Some(to),
            _ => None,
        };
        entries.filter_map(|(_, event)| state(event)).collect()
    };
    let bodies = |file: &str| -> Vec<String> {
        let recording = read_bytes(text(file).as_slice()).unwrap();
        let entries = recording.connections.into_iter().flat_map(|connection| connection.entries);
        let body = |event| match event {
            PeerEvent::Call(ApiCall { description: Some(description), .. }) => Some(description.sdp),
            _ => None,
        };
        entries.filter_map(|(_, event)| body(event)).collect()
    };
    let (long, short) = ("happy-av/with-stats.rtcstats.txt", "hand-made/shortened.rtcstats.txt");
    assert!(String::from_utf8(text(short)).unwrap().contains(r#""sdp":"v=\r\nm=\r\n"#), "it is short");
    assert_eq!(states(short), states(long));
    assert_eq!(bodies(short), bodies(long));
    let statistics = |file: &str| read_bytes(text(file).as_slice()).unwrap().connections[0].stats.clone();
    // The short file was made when nobody read the state of DTLS.
    let without_dtls = |timed: TimedSample| StatsSample { dtls_connected: false, ..timed.sample };
    let samples = |file: &str| statistics(file).into_iter().map(without_dtls).collect::<Vec<_>>();
    assert!(samples(long).iter().any(|sample| sample.round_trip_ms.is_some() && sample.selected.is_some()));
    assert_eq!(samples(short), samples(long));
}

#[test]
fn a_form_that_is_not_read_is_said_to_be_none() {
    let dump = r#"{"getUserMedia":[],"PeerConnections":{},"peerConnections":{"PC_0":[{"type":"create"}]}}"#;
    check_refused(dump.as_bytes(), "in a form of 2016 that is not read");
}
