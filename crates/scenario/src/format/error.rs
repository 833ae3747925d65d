use std::{borrow::Cow, cell::RefCell, fmt, ops::Range, path::Path, time::Duration};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use timeline::{escaped, nearest};

use crate::plan::Flaw;

pub(super) type Span = Range<usize>;

/// Everything that is wrong with one scenario file.
#[derive(Debug)]
pub struct FormatError {
    file: String,
    source: NamedSource<String>,
    problems: Vec<Problem>,
}

impl FormatError {
    pub(super) fn new(name: &str, file: Option<&Path>, text: &str, problems: Vec<Problem>) -> Self {
        let file = file.map_or_else(|| format!("{name}.toml"), |file| file.display().to_string());
        let file = escaped(&file).into_owned();
        let source = NamedSource::new(&file, inert(text));
        Self { file, source, problems }
    }

    /// The file, or the scenario's name with `.toml` where it was read from memory.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What is wrong with it, in the order of the file; at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// One line per problem: `file:line:column: what is wrong (what to do)`.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|problem| {
            let (line, column) = self.position(problem);
            let advice = problem.kind.advice().map(|advice| format!(" ({advice})")).unwrap_or_default();
            escaped(&format!("{}:{line}:{column}: {problem}{advice}", self.file)).into_owned()
        })
    }

    /// Line and column of a problem, both counted from 1, the column in characters.
    pub fn position(&self, problem: &Problem) -> (usize, usize) {
        let text = self.source.inner();
        let mut start = problem.span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// `happy/small.toml cannot be used: 2 problems`; [`FormatError::lines`] says which.
impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{} cannot be used: {count} problem{plural}", self.file)
    }
}

impl std::error::Error for FormatError {}

/// For a report with the file's lines: each problem is a diagnostic of its own.
impl Diagnostic for FormatError {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where: byte offsets into the file.
    pub span: Range<usize>,
}

/// On one line, whatever it quotes of the file.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.kind.to_string()))
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new(None, self.span.start, self.span.len());
        Some(Box::new(std::iter::once(label)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(escaped(&self.kind.advice()?).into_owned()))
    }
}

/// A word that is not one of those that are known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub word: String,
    /// What is accepted.
    pub accepted: Vec<String>,
    /// The accepted word nearest to what was found, if one is near.
    pub nearest: Option<String>,
}

impl Found {
    /// `word` where one of `accepted` was expected.
    pub fn new<'a>(word: &str, accepted: impl IntoIterator<Item = &'a str>) -> Self {
        let accepted: Vec<&str> = accepted.into_iter().collect();
        Self {
            word: word.to_owned(),
            nearest: nearest(word, accepted.iter().copied()).map(str::to_owned),
            accepted: accepted.into_iter().map(str::to_owned).collect(),
        }
    }

    fn advice(&self) -> String {
        let accepted = match self.accepted.as_slice() {
            [] => "nothing is accepted here".to_owned(),
            words => format!("accepted: {}", words.join(", ")),
        };
        match &self.nearest {
            Some(nearest) => format!("did you mean `{nearest}`? {accepted}"),
            None => accepted,
        }
    }
}

/// What can be wrong with a scenario file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Not TOML.
    #[error("not TOML: {message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// A format of another version.
    #[error("scenario format version {found}, but this program reads version {accepted}")]
    Version {
        /// The file's version.
        found: u64,
        /// The version that can be read.
        accepted: u64,
    },
    /// A key that does not exist here.
    #[error("unknown key `{}` in {table}", found.word)]
    UnknownKey {
        /// In which table.
        table: String,
        /// The key and those that exist.
        found: Found,
    },
    /// A key that has to be there.
    #[error("{table} has no `{key}`")]
    MissingKey {
        /// In which table.
        table: String,
        /// The key.
        key: &'static str,
    },
    /// A value of another type.
    #[error("found {found}, expected {accepted}")]
    WrongType {
        /// The type of the value: `an integer`.
        found: &'static str,
        /// What is accepted, in words.
        accepted: String,
    },
    /// A word that is not in the vocabulary.
    #[error("unknown {what} `{}`", found.word)]
    UnknownWord {
        /// What it should name: `outcome`, `device`.
        what: &'static str,
        /// The word and the vocabulary.
        found: Found,
    },
    /// A name that nobody has.
    #[error("there is no {what} `{}`", found.word)]
    UnknownName {
        /// `peer` or `host`.
        what: &'static str,
        /// The name and those that exist.
        found: Found,
    },
    /// Not a duration.
    #[error("`{found}` is not a duration: {reason}")]
    BadDuration {
        /// What was found.
        found: String,
        /// The parser's words.
        reason: String,
    },
    /// Not a fraction between 0 and 1.
    #[error("`{found}` is not a probability")]
    BadProbability {
        /// What was found.
        found: String,
    },
    /// A number outside its range.
    #[error("{found} is out of range, accepted: {least} to {most}")]
    OutOfRange {
        /// What was found.
        found: String,
        /// The least that is accepted.
        least: String,
        /// The most that is accepted.
        most: String,
    },
    /// A lower bound above the upper bound.
    #[error("at-least lies above at-most: nothing can fulfil this")]
    EmptyRange,
    /// Not an address that a host can have.
    #[error("`{found}` cannot be a host's address: {reason}")]
    BadAddress {
        /// What was found.
        found: String,
        /// Why not.
        reason: &'static str,
    },
    /// A step that does nothing, or an action with no or several parts.
    #[error("{what} says {found} things, expected exactly one of: {accepted}")]
    NotOne {
        /// What.
        what: &'static str,
        /// How many were found.
        found: usize,
        /// What is accepted.
        accepted: String,
    },
    /// A moment that cannot be counted exactly.
    #[error("{found:?} is not a multiple of {grain:?}, in which arriving media is counted")]
    TooFine {
        /// The moment.
        found: Duration,
        /// The grain.
        grain: Duration,
    },
    /// A number with a unit that cannot be read.
    #[error("`{found}` is not what is expected here")]
    BadQuantity {
        /// What was found.
        found: String,
        /// What is accepted, with an example.
        accepted: &'static str,
    },
    /// A key that means nothing without another.
    #[error("`{key}` says nothing without `{other}`")]
    Needs {
        /// The key that is there.
        key: &'static str,
        /// The key that is not.
        other: &'static str,
    },
    /// What is written down cannot be built.
    #[error("this cannot be: {reason}")]
    Impossible {
        /// Why not.
        reason: String,
    },
    /// A fault that is over before it begins.
    #[error("it ends at {ends:?} and begins at {begins:?}: nothing can fall into it")]
    EndsBeforeItBegins {
        /// When it begins.
        begins: Duration,
        /// When it ends.
        ends: Duration,
    },
    /// A setting of the engine at a peer that does not run it.
    #[error("`{key}` is a setting of the engine, and `{peer}` runs a program instead")]
    EngineKey {
        /// The setting.
        key: String,
        /// Which peer.
        peer: String,
    },
    /// Parts of the plan that are sound, and do not go together.
    #[error(transparent)]
    Plan(#[from] Flaw),
    /// A text that should say something.
    #[error("{what} is empty")]
    Empty {
        /// Which text or list.
        what: &'static str,
    },
}

impl ProblemKind {
    /// What to do about it, where that is not obvious.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::UnknownKey { found, .. }
            | Self::UnknownWord { found, .. }
            | Self::UnknownName { found, .. } => Some(found.advice()),
            Self::Version { .. } => Some(format!(
                "set `version = {}` and follow the schema, scenarios/schema.json",
                super::VERSION
            )),
            Self::BadDuration { .. } => Some("accepted: `250ms`, `2s`, `1s 500ms`, `1m`".to_owned()),
            Self::BadProbability { .. } => Some(
                "accepted: a per cent from `\"0%\"` to `\"100%\"`, or a number from 0.0 to 1.0".to_owned(),
            ),
            Self::BadQuantity { accepted, .. } => Some(format!("accepted: {accepted}")),
            Self::Plan(flaw) => flaw.advice().map(str::to_owned),
            _ => None,
        }
    }
}

/// The text with another letter of the same length in the place of each that steers a terminal: it is shown with its
/// places marked.
fn inert(text: &str) -> String {
    let shown = |letter: char| match (escaped(letter.encode_utf8(&mut [0; 4])), letter) {
        (_, '\n' | '\t') | (Cow::Borrowed(_), _) => letter,
        (Cow::Owned(_), '\r') => ' ',
        (Cow::Owned(_), _) => match letter.len_utf8() {
            1 => '?',
            2 => '¿',
            _ => '\u{fffd}',
        },
    };
    text.chars().map(shown).collect()
}

impl Problem {
    /// The word that was meant, and where it stands in other letters.
    fn meant(&self) -> Option<(String, usize)> {
        match &self.kind {
            ProblemKind::UnknownKey { found, .. }
            | ProblemKind::UnknownName { found, .. }
            | ProblemKind::UnknownWord { found, .. } => Some((found.nearest.clone()?, self.span.start)),
            _ => None,
        }
    }
}

/// Where the reader leaves what it finds wrong, so that it can read on.
#[derive(Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn add(&self, kind: ProblemKind, span: Span) {
        self.0.borrow_mut().push(Problem { kind, span });
    }

    pub(super) fn syntax(&self, error: &toml::de::Error, text: &str) {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(text.len())..span.end.min(text.len());
        self.add(ProblemKind::Syntax { message: error.message().to_owned() }, span);
    }

    pub(super) fn any(&self) -> bool {
        !self.0.borrow().is_empty()
    }

    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.0.into_inner();
        let misspelt: Vec<(String, usize)> = problems.iter().filter_map(Problem::meant).collect();
        // A key that is missing because it stands there in other letters is one mistake.
        problems.retain(|problem| match &problem.kind {
            ProblemKind::MissingKey { key, .. } => {
                !misspelt.iter().any(|(meant, at)| meant == key && *at >= problem.span.start)
            }
            ProblemKind::Needs { other, .. } => !misspelt.iter().any(|(meant, _)| meant == other),
            // What a step makes possible is not there where it was not understood.
            ProblemKind::Plan(Flaw::NoDial | Flaw::SignallerPower { .. } | Flaw::Impossible { .. }) => {
                misspelt.is_empty()
            }
            _ => true,
        });
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        // What is said of both ways of a link is read for each of them.
        problems.dedup();
        problems
    }
}

#[cfg(test)]
mod tests {
    use miette::{GraphicalReportHandler, GraphicalTheme};

    use crate::plan::Plan;

    const HOSTILE: &str = "\u{1b}]0;T\u{7}\u{9b}2J\u{85}\u{7f}\u{202e}\u{2066}\u{200f}\u{2028}\r\nFORGED";

    #[track_caller]
    fn check(text: &str) {
        let steers = |letter: char| {
            letter != '\n' && letter.is_control() || "\u{202e}\u{2066}\u{200f}\u{2028}".contains(letter)
        };
        assert!(!text.contains(steers), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("FORGED")), "{text}");
    }

    /// Each text and each key of a file that uses every key, and each raw, which TOML does not allow.
    #[test]
    fn no_text_of_a_file_steers_what_shows_its_problems() {
        let file = include_str!("every-key.toml");
        // As within a basic string of TOML.
        let basic: String = HOSTILE.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect();
        let places: Vec<usize> = file.match_indices('"').map(|(at, _)| at + 1).collect();
        let keys = file.match_indices(" = ").map(|(at, _)| at);
        let mut tried = 0;
        for at in places.into_iter().chain(keys).step_by(3) {
            for hostile in [basic.as_str(), HOSTILE] {
                let text = format!("{}{hostile}{}", &file[..at], &file[at..]);
                let Err(error) = Plan::from_toml("hostile", &text) else { continue };
                tried += 1;
                for line in error.lines() {
                    assert_eq!(line.lines().count(), 1, "{line}");
                    check(&line);
                }
                let mut out = String::new();
                let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
                handler.render_report(&mut out, &error).unwrap();
                check(&out);
            }
        }
        assert!(tried > 100, "{tried}");
    }
}
