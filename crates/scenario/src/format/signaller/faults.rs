//! What goes wrong with the signalling: `{ drop = "answer", from = "callee" }`,
//! `{ websocket = "cut", after = "4s" }`, `{ rest = "slow", by = "3s", request = "poll" }`.

use std::time::Duration;

use signaller::{
    Kind,
    relay::{Fault, FaultRule, RestFault, RestRule, WebSocketFault, WebSocketRule, Window},
};
use timeline::Name;

use crate::{
    format::{
        error::ProblemKind,
        reader::{Table, Value},
    },
    plan::FaultsPlan,
};

/// The most bytes that may be named.
const MOST_BYTES: u64 = 1 << 30;

pub(in crate::format) fn faults(value: Value<'_>, peers: &[Name]) -> FaultsPlan {
    let mut faults = FaultsPlan::default();
    for value in value.list("a list of faults", 0..) {
        match value.named("fault", |value| fault(value, peers)) {
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

fn fault(value: Value<'_>, peers: &[Name]) -> Option<One> {
    let table = value.table("a fault")?;
    let nth = table.get("nth", "Only the N-th that fits.", |value| value.integer(1..=u64::from(u32::MAX)));
    let window = window(&table);
    let from = |key, doc| who(&table, key, doc, peers);
    let message = |what, fault: Option<Fault>| {
        let (message, from) = (message(what), from("from", "Only messages of this peer."));
        Some(One::Message(FaultRule { message: message?, from: from?, nth, window, fault: fault? }))
    };
    let duration = |key, doc| table.need(key, doc, Value::duration);
    let read = table.one_of(
        "a fault",
        value.span(),
        &[
            ("drop", "Such messages are accepted and never passed on.", &|what| {
                message(what, Some(Fault::Drop))
            }),
            ("duplicate", "Such messages are passed on twice.", &|what| {
                message(what, Some(Fault::Duplicate))
            }),
            ("delay", "Such messages are kept back, `by` so long.", &|what| {
                message(what, duration("by", "How long a message is kept back.").map(Fault::Delay))
            }),
            (
                "reorder",
                "Such messages change places with the next one of their sender, where one comes `within` \
                 this time.",
                &|what| {
                    let within = duration("within", "How long a message waits for another.");
                    message(what, within.map(|within| Fault::Reorder { within }))
                },
            ),
            ("websocket", "What happens to WebSockets.", &|what| {
                let (fault, from) = (websocket(what, &table), from("peer", OF_PEER));
                Some(One::WebSocket(WebSocketRule { from: from?, nth, window, fault: fault? }))
            }),
            ("rest", "What happens to REST requests.", &|what| {
                let (fault, from) = (rest(what, &table), from("peer", OF_PEER));
                let request = table.take("request", "Only requests of this type.");
                let request = request.map_or(Some(None), |value| value.word("request").map(Some));
                Some(One::Rest(RestRule { request: request?, from: from?, nth, window, fault: fault? }))
            }),
        ],
    );
    // Where it is not clear what goes wrong, it is not clear which other keys belong to it.
    match read {
        Some(_) => table.finish(),
        None => table.leave(),
    }
    read
}

const OF_PEER: &str = "Only WebSockets or requests of this peer.";

/// The messages that can go wrong.
const FAULTY: &[Kind] = &[
    Kind::Ring,
    Kind::Ringing,
    Kind::Accept,
    Kind::Reject,
    Kind::Offer,
    Kind::Answer,
    Kind::Candidate,
    Kind::EndOfCandidates,
    Kind::Bye,
];

/// What stands for all of [`FAULTY`].
const ANY: &str = "any";

/// One of [`FAULTY`], or [`ANY`] of them.
fn message(value: Value<'_>) -> Option<Option<Kind>> {
    super::kind_of(value, &[ANY], FAULTY)
}

timeline::words! {
    /// What happens to a WebSocket.
    enum WebSocketWord {
        /// The upgrade is refused with a `status`.
        Refused = "refused",
        /// The upgrade is never answered.
        Hangs = "hangs",
        /// It is cut `after` a time or `after-bytes`, without a close frame.
        Cut = "cut",
        /// `after` a time nothing passes any more, and neither end learns of it.
        HalfOpen = "half-open",
        /// A proxy keeps what the signaller sends until it has so many `bytes`, or for `within`.
        Buffered = "buffered",
    }
}

fn websocket(what: Value<'_>, table: &Table<'_>) -> Option<WebSocketFault> {
    let cut = |what: Value<'_>| {
        table.one_of(
            "this cut",
            what.span(),
            &[
                ("after", "How long a WebSocket lives before it is cut.", &|after| {
                    Some(WebSocketFault::CutAfter(after.duration()?))
                }),
                ("after-bytes", "How many bytes pass before a WebSocket is cut.", &|count| {
                    Some(WebSocketFault::CutAfterBytes(count.integer(1..=MOST_BYTES)?))
                }),
            ],
        )
    };
    what.word_then("WebSocket fault", |word| match word {
        WebSocketWord::Refused => {
            let mut status = 403;
            let doc = "With which status an upgrade is refused.";
            table.set("status", doc, &mut status, |value| value.integer(400..=599));
            Some(WebSocketFault::Refused { status })
        }
        WebSocketWord::Hangs => Some(WebSocketFault::Hangs),
        WebSocketWord::Cut => cut(what),
        WebSocketWord::HalfOpen => {
            let after = table.need("after", "How long one lives before it falls silent.", Value::duration);
            Some(WebSocketFault::HalfOpenAfter(after?))
        }
        WebSocketWord::Buffered => {
            let bytes = table
                .need("bytes", "How many bytes a proxy waits for.", |value| value.integer(1..=MOST_BYTES));
            let within = table.need("within", "How long a proxy keeps what it has.", Value::duration);
            Some(WebSocketFault::Buffered { bytes: bytes?, within: within? })
        }
    })
}

timeline::words! {
    /// What happens to a REST request.
    enum RestWord {
        /// Answered 429, with `retry-after`.
        TooManyRequests = "too-many-requests",
        /// Not carried out, and answered 500.
        ServerError = "server-error",
        /// Carried out, and answered 500.
        AnswerLost = "answer-lost",
        /// Carried out `by` so much later.
        Slow = "slow",
    }
}

fn rest(what: Value<'_>, table: &Table<'_>) -> Option<RestFault> {
    what.word_then("REST fault", |word| match word {
        RestWord::TooManyRequests => {
            let mut retry_after = Duration::from_secs(1);
            table.set("retry-after", "What 429 asks for.", &mut retry_after, Value::duration);
            Some(RestFault::TooManyRequests { retry_after })
        }
        RestWord::ServerError => Some(RestFault::ServerError),
        RestWord::AnswerLost => Some(RestFault::AnswerLost),
        RestWord::Slow => Some(RestFault::Slow(table.need(
            "by",
            "How much later a request is carried out.",
            Value::duration,
        )?)),
    })
}

/// Of which peer; `Some(None)` where none is named.
fn who(table: &Table<'_>, key: &'static str, doc: &str, peers: &[Name]) -> Option<Option<Name>> {
    table.take(key, doc).map_or(Some(None), |value| value.peer(peers).map(Some))
}

/// `begins` and `ends`, counted from the beginning of the run.
fn window(table: &Table<'_>) -> Window {
    let mut from = Duration::ZERO;
    table.set("begins", "Only from this moment of the run on.", &mut from, Value::duration);
    let until = table.get("ends", "Only before this moment of the run.", |value| {
        let until = value.duration()?;
        if until <= from {
            value.problem::<()>(ProblemKind::EndsBeforeItBegins { begins: from, ends: until });
        }
        Some(until)
    });
    Window { from, until }
}
