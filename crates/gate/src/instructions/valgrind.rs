use std::path::Path;

/// Whether instructions can be counted on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Valgrind {
    /// It is there.
    Found {
        /// Its version, for example `3.19.0`.
        version: String,
    },
    /// There is no such program.
    Missing,
    /// There is a program of that name and it does not answer as valgrind does.
    Unusable {
        /// What it answered.
        answer: String,
    },
}

/// How much of an odd answer is kept.
const ANSWER_CHARS: usize = 200;

impl Valgrind {
    /// From what `valgrind --version` printed; `None` where it could not be started.
    pub fn from_version_output(output: Option<&str>) -> Self {
        let Some(output) = output else { return Self::Missing };
        let version = output.trim().strip_prefix("valgrind-").filter(|version| is_version(version));
        match version {
            Some(version) => Self::Found { version: version.to_owned() },
            None => Self::Unusable { answer: output.trim().chars().take(ANSWER_CHARS).collect() },
        }
    }

    /// The arguments that make it count only inside the function `region` and write to `output`; the
    /// program and its own arguments follow. Run it with a fixed environment: even its size moves counts.
    pub fn arguments(region: &str, output: &Path) -> Vec<String> {
        vec![
            "--tool=callgrind".to_owned(),
            "--collect-atstart=no".to_owned(),
            format!("--toggle-collect={region}"),
            format!("--callgrind-out-file={}", output.display()),
            "--quiet".to_owned(),
        ]
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_graphic())
        && text.len() < 40
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_missing_and_neither() {
        let found = Valgrind::from_version_output(Some("valgrind-3.19.0\n"));
        assert_eq!(found, Valgrind::Found { version: "3.19.0".to_owned() });
        assert_eq!(Valgrind::from_version_output(None), Valgrind::Missing);
        let odd = Valgrind::from_version_output(Some("valgrind: cannot find its tools"));
        assert!(matches!(odd, Valgrind::Unusable { .. }));
    }
}
