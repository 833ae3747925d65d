//! Which shard this process is to play: what its command line says, or the scheduler that started it.

use thiserror::Error;

/// What schedulers set, and from which number each counts.
const VARIABLES: [(&str, u64); 6] = [
    ("SLURM_ARRAY_TASK_ID", 0),
    ("JOB_COMPLETION_INDEX", 0),
    ("AWS_BATCH_JOB_ARRAY_INDEX", 0),
    ("BUILDKITE_PARALLEL_JOB", 0),
    ("TEST_SHARD_INDEX", 0),
    // GitLab.
    ("CI_NODE_INDEX", 1),
];

/// The name of the option, in messages.
const OPTION: &str = "--index";

/// Why it is not known which shard is meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Nobody says it.
    #[error("which shard? give {OPTION}, or one of {}", VARIABLES.map(|(name, _)| name).join(", "))]
    Nobody,
    /// A scheduler says something else.
    #[error("{variable} is `{found}`, which is no number from {from}")]
    NoNumber {
        /// Which variable.
        variable: &'static str,
        /// What it says.
        found: String,
        /// The least that it may say.
        from: u64,
    },
    /// Two say different things.
    #[error("{one} means shard {first}, and {other} means shard {second}: unset one of them")]
    Disagree {
        /// One of them.
        one: &'static str,
        /// What it means.
        first: u64,
        /// The other.
        other: &'static str,
        /// What that means.
        second: u64,
    },
}

/// The index of the shard, counted from 0: `asked` for, or in a variable of the environment.
///
/// # Errors
/// Where nobody says it, or two say different things.
pub fn index(asked: Option<u64>, variable: &dyn Fn(&str) -> Option<String>) -> Result<u64, IndexError> {
    let mut said: Option<(&'static str, u64)> = asked.map(|index| (OPTION, index));
    for (name, from) in VARIABLES {
        let Some(text) = variable(name).filter(|text| !text.is_empty()) else { continue };
        let number = text.trim().parse::<u64>().ok().and_then(|number| number.checked_sub(from));
        let index = number.ok_or(IndexError::NoNumber { variable: name, found: text, from })?;
        match said {
            Some((one, first)) if first != index => {
                return Err(IndexError::Disagree { one, first, other: name, second: index });
            }
            _ => said = Some((name, index)),
        }
    }
    said.map(|(_, index)| index).ok_or(IndexError::Nobody)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(asked: Option<u64>, environment: &[(&str, &str)], expect: Result<u64, &str>) {
        let variable = |name: &str| {
            environment.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        };
        let found = index(asked, &variable).map_err(|error| error.to_string());
        assert_eq!(found, expect.map_err(str::to_owned));
    }

    #[test]
    fn every_scheduler_counts_from_0_but_gitlab() {
        for name in [
            "SLURM_ARRAY_TASK_ID",
            "JOB_COMPLETION_INDEX",
            "AWS_BATCH_JOB_ARRAY_INDEX",
            "BUILDKITE_PARALLEL_JOB",
            "TEST_SHARD_INDEX",
        ] {
            check(None, &[(name, "0")], Ok(0));
            check(None, &[(name, "39")], Ok(39));
        }
        check(None, &[("CI_NODE_INDEX", "1")], Ok(0));
        check(None, &[("CI_NODE_INDEX", "0")], Err("CI_NODE_INDEX is `0`, which is no number from 1"));
        check(Some(3), &[], Ok(3));
        // Slurm sets others beside it, and an empty one says nothing.
        check(None, &[("SLURM_ARRAY_TASK_ID", "5"), ("CI_NODE_INDEX", "")], Ok(5));
    }

    #[test]
    fn who_disagrees_is_named() {
        check(None, &[("SLURM_ARRAY_TASK_ID", "5"), ("CI_NODE_INDEX", "6")], Ok(5));
        check(
            None,
            &[("SLURM_ARRAY_TASK_ID", "5"), ("CI_NODE_INDEX", "5")],
            Err("SLURM_ARRAY_TASK_ID means shard 5, and CI_NODE_INDEX means shard 4: unset one of them"),
        );
        check(
            Some(2),
            &[("TEST_SHARD_INDEX", "3")],
            Err("--index means shard 2, and TEST_SHARD_INDEX means shard 3: unset one of them"),
        );
        check(None, &[("TEST_SHARD_INDEX", "x")], Err("TEST_SHARD_INDEX is `x`, which is no number from 0"));
        assert_eq!(index(None, &|_| None), Err(IndexError::Nobody));
    }

    proptest! {
        #[test]
        fn whatever_a_scheduler_says(text in ".{0,30}") {
            let _ = index(None, &|_| Some(text.clone()));
        }
    }
}
