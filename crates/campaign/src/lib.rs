//! Campaigns: more runs than one machine should play, as shards that any scheduler can start.
//!
//! A [`Campaign`] says which runs there are and which shard plays which; [`shard::play`] plays one into a Parquet file;
//! [`merge::merge`] makes one result of all files; [`submit`] writes jobs for schedulers that teams already run.
//!
//! Invariants:
//! - The file of a shard holds what seeds determine, and nothing else: a shard that is played twice gives the same bytes,
//!   on every machine.
//! - Merging is a pure function of the plan and the shards; neither it nor playing takes more memory for more runs.
//! - Nothing is overwritten.
//!
//! Deliberately absent: a scheduler, retries, a queue. Whoever starts a shard again has resumed the campaign.

// Without it, nobody needs the rest either.
#![cfg(feature = "parquet")]

pub mod campaign;
mod fingerprint;
pub mod folder;
pub mod index;
pub mod merge;
mod ordered;
pub mod report;
mod row;
pub mod seeds;
pub mod shard;
mod split;
pub mod submit;
pub mod table;
#[cfg(test)]
mod testing;

pub use campaign::{Campaign, CampaignError};
pub use fingerprint::fingerprint;
pub use folder::{Folder, FolderError};
pub use row::{Finding, Row};
pub use split::Piece;
