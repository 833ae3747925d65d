//! `[expect]`: what must hold.

use std::collections::BTreeMap;

use timeline::{CallState, EndReason, Name};

use super::{
    data,
    error::{Found, ProblemKind, Problems},
    flow,
    reader::{Table, Value},
    values::{Vocabulary, known_name, vocabulary},
};
use crate::plan::{
    AlwaysOn, CountRange, DurationRange, Expect, Milestone, MilestoneBound, Outcome, PathWord, PeerExpect,
    Probability, RateBand, Reached, WayTaken,
};

pub(super) fn read(value: Option<Value<'_>>, peers: &[Name], problems: &Problems) -> Expect {
    let Some(mut table) = value.and_then(|value| value.table("[expect]", problems)) else {
        return Expect::default();
    };
    let mut milestones = Vec::new();
    let per_peer = per_peer(table.take("peers"), peers, &mut milestones, problems);
    if let Some(value) = table.take("milestones") {
        milestones.splice(0..0, read_milestones(value, None, problems));
    }
    let expect = Expect {
        outcomes: words(table.take("outcome"), &vocabulary!("outcome", Outcome), problems),
        paths: words(table.take("path"), &vocabulary!("path", PathWord), problems),
        peers: per_peer,
        milestones,
        media: flow::media(table.take("media"), peers, problems),
        data: data::data(table.take("data"), peers, problems),
        offers: table.take("offers").and_then(|value| count(value, problems)),
        recoveries: table.take("recoveries").and_then(|value| count(value, problems)),
        recovery_time: table
            .take("recovery-time")
            .and_then(|value| duration_range("recovery-time", value, problems)),
        held_candidates: table.take("held-candidates").and_then(|value| count(value, problems)),
        candidate_ends: table.take("candidate-ends").and_then(|value| count(value, problems)),
        never: flow::never(table.take("never"), peers, problems),
        sequences: flow::sequences(table.take("sequence"), peers, problems),
        waived: waived(table.take("waive"), problems),
        rates: rates(table.take("rates"), problems),
    };
    table.finish(problems);
    expect
}

/// A word, or a list of several.
fn words<T>(value: Option<Value<'_>>, vocabulary: &Vocabulary<T>, problems: &Problems) -> Vec<T> {
    let values = value.map(Value::one_or_list).unwrap_or_default().into_iter();
    values.filter_map(|value| value.word(vocabulary, problems)).collect()
}

fn per_peer(
    value: Option<Value<'_>>,
    peers: &[Name],
    milestones: &mut Vec<MilestoneBound>,
    problems: &Problems,
) -> BTreeMap<Name, PeerExpect> {
    let Some(table) = value.and_then(|value| value.table("[expect.peers]", problems)) else {
        return BTreeMap::new();
    };
    let mut expects = BTreeMap::new();
    for key in table.rest() {
        let Some(name) = known_name("peer", key.name, peers, || key.span.clone(), problems) else { continue };
        let title = format!("[expect.peers.{name}]");
        let Some(mut table) = key.value.table(title, problems) else { continue };
        if let Some(value) = table.take("milestones") {
            milestones.extend(read_milestones(value, Some(&name), problems));
        }
        expects.insert(name, one_peer(&mut table, problems));
        table.finish(problems);
    }
    expects
}

fn one_peer(table: &mut Table<'_>, problems: &Problems) -> PeerExpect {
    let ends = table.take("ends").map(Value::one_or_list).unwrap_or_default().into_iter();
    let ends = ends.filter_map(|value| value.word(&vocabulary!("end reason", EndReason), problems)).collect();
    let state = table.word("state", &vocabulary!("call state", CallState), problems);
    let connected = table.take("connected").and_then(|value| value.boolean(problems));
    let connected = connected.map(|connected| if connected { Reached::Yes } else { Reached::No });
    let ways = table.take("ways").map(|value| {
        let ways = value.list("a list of ways", problems).into_iter();
        ways.filter_map(|value| value.word(&vocabulary!("way", WayTaken), problems)).collect()
    });
    let reconnects = table.take("reconnects").and_then(|value| count(value, problems));
    let statistics = table.take("statistics").and_then(|value| data::statistics(value, problems));
    PeerExpect { ends, state, connected, ways, reconnects, statistics }
}

/// `{ ringing = { at-most = "1s" }, … }`.
fn read_milestones(value: Value<'_>, peer: Option<&Name>, problems: &Problems) -> Vec<MilestoneBound> {
    let Some(table) = value.table("milestones", problems) else { return Vec::new() };
    let mut bounds = Vec::new();
    for key in table.rest() {
        let Some(milestone) = Milestone::from_word(key.name) else {
            let found = Found::new(key.name, Milestone::WORDS.iter().copied());
            problems.add(ProblemKind::UnknownWord { what: "milestone", found }, key.span);
            continue;
        };
        let Some(range) = duration_range(milestone.as_str(), key.value, problems) else { continue };
        bounds.push(MilestoneBound { milestone, peer: peer.cloned(), range });
    }
    bounds
}

/// `{ at-least = "1s", at-most = "2s" }`.
pub(super) fn duration_range(
    title: &'static str,
    value: Value<'_>,
    problems: &Problems,
) -> Option<DurationRange> {
    let mut table = value.table(title, problems)?;
    let at_least = table.plain_duration("at-least", problems);
    let at_most = table.plain_duration("at-most", problems);
    check_range(at_least, at_most, value, problems);
    table.finish(problems);
    Some(DurationRange { at_least, at_most })
}

/// `1`, or `{ at-least = 1, at-most = 3 }`.
pub(super) fn count(value: Value<'_>, problems: &Problems) -> Option<CountRange> {
    if !value.is_table() {
        let count = value.integer(0..=1_000_000, problems)?;
        return Some(CountRange { at_least: count, at_most: Some(count) });
    }
    let mut table = value.table("this count", problems)?;
    let at_least = table.integer("at-least", 0..=1_000_000, problems);
    let at_most = table.integer("at-most", 0..=1_000_000, problems);
    check_range(at_least, at_most, value, problems);
    table.finish(problems);
    Some(CountRange { at_least: at_least.unwrap_or(0), at_most })
}

fn waived(value: Option<Value<'_>>, problems: &Problems) -> BTreeMap<AlwaysOn, String> {
    let Some(table) = value.and_then(|value| value.table("waive", problems)) else { return BTreeMap::new() };
    let mut waived = BTreeMap::new();
    for key in table.rest() {
        let Some(check) = AlwaysOn::from_word(key.name) else {
            let found = Found::new(key.name, AlwaysOn::WORDS.iter().copied());
            problems.add(ProblemKind::UnknownWord { what: "check", found }, key.span);
            continue;
        };
        if let Some(reason) = key.value.sentence(problems) {
            waived.insert(check, reason);
        }
    }
    waived
}

fn rates(value: Option<Value<'_>>, problems: &Problems) -> BTreeMap<Outcome, RateBand> {
    let Some(table) = value.and_then(|value| value.table("rates", problems)) else { return BTreeMap::new() };
    let mut rates = BTreeMap::new();
    for key in table.rest() {
        let Some(outcome) = Outcome::from_word(key.name) else {
            let found = Found::new(key.name, Outcome::WORDS.iter().copied());
            problems.add(ProblemKind::UnknownWord { what: "outcome", found }, key.span);
            continue;
        };
        let Some(mut table) = key.value.table(format!("rates.{outcome}"), problems) else { continue };
        let mut bound = |key| table.take(key).and_then(|value| value.probability(problems));
        let (at_least, at_most) = (bound("at-least"), bound("at-most"));
        check_range(at_least, at_most, key.value, problems);
        table.finish(problems);
        let band = RateBand {
            at_least: at_least.unwrap_or(Probability::ZERO),
            at_most: at_most.unwrap_or(Probability::ONE),
        };
        rates.insert(outcome, band);
    }
    rates
}

/// A range has a bound, and something lies in it.
pub(super) fn check_range<T: PartialOrd>(
    at_least: Option<T>,
    at_most: Option<T>,
    value: Value<'_>,
    problems: &Problems,
) {
    let is_empty_table = value.table("", problems).is_some_and(|table| table.is_empty());
    match (at_least, at_most) {
        (Some(least), Some(most)) if least > most => problems.add(ProblemKind::EmptyRange, value.span()),
        _ if is_empty_table => {
            let accepted = "at-least, at-most".to_owned();
            problems.add(ProblemKind::NotOne { what: "this range", found: 0, accepted }, value.span());
        }
        _ => {}
    }
}
