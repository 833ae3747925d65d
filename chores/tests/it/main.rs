//! The commands as users meet them: the real program.

mod architecture;
mod artefacts;
#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
mod gate;
#[cfg(target_os = "linux")]
mod said;
#[cfg(target_os = "linux")]
mod supply_chain;
