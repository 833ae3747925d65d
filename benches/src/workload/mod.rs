//! What is measured in processor time, by id.
//!
//! ```
//! use benches::workload::{self, Size};
//!
//! let workload = workload::find("floor/handshake").unwrap();
//! let mut run = workload.prepare(Size::Smoke, workload::plain).unwrap();
//! assert_eq!(run(), 1);
//! ```

mod broken;
mod calls;
mod captures;
mod floor;
mod texts;
mod wire;

use thiserror::Error;

pub use broken::Broken;

/// Something that can be measured.
#[derive(Clone, Copy)]
pub struct Workload {
    /// Its name: `call/websocket`.
    pub id: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// What one unit is, in the singular: `call`, `packet`, `byte`.
    pub unit: &'static str,
    prepare: fn(Size, Region) -> Result<Prepared, PrepareError>,
}

/// How much a workload does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Enough to see that it works: for tests.
    Smoke,
    /// Enough to be measured.
    Full,
}

/// A workload that is ready to be run any number of times; each run says how many units it did.
///
/// It panics where the work goes wrong: a call that does not connect is not measured.
pub type Prepared = Box<dyn FnMut() -> u64>;

/// Carries out the measured part of a run, on the thread that does the work: it calls what it is given exactly once.
/// Starting a thread and looking at what came of a call are outside.
pub type Region = fn(&mut dyn FnMut());

/// The region of who needs none.
pub fn plain(work: &mut dyn FnMut()) {
    work();
}

/// Why a workload cannot be run here.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// This platform cannot be made deterministic.
    #[error(transparent)]
    Unsupported(#[from] determinism::Unsupported),
    /// A text of ours is not what it should be.
    #[error("{id}: {what}")]
    Broken {
        /// The workload.
        id: &'static str,
        /// What is wrong.
        what: Broken,
    },
}

impl Workload {
    /// Makes it ready.
    ///
    /// # Errors
    ///
    /// [`PrepareError`] where it cannot be run here.
    pub fn prepare(&self, size: Size, region: Region) -> Result<Prepared, PrepareError> {
        (self.prepare)(size, region)
    }
}

/// All of them, from the whole to its parts.
pub fn all() -> impl Iterator<Item = &'static Workload> {
    let floors = [floor::handshake::ALL, floor::stack::ALL, floor::driver::ALL];
    [calls::ALL, wire::ALL, texts::ALL, captures::ALL].into_iter().chain(floors).flatten()
}

/// The one with this id.
pub fn find(id: &str) -> Option<&'static Workload> {
    all().find(|workload| workload.id == id)
}

/// Runs `work` within `region` and hands on what it returned.
fn within<T>(region: Region, work: impl FnOnce() -> T) -> T {
    let (mut work, mut result) = (Some(work), None);
    region(&mut || result = work.take().map(|work| work()));
    result.expect("a region calls what it is given once")
}
