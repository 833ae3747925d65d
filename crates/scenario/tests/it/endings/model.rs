//! The reference model: every state that a call between two people may be in, as sets.
//!
//! It knows the rules of a call's ending and nothing of how the engine is written. What is not known exactly
//! is a window of time: when a message arrives, when a timer fires. From one step of a script to the next
//! the model follows every order in which such things may come, so that it yields all allowed pairs of
//! endings, and where nothing is disturbed exactly one.

use std::collections::BTreeSet;

/// One of the two people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Who dials first.
    Caller,
    Callee,
}

/// From when to when something can happen, in milliseconds of the world; both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// Later than any script.
pub(crate) const NEVER: u32 = u32::MAX;
/// How long it rings.
pub(crate) const RING_TIMEOUT: u32 = 4_000;
/// How long an accepted call takes at most to end once nobody is at the other side any more.
const LONELY: u32 = 120_000;

/// How messages travel at present.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wire {
    /// How much longer than usual a message may take.
    pub(crate) late: u32,
    /// Until when everything may be held up.
    pub(crate) stuck_until: u32,
    /// Which kinds may be lost.
    pub(crate) lost: BTreeSet<Kind>,
    /// Whether one may overtake another.
    pub(crate) overtakes: bool,
    /// Whether a peer may find no network to be built on.
    pub(crate) homeless: bool,
    /// Since when connections may fail.
    pub(crate) harmed: Option<u32>,
}

/// The messages that decide how a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Ring,
    Ringing,
    Accept,
    Reject,
    Bye,
}

/// What one person's calls have come to: the reasons of their ends, in order.
pub(crate) type Endings = Vec<&'static str>;

/// One state that the two may be in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Possible {
    sides: [Side; 2],
    under_way: Vec<Message>,
    /// Nothing that is still to come is earlier.
    now: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Side {
    phase: Phase,
    /// The call it is in, by its number.
    call: u32,
    /// The other side has heard of the call.
    announced: bool,
    /// Devices are being asked for, and answer then.
    asking: Option<Window>,
    /// It has rung long enough.
    rings_until: Option<Window>,
    /// The connection fails, at the latest by the end of the window.
    fails: Option<Window>,
    /// Calls that are over here.
    over: BTreeSet<u32>,
    endings: Endings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Free,
    /// It has dialled; nobody rings yet.
    Dialling,
    /// It has dialled, and it rings at the other side.
    Waiting,
    /// It rings here.
    Ringing,
    /// Accepted.
    InCall,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    to: Who,
    kind: Kind,
    reason: &'static str,
    call: u32,
    arrives: Window,
    may_be_lost: bool,
    overtakes: bool,
}

/// Something that happens by itself.
#[derive(Clone, Copy, Debug)]
enum Coming {
    Message(usize),
    Lost(usize),
    Devices(Who),
    NoNetwork(Who),
    RingTimeout(Who),
    Fails(Who),
}

/// A connection that nobody ends, ends. Which of the three it is depends on how far it came, of which the
/// model knows nothing.
pub(crate) const FAILED: &str = "connect-timeout, connection-failed or connection-lost";
/// How many states the model goes through from one step to the next before it has too little to say.
const MOST_STATES: usize = 1_500;

impl Who {
    pub(crate) const BOTH: [Self; 2] = [Self::Caller, Self::Callee];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
        }
    }
}

impl Window {
    const fn after(self, first: u32, last: u32) -> Self {
        Self { first: self.first.saturating_add(first), last: self.last.saturating_add(last) }
    }
}

impl Wire {
    /// Nothing is wrong with it.
    pub(crate) const fn sound() -> Self {
        Self {
            late: 0,
            stuck_until: 0,
            lost: BTreeSet::new(),
            overtakes: false,
            homeless: false,
            harmed: None,
        }
    }

    fn arrival(&self, sent: Window) -> Window {
        let usual = sent.after(20, 250u32.saturating_add(self.late));
        Window { last: usual.last.max(self.stuck_until), ..usual }
    }
}

impl Possible {
    pub(crate) fn at_first() -> Self {
        let side = Side {
            phase: Phase::Free,
            call: 0,
            announced: false,
            asking: None,
            rings_until: None,
            fails: None,
            over: BTreeSet::new(),
            endings: Vec::new(),
        };
        Self { sides: [side.clone(), side], under_way: Vec::new(), now: 0 }
    }

    /// Whether it rings at `who`.
    pub(crate) fn rings_at(&self, who: Who) -> bool {
        self.side(who).phase == Phase::Ringing
    }

    pub(crate) fn in_call(&self, who: Who) -> bool {
        self.side(who).phase == Phase::InCall
    }

    pub(crate) fn is_free(&self, who: Who) -> bool {
        self.side(who).phase == Phase::Free
    }

    /// What both have come to; `None` while a call is under way.
    pub(crate) fn endings(&self) -> Option<[Endings; 2]> {
        let over = self.sides.iter().all(|side| side.phase == Phase::Free);
        over.then(|| self.sides.clone().map(|side| side.endings))
    }

    /// Every state that these may have become by `until`; `None` where there are too many.
    pub(crate) fn become_by(
        states: BTreeSet<Self>,
        until: u32,
        wire: &Wire,
        granted: [bool; 2],
    ) -> Option<BTreeSet<Self>> {
        let (mut reached, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<Self> = states.into_iter().collect();
        while let Some(mut state) = open.pop() {
            state.forget_what_is_past();
            if !seen.insert(state.clone()) {
                continue;
            }
            if seen.len() > MOST_STATES {
                return None;
            }
            let coming = state.coming(wire);
            let soonest_last = coming.iter().map(|(_, window)| window.last).min().unwrap_or(NEVER);
            if soonest_last >= until {
                let mut over = Self { now: until, ..state.clone() };
                over.forget_what_is_past();
                reached.insert(over);
            }
            for (what, window) in coming {
                if window.first <= until.min(soonest_last) {
                    let window = Window {
                        first: window.first.max(state.now),
                        last: window.last.min(soonest_last).min(until),
                    };
                    let mut next = state.clone();
                    next.now = window.first;
                    next.happens(what, window, wire, granted);
                    open.push(next);
                }
            }
        }
        Some(reached)
    }

    /// Two states that differ only in when something could have happened before now are one.
    fn forget_what_is_past(&mut self) {
        let now = self.now;
        let windows = self.sides.iter_mut().flat_map(|side| {
            [&mut side.asking, &mut side.rings_until, &mut side.fails].into_iter().flatten()
        });
        let arrivals = self.under_way.iter_mut().map(|message| &mut message.arrives);
        windows.chain(arrivals).for_each(|window| window.first = window.first.max(now));
    }

    /// A message that is under way meets what has just gone wrong.
    pub(crate) fn disturbed(&mut self, at: u32, wire: &Wire) {
        for message in &mut self.under_way {
            let disturbed = wire.arrival(Window { first: at, last: at });
            message.arrives.last = message.arrives.last.max(disturbed.last);
            message.may_be_lost |= wire.lost.contains(&message.kind);
            message.overtakes |= wire.overtakes;
        }
    }

    pub(crate) fn dials(&mut self, who: Who, call: u32, at: u32) {
        if self.side(who).phase != Phase::Free {
            return;
        }
        let now = Window { first: at, last: at };
        let side = self.side_mut(who);
        side.phase = Phase::Dialling;
        side.call = call;
        side.announced = false;
        side.asking = Some(now);
        side.rings_until = Some(now.after(RING_TIMEOUT, RING_TIMEOUT));
    }

    pub(crate) fn accepts(&mut self, who: Who, at: u32) {
        let side = self.side_mut(who);
        if side.phase == Phase::Ringing && side.asking.is_none() {
            side.asking = Some(Window { first: at, last: at });
        }
    }

    pub(crate) fn rejects(&mut self, who: Who, at: u32, wire: &Wire) {
        if self.side(who).phase == Phase::Ringing {
            self.ends(who, "declined", Window { first: at, last: at }, wire);
        }
    }

    pub(crate) fn hangs_up(&mut self, who: Who, at: u32, wire: &Wire) {
        let reason = match self.side(who).phase {
            Phase::Free => return,
            Phase::Dialling | Phase::Waiting => "cancelled",
            Phase::Ringing => "declined",
            Phase::InCall => "hung-up",
        };
        self.ends(who, reason, Window { first: at, last: at }, wire);
    }

    pub(crate) fn loses_permission(&mut self, who: Who, at: u32, wire: &Wire) {
        let reason = match self.side(who).phase {
            Phase::Free => return,
            Phase::InCall => "permission-lost",
            _ => "permission-denied",
        };
        self.ends(who, reason, Window { first: at, last: at }, wire);
    }

    fn coming(&self, wire: &Wire) -> Vec<(Coming, Window)> {
        let mut coming = Vec::new();
        for (at, message) in self.under_way.iter().enumerate() {
            let is_behind = |before: &Message| before.to == message.to && !message.overtakes;
            if !self.under_way[..at].iter().any(is_behind) {
                coming.push((Coming::Message(at), message.arrives));
            }
            if message.may_be_lost {
                coming.push((Coming::Lost(at), Window { last: NEVER, ..message.arrives }));
            }
        }
        for who in Who::BOTH {
            let side = self.side(who);
            coming.extend(side.asking.map(|window| (Coming::Devices(who), window)));
            if wire.homeless && side.phase == Phase::Ringing {
                coming.extend(side.asking.map(|window| (Coming::NoNetwork(who), window)));
            }
            coming.extend(side.rings_until.map(|window| (Coming::RingTimeout(who), window)));
            let harmed = wire.harmed.filter(|_| side.phase == Phase::InCall);
            let harmed = harmed.map(|first| Window { first, last: NEVER });
            if let Some(window) = side.fails.or(harmed) {
                coming.push((Coming::Fails(who), window));
            }
        }
        coming
    }

    fn happens(&mut self, what: Coming, at: Window, wire: &Wire, granted: [bool; 2]) {
        match what {
            Coming::Message(index) => {
                let message = self.under_way.remove(index);
                self.arrives(&message, at, wire);
            }
            Coming::Lost(index) => drop(self.under_way.remove(index)),
            Coming::Devices(who) => self.devices(who, granted[who as usize], at, wire),
            Coming::NoNetwork(who) => self.ends(who, "negotiation-failed", at, wire),
            Coming::RingTimeout(who) => self.ends(who, "no-answer", at, wire),
            Coming::Fails(who) => self.ends(who, FAILED, at, wire),
        }
        self.notice_loneliness(at);
    }

    fn devices(&mut self, who: Who, granted: bool, at: Window, wire: &Wire) {
        let side = self.side_mut(who);
        side.asking = None;
        if !granted {
            return self.ends(who, "permission-denied", at, wire);
        }
        let ringing = side.phase == Phase::Ringing;
        side.announced = true;
        if ringing {
            side.phase = Phase::InCall;
            side.rings_until = None;
        }
        self.send(who, if ringing { Kind::Accept } else { Kind::Ring }, "", at, wire);
    }

    fn arrives(&mut self, message: &Message, at: Window, wire: &Wire) {
        let who = message.to;
        if message.kind == Kind::Ring {
            return self.rings(who, message.call, at, wire);
        }
        let side = self.side_mut(who);
        if side.phase == Phase::Free || side.call != message.call {
            if message.kind == Kind::Bye {
                side.over.insert(message.call);
            }
            return;
        }
        match (message.kind, side.phase) {
            (Kind::Ringing, Phase::Dialling) => side.phase = Phase::Waiting,
            (Kind::Accept, Phase::Dialling | Phase::Waiting) => {
                side.phase = Phase::InCall;
                side.rings_until = None;
            }
            (Kind::Reject, Phase::Dialling | Phase::Waiting) | (Kind::Bye, _) => {
                self.over(who, message.reason)
            }
            _ => {}
        }
    }

    fn rings(&mut self, who: Who, call: u32, at: Window, wire: &Wire) {
        let side = self.side_mut(who);
        match side.phase {
            _ if side.over.contains(&call) => {}
            Phase::Free => {
                side.phase = Phase::Ringing;
                side.call = call;
                side.announced = true;
                side.rings_until = Some(at.after(RING_TIMEOUT, RING_TIMEOUT));
                self.send(who, Kind::Ringing, "", at, wire);
            }
            // Of two calls that cross the one with the smaller number goes on, unless the other one has
            // not been announced.
            Phase::Dialling if side.announced && side.call < call => {}
            Phase::Dialling => self.yields(who, call, at, wire),
            _ if side.call == call => {}
            _ => self.send_of(who, call, Kind::Reject, "busy", at, wire),
        }
    }

    /// `who` gives up its own call for the other's, and takes that: it has accepted by dialling.
    fn yields(&mut self, who: Who, call: u32, at: Window, wire: &Wire) {
        if self.side(who).announced {
            self.send(who, Kind::Bye, "cancelled", at, wire);
        }
        let side = self.side_mut(who);
        side.over.insert(side.call);
        side.call = call;
        side.phase = Phase::Ringing;
        if side.asking.is_none() {
            side.phase = Phase::InCall;
            side.rings_until = None;
            side.announced = true;
            self.send(who, Kind::Accept, "", at, wire);
        } else {
            side.announced = true;
        }
    }

    /// `who` ends the call and says so.
    fn ends(&mut self, who: Who, reason: &'static str, at: Window, wire: &Wire) {
        let side = self.side(who);
        let rejects = side.phase == Phase::Ringing && reason != "no-answer";
        if side.announced {
            self.send(who, if rejects { Kind::Reject } else { Kind::Bye }, reason, at, wire);
        }
        self.over(who, reason);
        self.notice_loneliness(at);
    }

    fn over(&mut self, who: Who, reason: &'static str) {
        let side = self.side_mut(who);
        side.endings.push(reason);
        side.over.insert(side.call);
        side.phase = Phase::Free;
        side.asking = None;
        side.rings_until = None;
        side.fails = None;
    }

    /// A connection to somebody who has left the call fails sooner or later.
    fn notice_loneliness(&mut self, at: Window) {
        for who in Who::BOTH {
            let call = self.side(who).call;
            let left = self.side(who.other()).over.contains(&call);
            let side = self.side_mut(who);
            if side.phase == Phase::InCall && left && side.fails.is_none() {
                side.fails = Some(at.after(0, LONELY));
            }
        }
    }

    fn send(&mut self, from: Who, kind: Kind, reason: &'static str, at: Window, wire: &Wire) {
        let call = self.side(from).call;
        self.send_of(from, call, kind, reason, at, wire);
    }

    fn send_of(&mut self, from: Who, call: u32, kind: Kind, reason: &'static str, at: Window, wire: &Wire) {
        let (to, arrives) = (from.other(), wire.arrival(at));
        let may_be_lost = wire.lost.contains(&kind);
        let overtakes = wire.overtakes;
        self.under_way.push(Message { to, kind, reason, call, arrives, may_be_lost, overtakes });
    }

    const fn side(&self, who: Who) -> &Side {
        &self.sides[who as usize]
    }

    const fn side_mut(&mut self, who: Who) -> &mut Side {
        &mut self.sides[who as usize]
    }
}
