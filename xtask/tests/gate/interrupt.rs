//! Ctrl-C: nothing is written, and no child lives on.

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::place::{Fake, Place, said};

#[test]
fn nothing_half_written_and_no_child_alive() {
    let place = Place::expecting(&Fake::of("virtual", &[("a#x", "1000")]));
    let baseline = place.read("benches/baselines/virtual.json");
    fs::remove_file(place.path("target/gate/last-report.json")).unwrap();
    let made = Command::new("mkfifo").arg(place.path("begun")).status().unwrap();
    assert!(made.success());
    // A worker that never answers, and has a child of its own.
    let hangs = "sleep 100000 & echo $$ $! > begun; wait";
    place.worker("worker", &Fake::of("virtual", &[("a#x", hangs)]));
    let mut command = place.xtask(&["--tier", "virtual", "--worker", "./worker", "--report", "r.json"]);
    let gate = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Both workers say so, in one line each.
    let mut begun = String::new();
    while begun.lines().count() < 2 {
        File::open(place.path("begun")).unwrap().read_to_string(&mut begun).unwrap();
    }
    let interrupt = Command::new("kill").args(["-INT", &gate.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let said = said(gate.wait_with_output().unwrap());
    assert_eq!(said.code, Some(130), "{}", said.err);
    assert!(said.err.contains("stopped: nothing was written"), "{}", said.err);
    for id in begun.split_whitespace() {
        // Whoever was killed is gone as soon as the machine gets round to it.
        let gone = (0..1_000_000).any(|_| {
            std::thread::yield_now();
            !is_alive(id)
        });
        assert!(gone, "process {id}");
    }
    assert!(!place.path("r.json").exists() && !place.path("target/gate/last-report.json").exists());
    assert_eq!(place.read("benches/baselines/virtual.json"), baseline);
}

/// Whether the process runs; one that has ended and that nobody has asked for yet does not.
fn is_alive(id: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id).join("stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    !matches!(state, None | Some("Z" | "X"))
}
