//! Captured calls from file to finding.

mod audit;
mod diagram;
mod fixtures;
mod formats;
mod hostile;
mod mangled;
mod merge;
mod planted;
mod redact;
mod script;
mod timelines;
