//! What a program on a simulation thread meets where it asks the machine instead of the simulation.
#![cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod calls;
mod escapes;
mod frames;
mod hosts;
mod passing;

use determinism::{Escape, Escapes, Settings};

pub(crate) const EPOCH_S: u64 = 1_767_225_600;

/// Runs `program` in a simulation, and returns with what it escaped.
pub(crate) fn simulate<T: Send>(policy: Escapes, program: impl FnOnce() -> T + Send) -> (T, Vec<Escape>) {
    let settings = Settings { seed: 7, epoch_s: EPOCH_S };
    let simulated = determinism::on_simulation_thread(settings, || {
        determinism::set_escapes(policy);
        (program(), determinism::take_escapes())
    });
    simulated.expect("the program does not panic")
}
