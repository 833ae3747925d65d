//! `cargo xtask gate` as a user meets it: the real program, a repository, and workers that say what a test wants.

#[cfg(target_os = "linux")]
mod accept;
#[cfg(target_os = "linux")]
mod interrupt;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod tiers;
#[cfg(target_os = "linux")]
mod verdicts;
