//! A live worker: a process that is asked and answers, within limits.

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read, Write as _},
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use gate::{
    baseline::Fingerprint,
    instructions::Valgrind,
    metric::{Metric, MetricId, Percent},
    value::Value,
    worker::{LineError, MAX_LINE_BYTES, REGION, Request, Response},
};
use thiserror::Error;

use super::machine;
use crate::process::Process;

/// How long a worker may take for one answer. Counting is fifty times slower than running.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long the last words of a worker that has ended are waited for: a child of it may hold the pipe.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How many of the last lines that a worker complained with are shown.
const COMPLAINTS: usize = 5;

/// How a worker is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Launch {
    /// As it is.
    Plain,
    /// With another environment and with memory that is not zero: what depends on either shows.
    Disturbed,
    /// Under valgrind, which writes what it counted to this file.
    Counting {
        /// The file.
        output: PathBuf,
    },
}

impl Launch {
    fn command(&self, program: &Path) -> Command {
        match self {
            Self::Plain => Command::new(program),
            Self::Disturbed => {
                let mut command = Command::new(program);
                // glibc fills what is allocated and freed with this byte (mallopt(3), M_PERTURB).
                command.env("MALLOC_PERTURB_", "165").env("GATE_DISTURBANCE", "x".repeat(1237));
                command
            }
            Self::Counting { output } => {
                let valgrind = machine::find("valgrind").unwrap_or_else(|| "valgrind".into());
                let mut command = match machine::fixed_addresses() {
                    Some(setarch) => {
                        let mut command = Command::new(setarch);
                        command.arg("-R").arg(valgrind);
                        command
                    }
                    None => Command::new(valgrind),
                };
                // Even the size of the environment moves counts.
                command.args(Valgrind::arguments(REGION, output)).arg(program).env_clear();
                command
            }
        }
    }
}

/// Why a worker did not answer.
#[derive(Debug, Error)]
pub(super) enum WorkerError {
    /// Ctrl-C.
    #[error("stopped")]
    Interrupted,
    /// It could not be started.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ended, or closed its output.
    #[error("{} ended {when}{complaints}", program.display())]
    Ended {
        /// The program.
        program: PathBuf,
        /// While what was asked.
        when: String,
        /// Its last words.
        complaints: String,
    },
    /// It says nothing.
    #[error("{} said nothing for {} s {when}", program.display(), PATIENCE.as_secs())]
    Silent {
        /// The program.
        program: PathBuf,
        /// While what was asked.
        when: String,
    },
    /// It says what the protocol does not know.
    #[error("{} {when}: {source}", program.display())]
    Line {
        /// The program.
        program: PathBuf,
        /// While what was asked.
        when: String,
        /// What is wrong with the line.
        source: LineError,
    },
    /// It says something else than was asked.
    #[error("{} {when}: it answered `{answer}`", program.display())]
    OffTopic {
        /// The program.
        program: PathBuf,
        /// While what was asked.
        when: String,
        /// What it said.
        answer: String,
    },
    /// It could not measure this metric; it lives.
    #[error("{message}")]
    Failed {
        /// What it said.
        message: String,
    },
}

/// What a worker measured.
pub(super) type Measured = (Value, Option<String>);

/// A live worker.
pub(super) struct Worker {
    program: PathBuf,
    /// Its name and version.
    pub(super) name: String,
    /// Under which conditions it measures.
    pub(super) fingerprint: Fingerprint,
    input: ChildStdin,
    lines: Receiver<Result<String, LineError>>,
    complaints: Arc<Mutex<VecDeque<String>>>,
    /// Closes when its complaints have ended.
    silence: Receiver<()>,
    process: Process,
}

impl Worker {
    pub(super) fn start(program: &Path, launch: &Launch) -> Result<Self, WorkerError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::Interrupted => WorkerError::Interrupted,
            _ => WorkerError::Start { program: program.to_owned(), source },
        };
        let mut command = launch.command(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::start(&mut command).map_err(failed)?;
        let child = process.child();
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || read_lines(output, &sender));
        let complaints = Arc::new(Mutex::new(VecDeque::new()));
        let heard = Arc::clone(&complaints);
        let (until, silence) = mpsc::channel::<()>();
        thread::spawn(move || {
            keep_last(errors, &heard);
            drop(until);
        });
        let mut worker = Self {
            program: program.to_owned(),
            name: String::new(),
            fingerprint: Fingerprint::new(),
            input,
            lines,
            complaints,
            silence,
            process,
        };
        match worker.answer("while it was to greet")? {
            Response::Greeting { program, fingerprint, .. } => {
                (worker.name, worker.fingerprint) = (program, fingerprint);
                Ok(worker)
            }
            other => Err(worker.off_topic("while it was to greet", &other)),
        }
    }

    /// What it can measure, in its own order.
    pub(super) fn list(&mut self) -> Result<Vec<Metric>, WorkerError> {
        match self.ask(&Request::List, "while it was to list its metrics")? {
            Response::Metrics(metrics) => Ok(metrics),
            other => Err(self.off_topic("while it was to list its metrics", &other)),
        }
    }

    /// Measures once.
    pub(super) fn measure(
        &mut self,
        id: &MetricId,
        slowdown: Percent,
        base: Option<u64>,
    ) -> Result<Measured, WorkerError> {
        let when = format!("while it was to measure `{id}`");
        match self.ask(&Request::Measure { id: id.clone(), slowdown, base }, &when)? {
            Response::Measured { id: of, value, digest } if of == *id => Ok((value, digest)),
            Response::Failed { message } => Err(WorkerError::Failed { message }),
            other => Err(self.off_topic(&when, &other)),
        }
    }

    /// Measures once what is one number.
    pub(super) fn sample(
        &mut self,
        id: &MetricId,
        slowdown: Percent,
        base: Option<u64>,
    ) -> Result<u64, WorkerError> {
        match self.measure(id, slowdown, base)? {
            (Value::Single(number), _) => Ok(number),
            (Value::BySeed(_), _) => Err(WorkerError::Failed {
                message: format!("`{id}` must be one number, not outcomes by seed"),
            }),
        }
    }

    /// Lets it end by itself.
    pub(super) fn finish(self) -> Result<(), WorkerError> {
        let Self { program, input, process, complaints, silence, .. } = self;
        drop(input);
        let status =
            process.wait().map_err(|source| WorkerError::Start { program: program.clone(), source })?;
        let _ = silence.recv_timeout(LAST_WORDS);
        match status.success() {
            true => Ok(()),
            false => Err(ended(&program, &format!("with {status}"), &complaints)),
        }
    }

    fn ask(&mut self, request: &Request, when: &str) -> Result<Response, WorkerError> {
        let line = request.to_line() + "\n";
        // If it does not listen any more, its silence says so.
        let _ = self.input.write_all(line.as_bytes()).and_then(|()| self.input.flush());
        self.answer(when)
    }

    fn answer(&mut self, when: &str) -> Result<Response, WorkerError> {
        let (program, owned) = (self.program.clone(), when.to_owned());
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(Ok(line)) => line,
            Ok(Err(source)) => return Err(WorkerError::Line { program, when: owned, source }),
            Err(RecvTimeoutError::Timeout) => return Err(WorkerError::Silent { program, when: owned }),
            Err(RecvTimeoutError::Disconnected) => {
                if crate::interrupt::CANCEL.is_cancelled() {
                    return Err(WorkerError::Interrupted);
                }
                // Its last words come through another pipe, which ends when it and its children do.
                self.process.kill();
                let _ = self.silence.recv_timeout(LAST_WORDS);
                return Err(ended(&program, when, &self.complaints));
            }
        };
        Response::from_line(&line).map_err(|source| WorkerError::Line { program, when: owned, source })
    }

    fn off_topic(&self, when: &str, answer: &Response) -> WorkerError {
        let answer: String = answer.to_line().chars().take(80).collect();
        WorkerError::OffTopic { program: self.program.clone(), when: when.to_owned(), answer }
    }
}

fn ended(program: &Path, when: &str, complaints: &Mutex<VecDeque<String>>) -> WorkerError {
    let lines = complaints.lock().unwrap_or_else(PoisonError::into_inner);
    let complaints: String = lines.iter().map(|line| format!("\n  {line}")).collect();
    WorkerError::Ended { program: program.to_owned(), when: when.to_owned(), complaints }
}

/// Hands on lines until there are no more, or one is too long.
fn read_lines(output: impl Read, lines: &Sender<Result<String, LineError>>) {
    let mut reader = BufReader::new(output);
    loop {
        let mut bytes = Vec::new();
        let limit = MAX_LINE_BYTES as u64 + 1;
        match reader.by_ref().take(limit).read_until(b'\n', &mut bytes) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        let line =
            if line.len() > MAX_LINE_BYTES { Err(LineError::TooLong { size: line.len() }) } else { Ok(line) };
        let last = line.is_err();
        if lines.send(line).is_err() || last {
            return;
        }
    }
}

fn keep_last(errors: impl Read, kept: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(errors.take(64 << 20)).lines().map_while(Result::ok) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == COMPLAINTS {
            kept.pop_front();
        }
        kept.push_back(line.chars().take(300).collect());
    }
}
