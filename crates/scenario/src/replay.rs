//! A captured call, played again by our engines in a world, and compared with what was captured.
//!
//! ```text
//! Trace ─► script ─► scenario file (TOML) ─► Plan ─► run ─► RunRecord ─► compare ─► matched, freedoms, divergence
//!            ▲                │
//!         network             └─► what `--save-scenario` writes: the very text that was played
//! ```
//!
//! - `script`: who did what when. Our engine plays both sides where the applications did what it does; else each of
//!   their calls of the API is made again (`script::calls`). What cannot be played either way is refused with the
//!   reason.
//! - `network`: what the capture shows of the network.
//! - `text`: the scenario file.
//! - `compare`: the transitions, captured against replayed, up to the [`Freedom`]s.
//!
//! Invariants:
//! - A call is played as captured, or not at all: nothing of a capture is left out silently. What had to be
//!   assumed is in [`Played::assumptions`].
//! - The plan that is played is what the text says: it is read from that text.

mod compare;
mod freedom;
mod network;
mod script;
mod text;
mod unplayable;

use std::{collections::BTreeMap, sync::Arc};

use capture::{Outcome, Trace, audit::Finding, trace::Connection};
use timeline::{Event, IceState, Machine, MediaKind, Name, State, Timeline, VirtualTime};

pub use freedom::Freedom;
pub use script::Driver;
pub use unplayable::Unplayable;

use crate::{
    plan::Plan,
    run::{Player, RunError},
};

/// The seed of a replay. Worlds of captures have no losses, so that seeds differ in their keys only.
const SEED: u64 = 1;

/// What became of the attempt to play a captured call again.
#[derive(Clone, Debug)]
pub enum Replay {
    /// It was not played.
    NotPlayed {
        /// Why not.
        reason: Unplayable,
    },
    /// It was.
    Played(Box<Played>),
}

/// A captured call that was played again.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The scenario file that was played (TOML).
    pub scenario: String,
    /// Who decided what is called when.
    pub driver: Driver,
    /// What had to be assumed about the call and its network, a sentence each.
    pub assumptions: Vec<String>,
    /// What our own stack refused, though the captured application's took it.
    pub refused: Vec<OwnRefusal>,
    /// How it came out, by the same rule as a captured call.
    pub outcome: Outcome,
    /// How many of the captured transitions came again.
    pub matched: usize,
    /// How many transitions were captured on connections that were played again.
    pub captured: usize,
    /// How often each freedom was taken.
    pub freedoms: BTreeMap<Freedom, usize>,
    /// Where a freedom was taken, as far as it is of one moment.
    pub tolerated: Vec<Tolerated>,
    /// Where the two first part; `None` where they do not.
    pub divergence: Option<Divergence>,
    /// What the capture calls the peers of the world, and its clock.
    clock: script::Clock,
}

/// A difference between a capture and its replay that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerated {
    /// At whom.
    pub peer: Name,
    /// When, on the capture's clock.
    pub at: VirtualTime,
    /// What it is.
    pub freedom: Freedom,
}

impl Played {
    /// What happened when it was played again, on the capture's clock and with the capture's names. It is played for it:
    /// of thousands of calls, all timelines would not fit into memory.
    ///
    /// # Errors
    /// None, unless the machine cannot play it any more: it was played before.
    pub fn timeline(&self) -> Result<Timeline, RunError> {
        let plan = Plan::from_toml("captured", &self.scenario).expect("it was read before");
        let mut timeline = Player::new(&plan).seed(SEED).play()?.timeline;
        for entry in &mut timeline.entries {
            entry.at = self.clock.in_capture(entry.at);
            entry.actor = self.clock.name(&entry.actor);
            match &mut entry.event {
                Event::MessageSent { to: name, .. } | Event::MessageReceived { from: name, .. } => {
                    *name = self.clock.name(name);
                }
                _ => {}
            }
        }
        for packet in &mut timeline.packets {
            packet.at = self.clock.in_capture(packet.at);
            packet.from_host = self.clock.name(&packet.from_host);
            packet.to_host = packet.to_host.as_ref().map(|name| self.clock.name(name));
        }
        Ok(timeline)
    }
}

/// A description that our own stack refused when a call was played again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRefusal {
    /// At whom.
    pub peer: Name,
    /// When, on the capture's clock.
    pub at: VirtualTime,
    /// Which call: `setRemoteDescription(offer)`.
    pub call: String,
    /// The stack's words.
    pub error: String,
}

/// The first point at which a replay is not what was captured.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// At whom.
    pub peer: Name,
    /// At which state machine; `None` where only the outcomes differ.
    pub machine: Option<Machine>,
    /// When, on the capture's clock.
    pub at: VirtualTime,
    /// The state that was captured; `None` where nothing more was.
    pub captured: Option<Came>,
    /// The state that the replay entered; `None` where it entered no more.
    pub replayed: Option<Came>,
    /// The states that the same machine passed before, in both.
    pub before: Vec<State>,
}

/// What came of it, in the capture or in the replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// A state machine entered a state.
    To(State),
    /// The whole call came to this.
    Out(Outcome),
    /// Media of a kind arrived, or did not.
    Media(MediaKind, bool),
}

impl Came {
    /// The word of reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::To(state) => state.as_str(),
            Self::Out(outcome) => outcome.as_str(),
            Self::Media(MediaKind::Audio, true) => "audio received",
            Self::Media(MediaKind::Audio, false) => "audio not received",
            Self::Media(MediaKind::Video, true) => "video received",
            Self::Media(MediaKind::Video, false) => "video not received",
        }
    }
}

/// As a sentence without its full stop.
impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { peer, machine, at, captured, replayed, before } = self;
        let what = machine.map_or("outcome", Machine::as_str);
        let or_none = |came: &Option<Came>| came.map_or("nothing more", Came::as_str);
        let (captured, replayed) = (or_none(captured), or_none(replayed));
        write!(f, "{peer}, {what} at {at} ms: captured {captured}, replayed {replayed}")?;
        match before.as_slice() {
            [] => Ok(()),
            before => {
                let words: Vec<&str> = before.iter().map(|state| state.as_str()).collect();
                write!(f, "; before that, both: {}", words.join(", "))
            }
        }
    }
}

/// Plays the call of `trace` again. `findings` are those of its audit; the scenario's summary names the worst.
pub fn replay(trace: &Trace, findings: &[Finding]) -> Replay {
    match try_replay(trace, findings) {
        Ok(played) => Replay::Played(Box::new(played)),
        Err(reason) => Replay::NotPlayed { reason },
    }
}

fn try_replay(trace: &Trace, findings: &[Finding]) -> Result<Played, Unplayable> {
    let (trace, left_out) = without_idle(trace);
    let mut played = try_replay_of(&trace, findings)?;
    played.assumptions.extend(left_out);
    Ok(played)
}

/// The call without connections that were made and never used, where their peer has one that it used; and a sentence
/// for each peer that has some.
fn without_idle(trace: &Trace) -> (Trace, Vec<String>) {
    let mut trace = trace.clone();
    let mut left_out = Vec::new();
    for peer in &mut trace.peers {
        let all = peer.connections.len();
        if peer.connections.iter().any(Connection::negotiates) {
            peer.connections.retain(Connection::negotiates);
        }
        let idle = all - peer.connections.len();
        if idle > 0 {
            left_out.push(format!("{} made {idle} more peer connections, and never used them.", peer.id));
        }
    }
    (trace, left_out)
}

fn try_replay_of(trace: &Trace, findings: &[Finding]) -> Result<Played, Unplayable> {
    let mut script = script::script(trace)?;
    let played = play(trace, findings, &script)?;
    let captured = trace.outcome();
    let never = |outcome| matches!(outcome, Outcome::NeverConnected | Outcome::Failed);
    let is_silent = shows_ice(trace) || compare::takes_nothing(trace);
    if never(captured) && trace_never_connected(trace) && !never(played.outcome) && is_silent {
        return play(trace, findings, &script::silent(trace)?);
    }
    if captured != Outcome::Connected || played.outcome != Outcome::NeverConnected {
        return Ok(played);
    }
    script.hang_up_later();
    let mut later = play(trace, findings, &script)?;
    if later.outcome == Outcome::NeverConnected {
        return Ok(played);
    }
    later.freedoms.insert(Freedom::HangUpWaits, 1);
    Ok(later)
}

fn trace_never_connected(trace: &Trace) -> bool {
    let mut connections = trace.peers.iter().flat_map(|peer| &peer.connections);
    connections.all(|connection| connection.connected_at().is_none())
}

/// Whether ICE tried.
fn shows_ice(trace: &Trace) -> bool {
    let mut connections = trace.peers.iter().flat_map(|peer| &peer.connections);
    connections.any(|connection| connection.entered(State::Ice(IceState::Checking)).is_some())
}

fn play(trace: &Trace, findings: &[Finding], script: &script::Script) -> Result<Played, Unplayable> {
    let scenario = text::toml(script, trace, findings);
    let plan = Plan::from_toml("captured", &scenario)
        .map_err(|error| Unplayable::Scenario { problems: error.lines().collect() })?;
    let played = Player::new(&plan).seed(SEED).play();
    let record = played.map_err(|error| Unplayable::Run(Arc::new(error)))?;
    let compared = compare::compare(trace, script, &record);
    Ok(Played {
        scenario,
        driver: script.driver,
        assumptions: script.assumptions.clone(),
        refused: compared.refused,
        outcome: compared.outcome,
        matched: compared.matched,
        captured: compared.captured,
        freedoms: compared.freedoms,
        tolerated: compared.tolerated,
        divergence: compared.divergence,
        clock: script.clock(),
    })
}
