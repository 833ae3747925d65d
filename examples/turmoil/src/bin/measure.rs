//! What `docs/turmoil.md` says about cost and repetition, measured: `cargo run --release -p example-turmoil
//! --bin measure`.
//!
//! Processor time of the thread that simulates. Idle hosts are pairs with a data channel and no media,
//! connected through the backend's host, in the second minute of their call.

use std::time::Duration;

use call_engine::{DataSettings, MediaStreamConstraints, Settings as EngineSettings};
use cpu_time::{ProcessTime, ThreadTime};
use example_turmoil::{
    EPOCH_S, Events, backend,
    participant::{Part, participate},
    play_with,
};
use webrtc_turmoil::{Settings, Simulation, SimulationError, simulate};

/// How many seeds are played twice.
const SEEDS: u64 = 40;

const LATENCY: Duration = Duration::from_millis(20);

const MINUTE: Duration = Duration::from_secs(60);

fn main() -> Result<(), SimulationError> {
    for hosts in [2, 10, 32] {
        let (connected, empty) = (idle_minute(hosts, connect)?, idle_minute(hosts, nothing)?);
        println!("an idle minute of {hosts} hosts: {connected:?} connected, {empty:?} with no software");
    }
    for latencies in [[30, 30], [20, 60]] {
        let begun = ProcessTime::now();
        let play = |seed| play_with(seed, latencies.map(Duration::from_millis));
        let differ = (1..=SEEDS).filter(|seed| play(*seed) != play(*seed)).count();
        let a_call = begun.elapsed() / (2 * SEEDS as u32);
        let [least, greatest] = latencies;
        println!(
            "latencies of {least} to {greatest} ms: {differ} of {SEEDS} seeds differ in their events, played twice \
             in one process; {a_call:?} a call"
        );
    }
    Ok(())
}

/// What a minute costs that begins after one minute.
fn idle_minute(hosts: usize, add: fn(&mut Simulation<'_>, usize)) -> Result<Duration, SimulationError> {
    let network = |builder: &mut turmoil::Builder| {
        builder.simulation_duration(5 * MINUTE);
        builder.min_message_latency(LATENCY).max_message_latency(LATENCY);
    };
    simulate(Settings { seed: 1, epoch_s: EPOCH_S }, network, |sim| {
        add(sim, hosts);
        sim.run_until(MINUTE)?;
        let begun = ThreadTime::now();
        sim.run_until(2 * MINUTE)?;
        Ok(begun.elapsed())
    })
}

fn nothing(sim: &mut Simulation<'_>, hosts: usize) {
    for host in 0..hosts {
        sim.client(format!("host-{host}"), std::future::pending());
    }
}

fn connect(sim: &mut Simulation<'_>, hosts: usize) {
    sim.host("backend", backend::serve);
    for pair in 0..hosts / 2 {
        let names = [format!("callee-{pair}"), format!("caller-{pair}")];
        for (who, dials) in [(&names[0], None), (&names[1], Some(names[0].clone()))] {
            let mut settings = EngineSettings::new(who.as_str());
            settings.media = MediaStreamConstraints { audio: false, video: None };
            settings.data = Some(DataSettings::default());
            let call = format!("room-{pair}");
            let part = Part { who: who.clone(), call, dials, hangs_up_after: None, settings };
            sim.client(who.as_str(), participate(part, Events::default()));
        }
    }
}
