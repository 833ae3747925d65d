//! The program as users meet it.

#[cfg(target_os = "linux")]
mod files;
#[cfg(all(target_os = "linux", feature = "gate"))]
mod gate;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod project;
mod serve;
#[cfg(target_os = "linux")]
mod width;
