//! Writing: to a terminal, to a pipe that may close, to a file that is whole or not there.
//!
//! Names, reasons and paths of others are in nearly all that is written. Nothing leaves here with a character in it that
//! steers a terminal ([`timeline::escaped_lines`]), and a complaint is one line, whatever it quotes.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use timeline::{escaped, escaped_lines};

use super::{exit::Code, screen};

/// Input that cannot be used, in words: [`end`] answers it with [`Code::BadInput`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(pub String);

/// A name of the command line that nothing has: [`end`] answers it with [`Code::BadInput`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}`{}\nthere are: {known}", .nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
pub struct UnknownName {
    /// What it should name: `profile`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// The nearest of those that there are.
    pub nearest: Option<String>,
    /// All that there are, with commas between.
    pub known: String,
}

impl UnknownName {
    /// `name` is none of the `known` names.
    pub fn new<'k>(what: &'static str, name: &str, known: impl Iterator<Item = &'k str> + Clone) -> Self {
        let shown = |name: &str| escaped(name).into_owned();
        let nearest = scenario::nearest(name, known.clone()).map(shown);
        Self { what, name: shown(name), nearest, known: known.map(shown).collect::<Vec<_>>().join(", ") }
    }
}

/// What a program ends with: the code that its command came to, or its complaint.
pub fn end(result: anyhow::Result<Code>) -> ExitCode {
    match result {
        Ok(code) => code.into(),
        Err(error) => {
            let complaint = format!("error: {}", in_one_line(&error));
            let lists_names = error.is::<UnknownName>();
            if lists_names {
                complain_in_lines(&complaint)
            } else {
                complain(&complaint)
            }
            let is_input = lists_names || error.is::<BadInput>();
            if is_input { Code::BadInput.into() } else { Code::ToolFailed.into() }
        }
    }
}

/// Where a report goes.
#[derive(Clone, Debug, clap::Args)]
pub struct Destination {
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Destination {
    /// Whether it could be written, before the work for it is done.
    ///
    /// # Errors
    /// [`BadInput`] where its folder is not there; and where standard output is needed and closed.
    pub fn check(&self) -> anyhow::Result<()> {
        check_target(self.out.as_deref())?;
        if self.out.is_none() { check_standard_output() } else { Ok(()) }
    }

    /// Writes the report.
    pub fn write(&self, text: &str) -> anyhow::Result<()> {
        match &self.out {
            Some(path) => write_file(path, text),
            None => print(text),
        }
    }

    /// How wide a report for people may be.
    pub fn width(&self) -> usize {
        screen::width(self.out.as_deref())
    }

    /// Writes a report for people.
    pub fn show(&self, text: &str) -> anyhow::Result<()> {
        show(self.out.as_deref(), text)
    }
}

/// Writes a report for people to a file, or to standard output with the colours that it shows.
pub fn show(out: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match out {
        Some(path) => write_file(path, text),
        None if screen::shows_colours() => print_raw(&screen::in_colours(&escaped_lines(text))),
        None => print(text),
    }
}

/// # Errors
/// Where the program was started with its standard output closed (`>&-`): what is written there would be lost.
fn check_standard_output() -> anyhow::Result<()> {
    anyhow::ensure!(
        !determinism::standard_output_is_closed(),
        "cannot write to standard output: it is closed"
    );
    Ok(())
}

/// Writes to standard output. A reader that has gone (`| head`) is no error.
///
/// # Errors
/// Where it is closed (`>&-`); the system's words where it takes no more.
pub fn print(text: &str) -> anyhow::Result<()> {
    print_raw(&escaped_lines(text))
}

fn print_raw(text: &str) -> anyhow::Result<()> {
    check_standard_output()?;
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error, if anybody listens.
pub fn complain(line: &str) {
    complain_in_lines(&escaped(line));
}

/// Writes a complaint that has lines of its own.
pub fn complain_in_lines(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped_lines(text));
}

/// Writes a complaint with colours, for a terminal. Whatever it quotes has to be escaped already.
pub fn complain_in_colours(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// An error and its causes, each said once: some name theirs in their own words already.
pub fn in_one_line(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |said, cause| {
        let cause = cause.to_string();
        if said.contains(&cause) { said } else { format!("{said}: {cause}") }
    })
}

/// Whether `path` could be written, before the work for it is done.
///
/// # Errors
/// [`BadInput`] where its folder is not there.
pub fn check_target(path: Option<&Path>) -> Result<(), BadInput> {
    let Some(path) = path else { return Ok(()) };
    let folder = folder_of(path);
    match folder.is_dir() {
        true => Ok(()),
        false => {
            Err(BadInput(format!("cannot write {}: there is no folder {}", path.display(), folder.display())))
        }
    }
}

/// Whether all that is `read` stays, whatever is `written`: no output takes the place of an input, by whichever of its names.
///
/// # Errors
/// [`BadInput`] with the name of the first that would not.
pub fn check_inputs_stay(
    written: impl IntoIterator<Item = impl AsRef<Path>>,
    read: impl IntoIterator<Item = impl AsRef<Path>>,
) -> Result<(), BadInput> {
    let read: Vec<_> = read.into_iter().filter_map(|path| identity(path.as_ref())).collect();
    let replaces = |path: &Path| identity(path).is_some_and(|identity| read.contains(&identity));
    match written.into_iter().find(|path| replaces(path.as_ref())) {
        Some(path) => Err(BadInput(format!(
            "{}: this is one of the files that are read, and it would be replaced",
            path.as_ref().display()
        ))),
        None => Ok(()),
    }
}

/// Which file a path leads to, the same for all its names; `None` for what is no regular file, which nothing replaces.
fn identity(path: &Path) -> Option<impl PartialEq + use<>> {
    let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Some((about.dev(), about.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = about;
        fs::canonicalize(path).ok()
    }
}

/// Writes a file as a whole: a reader sees the old one, or the new one, never a part. What is no regular
/// file (a device, a FIFO, a symbolic link) stays what it is, and is written to in place.
///
/// # Errors
/// [`BadInput`] where its folder is not there; the system's words where it cannot be written.
pub fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    write_bytes(path, escaped_lines(text).as_bytes())
}

/// The same of what is no text: bytes as they are.
///
/// # Errors
/// As for [`write_file`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    check_target(Some(path))?;
    let write = || -> io::Result<()> {
        if fs::symlink_metadata(path).is_ok_and(|present| !present.is_file()) {
            return fs::write(path, bytes);
        }
        let mut file = new_file(folder_of(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| anyhow::anyhow!("cannot write {}: {}", path.display(), cause_of(&error)))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The system's words, without the name of the temporary file.
fn cause_of(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|named| named.source());
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

/// A new file with the rights that any new file gets.
fn new_file(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.prefix(".callsim-").tempfile_in(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_named_is_not_said_again() {
        let cause = || io::Error::other("no such file");
        assert_eq!(
            in_one_line(&anyhow::Error::new(cause()).context("cannot read x")),
            "cannot read x: no such file"
        );
        let named = anyhow::Error::new(cause()).context("cannot read x: no such file").context("the gate");
        assert_eq!(in_one_line(&named), "the gate: cannot read x: no such file");
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        write_file(&path, "old").unwrap();
        write_file(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_what_it_leads_to_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let [target, link, dangling] =
            ["report.json", "link", "dangling"].map(|name| directory.path().join(name));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for text in ["a longer old text", "new"] {
            write_file(&link, text).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
        }
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &dangling).unwrap();
        write_file(&dangling, "created").unwrap();
        for link in [&link, &dangling] {
            assert!(fs::symlink_metadata(link).unwrap().is_symlink());
        }
        assert_eq!(fs::read_to_string(directory.path().join("elsewhere")).unwrap(), "created");
    }

    #[cfg(unix)]
    #[test]
    fn a_fifo_and_a_device_stay_what_they_are() {
        use std::os::unix::fs::FileTypeExt as _;
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let reading = std::thread::spawn({
            let fifo = fifo.clone();
            move || fs::read_to_string(fifo).unwrap()
        });
        write_file(&fifo, "through the pipe").unwrap();
        assert_eq!(reading.join().unwrap(), "through the pipe");
        assert!(fs::symlink_metadata(&fifo).unwrap().file_type().is_fifo());
        // A link to the device, so that a mistake here costs no machine its own.
        let null = directory.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &null).unwrap();
        write_file(&null, "gone").unwrap();
        assert!(fs::metadata(&null).unwrap().file_type().is_char_device());
        assert!(fs::symlink_metadata(&null).unwrap().is_symlink());
    }

    #[test]
    fn an_error_names_what_the_user_named() {
        let directory = tempfile::tempdir().unwrap();
        let (folder, path) = (directory.path().join("missing"), directory.path().join("missing/report.json"));
        let error = write_file(&path, "text").unwrap_err();
        assert!(error.is::<BadInput>());
        let expected = format!("cannot write {}: there is no folder {}", path.display(), folder.display());
        assert_eq!(error.to_string(), expected);
        let error = write_file(directory.path(), "text").unwrap_err().to_string();
        assert!(error.starts_with("cannot write") && !error.contains(".callsim-"), "{error}");
    }
}
