//! What scenarios say of the peers' engines: `[engine]` for the guards of all, and `recovery`, `data-channels`,
//! `statistics` and `media-silence` at a peer.

use std::time::Duration;

use call_engine::{Guards, Rebuilds, Recovery};

use super::{
    error::{ProblemKind, Problems},
    reader::{Table, Value},
    values::set,
};
use crate::plan::EnginePlan;

/// `[engine]`: which guards are off. Every guard is on unless a test wants to see what it is good for.
pub(super) fn guards(value: Option<Value<'_>>, problems: &Problems) -> Guards {
    let mut guards = Guards::ALL_ON;
    let Some(mut table) = value.and_then(|value| value.table("[engine]", problems)) else { return guards };
    for name in Guards::NAMES {
        if let Some(on) = table.take(name).and_then(|value| value.boolean(problems)) {
            guards.set(name, on).expect("a guard that is listed");
        }
    }
    table.finish(problems);
    guards
}

/// What a peer's table says of its engine.
pub(super) fn take_engine(table: &mut Table<'_>, problems: &Problems) -> EnginePlan {
    let data_channels = table.take("data-channels").and_then(|value| value.boolean(problems));
    EnginePlan {
        recovery: table.take("recovery").and_then(|value| recovery(value, problems)),
        data_channels: data_channels.unwrap_or(false),
        statistics: table.plain_duration("statistics", problems),
        media_silence: table.plain_duration("media-silence", problems),
    }
}

/// `true`, `false`, or a table of what differs from the engine's own settings.
fn recovery(value: Value<'_>, problems: &Problems) -> Option<Recovery> {
    if !value.is_table() {
        return value.boolean(problems)?.then(Recovery::default);
    }
    let mut table = value.table("recovery", problems)?;
    let mut recovery = Recovery::default();
    set(&mut recovery.disconnected_wait, table.plain_duration("disconnected-wait", problems));
    set(&mut recovery.checking, rung(&mut table, "checking", problems));
    set(&mut recovery.dtls_handshake, rung(&mut table, "dtls-handshake", problems));
    set(&mut recovery.ice_restart, rung(&mut table, "ice-restart", problems));
    set(&mut recovery.relay_restart, rung(&mut table, "relay-restart", problems));
    set(&mut recovery.follower_grace, table.plain_duration("follower-grace", problems));
    set(&mut recovery.give_up, table.plain_duration("give-up", problems));
    let patience = table.plain_duration("rebuild-within", problems);
    let attempts = table.integer("rebuilds", 0..=100, problems);
    let mut rebuilds = recovery.rebuilds.unwrap_or(Rebuilds { patience: Duration::ZERO, attempts: 0 });
    set(&mut rebuilds.patience, patience);
    set(&mut rebuilds.attempts, attempts.and_then(|attempts| u32::try_from(attempts).ok()));
    recovery.rebuilds = (rebuilds.attempts > 0).then_some(rebuilds);
    table.finish(problems);
    Some(recovery)
}

/// How long a rung may take; `false` leaves it out.
fn rung(table: &mut Table<'_>, key: &'static str, problems: &Problems) -> Option<Option<Duration>> {
    let value = table.take(key)?;
    if value.is_string() {
        return value.duration(problems).map(Some);
    }
    match value.boolean(problems)? {
        false => Some(None),
        true => {
            let reason = format!("`{key}` is a duration, or `false`");
            problems.add(ProblemKind::Impossible { reason }, value.span());
            None
        }
    }
}
