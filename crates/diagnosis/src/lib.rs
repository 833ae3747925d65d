//! Why a run failed, or a captured call went wrong: causes.
//!
//! A [`Cause`] has a [`Code`] that scripts may rely on, a sentence for a support engineer, [`Evidence`] with times, a
//! recommendation, and what followed from it. Failed runs of scenarios (`scenario::cause`) and captured calls
//! (`capture::audit`) use the same codes, listed in `docs/causes.md` with an example each.
//!
//! Deliberately absent: knowledge of a plan, of a record or of a trace. Who has the evidence decides on the cause.

mod advice;
mod cause;
mod code;
mod level;
pub mod wording;

pub use cause::{Cause, Consequence, Evidence};
pub use code::Code;
pub use level::Level;
