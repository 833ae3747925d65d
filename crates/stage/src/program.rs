//! What a host runs.

use std::{fmt, future, net::IpAddr, pin::Pin};

use thiserror::Error;
use webrtc::runtime::JoinHandle;

use crate::{Command, Place};

/// A boxed future, as the methods of [`Program`] return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a peer's host runs: the call engine, or any program that is given a [`Place`](crate::Place).
///
/// All methods are called on the world's thread. They must not block it; what takes time belongs into a task
/// ([`Place::spawn`](crate::Place::spawn)).
pub trait Program: Send {
    /// Carries out a step of the script for this peer: starts to, and does not wait for the result.
    ///
    /// # Errors
    /// [`Unsupported`] for a command that the program does not know. The run then fails at this step.
    fn act(&mut self, command: &Command) -> Result<(), Unsupported>;

    /// The host has moved to another network and has these addresses now. By default nothing happens, as in a program
    /// that the platform does not notify.
    fn network_changed(&mut self, _addresses: &[IpAddr]) {}

    /// Resolves when the program has no call any more, after the last step of the script: the run waits for it, until
    /// its deadline. By default at once.
    fn finished(&mut self) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }

    /// Ends the program, and resolves when nothing of it is left: what its host holds a virtual second later is
    /// reported as leaked.
    fn stop(&mut self) -> BoxFuture<'_, ()>;
}

/// A program that only runs, such as a server: it knows no commands, and ends by being dropped.
///
/// ```no_run
/// # use stage::{Place, Task};
/// # async fn serve(address: &str) {}
/// let start = |place: Place| Task::start(&place, serve("0.0.0.0:9000"));
/// ```
pub struct Task(Box<dyn JoinHandle>);

impl Task {
    /// Starts it at `place`.
    pub fn start(place: &Place, task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(place.spawn(task))
    }
}

impl Program for Task {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        Err(Unsupported::because(format!("it only runs, and cannot: {command}")))
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        self.0.abort();
        Box::pin(future::ready(()))
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").finish_non_exhaustive()
    }
}

/// A program does not know a command.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{why}")]
pub struct Unsupported {
    why: String,
}

impl Unsupported {
    /// With the reason, in words: `our app cannot hold`.
    pub fn because(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }

    /// `PROGRAM cannot: COMMAND`.
    pub fn by(program: impl fmt::Display, command: &Command) -> Self {
        Self { why: format!("{program} cannot: {command}") }
    }
}
