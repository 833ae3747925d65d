//! Scenario files: TOML in, a [`Plan`] or all that is wrong with the file out.
//!
//! The reader walks the parsed document itself instead of deserialising it, because a person who wrote
//! three mistakes wants to hear of three, each with its place, what was found, what is accepted and the
//! nearest known name.
//!
//! Invariants:
//! - no text makes the reader panic, and what it accepts fulfils the invariants of [`crate::plan`];
//! - what it accepts is what [`crate::schema`] describes (a test reads one file that uses every key).
//!
//! Deliberately absent: loops, variables, includes. A scenario is prose; what needs a program is a Rust
//! test.

mod address;
mod api;
mod attachment;
mod data;
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

use std::{path::PathBuf, time::Duration};

use timeline::Name;

use self::{
    address::{Placed, Sites},
    error::Problems,
    ice_servers::IceServerRead,
    peers::PeerRead,
    reader::{Table, Value},
    signaller::SignallerRead,
    steps::Cast,
};
pub use self::{
    error::{FormatError, Found, Problem, ProblemKind},
    load::{LoadError, load_dir, load_file},
};
use crate::plan::{Plan, Step};

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
        Self::read(name, None, text)
    }

    fn read(name: &str, file: Option<PathBuf>, text: &str) -> Result<Self, FormatError> {
        let problems = Problems::default();
        let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
        for error in &syntax {
            problems.syntax(error, text);
        }
        // After a syntax error the rest of the document is guesswork.
        let plan = if syntax.is_empty() {
            let root = Table::root(document.get_ref(), document.span());
            root.and_then(|root| plan(name, file.clone(), root, &problems))
        } else {
            None
        };
        match (plan, problems.into_sorted()) {
            (Some(plan), problems) if problems.is_empty() => Ok(plan),
            (_, problems) => Err(FormatError::new(name, file.as_deref(), text, problems)),
        }
    }
}

fn plan(name: &str, file: Option<PathBuf>, mut root: Table<'_>, problems: &Problems) -> Option<Plan> {
    version(&mut root, problems)?;
    let summary = root.require("summary", problems).and_then(|value| value.sentence(problems));
    let deadline = root.duration("deadline", problems);
    let event_budget = root.integer("event-budget", 1..=1_000_000_000, problems);
    let seeds = root.integer("seeds", 1..=100_000, problems);
    let peers_at = root.require("peers", problems);
    let names = peers::names(peers_at);
    let servers = ice_servers::read(root.take("ice-servers"), problems);
    let server_names: Vec<Name> = servers.iter().map(|server| server.plan.name.clone()).collect();
    let guards = engine::guards(root.take("engine"), problems);
    let guard = guard::read(root.take("guard"), guards, problems);
    let mut sites = Sites::default();
    let shared = gateways::read_shared(root.take("gateways"), problems);
    gateways::place_shared(&shared, &names, &mut sites, problems);
    let peers = peers::read(peers_at, &server_names, &mut sites, problems);
    let mut signaller = signaller::read(root.take("signaller"), &names, problems);
    // What a file says itself goes before what its profiles say: the first rule that fits decides.
    peers.iter().for_each(|peer| signaller.plan.faults.append(&peer.faults));
    let starts = peers.iter().map(|peer| (peer.name.clone(), peer.start.clone())).collect();
    let mut cast = Cast { peers: &names, servers: &server_names, starts, sites: &mut sites };
    let steps = steps::read(root.require("steps", problems), &mut cast, problems);
    check_hosts(&peers, &servers, &signaller, &sites, problems);
    signaller::check(&signaller, &peers, &steps, problems);
    let expect = expect::read(root.require("expect", problems), &names, problems);
    root.finish(problems);
    let (deadline, deadline_at) =
        deadline.map_or((Plan::DEFAULT_DEADLINE, None), |(value, at)| (value, Some(at)));
    check_deadline(deadline, deadline_at, &steps, problems);
    Some(Plan {
        name: name.to_owned(),
        file,
        summary: summary?,
        deadline,
        event_budget: event_budget.unwrap_or(Plan::DEFAULT_EVENT_BUDGET),
        seeds: seeds.and_then(|seeds| u32::try_from(seeds).ok()).unwrap_or(Plan::DEFAULT_SEEDS),
        peers: peers.into_iter().map(|peer| peer.plan).collect(),
        signaller: signaller.plan,
        gateways: sites.gateways,
        guards,
        guard,
        ice_servers: servers.into_iter().map(|server| server.plan).collect(),
        steps: steps.into_iter().map(|(step, _)| step).collect(),
        expect,
    })
}

/// No two hosts have one name, or one address where both can be seen.
fn check_hosts(
    peers: &[PeerRead],
    servers: &[IceServerRead],
    signaller: &SignallerRead,
    sites: &Sites,
    problems: &Problems,
) {
    let signaller_name = Name::from(Plan::SIGNALLER);
    let of_peers = peers.iter().map(|peer| Placed {
        host: &peer.name,
        addresses: &peer.plan.addresses,
        at: &peer.address_at,
        network: sites.network_of(&peer.name),
    });
    let of_servers = servers.iter().map(|server| Placed {
        host: &server.plan.name,
        addresses: &server.plan.addresses,
        at: &server.address_at,
        network: None,
    });
    let of_signaller = Placed {
        host: &signaller_name,
        addresses: &signaller.plan.addresses,
        at: &signaller.address_at,
        network: None,
    };
    address::check_unique(of_peers.chain(of_servers).chain([of_signaller]), problems);
    for server in servers {
        let name = &server.plan.name;
        if peers.iter().any(|peer| peer.name == *name)
            || sites.gateways.iter().any(|gateway| gateway.name == *name)
        {
            let reason = format!("two hosts or gateways are called `{name}`");
            problems.add(ProblemKind::Impossible { reason }, server.address_at.clone());
        }
    }
}

/// A file of another version is not read any further: nothing that could be said of it would be true.
fn version(root: &mut Table<'_>, problems: &Problems) -> Option<()> {
    let value: Value<'_> = root.require("version", problems)?;
    let version = value.integer(0..=u64::MAX, problems)?;
    if version != VERSION {
        problems.add(ProblemKind::Version { found: version, accepted: VERSION }, value.span());
        return None;
    }
    Some(())
}

fn check_deadline(
    deadline: Duration,
    deadline_at: Option<error::Span>,
    steps: &[(Step, error::Span)],
    problems: &Problems,
) {
    let Some((last, step_at)) = steps.last() else { return };
    if last.at >= deadline {
        let kind = ProblemKind::DeadlineBeforeLastStep { deadline, step: last.at };
        problems.add(kind, deadline_at.unwrap_or_else(|| step_at.clone()));
    }
}

#[cfg(test)]
mod tests;
