//! Captured calls from file to finding.

mod audit;
mod fixtures;
mod formats;
mod mangled;
mod merge;
mod redact;
mod script;
