//! A neighbour that keeps the machine busy, on and off: how noise is made for the self-test.

use std::{
    env,
    io::Read as _,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use gate::statistics::Draw;

use super::machine;
use crate::process::Process;
use crate::{exit::Code, now};

/// Bursts and pauses last so many milliseconds.
const LENGTHS_MS: std::ops::Range<usize> = 50..300;

/// A neighbour, while this lives.
pub(super) struct Neighbour(#[expect(dead_code, reason = "held to be ended")] Process);

impl Neighbour {
    /// Moves in.
    pub(super) fn start() -> anyhow::Result<Self> {
        let program = env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        // It ends when its input does, whatever becomes of this process.
        command.args(["gate", "neighbour"]).stdin(Stdio::piped()).stdout(Stdio::null());
        Process::start(&mut command).map(Self).context("cannot start a neighbour")
    }
}

/// Is one: spins on every core, in bursts of its own on each, until standard input ends.
pub(super) fn be() -> Code {
    let threads: Vec<_> = (0..machine::cores())
        .map(|core| {
            let (stay, ended) = mpsc::channel::<()>();
            thread::spawn(move || {
                let mut draw = Draw::new(0, core as u64);
                let mut length =
                    move || Duration::from_millis((LENGTHS_MS.start + draw.below(LENGTHS_MS.len())) as u64);
                while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(length()) {
                    let (begun, burst) = (now(), length());
                    while begun.elapsed() < burst {
                        std::hint::spin_loop();
                    }
                }
            });
            stay
        })
        .collect();
    let _ = std::io::stdin().read(&mut [0; 1]);
    drop(threads);
    Code::Good
}
