//! Scenarios for the tests.

use scenario::plan::Plan;

const TALK: &str = r#"version = 1
summary = "Two people talk for a second."
[peers.caller]
[peers.callee]
[[steps]]
at = "1s"
caller = { dial = "callee" }
[[steps]]
at = "3s"
caller = "hang-up"
[expect]
"#;

/// One that connects, and one that expects it not to.
pub(crate) fn plans() -> [Plan; 2] {
    let plan = |name, expect: &str| Plan::from_toml(name, &format!("{TALK}{expect}\n")).unwrap();
    [plan("test/well", r#"outcome = "connected""#), plan("test/ill", r#"outcome = "busy""#)]
}
