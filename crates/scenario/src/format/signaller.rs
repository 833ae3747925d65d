//! `[signaller]`: the signalling server, and `[peers.NAME.signaling]`: how a peer reaches it.

mod client;
mod faults;
mod limits;
mod steps;

use std::{net::IpAddr, time::Duration};

use signaller::Kind;
use signaller::{http::HttpLimits, relay::Limits};
use timeline::Name;

pub(super) use self::{
    client::client,
    faults::{faults, of_profile},
    steps::{check, signaller_action},
};
use super::{
    address,
    error::{Problems, Span},
    link::{LinkRead, take_link},
    reader::{Table, Value},
    values::vocabulary,
};
use crate::plan::{
    Admission, DEFAULT_ACCESS, DelayPlan, Device, FaultsPlan, MessageKind, SignallerPlan, TransportPlan,
};

/// How long a token is valid where a file wants tokens and says no more.
const TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The signaller, and where its address stands.
pub(super) struct SignallerRead {
    pub(super) plan: SignallerPlan,
    pub(super) address_at: Span,
    /// Where it says whom it admits.
    admission_at: Span,
}

pub(super) fn read(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> SignallerRead {
    let plan = SignallerPlan {
        addresses: vec![IpAddr::from([10, 0, 1, 1])],
        access: DEFAULT_ACCESS,
        device: Device::Server,
        transport: TransportPlan::DEFAULT,
        admission: Admission::Open,
        delays: Vec::new(),
        faults: FaultsPlan::default(),
        limits: Limits::default(),
        http: HttpLimits::default(),
    };
    let mut read = SignallerRead { plan, address_at: 0..0, admission_at: 0..0 };
    let Some(value) = value else { return read };
    read.address_at = value.span();
    let Some(mut table) = value.table("[signaller]", problems) else { return read };
    if let Some((addresses, at)) = address::take(&mut table, problems) {
        (read.plan.addresses, read.address_at) = (addresses, at);
    }
    let lifetime = table.plain_duration("token-lifetime", problems).unwrap_or(TOKEN_LIFETIME);
    if let Some(value) = table.take("admission") {
        read.admission_at = value.span();
        let word = value.known_text("admission", &["open", "token"], problems);
        if word.is_some_and(|word| word == "token") {
            read.plan.admission = Admission::Token { lifetime };
        }
    }
    fill(&mut read.plan, &mut table, peers, problems);
    table.finish(problems);
    read
}

fn fill(plan: &mut SignallerPlan, table: &mut Table<'_>, peers: &[Name], problems: &Problems) {
    plan.access = take_link(table, LinkRead::DEFAULT, problems).access();
    if let Some(device) = table.word("device", &vocabulary!("device", Device), problems) {
        plan.device = device;
    }
    if let Some(transport) = table.word("transport", &vocabulary!("transport", TransportPlan), problems) {
        plan.transport = transport;
    }
    if let Some(delays) = table.take("delays") {
        let delays = delays.list("a list of delays", problems).into_iter();
        plan.delays = delays.filter_map(|value| delay(value, peers, problems)).collect();
    }
    if let Some(value) = table.take("faults") {
        plan.faults = faults::faults(value, peers, problems);
    }
    if let Some(value) = table.take("limits") {
        limits::limits(&mut plan.limits, &mut plan.http, value, problems);
    }
}

fn delay(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<DelayPlan> {
    let mut table: Table<'_> = value.table("a delay", problems)?;
    let message = table.require("message", problems);
    let message = message.and_then(|value| value.word(&vocabulary!("message", MessageKind), problems));
    let message = message.and_then(|word| Kind::from_word(word.as_str()));
    let from = table.take("from").map(|value| value.peer(peers, problems));
    let nth = table.integer("nth", 1..=u64::from(u32::MAX), problems);
    let by = table.require("by", problems).and_then(|value| value.duration(problems));
    table.finish(problems);
    Some(DelayPlan {
        message: message?,
        from: from.map_or(Some(None), |from| from.map(Some))?,
        nth: nth.and_then(|nth| u32::try_from(nth).ok()),
        by: by?,
    })
}
