//! The program as users meet it.

#[cfg(target_os = "linux")]
mod project;
mod serve;
