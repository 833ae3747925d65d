//! The few statistics that verdicts need. Distributions come from `statrs`.
//!
//! Everything here is a pure function of its arguments: the bootstrap takes its seed.

mod bootstrap;
mod draw;
mod holm;
mod order;
mod proportion;
mod sign;

pub use bootstrap::{Bootstrap, Interval};
pub use draw::Draw;
pub(crate) use holm::holm;
pub use order::median;
pub(crate) use order::{nearest_rank, robust_spread, upper_fence};
pub use proportion::Proportion;
pub use sign::p_value_above;
pub(crate) use sign::{detectable_shift, p_value_below};
