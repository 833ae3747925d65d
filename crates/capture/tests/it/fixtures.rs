//! Every file of `fixtures/`: outcome, verdict, findings and transitions.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use capture::{
    Capture, Limits, Mappings, Trace,
    audit::{Severity, audit, verdict},
    merge, read_file,
};
use timeline::{Machine, State};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// All captures below `folder`, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension != "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(crate) fn capture_of(files: &[PathBuf]) -> Capture {
    let read = |file: &PathBuf| read_file(file, &Mappings::default(), &Limits::default()).unwrap();
    merge(files.iter().map(read).collect())
}

/// The one call that `file` of `fixtures/` holds.
pub(crate) fn only_call(file: &str) -> Trace {
    let mut calls = capture_of(&[root().join(file)]).calls;
    assert_eq!(calls.len(), 1, "{file}");
    calls.remove(0)
}

fn show(capture: &Capture) -> String {
    let mut out = String::new();
    for file in capture.files.iter().filter(|file| file.adds_nothing.is_some()) {
        let _ = writeln!(out, "adds nothing: {}", file.adds_nothing.as_deref().unwrap_or_default());
    }
    for call in &capture.calls {
        show_call(&mut out, call);
    }
    out
}

fn show_call(out: &mut String, call: &Trace) {
    let findings = audit(call);
    let _ = writeln!(out, "{} ({}): {}", call.id, call.outcome().as_str(), verdict(call, &findings));
    for finding in &findings {
        let peer = finding.peer.as_ref().map_or("-", |peer| peer.as_str());
        let _ = writeln!(out, "  {} {} {peer}: {}", finding.severity.as_str(), finding.code, finding.message);
    }
    for peer in &call.peers {
        for connection in &peer.connections {
            let _ = write!(out, "  {}:", peer.id);
            for entry in &connection.entries {
                if let capture::trace::PeerEvent::State { to } = &entry.event {
                    let _ = write!(out, " {}={to}@{}", to.machine().as_str(), entry.at.as_millis());
                }
            }
            out.push('\n');
        }
    }
    let lost =
        call.messages.iter().filter(|m| m.signal.kind.is_description() && m.arrived().is_none()).count();
    let _ = writeln!(out, "  {} messages, {lost} descriptions that did not arrive", call.messages.len());
}

#[test]
fn every_fixture_file_says_what_it_said() {
    let mut folders: Vec<PathBuf> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 14);
    for folder in folders {
        let mut out = String::new();
        for file in files(&folder) {
            let capture = capture_of(std::slice::from_ref(&file));
            let _ = writeln!(out, "## {}", file.file_name().unwrap().to_string_lossy());
            // Findings name files as they were given.
            out.push_str(&show(&capture).replace(&format!("{}/", root().display()), ""));
        }
        insta::assert_snapshot!(folder.file_name().unwrap().to_string_lossy().into_owned(), out);
    }
}

/// The calls that went as they should, each file by itself and all together.
const HEALTHY: [&str; 10] = [
    "happy-av",
    "voice-then-video-enabled",
    "candidates-before-offer",
    "glare-perfect-rollback",
    "ice-restart",
    "renegotiate-add-track",
    "relay-coturn",
    "datachannel-only",
    "two-browsers-happy-av",
    "plain-page-dumps",
];

#[test]
fn a_healthy_call_yields_no_warning() {
    for call in HEALTHY {
        let files = files(&root().join(call));
        let one_by_one = files.iter().map(|file| capture_of(std::slice::from_ref(file)));
        for capture in one_by_one.chain([capture_of(&files)]) {
            for trace in &capture.calls {
                let loud: Vec<_> =
                    audit(trace).into_iter().filter(|finding| finding.severity > Severity::Note).collect();
                assert_eq!(loud, [], "{call}");
            }
        }
    }
}

#[test]
fn all_files_of_a_call_become_one_trace_with_both_peers() {
    let names =
        ["candidates-before-offer", "glare-perfect-rollback", "ice-restart", "callee-closes", "no-answer"];
    for call in names {
        let capture = capture_of(&files(&root().join(call)));
        let [trace] = capture.calls.as_slice() else { panic!("{call}: {} calls", capture.calls.len()) };
        let peers: Vec<(usize, bool)> =
            trace.peers.iter().map(|peer| (peer.connections.len(), peer.signalling_captured)).collect();
        assert_eq!(
            peers,
            [(1, true), (1, true)],
            "{call}: the dumps and the page's log show the same connections"
        );
        assert!(trace.sources.iter().all(|source| source.aligned && source.skew_ms == 0.0), "{call}");
        for message in trace.messages.iter().filter(|message| message.signal.kind.is_description()) {
            let seen = (message.sent.is_some(), message.relay_in.is_some(), message.relay_out.is_some());
            assert_eq!(seen, (true, true, true), "{call}: {}", message.signal.kind);
        }
    }
}

#[test]
fn dumps_with_statistics_tell_round_trip_and_pair() {
    for file in ["with-stats.rtcstats.txt", "with-stats.webrtc-internals.json"] {
        let capture = capture_of(&[root().join("happy-av").join(file)]);
        for peer in &capture.calls[0].peers {
            let stats = &peer.connections[0].stats;
            let last = stats.last().unwrap();
            assert!(stats.len() >= 2, "{file}: {} samples", stats.len());
            assert!(last.round_trip_ms.is_some_and(|ms| ms < 50.0), "{file}: {last:?}");
            assert!(last.packets_received.is_some_and(|packets| packets > 100), "{file}: {last:?}");
            assert_eq!(last.selected.as_ref().map(|pair| pair.protocol.as_str()), Some("udp"), "{file}");
        }
    }
}

#[test]
fn the_older_forms_read_like_todays() {
    let today = capture_of(&[root().join("happy-av/webrtc-internals.json")]);
    let states = |capture: &Capture, machine: Machine| -> Vec<Vec<State>> {
        let peers = &capture.calls[0].peers;
        peers
            .iter()
            .map(|peer| peer.connections[0].transitions(machine).map(|(_, to)| to).collect())
            .collect()
    };
    for form in ["oldest-form", "second-form"] {
        let old = capture_of(&[root().join(format!("hand-made/{form}.webrtc-internals.json"))]);
        for machine in [Machine::Signaling, Machine::Ice, Machine::Gathering] {
            assert_eq!(states(&old, machine), states(&today, machine), "{form}");
        }
        assert_eq!(old.calls[0].messages.len(), today.calls[0].messages.len(), "{form}");
    }
}
