//! What scenarios say of the peers' engines: `[engine]` for the guards of all, and `recovery`,
//! `data-channels`, `statistics` and `media-silence` at a peer.

use std::time::Duration;

use call_engine::{Guards, Rebuilds, Recovery};

use super::{
    error::ProblemKind,
    reader::{Table, Value},
    values::set,
};
use crate::plan::EnginePlan;

/// `[engine]`: which guards are off. Every guard is on unless a test wants to see what it is good for.
pub(super) fn guards(value: Option<Value<'_>>) -> Guards {
    let mut guards = Guards::ALL_ON;
    let Some(table) = value.and_then(|value| value.table("[engine]")) else { return guards };
    for name in Guards::NAMES {
        if let Some(on) = table.get(name, "Whether this guard is on. Default: true.", Value::boolean) {
            guards.set(name, on).expect("a guard that is listed");
        }
    }
    table.finish();
    guards
}

/// What a peer's table says of its engine.
pub(super) fn take_engine(table: &Table<'_>) -> EnginePlan {
    let mut plan = EnginePlan::default();
    let recovery_doc =
        "How its engine recovers a connection that fails; `true` for its own settings. Default: not at all.";
    plan.recovery = table.get("recovery", recovery_doc, recovery);
    let data_doc = "Whether it has data channels; both sides must have them or not.";
    table.set("data-channels", data_doc, &mut plan.data_channels, Value::boolean);
    plan.statistics =
        table.get("statistics", "How often it takes statistics. Default: never.", Value::duration);
    let silence_doc = "After which silence it calls a remote track paused. Default: never.";
    plan.media_silence = table.get("media-silence", silence_doc, Value::duration);
    plan
}

/// `true`, `false`, or a table of what differs from the engine's own settings.
fn recovery(value: Value<'_>) -> Option<Recovery> {
    value.table_or(recovery_table, |value| value.boolean()?.then(Recovery::default))
}

fn recovery_table(value: Value<'_>) -> Option<Recovery> {
    let table = value.table("recovery")?;
    let mut recovery = Recovery::default();
    let limit = |key, doc: &str, place: &mut Option<Duration>| {
        let default = place.map(|time| format!(" Default: {}.", humantime::format_duration(time)));
        set(
            place,
            table.get(key, &format!("{doc}{}", default.unwrap_or_default()), |value| step(key, value)),
        );
    };
    limit(
        "checking",
        "How long ICE may stay in `checking` when the call first connects; `false`: any time.",
        &mut recovery.checking,
    );
    limit(
        "dtls-handshake",
        "How long the DTLS handshake may take; `false`: any time.",
        &mut recovery.dtls_handshake,
    );
    limit(
        "renegotiate",
        "How long the caller may leave the callee's wish for a new peer connection unanswered; then ICE is restarted instead; \
         `false`: as long as an offer.",
        &mut recovery.renegotiate,
    );
    limit(
        "ice-restart",
        "How long an ICE restart may take; `false` leaves it out.",
        &mut recovery.ice_restart,
    );
    limit(
        "relay-restart",
        "How long an ICE restart over TURN alone may take; `false` leaves it out.",
        &mut recovery.relay_restart,
    );
    limit(
        "absent",
        "How long the other side may be absent from the signaller while the connection is lost, until the call ends; \
         `false`: until `give-up`.",
        &mut recovery.absent,
    );
    let wait = |key, doc, place: &mut Duration| table.set(key, doc, place, Value::duration);
    wait("disconnected-wait", "How long `disconnected` may heal by itself.", &mut recovery.disconnected_wait);
    wait("follower-grace", "How much longer than the caller the callee waits.", &mut recovery.follower_grace);
    wait("give-up", "From the loss of the connection to the end of the call.", &mut recovery.give_up);
    let mut rebuilds = recovery.rebuilds.unwrap_or(Rebuilds { patience: Duration::ZERO, attempts: 0 });
    wait("rebuild-within", "How long a rebuilt peer connection may take.", &mut rebuilds.patience);
    let attempts_doc = "How often the peer connection is rebuilt.";
    table.set("rebuilds", attempts_doc, &mut rebuilds.attempts, |value| value.integer(0..=100));
    recovery.rebuilds = (rebuilds.attempts > 0).then_some(rebuilds);
    table.finish();
    Some(recovery)
}

/// How long a step of the recovery may take; `false` leaves it out.
fn step(key: &str, value: Value<'_>) -> Option<Option<Duration>> {
    value.string_or(
        |value| value.duration().map(Some),
        |value| match value.boolean()? {
            false => Some(None),
            true => {
                let reason = format!("`{key}` is a duration, or `false`");
                value.problem(ProblemKind::Impossible { reason })
            }
        },
    )
}
