//! Why calls end, and what each side says of it: one scenario for each reason.

use scenario::{metrics::FirstCall, run::Player};

/// The reasons of caller and callee. Where both can know, both have the same one.
#[track_caller]
fn check(name: &str, caller: &str, callee: &str) {
    let plan = super::scenario(name);
    let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
    let call = FirstCall::of(&plan).expect("somebody dials");
    let reasons = call.sides().map(|side| record.peers[side].end_reason.clone().unwrap_or_default());
    assert_eq!(reasons, [caller, callee], "{name}");
}

#[test]
fn each_reason_is_the_same_on_both_sides_where_both_can_know() {
    check("happy/host-candidates", "hung-up", "hung-up");
    check("happy/callee-hangs-up", "hung-up", "hung-up");
    check("ringing/callee-rejects", "declined", "declined");
    check("ringing/caller-cancels", "cancelled", "cancelled");
    check("ringing/nobody-answers", "no-answer", "no-answer");
    check("media/permission-denied-callee", "permission-denied", "permission-denied");
    check("endings/permission-lost-in-mid-call", "permission-lost", "permission-lost");
    check("endings/taken-and-never-connected", "connect-timeout", "connect-timeout");
    check("endings/given-up-as-both-dial", "cancelled", "cancelled");
}

#[test]
fn who_cannot_be_told_finds_out_alone() {
    check("endings/peer-vanishes-in-mid-call", "connection-lost", "connection-lost");
    check("endings/peer-vanishes-as-it-rings", "no-answer", "no-answer");
    check("endings/server-gone-as-it-rings", "signaling-lost", "signaling-lost");
    check("endings/server-gone-in-mid-call", "hung-up", "signaling-lost");
}

/// Who dials into a call of others does not disturb it.
#[test]
fn busy_is_known_to_the_third_alone() {
    let plan = super::scenario("ringing/busy");
    let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
    let reasons = ["caller", "callee", "third"].map(|name| record.peers[name].end_reason.clone());
    assert_eq!(reasons, ["hung-up", "hung-up", "busy"].map(|reason| Some(reason.to_owned())));
}

/// Before a peer's devices are asked for, nobody has heard of the call.
#[test]
fn a_caller_without_devices_disturbs_nobody() {
    for (name, reason) in [
        ("media/permission-denied-caller", "permission-denied"),
        ("media/device-missing-caller", "device-missing"),
    ] {
        let plan = super::scenario(name);
        let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
        assert_eq!(record.peers["caller"].end_reason.as_deref(), Some(reason));
        assert_eq!(record.peers["callee"].end_reason, None);
    }
}
