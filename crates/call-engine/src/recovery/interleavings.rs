//! The ladder under whatever happens in whatever order, and the table of what it does step by step.

use std::{fmt::Write as _, time::Duration};

use proptest::prelude::*;

use super::{
    Input, Ladder, Lead, Rebuilds, Recovery, RecoveryCause as Cause, RecoveryStep, Relays, Step,
    testing::{CONNECTS, connected},
};
use crate::Guards;

const INPUTS: [Input; 17] = [
    Input::Negotiating,
    Input::Answered,
    Input::Checking,
    Input::IceConnected,
    Input::Connected,
    Input::Disconnected,
    Input::IceFailed,
    Input::DtlsFailed,
    Input::NegotiationFailed,
    Input::NetworkChanged,
    Input::RemoteRestarted,
    Input::RemoteRebuilt,
    Input::RemoteAsks,
    Input::RemoteAbsent,
    Input::RemotePresent,
    Input::SignalingDown,
    Input::SignalingUp,
];

/// A ladder with the clock it is told.
struct Run {
    ladder: Ladder,
    now: Duration,
    steps: Vec<Step>,
}

impl Run {
    fn new(settings: Recovery, lead: Lead, relays: Relays) -> Self {
        Self::of(Ladder::new(settings, Guards::ALL_ON, lead, relays))
    }

    fn of(ladder: Ladder) -> Self {
        Self { ladder, now: Duration::ZERO, steps: Vec::new() }
    }

    fn connected(settings: Recovery, lead: Lead, relays: Relays) -> Self {
        Self::of(connected(Ladder::new(settings, Guards::ALL_ON, lead, relays)))
    }

    fn tell(&mut self, input: Input) -> Vec<Step> {
        let steps = self.ladder.on(self.now, input);
        self.steps.extend(&steps);
        steps
    }

    /// Lets time pass to the next deadline; false where there is none.
    fn wait(&mut self) -> bool {
        let Some(deadline) = self.ladder.deadline() else { return false };
        self.now = self.now.max(deadline);
        let steps = self.ladder.on_timer(self.now);
        self.steps.extend(steps);
        true
    }

    /// Lets `time` pass, with every deadline in it.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.ladder.deadline().is_some_and(|deadline| deadline <= until) {
            self.wait();
        }
        self.now = until;
    }

    /// What was done, a line each.
    fn story(&self) -> String {
        let mut out = String::new();
        for step in &self.steps {
            let _ = writeln!(out, "{} ({})", step.what, step.cause);
        }
        out
    }
}

/// Tells it all to a recovery whose every offer is answered, and which nothing helps.
fn whole_story(lead: Lead, relays: Relays, first: Input) -> String {
    let mut run = Run::connected(Recovery::default(), lead, relays);
    run.tell(first);
    let mut out = String::new();
    let mut told = 0;
    loop {
        run.tell(Input::Answered);
        for step in &run.steps[told..] {
            let _ = writeln!(out, "{:>6} ms  {} ({})", run.now.as_millis(), step.what, step.cause);
        }
        told = run.steps.len();
        if !run.wait() {
            return out;
        }
    }
}

#[test]
fn the_ladder_from_bottom_to_top() {
    let mut out = String::new();
    for (who, lead) in [("the caller leads", Lead::Leads), ("the callee follows", Lead::Follows)] {
        for (what, relays) in [("with TURN", Relays::Available), ("without TURN", Relays::None)] {
            let story = whole_story(lead, relays, Input::Disconnected);
            let _ = writeln!(out, "# {who}, {what}: disconnected, and nothing helps\n{story}");
        }
    }
    let story = whole_story(Lead::Leads, Relays::None, Input::DtlsFailed);
    let _ = writeln!(out, "# the caller leads: dtls failed, and nothing helps\n{story}");
    insta::assert_snapshot!(out);
}

#[track_caller]
fn check(lead: Lead, inputs: &[Input], expect: &str) {
    let mut run = Run::connected(Recovery::default(), lead, Relays::Available);
    for input in inputs {
        run.tell(*input);
    }
    assert_eq!(run.story().trim_end(), expect);
}

#[test]
fn a_change_of_network_restarts_ice_at_once() {
    check(Lead::Leads, &[Input::NetworkChanged], "ice restart (the network changed)");
    check(Lead::Follows, &[Input::NetworkChanged], "ice restart (the network changed)");
}

#[test]
fn what_ice_cannot_mend_is_rebuilt_and_only_the_caller_does_it() {
    for (input, cause) in [
        (Input::DtlsFailed, "dtls failed"),
        (Input::NegotiationFailed, "negotiation failed"),
        (Input::RemoteAsks, "the other side"),
    ] {
        check(Lead::Leads, &[input], &format!("rebuild ({cause})"));
        check(Lead::Follows, &[input], &format!("ask for a rebuild ({cause})"));
    }
}

#[test]
fn signalling_that_is_down_is_awaited() {
    let expect = "await signaling (the network changed)\nice restart (signaling is back)";
    check(Lead::Leads, &[Input::SignalingDown, Input::NetworkChanged, Input::SignalingUp], expect);
}

#[test]
fn a_rung_that_was_only_awaited_is_still_to_be_taken() {
    let settings = Recovery { ice_restart: None, ..Recovery::default() };
    let mut run = Run::connected(settings, Lead::Leads, Relays::Available);
    for input in
        [Input::SignalingDown, Input::IceFailed, Input::RemoteRestarted, Input::SignalingUp, Input::IceFailed]
    {
        run.tell(input);
    }
    let expect = "await signaling (ice failed)\nfollow an ice restart (the other side)\n\
                  ice restart, relay only (ice failed)\n";
    assert_eq!(run.story(), expect);
}

#[test]
fn a_restart_under_way_gets_its_patience_anew_when_signalling_is_back() {
    let mut run = Run::connected(Recovery::default(), Lead::Leads, Relays::None);
    run.tell(Input::NetworkChanged);
    run.tell(Input::Answered);
    run.pass(Duration::from_secs(5));
    run.tell(Input::SignalingDown);
    run.pass(Duration::from_secs(20));
    run.tell(Input::SignalingUp);
    run.pass(Duration::from_millis(5_999));
    assert_eq!(run.story().lines().count(), 1, "{}", run.story());
    run.pass(Duration::from_millis(1));
    assert!(run.story().ends_with("rebuild (the step before did not help)\n"), "{}", run.story());
}

#[test]
fn a_stalled_dtls_handshake_is_rebuilt_after_its_deadline_and_not_before() {
    for (lead, deadline_ms, expect) in [
        (Lead::Leads, 5_000, "rebuild (dtls takes too long)\n"),
        (Lead::Follows, 6_500, "ask for a rebuild (dtls takes too long)\n"),
    ] {
        let mut run = Run::new(Recovery::default(), lead, Relays::None);
        for input in &CONNECTS[..3] {
            run.tell(*input);
        }
        run.pass(Duration::from_millis(deadline_ms - 1));
        assert_eq!(run.story(), "");
        run.pass(Duration::from_millis(1));
        assert_eq!(run.story(), expect);
    }
}

#[test]
fn a_short_loss_heals_by_itself() {
    let expect = "wait (disconnected)\nrecovered (connected)";
    check(Lead::Leads, &[Input::Disconnected, Input::Connected], expect);
}

#[test]
fn a_recovery_that_succeeded_leaves_nothing_behind() {
    let rebuilds = Some(Rebuilds { patience: Duration::from_secs(4), attempts: 1 });
    let settings = Recovery { rebuilds, ..Recovery::default() };
    let mut run = Run::connected(settings, Lead::Leads, Relays::None);
    for _ in 0..2 {
        run.tell(Input::DtlsFailed);
        run.tell(Input::Connected);
        assert_eq!(run.ladder.deadline(), None, "a call that is up has no deadline");
    }
    let once = "rebuild (dtls failed)\nrecovered (connected)\n";
    assert_eq!(run.story(), once.repeat(2), "the next recovery has its own attempts");
}

#[test]
fn an_answer_that_never_comes_is_waited_for_and_then_the_peer_is_rebuilt() {
    let mut run = Run::new(Recovery::default(), Lead::Leads, Relays::None);
    run.tell(Input::Negotiating);
    run.pass(Duration::from_millis(19_999));
    assert_eq!(run.story(), "");
    run.pass(Duration::from_millis(1));
    assert_eq!(run.story(), "rebuild (no answer comes)\n");
}

#[test]
fn a_caller_that_does_not_rebuild_is_offered_an_ice_restart() {
    let mut run = Run::connected(Recovery::default(), Lead::Follows, Relays::None);
    run.tell(Input::DtlsFailed);
    run.pass(Duration::from_millis(9_499));
    assert_eq!(run.story(), "ask for a rebuild (dtls failed)\n");
    run.pass(Duration::from_millis(1));
    run.tell(Input::Answered);
    run.tell(Input::Connected);
    assert_eq!(
        run.story(),
        "ask for a rebuild (dtls failed)\nice restart (the other side does not rebuild)\nrecovered (connected)\n"
    );
}

#[test]
fn steps_do_not_pile_up_in_signalling_that_is_slow() {
    let mut run = Run::connected(Recovery::default(), Lead::Leads, Relays::Available);
    run.tell(Input::NetworkChanged);
    run.pass(Duration::from_millis(19_999));
    assert_eq!(run.story(), "ice restart (the network changed)\n");
}

#[track_caller]
fn check_guard(name: &str, inputs: &[Input], wait: Duration, with: &str, without: &str) {
    for (on, expect) in [(true, with), (false, without)] {
        let mut guards = Guards::ALL_ON;
        guards.set(name, on).unwrap();
        let mut run = Run::of(Ladder::new(Recovery::default(), guards, Lead::Leads, Relays::None));
        for input in inputs {
            run.tell(*input);
        }
        run.pass(wait);
        assert_eq!(run.story().trim_end(), expect, "{name}: {on}");
    }
}

#[test]
fn without_its_guard_each_failure_of_recovery_is_back() {
    let long = Duration::from_millis(8_500);
    check_guard("checking_deadline", &CONNECTS[..2], long, "ice restart (ice checks for too long)", "");
    check_guard("dtls_deadline", &CONNECTS[..3], long, "rebuild (dtls takes too long)", "");
    let changed: Vec<Input> = CONNECTS.into_iter().chain([Input::NetworkChanged]).collect();
    let none = Duration::ZERO;
    check_guard("restart_on_network_change", &changed, none, "ice restart (the network changed)", "");
    let returned: Vec<Input> = CONNECTS
        .into_iter()
        .chain([Input::SignalingDown, Input::NetworkChanged, Input::SignalingUp])
        .collect();
    let waits = "await signaling (the network changed)";
    let resumed = format!("{waits}\nice restart (signaling is back)");
    check_guard("resume_after_signaling", &returned, none, &resumed, waits);
}

#[derive(Clone, Debug)]
enum Move {
    Tell(usize),
    Pass(u64),
}

fn any_moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (0..INPUTS.len()).prop_map(Move::Tell),
        2 => (0..9_000_u64).prop_map(Move::Pass),
    ];
    proptest::collection::vec(one, 0..60)
}

fn any_settings() -> impl Strategy<Value = Recovery> {
    let rung = || proptest::option::of((1..8_000_u64).prop_map(Duration::from_millis));
    (rung(), rung(), rung(), rung(), rung(), proptest::option::of(0..4_u32)).prop_map(
        |(answer, checking, dtls_handshake, ice_restart, relay_restart, attempts)| Recovery {
            answer,
            checking,
            dtls_handshake,
            ice_restart,
            relay_restart,
            rebuilds: attempts.map(|attempts| Rebuilds { patience: Duration::from_secs(4), attempts }),
            ..Recovery::default()
        },
    )
}

fn any_run() -> impl Strategy<Value = (Recovery, Lead, Relays)> {
    let lead = prop_oneof![Just(Lead::Leads), Just(Lead::Follows)];
    let relays = prop_oneof![Just(Relays::Available), Just(Relays::None)];
    (any_settings(), lead, relays)
}

/// How high a step stands on the ladder; `None` for one that is no rung.
fn height(what: RecoveryStep) -> Option<u8> {
    match what {
        RecoveryStep::IceRestart => Some(1),
        RecoveryStep::RelayRestart => Some(2),
        RecoveryStep::Rebuild | RecoveryStep::AskForRebuild => Some(3),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn every_interleaving_ends((settings, lead, relays) in any_run(), moves in any_moves()) {
        let mut run = Run::new(settings, lead, relays);
        for step in &moves {
            match step {
                Move::Tell(input) => drop(run.tell(INPUTS[*input])),
                Move::Pass(ms) => run.pass(Duration::from_millis(*ms)),
            }
        }
        let began = run.now;
        let steps = (0..1_000).take_while(|_| run.wait()).count();
        prop_assert!(steps < 1_000, "the timers never end");
        prop_assert!(run.now <= began + settings.give_up + Duration::from_secs(10), "it takes too long");
        if let Some(last) = run.steps.iter().position(|step| step.what == RecoveryStep::GiveUp) {
            prop_assert_eq!(last + 1, run.steps.len(), "nothing follows the end");
        }
    }

    #[test]
    fn no_rung_is_skipped_or_repeated_but_by_its_rule(
        (settings, lead, relays) in any_run(),
        moves in any_moves(),
    ) {
        let mut run = Run::new(settings, lead, relays);
        let mut down = false;
        for step in &moves {
            match step {
                Move::Tell(input) => {
                    let input = INPUTS[*input];
                    match input {
                        Input::SignalingDown => down = true,
                        Input::SignalingUp => down = false,
                        _ => {}
                    }
                    let steps = run.tell(input);
                    prop_assert!(!down || steps.iter().all(|step| height(step.what).is_none()));
                }
                Move::Pass(ms) => {
                    let before = run.steps.len();
                    run.pass(Duration::from_millis(*ms));
                    prop_assert!(!down || run.steps[before..].iter().all(|step| height(step.what).is_none()));
                }
            }
        }
        check_order(&run.steps, settings, relays)?;
    }
}

/// Holds the rules of the ladder against what was done.
fn check_order(steps: &[Step], settings: Recovery, relays: Relays) -> Result<(), TestCaseError> {
    let attempts = settings.rebuilds.map_or(0, |rebuilds| rebuilds.attempts);
    let (mut reached, mut rebuilds) = (0, 0);
    for step in steps {
        match step.what {
            RecoveryStep::Recovered => (reached, rebuilds) = (0, 0),
            RecoveryStep::FollowRestart => reached = reached.max(1),
            RecoveryStep::FollowRebuild => reached = 3,
            _ => {}
        }
        let Some(height) = height(step.what) else { continue };
        let jumps = matches!(
            step.cause,
            Cause::DtlsTimeout
                | Cause::DtlsFailed
                | Cause::NegotiationFailed
                | Cause::Unanswered
                | Cause::OtherSide
        );
        let returns = matches!(step.cause, Cause::NetworkChanged | Cause::SignalingBack | Cause::NotRebuilt);
        if height == 3 {
            rebuilds += 1;
            prop_assert!(rebuilds <= attempts, "{rebuilds} rebuilds of {attempts}");
        } else if !returns {
            prop_assert!(height > reached, "{} again, or after a higher rung", step.what);
        }
        if !jumps && !returns {
            let skipped_restart = settings.ice_restart.is_some() && reached < 1 && height > 1;
            prop_assert!(!skipped_restart, "{} without an ICE restart", step.what);
            let relay = settings.relay_restart.is_some() && relays == Relays::Available;
            prop_assert!(!(relay && reached < 2 && height > 2), "{} without a relayed try", step.what);
        }
        prop_assert!(height != 1 || settings.ice_restart.is_some());
        prop_assert!(height != 2 || (settings.relay_restart.is_some() && relays == Relays::Available));
        reached = height;
    }
    Ok(())
}
