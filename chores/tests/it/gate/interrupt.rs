//! Ctrl-C: nothing is written, and no child lives on.

use std::{fs, process::Stdio};

use super::place::{Fake, Place};
use crate::said::{interrupted, make_pipe};

#[test]
fn nothing_half_written_and_no_child_alive() {
    let place = Place::expecting(&Fake::of("virtual", &[("a#x", "1000")]));
    let baseline = place.read("benches/baselines/virtual.json");
    fs::remove_file(place.path("target/gate/last-report.json")).unwrap();
    make_pipe(&place.path("begun"));
    // A worker that never answers, and has a child of its own.
    let hangs = "sleep 100000 & echo $$ $! > begun; wait";
    place.worker("worker", &Fake::of("virtual", &[("a#x", hangs)]));
    let mut command = place.xtask(&["--tier", "virtual", "--worker", "./worker", "--report", "r.json"]);
    let gate = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Virtual numbers are asked of two workers.
    interrupted(gate, &place.path("begun"), 2);
    assert!(!place.path("r.json").exists() && !place.path("target/gate/last-report.json").exists());
    assert_eq!(place.read("benches/baselines/virtual.json"), baseline);
}
