//! Whatever ends a lab, nothing of it is left.

#![allow(clippy::disallowed_methods, reason = "a lab runs in real time, and is stopped at real moments")]

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::harness::{Lab, line};

const SCENARIO: &str = "deadline = \"60s\"\n[peers.caller]\n[peers.callee]\n\
    [[steps]]\nat = \"50s\"\ncaller = { dial = \"callee\" }\n[expect]\noutcome = \"connected\"\n";

/// Processes whose environment has this word.
fn processes(word: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_one = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(word.len()).any(|window| window == word.as_bytes())
    };
    let command = |pid: u32| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    numbers.filter(is_one).map(command).collect()
}

fn start(lab: &Lab, word: &str) -> Child {
    let mut command = lab.command();
    command.args(["--exec", "caller", &format!("sleep 300 & {}", line("sleep 300"))]);
    command.args(["--exec", "callee", &line("echo 0.0.0.0:7000 300000")]);
    command.env("LAB_WORD", word).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Ends a lab with a signal after so many milliseconds.
#[track_caller]
fn check(lab: &Lab, signal: &str, after_ms: u64, expect: Option<i32>) {
    let word = format!("{signal}-{after_ms}-{}", std::process::id());
    let mut child = start(lab, &word);
    thread::sleep(Duration::from_millis(after_ms));
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let code = child.wait().unwrap().code();
    if after_ms > 100 {
        assert_eq!(code, expect, "{signal} after {after_ms} ms");
    }
    let start = Instant::now();
    loop {
        let left = processes(&word);
        if left.is_empty() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{signal} after {after_ms} ms leaves {left:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_lab_that_is_interrupted_at_ten_moments_leaves_nothing() {
    let Some(lab) = Lab::of(SCENARIO) else { return };
    let devices = || fs::read_dir("/sys/class/net").unwrap().count();
    let before = devices();
    for after_ms in [1, 5, 10, 20, 40, 80, 160, 320, 640, 1280] {
        check(&lab, "-INT", after_ms, Some(130));
    }
    for after_ms in [10, 160, 1280] {
        check(&lab, "-KILL", after_ms, None);
        check(&lab, "-TERM", after_ms, Some(130));
    }
    assert_eq!(devices(), before);
    let names = fs::read_dir("/run/netns").map_or(0, |names| names.flatten().count());
    assert_eq!(names, 0, "the lab's namespaces have no names");
}

#[test]
fn a_lab_whose_program_fails_says_so() {
    let Some(lab) = Lab::of(SCENARIO) else { return };
    let output = lab.command().args(["--", "false"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let output = lab.command().args(["--exec", "caler", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `caller`?"));
    let output = lab.command().args(["--exec", "caller", "true", "--engine", "caller"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = lab.command().args(["--", "/no/such/program"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
