//! The ladder at the edges of its rules: a moment before a deadline and at it, and where it has nothing to do.

use std::time::Duration;

use super::{Input, Ladder, Lead, Recovery, RecoveryCause as Cause, RecoveryStep, Relays, Step, testing};
use crate::Guards;

const MOMENT: Duration = Duration::from_millis(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn idle(lead: Lead) -> Ladder {
    Ladder::new(Recovery::default(), Guards::ALL_ON, lead, Relays::None)
}

fn connected(lead: Lead) -> Ladder {
    testing::connected(idle(lead))
}

/// Nothing happens a moment before `deadline`, and `expect` at it.
#[track_caller]
fn check(ladder: &mut Ladder, deadline: Duration, expect: (RecoveryStep, Cause)) {
    assert_eq!(ladder.deadline(), Some(deadline));
    assert_eq!(ladder.on_timer(deadline - MOMENT), [], "a moment before");
    assert_eq!(ladder.deadline(), Some(deadline), "nothing happened");
    assert_eq!(ladder.on_timer(deadline), [Step { what: expect.0, cause: expect.1 }]);
}

#[test]
fn a_disconnected_peer_has_its_time_to_heal_and_no_more() {
    let mut ladder = connected(Lead::Leads);
    ladder.on(seconds(10), Input::Disconnected);
    check(&mut ladder, seconds(12), (RecoveryStep::IceRestart, Cause::Disconnected));
    let mut ladder = connected(Lead::Follows);
    ladder.on(seconds(10), Input::Disconnected);
    let with_grace = seconds(12) + Recovery::default().follower_grace;
    check(&mut ladder, with_grace, (RecoveryStep::IceRestart, Cause::Disconnected));
}

#[test]
fn each_step_has_its_patience_and_no_more() {
    let mut ladder = idle(Lead::Leads);
    ladder.on(seconds(1), Input::Negotiating);
    ladder.on(seconds(2), Input::Answered);
    check(&mut ladder, seconds(10), (RecoveryStep::IceRestart, Cause::CheckingTimeout));
    check(&mut ladder, seconds(30), (RecoveryStep::Rebuild, Cause::Unanswered));
    ladder.on(seconds(31), Input::Answered);
    check(&mut ladder, seconds(39), (RecoveryStep::Rebuild, Cause::StepTimeout));
    ladder.on(seconds(40), Input::IceConnected);
    check(&mut ladder, seconds(45), (RecoveryStep::Rebuild, Cause::DtlsTimeout));
}

#[test]
fn everything_has_its_time_and_no_more() {
    let settings = Recovery { give_up: seconds(1), ..Recovery::default() };
    let mut ladder = Ladder::new(settings, Guards::ALL_ON, Lead::Leads, Relays::None);
    ladder.on(Duration::ZERO, Input::Negotiating);
    ladder.on(Duration::ZERO, Input::Connected);
    ladder.on(seconds(10), Input::Disconnected);
    check(&mut ladder, seconds(11), (RecoveryStep::GiveUp, Cause::OutOfTime));
    assert_eq!(ladder.deadline(), None, "it is over");
}

/// When and why a call ends that was connected, to which `inputs` happen, and which nothing helps.
fn end_of(inputs: &[(u64, Input)]) -> (Duration, Cause) {
    let mut ladder = connected(Lead::Leads);
    let mut inputs = inputs.iter().peekable();
    loop {
        let deadline = ladder.deadline();
        let next = inputs.next_if(|(at, _)| deadline.is_none_or(|deadline| seconds(*at) < deadline));
        let (now, steps) = match (next, deadline) {
            (Some((at, input)), _) => (seconds(*at), ladder.on(seconds(*at), *input)),
            (None, Some(deadline)) => (deadline, ladder.on_timer(deadline)),
            (None, None) => panic!("it never ends"),
        };
        if let Some(end) = steps.iter().find(|step| step.what == RecoveryStep::GiveUp) {
            return (now, end.cause);
        }
    }
}

#[test]
fn who_is_absent_has_its_time_to_come_back_and_no_more() {
    use Input::{Disconnected, RemoteAbsent, RemotePresent, SignalingDown, SignalingUp};
    let gone_at = |at| (seconds(at), Cause::Absent);
    let out_of_time = (seconds(70), Cause::OutOfTime);
    assert_eq!(Recovery::default().absent, Some(seconds(20)));
    assert_eq!(end_of(&[(10, Disconnected)]), out_of_time);
    // It counts from the later of both: the connection is lost, and the other side is absent.
    assert_eq!(end_of(&[(5, RemoteAbsent), (10, Disconnected)]), gone_at(30));
    assert_eq!(end_of(&[(10, Disconnected), (15, RemoteAbsent), (20, RemoteAbsent)]), gone_at(35));
    assert_eq!(end_of(&[(10, Disconnected), (15, RemoteAbsent), (34, RemotePresent)]), out_of_time);
    assert_eq!(
        end_of(&[(10, Disconnected), (15, RemoteAbsent), (20, RemotePresent), (30, RemoteAbsent)]),
        gone_at(50)
    );
    // Who is cut off does not hear of a return.
    let cut_off = [(10, Disconnected), (15, RemoteAbsent), (20, SignalingDown), (25, SignalingUp)];
    assert_eq!(end_of(&cut_off), out_of_time);
}

#[test]
fn who_is_absent_and_heard_stays() {
    let mut ladder = connected(Lead::Leads);
    ladder.on(seconds(10), Input::RemoteAbsent);
    assert_eq!(ladder.deadline(), None, "the call does not need the relay");
}

#[test]
fn signalling_that_says_twice_that_it_is_up_takes_no_patience_away() {
    let mut ladder = idle(Lead::Leads);
    ladder.on(seconds(1), Input::Negotiating);
    ladder.on(seconds(2), Input::Answered);
    ladder.on(seconds(5), Input::SignalingUp);
    assert_eq!(ladder.deadline(), Some(seconds(10)));
    for _ in 0..2 {
        ladder.on(seconds(6), Input::SignalingDown);
        assert_eq!(ladder.deadline(), None, "it waits for its signalling");
    }
    ladder.on(seconds(7), Input::SignalingUp);
    assert_eq!(ladder.deadline(), Some(seconds(15)), "anew");
}

#[test]
fn before_there_is_a_peer_connection_nothing_is_recovered() {
    let inputs = [
        Input::Connected,
        Input::Disconnected,
        Input::IceFailed,
        Input::DtlsFailed,
        Input::NegotiationFailed,
        Input::NetworkChanged,
        Input::RemoteAsks,
        Input::RemoteRestarted,
        Input::RemoteRebuilt,
    ];
    for input in inputs {
        let mut ladder = idle(Lead::Leads);
        assert_eq!(ladder.on(seconds(1), input), [], "{input:?}");
        assert_eq!(ladder.deadline(), None, "{input:?}");
    }
}

#[test]
fn what_the_other_side_does_is_followed() {
    let followed = |input| {
        let mut ladder = connected(Lead::Follows);
        ladder.on(seconds(10), input)
    };
    let step = |what| [Step { what, cause: Cause::OtherSide }];
    assert_eq!(followed(Input::RemoteRestarted), step(RecoveryStep::FollowRestart));
    assert_eq!(followed(Input::RemoteRebuilt), step(RecoveryStep::FollowRebuild));
    assert_eq!(followed(Input::RemoteAsks), step(RecoveryStep::AskForRebuild));
}
