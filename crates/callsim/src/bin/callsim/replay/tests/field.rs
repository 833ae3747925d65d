//! Calls as the field has them: each with the verdict that is right, its codes, and the exit codes.

use super::{Code, fixture, fixtures, json};

/// One capture, and what is right.
struct Case {
    /// Below `fixtures/`; several files of one call are separated by spaces.
    files: &'static str,
    /// The exit code, and the one of `--strict`.
    exits: [Code; 2],
    /// What the verdict says, in part.
    verdict: &'static str,
    /// Codes that must be found, separated by spaces; those with `!` before them must not.
    codes: &'static str,
}

const GOOD: [Code; 2] = [Code::Good, Code::Good];
/// Read and agreed upon, and something is wrong with the call.
const WRONG: [Code; 2] = [Code::Good, Code::CheckFailed];

const fn case(files: &'static str, exits: [Code; 2], verdict: &'static str, codes: &'static str) -> Case {
    Case { files, exits, verdict, codes }
}

include!("field/cases.rs");

/// What is wrong with this one.
fn check(case: &Case) -> Option<String> {
    let files: Vec<String> = case.files.split(' ').map(fixture).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (code, report) = json(&files);
    let (strict, _) = json(&[files.as_slice(), &["--strict"]].concat());
    let calls = report["files"][0]["calls"].as_array().cloned().unwrap_or_default();
    let verdict = calls.first().map(|call| call["verdict"].as_str().unwrap().to_owned()).unwrap_or_default();
    let findings = calls.iter().flat_map(|call| call["findings"].as_array().unwrap());
    let found: Vec<String> = findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    let mut wrong = Vec::new();
    if [code, strict] != case.exits {
        wrong.push(format!("exits with {code:?}, strictly {strict:?}"));
    }
    if !verdict.contains(case.verdict) {
        wrong.push(format!("does not say: {}", case.verdict));
    }
    for code in case.codes.split_whitespace() {
        let (must_not, code) = code.strip_prefix('!').map_or((false, code), |code| (true, code));
        if found.iter().any(|it| it == code) == must_not {
            wrong.push(format!("{} {code}", if must_not { "has" } else { "lacks" }));
        }
    }
    (!wrong.is_empty()).then(|| {
        format!(
            "{}: {}\n    {verdict}\n    {}\n    {}",
            case.files,
            wrong.join("; "),
            found.join(" "),
            calls.first().map(|call| call["divergence"]["message"].to_string()).unwrap_or_default()
        )
    })
}

#[test]
fn each_case_has_the_verdict_that_is_right() {
    let wrong: Vec<String> = CASES.iter().filter_map(check).collect();
    assert!(wrong.is_empty(), "{} of {} are wrong\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

#[test]
fn every_file_of_the_field_is_a_case() {
    for folder in ["field", "clients"] {
        for file in std::fs::read_dir(fixtures().join(folder)).unwrap() {
            let name = format!("{folder}/{}", file.unwrap().file_name().to_string_lossy());
            assert!(CASES.iter().any(|case| case.files.split(' ').any(|file| file == name)), "{name}");
        }
    }
}

#[test]
fn media_is_told_by_kind_and_peer() {
    let media = |file: &str| json(&[&fixture(file)]).1["files"][0]["calls"][0]["media"].clone();
    let both = |caller: &str, callee: &str| serde_json::json!({ "caller": caller, "callee": callee });
    let silent = media("field/connected-and-nothing-arrives-at-caller.webrtc-internals.json");
    assert_eq!(silent["audio"], both("not-received", "received"));
    assert_eq!(silent["video"], both("not-received", "received"));
    let refused = media("field/answer-refuses-video.webrtc-internals.json");
    assert_eq!(refused["video"], both("refused", "refused"));
    assert_eq!(refused["audio"], both("unknown", "unknown"));
    let inactive = media("field/answer-inactive.webrtc-internals.json");
    assert_eq!(inactive["audio"], both("inactive", "inactive"));
    let stopped = media("field/sound-stops-in-mid-call.webrtc-internals.json");
    assert_eq!(stopped["audio"], both("stopped", "received"));
    assert_eq!(media("datachannel-only/rtcstats.txt")["audio"], serde_json::json!({}));
}

#[test]
fn a_file_that_is_no_capture_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, code) in [
        ("page.html", "<!DOCTYPE html><html><body>about</body></html>", Code::BadInput),
        (
            "events.json",
            r#"{"peerId":"x","eventName":"onicecandidate","createdAt":"2026-02-02"}"#,
            Code::BadInput,
        ),
        ("broken.har", r#"{"log":{"version":"1.2","entries":[{"startedDate"#, Code::BadInput),
        ("binary.har", r#"{"log":{"version":"1.2","entries":[]}}"#, Code::NothingRan),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        assert_eq!(json(&[path.to_str().unwrap()]).0, code, "{name}");
    }
}
