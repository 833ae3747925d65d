//! Files of single runs: captures, traces, transcripts, and the folder for CI.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::place::{GOOD, Place, check};

/// Scenarios of this repository with every kind of packet: over NATs and relays, lossy, in rooms, with data channels.
const CAPTURED: [&str; 20] = [
    "happy/host-candidates",
    "happy/callee-hangs-up",
    "data/ordered-over-a-lossy-link",
    "data/unordered-over-a-lossy-link",
    "data/statistics-on-a-good-link",
    "data/written-before-the-channel-is-open",
    "turn/relay-only-both",
    "turn/relay-only-caller",
    "turn/wrong-password-one-side",
    "nat/carrier-grade-symmetric-with-turn",
    "nat/ipv6-beside-symmetric-ipv4",
    "nat/mapping-expires-in-silence",
    "loss/uniform-5pct",
    "loss/bursts",
    "loss/jittery-150ms",
    "rooms/three-join",
    "outage/link-down-3s-during-ice",
    "handover/wifi-to-lte-with-overlap",
    "ringing/busy",
    "media/permission-denied-callee",
];

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// What tshark prints of a capture. `None` where it is not installed; `.ci/extended` has it.
fn tshark(capture: &Path, arguments: &[&str]) -> Option<Vec<String>> {
    // A segment is there on each interface that it passed, and tshark 4.0 would put its copies together.
    let single = ["-o", "tcp.desegment_tcp_streams:FALSE"];
    let output = Command::new("tshark").arg("-r").arg(capture).args(single).args(arguments).output();
    let Ok(output) = output else {
        assert!(env::var_os("CALLSIM_EXTENDED").is_none(), "tshark is missing: .ci/install installs it");
        let _ = writeln!(io::stderr(), "SKIPPED: there is no tshark to read captures with (.ci/install)");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[test]
fn wireshark_reads_captures_decrypted_and_nothing_is_malformed() {
    let place = Place::new(&[]);
    let dir = scenarios();
    let mut arguments = vec!["run", "--dir", dir.to_str().unwrap(), "--seed", "1", "--pcapng", "captures/"];
    arguments.extend(CAPTURED);
    check(&place.run(&arguments), 0, &["all good: 20 scenarios"]);
    for name in CAPTURED {
        let capture = place.path("captures").join(format!("{}-seed-1-run.pcapng", name.replace('/', "-")));
        // tshark 4.0 looks for the index of SRTCP in the wrong place where it is protected with AES-GCM (RFC 7714), and
        // takes cipher text for reports. What it makes of the plaintext must be right.
        let malformed = "_ws.malformed && (frame.interface_name contains \"plaintext\" || !(rtcp || srtcp))";
        let Some(found) = tshark(&capture, &["-Y", malformed]) else { return };
        assert_eq!(found, Vec::<String>::new(), "{name}");
        let encrypted = tshark(&capture, &["-Y", "frame.comment contains \"encrypted\""]).unwrap();
        assert_eq!(encrypted, Vec::<String>::new(), "{name}");
        let checksums = ["ip.checksum.status == 0", "udp.checksum.status == 0", "tcp.checksum.status == 0"];
        let bad = [
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "udp.check_checksum:TRUE",
            "-o",
            "tcp.check_checksum:TRUE",
        ];
        let bad = tshark(&capture, &[&bad[..], &["-Y", &checksums.join(" || ")]].concat()).unwrap();
        assert_eq!(bad, Vec::<String>::new(), "{name}");
    }
    of_a_call_with_data(&place.path("captures/data-ordered-over-a-lossy-link-seed-1-run.pcapng"));
    let relayed = place.path("captures/nat-carrier-grade-symmetric-with-turn-seed-1-run.pcapng");
    let interfaces = tshark(&relayed, &["-T", "fields", "-e", "frame.interface_name"]).unwrap();
    for side in ["inside", "outside"] {
        assert!(interfaces.iter().any(|interface| interface.ends_with(side)), "{side}");
    }
    let translated = tshark(&relayed, &["-Y", "frame.comment contains \"translated to\""]).unwrap();
    assert!(!translated.is_empty());
}

fn of_a_call_with_data(capture: &Path) {
    let count = |filter: &str| tshark(capture, &["-Y", filter]).unwrap().len();
    // By the secrets in the file alone.
    assert!(count("dtls.app_data") > 10, "application data is decrypted");
    for protocol in ["sctp", "rtp", "rtcp"] {
        let dissected = count(&format!("{protocol} && frame.interface_name == \"plaintext {protocol}\""));
        let all = count(&format!("frame.interface_name == \"plaintext {protocol}\""));
        assert!(all > 0 && dissected == all, "{protocol}: {dissected} of {all}");
    }
    assert!(count("rtcdc.message_type == 3") > 0, "data channels are opened");
    assert!(count("frame.comment contains \"LOST\"") > 0, "what was lost says so");
    let named = tshark(capture, &["-Nn", "-Y", "rtp"]).unwrap();
    assert!(named[0].contains("caller") && named[0].contains("callee"), "{}", named[0]);
}

#[test]
fn a_run_is_the_same_whether_it_is_written_down_or_not() {
    let place = Place::new(&[("scenarios/a.toml", GOOD)]);
    let digest = |arguments: &[&str]| {
        let arguments = [&["run", "a", "--seed", "7", "--format", "json"], arguments].concat();
        let said = place.run(&arguments);
        check(&said, 0, &[]);
        said.out.lines().find(|line| line.contains("\"digest\"")).unwrap().trim().to_owned()
    };
    let plain = digest(&[]);
    assert_eq!(digest(&["--pcapng", "a.pcapng", "--perfetto", "a.json", "--transcript", "a.txt"]), plain);
    let first = fs::read(place.path("a.pcapng")).unwrap();
    digest(&["--pcapng", "b.pcapng"]);
    assert!(fs::read(place.path("b.pcapng")).unwrap() == first, "one seed, one capture");
    let transcript = fs::read_to_string(place.path("a.txt")).unwrap();
    assert!(transcript.starts_with("# virtual ms | who | what happened") && transcript.contains("· dials"));
    let trace = fs::read_to_string(place.path("a.json")).unwrap();
    for event in ["\"ph\":\"X\"", "\"ph\":\"s\"", "\"ph\":\"f\"", "\"ph\":\"C\"", "process_name"] {
        assert!(trace.contains(event), "{event}");
    }
}

#[test]
fn of_each_failed_run_ci_gets_everything() {
    let fails = GOOD.replace("outcome = \"connected\"", "outcome = \"busy\"");
    assert_ne!(fails, GOOD);
    let place = Place::new(&[("scenarios/good.toml", GOOD), ("scenarios/net/fails.toml", &fails)]);
    check(&place.run(&["run", "--seeds", "2", "--out-dir", "artefacts/run"]), 3, &["2 runs FAILED"]);
    let read = |name: &str| fs::read_to_string(place.path("artefacts/run").join(name)).unwrap();
    assert!(read("report.json").contains("\"schema\": 1") && read("report.txt").contains("2 runs FAILED"));
    for seed in [1, 2] {
        let of_run = |name: &str| read(&format!("net-fails-seed-{seed}/{name}"));
        assert!(of_run("report.txt").contains("FAILED  net/fails"), "{}", of_run("report.txt"));
        assert_eq!(of_run("repeat.sh"), format!("callsim run net/fails --seed {seed}\n"));
        assert!(of_run("run.html").starts_with("<!doctype html>"), "{:.80}", of_run("run.html"));
        assert!(
            of_run("transcript.txt").contains("· dials") && of_run("perfetto.json").contains("traceEvents")
        );
        let capture =
            fs::read(place.path("artefacts/run").join(format!("net-fails-seed-{seed}/run.pcapng"))).unwrap();
        assert_eq!(capture[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    }
    assert_eq!(fs::read_dir(place.path("artefacts/run")).unwrap().count(), 4);
}

#[test]
fn a_file_is_for_one_run_and_errors_say_what_to_do() {
    let place = Place::new(&[("scenarios/a.toml", GOOD), ("scenarios/b.toml", GOOD), ("file", "")]);
    let says = "--pcapng x.pcapng is a file, for one scenario and one seed (`--seed S`), and 2 scenarios were chosen";
    check(&place.run(&["run", "--seed", "1", "--pcapng", "x.pcapng"]), 2, &[says, "`--pcapng x.pcapng/`"]);
    check(&place.run(&["run", "a", "--perfetto", "x.json"]), 2, &["--perfetto x.json is a file"]);
    check(
        &place.run(&["run", "a", "--seed", "1", "--transcript", "no/x.txt"]),
        2,
        &["there is no folder no"],
    );
    check(
        &place.run(&["run", "a", "--seed", "1", "--out-dir", "file"]),
        2,
        &["file: it is a file, no folder"],
    );
    check(&place.run(&["run", "--list", "--pcapng", "x"]), 2, &["cannot be used with"]);
    check(&place.run(&["run", "--seeds", "1", "--transcript", "all/"]), 0, &["all good"]);
    for name in ["a", "b"] {
        assert!(place.path(&format!("all/{name}-seed-1-transcript.txt")).is_file());
    }
}
