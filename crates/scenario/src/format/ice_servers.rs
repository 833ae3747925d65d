//! `[ice-servers.NAME]`: STUN and TURN servers.

use std::{ops::RangeInclusive, time::Duration};

use timeline::Name;

use super::{
    address,
    error::{ProblemKind, Span},
    gateways::{port, port_range},
    link::{LinkRead, take_link},
    reader::{Key, Table, Value},
    values::set,
};
use crate::plan::{IceServerPlan, Mood};

/// A server, and where its addresses are.
pub(super) struct IceServerRead {
    pub(super) plan: IceServerPlan,
    pub(super) name_at: Span,
    pub(super) address_at: Span,
}

pub(super) fn read(value: Option<Value<'_>>) -> Vec<IceServerRead> {
    let Some(table) = value.and_then(|value| value.table("[ice-servers]")) else { return Vec::new() };
    (0..).zip(table.names()).map(|(index, key)| server(index, &key)).collect()
}

fn server(index: u16, key: &Key<'_>) -> IceServerRead {
    let address = address::numbered([198, 51], 100, index.saturating_add(1));
    let plan = IceServerPlan::new(Name::from(key.name), address);
    let mut read = IceServerRead { plan, name_at: key.span.clone(), address_at: key.span.clone() };
    if let Some(table) = key.value.table(format!("[ice-servers.{}]", key.name)) {
        fill(&mut read, &table);
        table.finish();
    }
    read
}

fn fill(read: &mut IceServerRead, table: &Table<'_>) {
    let plan = &mut read.plan;
    let address_doc = "Its addresses, at most one of each family. Default: 198.51.100.N.";
    if let Some((addresses, at)) = address::take(table, address_doc) {
        (plan.addresses, read.address_at) = (addresses, at);
    }
    plan.access = take_link(table, LinkRead::DEFAULT).access();
    table.set_word("kind", "What it does.", "kind of server", &mut plan.kind);
    table.set_word("device", "How fast its machine is.", "device", &mut plan.device);
    table.set("port", "Its port.", &mut plan.port, port);
    let credentials_doc = "How it knows its users.";
    table.set_word("credentials", credentials_doc, "kind of credentials", &mut plan.credentials);
    let relay_doc = "The first and the last port to relay from. Default: [49152, 65535].";
    set(&mut plan.relay_ports, table.get("relay-ports", relay_doc, relay_ports));
    let allocation_doc = "How long an allocation lives, 1s to 1h.";
    table.set("allocation-lifetime", allocation_doc, &mut plan.allocation_lifetime, lifetime);
    let nonce_doc = "How long a nonce is good for, 1s to 1h.";
    table.set("nonce-lifetime", nonce_doc, &mut plan.nonce_lifetime, lifetime);
    let quota_doc = "How many allocations one user may have. Default: any number.";
    plan.quota = table.get("quota", quota_doc, |value| value.integer(1..=1_000_000));
    if let Some(mood) = table.get("mood", "What is wrong with it at the start.", |value| value.table("mood"))
    {
        plan.mood = mood_of(&mood);
        mood.finish();
    }
    let problem = |why: &str| {
        let kind = ProblemKind::Impossible { reason: why.to_owned() };
        table.reading.add(kind, read.address_at.clone());
    };
    if plan.relay_ports.contains(&plan.port) {
        problem("the server listens on a port that it also relays from");
    }
    let families = plan.addresses.iter().filter(|address| address.is_ipv4()).count();
    if families > 1 || plan.addresses.len() - families > 1 {
        problem("a server has at most one IPv4 and one IPv6 address");
    }
}

fn relay_ports(value: Value<'_>) -> Option<RangeInclusive<u16>> {
    let range = port_range(value)?;
    Some(range.first..=range.last)
}

/// Whole seconds, since that is what the wire carries (RFC 8656 §18.2).
fn lifetime(value: Value<'_>) -> Option<Duration> {
    let lifetime = value.duration()?;
    if lifetime < Duration::from_secs(1) || lifetime > Duration::from_secs(3600) {
        let (found, least, most) = (format!("{lifetime:?}"), "1s".to_owned(), "1h".to_owned());
        return value.problem(ProblemKind::OutOfRange { found, least, most });
    }
    Some(lifetime)
}

/// `{ liveness = "dead", delay = "2s", credentials = "rejected", ports = "exhausted" }`: what is not said is
/// well.
pub(super) fn mood_of(table: &Table<'_>) -> Mood {
    let mut mood = Mood::default();
    table.set_word("liveness", "Whether it reacts at all.", "liveness", &mut mood.liveness);
    let credentials_doc = "Whether it accepts right credentials.";
    table.set_word("credentials", credentials_doc, "credential policy", &mut mood.credentials);
    table.set_word("ports", "Whether it has ports to relay from.", "supply of ports", &mut mood.ports);
    table.set("delay", "How much later it sends whatever it sends.", &mut mood.delay, Value::duration);
    let nonce_doc = "How long nonces are good for, those given out already as well.";
    mood.nonce_lifetime = table.get("nonce-lifetime", nonce_doc, Value::duration);
    mood
}
