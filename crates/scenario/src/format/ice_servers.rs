//! `[ice-servers.NAME]`: STUN and TURN servers.

use std::{ops::RangeInclusive, time::Duration};

use timeline::Name;

use super::{
    address,
    error::{ProblemKind, Problems, Span},
    gateways::port_range,
    link::{LinkRead, take_link},
    reader::{Key, Table, Value},
    values::{set, vocabulary},
};
use crate::plan::{
    CredentialKind, CredentialsWord, DEFAULT_ACCESS, Device, IceServerKind, IceServerPlan, LivenessWord,
    Mood, PortSupplyWord,
};

/// A server, and where its addresses stand.
pub(super) struct IceServerRead {
    pub(super) plan: IceServerPlan,
    pub(super) address_at: Span,
}

pub(super) fn read(value: Option<Value<'_>>, problems: &Problems) -> Vec<IceServerRead> {
    let Some(table) = value.and_then(|value| value.table("[ice-servers]", problems)) else {
        return Vec::new();
    };
    (0..).zip(table.rest()).map(|(index, key)| server(index, &key, problems)).collect()
}

fn server(index: u16, key: &Key<'_>, problems: &Problems) -> IceServerRead {
    address::check_name(key, problems);
    let plan = IceServerPlan {
        name: Name::from(key.name),
        kind: IceServerKind::Turn,
        addresses: vec![address::numbered([198, 51], 100, index.saturating_add(1))],
        access: DEFAULT_ACCESS,
        device: Device::Server,
        port: IceServerPlan::DEFAULT_PORT,
        credentials: CredentialKind::LongTerm,
        relay_ports: IceServerPlan::DEFAULT_RELAY_PORTS,
        allocation_lifetime: IceServerPlan::DEFAULT_ALLOCATION_LIFETIME,
        nonce_lifetime: IceServerPlan::DEFAULT_NONCE_LIFETIME,
        quota: None,
        mood: Mood::default(),
    };
    let mut read = IceServerRead { plan, address_at: key.span.clone() };
    if let Some(mut table) = key.value.table(format!("[ice-servers.{}]", key.name), problems) {
        fill(&mut read, &mut table, problems);
        table.finish(problems);
    }
    read
}

fn fill(read: &mut IceServerRead, table: &mut Table<'_>, problems: &Problems) {
    let plan = &mut read.plan;
    if let Some((addresses, at)) = address::take(table, problems) {
        (plan.addresses, read.address_at) = (addresses, at);
    }
    plan.access = take_link(table, LinkRead::DEFAULT, problems).access();
    set(&mut plan.kind, table.word("kind", &vocabulary!("kind of server", IceServerKind), problems));
    set(&mut plan.device, table.word("device", &vocabulary!("device", Device), problems));
    let port = table.integer("port", 1..=u64::from(u16::MAX), problems);
    set(&mut plan.port, port.and_then(|port| u16::try_from(port).ok()));
    set(
        &mut plan.credentials,
        table.word("credentials", &vocabulary!("kind of credentials", CredentialKind), problems),
    );
    set(&mut plan.relay_ports, relay_ports(table, problems));
    set(&mut plan.allocation_lifetime, lifetime(table, "allocation-lifetime", problems));
    set(&mut plan.nonce_lifetime, lifetime(table, "nonce-lifetime", problems));
    let quota = table.integer("quota", 1..=1_000_000, problems);
    set(&mut plan.quota, quota.map(|quota| usize::try_from(quota).ok()));
    if let Some(mut mood) = table.take("mood").and_then(|value| value.table("mood", problems)) {
        plan.mood = mood_of(&mut mood, problems);
        mood.finish(problems);
    }
    let reason = |why: &str| ProblemKind::Impossible { reason: why.to_owned() };
    if plan.relay_ports.contains(&plan.port) {
        let why = "the server listens on a port that it also relays from";
        problems.add(reason(why), read.address_at.clone());
    }
    let families = plan.addresses.iter().filter(|address| address.is_ipv4()).count();
    if families > 1 || plan.addresses.len() - families > 1 {
        problems.add(reason("a server has at most one IPv4 and one IPv6 address"), read.address_at.clone());
    }
}

fn relay_ports(table: &mut Table<'_>, problems: &Problems) -> Option<RangeInclusive<u16>> {
    let range = port_range(table.take("relay-ports")?, problems)?;
    Some(range.first..=range.last)
}

/// Whole seconds, since that is what the wire carries (RFC 8656 §18.2).
fn lifetime(table: &mut Table<'_>, key: &'static str, problems: &Problems) -> Option<Duration> {
    let (lifetime, at) = table.duration(key, problems)?;
    if lifetime < Duration::from_secs(1) || lifetime > Duration::from_secs(3600) {
        let (found, least, most) = (format!("{lifetime:?}"), "1s".to_owned(), "1h".to_owned());
        problems.add(ProblemKind::OutOfRange { found, least, most }, at);
        return None;
    }
    Some(lifetime)
}

/// `{ liveness = "dead", delay = "2s", credentials = "rejected", ports = "exhausted", nonce-lifetime = "0s" }`:
/// what is not said is well.
pub(super) fn mood_of(table: &mut Table<'_>, problems: &Problems) -> Mood {
    let liveness = table.word("liveness", &vocabulary!("liveness", LivenessWord), problems);
    let credentials = table.word("credentials", &vocabulary!("credential policy", CredentialsWord), problems);
    let ports = table.word("ports", &vocabulary!("supply of ports", PortSupplyWord), problems);
    Mood {
        liveness: liveness.map(Into::into).unwrap_or_default(),
        credentials: credentials.map(Into::into).unwrap_or_default(),
        ports: ports.map(Into::into).unwrap_or_default(),
        delay: table.plain_duration("delay", problems).unwrap_or_default(),
        nonce_lifetime: table.plain_duration("nonce-lifetime", problems),
    }
}
