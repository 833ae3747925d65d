//! The C library's functions that simulation threads see through.
//!
//! On the supported platform this is the one module of the workspace with `unsafe` code; elsewhere it
//! only says that there is no support.

#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[allow(unsafe_code, reason = "replaces functions of the C library, whose interface is unsafe")]
mod glibc;

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub use glibc::{standard_output_is_closed, supported};

/// Whether simulation threads work in this process.
///
/// # Errors
/// Always, on this platform.
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub fn supported() -> Result<(), crate::Unsupported> {
    Err(crate::Unsupported("simulations need Linux with glibc on x86-64 or AArch64."))
}

/// Whether the process was started with its standard output closed: `false` on this platform, which does not say.
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub fn standard_output_is_closed() -> bool {
    false
}
