//! Where the secret of the tokens comes from.

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use signaller::access::{Secret, SecretError};
use thiserror::Error;

/// The variable that may hold it.
pub(super) const VARIABLE: &str = "CALLSIM_SECRET";

/// A secret, and where it comes from.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) secret: Secret,
    /// As text, where it was made up: to be shown once.
    pub(super) made_up: Option<String>,
    pub(super) source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    File,
    Variable,
    MadeUp,
}

/// Why there is no secret.
#[derive(Debug, Error)]
pub(super) enum SecretProblem {
    #[error("cannot read the secret from {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the secret in {origin} cannot be used: {source}; for example: openssl rand -hex 32")]
    Bad { origin: String, source: SecretError },
    #[error(
        "a token is of use only with the server's own secret: give it in {VARIABLE} or with --secret-file"
    )]
    Missing,
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(String),
}

/// The secret in `file`, else in the variable, else a new one. White space around it does not belong to it.
pub(super) fn find(file: Option<&Path>) -> Result<Found, SecretProblem> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SecretProblem::Unreadable { path: path.to_owned(), source })?;
        return read(&text, path.display().to_string(), Source::File);
    }
    match std::env::var(VARIABLE) {
        Ok(text) => read(&text, VARIABLE.to_owned(), Source::Variable),
        Err(_) => make_up(),
    }
}

fn read(text: &str, origin: String, source: Source) -> Result<Found, SecretProblem> {
    let secret = Secret::new(text.trim()).map_err(|source| SecretProblem::Bad { origin, source })?;
    Ok(Found { secret, made_up: None, source })
}

/// 32 random bytes in hexadecimal digits.
fn make_up() -> Result<Found, SecretProblem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| SecretProblem::NoRandomness(error.to_string()))?;
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    let found = read(&text, "memory".to_owned(), Source::MadeUp)?;
    Ok(Found { made_up: Some(text), ..found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_a_file_without_its_line_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, format!("{}\n", "s".repeat(32))).unwrap();
        let found = find(Some(&path)).unwrap();
        assert_eq!((found.source, found.secret), (Source::File, Secret::new("s".repeat(32)).unwrap()));
        std::fs::write(&path, format!("{}\n", "s".repeat(31))).unwrap();
        let short = find(Some(&path)).unwrap_err().to_string();
        assert!(short.contains("has 31 bytes") && short.contains("openssl"), "{short}");
        let missing = find(Some(&directory.path().join("none"))).unwrap_err().to_string();
        assert!(missing.contains("cannot read the secret from"), "{missing}");
    }

    #[test]
    fn a_secret_that_is_made_up_is_long_and_new() {
        let (one, other) = (make_up().unwrap(), make_up().unwrap());
        assert_eq!(one.made_up.as_ref().map(String::len), Some(64));
        assert_ne!(one.secret, other.secret);
        assert_eq!(Secret::new(one.made_up.unwrap()).unwrap(), one.secret);
    }
}
