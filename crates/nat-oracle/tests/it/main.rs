//! The oracle, judged by what can be said about it without it.

mod cells;
mod grid;
mod monotone;
mod places;
