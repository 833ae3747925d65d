//! The commands as users meet them: the real program.

#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
mod gate;
#[cfg(target_os = "linux")]
mod said;
