//! Captured calls, played again.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use capture::{
    Limits, Mappings, Outcome, Trace,
    audit::audit,
    merge, read_file,
    redact::Redactor,
    trace::{PeerEvent, SignalKind},
};
use scenario::{
    checks,
    plan::Plan,
    replay::{Came, Driver, Played, Replay, replay},
    run::Player,
    timeline::{Machine, Name, SignalingState, State, VirtualTime},
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
    match replay(trace, &audit(trace)) {
        Replay::Played(played) => *played,
        Replay::NotPlayed { reason } => panic!("not played: {reason}"),
    }
}

fn show(out: &mut String, title: &str, trace: &Trace) {
    let _ = write!(out, "{title}: captured {}, ", trace.outcome().as_str());
    match replay(trace, &audit(trace)) {
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

/// Folders whose files are of a call each.
const SINGLE: [&str; 3] = ["hand-made", "field", "clients"];

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
        if !SINGLE.contains(&name.as_str()) {
            calls(&files(&folder)).iter().for_each(|trace| show(&mut out, &format!("{name}, merged"), trace));
        }
    }
    insta::assert_snapshot!("replays", out);
}

/// What of a replay does not depend on names.
fn essence(trace: &Trace) -> String {
    let codes: Vec<String> = audit(trace).into_iter().map(|finding| finding.code.to_string()).collect();
    let codes = codes.join(" ");
    match replay(trace, &audit(trace)) {
        Replay::NotPlayed { .. } => format!("{codes}: not played"),
        Replay::Played(played) => {
            let Played { outcome, matched, captured, freedoms, divergence, .. } = *played;
            let parts = divergence.map(|it| (it.machine, it.at, it.captured, it.replayed));
            format!("{codes}: {outcome:?}, {matched} of {captured}, {freedoms:?}, {parts:?}")
        }
    }
}

/// One row of the table in `docs/replay.md`.
fn row(title: &str, trace: &Trace) -> String {
    let findings = audit(trace);
    let mut codes: Vec<String> = findings.iter().map(|finding| finding.code.to_string()).collect();
    codes.sort();
    codes.dedup();
    let (played, matched, freedoms) = match replay(trace, &findings) {
        Replay::NotPlayed { reason } => (format!("no: {reason}"), String::new(), String::new()),
        Replay::Played(played) => {
            let freedoms: Vec<String> =
                played.freedoms.iter().map(|(freedom, count)| format!("{freedom} × {count}")).collect();
            let by = played.driver;
            let parts = played.divergence.map_or(String::new(), |it| format!("; parts: {it}"));
            let played_as = format!("{by}: {}{parts}", played.outcome.as_str());
            (played_as, format!("{}/{}", played.matched, played.captured), freedoms.join(", "))
        }
    };
    let captured = trace.outcome().as_str();
    format!("| {title} | {captured} | {played} | {matched} | {freedoms} | {} |\n", codes.join(", "))
}

#[test]
fn the_table_of_captures_in_the_documentation_is_true() {
    let mut table =
        "| capture | captured | replayed | transitions | freedoms | findings |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for folder in files(&fixtures()).into_iter().filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if SINGLE.contains(&name.as_str()) {
            for file in files(&folder) {
                let title = format!("{name}/{}", file.file_name().unwrap().to_string_lossy());
                calls(&[file]).iter().for_each(|trace| table.push_str(&row(&title, trace)));
            }
        } else {
            calls(&files(&folder)).iter().for_each(|trace| table.push_str(&row(&name, trace)));
        }
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/replay.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("<!-- captures -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- /captures -->").unwrap();
    if found != table && std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        let text = format!("{before}<!-- captures -->\n{table}<!-- /captures -->{after}");
        fs::write(&page, text).unwrap();
        return;
    }
    assert_eq!(found, table, "INSTA_UPDATE=always writes the table");
}

/// What is in Protocol Buffers is left out of a redacted copy.
fn leaves_signalling_out(file: &Path) -> bool {
    file.file_name().unwrap().to_string_lossy().starts_with("livekit-")
}

#[test]
fn a_redacted_copy_replays_like_its_original() {
    let mut redactor = Redactor::new();
    for folder in files(&fixtures()).into_iter().filter(|path| path.is_dir()) {
        for file in files(&folder).into_iter().filter(|file| !leaves_signalling_out(file)) {
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
    assert_eq!(played(&trace), played(&trace));
}

/// Lets the callee's application sit on the first offer for a while, and everything after it come later.
fn sit_on_offer(trace: &mut Trace, gap: Duration) -> VirtualTime {
    let offer = trace.messages.iter().find(|message| message.signal.kind == SignalKind::Offer).unwrap();
    let applied = offer.applied.as_ref().unwrap().at;
    assert!(offer.received.is_some_and(|received| received <= applied), "when it was received is known");
    let later = |at: &mut VirtualTime| {
        if *at >= applied {
            *at = *at + gap;
        }
    };
    for connection in trace.peers.iter_mut().flat_map(|peer| &mut peer.connections) {
        connection.entries.iter_mut().for_each(|entry| later(&mut entry.at));
    }
    for message in &mut trace.messages {
        let moments =
            [&mut message.sent, &mut message.relay_in, &mut message.relay_out, &mut message.received];
        moments.into_iter().flatten().for_each(later);
        message.applied.iter_mut().for_each(|applied| later(&mut applied.at));
    }
    later(&mut trace.ended_at);
    applied + gap
}

/// From the caller's offer until the callee applied it, in the world.
fn offer_took(played: &Played, names: [&str; 2]) -> Duration {
    let record = Player::new(&Plan::from_toml("captured", &played.scenario).unwrap()).seed(1).play().unwrap();
    let first = |name: &str, state: &str| {
        let name = Name::from(name);
        let mut passed = record.timeline.transitions(&name, Machine::Signaling);
        passed.find(|(_, to)| to.as_str() == state).unwrap().0
    };
    first(names[1], "have-remote-offer").since(first(names[0], "have-local-offer"))
}

#[test]
fn the_time_between_receiving_and_applying_is_kept() {
    for folder in ["happy-av", "ice-restart"] {
        let mut trace = calls(&files(&fixtures().join(folder))).remove(0);
        let applied = sit_on_offer(&mut trace, Duration::from_millis(700));
        let made = trace.peers[0].connections[0].transitions(Machine::Signaling).next().unwrap().0;
        let captured = applied.since(made);
        assert!(captured.as_millis() > 700);
        let played = played(&trace);
        assert_eq!(played.divergence, None, "{folder}");
        let names = [trace.peers[0].id.as_str(), trace.peers[1].id.as_str()];
        let replayed = offer_took(&played, names);
        let apart = captured.max(replayed) - captured.min(replayed);
        assert!(apart.as_millis() <= 25, "{folder}: captured {captured:?}, replayed {replayed:?}");
    }
}

#[test]
fn the_saved_scenario_of_a_call_that_came_again_is_green() {
    for path in [
        "happy-av/events.jsonl",
        "candidates-before-offer/rtcstats.txt",
        "no-answer/events.jsonl",
        "glare-perfect-rollback/rtcstats.txt",
        "ice-restart/webrtc-internals.json",
        "renegotiate-add-track/relay.jsonl",
        "two-browsers-happy-av/callee.rtcstats.txt",
        "hand-made/early-candidates-refused.rtcstats.txt",
        "hand-made/no-path.rtcstats.txt",
        "hand-made/pranswer.rtcstats.txt",
        "hand-made/sfu.rtcstats-server.txt",
    ] {
        let played = played(&only_call(path));
        assert_eq!(played.divergence, None, "{path}");
        let plan = Plan::from_toml("captured", &played.scenario).unwrap();
        for seed in 1..=3 {
            let record = Player::new(&plan).seed(seed).play().unwrap();
            let failures = checks::check(&plan, &record);
            assert!(failures.is_empty(), "{path}: {failures:#?}\n{}", played.scenario);
        }
    }
}

#[test]
fn the_offer_of_who_was_not_captured_is_applied_in_its_own_words() {
    for path in ["two-browsers-happy-av/callee.webrtc-internals.json", "happy-av/relay.jsonl"] {
        let trace = only_call(path);
        let offer = trace.messages.iter().find(|message| message.signal.kind == SignalKind::Offer).unwrap();
        let sdp = &offer.signal.description.as_ref().unwrap().sdp;
        let played = played(&trace);
        assert_eq!((played.driver, played.outcome), (Driver::Applications, Outcome::Connected), "{path}");
        assert!(sdp.lines().count() > 50, "it is a browser's");
        for line in sdp.lines() {
            assert!(played.scenario.contains(line.trim_end()), "{line} is missing in\n{}", played.scenario);
        }
        let plan = Plan::from_toml("captured", &played.scenario).unwrap();
        let record = Player::new(&plan).seed(1).play().unwrap();
        let callee = &trace.peers[1].id;
        let arrived: u64 = record.peers[callee].received.values().map(|flow| flow.packets).sum();
        assert!(arrived > 50, "media of the one who stands in arrives: {arrived} packets");
    }
}

#[test]
fn a_capture_of_what_our_engine_does_not_do_diverges_where_it_parts() {
    let mut trace = only_call("happy-av/rtcstats.txt");
    let entries = &mut trace.peers[0].connections[0].entries;
    let stable = entries
        .iter_mut()
        .find_map(|entry| match &mut entry.event {
            PeerEvent::State { to } if *to == State::Signaling(SignalingState::Stable) => {
                Some((entry.at, to))
            }
            _ => None,
        })
        .unwrap();
    let at = stable.0;
    let [pranswer, stable_again, offered] =
        [SignalingState::HaveRemotePranswer, SignalingState::Stable, SignalingState::HaveLocalOffer]
            .map(State::Signaling);
    *stable.1 = pranswer;
    let played = played(&trace);
    let divergence = played.divergence.unwrap();
    assert_eq!((divergence.machine, divergence.at), (Some(Machine::Signaling), at));
    assert_eq!(divergence.captured, Some(Came::To(pranswer)));
    assert_eq!(divergence.replayed, Some(Came::To(stable_again)));
    assert_eq!(divergence.before, [offered]);
    assert_eq!((played.matched, played.captured), (15, 16));
}

/// What is played of `trace`, in words.
#[track_caller]
fn check_refused(trace: &Trace, expect: &str) {
    match replay(trace, &audit(trace)) {
        Replay::Played(_) => panic!("it was played"),
        Replay::NotPlayed { reason } => assert!(reason.to_string().contains(expect), "{reason}"),
    }
}

#[test]
fn what_cannot_be_played_says_why() {
    check_refused(&only_call("hand-made/opened-late.webrtc-internals.json"), "stood, or had failed, already");
    check_refused(&only_call("hand-made/page-reloaded.rtcstats.txt"), "was its page reloaded?");
    let mut long = only_call("happy-av/rtcstats.txt");
    long.ended_at = long.ended_at + Duration::from_secs(24 * 3600);
    check_refused(
        &long,
        "the capture goes on for 24 hours after the first message, and a replay lasts 23 at most",
    );
}

#[test]
fn descriptions_that_were_left_out_are_what_is_missing() {
    let mut trace = only_call("two-browsers-happy-av/callee.rtcstats.txt");
    trace.messages.clear();
    check_refused(&trace, "the capture shows no offer");
    for entry in &mut trace.peers[1].connections[0].entries {
        if let PeerEvent::Call(call) = &mut entry.event {
            call.description = None;
        }
    }
    check_refused(&trace, "the descriptions were left out of the capture");
}

#[test]
fn a_provisional_answer_is_given_again_and_then_the_answer() {
    let trace = only_call("hand-made/pranswer.rtcstats.txt");
    let played = played(&trace);
    assert_eq!((played.divergence, played.matched, played.captured), (None, 18, 18));
    assert!(played.scenario.contains("set-local-description = \"pranswer\""), "{}", played.scenario);
    let record = Player::new(&Plan::from_toml("captured", &played.scenario).unwrap()).seed(1).play().unwrap();
    let states = |peer: usize| -> Vec<&str> {
        let transitions = record.timeline.transitions(&trace.peers[peer].id, Machine::Signaling);
        transitions.map(|(_, state)| state.as_str()).collect()
    };
    assert_eq!(states(0), ["have-local-offer", "have-remote-pranswer", "stable"]);
    assert_eq!(states(1), ["have-remote-offer", "have-local-pranswer", "stable"]);
}

#[test]
fn one_side_of_a_conference_is_played_with_the_server_s_own_offers() {
    let trace = only_call("hand-made/sfu.rtcstats-server.txt");
    let played = played(&trace);
    assert_eq!((played.outcome, played.divergence), (Outcome::Connected, None));
    let offers = played.scenario.matches("o=- 1795500000900 2 IN IP4 0.0.0.0").count();
    assert_eq!(offers, 2, "each time as it was, though their versions are the same");
    assert!(played.scenario.contains("a=ssrc:2002 cname:s2"), "the second one speaks of somebody more");
    let idle = "callee made 1 more peer connections, and never used them.";
    assert!(played.assumptions.iter().any(|said| said == idle), "{:?}", played.assumptions);
    let record = Player::new(&Plan::from_toml("captured", &played.scenario).unwrap()).seed(1).play().unwrap();
    let rejected: Vec<String> =
        record.timeline.entries.iter().map(|entry| format!("{:?}", entry.event)).collect();
    assert!(!rejected.iter().any(|event| event.contains("Rejected")), "candidates of other tags are applied");
}

#[test]
fn what_a_cut_capture_lacks_is_no_divergence() {
    let whole = fs::read(fixtures().join("happy-av/rtcstats.txt")).unwrap();
    for part in [2, 3, 4, 5] {
        let cut = &whole[..whole.len() * part / 6];
        let recording = capture::read("cut", cut, &Mappings::default(), &Limits::default()).unwrap();
        let trace = merge(vec![recording]).calls.remove(0);
        assert!(trace.is_partial(), "{part}");
        if let Replay::Played(played) = replay(&trace, &audit(&trace)) {
            assert_eq!(played.divergence, None, "{part}");
        }
    }
}

#[test]
fn the_network_is_as_slow_as_the_statistics_say() {
    let played = played(&only_call("hand-made/sfu.rtcstats-server.txt"));
    let said =
        "The round trip between the peers takes 24 ms (the median of what the statistics say), without loss.";
    assert!(played.assumptions.iter().any(|it| it == said), "{:?}", played.assumptions);
    for peer in ["caller", "callee"] {
        let link = format!("[peers.{peer}]\nlink = {{ delay = \"6ms\" }}");
        assert!(played.scenario.contains(&link), "{}", played.scenario);
    }
}
