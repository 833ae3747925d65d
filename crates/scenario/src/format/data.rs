//! Expectations about data channels and statistics: `data`, and `statistics` of a peer.

use timeline::Name;

use super::{
    error::{Found, ProblemKind, Problems},
    expect::{count, duration_range},
    reader::Value,
    values::known_name,
};
use crate::plan::{CountRange, DataExpect, DeliveryWord, StatisticsExpect};

/// `[{ ordered = "caller to callee", messages = 20, before = "9s" }]`.
pub(super) fn data(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> Vec<DataExpect> {
    let Some(value) = value else { return Vec::new() };
    let accepted = "a list such as [{ ordered = \"caller to callee\", messages = 20 }]";
    value.list(accepted, problems).into_iter().filter_map(|value| one(value, peers, problems)).collect()
}

fn one(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<DataExpect> {
    let mut table = value.table("this expectation", problems)?;
    let said: Vec<(DeliveryWord, Value<'_>)> = DeliveryWord::ALL
        .iter()
        .filter_map(|delivery| Some((*delivery, table.take(delivery.as_str())?)))
        .collect();
    let messages = table.take("messages").and_then(|value| count(value, problems));
    let refused = table.take("refused").and_then(|value| count(value, problems));
    let buffered = table.take("buffered").and_then(|value| count(value, problems));
    let before = table.plain_duration("before", problems);
    table.finish(problems);
    let [(delivery, way)] = *said.as_slice() else {
        let (found, accepted) = (said.len(), DeliveryWord::WORDS.join(", "));
        problems.add(ProblemKind::NotOne { what: "this expectation", found, accepted }, value.span());
        return None;
    };
    let (from, to) = from_to(way, peers, problems)?;
    Some(DataExpect { delivery, from, to, messages, refused, buffered, before })
}

/// `"caller to callee"`.
fn from_to(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<(Name, Name)> {
    let text = value.string("a pair such as \"caller to callee\"", problems)?;
    let Some((from, to)) = text.split_once(" to ") else {
        let found = Found::new(text, ["CALLER to CALLEE"]);
        problems.add(ProblemKind::UnknownWord { what: "pair", found }, value.span());
        return None;
    };
    let from = known_name("peer", from.trim(), peers, || value.span(), problems);
    let to = known_name("peer", to.trim(), peers, || value.span(), problems);
    Some((from?, to?))
}

/// `{ samples = 5, round-trip-time = { at-most = "60ms" }, received-kbps = { at-least = 30 }, lost = 0 }`.
pub(super) fn statistics(value: Value<'_>, problems: &Problems) -> Option<StatisticsExpect> {
    let mut table = value.table("statistics", problems)?;
    let samples = table.take("samples").and_then(|value| count(value, problems));
    let received = table.take("received-kbps").and_then(|value| count(value, problems));
    let lost = table.take("lost").and_then(|value| count(value, problems));
    let round_trip_time =
        table.take("round-trip-time").and_then(|value| duration_range("round-trip-time", value, problems));
    table.finish(problems);
    let received_bps = received.map(|kbps| CountRange {
        at_least: kbps.at_least * 1_000,
        at_most: kbps.at_most.map(|most| most * 1_000),
    });
    Some(StatisticsExpect { samples, round_trip_time, received_bps, lost })
}
