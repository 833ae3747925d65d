//! `[signaller]`: the signalling server, and `[peers.NAME.signaling]`: how a peer reaches it.

mod client;
mod faults;
mod limits;

use std::time::Duration;

use signaller::Kind;
use timeline::Name;

pub(super) use self::{
    client::client,
    faults::{faults, of_profile},
};
use super::{
    address,
    error::Span,
    link::{LinkRead, take_link},
    reader::{Table, Value},
};
use crate::plan::{Action, Admission, DelayPlan, Plan, SignallerChange, SignallerPlan, StoreFate};

/// How long a token is valid where a file wants tokens and says no more.
const TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The signaller, and where its address is.
pub(super) struct SignallerRead {
    pub(super) plan: SignallerPlan,
    pub(super) address_at: Span,
    /// Where it says which peers it admits.
    pub(super) admission_at: Span,
}

pub(super) fn read(value: Option<Value<'_>>, peers: &[Name]) -> SignallerRead {
    let mut read = SignallerRead { plan: SignallerPlan::default(), address_at: 0..0, admission_at: 0..0 };
    let Some(value) = value else { return read };
    read.address_at = value.span();
    let Some(table) = value.table("[signaller]") else { return read };
    let address_doc = "Its address, IPv4 or IPv6, or several. Default: 10.0.1.1.";
    if let Some((addresses, at)) = address::take(&table, address_doc) {
        (read.plan.addresses, read.address_at) = (addresses, at);
    }
    let mut lifetime = TOKEN_LIFETIME;
    let lifetime_doc = "How long a token is valid, from the beginning of the run.";
    table.set("token-lifetime", lifetime_doc, &mut lifetime, Value::duration);
    if let Some(value) = table.take("admission", "Which peers it admits. Default: open.") {
        read.admission_at = value.span();
        if value.word("admission") == Some(AdmissionWord::Token) {
            read.plan.admission = Admission::Token { lifetime };
        }
    }
    fill(&mut read.plan, &table, peers);
    table.finish();
    read
}

timeline::words! {
    /// Which peers the signaller admits.
    enum AdmissionWord {
        /// Everybody, under any name.
        Open = "open",
        /// Holders of a token for the script's call, each under the name in it.
        Token = "token",
    }
}

fn fill(plan: &mut SignallerPlan, table: &Table<'_>, peers: &[Name]) {
    plan.access = take_link(table, LinkRead::DEFAULT).access();
    table.set_word("device", "How fast its machine is.", "device", &mut plan.device);
    let transport_doc = "How peers reach it that do not say otherwise.";
    table.set_word("transport", transport_doc, "transport", &mut plan.transport);
    let delays_doc = "Messages that it keeps back; the first entry that fits a message decides.";
    if let Some(delays) = table.take("delays", delays_doc) {
        let delays = delays.list("a list of delays", 0..).into_iter();
        plan.delays = delays.filter_map(|value| delay(value, peers)).collect();
    }
    let faults_doc = "What goes wrong with the signalling; the first entry that fits decides.";
    if let Some(value) = table.take("faults", faults_doc) {
        plan.faults = faults(value, peers);
    }
    if let Some(value) = table.take("limits", "What it keeps at most.") {
        limits::limits(&mut plan.limits, &mut plan.http, value);
    }
}

/// The messages that can be delayed.
const DELAYED: &[Kind] = &[
    Kind::Join,
    Kind::Ring,
    Kind::Accept,
    Kind::Reject,
    Kind::Offer,
    Kind::Answer,
    Kind::Candidate,
    Kind::EndOfCandidates,
    Kind::Bye,
    Kind::Error,
];

/// One of `accepted`, or a word of its own, which is none.
fn kind_of(value: Value<'_>, others: &[&'static str], accepted: &[Kind]) -> Option<Option<Kind>> {
    let words: Vec<&str> = others.iter().copied().chain(accepted.iter().map(|kind| kind.as_str())).collect();
    let word = value.known_text("message", &words)?;
    Some(accepted.iter().find(|kind| kind.as_str() == word).copied())
}

fn delay(value: Value<'_>, peers: &[Name]) -> Option<DelayPlan> {
    let table = value.table("a delay")?;
    let message = table.need("message", "Of which kind.", |value| kind_of(value, &[], DELAYED).flatten());
    let from = table.take("from", "Only those of this peer.").map(|value| value.peer(peers));
    let nth =
        table.get("nth", "Only the N-th of its sender.", |value| value.integer(1..=u64::from(u32::MAX)));
    let by = table.need("by", "For how long.", Value::duration);
    table.finish();
    Some(DelayPlan { message: message?, from: from.map_or(Some(None), |from| from.map(Some))?, nth, by: by? })
}

timeline::words! {
    /// What happens to the signaller in one word.
    enum SignallerWord {
        /// Its machine loses power; what it keeps is on a disk.
        PowerOffKeepingStore = "power-off-keeping-store",
        /// Its machine loses power, and with it what it keeps.
        PowerOffLosingStore = "power-off-losing-store",
        /// Its machine has power again.
        PowerOn = "power-on",
        /// It is stopped in good order and started again.
        Restart = "restart",
    }
}

/// `"restart"`, or `{ faults = [ … ] }`.
pub(super) fn signaller_action(value: Value<'_>, peers: &[Name]) -> Option<Action> {
    let set_faults = |value: Value<'_>| {
        let table = value.table("signaller")?;
        let doc = "What goes wrong with the signalling from here on, and nothing else.";
        let read = table.require("faults", doc).map(|value| faults(value, peers));
        table.finish();
        Some(SignallerChange::SetFaults(read?))
    };
    let word = |value: Value<'_>| {
        Some(match value.word("action")? {
            SignallerWord::PowerOffKeepingStore => SignallerChange::PowerOff { store: StoreFate::Kept },
            SignallerWord::PowerOffLosingStore => SignallerChange::PowerOff { store: StoreFate::Lost },
            SignallerWord::PowerOn => SignallerChange::PowerOn,
            SignallerWord::Restart => SignallerChange::Restart,
        })
    };
    let change = value.table_or(set_faults, word)?;
    Some(Action::Signaller { host: Name::new(Plan::SIGNALLER), change })
}
