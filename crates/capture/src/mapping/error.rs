use std::fmt;

use timeline::escaped;

/// Everything that is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// The file.
    pub file: String,
    /// What is wrong, in the order of the file; at least one.
    pub problems: Vec<MappingProblem>,
}

/// One thing that is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What was found, what is accepted, what was probably meant.
    pub message: String,
}

/// One line per problem: `file:line:column: message`.
impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let (file, message) = (escaped(&self.file), escaped(&problem.message));
            write!(f, "{file}:{}:{}: {message}", problem.line, problem.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for MappingError {}
