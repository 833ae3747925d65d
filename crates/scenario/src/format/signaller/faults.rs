//! What goes wrong with the signalling: `{ drop = "answer", from = "callee" }`,
//! `{ websocket = "cut", after = "4s" }`, `{ rest = "slow", by = "3s", request = "poll" }`.

use std::time::Duration;

use signaller::{
    Kind,
    relay::{Fault, FaultRule, RestFault, RestRequest, RestRule, WebSocketFault, WebSocketRule, Window},
};
use timeline::Name;

use crate::{
    format::{
        error::{ProblemKind, Problems},
        reader::{Table, Value},
        values::vocabulary,
    },
    plan::{FaultsPlan, FaultyMessage},
};

/// The keys that say what goes wrong; a fault has one of them.
const KINDS: [&str; 6] = ["drop", "duplicate", "delay", "reorder", "websocket", "rest"];
const WEBSOCKET_WORDS: &[&str] = &["refused", "hangs", "cut", "half-open", "buffered"];
const REST_WORDS: &[&str] = &["too-many-requests", "server-error", "answer-lost", "slow"];
/// The most bytes that may be named.
const MOST_BYTES: u64 = 1 << 30;

pub(in crate::format) fn faults(value: Value<'_>, peers: &[Name], problems: &Problems) -> FaultsPlan {
    let mut faults = FaultsPlan::default();
    for value in value.list("a list of faults", problems) {
        match fault(value, peers, problems) {
            Some(One::Message(rule)) => faults.messages.push(rule),
            Some(One::WebSocket(rule)) => faults.endpoints.websocket.push(rule),
            Some(One::Rest(rule)) => faults.endpoints.rest.push(rule),
            None => {}
        }
    }
    faults
}

/// What a profile does to the signalling of `peer`, who is on it.
pub(in crate::format) fn of_profile(faults: &FaultsPlan, peer: &Name) -> FaultsPlan {
    let mut own = faults.clone();
    own.messages.iter_mut().for_each(|rule| rule.from = Some(peer.clone()));
    own.endpoints.websocket.iter_mut().for_each(|rule| rule.from = Some(peer.clone()));
    own.endpoints.rest.iter_mut().for_each(|rule| rule.from = Some(peer.clone()));
    own
}

enum One {
    Message(FaultRule),
    WebSocket(WebSocketRule),
    Rest(RestRule),
}

fn fault(value: Value<'_>, peers: &[Name], problems: &Problems) -> Option<One> {
    let mut table = value.table("a fault", problems)?;
    let found: Vec<(&'static str, Value<'_>)> =
        KINDS.into_iter().filter_map(|kind| Some((kind, table.take(kind)?))).collect();
    let [(kind, what)] = found.as_slice() else {
        let (found, accepted) = (found.len(), KINDS.join(", "));
        problems.add(ProblemKind::NotOne { what: "a fault", found, accepted }, value.span());
        return None;
    };
    let nth = table.integer("nth", 1..=u64::from(u32::MAX), problems);
    let nth = nth.and_then(|nth| u32::try_from(nth).ok());
    let window = window(&mut table, problems);
    let read = match *kind {
        "websocket" => websocket(*what, &mut table, problems).and_then(|fault| {
            let from = who("peer", &mut table, peers, problems)?;
            Some(One::WebSocket(WebSocketRule { from, nth, window, fault }))
        }),
        "rest" => rest(*what, &mut table, problems).and_then(|fault| {
            let from = who("peer", &mut table, peers, problems)?;
            let request = request(&mut table, problems)?;
            Some(One::Rest(RestRule { request, from, nth, window, fault }))
        }),
        kind => message(kind, *what, &mut table, problems).and_then(|(message, fault)| {
            let from = who("from", &mut table, peers, problems)?;
            Some(One::Message(FaultRule { message, from, nth, window, fault }))
        }),
    };
    if read.is_some() {
        table.finish(problems);
    }
    read
}

fn message(
    kind: &str,
    what: Value<'_>,
    table: &mut Table<'_>,
    problems: &Problems,
) -> Option<(Option<Kind>, Fault)> {
    let word = what.word(&vocabulary!("message", FaultyMessage), problems)?;
    let fault = match kind {
        "drop" => Fault::Drop,
        "duplicate" => Fault::Duplicate,
        "delay" => Fault::Delay(table.require("by", problems)?.duration(problems)?),
        _ => Fault::Reorder { within: table.require("within", problems)?.duration(problems)? },
    };
    // `any` is no type of message.
    Some((Kind::from_word(word.as_str()), fault))
}

fn websocket(what: Value<'_>, table: &mut Table<'_>, problems: &Problems) -> Option<WebSocketFault> {
    Some(match what.known_text("WebSocket fault", WEBSOCKET_WORDS, problems)?.as_str() {
        "refused" => {
            let status = table.integer("status", 400..=599, problems);
            let status = status.and_then(|status| u16::try_from(status).ok());
            WebSocketFault::Refused { status: status.unwrap_or(403) }
        }
        "hangs" => WebSocketFault::Hangs,
        "cut" => return cut(what, table, problems),
        "half-open" => WebSocketFault::HalfOpenAfter(table.require("after", problems)?.duration(problems)?),
        _ => WebSocketFault::Buffered {
            bytes: bytes(table.require("bytes", problems)?, problems)?,
            within: table.require("within", problems)?.duration(problems)?,
        },
    })
}

/// After a time or after a number of bytes.
fn cut(what: Value<'_>, table: &mut Table<'_>, problems: &Problems) -> Option<WebSocketFault> {
    match (table.take("after"), table.take("after-bytes")) {
        (Some(after), None) => Some(WebSocketFault::CutAfter(after.duration(problems)?)),
        (None, Some(count)) => {
            let count = bytes(count, problems)?;
            Some(WebSocketFault::CutAfterBytes(u64::try_from(count).ok()?))
        }
        (after, _) => {
            let (found, accepted) = (usize::from(after.is_some()) * 2, "after, after-bytes".to_owned());
            problems.add(ProblemKind::NotOne { what: "this cut", found, accepted }, what.span());
            None
        }
    }
}

fn bytes(value: Value<'_>, problems: &Problems) -> Option<usize> {
    usize::try_from(value.integer(1..=MOST_BYTES, problems)?).ok()
}

fn rest(what: Value<'_>, table: &mut Table<'_>, problems: &Problems) -> Option<RestFault> {
    Some(match what.known_text("REST fault", REST_WORDS, problems)?.as_str() {
        "too-many-requests" => RestFault::TooManyRequests {
            retry_after: table.plain_duration("retry-after", problems).unwrap_or(Duration::from_secs(1)),
        },
        "server-error" => RestFault::ServerError,
        "answer-lost" => RestFault::AnswerLost,
        _ => RestFault::Slow(table.require("by", problems)?.duration(problems)?),
    })
}

fn request(table: &mut Table<'_>, problems: &Problems) -> Option<Option<RestRequest>> {
    let Some(value) = table.take("request") else { return Some(None) };
    match value.known_text("request", &["post", "poll"], problems)?.as_str() {
        "post" => Some(Some(RestRequest::Post)),
        _ => Some(Some(RestRequest::Poll)),
    }
}

/// Of whom; `Some(None)` where nobody is named.
fn who(
    key: &'static str,
    table: &mut Table<'_>,
    peers: &[Name],
    problems: &Problems,
) -> Option<Option<Name>> {
    match table.take(key) {
        None => Some(None),
        Some(value) => value.peer(peers, problems).map(Some),
    }
}

/// `begins` and `ends`, counted from the beginning of the run.
fn window(table: &mut Table<'_>, problems: &Problems) -> Window {
    let from = table.plain_duration("begins", problems).unwrap_or_default();
    let until = table.duration("ends", problems);
    if let Some((until, at)) = &until
        && *until <= from
    {
        problems.add(ProblemKind::EndsBeforeItBegins { begins: from, ends: *until }, at.clone());
    }
    Window { from, until: until.map(|(until, _)| until) }
}
