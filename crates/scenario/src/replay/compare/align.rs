//! The states of one machine, captured against replayed, one after the other.

use std::collections::BTreeMap;

use capture::trace::{is_closed, is_disconnected, is_failed, is_up};
use timeline::{ConnectionState, GatheringState, IceState, Machine, State, VirtualTime};

use crate::replay::Freedom;

/// A state, and when it was entered on the capture's clock.
pub(super) type Entered = (VirtualTime, State);

/// What the rest of the call says about the states of one machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) machine: Machine,
    /// When the connection was closed, or the capture ended.
    pub(super) ended: VirtualTime,
    /// Whether a part of the capture is missing: what the replay has more may have been in it.
    pub(super) is_partial: bool,
    /// Whether it is missing that an answer was applied.
    pub(super) lacks_the_answer: bool,
    /// When ICE was first restarted.
    pub(super) restarted: Option<VirtualTime>,
    /// Whether an offer of this connection was taken back.
    pub(super) rolled_back: bool,
    pub(super) captured: Health,
    pub(super) replayed: Health,
}

/// What became of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    /// Whether ICE connected.
    pub(super) connected: bool,
    /// Whether the connection failed.
    pub(super) failed: bool,
}

/// What an alignment comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Aligned {
    pub(super) matched: usize,
    pub(super) freedoms: BTreeMap<Freedom, usize>,
    /// Where each was taken, on the capture's clock.
    pub(super) tolerated: Vec<(VirtualTime, Freedom)>,
    pub(super) parting: Option<Parting>,
}

/// Where the two part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parting {
    pub(super) at: VirtualTime,
    pub(super) captured: Option<State>,
    pub(super) replayed: Option<State>,
    /// What both passed before.
    pub(super) before: Vec<State>,
}

/// A loss is noticed this much earlier or later without a word about it.
const SAME_TIME_MS: u128 = 500;

/// A connection that was closed this soon had no time to begin to gather.
const TOO_SOON_MS: u128 = 500;

/// Holds `replayed` against `captured`, up to the freedoms.
pub(super) fn align(context: &Context, captured: &[Entered], replayed: &[Entered]) -> Aligned {
    let mut aligned = Aligned::default();
    let (mut left, mut right) = (captured.iter().peekable(), replayed.iter().peekable());
    let mut before: Vec<State> = Vec::new();
    // The state into which a restart of ours led, from which it has still to come back.
    let mut away: Option<&Entered> = None;
    loop {
        let (ours, theirs) = (left.peek().copied(), right.peek().copied());
        if let (Some((at, ours)), Some((their_at, theirs))) = (ours, theirs)
            && same(*ours, *theirs)
        {
            let is_loss = is_disconnected(*ours) || is_failed(*ours);
            if is_loss && at.since(*their_at).max(their_at.since(*at)).as_millis() >= SAME_TIME_MS {
                aligned.take(*at, Freedom::LossTimers);
            }
            if ours != theirs {
                aligned.take(*at, Freedom::IceCompleted);
            }
            before.push(*ours);
            aligned.matched += 1;
            away = None;
            left.next();
            right.next();
            continue;
        }
        if let Some((at, freedom)) = ours.and_then(|state| Some((state.0, context.may_lack(state, &before)?)))
        {
            aligned.take(at, freedom);
            left.next();
            continue;
        }
        if let Some(state) = theirs.filter(|state| context.checks_again(state, &before)) {
            aligned.take(state.0, Freedom::RestartChecksAgain);
            away = Some(state).filter(|(_, state)| !is_up(*state));
            right.next();
            continue;
        }
        let may_add = |state: &Entered| Some((state.0, context.may_add(state, &before, ours.is_none())?));
        if let Some((at, freedom)) = theirs.and_then(may_add) {
            aligned.take(at, freedom);
            right.next();
            continue;
        }
        let stays_away = away.filter(|(at, _)| *at < context.ended && ours.is_none() && theirs.is_none());
        if ours.is_some() || theirs.is_some() || stays_away.is_some() {
            let at = ours.or(theirs).or(stays_away).map_or(context.ended, |(at, _)| *at);
            let (ours, theirs) = (ours.cloned(), theirs.or(stays_away).cloned());
            let of = |state: Option<Entered>| state.map(|(_, state)| state);
            aligned.parting = Some(Parting { at, captured: of(ours), replayed: of(theirs), before });
        }
        return aligned;
    }
}

impl Aligned {
    fn take(&mut self, at: VirtualTime, freedom: Freedom) {
        self.tolerated.push((at, freedom));
        *self.freedoms.entry(freedom).or_default() += 1;
    }
}

fn same(ours: State, theirs: State) -> bool {
    ours == theirs || matches!((ours, theirs), (State::Ice(_), State::Ice(_))) && is_up(ours) && is_up(theirs)
}

impl Context {
    /// Why a replay may lack a captured state.
    fn may_lack(&self, &(_, state): &Entered, before: &[State]) -> Option<Freedom> {
        let last = before.last().copied();
        match state {
            state if is_closed(state) => Some(Freedom::ClosingIsSilent),
            // It goes from `completed` to `connected`, and back, as candidates come.
            State::Ice(_) if is_up(state) && last.is_some_and(is_up) => Some(Freedom::IceCompleted),
            State::Ice(IceState::Failed) if last.is_some_and(is_disconnected) && self.replayed.failed => {
                Some(Freedom::IceFailedBesideConnection)
            }
            State::Ice(IceState::Disconnected)
                if last == Some(State::Ice(IceState::Checking)) && self.replayed.failed =>
            {
                Some(Freedom::IceFailedBesideConnection)
            }
            // A browser may connect before its application has the answer, ours does not.
            State::Ice(_) | State::Connection(_) if self.lacks_the_answer => Some(Freedom::CaptureEnded),
            State::Gathering(GatheringState::Complete) if self.replayed.connected => {
                Some(Freedom::GatheringCutShort)
            }
            State::Gathering(_) if last.is_some() && self.gathers_anew() => Some(Freedom::GatheringAnew),
            _ => None,
        }
    }

    /// Why a replay may have a state that was not captured.
    fn may_add(&self, &(at, state): &Entered, before: &[State], captured_is_over: bool) -> Option<Freedom> {
        let last = before.last().copied();
        match state {
            state if is_closed(state) => Some(Freedom::ClosingIsSilent),
            State::Ice(IceState::Completed) if last == Some(State::Ice(IceState::Connected)) => {
                Some(Freedom::IceCompleted)
            }
            State::Ice(IceState::Failed)
                if matches!(last, Some(State::Ice(IceState::Disconnected | IceState::Checking)))
                    && captured_is_over
                    && self.captured.failed =>
            {
                Some(Freedom::IceFailedBesideConnection)
            }
            // A server that does not answer holds it up until a call that fails is over.
            State::Gathering(GatheringState::Complete)
                if captured_is_over && (self.captured.connected || self.captured.failed) =>
            {
                Some(Freedom::GatheringCutShort)
            }
            State::Gathering(_)
                if last.is_none() && captured_is_over && self.ended.since(at).as_millis() <= TOO_SOON_MS =>
            {
                Some(Freedom::GatheringCutShort)
            }
            State::Gathering(GatheringState::Gathering | GatheringState::Complete)
                if last.is_some() && self.gathers_anew() =>
            {
                Some(Freedom::GatheringAnew)
            }
            _ if captured_is_over && (self.is_partial || at >= self.ended) => Some(Freedom::CaptureEnded),
            _ => None,
        }
    }

    /// Whether our stack tells of a restart what a browser keeps to itself.
    fn checks_again(&self, &(at, state): &Entered, before: &[State]) -> bool {
        let again = State::Ice(IceState::Checking) == state
            || State::Connection(ConnectionState::Connecting) == state
            || matches!(
                state,
                State::Ice(IceState::Connected) | State::Connection(ConnectionState::Connected)
            );
        matches!(self.machine, Machine::Ice | Machine::Connection)
            && self.restarted.is_some_and(|restarted| at >= restarted)
            && before.last().copied().is_some_and(is_up)
            && again
    }

    fn gathers_anew(&self) -> bool {
        self.rolled_back || self.restarted.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `checking connected`, one state a second.
    fn states(machine: Machine, words: &str) -> Vec<Entered> {
        let at = |index: usize| VirtualTime::from_nanos(1_000_000_000 * (index as u64 + 1));
        let words = words.split_whitespace().enumerate();
        words.map(|(index, word)| (at(index), machine.state(word).expect("a state"))).collect()
    }

    fn context(machine: Machine) -> Context {
        Context {
            machine,
            ended: VirtualTime::from_nanos(60_000_000_000),
            is_partial: false,
            lacks_the_answer: false,
            restarted: None,
            rolled_back: false,
            captured: Health { connected: true, failed: false },
            replayed: Health { connected: true, failed: false },
        }
    }

    #[track_caller]
    fn check_same(context: Context, captured: &str, replayed: &str, freedoms: &[(Freedom, usize)]) {
        let of = |words| states(context.machine, words);
        let found = align(&context, &of(captured), &of(replayed));
        assert_eq!(found.parting, None);
        assert_eq!(found.freedoms.into_iter().collect::<Vec<_>>(), freedoms);
    }

    #[track_caller]
    fn check_parts(context: Context, captured: &str, replayed: &str, parts: [Option<&str>; 2]) {
        let of = |words| states(context.machine, words);
        let parting = align(&context, &of(captured), &of(replayed)).parting.expect("they part");
        assert_eq!([parting.captured, parting.replayed].map(|state| state.map(State::as_str)), parts);
    }

    #[test]
    fn what_is_the_same_is_matched() {
        let passed = states(Machine::Signaling, "have-local-offer stable have-remote-offer");
        let found = align(&context(Machine::Signaling), &passed, &passed);
        assert_eq!(found, Aligned { matched: 3, ..Aligned::default() });
    }

    #[test]
    fn the_first_difference_is_named_with_what_came_before() {
        let of = |last: &str| states(Machine::Signaling, &format!("have-local-offer stable {last}"));
        let (ours, theirs) = (of("have-local-offer"), of("have-remote-offer"));
        let found = align(&context(Machine::Signaling), &ours, &theirs).parting.unwrap();
        assert_eq!((found.captured, found.replayed), (Some(ours[2].1), Some(theirs[2].1)));
        assert_eq!((found.at.as_millis(), found.before), (3000, vec![ours[0].1, ours[1].1]));
    }

    const RESTARTED: Option<VirtualTime> = Some(VirtualTime::from_nanos(2_500_000_000));

    #[test]
    fn a_restart_that_comes_back_is_free() {
        let ice = Context { restarted: RESTARTED, ..context(Machine::Ice) };
        let free = [(Freedom::RestartChecksAgain, 2)];
        check_same(ice, "checking connected", "checking connected checking connected", &free);
        let connection = Context { restarted: RESTARTED, ..context(Machine::Connection) };
        check_same(connection, "connecting connected", "connecting connected connecting connected", &free);
    }

    #[test]
    fn a_restart_that_does_not_come_back_parts() {
        let ice = Context { restarted: RESTARTED, ..context(Machine::Ice) };
        check_parts(ice, "checking connected", "checking connected checking", [None, Some("checking")]);
        check_parts(ice, "checking connected", "checking connected checking failed", [None, Some("failed")]);
        let lost = "checking connected checking disconnected";
        check_parts(ice, "checking connected", lost, [None, Some("disconnected")]);
    }

    #[test]
    fn without_a_restart_or_before_it_checking_again_parts() {
        let twice = "checking connected checking connected";
        check_parts(context(Machine::Ice), "checking connected", twice, [None, Some("checking")]);
        let later =
            Context { restarted: Some(VirtualTime::from_nanos(3_000_000_001)), ..context(Machine::Ice) };
        check_parts(later, "checking connected", twice, [None, Some("checking")]);
    }

    #[test]
    fn gathering_begins_anew_after_a_rollback_or_a_restart_only() {
        let (once, twice) = ("gathering complete", "gathering complete new gathering complete");
        for anew in [
            Context { rolled_back: true, ..context(Machine::Gathering) },
            Context { restarted: RESTARTED, ..context(Machine::Gathering) },
        ] {
            let of = |words| states(Machine::Gathering, words);
            assert_eq!(align(&anew, &of(twice), &of(once)).parting, None);
            assert_eq!(align(&anew, &of(once), &of("gathering complete gathering complete")).parting, None);
        }
        check_parts(context(Machine::Gathering), twice, once, [Some("new"), None]);
        check_parts(
            context(Machine::Gathering),
            once,
            "gathering complete gathering",
            [None, Some("gathering")],
        );
    }

    #[test]
    fn a_peer_that_never_gathers_parts_whatever_else_happened() {
        let anew = Context { rolled_back: true, restarted: RESTARTED, ..context(Machine::Gathering) };
        check_parts(anew, "gathering complete", "", [Some("gathering"), None]);
        check_parts(anew, "", "gathering complete", [None, Some("gathering")]);
    }

    #[test]
    fn gathering_is_cut_short_by_a_connection_only() {
        let gathering = context(Machine::Gathering);
        let free = [(Freedom::GatheringCutShort, 1)];
        check_same(gathering, "gathering complete", "gathering", &free);
        check_same(gathering, "gathering", "gathering complete", &free);
        let never = Health::default();
        let replay_hangs = Context { replayed: never, ..gathering };
        check_parts(replay_hangs, "gathering complete", "gathering", [Some("complete"), None]);
        let capture_hangs = Context { captured: never, ..gathering };
        check_parts(capture_hangs, "gathering", "gathering complete", [None, Some("complete")]);
    }

    #[test]
    fn what_is_closed_at_once_had_no_time_to_gather() {
        let at = |ms: u64| Context {
            ended: VirtualTime::from_nanos(ms * 1_000_000),
            ..context(Machine::Gathering)
        };
        check_same(at(1500), "", "gathering", &[(Freedom::GatheringCutShort, 1)]);
        check_parts(at(1501), "", "gathering", [None, Some("gathering")]);
        check_same(at(1500), "", "gathering complete", &[(Freedom::GatheringCutShort, 2)]);
    }

    #[test]
    fn ice_is_free_to_fail_where_the_connection_failed_in_both() {
        let failed = Health { connected: true, failed: true };
        let both = Context { captured: failed, replayed: failed, ..context(Machine::Ice) };
        let free = [(Freedom::IceFailedBesideConnection, 1)];
        check_same(both, "checking disconnected", "checking disconnected failed", &free);
        check_same(both, "checking disconnected failed", "checking disconnected", &free);
        check_same(
            both,
            "checking disconnected",
            "checking failed",
            &[(Freedom::IceFailedBesideConnection, 2)],
        );
    }

    #[test]
    fn ice_that_fails_beside_a_connection_that_does_not_parts() {
        let failed = Health { connected: true, failed: true };
        let in_capture = Context { captured: failed, ..context(Machine::Ice) };
        check_parts(
            in_capture,
            "checking disconnected failed",
            "checking disconnected",
            [Some("failed"), None],
        );
        let in_replay = Context { replayed: failed, ..context(Machine::Ice) };
        check_parts(in_replay, "checking", "checking failed", [None, Some("failed")]);
        check_parts(
            in_replay,
            "checking disconnected",
            "checking disconnected failed",
            [None, Some("failed")],
        );
    }

    #[test]
    fn completed_is_connected_and_may_come_and_go() {
        let ice = context(Machine::Ice);
        check_same(
            ice,
            "checking connected completed connected",
            "checking connected",
            &[(Freedom::IceCompleted, 2)],
        );
        check_same(ice, "checking completed", "checking connected", &[(Freedom::IceCompleted, 1)]);
        check_parts(
            ice,
            "checking connected checking connected",
            "checking connected",
            [Some("checking"), None],
        );
    }

    #[test]
    fn what_comes_after_the_end_of_the_capture_is_free() {
        let ended =
            |ms: u64| Context { ended: VirtualTime::from_nanos(ms * 1_000_000), ..context(Machine::Ice) };
        check_same(ended(2000), "checking", "checking connected", &[(Freedom::CaptureEnded, 1)]);
        check_parts(ended(2001), "checking", "checking connected", [None, Some("connected")]);
    }

    #[test]
    fn what_may_have_been_in_a_missing_part_is_free_and_what_was_captured_is_not() {
        let partial = Context { is_partial: true, ..context(Machine::Ice) };
        check_same(partial, "checking", "checking connected", &[(Freedom::CaptureEnded, 1)]);
        check_parts(partial, "checking connected", "checking failed", [Some("connected"), Some("failed")]);
        check_parts(partial, "checking connected", "checking", [Some("connected"), None]);
        let no_answer = Context { lacks_the_answer: true, ..partial };
        check_same(no_answer, "checking connected", "checking", &[(Freedom::CaptureEnded, 1)]);
        check_parts(partial, "checking", "", [Some("checking"), None]);
    }
}
