//! `cargo xtask bench` as a user meets it, with programs that measure nothing.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::said::{check, interrupted, make_pipe, said};

/// Where a workspace, its cargo and what that builds would be.
struct Place(TempDir);

/// Hangs with a child of its own, or fails, where a test says so.
const HEAD: &str = r#"#!/bin/sh
at() {
    if [ "$HANGS" = "$1" ]; then sleep 100000 & echo $$ $! > "$PLACE/begun"; wait; fi
    if [ "$FAILS" = "$1" ]; then echo "out of luck" >&2; exit 7; fi
}
"#;

const CARGO: &str = r#"
at build
for name in measure cost negotiation; do
    echo "{\"target\":{\"name\":\"$name\"},\"executable\":\"$PLACE/$name\"}"
done
"#;

const MEASURE: &str = r#"
at "$1"
case "$1" in
list) echo '["call/websocket","wire/udp"]' ;;
latency) echo '[]' ;;
cost) echo "{\"id\":\"$2\"}" ;;
worlds) echo "{\"jobs\":$3}" ;;
page) echo page > "$4"; at page-written; echo "a table for people" ;;
esac
"#;

const CRITERION: &str = r#"
mkdir -p "$CRITERION_HOME/report"
echo half > "$CRITERION_HOME/report/index.html"
at criterion
"#;

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("chores")).unwrap();
        let programs =
            [("cargo", CARGO), ("measure", MEASURE), ("cost", CRITERION), ("negotiation", CRITERION)];
        for (name, text) in programs {
            fs::write(place.path(name), format!("{HEAD}{text}")).unwrap();
            fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        make_pipe(&place.path("begun"));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn bench(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chores"));
        command.current_dir(self.0.path()).arg("bench").args(arguments).stdin(Stdio::null());
        command.env("CARGO", self.path("cargo")).env("CARGO_MANIFEST_DIR", self.path("chores"));
        command.env("CARGO_TARGET_DIR", self.path("target")).env("PLACE", self.0.path());
        command.env_remove("HANGS").env_remove("FAILS");
        command
    }
}

/// Every file and directory below `directory`, with the text of files.
fn tree(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        }
        found.push((path.clone(), fs::read_to_string(&path).unwrap_or_default()));
    }
    found.sort();
    found
}

fn names(directory: &Path) -> Vec<String> {
    let relative = |(path, _): (PathBuf, String)| path.strip_prefix(directory).unwrap().display().to_string();
    tree(directory).into_iter().map(relative).collect()
}

#[test]
fn the_page_takes_the_place_of_the_last_one_and_each_step_is_named() {
    let place = Place::new();
    for _ in 0..2 {
        let said = said(place.bench(&["--quick"]).output().unwrap());
        check(&said, 0, "a table for people\n\nthe page: ");
        for step in
            ["building the benches (release) …\n", "1/", " call/websocket …\n", " criterion: costs …\n"]
        {
            check(&said, 0, step);
        }
        let all = ["bench", "bench/criterion", "bench/criterion/report", "bench/criterion/report/index.html"];
        let own = ["bench/index.html", "bench/results.json"];
        assert_eq!(names(&place.path("target")), [&all[..], &own[..]].concat());
    }
    let results = fs::read_to_string(place.path("target/bench/results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    assert_eq!(results["costs"][1]["id"], "wire/udp");
}

#[test]
fn whenever_ctrl_c_comes_the_last_results_stay_and_no_child_lives() {
    let place = Place::new();
    assert_eq!(place.bench(&["--quick"]).output().unwrap().status.code(), Some(0));
    let before = tree(&place.path("target"));
    for hangs in ["build", "list", "latency", "cost", "worlds", "criterion", "page", "page-written"] {
        let mut command = place.bench(&["--quick"]);
        let command = command.env("HANGS", hangs).stdout(Stdio::piped()).stderr(Stdio::piped());
        interrupted(command.spawn().unwrap(), &place.path("begun"), 1);
        assert_eq!(tree(&place.path("target")), before, "{hangs}");
    }
}

#[test]
fn a_bench_that_fails_is_1_with_its_last_words_and_leaves_nothing() {
    let place = Place::new();
    for fails in ["build", "latency", "cost", "criterion", "page"] {
        let said = said(place.bench(&["--quick"]).env("FAILS", fails).output().unwrap());
        check(&said, 1, "out of luck");
        assert_eq!(names(&place.path("target")), [""; 0], "{fails}");
    }
}

#[test]
fn a_directory_with_something_else_in_it_is_refused_before_anything_is_built() {
    let place = Place::new();
    let said = said(place.bench(&["--out", "."]).env("FAILS", "build").output().unwrap());
    check(
        &said,
        2,
        "error: . is no directory of benches, and what is in it would go: choose another --out\n",
    );
    assert!(!place.path("target").exists());
}
