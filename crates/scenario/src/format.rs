//! Scenario files: TOML in, a [`Plan`] or all that is wrong with the file out.
//!
//! The reader walks the parsed document itself instead of deserialising it, because a person who wrote
//! three mistakes wants to hear of three, each with its place, what was found, what is accepted and the
//! nearest known name.
//!
//! Invariants:
//! - no text makes the reader panic, and what it accepts the plan's builder has accepted;
//! - a key is written down once, with what an editor shows of it, where it is read: run without a document,
//!   the readers describe what they accept ([`crate::schema`]).
//!
//! Deliberately absent: loops, variables, includes. A scenario is prose; what needs a program is a Rust
//! test.

mod address;
mod api;
mod attachment;
mod data;
mod describe;
mod engine;
mod error;
mod expect;
mod flow;
mod gateways;
mod guard;
mod ice_servers;
mod link;
mod load;
mod peers;
pub(crate) mod profile;
mod reader;
mod signaller;
mod steps;
mod values;

use std::{cell::RefCell, path::PathBuf, time::Duration};

use serde_json::json;
use timeline::Name;

use self::{
    address::Sites,
    error::Span,
    reader::{Reading, Table, Value},
    steps::Cast,
};
pub use self::{
    error::{FormatError, Found, Problem, ProblemKind},
    load::{LoadError, files, load_dir, load_file, name_of},
};
use crate::{
    plan::{Escapes, Flaw, Place, Plan, PlanBuilder},
    profile::Profiles,
};

/// The version of the format that this reader reads; a file says it in its `version`.
pub const VERSION: u64 = 1;

/// The longest time that a file may give.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

impl Plan {
    /// Reads a scenario. `name` is its path under the scenarios' directory without `.toml`.
    ///
    /// # Errors
    /// All that is wrong with `text`, as far as it could be read.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, FormatError> {
        Self::read(name, None, text, &Profiles::default())
    }

    /// Reads a scenario that may name other networks than callsim's.
    ///
    /// # Errors
    /// As [`Plan::from_toml`].
    pub(crate) fn from_toml_with(name: &str, text: &str, profiles: &Profiles) -> Result<Self, FormatError> {
        Self::read(name, None, text, profiles)
    }

    fn read(name: &str, file: Option<PathBuf>, text: &str, profiles: &Profiles) -> Result<Self, FormatError> {
        let reading = Reading::with(profiles);
        let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
        for error in &syntax {
            reading.problems.syntax(error, text);
        }
        // After a syntax error the rest of the document is guesswork.
        let plan = if syntax.is_empty() {
            let root = Table::root(document.get_ref(), document.span(), &reading);
            plan(name, root).and_then(|(builder, places)| checked(builder, &places, &reading))
        } else {
            None
        };
        match (plan, reading.problems.into_sorted()) {
            (Some(plan), problems) if problems.is_empty() => Ok(Self { file, ..plan }),
            (_, problems) => Err(FormatError::new(name, file.as_deref(), text, problems)),
        }
    }
}

/// What the readers accept, as JSON Schema.
pub(crate) fn describe(profiles: &Profiles) -> serde_json::Value {
    let reading = Reading::with(profiles);
    plan("", Table::described(&reading));
    reading.shapes.into_inner().schema()
}

/// Where the parts of a plan are in its file.
#[derive(Default)]
struct Places {
    peers: Span,
    /// The name of each host and gateway, and its addresses.
    hosts: Vec<(Name, Span, Span)>,
    admission: Span,
    signaller: Span,
    deadline: Option<Span>,
    steps: Span,
    /// Each step, and what its action says.
    each_step: Vec<(Span, Span)>,
    expect: Span,
}

impl Places {
    fn host(&mut self, name: &Name, name_at: &Span, addresses_at: &Span) {
        self.hosts.push((name.clone(), name_at.clone(), addresses_at.clone()));
    }

    fn of(&self, place: &Place) -> Span {
        let host = |name: &Name| self.hosts.iter().find(|(host, ..)| host == name);
        let step = |index: usize| self.each_step.get(index);
        let span = match place {
            Place::Peers => Some(&self.peers),
            Place::Host(name) => host(name).map(|(_, name_at, _)| name_at),
            Place::Addresses(name) => host(name).map(|(.., addresses_at)| addresses_at),
            Place::Admission => Some(&self.admission),
            Place::Signalling => Some(&self.signaller),
            Place::Deadline => self.deadline.as_ref().or(self.each_step.last().map(|(step, _)| step)),
            Place::Steps => Some(&self.steps),
            Place::Step(index) => step(*index).map(|(step, _)| step),
            Place::Object(index) => step(*index).map(|(_, what)| what),
            Place::Expect => Some(&self.expect),
        };
        span.cloned().unwrap_or_default()
    }
}

/// The plan, if its parts go together.
fn checked(builder: PlanBuilder, places: &Places, reading: &Reading) -> Option<Plan> {
    let is_read = !reading.problems.any();
    let problems = builder.build().map_err(|problems| {
        // What is missing may only have been unreadable.
        let is_sure = |flaw: &Flaw| is_read || !matches!(flaw, Flaw::NoDial | Flaw::TooFewPeers { found: 0 });
        for problem in problems.into_iter().filter(|problem| is_sure(&problem.flaw)) {
            reading.add(ProblemKind::Plan(problem.flaw), places.of(&problem.place));
        }
    });
    problems.ok()
}

/// `None` where the file is of another version: nothing that could be said of it would be true.
fn plan(name: &str, root: Table<'_>) -> Option<(PlanBuilder, Places)> {
    version(&root)?;
    let summary_doc = "One sentence for people: who, on which network, what happens.";
    let summary = root.need("summary", summary_doc, Value::sentence).unwrap_or_default();
    let (mut deadline, mut event_budget) = (Plan::DEFAULT_DEADLINE, Plan::DEFAULT_EVENT_BUDGET);
    let (mut seeds, mut escapes) = (Plan::DEFAULT_SEEDS, Escapes::Fail);
    let deadline_doc = "The virtual time at which a run is stopped.";
    root.set("deadline", deadline_doc, &mut deadline, Value::duration);
    let budget = |value: Value<'_>| value.integer(1..=1_000_000_000);
    root.set("event-budget", "How many events a run may take.", &mut event_budget, budget);
    let played = |value: Value<'_>| value.integer(1..=100_000);
    root.set("seeds", "How many seeds are played by default.", &mut seeds, played);
    let escapes_doc = "What becomes of a run in which something looked past the simulated world: at the real \
                       clock, at real randomness or at a real socket.";
    root.set_word("escapes", escapes_doc, "answer to escapes", &mut escapes);
    let mut stagger = Plan::DEFAULT_STAGGER;
    let stagger_doc = "How long each peer's program takes at most to handle a signalling message; the time is drawn for each, and \
                       messages that come together are handled one after the other. Default: 750us.";
    root.set("stagger", stagger_doc, &mut stagger, Value::duration);
    let builder = Plan::builder(name).summary(summary).deadline(deadline).event_budget(event_budget);
    Some(parts(root, builder.seeds(seeds).escapes(escapes).stagger(stagger)))
}

fn parts(root: Table<'_>, builder: PlanBuilder) -> (PlanBuilder, Places) {
    let mut places = Places { deadline: root.span_of("deadline"), ..Places::default() };
    let peers_doc =
        "The peers by name, at least two. Their order gives their addresses: 10.0.0.1, 10.0.0.2, …";
    let peers_at = root.require("peers", peers_doc);
    let names = peers::names(peers_at);
    let engine_doc = "The guards of all engines, for tests of the harness itself. Default: all on.";
    let guards = engine::guards(root.take("engine", engine_doc));
    let guard_doc =
        "The guard that the scenario is about: `cargo xtask scenarios --guards-off` plays it without.";
    let guard = guard::read(root.take("guard", guard_doc), guards);
    let (builder, cast) = hosts(&root, peers_at, &names, builder, &mut places);
    let steps_at = root.require("steps", "What happens when, in time order; at least one step dials.");
    let steps = steps::read(steps_at, &cast);
    let expect_at = root.require("expect", "What must hold in every run, and over all of them.");
    let expect = expect::read(expect_at, &names);
    root.finish();
    let span = |value: Option<Value<'_>>| value.map(Value::span).unwrap_or_default();
    (places.peers, places.steps, places.expect) = (span(peers_at), span(steps_at), span(expect_at));
    places.each_step = steps.iter().map(|step| (step.at.clone(), step.what.clone())).collect();
    let builder = builder
        .gateways(cast.sites.into_inner().gateways)
        .guards(guards)
        .guard(guard)
        .steps(steps.into_iter().map(|step| step.step).collect())
        .expect(expect);
    (builder, places)
}

/// The hosts, and what steps can name.
fn hosts<'n>(
    root: &Table<'_>,
    peers_at: Option<Value<'_>>,
    names: &'n [Name],
    builder: PlanBuilder,
    places: &mut Places,
) -> (PlanBuilder, Cast<'n>) {
    let servers = ice_servers::read(root.take("ice-servers", "The STUN and TURN servers, by name."));
    let server_names: Vec<Name> = servers.iter().map(|server| server.plan.name.clone()).collect();
    let mut sites = Sites::default();
    let gateways_doc = "The NATs and firewalls that several peers are behind, by name.";
    let shared = gateways::read_shared(root.take("gateways", gateways_doc));
    gateways::place_shared(&shared, names, &mut sites, root.reading);
    let peers = peers::read(peers_at, &server_names, &mut sites);
    let mut signaller = signaller::read(root.take("signaller", "The signalling server."), names);
    // What a file says itself goes before what its profiles say: the first rule that fits decides.
    peers.iter().for_each(|peer| signaller.plan.faults.append(&peer.faults));
    let starts = peers.iter().map(|peer| (peer.name.clone(), peer.start.clone())).collect();
    peers.iter().for_each(|peer| places.host(&peer.name, &peer.name_at, &peer.address_at));
    servers.iter().for_each(|server| places.host(&server.plan.name, &server.name_at, &server.address_at));
    shared.iter().for_each(|gateway| places.host(&gateway.name, &gateway.at, &gateway.at));
    let at = signaller.address_at;
    places.host(&Name::from(Plan::SIGNALLER), &at, &at);
    (places.signaller, places.admission) = (at, signaller.admission_at);
    let builder = builder
        .peers(peers.into_iter().map(|peer| peer.plan).collect())
        .signaller(signaller.plan)
        .ice_servers(servers.into_iter().map(|server| server.plan).collect());
    (builder, Cast { peers: names, servers: server_names, starts, sites: RefCell::new(sites) })
}

fn version(root: &Table<'_>) -> Option<()> {
    let value = root.require("version", "The version of this format.")?;
    if value.is_described() {
        value.leaf(|| json!({ "const": VERSION }));
        return Some(());
    }
    let found = value.integer(0..=u64::MAX)?;
    if found != VERSION {
        return value.problem(ProblemKind::Version { found, accepted: VERSION });
    }
    Some(())
}

#[cfg(test)]
mod tests;
