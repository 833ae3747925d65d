//! Whether worlds can be simulated here.

use crate::output::BadInput;

/// Runs the image that `docker build --tag callsim --file Containerfile .` makes of this project.
const CONTAINER: &str = "docker run --rm --volume \"$PWD:/work\" callsim";

/// # Errors
/// A sentence for a person, with a command that works instead.
pub(crate) fn supported() -> Result<(), BadInput> {
    determinism::supported().map_err(|unsupported| {
        let reason = unsupported.to_string();
        let reason = reason.trim_end_matches('.');
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        BadInput(format!("{reason}; in a container: {CONTAINER} {}", arguments.join(" ")))
    })
}
