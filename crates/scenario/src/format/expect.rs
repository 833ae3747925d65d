//! `[expect]`: what must hold.

use std::collections::BTreeMap;

use timeline::{CallState, Name, Word};

use super::{
    data,
    error::ProblemKind,
    flow,
    reader::{Table, Value},
};
use crate::plan::{
    AlwaysOn, CountRange, DurationRange, Expect, MilestoneBound, Outcome, PeerExpect, Probability, RateBand,
    Reached,
};

pub(super) fn read(value: Option<Value<'_>>, peers: &[Name]) -> Expect {
    let Some(table) = value.and_then(|value| value.table("[expect]")) else { return Expect::default() };
    let mut bounds = list(&table, "milestones", MILESTONES_DOC, |value| milestones(value, None));
    let peer_doc = "What must hold for single peers.";
    let per_peer = table.get("peers", peer_doc, |value| per_peer(value, peers, &mut bounds));
    let path_doc = "Over which candidates the first call may go, by what each side knows the other: `relay` \
                    where one of them is relayed, else `prflx`, `srflx` or `host`; `none` where it is not \
                    connected.";
    let data_doc = "Which messages arrive on data channels. Those of the ordered one arrive in order, and none \
                    arrives twice.";
    let never_doc = "States that must not be entered before the run ends.";
    let sequence_doc = "States that a machine must enter in this order; others may lie between them.";
    let waive_doc = "Checks of every scenario that this one does without, each with the reason.";
    let rates_doc = "How often outcomes occur. Judged where at least 20 seeds are played.";
    let outcome_doc = "How the first call may come out.";
    let expect = Expect {
        outcomes: list(&table, "outcome", outcome_doc, |value| words(value, "outcome")),
        paths: list(&table, "path", path_doc, |value| words(value, "path")),
        peers: per_peer.unwrap_or_default(),
        milestones: bounds,
        media: list(&table, "media", "Which media flows, and when.", |value| flow::media(value, peers)),
        data: list(&table, "data", data_doc, |value| data::data(value, peers)),
        never: list(&table, "never", never_doc, |value| flow::never(value, peers)),
        sequences: list(&table, "sequence", sequence_doc, |value| flow::sequences(value, peers)),
        waived: table.get("waive", waive_doc, waived).unwrap_or_default(),
        rates: table.get("rates", rates_doc, rates).unwrap_or_default(),
        ..counts(&table)
    };
    table.finish();
    expect
}

const MILESTONES_DOC: &str = "When milestones are reached, measured from the first dial.";

fn list<'d, T>(
    table: &Table<'d>,
    key: &'static str,
    doc: &str,
    read: impl FnOnce(Value<'d>) -> Vec<T>,
) -> Vec<T> {
    table.take(key, doc).map(read).unwrap_or_default()
}

/// What is counted and measured over all peers.
fn counts(table: &Table<'_>) -> Expect {
    let counted = |key, doc| table.get(key, doc, count);
    Expect {
        offers: counted("offers", "How many offers all peers together send."),
        recoveries: counted(
            "recoveries",
            "How often connections are recovered, counted at all peers \
                                           together.",
        ),
        held_candidates: counted(
            "held-candidates",
            "How many candidates all peers together hold back until the remote description is there.",
        ),
        candidate_ends: counted(
            "candidate-ends",
            "How often all peers together say that they have no more candidates.",
        ),
        recovery_time: table.get(
            "recovery-time",
            "How long each recovery takes, from the loss of a connection, or the fault of the network up to \
             10 s before it, until it is connected again. There must be one.",
            |value| duration_range("recovery-time", value),
        ),
        ..Expect::default()
    }
}

/// A word, or a list of several.
fn words<T: Word>(value: Value<'_>, what: &'static str) -> Vec<T> {
    value.one_or_list(0..).into_iter().filter_map(|value| value.word(what)).collect()
}

fn per_peer(
    value: Value<'_>,
    peers: &[Name],
    bounds: &mut Vec<MilestoneBound>,
) -> Option<BTreeMap<Name, PeerExpect>> {
    let mut expects = BTreeMap::new();
    for key in value.table("[expect.peers]")?.names() {
        let Some(name) = key.known("peer", peers) else { continue };
        let Some(table) = key.value.table(format!("[expect.peers.{name}]")) else { continue };
        if let Some(value) = table.take("milestones", MILESTONES_DOC) {
            bounds.extend(milestones(value, Some(&name)));
        }
        expects.insert(name, one_peer(&table));
        table.finish();
    }
    Some(expects)
}

fn one_peer(table: &Table<'_>) -> PeerExpect {
    let state_doc = "The state its call must be in at the end of the run.";
    let connected_doc = "Whether its call is connected at some time.";
    let ways_doc = "The ways by which it reaches the signaller, in order; `[]` if it never does.";
    let reconnects_doc = "How often it reaches the signaller again, by whatever way.";
    PeerExpect {
        ends: list(table, "ends", "The reasons for which its call may end.", |value| {
            let ends = value.one_or_list(0..).into_iter();
            ends.filter_map(|value| value.word("end reason")).collect()
        }),
        state: table.get("state", state_doc, |value| {
            CallState::from_word(&value.known_text("call state", CallState::WORDS)?)
        }),
        connected: table
            .get("connected", connected_doc, Value::boolean)
            .map(|connected| if connected { Reached::Yes } else { Reached::No }),
        ways: table.take("ways", ways_doc).map(|value| {
            let ways = value.list("a list of ways", 0..).into_iter();
            ways.filter_map(|value| value.word("way")).collect()
        }),
        reconnects: table.get("reconnects", reconnects_doc, count),
        statistics: table.get("statistics", "What the samples of its statistics say.", data::statistics),
    }
}

/// `{ ringing = { at-most = "1s" }, … }`.
fn milestones(value: Value<'_>, peer: Option<&Name>) -> Vec<MilestoneBound> {
    let read = |value: Value<'_>| {
        let bounds = value.table("milestones")?.words::<crate::plan::Milestone>("milestone").into_iter();
        let bound = |(milestone, value): (crate::plan::Milestone, Value<'_>)| {
            let range = duration_range(milestone.as_str(), value)?;
            Some(MilestoneBound { milestone, peer: peer.cloned(), range })
        };
        Some(bounds.filter_map(bound).collect())
    };
    value.named("milestones", read).unwrap_or_default()
}

/// `{ at-least = "1s", at-most = "2s" }`.
pub(super) fn duration_range(title: &'static str, value: Value<'_>) -> Option<DurationRange> {
    value.named("duration-range", |value| {
        let docs = ["Not earlier or shorter than this.", "Not later or longer than this."];
        let (at_least, at_most) = bounds(title, value, docs, Value::duration)?;
        Some(DurationRange { at_least, at_most })
    })
}

/// `1`, or `{ at-least = 1, at-most = 3 }`.
pub(super) fn count(value: Value<'_>) -> Option<CountRange> {
    let number = |value: Value<'_>| value.integer(0..=1_000_000);
    let range = |value: Value<'_>| {
        let (at_least, at_most) = bounds("this count", value, ["The least.", "The most."], number)?;
        Some(CountRange { at_least: at_least.unwrap_or(0), at_most })
    };
    let exactly = |value: Value<'_>| {
        let count = number(value)?;
        Some(CountRange { at_least: count, at_most: Some(count) })
    };
    value.named("count", |value| value.table_or(range, exactly))
}

/// `at-least` and `at-most` of a table, one of which is there, and something lies between them.
fn bounds<'d, T: PartialOrd>(
    title: impl Into<String>,
    value: Value<'d>,
    [least_doc, most_doc]: [&str; 2],
    read: impl Fn(Value<'d>) -> Option<T>,
) -> Option<(Option<T>, Option<T>)> {
    let table = value.table(title)?;
    table.at_least(1);
    let is_empty = table.rest().is_empty();
    let bounds = (table.get("at-least", least_doc, &read), table.get("at-most", most_doc, &read));
    table.finish();
    match &bounds {
        (Some(least), Some(most)) if least > most => value.problem::<()>(ProblemKind::EmptyRange),
        _ if is_empty => {
            let accepted = "at-least, at-most".to_owned();
            value.problem(ProblemKind::NotOne { what: "this range", found: 0, accepted })
        }
        _ => None,
    };
    Some(bounds)
}

fn waived(value: Value<'_>) -> Option<BTreeMap<AlwaysOn, String>> {
    let reasons = value.table("waive")?.words("check").into_iter();
    Some(reasons.filter_map(|(check, value)| Some((check, value.sentence()?))).collect())
}

fn rates(value: Value<'_>) -> Option<BTreeMap<Outcome, RateBand>> {
    let bands = value.table("rates")?.words::<Outcome>("outcome").into_iter();
    let band = |(outcome, value): (Outcome, Value<'_>)| {
        let docs = ["Not less than this. Default: 0%.", "Not more than this. Default: 100%."];
        let (at_least, at_most) = bounds(format!("rates.{outcome}"), value, docs, Value::probability)?;
        let at_least = at_least.unwrap_or(Probability::ZERO);
        Some((outcome, RateBand { at_least, at_most: at_most.unwrap_or(Probability::ONE) }))
    };
    Some(bands.filter_map(band).collect())
}
