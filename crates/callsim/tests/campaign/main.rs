//! `callsim campaign` as users and schedulers meet it.

#[cfg(target_os = "linux")]
mod bad_input;
#[cfg(target_os = "linux")]
#[path = "../it/place.rs"]
mod place;
#[cfg(target_os = "linux")]
mod played;
#[cfg(target_os = "linux")]
mod submitted;
#[cfg(target_os = "linux")]
mod whole;
