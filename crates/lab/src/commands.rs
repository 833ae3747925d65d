//! Programs in namespaces.

use std::{
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use timeline::Name;
use tokio::sync::watch;

use crate::{LabError, namespace::Namespace};

/// A program to be run on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// On which.
    pub host: Name,
    /// The program and its arguments, at least the former.
    pub words: Vec<String>,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What was run.
    pub task: Task,
    /// How it ended; `None` where it was still running at the end of the lab.
    pub status: Option<ExitStatus>,
}

impl Task {
    /// A line for the shell.
    pub fn shell(host: Name, line: impl Into<String>) -> Self {
        Self { host, words: vec!["/bin/sh".to_owned(), "-c".to_owned(), line.into()] }
    }

    /// In words.
    pub fn line(&self) -> String {
        match self.words.as_slice() {
            [shell, option, line] if shell == "/bin/sh" && option == "-c" => line.clone(),
            words => words.join(" "),
        }
    }
}

/// Programs that run.
pub(crate) struct Commands {
    ended: Arc<Mutex<Vec<Ended>>>,
    left: watch::Receiver<usize>,
}

impl Commands {
    /// Starts all of them, each in the namespace of its host.
    pub(crate) fn start(
        tasks: &[Task],
        environment: &[(String, String)],
        namespace: impl Fn(&Name) -> Option<Namespace>,
    ) -> Result<Self, LabError> {
        let ended: Vec<_> = tasks.iter().map(|task| Ended { task: task.clone(), status: None }).collect();
        let ended = Arc::new(Mutex::new(ended));
        let (count, left) = watch::channel(tasks.len());
        let count = Arc::new(count);
        for (place, task) in tasks.iter().enumerate() {
            let namespace = namespace(&task.host).ok_or(LabError::NotEnclosed)?;
            let mut child = spawn(task, environment, &namespace)?;
            let (ended, count) = (ended.clone(), count.clone());
            let waiting = move || {
                let status = child.wait().ok();
                if let Some(ended) = ended.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
                    ended.status = status;
                }
                count.send_modify(|left| *left -= 1);
            };
            let failed = |source| LabError::Command { host: task.host.clone(), command: task.line(), source };
            thread::Builder::new().name("waits".to_owned()).spawn(waiting).map_err(failed)?;
        }
        Ok(Self { ended, left })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Resolves when the last has ended.
    pub(crate) fn all_ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut left = self.left.clone();
        async move {
            // The sender is gone only after the last has ended.
            let _ = left.wait_for(|left| *left == 0).await;
        }
    }

    /// How each has ended so far.
    pub(crate) fn ended(&self) -> Vec<Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// On the namespace's thread: a child is where its parent's thread is.
fn spawn(task: &Task, environment: &[(String, String)], namespace: &Namespace) -> Result<Child, LabError> {
    let [program, arguments @ ..] = task.words.as_slice() else {
        let source = std::io::Error::other("there is no command");
        return Err(LabError::Command { host: task.host.clone(), command: String::new(), source });
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().cloned()).env("CALLSIM_HOST", task.host.as_str());
    let (sender, spawned) = std::sync::mpsc::sync_channel(1);
    namespace.handle.spawn(async move {
        // The lab waits for it.
        let _ = sender.send(command.spawn());
    });
    let spawned = spawned.recv().unwrap_or_else(|_| Err(std::io::Error::other("its namespace is gone")));
    spawned.map_err(|source| LabError::Command { host: task.host.clone(), command: task.line(), source })
}
