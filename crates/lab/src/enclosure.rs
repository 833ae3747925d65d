//! Namespaces around all of a lab, so that nothing of it can be left over.
//!
//! The program starts itself a second time as the first process of a PID namespace of its own, with its own mounts and
//! without a network. When that process ends, the kernel ends all others there; and it ends with the one that started
//! it, whatever ends that (`PR_SET_PDEATHSIG`).

use std::{
    ffi::OsString,
    fs, io,
    process::{Command, ExitCode},
};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        signal::{SigSet, Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getegid, geteuid},
};

use crate::LabError;

/// Says to the second process who started it.
const STARTED_BY: &str = "CALLSIM_LAB_STARTED_BY";
/// What a program ends with that Ctrl-C stopped.
const INTERRUPTED: u8 = 130;

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Enclosed {
    /// The one in which the lab is.
    Inside(Rights),
    /// The one that the user has started, when the other one has ended.
    Over(ExitCode),
}

/// What the lab may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// What its user may.
    Users,
    /// Everything within a user namespace.
    Namespace,
}

/// Goes into namespaces of its own: starts the program again there, with the same arguments, and waits for it. To be
/// called before anything starts a thread.
///
/// # Errors
/// [`LabError::NoTun`], [`LabError::NoNamespaces`] or [`LabError::Enclosure`].
pub fn enclose() -> Result<Enclosed, LabError> {
    match std::env::var(STARTED_BY) {
        Ok(started_by) => inside(&started_by).map(Enclosed::Inside),
        Err(_) => outside().map(Enclosed::Over),
    }
}

fn failed(doing: &'static str) -> impl Fn(Errno) -> LabError {
    move |error| LabError::Enclosure { doing, source: error.into() }
}

fn outside() -> Result<ExitCode, LabError> {
    fs::File::options().read(true).write(true).open("/dev/net/tun").map_err(LabError::NoTun)?;
    let all = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET;
    // Signals wait until there is somebody to end. The other process begins with them blocked, so that none is missed.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD] {
        signals.add(signal);
    }
    signals.thread_block().map_err(failed("block signals"))?;
    let (user, group) = (geteuid(), getegid());
    let rights = match unshare(all) {
        Err(Errno::EPERM) => {
            let name = if user.is_root() { "root" } else { "a user without rights" };
            let refused = |error: Errno| LabError::NoNamespaces { user: name, source: error.into() };
            unshare(all | CloneFlags::CLONE_NEWUSER).map_err(refused)?;
            let write = |path: &str, text: String| {
                fs::write(path, text).map_err(|source| LabError::NoNamespaces { user: name, source })
            };
            write("/proc/self/setgroups", "deny".to_owned())?;
            write("/proc/self/uid_map", format!("0 {user} 1"))?;
            write("/proc/self/gid_map", format!("0 {group} 1"))?;
            Rights::Namespace
        }
        made => {
            made.map_err(|error| LabError::NoNamespaces { user: "root", source: error.into() })?;
            Rights::Users
        }
    };
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let mut command = Command::new("/proc/self/exe");
    command.args(arguments.iter().skip(1)).env(STARTED_BY, std::process::id().to_string());
    if rights == Rights::Users {
        command.env(RIGHTS, "users");
    }
    let child = command.spawn();
    let child = child.map_err(|source| LabError::Enclosure { doing: "start itself again", source })?;
    wait(Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()), &signals)
}

/// Waits for the other process, and ends it when this one is asked to end.
fn wait(child: Pid, signals: &SigSet) -> Result<ExitCode, LabError> {
    let mut interrupted = false;
    loop {
        match signals.wait().map_err(failed("wait for signals"))? {
            Signal::SIGCHLD => match waitpid(child, Some(WaitPidFlag::WNOHANG)).map_err(failed("wait"))? {
                _ if interrupted => return Ok(ExitCode::from(INTERRUPTED)),
                WaitStatus::Exited(_, code) => return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
                WaitStatus::Signaled(..) => return Ok(ExitCode::FAILURE),
                _ => {}
            },
            _ => {
                interrupted = true;
                // It may have ended by itself. All that is with it ends before it can be waited for.
                let _ = kill(child, Signal::SIGKILL);
            }
        }
    }
}

/// Set where the lab has the rights of its user.
const RIGHTS: &str = "CALLSIM_LAB_RIGHTS";

fn inside(started_by: &str) -> Result<Rights, LabError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(failed("be ended with its parent"))?;
    // The parent may have ended before that: then somebody else is the parent now. /proc is still the one outside.
    let status = fs::read_to_string("/proc/self/status");
    let status = status.map_err(|source| LabError::Enclosure { doing: "read /proc/self/status", source })?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim);
    if parent != Some(started_by) {
        let source = io::Error::other("the process that started it is gone");
        return Err(LabError::Enclosure { doing: "go on", source });
    }
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(failed("have mounts of its own"))?;
    // Where it is refused, as in containers that hide parts of it, programs see the processes outside as well.
    let _ = mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none);
    SigSet::all().thread_unblock().map_err(failed("unblock signals"))?;
    let rights = std::env::var_os(RIGHTS);
    Ok(if rights.is_some() { Rights::Users } else { Rights::Namespace })
}

/// Lets programs find the hosts of the world by name: `/etc/hosts` is this text, within these namespaces.
pub(crate) fn set_hosts(text: &str) -> Result<(), LabError> {
    let none: Option<&str> = None;
    let io = |source| LabError::Enclosure { doing: "write the names of the hosts", source };
    // A file system that only this process has ever seen, so that no file is left.
    mount(Some("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::empty(), none).map_err(failed("mount a tmpfs"))?;
    let written = fs::write("/tmp/hosts", text).map_err(io);
    let bound = mount(Some("/tmp/hosts"), "/etc/hosts", none, MsFlags::MS_BIND, none);
    umount2("/tmp", MntFlags::MNT_DETACH).map_err(failed("unmount a tmpfs"))?;
    written?;
    bound.map_err(failed("put names into /etc/hosts"))
}
