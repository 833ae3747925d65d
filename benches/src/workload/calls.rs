//! Whole calls.

use std::fmt::Write as _;

use scenario::{metrics, plan::Outcome, plan::Plan, record::RunRecord, run::Player};
use timeline::Protocol;

use super::{Broken, PrepareError, Prepared, Region, Size, Workload, within};

/// In the order in which they are shown.
pub(super) const ALL: &[Workload] = &[
    Workload {
        id: "call/websocket",
        about: "Two people on one network, signalling over WebSocket, Opus and VP8: from the start of the world \
                to a connected call with media both ways, its end, and the end of the world.",
        unit: "call",
        prepare: |size, region| calls("call/websocket", &Script::SHORT, size, region),
    },
    Workload {
        id: "call/rest",
        about: "The same, signalling by REST requests and long polls.",
        unit: "call",
        prepare: |size, region| {
            calls("call/rest", &Script { transport: "rest", hang_up_ms: 1500, ..Script::SHORT }, size, region)
        },
    },
    Workload {
        id: "call/full-codecs",
        about: "The same over WebSocket, with every codec that the library registers.",
        unit: "call",
        prepare: |size, region| {
            calls("call/full-codecs", &Script { codecs: "full", ..Script::SHORT }, size, region)
        },
    },
    Workload {
        id: "call/seeded-crypto",
        about: "The same over WebSocket, with the project's own crypto provider.",
        unit: "call",
        prepare: |size, region| {
            calls("call/seeded-crypto", &Script { crypto: "seeded", ..Script::SHORT }, size, region)
        },
    },
    Workload {
        id: "media/minute",
        about: "The call over WebSocket with a minute of audio and video both ways; units are media packets.",
        unit: "media packet",
        prepare: |size, region| {
            let hang_up_ms = if size == Size::Full { 60_500 } else { 2500 };
            media("media/minute", &Script { hang_up_ms, ..Script::SHORT }, region)
        },
    },
    Workload {
        id: "idle/minute",
        about: "The call over WebSocket, connected for a minute in which both sides are muted.",
        unit: "call",
        prepare: |size, region| {
            let hang_up_ms = if size == Size::Full { 60_500 } else { 2500 };
            calls("idle/minute", &Script { hang_up_ms, mute: true, ..Script::SHORT }, size, region)
        },
    },
    Workload {
        id: "calls-in-one-world/1",
        about: "One call in a world, as the measure for the next.",
        unit: "call",
        prepare: |size, region| in_one_world("calls-in-one-world/1", 1, size, region),
    },
    Workload {
        id: "calls-in-one-world/10",
        about: "Ten calls in one world: one signaller, twenty hosts, ten dials a millisecond.",
        unit: "call",
        prepare: |size, region| in_one_world("calls-in-one-world/10", 10, size, region),
    },
    Workload {
        id: "calls-in-one-world/100",
        about: "A hundred calls in one world.",
        unit: "call",
        prepare: |size, region| in_one_world("calls-in-one-world/100", 100, size, region),
    },
    Workload {
        id: "calls-in-one-world/1000",
        about: "A thousand calls in one world, all under way before the first one ends.",
        unit: "call",
        prepare: |size, region| in_one_world("calls-in-one-world/1000", 1000, size, region),
    },
];

/// When the first peer dials, in virtual milliseconds: the WebSockets are open by then.
const DIAL_MS: u64 = 200;
/// How many dial in one millisecond: a thousand calls have all begun well before the first one ends.
pub(super) const CALLS_PER_MS: u64 = 10;

/// What the calls of a workload have in common.
#[derive(Clone, Copy)]
struct Script {
    transport: &'static str,
    codecs: &'static str,
    crypto: &'static str,
    /// When the caller hangs up, in virtual milliseconds after the dial.
    hang_up_ms: u64,
    /// Whether both sides are muted half a second after the dial.
    mute: bool,
    /// How many calls, [`CALLS_PER_MS`].
    calls: u64,
}

impl Script {
    /// Connected after some 450 ms, it hangs up as soon as the first media has gone both ways.
    const SHORT: Self = Self {
        transport: "websocket",
        codecs: "opus-vp8",
        crypto: "ring",
        hang_up_ms: 550,
        mute: false,
        calls: 1,
    };

    fn plan(&self, id: &'static str) -> Result<Plan, PrepareError> {
        let Self { transport, codecs, crypto, calls, .. } = self;
        let mut text =
            format!("version = 1\nsummary = \"{id}\"\ndeadline = \"10m\"\nevent-budget = 100_000_000\n");
        // As many as a world may have; by itself the relay takes 1024.
        let limits = "{ participants = 4096 }";
        let _ = writeln!(text, "[signaller]\ntransport = \"{transport}\"\nlimits = {limits}");
        for call in 0..*calls {
            for side in ["caller", "callee"] {
                let _ = writeln!(text, "[peers.{side}-{call}]\ncodecs = \"{codecs}\"\ncrypto = \"{crypto}\"");
            }
        }
        let mut steps: Vec<(u64, String)> = (0..*calls).flat_map(|call| self.steps(call)).collect();
        steps.sort_by_key(|(at_ms, _)| *at_ms);
        for (at_ms, step) in steps {
            let _ = writeln!(text, "[[steps]]\nat = \"{at_ms}ms\"\n{step}");
        }
        text.push_str("[expect]\n");
        Plan::from_toml(id, &text).map_err(|error| {
            let lines = error.lines().collect::<Vec<_>>().join("\n");
            PrepareError::Broken { id, what: Broken::Plan { lines } }
        })
    }

    fn steps(&self, call: u64) -> Vec<(u64, String)> {
        let dial_ms = DIAL_MS + call / CALLS_PER_MS;
        let mut steps = vec![
            (dial_ms, format!("caller-{call} = {{ dial = \"callee-{call}\" }}")),
            (dial_ms + self.hang_up_ms, format!("caller-{call} = \"hang-up\"")),
        ];
        if self.mute {
            for side in ["caller", "callee"] {
                for kind in ["audio", "video"] {
                    steps.push((dial_ms + 500, format!("{side}-{call} = \"disable-{kind}\"")));
                }
            }
        }
        steps
    }
}

/// Ten calls a run, each in a world of its own with a seed of its own; the same in each run.
fn calls(id: &'static str, script: &Script, size: Size, region: Region) -> Result<Prepared, PrepareError> {
    determinism::supported()?;
    let plan = script.plan(id)?;
    let seeds = if size == Size::Full { 1..=10 } else { 1..=1 };
    Ok(Box::new(move || {
        seeds.clone().for_each(|seed| drop(play(&plan, seed, region)));
        seeds.clone().count() as u64
    }))
}

fn media(id: &'static str, script: &Script, region: Region) -> Result<Prepared, PrepareError> {
    determinism::supported()?;
    let plan = script.plan(id)?;
    Ok(Box::new(move || media_packets(&play(&plan, 1, region))))
}

fn in_one_world(id: &'static str, calls: u64, size: Size, region: Region) -> Result<Prepared, PrepareError> {
    determinism::supported()?;
    let calls = if size == Size::Full { calls } else { calls.min(3) };
    let plan = Script { calls, ..Script::SHORT }.plan(id)?;
    Ok(Box::new(move || {
        let record = play(&plan, 1, region);
        let connected = record.peers.values().filter(|peer| peer.connected_at.is_some()).count() as u64;
        assert_eq!(connected, 2 * calls, "{id}: all calls connect");
        calls
    }))
}

/// Plays `plan` on a thread of its own, the world itself within `region`.
fn play(plan: &Plan, seed: u64, region: Region) -> RunRecord {
    let on_thread = || within(region, || Player::new(plan).seed(seed).on_this_thread());
    let record = determinism::on_simulation_thread(stage::thread_settings(seed), on_thread);
    let record = record.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let record = record.unwrap_or_else(|error| panic!("{} (seed {seed}): {error}", plan.name()));
    let outcome = metrics::outcome(plan, &record);
    assert_eq!(outcome, Outcome::Connected, "{} (seed {seed})", plan.name());
    record
}

fn media_packets(record: &RunRecord) -> u64 {
    record.timeline.packets.iter().filter(|packet| packet.protocol == Protocol::Srtp).count() as u64
}
