//! What a command came to, and what Ctrl-C leaves of it.

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
    process::{Child, Command, Output},
};

/// What a command came to.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn said(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Ends with `code`, and says `what`.
#[track_caller]
pub(crate) fn check(said: &Said, code: i32, what: &str) {
    let all = format!("{}\n{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{all}");
    assert!(all.contains(what), "`{what}` is not in:\n{all}");
}

/// A pipe with a name: whoever writes to it waits for [`interrupted`].
pub(crate) fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Sends Ctrl-C to `command`, whose output is piped, as soon as `programs` have written a line of process ids to the
/// pipe `begun`. It ends with 130 and says that nothing was written, and none of those processes lives.
#[track_caller]
pub(crate) fn interrupted(command: Child, begun: &Path, programs: usize) {
    let mut ids = String::new();
    while ids.lines().count() < programs {
        File::open(begun).unwrap().read_to_string(&mut ids).unwrap();
    }
    // Twice, as timeout(1) sends it, and as those do who cannot wait.
    let id = command.id().to_string();
    let interrupt =
        Command::new("sh").args(["-c", &format!("kill -INT {id} && kill -TERM {id}")]).status().unwrap();
    assert!(interrupt.success());
    check(&said(command.wait_with_output().unwrap()), 130, "stopped: nothing was written");
    for id in ids.split_whitespace() {
        // Whoever was killed is gone as soon as the machine gets round to it.
        let gone = (0..1_000_000).any(|_| {
            std::thread::yield_now();
            !is_alive(id)
        });
        assert!(gone, "process {id}");
    }
}

/// Whether the process runs; one that has ended and that nobody has asked for yet does not.
fn is_alive(id: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id).join("stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    !matches!(state, None | Some("Z" | "X"))
}
