//! `[signaller]`: the signalling server.

use std::net::IpAddr;

use timeline::Name;

use super::{
    address,
    error::{Problems, Span},
    link::{LinkRead, take_link},
    reader::{Table, Value},
    values::vocabulary,
};
use crate::plan::{DEFAULT_ACCESS, DelayPlan, Device, MessageKind, SignallerPlan};

/// The signaller, and where its address stands.
pub(super) struct SignallerRead {
    pub(super) plan: SignallerPlan,
    pub(super) address_at: Span,
}

pub(super) fn read(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> SignallerRead {
    let plan = SignallerPlan {
        address: IpAddr::from([10, 0, 1, 1]),
        access: DEFAULT_ACCESS,
        device: Device::Server,
        delays: Vec::new(),
    };
    let mut read = SignallerRead { plan, address_at: 0..0 };
    let Some(value) = value else { return read };
    read.address_at = value.span();
    let Some(mut table) = value.table("[signaller]", problems) else { return read };
    if let Some((address, at)) = address::take_one(&mut table, "address", problems) {
        (read.plan.address, read.address_at) = (address, at);
    }
    read.plan.access = take_link(&mut table, LinkRead::DEFAULT, problems).access();
    if let Some(device) = table.word("device", &vocabulary!("device", Device), problems) {
        read.plan.device = device;
    }
    if let Some(delays) = table.take("delays") {
        let delays = delays.list("a list of delays", problems).into_iter();
        read.plan.delays = delays.filter_map(|value| delay(value, peers, problems)).collect();
    }
    table.finish(problems);
    read
}

fn delay(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<DelayPlan> {
    let mut table: Table<'_> = value.table("a delay", problems)?;
    let message = table.require("message", problems);
    let message = message.and_then(|value| value.word(&vocabulary!("message", MessageKind), problems));
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
