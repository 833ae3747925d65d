//! Why calls end, and what each side says of it: one scenario for each reason.

use scenario::{metrics::FirstCall, run::Player, timeline::EndReason};

/// The reasons of caller and callee. Where both can know, both have the same one.
#[track_caller]
fn check(name: &str, caller: EndReason, callee: EndReason) {
    let plan = super::scenario(name);
    let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
    let call = FirstCall::of(&plan).expect("somebody dials");
    let reasons = call.sides().map(|side| record.peers[side].end_reason);
    assert_eq!(reasons, [caller, callee].map(Some), "{name}");
}

#[test]
fn each_reason_is_the_same_on_both_sides_where_both_can_know() {
    check("happy/host-candidates", EndReason::HungUp, EndReason::HungUp);
    check("happy/callee-hangs-up", EndReason::HungUp, EndReason::HungUp);
    check("ringing/callee-rejects", EndReason::Declined, EndReason::Declined);
    check("ringing/caller-cancels", EndReason::Cancelled, EndReason::Cancelled);
    check("ringing/nobody-answers", EndReason::NoAnswer, EndReason::NoAnswer);
    check("media/permission-denied-callee", EndReason::PermissionDenied, EndReason::PermissionDenied);
    check("endings/permission-lost-in-mid-call", EndReason::PermissionLost, EndReason::PermissionLost);
    check("endings/taken-and-never-connected", EndReason::ConnectTimeout, EndReason::ConnectTimeout);
    check("endings/given-up-as-both-dial", EndReason::Cancelled, EndReason::Cancelled);
}

#[test]
fn who_cannot_be_told_finds_out_alone() {
    check("endings/peer-vanishes-in-mid-call", EndReason::ConnectionLost, EndReason::ConnectionLost);
    check("endings/tab-closed-in-mid-call", EndReason::ConnectionLost, EndReason::ConnectionLost);
    check("endings/peer-vanishes-as-it-rings", EndReason::NoAnswer, EndReason::NoAnswer);
    check("endings/server-gone-as-it-rings", EndReason::SignalingLost, EndReason::SignalingLost);
    check("endings/server-gone-in-mid-call", EndReason::HungUp, EndReason::SignalingLost);
}

/// Who dials into a call of others does not disturb it.
#[test]
fn busy_is_known_to_the_third_alone() {
    let plan = super::scenario("ringing/busy");
    let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
    let reasons = ["caller", "callee", "third"].map(|name| record.peers[name].end_reason);
    assert_eq!(reasons, [EndReason::HungUp, EndReason::HungUp, EndReason::Busy].map(Some));
}

/// Before a peer's devices are asked for, nobody has heard of the call.
#[test]
fn a_caller_without_devices_disturbs_nobody() {
    for (name, reason) in [
        ("media/permission-denied-caller", EndReason::PermissionDenied),
        ("media/device-missing-caller", EndReason::DeviceMissing),
    ] {
        let plan = super::scenario(name);
        let record = Player::new(&plan).seed(1).play().expect("the scenario plays");
        assert_eq!(record.peers["caller"].end_reason, Some(reason));
        assert_eq!(record.peers["callee"].end_reason, None);
    }
}
