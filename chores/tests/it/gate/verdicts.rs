//! What the gate says about virtual numbers, and how it ends.

use super::place::{Fake, Place};
use crate::said::{check, said};

const BASELINE: &str = "benches/baselines/virtual.json";

fn two(first: &str, second: &str) -> Fake {
    Fake::of("virtual", &[("call#connected", first), ("call#packets", second)])
}

fn place() -> Place {
    Place::expecting(&two("1000", "20"))
}

#[test]
fn as_expected_is_0() {
    check(&place().gate(&["--tier", "virtual"]), 0, "passed: 2 virtual");
}

#[test]
fn without_a_baseline_nothing_is_compared() {
    let place = Place::new();
    place.worker("worker", &two("1000", "20"));
    check(&place.gate(&["--tier", "virtual"]), 5, "no baseline in benches/baselines/virtual.json yet");
}

#[test]
fn one_more_is_a_regression_in_every_report() {
    let place = place();
    place.worker("worker", &two("1001", "20"));
    let files = ["--report", "r.json", "--junit", "r.xml", "--out", "r.txt"];
    let mut command = place.xtask(&["--tier", "virtual", "--worker", "./worker"]);
    command.args(files).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", place.path("summary.md"));
    let said = said(command.output().unwrap());
    check(&said, 3, "::error title=REGRESSION%3A call#connected::1000 us → 1001 us");
    assert_eq!(said.out, "", "the report went to a file");
    assert!(place.read("r.txt").contains("REGRESSION"), "{}", place.read("r.txt"));
    assert!(place.read("r.xml").contains("<failure message=\"worse than expected\" type=\"REGRESSION\">"));
    assert!(place.read("summary.md").contains("| REGRESSION | call\\#connected |"));
    check(&place.run(&["verdict", "r.json"]), 3, "REGRESSION");
}

#[test]
fn no_red_job_of_github_says_nothing() {
    let place = place();
    let github = |arguments: &[&str]| {
        let mut command = place.xtask(arguments);
        said(command.env("GITHUB_ACTIONS", "true").output().unwrap())
    };
    let arguments = ["--tier", "virtual", "--worker"];
    let gate = |worker: &str| github(&[&arguments[..], &[worker]].concat());
    check(&gate("./worker"), 0, "");
    assert!(!gate("./worker").err.contains("::"), "green jobs have none");
    check(&gate("./nowhere"), 1, "\n::error title=Gate::cannot start ./nowhere: No such file");
    let baseline = place.read(BASELINE);
    place.write(BASELINE, &baseline.replace("\"value\":1000", "\"value\":999"));
    check(&gate("./worker"), 5, "\n::error title=Gate::benches/baselines/virtual.json, compared with");
    place.write(BASELINE, "100 %");
    check(&gate("./worker"), 2, "\n::error title=Gate::benches/baselines/virtual.json:1:");
    let nothing = github(&["--tier", "wall", "--worker", "./worker"]);
    check(&nothing, 5, "\n::error title=Gate::NOTHING COMPARED");
}

#[test]
fn better_must_be_accepted() {
    let place = place();
    place.worker("worker", &two("999", "20"));
    check(&place.gate(&["--tier", "virtual"]), 3, "NOT ACCEPTED");
}

#[test]
fn another_number_in_each_process_is_4_and_no_regression() {
    let place = place();
    place.worker("worker", &two("$$", "20"));
    let said = place.gate(&["--tier", "virtual"]);
    check(&said, 4, "NONDETERMINISTIC");
    assert!(!said.out.contains("REGRESSION"), "{}", said.out);
}

#[test]
fn what_depends_on_the_environment_is_4() {
    let place = place();
    place.worker("worker", &two("${#GATE_DISTURBANCE}", "20"));
    check(&place.gate(&["--tier", "virtual"]), 4, "NONDETERMINISTIC");
}

#[test]
fn a_metric_that_is_gone_is_3() {
    let place = place();
    place.worker("worker", &Fake::of("virtual", &[("call#connected", "1000")]));
    check(&place.gate(&["--tier", "virtual"]), 3, "VANISHED");
    check(&place.gate(&["--tier", "virtual", "--filter", "*#connected"]), 0, "passed: 1 virtual");
}

#[test]
fn a_metric_that_is_new_is_named_and_fails_a_release() {
    let place = place();
    place.worker("worker", &two("1000", "20").and(Fake::of("virtual", &[("call#bytes", "7")])));
    check(&place.gate(&["--tier", "virtual"]), 0, "call#bytes");
    check(&place.gate(&["--tier", "virtual", "--release"]), 5, "call#bytes");
}

#[test]
fn a_worker_that_breaks_is_1_and_its_last_words_are_shown() {
    let place = place();
    place.worker("worker", &two("echo out of luck >&2; exit 7", "20"));
    check(&place.gate(&["--tier", "virtual"]), 1, "out of luck");
    place.worker("worker", &two("echo hello", "20"));
    check(&place.gate(&["--tier", "virtual"]), 1, "the line begins with `hello`");
    check(&place.run(&["--tier", "virtual", "--worker", "./nowhere"]), 1, "cannot start ./nowhere");
}

#[test]
fn a_metric_that_the_worker_cannot_measure_is_1_and_the_others_are_judged() {
    let place = place();
    place.worker("worker", &two(r#"echo '{"failed":{"message":"no such link"}}'"#, "21"));
    let said = place.gate(&["--tier", "virtual"]);
    check(&said, 3, "no such link");
    check(&said, 3, "REGRESSION");
}

#[test]
fn a_baseline_that_was_edited_by_hand_is_5() {
    let place = place();
    place.worker("worker", &two("1001", "20"));
    place.write(BASELINE, &place.read(BASELINE).replace("\"value\":1000", "\"value\":1001"));
    check(
        &place.gate(&["--tier", "virtual"]),
        5,
        "`call#connected` was changed in the baseline without `gate accept`",
    );
    place.commit("sneaky");
    check(&place.gate(&["--tier", "virtual"]), 5, "the commit before the last of main");
}

#[test]
fn a_baseline_that_cannot_be_read_is_2_with_its_line() {
    let place = place();
    place.write(BASELINE, &place.read(BASELINE).replace("\"unit\":\"us\"", "\"unit\":\"µs\""));
    check(&place.gate(&["--tier", "virtual"]), 2, "virtual.json:8:");
    check(&place.gate(&["--tier", "virtuell"]), 2, "virtual");
    check(&place.run(&["verdict", "README"]), 2, "README: line 1");
}

#[test]
fn other_conditions_are_5() {
    let place = place();
    place.program("worker", &place.read("worker").replace(r#""ticks":"1""#, r#""ticks":"2""#));
    check(&place.gate(&["--tier", "virtual"]), 5, "the baseline was measured with ticks `1`, now it is `2`");
}

#[test]
fn a_change_is_compared_with_where_it_left_the_trunk() {
    let place = place();
    place.git(&["checkout", "--quiet", "-b", "change"]);
    place.worker("worker", &two("1001", "20"));
    place.commit("slower");
    check(&place.gate(&["--tier", "virtual"]), 3, "the merge base with main");
    assert_eq!(place.accept(&["call#connected"], "waits for the relay").code, Some(0));
    place.commit("accepted");
    check(&place.gate(&["--tier", "virtual"]), 0, "and 1 accepted since");
}

#[test]
fn without_history_the_baseline_stands_for_itself_and_that_is_said() {
    let place = place();
    let shallow = tempfile::tempdir().unwrap();
    let url = format!("file://{}", place.root().display());
    let clone = shallow.path().join("clone");
    place.git(&["clone", "--quiet", "--depth", "1", &url, clone.to_str().unwrap()]);
    let mut command = place.xtask(&["--tier", "virtual,wall", "--worker", "./worker"]);
    let said = said(command.current_dir(&clone).output().unwrap());
    check(&said, 0, "the clone is shallow: `git fetch --unshallow --tags`");
    std::fs::remove_dir_all(clone.join(".git")).unwrap();
    let mut command = place.xtask(&["--tier", "virtual", "--worker", "./worker"]);
    command.current_dir(&clone).env("GIT_CEILING_DIRECTORIES", shallow.path());
    check(&crate::said::said(command.output().unwrap()), 0, "no git repository here");
}

#[test]
fn a_worker_that_ends_while_a_child_of_it_holds_its_pipe_is_not_waited_for() {
    let place = place();
    // A session of its own, so that the child is not ended with its parent.
    let pid = place.path("child.pid");
    let leaves = format!(
        "setsid sh -c 'echo $$ >> {}; exec sleep 100000' >/dev/null </dev/null & exit 7",
        pid.display()
    );
    place.worker("worker", &two(&leaves, "20"));
    let said = place.run(&["--tier", "virtual", "--worker", "./worker"]);
    let _ = std::process::Command::new("kill").args(place.read("child.pid").split_whitespace()).status();
    check(&said, 1, "ended while it was to measure `call#connected`");
}
