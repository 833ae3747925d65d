//! A team's backend and a call, in one turmoil simulation: an axum service that hands out tokens and carries
//! the signalling, and two participants whose peers are real `webrtc`. While the call lasts the caller is cut
//! off from the backend, and the callee hangs up in that time.

pub mod backend;
pub mod participant;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use call_engine::Settings as EngineSettings;
use participant::{Part, participate};
use webrtc_turmoil::{Settings, SimulationError, simulate};

/// What the wall clock shows when the simulation begins: 2026-01-01T00:00:00Z.
pub const EPOCH_S: u64 = 1_767_225_600;

/// What happened: each with its millisecond and who saw it.
pub type Events = Arc<Mutex<Vec<String>>>;

/// Plays the call with one seed; what happened. The same seed gives the same events.
///
/// All links have one latency, which the seed chooses. From a band turmoil would draw for each message, and
/// one message more would shift all draws behind it.
///
/// # Errors
/// [`SimulationError`], where a participant or the backend failed.
pub fn play(seed: u64) -> Result<Vec<String>, SimulationError> {
    play_with(seed, [Duration::from_millis(10 + seed % 50); 2])
}

/// As [`play`], with the least and the greatest latency.
///
/// # Errors
/// As for [`play`].
pub fn play_with(seed: u64, [least, greatest]: [Duration; 2]) -> Result<Vec<String>, SimulationError> {
    let network = |builder: &mut turmoil::Builder| {
        builder.simulation_duration(Duration::from_secs(120));
        builder.min_message_latency(least).max_message_latency(greatest);
    };
    simulate(Settings { seed, epoch_s: EPOCH_S }, network, |sim| {
        let events = Events::default();
        sim.host("backend", backend::serve);
        sim.client("callee", participate(part("callee", None, Some(10)), Arc::clone(&events)));
        sim.client("caller", participate(part("caller", Some("callee"), None), Arc::clone(&events)));

        sim.run_until(Duration::from_secs(5))?;
        note(&events, 5000, "the caller is cut off from the backend");
        sim.partition("caller", "backend");
        sim.run_until(Duration::from_secs(20))?;
        note(&events, 20_000, "the partition is over");
        sim.repair("caller", "backend");
        sim.run()?;

        let events = events.lock().map_err(|_| "a participant panicked")?;
        Ok(events.clone())
    })
}

fn part(who: &str, dials: Option<&str>, hangs_up_after_s: Option<u64>) -> Part {
    Part {
        who: who.to_owned(),
        call: "room-1".to_owned(),
        dials: dials.map(str::to_owned),
        hangs_up_after: hangs_up_after_s.map(Duration::from_secs),
        settings: EngineSettings::new(who),
    }
}

fn note(events: &Events, at_ms: u128, what: &str) {
    if let Ok(mut events) = events.lock() {
        events.push(format!("{at_ms:>6}  {what}"));
    }
}
