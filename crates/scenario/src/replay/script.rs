//! Who did what when, in the words of a scenario.

mod calls;
mod delays;
mod refusal;

use std::time::Duration;

use capture::{
    Outcome, Trace,
    candidate::CandidateType,
    trace::{Connection, Message, Method, Peer, PeerEvent, SignalKind},
};
use timeline::{MessageKind, Name, VirtualTime};

use super::{
    Unplayable,
    network::{self, Blackout, Evidence},
};
use timeline::words;

use crate::plan::ApiCall;

/// A captured call, ready to be written as a scenario.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Script {
    /// The caller and the callee.
    pub(super) peers: [Part; 2],
    /// From one peer's host to the network's core, or back.
    pub(super) delay: Duration,
    /// When the caller dials, in the world.
    pub(super) dial: Duration,
    /// Who decides what is called when.
    pub(super) driver: Driver,
    /// The moment of the capture that is [`Self::offer_in_world`] in the world: when the first offer left, or the
    /// first call of the API was made.
    offer_at: VirtualTime,
    offer_in_world: Duration,
    pub(super) delays: Vec<Delay>,
    /// Messages that never came to anything, as entries of `faults`.
    pub(super) drops: Vec<Drop>,
    /// The network's and the users' doings, in the order of time.
    pub(super) steps: Vec<(Duration, Doing)>,
    pub(super) needs_stun: bool,
    pub(super) needs_turn: bool,
    /// How long calls may take to connect: no timer of ours ends what no timer of theirs did.
    pub(super) patience: Duration,
    /// Whether there are data channels.
    pub(super) data_channels: bool,
    pub(super) assumptions: Vec<String>,
}

words! {
    /// Who decides in a replay what is called when.
    pub enum Driver {
        /// Our engine: the applications did what it does.
        Engine = "engine",
        /// The captured applications: each call of the API is made again.
        Applications = "applications",
    }
}

/// One peer's part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// Its name in the world.
    pub(super) name: String,
    /// Its name in the capture.
    pub(super) captured: Name,
    pub(super) media: &'static str,
    pub(super) relay_only: bool,
    pub(super) refused: bool,
}

/// Messages of one kind that take longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    pub(super) message: MessageKind,
    pub(super) from: String,
    pub(super) by: Duration,
}

/// Messages of one kind that are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drop {
    pub(super) message: MessageKind,
    pub(super) from: String,
}

/// What happens at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    HangUp(String),
    SetVideo(String, bool),
    LinkDown(String),
    LinkUp(String),
    Api(String, ApiCall),
}

/// The least time between the beginning of a world and its first call.
const FIRST_DIAL: Duration = Duration::from_secs(1);

/// What is played for `trace`.
///
/// # Errors
/// Why it cannot be.
pub(super) fn script(trace: &Trace) -> Result<Script, Unplayable> {
    refusal::sides(trace)?;
    refusal::length(trace)?;
    if calls::has_foreign_offer(trace) || calls::has_foreign_answer(trace) {
        return by_calls(trace, "one side is there in its messages only");
    }
    match refusal::only_round(trace) {
        Ok(round) => {
            match media(round.caller, trace).and_then(|own| Ok([own, media(round.callee, trace)?])) {
                Ok(medias) => Ok(by_engine(trace, &round, medias)),
                Err(why) => by_calls(trace, &why.to_string()),
            }
        }
        Err(why) => by_calls(trace, &why.to_string()),
    }
}

/// Our engine plays both sides.
fn by_engine(trace: &Trace, round: &refusal::Round<'_>, medias: [&'static str; 2]) -> Script {
    let (caller, callee) = (round.caller, round.callee);
    let offer_at = round.offer.departed().unwrap_or(round.offer.first_seen());
    let (mut script, round_trip, evidence) = begin(trace, [caller, callee], offer_at, medias);
    script.say_what_is_assumed(round_trip, evidence);
    script.assumptions.push(
        "Our engine rings before it offers: the callee takes the call at once, and the offer leaves when it left in \
         the capture."
            .to_owned(),
    );
    for peer in [caller, callee].into_iter().filter(|peer| peer.connections.is_empty()) {
        let sentence =
            format!("The connection of {} was not captured: our engine stands in for it.", peer.id);
        script.assumptions.push(sentence);
    }
    delays::fill(&mut script, round, trace);
    script.add_toggles(trace);
    match script.add_interruption([caller, callee]) {
        // The engines end it, as soon as it has failed.
        Some(Interruption::Fatal) => {}
        Some(Interruption::Unfinished) => script.add_every_end(trace),
        Some(Interruption::Overcome) | None => script.add_first_end(trace),
    }
    script.steps.sort_by_key(|(at, _)| *at);
    script
}

/// Each call of the applications is made again.
fn by_calls(trace: &Trace, why: &str) -> Result<Script, Unplayable> {
    let peers = refusal::sides(trace)?;
    let (mut script, round_trip, evidence) = begin(trace, peers, VirtualTime::ZERO, ["audio-video"; 2]);
    script.driver = Driver::Applications;
    script.say_what_is_assumed(round_trip, evidence);
    calls::fill(&mut script, trace, why)?;
    script.add_toggles(trace);
    script.steps.sort_by_key(|(at, _)| *at);
    Ok(script)
}

/// Each call of the applications is made again, and nothing gets through between the peers.
///
/// # Errors
/// Why it cannot be.
pub(super) fn silent(trace: &Trace) -> Result<Script, Unplayable> {
    let mut script =
        by_calls(trace, "the network between the peers is to be silent, and not their signalling")?;
    script.silence();
    Ok(script)
}

/// A script in which nothing happens yet.
fn begin(
    trace: &Trace,
    [caller, callee]: [&Peer; 2],
    offer_at: VirtualTime,
    medias: [&'static str; 2],
) -> (Script, Duration, Evidence) {
    let (round_trip, evidence) = network::round_trip(trace);
    let delay = Duration::from_millis((round_trip.as_secs_f64() * 1e3 / 4.0).round() as u64);
    let mut script = Script {
        peers: [part(caller, "caller", medias[0]), part(callee, "callee", medias[1])],
        delay,
        dial: FIRST_DIAL.max(delay * 20),
        driver: Driver::Engine,
        offer_at,
        // Our engine rings before it offers: bell and answer each go from host to host once.
        offer_in_world: FIRST_DIAL.max(delay * 20) + delay * 4,
        delays: Vec::new(),
        drops: Vec::new(),
        steps: Vec::new(),
        needs_stun: trace.peers.iter().any(|peer| network::saw_server(peer, CandidateType::Srflx)),
        needs_turn: trace.peers.iter().any(|peer| network::saw_server(peer, CandidateType::Relay)),
        patience: trace.ended_at.since(offer_at) + Duration::from_secs(60),
        data_channels: has_data_channels(trace),
        assumptions: Vec::new(),
    };
    if script.peers.iter().any(|part| part.refused || part.relay_only) {
        script.needs_turn = true;
    }
    if script.peers[0].name == script.peers[1].name {
        (script.peers[0].name, script.peers[1].name) = ("caller".to_owned(), "callee".to_owned());
    }
    (script, round_trip, evidence)
}

/// The clock of a capture, and its names, beside those of the world that plays it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    offer_at: VirtualTime,
    offer_in_world: Duration,
    names: Vec<(Name, Name)>,
}

impl Clock {
    /// The captured moment that a moment of the world stands for.
    pub(super) fn in_capture(&self, at: VirtualTime) -> VirtualTime {
        in_capture(self.offer_at, self.offer_in_world, at)
    }

    /// What the capture calls somebody.
    pub(super) fn name(&self, in_world: &Name) -> Name {
        let known = self.names.iter().find(|(name, _)| name == in_world);
        known.map_or_else(|| in_world.clone(), |(_, captured)| captured.clone())
    }
}

/// What is before the capture's beginning is at it.
fn in_capture(offer_at: VirtualTime, offer_in_world: Duration, at: VirtualTime) -> VirtualTime {
    let at = at.elapsed();
    match at >= offer_in_world {
        true => offer_at + (at - offer_in_world),
        false => offer_at.elapsed().saturating_sub(offer_in_world - at).into(),
    }
}

impl Script {
    /// The moment of the world at which a captured moment is played again.
    pub(super) fn in_world(&self, at: VirtualTime) -> Duration {
        let offer = self.offer_in_world;
        match at >= self.offer_at {
            true => offer + whole_millis(at.since(self.offer_at)),
            false => offer.saturating_sub(whole_millis(self.offer_at.since(at))),
        }
    }

    /// The captured moment that a moment of the world stands for.
    pub(super) fn in_capture(&self, at: VirtualTime) -> VirtualTime {
        in_capture(self.offer_at, self.offer_in_world, at)
    }

    /// The clock and the names of the capture.
    pub(super) fn clock(&self) -> Clock {
        let name = |part: &Part| (Name::new(&part.name), part.captured.clone());
        Clock {
            offer_at: self.offer_at,
            offer_in_world: self.offer_in_world,
            names: self.peers.iter().map(name).collect(),
        }
    }

    /// The name in the world of a peer of the capture.
    pub(super) fn part(&self, captured: &Name) -> Option<&Part> {
        self.peers.iter().find(|part| part.captured == *captured)
    }

    fn say_what_is_assumed(&mut self, round_trip: Duration, evidence: Evidence) {
        let how = match evidence {
            Evidence::Statistics => "the median of what the statistics say",
            Evidence::Messages => "twice the way of the fastest message",
            Evidence::None => "the capture shows none",
        };
        let ms = round_trip.as_secs_f64() * 1e3;
        self.assumptions
            .push(format!("The round trip between the peers takes {ms:.0} ms ({how}), without loss."));
        if self.needs_turn {
            self.assumptions.push("A TURN server stands for the captured ones.".to_owned());
        } else if self.needs_stun {
            self.assumptions
                .push("A STUN server stands for the captured ones; no NAT is modelled.".to_owned());
        }
    }

    /// What the applications told each other about their cameras.
    fn add_toggles(&mut self, trace: &Trace) {
        for message in &trace.messages {
            let Some(video) = message.signal.media.and_then(|media| media.video) else { continue };
            if let (Some(part), Some(at)) = (self.part(&message.from), message.departed()) {
                let doing = Doing::SetVideo(part.name.clone(), video);
                self.steps.push((self.in_world(at), doing));
            }
        }
    }

    /// The link of the peer that closed, or else of the callee, is what was interrupted.
    fn add_interruption(&mut self, peers: [&Peer; 2]) -> Option<Interruption> {
        let seen = peers.map(|peer| peer.connections.first().and_then(network::blackout));
        let Blackout { from, until } = seen.into_iter().flatten().min_by_key(|blackout| blackout.from)?;
        let closed = peers.map(|peer| peer.connections.first().and_then(Connection::closed_at));
        let gone = (0..2).find(|it| closed[*it].is_some_and(|at| at <= from + GONE) && seen[*it].is_none());
        let from = gone.and_then(|it| closed[it]).unwrap_or(from);
        let silent = &self.peers[gone.unwrap_or(1)];
        let (host, shown) = (silent.name.clone(), silent.captured.clone());
        self.steps.push((self.in_world(from), Doing::LinkDown(host.clone())));
        if let Some(until) = until {
            self.steps.push((self.in_world(until), Doing::LinkUp(host)));
            let sentence = format!("The network of {shown} was silent from {from} ms to {until} ms.");
            self.assumptions.push(sentence);
            return Some(Interruption::Overcome);
        }
        let sentence =
            format!("The network of {shown} was silent from {from} ms on: nothing was heard of it again.");
        self.assumptions.push(sentence);
        let failed = |peer: &&Peer| {
            let mut connections = peer.connections.iter();
            connections.any(|connection| connection.failed_at().is_some())
        };
        Some(if peers.iter().any(failed) { Interruption::Fatal } else { Interruption::Unfinished })
    }

    /// Whoever said goodbye first, or closed first, hangs up, and the other hears of it.
    fn add_first_end(&mut self, trace: &Trace) {
        let mut ends = self.ends(trace);
        ends.sort();
        let end = ends.first().cloned().unwrap_or_else(|| {
            // The capture ends in the middle of the call.
            let last = self.in_world(trace.ended_at) + BEYOND;
            (last, self.peers[0].name.clone())
        });
        self.hang_up(end);
    }

    /// Nobody hears of the other any more: each hangs up by itself.
    fn add_every_end(&mut self, trace: &Trace) {
        let ends = self.ends(trace);
        for part in self.peers.clone() {
            let own = ends.iter().filter(|(_, who)| *who == part.name).min().cloned();
            let last = (self.in_world(trace.ended_at) + BEYOND, part.name);
            self.hang_up(own.unwrap_or(last));
        }
    }

    /// Every goodbye and every close, in the world.
    fn ends(&self, trace: &Trace) -> Vec<(Duration, String)> {
        let goodbyes = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Bye);
        let goodbyes = goodbyes.filter_map(|message| Some((message.departed()?, &message.from)));
        let closes = trace.peers.iter().flat_map(|peer| {
            peer.connections.iter().filter_map(|connection| Some((connection.closed_at()?, &peer.id)))
        });
        let ends = goodbyes.chain(closes);
        ends.filter_map(|(at, who)| Some((self.in_world(at), self.part(who)?.name.clone()))).collect()
    }

    fn hang_up(&mut self, (at, who): (Duration, String)) {
        let earliest = self.offer_in_world + Duration::from_millis(1);
        self.steps.push((at.max(earliest), Doing::HangUp(who)));
    }

    /// When ICE is first restarted, in the world.
    pub(super) fn restarts_ice(&self) -> Option<Duration> {
        let restarts =
            self.steps.iter().filter(|(_, doing)| matches!(doing, Doing::Api(_, ApiCall::RestartIce)));
        restarts.map(|(at, _)| *at).min()
    }

    /// Lets nothing through between the peers, from the beginning.
    fn silence(&mut self) {
        let host = self.peers[1].name.clone();
        self.steps.insert(0, (Duration::ZERO, Doing::LinkDown(host)));
        self.steps.retain(|(_, doing)| !matches!(doing, Doing::LinkUp(_)));
        // Our stack takes longer to give up.
        let earliest = self.offer_in_world + UNTIL_GIVEN_UP;
        for (at, doing) in &mut self.steps {
            if matches!(doing, Doing::Api(_, ApiCall::Close)) {
                *at = earliest.max(*at);
            }
        }
        self.steps.sort_by_key(|(at, _)| *at);
        self.assumptions.push(
            "Both descriptions were applied, no connection came about, and the capture does not show why: in the world \
             nothing gets through between the peers."
                .to_owned(),
        );
    }

    /// Lets the users wait with hanging up, because the replay took longer to connect than the capture.
    pub(super) fn hang_up_later(&mut self) {
        for (at, doing) in &mut self.steps {
            if matches!(doing, Doing::HangUp(_) | Doing::Api(_, ApiCall::Close)) {
                *at += BEYOND;
            }
        }
        self.steps.sort_by_key(|(at, _)| *at);
        let seconds = BEYOND.as_secs();
        self.assumptions.push(format!(
            "Our stack takes longer to connect than the captured call lasted: the users hang up {seconds} s later."
        ));
    }
}

/// What became of a connection that was interrupted.
enum Interruption {
    /// It came back.
    Overcome,
    /// It failed.
    Fatal,
    /// The capture ends, or the call, before either.
    Unfinished,
}

/// How long after the end of a capture a call goes on whose end was not captured: enough to connect on any path.
const BEYOND: Duration = Duration::from_secs(10);

/// How long our stack tries to connect before it gives up, with a margin.
const UNTIL_GIVEN_UP: Duration = Duration::from_secs(60);

/// A peer that closed this long after the last sign of life, or earlier, is what the silence came from.
const GONE: Duration = Duration::from_secs(2);

fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn part(peer: &Peer, role: &str, media: &'static str) -> Part {
    let relay_only = network::is_relay_only(peer);
    Part {
        name: world_name(peer.id.as_str(), role),
        captured: peer.id.clone(),
        media,
        relay_only,
        refused: network::was_refused(peer),
    }
}

/// The captured name where a host may have it, else the role.
fn world_name(captured: &str, role: &str) -> String {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = captured.starts_with(|c: char| c.is_ascii_lowercase())
        && captured.chars().all(letters)
        && captured.len() <= 32
        && !["at", "network", "signaller", "stun", "turn"].contains(&captured);
    if is_name { captured.to_owned() } else { role.to_owned() }
}

/// Which tracks it brought: those that it added, or where that was not captured, what the offer speaks of.
fn media(peer: &Peer, trace: &Trace) -> Result<&'static str, Unplayable> {
    let added = peer.connections.iter().flat_map(|connection| {
        connection.calls_of(Method::AddTrack).filter_map(|(_, call)| call.track.as_ref())
    });
    let mut kinds: Vec<String> = added.map(|track| track.kind.clone()).collect();
    if kinds.is_empty() {
        let offers = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Offer);
        let sdp = offers.filter_map(|message| message.signal.description.as_ref()).map(|it| it.sdp.as_str());
        kinds = sdp
            .flat_map(str::lines)
            .filter_map(|line| line.strip_prefix("m=")?.split(' ').next())
            .map(str::to_owned)
            .collect();
        // Without bodies (a timeline), what our engine brings by itself.
        if kinds.is_empty() && !has_data_channels(trace) {
            kinds = vec!["audio".to_owned(), "video".to_owned()];
        }
    }
    let has = |kind: &str| kinds.iter().any(|found| found == kind);
    match (has("audio"), has("video")) {
        (true, true) if starts_without_video(peer, trace) => Ok("voice"),
        (true, true) => Ok("audio-video"),
        (true, false) => Ok("audio-only"),
        _ => Err(Unplayable::NoMicrophone { peer: peer.id.clone() }),
    }
}

/// Whether the first that it tells of its camera is that it is on now.
fn starts_without_video(peer: &Peer, trace: &Trace) -> bool {
    let told = trace.messages.iter().filter(|message| message.from == peer.id);
    told.filter_map(|message| message.signal.media?.video).next() == Some(true)
}

fn has_data_channels(trace: &Trace) -> bool {
    let entries = trace.peers.iter().flat_map(|peer| &peer.connections).flat_map(|it| &it.entries);
    entries.into_iter().any(|entry| matches!(entry.event, PeerEvent::DataChannel { .. }))
}

/// How a call that was never answered, or not applied, is told from one that was.
pub(super) fn is_applied(message: &Message, trace: &Trace) -> bool {
    match &message.applied {
        Some(_) => true,
        // Where the addressee's connection was not captured, that it answered says so.
        None => {
            let owner = message.to.as_ref().and_then(|to| trace.peer(to.as_str()));
            let captured = owner.is_some_and(|peer| !peer.connections.is_empty());
            !captured && message.arrived().is_some() && trace.outcome() != Outcome::NeverConnected
        }
    }
}
