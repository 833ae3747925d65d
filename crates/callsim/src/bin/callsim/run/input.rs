//! Scenario files as input of a command: found, chosen and loaded, and shown with all that is wrong with them.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use scenario::{
    format::{FormatError, LoadError, files, load_file, name_of},
    plan::Plan,
    select::{UnknownScenario, select},
};

use crate::{
    exit::Code,
    output::{complain, complain_in_colours, in_one_line},
    project::Project,
    typed,
};

/// The scenarios that a command line means.
pub(crate) struct Chosen {
    pub(crate) plans: Vec<Plan>,
    /// All files that were meant.
    pub(crate) files: BTreeSet<PathBuf>,
    /// How many files were meant that cannot be used; what is wrong with them has been shown.
    unusable: usize,
    /// Files that are in no folder of scenarios, and are called by their path.
    outside: BTreeSet<PathBuf>,
}

impl Chosen {
    /// The scenarios that `asked` means: names, themes and patterns in the project's folder or in `dir`, paths of files, and
    /// paths of folders. A file that cannot be used stops no other. Where nothing is left, what is wrong has been said.
    pub(crate) fn load(project: &Project, dir: Option<&Path>, asked: &[String]) -> Result<Self, Code> {
        let dir = project.scenarios(dir);
        let found = find(&dir, project, asked)?;
        let mut chosen =
            Self { plans: Vec::new(), files: found.clone(), unusable: 0, outside: BTreeSet::new() };
        for file in found {
            let root = if file.starts_with(&dir) { &dir } else { file.parent().unwrap_or(&dir) };
            match load_file(root, &file, &project.profiles) {
                Ok(plan) => chosen.plans.push(plan),
                Err(error) => {
                    chosen.unusable += 1;
                    show(error);
                }
            }
            if !file.starts_with(&dir) {
                chosen.outside.insert(file);
            }
        }
        chosen.plans.sort_by(|one, other| one.name().cmp(other.name()));
        if chosen.plans.is_empty() { Err(Code::BadInput) } else { Ok(chosen) }
    }

    /// What the user types for `plan`.
    pub(crate) fn argument(&self, plan: &Plan) -> String {
        match plan.file() {
            Some(file) if self.outside.contains(file) => file.display().to_string(),
            _ => plan.name().to_owned(),
        }
    }

    /// `code`, unless files could not be used: that goes before what the others came to.
    pub(crate) fn verdict(&self, code: Code) -> Code {
        match code {
            Code::Good | Code::CheckFailed | Code::NothingRan if self.unusable > 0 => Code::BadInput,
            code => code,
        }
    }
}

/// The files that are meant, each once; those in `dir` under its name.
fn find(dir: &Path, project: &Project, asked: &[String]) -> Result<BTreeSet<PathBuf>, Code> {
    let is_path = |text: &&String| Path::new(text.as_str()).is_file();
    let (paths, patterns): (Vec<&String>, Vec<&String>) = asked.iter().partition(is_path);
    let mut found: BTreeSet<PathBuf> = paths.iter().map(|path| in_folder(dir, Path::new(path))).collect();
    if patterns.is_empty() && !paths.is_empty() {
        return Ok(found);
    }
    let patterns = project.patterns(&patterns.into_iter().cloned().collect::<Vec<_>>());
    let (folders, patterns): (Vec<String>, Vec<String>) =
        patterns.into_iter().partition(|pattern| is_folder(dir, pattern));
    for folder in &folders {
        let inside = files(Path::new(folder)).map_err(|error| no_scenarios(&error))?;
        found.extend(inside.iter().map(|file| in_folder(dir, file)));
    }
    if patterns.is_empty() && !found.is_empty() {
        return Ok(found);
    }
    let all = files(dir).map_err(|error| no_scenarios(&error))?;
    let names: Vec<String> = all.iter().map(|file| name_of(dir, file)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let indices = select(&names, &patterns).map_err(|error| unknown(error, project))?;
    found.extend(indices.into_iter().map(|index| all[index].clone()));
    Ok(found)
}

/// Whether `pattern` is the path of a folder, and not the beginning of names in `dir`.
fn is_folder(dir: &Path, pattern: &str) -> bool {
    Path::new(pattern).is_dir() && !dir.join(pattern).is_dir()
}

/// `file` as a path below `dir`, where it is in it.
fn in_folder(dir: &Path, file: &Path) -> PathBuf {
    let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match whole(file).strip_prefix(whole(dir)) {
        Ok(below) => dir.join(below),
        Err(_) => file.to_owned(),
    }
}

fn no_scenarios(error: &LoadError) -> Code {
    let advice = format!(
        "`--dir DIR` names another folder; `{} NAME` makes one with a first scenario",
        typed::command("new")
    );
    let (message, code) = match error {
        LoadError::Io { path, source } if source.kind() == io::ErrorKind::NotFound => {
            (format!("there is no folder {}", path.display()), Code::BadInput)
        }
        LoadError::Nothing { .. } => (error.to_string(), Code::NothingRan),
        LoadError::Io { path, source } => {
            (format!("cannot read {}: {source}", path.display()), Code::BadInput)
        }
        other => (other.to_string(), Code::BadInput),
    };
    complain(&format!("error: {message}; {advice}"));
    code
}

fn unknown(mut error: UnknownScenario, project: &Project) -> Code {
    if let UnknownScenario::NoSuch { found, nearest: nearest @ None } = &mut error {
        *nearest = timeline::nearest(found, project.themes.keys().map(String::as_str)).map(str::to_owned);
    }
    complain(&format!("error: {error}"));
    complain(&format!("`{} --list` says which there are", typed::command("run")));
    Code::BadInput
}

fn show(error: LoadError) {
    match error {
        LoadError::Format(errors) => errors.into_iter().for_each(show_format),
        other => complain(&format!("error: {}", in_one_line(&anyhow::Error::new(other)))),
    }
}

/// With the file's lines and colours for a person, one line per problem for everything else.
fn show_format(error: FormatError) {
    if io::stderr().is_terminal() {
        complain_in_colours(&format!("{:?}", miette::Report::new(error)));
    } else {
        error.lines().for_each(|line| complain(&format!("error: {line}")));
    }
}
