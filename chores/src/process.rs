//! Child processes: none outlives the command, whatever ends it.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::interrupt::CANCEL;

/// The children that live, by their ids, which are those of their process groups, too.
static ALIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn alive() -> MutexGuard<'static, BTreeSet<u32>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all children and theirs: for Ctrl-C. None is started after it.
pub(crate) fn end_all() {
    alive().iter().for_each(|id| kill(*id));
}

/// A child in a process group of its own, which ends with it.
pub(crate) struct Process(Child);

impl Process {
    /// Starts `command`. After Ctrl-C nothing is started: [`io::ErrorKind::Interrupted`].
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut alive = alive();
        if CANCEL.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        alive.insert(child.id());
        Ok(Self(child))
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Ends it and its children.
    pub(crate) fn kill(&mut self) {
        let _alive = alive();
        // Whoever was waited for has no id any more.
        if matches!(self.0.try_wait(), Ok(None)) {
            kill(self.0.id());
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        alive().remove(&self.0.id());
    }
}

/// Ends the group of the child `id`.
fn kill(id: u32) {
    #[cfg(unix)]
    if let Ok(id) = i32::try_from(id) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
    }
    #[cfg(not(unix))]
    let _ = id;
}

/// What a program that has ended said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Said {
    /// Its standard output, where it succeeded.
    pub(crate) fn success(&self) -> Option<String> {
        self.status.success().then(|| String::from_utf8_lossy(&self.stdout).into_owned())
    }
}

/// Runs `command` to its end, without input.
pub(crate) fn output(command: &mut Command) -> io::Result<Said> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::start(command)?;
    let (stdout, stderr) = (process.child().stdout.take(), process.child().stderr.take());
    let (stdout, stderr) = thread::scope(|scope| {
        let stderr = scope.spawn(|| drain(stderr));
        (drain(stdout), stderr.join().unwrap_or_default())
    });
    let status = process.wait()?;
    Ok(Said { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

fn drain(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read before an error is all that there is to show.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}
