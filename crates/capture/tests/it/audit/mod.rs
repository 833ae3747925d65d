//! Each rule, by a call that it speaks of and one next to it of which it does not.

mod candidates;
mod connections;
mod descriptions;
mod incomplete;

use capture::audit::{Code, audit};

use crate::script::trace;

/// What two peers need to be connected.
const CONNECTED: &str = "
    0 a offers A1
    1 a found A1 host
    10 b gets offer A1
    15 b answers B1
    16 b found B1 host
    17 b adds A1 host
    30 a gets answer B1
    32 a adds B1 host
    40 a ice checking
    40 b ice checking
    45 a connection connecting
    50 a ice connected
    50 b ice connected
    90 a connection connected
    90 b connection connected
";

/// The codes of a script without those that speak of kinds of candidates, as `code@peer`, warnings with `!`,
/// errors with `!!`.
fn codes(script: &str) -> String {
    let findings = audit(&trace(script));
    let quiet = [Code::OnlyHostCandidates, Code::SlowStep];
    let loud = findings.iter().filter(|finding| !quiet.contains(&finding.code)).map(|finding| {
        let peer = finding.peer.as_ref().map_or("-", |peer| peer.as_str());
        let mark = match finding.severity.as_str() {
            "error" => "!!",
            "warning" => "!",
            _ => "",
        };
        format!("{}@{peer}{mark}", finding.code)
    });
    loud.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(script: &str, expect: &str) {
    assert_eq!(codes(script), expect);
}

#[track_caller]
fn check_after_connected(script: &str, expect: &str) {
    check(&format!("{CONNECTED}{script}"), expect);
}

/// The lines of a script in the order of their times.
fn sorted(script: &str) -> String {
    let mut lines: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.sort_by_key(|line| line.split_once(' ').unwrap().0.parse::<u64>().unwrap());
    lines.join("\n")
}

#[test]
fn a_connected_call_says_nothing() {
    check_after_connected("2000 a closes\n2010 b closes", "");
}
