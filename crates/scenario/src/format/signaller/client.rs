use signaller::client::Backoff;

use super::limits::{sizes, waits};
use crate::{
    format::{
        error::Problems,
        reader::{Table, Value},
        values::vocabulary,
    },
    plan::{SignalingPlan, TokenHeld, TransportPlan},
};

/// `signaling = "rest"`, or `[peers.NAME.signaling]` with the client's settings.
pub(in crate::format) fn client(value: Value<'_>, peer: &str, problems: &Problems) -> SignalingPlan {
    let mut plan = SignalingPlan::default();
    if value.is_string() {
        plan.transport = value.word(&vocabulary!("transport", TransportPlan), problems);
        return plan;
    }
    if !value.is_table() {
        value.wrong_type("a transport such as \"rest\", or a table of settings", problems);
        return plan;
    }
    let Some(mut table) = value.table(format!("[peers.{peer}.signaling]"), problems) else { return plan };
    plan.transport = table.word("transport", &vocabulary!("transport", TransportPlan), problems);
    if let Some(token) = table.word("token", &vocabulary!("token", TokenHeld), problems) {
        plan.token = token;
    }
    fill(&mut plan, &mut table, problems);
    table.finish(problems);
    plan
}

fn fill(plan: &mut SignalingPlan, table: &mut Table<'_>, problems: &Problems) {
    let client = &mut plan.client;
    waits(
        [
            ("connect-within", &mut client.connect_within),
            ("upgrade-within", &mut client.upgrade_within),
            ("welcome-within", &mut client.welcome_within),
            ("heartbeat", &mut client.heartbeat),
            ("heartbeat-within", &mut client.heartbeat_within),
            ("acknowledge-within", &mut client.acknowledge_within),
            ("cuts-within", &mut client.cuts_within),
            ("poll-wait", &mut client.poll_wait),
            ("answer-within", &mut client.answer_within),
            ("longest-retry-after", &mut client.longest_retry_after),
            ("flush-within", &mut client.flush_within),
        ],
        table,
        problems,
    );
    sizes(
        [
            ("queue", &mut client.queue),
            ("events", &mut client.events),
            ("message-bytes", &mut client.message_bytes),
        ],
        table,
        problems,
    );
    let count = |found: Option<u64>| found.and_then(|found| u32::try_from(found).ok());
    if let Some(every) = count(table.integer("acknowledge-every", 1..=10_000, problems)) {
        client.acknowledge_every = every;
    }
    if let Some(cuts) = count(table.integer("cuts", 1..=1000, problems)) {
        client.cuts = cuts;
    }
    if let Some(attempts) = count(table.integer("attempts", 1..=10_000, problems)) {
        client.attempts = Some(attempts);
    }
    backoff("backoff", &mut client.backoff, table, problems);
    backoff("probe", &mut client.probe, table, problems);
}

/// `{ first = "500ms", longest = "15s" }`.
fn backoff(key: &'static str, backoff: &mut Backoff, table: &mut Table<'_>, problems: &Problems) {
    let Some(mut table) = table.take(key).and_then(|value| value.table(key, problems)) else { return };
    waits([("first", &mut backoff.first), ("longest", &mut backoff.longest)], &mut table, problems);
    table.finish(problems);
}
