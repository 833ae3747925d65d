//! Where the secret of the tokens comes from.

use std::{
    env::VarError,
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use signaller::access::{Secret, SecretError};
use thiserror::Error;

/// The variable that may hold it.
pub(super) const VARIABLE: &str = "CALLSIM_SECRET";

/// The longest that is read, in bytes: a device may have no end.
const LONGEST: u64 = 64 * 1024;

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
    #[error("the secret in {origin} is not UTF-8; for example: openssl rand -hex 32")]
    NotText { origin: String },
    #[error(
        "the secret in {origin} begins with a byte order mark (U+FEFF), which another reader takes for a part of it: save \
         it without one"
    )]
    ByteOrderMark { origin: String },
    #[error("the secret in {} has more than {LONGEST} bytes", path.display())]
    TooLong { path: PathBuf },
    #[error("the secret in {} can be read by everybody on this machine (mode {mode:04o}): chmod 600 it", path.display())]
    WorldReadable { path: PathBuf, mode: u32 },
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
        return read(&in_file(path)?, path.display().to_string(), Source::File);
    }
    match std::env::var(VARIABLE) {
        Ok(text) => read(text.as_bytes(), VARIABLE.to_owned(), Source::Variable),
        Err(VarError::NotUnicode(_)) => Err(SecretProblem::NotText { origin: VARIABLE.to_owned() }),
        Err(VarError::NotPresent) => make_up(),
    }
}

fn in_file(path: &Path) -> Result<Vec<u8>, SecretProblem> {
    let unreadable = |source| SecretProblem::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    check_mode(path, &file.metadata().map_err(unreadable)?)?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(SecretProblem::TooLong { path: path.to_owned() });
    }
    Ok(bytes)
}

#[cfg(unix)]
fn check_mode(path: &Path, about: &std::fs::Metadata) -> Result<(), SecretProblem> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o7777;
    // A pipe, as a shell makes it of `<(…)`, is nobody else's whatever its mode.
    if about.is_file() && mode & 0o004 != 0 {
        return Err(SecretProblem::WorldReadable { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _about: &std::fs::Metadata) -> Result<(), SecretProblem> {
    Ok(())
}

fn read(bytes: &[u8], origin: String, source: Source) -> Result<Found, SecretProblem> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Err(SecretProblem::NotText { origin }) };
    if text.starts_with('\u{feff}') {
        return Err(SecretProblem::ByteOrderMark { origin });
    }
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
    let found = read(text.as_bytes(), "memory".to_owned(), Source::MadeUp)?;
    Ok(Found { made_up: Some(text), ..found })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a file with these bytes and this mode, where none says 0600.
    fn in_a_file(bytes: &[u8], mode: u32) -> Result<Found, SecretProblem> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        {
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(&path, permissions).unwrap();
        }
        find(Some(&path))
    }

    #[test]
    fn a_secret_comes_from_a_file_without_its_line_end() {
        let good = format!("{}\n", "s".repeat(32));
        let found = in_a_file(good.as_bytes(), 0o600).unwrap();
        assert_eq!((found.source, found.secret), (Source::File, Secret::new("s".repeat(32)).unwrap()));
        let missing = find(Some(Path::new("/nowhere/none"))).unwrap_err().to_string();
        assert!(missing.contains("cannot read the secret from"), "{missing}");
    }

    #[test]
    fn a_secret_that_others_read_otherwise_or_can_read_is_refused() {
        let good = "s".repeat(32);
        for (bytes, mode, expect) in [
            (good.as_bytes()[1..].to_vec(), 0o600, "has 31 bytes"),
            ([&[0xff; 4], good.as_bytes()].concat(), 0o600, "is not UTF-8"),
            (format!("\u{feff}{good}").into_bytes(), 0o600, "byte order mark"),
            (vec![b's'; 64 * 1024 + 1], 0o600, "has more than 65536 bytes"),
            #[cfg(unix)]
            (good.clone().into_bytes(), 0o644, "(mode 0644): chmod 600"),
        ] {
            let refused = in_a_file(&bytes, mode).unwrap_err().to_string();
            assert!(refused.contains(expect), "{expect}: {refused}");
        }
        assert!(in_a_file(good.as_bytes(), 0o640).is_ok(), "a group is somebody");
        #[cfg(unix)]
        assert!(matches!(find(Some(Path::new("/dev/zero"))), Err(SecretProblem::TooLong { .. })));
    }

    #[test]
    fn a_secret_that_is_made_up_is_long_and_new() {
        let (one, other) = (make_up().unwrap(), make_up().unwrap());
        assert_eq!(one.made_up.as_ref().map(String::len), Some(64));
        assert_ne!(one.secret, other.secret);
        assert_eq!(Secret::new(one.made_up.unwrap()).unwrap(), one.secret);
    }
}
