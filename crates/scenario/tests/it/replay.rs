//! Captured calls, played again.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use capture::{Limits, Mappings, Trace, audit::audit, merge, read_file, redact::Redactor, trace::PeerEvent};
use scenario::{
    checks,
    plan::Plan,
    replay::{Played, Replay, replay},
    run,
    timeline::Machine,
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The captures of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn calls(files: &[PathBuf]) -> Vec<Trace> {
    let read = |file: &PathBuf| read_file(file, &Mappings::default(), &Limits::default()).unwrap();
    merge(files.iter().map(read).collect()).calls
}

fn only_call(path: &str) -> Trace {
    let mut calls = calls(&[fixtures().join(path)]);
    assert_eq!(calls.len(), 1, "{path}");
    calls.remove(0)
}

fn played(trace: &Trace) -> Played {
    match replay(trace) {
        Replay::Played(played) => *played,
        Replay::NotPlayed { reason } => panic!("not played: {reason}"),
    }
}

fn show(out: &mut String, title: &str, trace: &Trace) {
    let _ = write!(out, "{title}: captured {}, ", trace.outcome().as_str());
    match replay(trace) {
        Replay::NotPlayed { reason } => {
            let _ = writeln!(out, "not played: {reason}");
        }
        Replay::Played(played) => {
            let Played { outcome, matched, captured, freedoms, divergence, .. } = &*played;
            let _ = write!(out, "replayed {}, {matched} of {captured} transitions", outcome.as_str());
            for (freedom, count) in freedoms {
                let _ = write!(out, ", {freedom} × {count}");
            }
            match divergence {
                None => out.push('\n'),
                Some(divergence) => {
                    let _ = writeln!(out, "\n  diverges: {divergence}");
                }
            }
        }
    }
}

#[test]
fn every_capture_is_played_again_or_says_why_not() {
    let mut out = String::new();
    let mut folders: Vec<PathBuf> = files(&fixtures());
    folders.retain(|path| path.is_dir());
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        for file in files(&folder) {
            let title = format!("{name}/{}", file.file_name().unwrap().to_string_lossy());
            calls(&[file]).iter().for_each(|trace| show(&mut out, &title, trace));
        }
        if name != "hand-made" {
            calls(&files(&folder)).iter().for_each(|trace| show(&mut out, &format!("{name}, merged"), trace));
        }
    }
    insta::assert_snapshot!("replays", out);
}

/// What of a replay does not depend on names.
fn essence(trace: &Trace) -> String {
    let codes: Vec<String> = audit(trace).into_iter().map(|finding| finding.code.to_string()).collect();
    let codes = codes.join(" ");
    match replay(trace) {
        Replay::NotPlayed { .. } => format!("{codes}: not played"),
        Replay::Played(played) => {
            let Played { outcome, matched, captured, freedoms, divergence, .. } = *played;
            let parts = divergence.map(|it| (it.machine, it.at, it.captured, it.replayed));
            format!("{codes}: {outcome:?}, {matched} of {captured}, {freedoms:?}, {parts:?}")
        }
    }
}

#[test]
fn a_redacted_copy_replays_like_its_original() {
    let mut redactor = Redactor::new();
    for folder in files(&fixtures()).into_iter().filter(|path| path.is_dir()) {
        for file in files(&folder) {
            let original = fs::read(&file).unwrap();
            let copy = redactor.redact("copy", original.as_slice(), &Limits::default()).unwrap();
            let read = |bytes: &[u8]| -> Vec<String> {
                let recording =
                    capture::read("file", bytes, &Mappings::default(), &Limits::default()).unwrap();
                merge(vec![recording]).calls.iter().map(essence).collect()
            };
            assert_eq!(read(&copy), read(&original), "{}", file.display());
        }
    }
}

#[test]
fn a_replay_is_the_same_every_time() {
    let trace = only_call("happy-av/rtcstats.txt");
    assert_eq!(replay(&trace), replay(&trace));
}

#[test]
fn the_saved_scenario_of_a_call_that_came_again_is_green() {
    for path in ["happy-av/events.jsonl", "candidates-before-offer/rtcstats.txt", "no-answer/events.jsonl"] {
        let played = played(&only_call(path));
        assert_eq!(played.divergence, None, "{path}");
        let plan = Plan::from_toml("captured", &played.scenario).unwrap();
        for seed in 1..=3 {
            let record = run::play(&plan, seed).unwrap();
            let failures = checks::check(&plan, &record);
            assert!(failures.is_empty(), "{path}: {failures:#?}\n{}", played.scenario);
        }
    }
}

#[test]
fn a_capture_of_what_our_engine_does_not_do_diverges_where_it_parts() {
    let mut trace = only_call("happy-av/rtcstats.txt");
    let entries = &mut trace.peers[0].connections[0].entries;
    let stable = entries
        .iter_mut()
        .find_map(|entry| match &mut entry.event {
            PeerEvent::State { machine: Machine::Signaling, to } if to == "stable" => Some((entry.at, to)),
            _ => None,
        })
        .unwrap();
    let at = stable.0;
    *stable.1 = "have-remote-pranswer".to_owned();
    let played = played(&trace);
    let divergence = played.divergence.unwrap();
    assert_eq!((divergence.machine, divergence.at), (Some(Machine::Signaling), at));
    assert_eq!(divergence.captured.as_deref(), Some("have-remote-pranswer"));
    assert_eq!(divergence.replayed.as_deref(), Some("stable"));
    assert_eq!(divergence.before, ["have-local-offer"]);
    assert_eq!((played.matched, played.captured), (15, 16));
}
