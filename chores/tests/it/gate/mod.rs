//! `cargo xtask gate` as a user meets it: the real program, a repository, and workers that say what a test wants.

mod accept;
mod doctor;
mod interrupt;
mod place;
mod tiers;
mod verdicts;
