//! The two tiers that need a machine, with workers whose numbers are given.

use super::place::{Fake, Place};
use crate::said::{check, said};

fn wall(base: &str, new: &str) -> Place {
    let place = Place::new();
    place.worker("base", &Fake::of("wall", &[("call#wall", base)]));
    place.worker("worker", &Fake::of("wall", &[("call#wall", new)]));
    place
}

const WALL: [&str; 4] = ["--tier", "wall", "--base-worker", "./base"];

#[test]
fn a_program_as_fast_as_its_predecessor_passes_with_its_controls() {
    let said = wall("100000", "100000").gate(&WALL);
    check(&said, 0, "passed: 1 wall");
    check(&said, 0, "control, slowed down by 5 %: 20 epochs");
}

#[test]
fn a_program_that_is_slower_is_3_and_a_faster_one_0() {
    check(&wall("100000", "106000").gate(&WALL), 3, "slower in 20 epochs, and again in fresh ones");
    check(&wall("100000", "94000").gate(&WALL), 0, "improved");
}

#[test]
fn a_control_that_does_not_see_its_slowdown_makes_everything_inconclusive() {
    // A number with a letter before it is not slowed down by the script.
    let place = wall("100000", "106000");
    let deaf = r#"echo '{"measured":{"id":"call#wall","value":{"single":100000}}}'"#;
    place.worker("base", &Fake::of("wall", &[("call#wall", deaf)]));
    check(&place.gate(&WALL), 4, "the control `control/slowed#wall` failed");
}

#[test]
fn when_time_is_up_nothing_is_concluded() {
    let mut arguments = WALL.to_vec();
    arguments.extend(["--budget", "0s"]);
    let said = wall("100000", "106000").gate(&arguments);
    check(&said, 4, "time ended before the control `control/same#wall` was decided");
    check(&said, 4, "control, base against itself: time ended at 0 of 20 epochs");
}

#[test]
fn a_metric_of_one_side_is_new_or_vanished_and_one_that_breaks_a_failed_tool() {
    let place = wall("100000", "100000");
    place.worker("worker", &Fake::of("wall", &[("other#wall", "5")]));
    let said = place.gate(&WALL);
    check(&said, 3, "VANISHED");
    check(&said, 3, "new");
    let broken = wall("100000", "exit 9");
    check(&broken.gate(&WALL), 1, "`call#wall` was not measured");
}

#[test]
fn without_a_predecessor_the_wall_tier_says_so() {
    let place = wall("100000", "100000");
    check(&place.gate(&["--tier", "wall"]), 5, "needs a `--base-worker`");
    let said = place.run(&["--tier", "wall"]);
    check(&said, 5, "no release yet (no tag v…), and the first has no predecessor");
}

/// Both are built from sources that look the same to cargo but for their content: what is here is older than what was
/// built of the commit.
#[test]
fn what_is_here_and_what_is_compared_with_are_built_each_of_its_own_sources() {
    let place = Place::new();
    place.write("Cargo.toml", "[package]\nname = \"gate-worker\"\nedition = \"2024\"\n[workspace]\n");
    let sources = |value: u64| place.write("src/main.rs", &WORKER.replace("VALUE", &value.to_string()));
    sources(100_000);
    place.commit("a worker");
    sources(106_000);
    let against_head = ["--tier", "wall", "--against", "HEAD"];
    check(&place.run(&against_head), 3, "slower in 20 epochs, and again in fresh ones");
    // And so it is when the one compared with is there already, and its numbers are better.
    sources(94_000);
    check(&place.run(&against_head), 0, "improved");
}

/// A worker of one metric of time.
const WORKER: &str = r##"
fn main() {
    println!("{}", r#"{"greeting":{"protocol":1,"program":"fake 1","fingerprint":{}}}"#);
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        if line.contains("list") {
            println!("{}", r#"{"metrics":[{"id":"call#wall","tier":"wall","unit":"ns","better":"lower"}]}"#);
        } else {
            let value = if line.contains("slowdown") { VALUE / 100 * 105 } else { VALUE };
            println!(r#"{{"measured":{{"id":"call#wall","value":{{"single":{value}}}}}}}"#);
        }
    }
}
"##;

#[test]
fn programs_that_are_the_same_are_said_to_be() {
    let same = "the two programs are the same, byte for byte";
    check(&wall("100000", "100000").gate(&WALL), 0, same);
    let said = wall("100000", "100001").gate(&WALL);
    assert!(!format!("{}{}", said.out, said.err).contains(same));
}

#[test]
fn without_valgrind_instructions_are_skipped_and_a_release_fails() {
    let place = Place::expecting(&Fake::of("virtual", &[("a#x", "1000")]));
    let both =
        Fake::of("virtual", &[("a#x", "1000")]).and(Fake::of("instructions", &[("a#instructions", "1")]));
    place.worker("worker", &both);
    let path = place.search_path(&["git", "sh"]);
    let run = |more: &[&str]| {
        let mut command = place.xtask(&["--tier", "virtual,instructions", "--worker", "./worker"]);
        said(command.args(more).env("PATH", &path).output().unwrap())
    };
    check(&run(&[]), 0, "valgrind is not installed");
    check(&run(&["--release"]), 1, "valgrind is not installed");
}
