use std::time::Duration;

use signaller::client::Backoff;

use super::limits::{size, wait};
use crate::{
    format::reader::{Table, Value},
    plan::SignalingPlan,
};

/// `signaling = "rest"`, or `[peers.NAME.signaling]` with the client's settings.
pub(in crate::format) fn client(value: Value<'_>, peer: &str) -> SignalingPlan {
    let transport = |value: Value<'_>| {
        Some(SignalingPlan { transport: value.word("transport"), ..SignalingPlan::default() })
    };
    let settings = |value: Value<'_>| {
        value.table_or(
            |value| settings(value, peer),
            |value| value.wrong_type("a transport such as \"rest\", or a table of settings"),
        )
    };
    value.string_or(transport, settings).unwrap_or_default()
}

fn settings(value: Value<'_>, peer: &str) -> Option<SignalingPlan> {
    let table = value.table(format!("[peers.{peer}.signaling]"))?;
    let mut plan = SignalingPlan::default();
    let transport_doc = "How it reaches the signaller. Default: as `[signaller]` says.";
    plan.transport = table.get("transport", transport_doc, |value| value.word("transport"));
    let token_doc = "Which token it holds, where the signaller wants one.";
    table.set_word("token", token_doc, "token", &mut plan.token);
    fill(&mut plan, &table);
    table.finish();
    Some(plan)
}

fn fill(plan: &mut SignalingPlan, table: &Table<'_>) {
    let client = &mut plan.client;
    let wait = |key, doc, place: &mut Duration| table.set(key, doc, place, wait);
    wait("connect-within", "Longest wait for a connection.", &mut client.connect_within);
    let upgrade_doc = "Longest wait for the answer to a WebSocket upgrade.";
    wait("upgrade-within", upgrade_doc, &mut client.upgrade_within);
    let welcome_doc = "Longest wait for the signaller's first word on a new connection.";
    wait("welcome-within", welcome_doc, &mut client.welcome_within);
    wait("heartbeat", "How often a heartbeat is sent on a WebSocket.", &mut client.heartbeat);
    wait("heartbeat-within", "How soon something must be heard after it.", &mut client.heartbeat_within);
    let acknowledge_doc = "How long a message may stay unacknowledged.";
    wait("acknowledge-within", acknowledge_doc, &mut client.acknowledge_within);
    wait("cuts-within", "The time within which they count together.", &mut client.cuts_within);
    let poll_doc = "How long a poll asks the signaller to wait, in whole seconds.";
    wait("poll-wait", poll_doc, &mut client.poll_wait);
    let answer_doc = "Longest wait for an answer, beyond a poll's own wait.";
    wait("answer-within", answer_doc, &mut client.answer_within);
    let retry_doc = "The longest `Retry-After` that is obeyed.";
    wait("longest-retry-after", retry_doc, &mut client.longest_retry_after);
    wait("flush-within", "Longest time that closing takes.", &mut client.flush_within);
    let size = |key, doc, place: &mut usize| table.set(key, doc, place, size);
    size("queue", "Messages that wait to be confirmed.", &mut client.queue);
    size("events", "Events that wait to be taken.", &mut client.events);
    size("message-bytes", "Longest message, in bytes of JSON.", &mut client.message_bytes);
    let every_doc = "How many messages may stay unacknowledged.";
    table.set("acknowledge-every", every_doc, &mut client.acknowledge_every, |value| {
        value.integer(1..=10_000)
    });
    let cuts_doc = "So many WebSockets that are cut are reason to fall back to REST.";
    table.set("cuts", cuts_doc, &mut client.cuts, |value| value.integer(1..=1000));
    let attempts_doc = "Failed attempts in a row after which it gives up. Default: never.";
    client.attempts = table.get("attempts", attempts_doc, |value| value.integer(1..=10_000));
    backoff("backoff", "Waits between attempts that failed.", &mut client.backoff, table);
    backoff("probe", "Waits before a WebSocket is tried again from REST.", &mut client.probe, table);
}

/// `{ first = "500ms", longest = "15s" }`.
fn backoff(key: &'static str, doc: &str, backoff: &mut Backoff, table: &Table<'_>) {
    let Some(table) = table.get(key, doc, |value| value.table(key)) else { return };
    table.set("first", "The first; each is twice as long as the one before.", &mut backoff.first, wait);
    table.set("longest", "The longest.", &mut backoff.longest, wait);
    table.finish();
}
