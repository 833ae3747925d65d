use std::{collections::BTreeSet, fs, path::Path};

use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// Runs the command as the command line would; its exit code, and what it wrote to `--out`.
fn replay(arguments: &[&str]) -> (Code, String) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let all = ["replay", "--out", out.to_str().unwrap()].into_iter().chain(arguments.iter().copied());
    let cli = Cli::try_parse_from(all).unwrap();
    let code = run(&cli.arguments).unwrap();
    (code, fs::read_to_string(out).unwrap_or_default())
}

fn fixture(path: &str) -> String {
    fixtures().join(path).to_str().unwrap().to_owned()
}

fn json(arguments: &[&str]) -> (Code, Value) {
    let (code, text) = replay(&[&["--format", "json"], arguments].concat());
    (code, serde_json::from_str(&text).unwrap())
}

#[test]
fn every_fixture_is_read_by_itself_and_says_what_it_is() {
    let mut files = Vec::new();
    for folder in fs::read_dir(fixtures()).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            files.extend(fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
        }
    }
    assert!(files.len() > 50, "{} fixtures", files.len());
    for file in files {
        let (code, report) = json(&[file.to_str().unwrap()]);
        let entry = &report["files"][0];
        assert!(entry["format"].is_string(), "{}", file.display());
        let calls = entry["calls"].as_array().unwrap();
        match calls.first() {
            Some(call) => {
                let diverged = calls.iter().any(|call| !call["divergence"].is_null());
                let expected = if diverged { Code::CheckFailed } else { Code::Good };
                assert_eq!(code, expected, "{}", file.display());
                assert_eq!(call["replayed"], call["replayed_outcome"].is_string(), "{}", file.display());
                assert_eq!(call["replayed"], call["not_replayed"].is_null(), "{}", file.display());
                assert!(!call["verdict"].as_str().unwrap().is_empty());
                // Statistics alone are of one side.
                assert!(!call["peers"].as_array().unwrap().is_empty(), "{}", file.display());
                assert!(call["media"].is_object(), "{}", file.display());
                assert!(call["captured_outcome"].is_string());
            }
            None => {
                assert_eq!(code, Code::NothingRan, "{}", file.display());
                assert!(entry["adds_nothing"].is_string(), "{}", file.display());
            }
        }
    }
}

/// But for other forms of one call that are in `hand-made/`, which are that call, and for `field/`, whose calls share
/// their descriptions.
#[test]
fn all_captures_at_once_are_kept_apart() {
    let forms = ["oldest-form", "second-form", "shortened", "socket-io"];
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_form = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy();
        forms.iter().any(|form| name.starts_with(form))
    };
    let folders: Vec<String> = below(fixtures())
        .filter(|path| !["hand-made", "field", "clients"].iter().any(|name| path.ends_with(name)))
        .chain(below(fixtures().join("hand-made")).filter(|path| !is_form(path)))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let (code, report) = json(&folders);
    assert_eq!(code, Code::Good);
    assert_eq!(report["passed"], true);
    let files = report["files"].as_array().unwrap();
    assert!(files.len() > 50 && files.iter().all(|file| !file["file"].as_str().unwrap().ends_with(".md")));
    for call in files.iter().flat_map(|file| file["calls"].as_array().unwrap()) {
        let sources = call["sources"].as_array().unwrap().iter();
        let folders: BTreeSet<_> = sources
            .map(|source| Path::new(source["file"].as_str().unwrap()).parent().unwrap().to_owned())
            .collect();
        assert_eq!(folders.len(), 1, "a call has files of one folder only: {folders:?}");
    }
}

#[test]
fn files_of_one_call_are_one_call_at_each_of_them() {
    let (caller, callee) = (
        fixture("two-browsers-happy-av/caller.rtcstats.txt"),
        fixture("two-browsers-happy-av/callee.rtcstats.txt"),
    );
    let (_, report) = json(&[&caller, &callee]);
    let calls: Vec<&Value> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|file| file["calls"].as_array().unwrap())
        .collect();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0], calls[1]);
    assert_eq!(calls[0]["sources"].as_array().unwrap().len(), 2);
    let transitions = |peer: usize| calls[0]["peers"][peer]["transitions"].as_array().unwrap().len();
    assert!(transitions(0) >= 5 && transitions(1) >= 5);
}

#[test]
fn a_person_reads_the_verdict_first() {
    let (code, short) = replay(&[&fixture("no-answer/events.jsonl")]);
    assert_eq!(code, Code::Good);
    let first = short.lines().next().unwrap();
    assert!(first.starts_with("The call never connected: the offer of peer-1"), "{first}");
    assert!(short.contains("What to do\n  - Nothing, if nobody was there"), "{short}");
    for internal in ["Re-executed", "offer-unanswered", "Assumed", "transitions"] {
        assert!(!short.contains(internal), "{internal} is for developers: {short}");
    }
    let (_, text) = replay(&[&fixture("no-answer/events.jsonl"), "--details"]);
    assert_eq!(text.lines().next(), Some(first));
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is missing in\n{text}"));
    assert!(at("Call call-1 (never-connected)") < at("warning offer-unanswered"));
    assert!(at("warning offer-unanswered") < at("What to do:"));
    assert!(at("What to do:") < at("Where the time went"));
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_still_told() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.txt");
    fs::write(&photo, b"\x89PNG\r\n\x1a\n0000").unwrap();
    let photo = photo.to_str().unwrap();
    let (code, report) = json(&[photo, &fixture("happy-av/rtcstats.txt")]);
    assert_eq!(code, Code::BadInput);
    assert_eq!(report["passed"], false);
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0]["calls"][0]["captured_outcome"], "connected");
    assert!(files[1]["error"].as_str().unwrap().contains("a PNG picture"), "{}", files[1]);
}

#[test]
fn a_mapping_file_with_a_mistake_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mine.toml");
    fs::write(&mapping, "version = 1\nname = \"mine\"\n[places]\nsdpp = \"/sdp\"\n").unwrap();
    let (code, text) = replay(&[&fixture("happy-av/relay.jsonl"), "--mapping", mapping.to_str().unwrap()]);
    assert_eq!((code, text.as_str()), (Code::BadInput, ""));
}

#[test]
fn a_redacted_copy_reads_as_the_original_and_never_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().join("copies");
    let original = fixture("no-answer/relay.jsonl");
    let (code, before) = json(&[&original, "--redact", copies.join("copy.jsonl").to_str().unwrap()]);
    assert_eq!(code, Code::Good);
    let (_, after) = json(&[copies.join("copy.jsonl").to_str().unwrap()]);
    let codes = |report: &Value| -> Vec<Value> {
        let findings = report["files"][0]["calls"][0]["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["code"].clone()).collect()
    };
    assert!(!codes(&before).is_empty());
    assert_eq!(codes(&before), codes(&after));

    let own = folder.path().join("own.jsonl");
    fs::copy(&original, &own).unwrap();
    let (code, _) = replay(&[own.to_str().unwrap(), "--redact", own.to_str().unwrap()]);
    assert_eq!(code, Code::BadInput);
    assert_eq!(fs::read(&own).unwrap(), fs::read(&original).unwrap());
}

/// A relay's log in a dialect of its own: the answer could not be delivered.
const OWN_LOG: &str = r#"{"time":"2026-02-02T02:40:00.000Z","level":"info","evt":"recv","user":"u_1","payload":{"kind":"call.offer","room":"r","sender":"u_1","target":"u_2","body":{"description":"v=0\r\no=- 1234567890 1 IN IP4 0.0.0.0\r\na=ice-ufrag:aaaa\r\na=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"}}}
{"time":"2026-02-02T02:40:00.002Z","level":"info","evt":"send","user":"u_2","payload":{"kind":"call.offer","room":"r","sender":"u_1","target":"u_2","body":{"description":"v=0\r\no=- 1234567890 1 IN IP4 0.0.0.0\r\na=ice-ufrag:aaaa\r\na=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"}}}
{"time":"2026-02-02T02:40:02.000Z","level":"info","evt":"gone","user":"u_1"}
{"time":"2026-02-02T02:40:03.000Z","level":"info","evt":"recv","user":"u_2","payload":{"kind":"call.answer","room":"r","sender":"u_2","target":"u_1","body":{"description":"v=0\r\no=- 1234567891 1 IN IP4 0.0.0.0\r\na=ice-ufrag:bbbb\r\na=setup:active\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"}}}
{"time":"2026-02-02T02:40:03.001Z","level":"warn","evt":"undeliverable","user":"u_1","payload":{"kind":"call.answer","room":"r","sender":"u_2","target":"u_1","body":{"description":"v=0\r\no=- 1234567891 1 IN IP4 0.0.0.0\r\na=ice-ufrag:bbbb\r\na=setup:active\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"}}}
"#;

#[test]
fn a_log_in_a_form_of_its_own_is_read_by_a_mapping_that_the_command_drafts() {
    let folder = tempfile::tempdir().unwrap();
    let (log, draft) = (folder.path().join("ours.jsonl"), folder.path().join("ours.toml"));
    fs::write(&log, OWN_LOG).unwrap();
    let (log, draft) = (log.to_str().unwrap(), draft.to_str().unwrap());
    assert_eq!(replay(&[log, "--write-mapping", draft]).0, Code::NothingRan, "it is not understood yet");
    let written = fs::read_to_string(draft).unwrap();
    for line in ["time = \"/time\"", "direction = \"/evt\"", "person = \"/user\"", "message = \"/payload\""] {
        assert!(written.contains(line), "{line} is missing in\n{written}");
    }
    assert!(
        written.contains("\"undeliverable\" = \"drop\"\n") && written.contains("# \"gone\" = "),
        "{written}"
    );
    let places = "[places]\ntype = \"/kind\"\nsdp = \"/body/description\"\nfrom = \"/sender\"\nto = \"/target\"\ncall = \"/room\"\n";
    let (tables, _) = written.split_once("[places]").unwrap();
    fs::write(draft, tables.replace("# \"gone\" = \"…\"", "gone = \"close\"") + places).unwrap();
    let (code, report) = json(&[log, "--mapping", draft]);
    assert_eq!(code, Code::Good, "{report:#}");
    let verdict = report["files"][0]["calls"][0]["verdict"].as_str().unwrap();
    let expect = "the answer of u_2 for u_1 was dropped by the server at 3.0 s: u_1's connection to the server had ended 1.0 s before";
    assert!(verdict.contains(expect), "{verdict}");
}

#[test]
fn a_picture_is_drawn_for_each_call() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("call.svg");
    let files = [fixture("no-answer/relay.jsonl"), fixture("happy-av/relay.jsonl")];
    let (code, _) = replay(&[&files[0], &files[1], "--svg", picture.to_str().unwrap()]);
    assert_eq!(code, Code::Good);
    for name in ["call.svg", "call-2.svg"] {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains("<svg") && text.contains("peer-1"), "{name}");
    }
}

#[test]
fn a_saved_scenario_is_one_that_the_scenarios_command_reads() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("captured/last-night.toml");
    let (code, text) = replay(&[
        &fixture("no-answer/events.jsonl"),
        "--details",
        "--save-scenario",
        saved.to_str().unwrap(),
    ]);
    assert_eq!(code, Code::Good);
    assert!(text.contains("Re-executed against our engine: never-connected"), "{text}");
    let plans = scenario::format::load_dir(folder.path()).unwrap();
    assert_eq!(plans.len(), 1);
    assert!(plans[0].summary().contains("nobody answered within 8.0 s"), "{}", plans[0].summary());
}

/// Three people, which is more than a replay has.
fn crowded() -> String {
    let sdp =
        |who: char| format!("v=0\\r\\no=- 123456789{who} 2 IN IP4 0.0.0.0\\r\\na=ice-ufrag:aaa{who}\\r\\n");
    let line = |at: u32, dir: &str, peer: char, from: char, to: char| {
        let sdp = sdp(from);
        format!(
            r#"{{"ts":{at},"dir":"{dir}","peer":"{peer}","msg":{{"type":"offer","callId":"c","from":"{from}","to":"{to}","sdp":"{sdp}"}}}}"#
        )
    };
    [
        line(1, "in", 'a', 'a', 'b'),
        line(2, "out", 'b', 'a', 'b'),
        line(3, "in", 'c', 'c', 'b'),
        line(4, "out", 'b', 'c', 'b'),
    ]
    .join("\n")
}

#[test]
fn a_call_that_is_not_played_again_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crowd.jsonl");
    fs::write(&file, crowded()).unwrap();
    let (code, report) = json(&[file.to_str().unwrap()]);
    assert_eq!(code, Code::Good);
    let call = &report["files"][0]["calls"][0];
    assert_eq!((&call["replayed"], &call["replayed_outcome"]), (&Value::Bool(false), &Value::Null));
    assert!(call["not_replayed"].as_str().unwrap().contains("3 took part"), "{call}");
}

#[test]
fn memory_is_a_size_that_something_can_be_read_with() {
    assert_eq!(memory("64MiB").unwrap(), 64 << 20);
    assert!(memory("1k").is_err());
    assert!(memory("much").is_err());
}

mod field;
