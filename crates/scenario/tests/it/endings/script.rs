//! Random scripts: who does what when, and what goes wrong meanwhile.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select};
use proptest_state_machine::ReferenceStateMachine;

use super::model::{Endings, Kind, NEVER, Possible, Who, Wire};

/// What may go wrong in a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Nothing,
    Signalling,
    Network,
    Everything,
}

/// What does not change in the course of a script.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) transport: &'static str,
    /// Whether the two engines recover connections.
    pub(crate) recovery: bool,
    /// Whether the devices of each are there to be used.
    pub(crate) granted: [bool; 2],
    /// Who hangs up when the script is over.
    pub(crate) last: Who,
    pub(crate) trouble: Trouble,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    /// After the one before it, in milliseconds.
    pub(crate) wait: u32,
    pub(crate) what: What,
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Dial(Who),
    Accept(Who),
    Reject(Who),
    HangUp(Who),
    LosePermission(Who),
    /// Something during a call, which no call may end of: the action as a file has it.
    Change(Who, &'static str),
    /// No packet passes for so many milliseconds; `None` for ever.
    Outage(Who, Option<u32>),
    /// So many per cent of the packets are lost from here on.
    Loss(Who, u32),
    Handover(Who),
    /// This goes wrong with messages from here on, and nothing else.
    Fault(Fault),
    Restart,
}

/// What goes wrong with messages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    None,
    Drop(&'static str),
    Duplicate(&'static str),
    Delay(&'static str, u32),
    Reorder(u32),
    Cut,
}

/// A script as far as it goes, and what may have come of it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) setting: Setting,
    pub(crate) moves: Vec<Move>,
    at: u32,
    calls: u32,
    wire: Wire,
    /// `None` where too much may have come of it.
    possible: Option<BTreeSet<Possible>>,
}

/// When the caller dials for the first time.
pub(crate) const FIRST_DIAL: u32 = 1_000;
/// From the last step of a script until somebody hangs up.
pub(crate) const HANGS_UP_AFTER: u32 = 1_500;

/// What no call may end of.
const CHANGES: [&str; 11] = [
    r#""disable-audio""#,
    r#""enable-audio""#,
    r#""enable-video""#,
    r#""disable-video""#,
    r#""hold""#,
    r#""resume""#,
    r#""share-screen""#,
    r#""stop-screen""#,
    r#""negotiation-needed""#,
    r#"{ switch-camera = "environment" }"#,
    r#"{ send-data = { delivery = "unordered", count = 5, bytes = 1000 } }"#,
];

/// The messages that a fault can be about.
const MESSAGES: [&str; 9] =
    ["ring", "ringing", "accept", "reject", "bye", "offer", "answer", "candidate", "end-of-candidates"];

/// The scripts in which the trouble number `TROUBLE` of [`TROUBLES`] may occur.
pub(crate) struct Scripts<const TROUBLE: usize>;

pub(crate) const TROUBLES: [Trouble; 4] =
    [Trouble::Nothing, Trouble::Signalling, Trouble::Network, Trouble::Everything];

impl<const TROUBLE: usize> ReferenceStateMachine for Scripts<TROUBLE> {
    type State = Script;
    type Transition = Move;

    fn init_state() -> BoxedStrategy<Script> {
        let granted =
            prop_oneof![12 => Just([true, true]), 1 => Just([true, false]), 1 => Just([false, true])];
        let transports = select(vec!["stream", "websocket-with-fallback", "rest"]);
        let last = select(Who::BOTH.to_vec());
        (transports, any::<bool>(), granted, last)
            .prop_map(|(transport, recovery, granted, last)| {
                let trouble = TROUBLES[TROUBLE];
                Script::new(Setting { transport, recovery, granted, last, trouble })
            })
            .boxed()
    }

    fn transitions(script: &Script) -> BoxedStrategy<Move> {
        let waits = prop_oneof![
            3 => select(vec![0_u32, 10, 20, 40, 45, 60, 100]),
            3 => select(vec![200_u32, 400, 700, 1_000]),
            1 => select(vec![2_000_u32, 4_000, 6_000]),
        ];
        (waits, what(script)).prop_map(|(wait, what)| Move { wait, what }).boxed()
    }

    fn apply(script: Script, next: &Move) -> Script {
        script.then(next.clone())
    }
}

/// What may happen next: what makes sense is more likely than what does not.
fn what(script: &Script) -> BoxedStrategy<What> {
    let could = |is: fn(&Possible, Who) -> bool| {
        let possible = script.possible.iter().flatten();
        let found = Who::BOTH.into_iter().filter(|&who| possible.clone().any(|state| is(state, who)));
        found.collect::<Vec<Who>>()
    };
    let (ringing, talking, free) =
        (could(Possible::rings_at), could(Possible::in_call), could(Possible::is_free));
    let anybody = || select(Who::BOTH.to_vec());
    let mut choices: Vec<(u32, BoxedStrategy<What>)> = vec![
        (3, anybody().prop_map(What::HangUp).boxed()),
        (1, anybody().prop_map(What::Accept).boxed()),
        (1, anybody().prop_map(What::Dial).boxed()),
        (1, anybody().prop_map(What::LosePermission).boxed()),
    ];
    if !ringing.is_empty() {
        choices.push((12, select(ringing.clone()).prop_map(What::Accept).boxed()));
        choices.push((2, select(ringing).prop_map(What::Reject).boxed()));
    }
    if !talking.is_empty() {
        let change = (select(talking), select(CHANGES.to_vec()));
        choices.push((8, change.prop_map(|(who, change)| What::Change(who, change)).boxed()));
    }
    if !free.is_empty() {
        choices.push((5, select(free).prop_map(What::Dial).boxed()));
    }
    let trouble = script.setting.trouble;
    if matches!(trouble, Trouble::Network | Trouble::Everything) {
        let lasts = select(vec![Some(100), Some(500), Some(2_000), Some(7_000), None]);
        choices.push((3, (anybody(), lasts).prop_map(|(who, lasts)| What::Outage(who, lasts)).boxed()));
        let loss = (anybody(), select(vec![5, 20, 60]));
        choices.push((2, loss.prop_map(|(who, percent)| What::Loss(who, percent)).boxed()));
        choices.push((2, anybody().prop_map(What::Handover).boxed()));
    }
    if matches!(trouble, Trouble::Signalling | Trouble::Everything) {
        choices.push((4, fault().prop_map(What::Fault).boxed()));
        choices.push((1, Just(What::Restart).boxed()));
    }
    proptest::strategy::Union::new_weighted(choices).boxed()
}

fn fault() -> impl Strategy<Value = Fault> {
    let message = || select(MESSAGES.to_vec());
    let times = || select(vec![100, 1_000, 5_000]);
    prop_oneof![
        1 => Just(Fault::None),
        3 => message().prop_map(Fault::Drop),
        2 => message().prop_map(Fault::Duplicate),
        3 => (message(), times()).prop_map(|(message, by)| Fault::Delay(message, by)),
        2 => times().prop_map(Fault::Reorder),
        1 => Just(Fault::Cut),
    ]
}

impl Script {
    fn new(setting: Setting) -> Self {
        let mut script = Self {
            setting,
            moves: Vec::new(),
            at: 0,
            calls: 0,
            wire: Wire::sound(),
            possible: Some([Possible::at_first()].into()),
        };
        script.step(Move { wait: FIRST_DIAL, what: What::Dial(Who::Caller) });
        script.moves.clear();
        script
    }

    /// All pairs of endings that are allowed once the script is over and [`Setting::last`] has hung up; `None`
    /// where too much may happen to tell.
    pub(crate) fn allowed(&self) -> Option<BTreeSet<[Endings; 2]>> {
        let mut whole = self.clone();
        whole.step(Move { wait: HANGS_UP_AFTER, what: What::HangUp(self.setting.last) });
        // The world comes to its end when nobody is in a call: what is late is too late then.
        if self.wire != Wire::sound() {
            whole.wire.lost = every_kind();
            let (at, wire) = (whole.at, whole.wire.clone());
            let late = |mut state: Possible| {
                state.disturbed(at, &wire);
                state
            };
            whole.possible = whole.possible.map(|possible| possible.into_iter().map(late).collect());
        }
        whole.wait_until(NEVER);
        let possible = whole.possible?;
        // A call that is still under way waits for what comes at the end of all time.
        let mut allowed: BTreeSet<[Endings; 2]> = possible.iter().filter_map(Possible::endings).collect();
        if self.wire != Wire::sound() {
            // A ring that is so late that it meets the end of the world.
            for who in Who::BOTH {
                let shut_down = allowed.iter().cloned().map(|mut pair| {
                    pair[who as usize].push("shut-down");
                    pair
                });
                allowed = allowed.clone().into_iter().chain(shut_down).collect();
            }
        }
        Some(allowed)
    }

    fn then(mut self, next: Move) -> Self {
        self.step(next);
        self
    }

    fn step(&mut self, next: Move) {
        self.at += next.wait;
        self.wait_until(self.at);
        self.disturb(&next.what);
        let (at, wire) = (self.at, self.wire.clone());
        if let What::Dial(_) = next.what {
            self.calls += 1;
        }
        let call = self.calls;
        let happen = |mut state: Possible| {
            match next.what {
                What::Dial(who) => state.dials(who, call, at),
                What::Accept(who) => state.accepts(who, at),
                What::Reject(who) => state.rejects(who, at, &wire),
                What::HangUp(who) => state.hangs_up(who, at, &wire),
                What::LosePermission(who) => state.loses_permission(who, at, &wire),
                What::Change(..) => {}
                What::Outage(..) | What::Loss(..) | What::Handover(_) | What::Fault(_) | What::Restart => {
                    state.disturbed(at, &wire);
                }
            }
            state
        };
        self.possible = self.possible.take().map(|possible| possible.into_iter().map(happen).collect());
        self.moves.push(next);
    }

    fn wait_until(&mut self, until: u32) {
        let possible = self.possible.take();
        self.possible =
            possible.and_then(|states| Possible::become_by(states, until, &self.wire, self.setting.granted));
    }

    /// What the trouble does to messages and connections.
    fn disturb(&mut self, what: &What) {
        let at = self.at;
        let streams = self.setting.transport == "stream";
        let stuck = |wire: &mut Wire, until: u32| {
            wire.stuck_until = wire.stuck_until.max(until);
            wire.harmed.get_or_insert(at);
        };
        let wire = &mut self.wire;
        match *what {
            // TCP sends again at most as long after an outage as that lasted, or a new connection is made.
            What::Outage(_, lasts) => {
                let until = lasts.map_or(NEVER, |lasts| at + 3 * lasts + 30_000);
                stuck(wire, until);
                if streams || lasts.is_none() {
                    wire.lost = every_kind();
                }
            }
            What::Loss(_, percent) => {
                stuck(wire, at);
                wire.late = wire.late.max(if percent > 20 { NEVER } else { 30_000 });
                if percent > 20 {
                    wire.lost = every_kind();
                }
            }
            What::Handover(_) | What::Restart => {
                wire.homeless |= matches!(what, What::Handover(_));
                stuck(wire, at + 60_000);
                if streams {
                    wire.lost = every_kind();
                }
            }
            What::Fault(fault) => message_fault(wire, fault, at, streams),
            _ => {}
        }
    }
}

fn message_fault(wire: &mut Wire, fault: Fault, at: u32, streams: bool) {
    match fault {
        Fault::None | Fault::Duplicate(_) => {}
        Fault::Drop(message) => {
            wire.lost.extend(kind(message));
            wire.harmed.get_or_insert(at);
        }
        Fault::Delay(_, by) | Fault::Reorder(by) => {
            wire.late = wire.late.max(by + 100);
            wire.overtakes = true;
            wire.harmed.get_or_insert(at);
        }
        Fault::Cut => {
            wire.stuck_until = wire.stuck_until.max(at + 60_000);
            wire.harmed.get_or_insert(at);
            if streams {
                wire.lost = every_kind();
            }
        }
    }
}

fn kind(message: &str) -> Option<Kind> {
    match message {
        "ring" => Some(Kind::Ring),
        "ringing" => Some(Kind::Ringing),
        "accept" => Some(Kind::Accept),
        "reject" => Some(Kind::Reject),
        "bye" => Some(Kind::Bye),
        _ => None,
    }
}

fn every_kind() -> BTreeSet<Kind> {
    [Kind::Ring, Kind::Ringing, Kind::Accept, Kind::Reject, Kind::Bye].into()
}
