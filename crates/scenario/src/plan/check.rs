//! What has to hold for every plan, see [`Plan`].

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use timeline::Name;

use super::{
    Action, Admission, ApiCall, Command, Expect, Flaw, FlowExpect, Place, Plan, Problem, SignallerChange,
    TransportPlan,
};

/// All that is wrong with `plan`.
pub(super) fn problems(plan: &Plan) -> Vec<Problem> {
    let mut problems = Problems(Vec::new());
    hosts(plan, &mut problems);
    addresses(plan, &mut problems);
    steps(plan, &mut problems);
    programs(plan, &mut problems);
    calls_of_the_api(plan, &mut problems);
    rooms(plan, &mut problems);
    power(plan, &mut problems);
    tokens(plan, &mut problems);
    names_in_expectations(plan, &mut problems);
    let dials = |command: &Command| {
        matches!(
            command,
            Command::Dial { .. } | Command::Join { .. } | Command::Api(ApiCall::SetLocalDescription(_))
        )
    };
    let have_programs = plan.peers.iter().all(|peer| peer.program.is_some());
    // With other problems about, the step that dials may be among what could not be read.
    if problems.0.is_empty() && !have_programs && !plan.commands().any(|(.., command)| dials(command)) {
        problems.add(Place::Steps, Flaw::NoDial);
    }
    problems.0
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, place: Place, flaw: Flaw) {
        self.0.push(Problem { flaw, place });
    }

    fn impossible(&mut self, place: Place, reason: String) {
        self.add(place, Flaw::Impossible { reason });
    }
}

/// Names that mean something else where a host's name may be.
const RESERVED: [&str; 3] = ["at", Plan::NETWORK, Plan::SIGNALLER];

/// At least two peers, and every host has a name of its own that a host can have.
fn hosts(plan: &Plan, problems: &mut Problems) {
    let found = plan.peers.len();
    if found < 2 {
        problems.add(Place::Peers, Flaw::TooFewPeers { found });
    }
    // Gateways of one peer alone are called after it, as no host can be.
    let gateways = plan.gateways.iter().map(|gateway| &gateway.name);
    let shared = gateways.filter(|name| !name.as_str().contains('/'));
    let servers = plan.ice_servers.iter().map(|server| &server.name);
    let mut seen = BTreeSet::new();
    for name in plan.peers.iter().map(|peer| &peer.name).chain(shared).chain(servers) {
        if !seen.insert(name) {
            let reason = format!("two hosts or gateways are called `{name}`");
            problems.impossible(Place::Addresses(name.clone()), reason);
        }
        if let Some(reason) = bad_name(name.as_str()) {
            let found = name.to_string();
            problems.add(Place::Host(name.clone()), Flaw::BadName { found, reason });
        }
    }
}

fn bad_name(name: &str) -> Option<&'static str> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if RESERVED.contains(&name) {
        Some("it means something else in a step")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letters) {
        Some("names are made of a-z, 0-9 and -, and begin with a letter")
    } else if name.len() > 32 {
        Some("it is longer than 32 letters")
    } else {
        None
    }
}

/// Every host has an address, and no two have one address in one network: behind one NAT, or in the core.
fn addresses(plan: &Plan, problems: &mut Problems) {
    let mut taken: BTreeMap<(Option<Name>, IpAddr), Name> = BTreeMap::new();
    for host in plan.hosts() {
        let place = Place::Addresses(host.name.clone());
        if host.addresses.is_empty() {
            problems.impossible(place.clone(), format!("`{}` has no address", host.name));
        }
        let network = plan.nearest_nat(&host.name).cloned();
        for &address in host.addresses {
            if let Some(other) = taken.insert((network.clone(), address), host.name.clone()) {
                let (host, address) = (host.name.to_string(), address.to_string());
                let other = other.to_string();
                problems.add(place.clone(), Flaw::DuplicateAddress { host, address, other });
            }
        }
    }
}

/// Steps are in time order and before the deadline, and name only who is there.
fn steps(plan: &Plan, problems: &mut Problems) {
    let mut previous = Duration::ZERO;
    for (index, step) in plan.steps.iter().enumerate() {
        if step.at < previous {
            let flaw = Flaw::StepsOutOfOrder { found: step.at, previous };
            problems.add(Place::Step(index), flaw);
        }
        previous = previous.max(step.at);
        names_in_step(plan, index, &step.action, problems);
    }
    if let Some(last) = plan.steps.last()
        && last.at >= plan.deadline
    {
        let flaw = Flaw::DeadlineBeforeLastStep { deadline: plan.deadline, step: last.at };
        problems.add(Place::Deadline, flaw);
    }
}

fn names_in_step(plan: &Plan, index: usize, action: &Action, problems: &mut Problems) {
    let is_peer = |name: &Name| plan.peer(name).is_some();
    let (what, is_known) = match action {
        Action::LinkDown { host } | Action::LinkUp { host } | Action::SetLink { host, .. } => {
            ("host", plan.hosts().any(|known| known.name == *host))
        }
        Action::SetMood { server, .. } | Action::Reboot { server } => {
            ("ICE server", plan.ice_servers.iter().any(|known| known.name == *server))
        }
        Action::Signaller { host, .. } => ("host", host.as_str() == Plan::SIGNALLER),
        Action::Handover { host: peer, .. } | Action::Command { peer, .. } => ("peer", is_peer(peer)),
    };
    if !is_known {
        problems.add(Place::Step(index), Flaw::UnknownName { what, name: action.subject().clone() });
    }
    let Action::Command { peer, command } = action else { return };
    if let Command::Dial { to } | Command::SendCandidate { to, .. } = command
        && !is_peer(to)
    {
        problems.add(Place::Object(index), Flaw::UnknownName { what: "peer", name: to.clone() });
    }
    if let Command::Dial { to } = command
        && peer == to
    {
        problems.add(Place::Object(index), Flaw::DialsItself { peer: peer.to_string() });
    }
}

/// Only who runs a program is asked to do something, and a program makes its calls of the API itself.
fn programs(plan: &Plan, problems: &mut Problems) {
    for (index, step) in plan.steps.iter().enumerate() {
        let has_program = |peer| plan.peer(peer).is_some_and(|peer| peer.program.is_some());
        let Action::Command { peer, command } = &step.action else { continue };
        let reason = match command {
            Command::Do(_) if !has_program(peer) => {
                format!("`{peer}` runs the engine, and only a `program` knows what to `do`")
            }
            Command::Api(_) if has_program(peer) => {
                format!("`{peer}` runs a program, which makes its calls of the API itself")
            }
            _ => continue,
        };
        problems.impossible(Place::Object(index), reason);
    }
}

/// Calls of the API come from two peers, each of which does nothing else.
fn calls_of_the_api(plan: &Plan, problems: &mut Problems) {
    let has_program = |peer: &&Name| plan.peer(peer).is_some_and(|peer| peer.program.is_some());
    let driven: BTreeSet<&Name> = plan.driven().filter(|peer| !has_program(peer)).collect();
    if driven.is_empty() {
        return;
    }
    let first = |found: &dyn Fn(&Action) -> bool| {
        Place::Step(plan.steps.iter().position(|step| found(&step.action)).unwrap_or_default())
    };
    if driven.len() != 2 {
        let reason = format!("calls of the API are made by {} of the peers, and it takes two", driven.len());
        let calls = |action: &Action| matches!(action, Action::Command { command: Command::Api(_), .. });
        problems.impossible(first(&calls), reason);
    }
    for peer in driven {
        let is_its = |action: &Action| matches!(action, Action::Command { peer: acts, command } if acts == peer && needs_engine(command));
        if plan.steps.iter().any(|step| is_its(&step.action)) {
            let reason =
                format!("`{peer}` makes calls of the API by itself, and has no engine that could do this");
            problems.impossible(first(&is_its), reason);
        }
    }
}

/// Whether a peer without an engine cannot do this.
const fn needs_engine(command: &Command) -> bool {
    !matches!(
        command,
        Command::Api(_)
            | Command::Enable(_)
            | Command::Disable(_)
            | Command::Join { .. }
            | Command::Leave
            | Command::SendCandidate { .. }
            | Command::Do(_)
    )
}

/// A peer that takes part in calls of several has no other calls.
fn rooms(plan: &Plan, problems: &mut Problems) {
    for (index, step) in plan.steps.iter().enumerate() {
        let Action::Command { peer, command } = &step.action else { continue };
        let found = match command {
            Command::Dial { to } => [peer, to].into_iter().find(|peer| plan.joins(peer)),
            Command::Leave if !plan.joins(peer) => {
                problems.impossible(Place::Step(index), format!("{peer} leaves, and joins nothing"));
                None
            }
            _ => None,
        };
        if let Some(peer) = found {
            let reason = format!("{peer} joins calls of several: it can neither dial nor be dialled");
            problems.impossible(Place::Step(index), reason);
        }
    }
}

/// Power comes back only where it was lost, and is lost only where there is some.
fn power(plan: &Plan, problems: &mut Problems) {
    let mut is_on = true;
    for (index, step) in plan.steps.iter().enumerate() {
        let Action::Signaller { change, .. } = &step.action else { continue };
        let (needs, becomes) = match change {
            SignallerChange::PowerOff { .. } => (true, false),
            SignallerChange::PowerOn => (false, true),
            SignallerChange::Restart => (true, true),
            SignallerChange::SetFaults(_) => continue,
        };
        if needs != is_on {
            let state = if is_on { "has power" } else { "has no power" };
            problems.add(Place::Step(index), Flaw::SignallerPower { state });
        }
        is_on = becomes;
    }
}

/// Tokens are for one call, and not every transport carries them.
fn tokens(plan: &Plan, problems: &mut Problems) {
    if plan.signaller.admission == Admission::Open {
        return;
    }
    let dials = plan.commands().filter(|(.., command)| matches!(command, Command::Dial { .. })).count();
    if dials > 1 {
        problems.add(Place::Admission, Flaw::TokenForOneCall { dials });
    }
    for peer in &plan.peers {
        if plan.transport(peer) == TransportPlan::Stream {
            problems.add(Place::Admission, Flaw::StreamWithToken { peer: peer.name.to_string() });
        }
    }
}

/// Expectations, and what goes wrong with the signalling, name only peers.
fn names_in_expectations(plan: &Plan, problems: &mut Problems) {
    let Expect { peers, milestones, media, data, never, sequences, .. } = &plan.expect;
    let pairs = media.iter().filter_map(|media| match &media.flow {
        FlowExpect::Only(pairs) => Some(pairs),
        FlowExpect::BothWays | FlowExpect::None => None,
    });
    let expected = (peers.keys())
        .chain(milestones.iter().filter_map(|bound| bound.peer.as_ref()))
        .chain(pairs.flatten().flat_map(|(from, to)| [from, to]))
        .chain(data.iter().flat_map(|data| [&data.from, &data.to]))
        .chain(never.iter().filter_map(|state| state.peer.as_ref()))
        .chain(sequences.iter().filter_map(|sequence| sequence.peer.as_ref()));
    let changes = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Signaller { change: SignallerChange::SetFaults(faults), .. } => Some(faults),
        _ => None,
    });
    let disturbed = changes
        .chain([&plan.signaller.faults])
        .flat_map(|faults| faults.peers())
        .chain(plan.signaller.delays.iter().filter_map(|delay| delay.from.as_ref()));
    let expected = expected.map(|name| (Place::Expect, name));
    for (place, name) in expected.chain(disturbed.map(|name| (Place::Signalling, name))) {
        if plan.peer(name).is_none() {
            problems.add(place, Flaw::UnknownName { what: "peer", name: name.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{DurationRange, Milestone, MilestoneBound, PeerPlan, PlanBuilder, Step},
        testing::plan,
    };

    /// What is said of a good plan after `change`.
    #[track_caller]
    fn check(change: impl FnOnce(&Plan, PlanBuilder) -> PlanBuilder, expect: &[(Place, &str)]) {
        let good = plan("");
        let problems = change(&good, good.edit()).build().err().unwrap_or_default();
        let said: Vec<(Place, String)> =
            problems.into_iter().map(|problem| (problem.place, problem.flaw.to_string())).collect();
        let expect: Vec<_> = expect.iter().map(|(place, flaw)| (place.clone(), (*flaw).to_owned())).collect();
        assert_eq!(said, expect);
    }

    fn step(at: u64, action: Action) -> Step {
        Step { at: Duration::from_secs(at), action }
    }

    #[test]
    fn a_good_plan_stays_one() {
        check(|_, builder| builder, &[]);
        assert_eq!(plan("").edit().build(), Ok(plan("")));
    }

    #[test]
    fn hosts_have_names_and_addresses_of_their_own() {
        let callee = Name::from("callee");
        let two = "two hosts or gateways are called `callee`";
        check(
            |good, builder| {
                builder.peers(vec![good.peers[1].clone(), good.peers[1].clone()]).steps(Vec::new())
            },
            &[
                (Place::Addresses(callee.clone()), &format!("this cannot be: {two}")),
                (
                    Place::Addresses(callee.clone()),
                    "`callee` has the address 10.0.0.2, which `callee` already has",
                ),
            ],
        );
        check(
            |good, builder| {
                let nowhere = PeerPlan { addresses: Vec::new(), ..good.peers[1].clone() };
                builder.peers(vec![good.peers[0].clone(), nowhere])
            },
            &[(Place::Addresses(callee), "this cannot be: `callee` has no address")],
        );
        check(
            |_, builder| builder.peers(Vec::new()).steps(Vec::new()),
            &[(Place::Peers, "a call takes at least two peers, this file has 0")],
        );
    }

    #[test]
    fn steps_and_expectations_name_who_is_there() {
        let dave = Name::from("dave");
        check(
            |_, builder| {
                builder.steps(vec![
                    step(1, Action::command("caller", Command::Dial { to: dave.clone() })),
                    step(2, Action::LinkDown { host: dave.clone() }),
                    step(3, Action::Reboot { server: "caller".into() }),
                ])
            },
            &[
                (Place::Object(0), "there is no peer `dave`"),
                (Place::Step(1), "there is no host `dave`"),
                (Place::Step(2), "there is no ICE server `caller`"),
            ],
        );
        let range = DurationRange { at_least: None, at_most: Some(Duration::ZERO) };
        let bound = MilestoneBound { milestone: Milestone::Ended, peer: Some(dave.clone()), range };
        check(
            |_, builder| builder.expect(Expect { milestones: vec![bound], ..Expect::default() }),
            &[(Place::Expect, "there is no peer `dave`")],
        );
    }

    #[test]
    fn steps_are_in_order_and_before_the_deadline() {
        let hang_up = || Action::command("caller", Command::HangUp);
        check(
            |good, builder| {
                builder.steps(vec![good.steps[0].clone(), step(60, hang_up()), step(2, hang_up())])
            },
            &[(Place::Step(2), "this step is at 2s, the one before it at 60s: steps stand in time order")],
        );
        check(
            |good, builder| builder.deadline(good.steps[1].at),
            &[(Place::Deadline, "the deadline, 4s, is not after the last step, at 4s")],
        );
        check(
            |_, builder| builder.steps(vec![step(1, hang_up())]),
            &[(Place::Steps, "no step dials: without a call there is nothing to see")],
        );
    }
}
