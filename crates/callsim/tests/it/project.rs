//! The program in somebody's own folder.

use std::{fs, process::Command};

use crate::place::{GOOD, Place, check, said};

#[test]
fn a_project_is_found_from_every_folder_of_it() {
    let place = Place::new(&[("scenarios/net/turned.toml", GOOD), ("src/main.rs", "")]);
    for folder in ["", "src", "scenarios", "scenarios/net"] {
        check(&place.run_in(folder, &["run", "--list"]), 0, &["net/turned"]);
    }
    check(&place.run_in("src", &["run", "turned", "--seed", "1"]), 0, &["all good: 1 scenarios, 1 runs"]);
}

#[test]
fn a_file_is_played_wherever_it_is() {
    let place = Place::new(&[("calls/ours.toml", GOOD), ("scenarios/net/turned.toml", GOOD)]);
    check(&place.run(&["run", "--list", "calls/ours.toml"]), 0, &["ours "]);
    check(&place.run(&["run", "--list", "calls"]), 0, &["ours "]);
    check(&place.run(&["run", "--list", "scenarios/net/turned.toml"]), 0, &["net/turned "]);
    let both = place.run(&["run", "--list", "net", "scenarios/net/turned.toml"]);
    assert_eq!(both.out.lines().count(), 1, "{}", both.out);
    let fails = GOOD.replace("outcome = \"connected\"", "outcome = \"busy\"");
    fs::write(place.path("calls/ours.toml"), fails).unwrap();
    let repeat = "repeat: callsim run calls/ours.toml --seed 1";
    check(&place.run(&["run", "calls/ours.toml", "--seeds", "1"]), 3, &[repeat]);
    let mut other = place.command("", &["scenarios", "calls/ours.toml", "--seeds", "1"]);
    let repeat = "repeat: cargo xtask scenarios calls/ours.toml --seed 1";
    check(&said(other.env("CALLSIM_CALLED_AS", "cargo xtask")), 3, &[repeat]);
}

#[test]
fn a_report_that_nobody_can_get_is_an_error() {
    let place = Place::new(&[("scenarios/turned.toml", GOOD)]);
    let program = env!("CARGO_BIN_EXE_callsim");
    let in_shell = |line: &str| {
        let mut shell = Command::new("sh");
        said(shell.arg("-c").arg(line).current_dir(place.path("")).env("CALLSIM", program))
    };
    let closed = "cannot write to standard output: it is closed";
    for command in ["run --list", "profiles", "completions bash"] {
        check(&in_shell(&format!("\"$CALLSIM\" {command} >&-")), 1, &[closed]);
    }
    check(&in_shell("\"$CALLSIM\" run --list --out list.txt >&-"), 0, &[]);
    assert!(fs::read_to_string(place.path("list.txt")).unwrap().contains("turned"));
    check(&in_shell("\"$CALLSIM\" run --list >/dev/null"), 0, &[]);
    check(&in_shell("\"$CALLSIM\" run --list <&- 2>&-"), 0, &["turned"]);
    check(&in_shell("\"$CALLSIM\" run --list >/dev/full"), 1, &["cannot write to standard output"]);
}

#[test]
fn a_report_replaces_nothing_that_is_read() {
    let place = Place::new(&[
        ("scenarios/turned.toml", GOOD),
        ("callsim.toml", "seeds = 1\n"),
        ("scenarios/pins.json", "{}"),
    ]);
    std::os::unix::fs::symlink(place.path("scenarios"), place.path("link")).unwrap();
    fs::hard_link(place.path("scenarios/turned.toml"), place.path("hard")).unwrap();
    for target in ["scenarios/turned.toml", "link/turned.toml", "hard", "callsim.toml", "scenarios/pins.json"]
    {
        check(&place.run(&["run", "--list", "--out", target]), 2, &[target, "would be replaced"]);
    }
    assert_eq!(fs::read_to_string(place.path("scenarios/turned.toml")).unwrap(), GOOD);
    assert_eq!(fs::read_to_string(place.path("callsim.toml")).unwrap(), "seeds = 1\n");
}

#[test]
#[cfg(not(feature = "campaign"))]
fn a_program_without_campaigns_says_how_to_get_them() {
    let place = Place::new(&[]);
    for arguments in [&["campaign"][..], &["campaign", "--help"], &["campaign", "plan", "--seeds", "1..2"]] {
        check(&place.run(arguments), 2, &["built without campaigns", "--features campaign"]);
    }
}

#[test]
fn one_file_that_cannot_be_used_stops_no_other() {
    let bad = GOOD.replace("dial", "dail");
    let place = Place::new(&[("scenarios/bad.toml", &bad), ("scenarios/good.toml", GOOD)]);
    fs::write(place.path("scenarios/binary.toml"), [0xff, 0xfe]).unwrap();
    let errors = ["bad.toml:", "dail", "cannot read scenarios/binary.toml"];
    check(&place.run(&["run", "--seeds", "1"]), 2, &[&errors[..], &["all good: 1 scenarios"]].concat());
    check(&place.run(&["run", "--list"]), 2, &[&errors[..], &["good "]].concat());
    let good = place.run(&["run", "good", "--list"]);
    check(&good, 0, &[]);
    assert_eq!(good.err, "");
}

#[test]
fn where_there_is_nothing_the_way_on_is_shown() {
    let place = Place::new(&[]);
    check(&place.run(&["run"]), 2, &["there is no folder scenarios", "--dir", "callsim new"]);
    check(&place.run(&["run", "--dir", "mine"]), 2, &["there is no folder mine"]);
    fs::create_dir(place.path("scenarios")).unwrap();
    check(&place.run(&["run"]), 5, &["no scenario (*.toml) under scenarios", "--dir"]);
    check(&place.run(&["new", "loss/first"]), 0, &["callsim run loss/first"]);
    check(&place.run(&["run", "first", "--seeds", "2"]), 0, &["all good: 1 scenarios, 2 runs"]);
    check(&place.run(&["new", "loss/first"]), 2, &["scenarios/loss/first.toml exists already"]);
    check(&place.run(&["new", "../up"]), 2, &["`../up` is not a name"]);
}

#[test]
fn what_cannot_be_written_is_named_before_anything_is_played() {
    let place = Place::new(&[("scenarios/good.toml", GOOD)]);
    let said = place.run(&["run", "--out", "missing/report.json", "--format", "json"]);
    check(&said, 2, &["cannot write missing/report.json: there is no folder missing"]);
    assert!(!said.err.contains(".callsim-"));
    let nowhere = place.run(&["schema", "--dir", "nowhere"]);
    check(&nowhere, 2, &["there is no folder nowhere"]);
}

#[test]
fn the_project_says_what_is_said_once() {
    let settings = r#"
scenarios = "calls"
seeds = 2
themes = { smoke = ["net"] }
[budgets."net/*"]
setup-p50 = "1ms"
"#;
    let place = Place::new(&[
        ("callsim.toml", settings),
        ("calls/net/turned.toml", GOOD),
        ("calls/other.toml", GOOD),
    ]);
    check(&place.run(&["run", "other"]), 0, &["all good: 1 scenarios, 2 runs"]);
    check(&place.run(&["run", "other", "--seeds", "1"]), 0, &["all good: 1 scenarios, 1 runs"]);
    check(&place.run(&["run", "smok"]), 2, &["there is no scenario `smok`, did you mean `smoke`?"]);
    let said = place.run_in("calls", &["run", "smoke"]);
    let over = "the budget of `net/*` is 1 ms";
    check(&said, 3, &["FAILED  net/turned  budget", over, "repeat: callsim run net/turned --seeds 2"]);
    check(&place.run(&["run", "smoke", "--format", "junit"]), 3, &["name=\"budgets\"", over]);
    fs::write(place.path("callsim.toml"), "sceanrios = \"calls\"\n").unwrap();
    let mistake = "callsim.toml:1:1: unknown key `sceanrios` (did you mean `scenarios`?";
    check(&place.run(&["run"]), 2, &[mistake]);
}

#[test]
fn a_project_has_networks_of_its_own() {
    let settings = "[profiles.our-office]\nsummary = \"Far away.\"\nlink = { delay = \"150ms\" }\n";
    let far = GOOD.replace("link = { delay = \"40ms\", jitter = \"5ms\" }", "profile = \"our-office\"");
    let place = Place::new(&[("callsim.toml", settings), ("scenarios/far.toml", &far)]);
    check(&place.run(&["run", "--seeds", "1"]), 0, &["all good"]);
    check(&place.run(&["profiles"]), 0, &["our-office", "Far away.", "lte"]);
    check(&place.run(&["profiles", "our-office"]), 0, &["link.delay", "150ms"]);
    check(&place.run(&["profiles", "our-ofice"]), 2, &["did you mean `our-office`?", "there are: lan, "]);
    check(&place.run(&["schema"]), 0, &[]);
    assert!(fs::read_to_string(place.path("scenarios/schema.json")).unwrap().contains("\"our-office\""));
    fs::write(place.path("scenarios/far.toml"), far.replace("our-office", "our-ofice")).unwrap();
    check(&place.run(&["run"]), 2, &["scenarios/far.toml:10:11: ", "did you mean `our-office`?"]);
    fs::write(place.path("callsim.toml"), settings.replace("delay", "dealy")).unwrap();
    check(&place.run(&["run"]), 2, &["callsim.toml:3:10: unknown key `dealy`", "did you mean `delay`?"]);
}

#[test]
fn what_differs_from_its_pin_fails() {
    let place = Place::new(&[
        ("scenarios/a.toml", GOOD),
        ("scenarios/b.toml", GOOD),
        ("callsim.toml", "seeds = 2\n"),
    ]);
    check(&place.run(&["run"]), 0, &[]);
    check(&place.run(&["run", "--accept-pins"]), 0, &["wrote scenarios/pins.json: 2 pins, 2 of them new"]);
    check(&place.run(&["run"]), 0, &[]);
    let slower = GOOD.replace("40ms", "60ms");
    fs::write(place.path("scenarios/a.toml"), slower).unwrap();
    let differs =
        ["FAILED  a  pin  (over 2 runs)", "set-up: p50 ", ", pinned p50 ", "repeat: callsim run a --seeds 2"];
    check(&place.run(&["run"]), 3, &differs);
    check(&place.run(&["run", "--format", "junit"]), 3, &["name=\"pins\""]);
    check(&place.run(&["run", "--seeds", "1"]), 0, &[]);
    check(&place.run(&["run", "--seed", "2"]), 0, &[]);
    check(&place.run(&["run", "a", "--accept-pins"]), 0, &["2 pins, 1 of them new"]);
    check(&place.run(&["run"]), 0, &[]);
    fs::write(place.path("scenarios/c.toml"), GOOD).unwrap();
    check(&place.run(&["run"]), 3, &["FAILED  c  pin", "it is not in scenarios/pins.json (`--accept-pins`"]);
    fs::remove_file(place.path("scenarios/a.toml")).unwrap();
    fs::write(place.path("scenarios/b.toml"), GOOD.replace("outcome = \"connected\"", "outcome = \"busy\""))
        .unwrap();
    check(&place.run(&["run", "--accept-pins"]), 3, &["no pin was written"]);
    fs::write(place.path("scenarios/b.toml"), GOOD).unwrap();
    check(&place.run(&["run", "--accept-pins"]), 0, &["2 pins, 1 of them new"]);
    fs::write(place.path("scenarios/pins.json"), "{").unwrap();
    check(&place.run(&["run"]), 2, &["error: scenarios/pins.json:1:1: "]);
}

#[test]
fn shells_and_manuals_know_the_commands() {
    let place = Place::new(&[]);
    for shell in ["bash", "zsh", "fish"] {
        check(&place.run(&["completions", shell]), 0, &["nat-grid"]);
    }
    check(&place.run(&["man"]), 0, &[".TH callsim 1", "nat\\-grid"]);
    check(&place.run(&["man", "run"]), 0, &["callsim\\-run", "\\-\\-seeds"]);
    check(&place.run(&["man", "walk"]), 2, &["no command `walk`"]);
}
