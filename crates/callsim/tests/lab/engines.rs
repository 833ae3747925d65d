//! The call engine over real sockets in namespaces.

use super::harness::Lab;

#[test]
fn two_engines_call_each_other_and_are_judged_as_in_a_simulated_run() {
    let scenario = "[peers.caller]\nlink = { delay = \"10ms\" }\n[peers.callee]\nlink = { delay = \"10ms\" }\n\
        [[steps]]\nat = \"1s\"\ncaller = { dial = \"callee\" }\n[[steps]]\nat = \"6s\"\ncaller = \"hang-up\"\n\
        [expect]\noutcome = \"connected\"\nmedia = [{ audio = \"both-ways\" }]\n";
    let Some(lab) = Lab::of(scenario) else { return };
    let mut command = lab.command();
    command.args(["--format", "json"]);
    let done = lab.done(command);
    let run = &done.report["run"];
    assert_eq!((done.code, run["passed"].as_bool()), (Some(0), Some(true)), "{:#}", run);
    assert!(done.verdict("delivered") > 200, "{}", done.report["packets"]);
}
