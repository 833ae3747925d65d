//! Expectations about data channels and statistics: `data`, and `statistics` of a peer.

use timeline::Name;

use super::{
    error::{Found, ProblemKind},
    expect::{count, duration_range},
    reader::Value,
    values::known_name,
};
use crate::plan::{CountRange, DataExpect, Delivery, StatisticsExpect};

/// `[{ ordered = "caller to callee", messages = 20, before = "9s" }]`.
pub(super) fn data(value: Value<'_>, peers: &[Name]) -> Vec<DataExpect> {
    let accepted = "a list such as [{ ordered = \"caller to callee\", messages = 20 }]";
    value.list(accepted, 0..).into_iter().filter_map(|value| one(value, peers)).collect()
}

fn one(value: Value<'_>, peers: &[Name]) -> Option<DataExpect> {
    let table = value.table("this expectation")?;
    let messages = table.get("messages", "How many arrive. Default: at least one.", count);
    let refused_doc = "How many the sender's engine refuses because too many wait, or they are too long.";
    let refused = table.get("refused", refused_doc, count);
    let buffered_doc = "The most bytes that the sender has handed to the channel and not seen acknowledged.";
    let buffered = table.get("buffered", buffered_doc, count);
    let before = table.get("before", "The last one arrives before this moment of the run.", Value::duration);
    let on = |delivery| move |way: Value<'_>| Some((delivery, from_to(way, peers)?));
    let way = table.one_of(
        "this expectation",
        value.span(),
        &[
            ("ordered", "From whom to whom on the ordered channel.", &on(Delivery::Ordered)),
            ("unordered", "From whom to whom on the unordered channel.", &on(Delivery::Unordered)),
        ],
    );
    table.finish();
    let (delivery, (from, to)) = way?;
    Some(DataExpect { delivery, from, to, messages, refused, buffered, before })
}

/// `"caller to callee"`.
fn from_to(value: Value<'_>, peers: &[Name]) -> Option<(Name, Name)> {
    let text = value.string_like("a pair such as \"caller to callee\"", Some(r"^\S+ to \S+$"))?;
    let Some((from, to)) = text.split_once(" to ") else {
        let found = Found::new(text, ["CALLER to CALLEE"]);
        return value.problem(ProblemKind::UnknownWord { what: "pair", found });
    };
    pair(value, (from, to), peers)
}

/// Two names, each that of a peer.
pub(super) fn pair(value: Value<'_>, (from, to): (&str, &str), peers: &[Name]) -> Option<(Name, Name)> {
    let peer = |name: &str| known_name("peer", name.trim(), peers, || value.span(), value.reading);
    let (from, to) = (peer(from), peer(to));
    Some((from?, to?))
}

/// `{ samples = 5, round-trip-time = { at-most = "60ms" }, received-kbps = { at-least = 30 }, lost = 0 }`.
pub(super) fn statistics(value: Value<'_>) -> Option<StatisticsExpect> {
    let table = value.table("statistics")?;
    let samples = table.get("samples", "How many there are.", count);
    let received_doc = "What arrives in the median of the samples, in thousands of bits a second.";
    let received = table.get("received-kbps", received_doc, count);
    let lost = table.get("lost", "How many RTP packets the last sample says were lost.", count);
    let round_trip_time = table.get("round-trip-time", "Each that was measured is in this range.", |value| {
        duration_range("round-trip-time", value)
    });
    table.finish();
    let received_bps = received.map(|kbps| CountRange {
        at_least: kbps.at_least * 1_000,
        at_most: kbps.at_most.map(|most| most * 1_000),
    });
    Some(StatisticsExpect { samples, round_trip_time, received_bps, lost })
}
