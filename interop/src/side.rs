//! A side of a call: a program that takes commands and reports.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command as Program, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::words::{Command, Counts, Report, State};

/// How long anything may take that says nothing else of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Why a flow did not go as it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The program cannot be started.
    #[error("{0} does not start: {1}")]
    Start(String, std::io::Error),
    /// Something did not happen in time.
    #[error("{who}: {what} did not happen within {} s{problems}", within.as_secs())]
    Late { who: &'static str, what: String, within: Duration, problems: String },
    /// A side cannot do what the flow wants.
    #[error("{who} cannot {what}")]
    Unsupported { who: &'static str, what: String },
    /// Something else happened than should.
    #[error("{0}")]
    Wrong(String),
}

/// A running program.
pub(crate) struct Side {
    who: &'static str,
    pub(crate) name: String,
    program: Child,
    commands: ChildStdin,
    reports: Arc<Reports>,
}

/// What it said, with the time of each.
#[derive(Default)]
struct Reports {
    all: Mutex<Vec<(Instant, Report)>>,
    more: Condvar,
}

impl Side {
    /// Starts `program`, which takes its options as JSON in its last argument; what it writes to standard error goes to `log`.
    pub(crate) fn start(
        who: &'static str,
        name: &str,
        mut program: Program,
        log: std::fs::File,
    ) -> Result<Self, Trouble> {
        let cannot = |error| Trouble::Start(who.to_owned(), error);
        let mut program = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log.try_clone().map_err(cannot)?))
            .spawn()
            .map_err(cannot)?;
        let (Some(commands), Some(output)) = (program.stdin.take(), program.stdout.take()) else {
            return Err(cannot(std::io::ErrorKind::BrokenPipe.into()));
        };
        let reports = Arc::new(Reports::default());
        let heard = Arc::clone(&reports);
        std::thread::spawn(move || {
            let mut log = log;
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The log is for people; without it nothing else changes.
                let _ = writeln!(log, "{line}");
                // A line that is no report is somebody's print.
                if let Ok(report) = serde_json::from_str(&line) {
                    heard.all.lock().unwrap_or_else(PoisonError::into_inner).push((now(), report));
                    heard.more.notify_all();
                }
            }
        });
        Ok(Self { who, name: name.to_owned(), program, commands, reports })
    }

    pub(crate) fn tell(&mut self, command: &Command) {
        // A program that is gone is noticed by what it does not report.
        let _ = writeln!(self.commands, "{command}");
    }

    /// How much it has said so far: where [`Self::until`] begins to look.
    pub(crate) fn mark(&self) -> usize {
        self.all().len()
    }

    /// Waits for a report that was or will be said after `mark`; when it came.
    pub(crate) fn until(
        &self,
        mark: usize,
        within: Duration,
        what: &str,
        is_it: impl Fn(&Report) -> bool,
    ) -> Result<Instant, Trouble> {
        let deadline = now() + within;
        let mut all = self.all();
        loop {
            for (at, report) in &all[mark.min(all.len())..] {
                if is_it(report) {
                    return Ok(*at);
                }
                if let Report::Unsupported { what } = report {
                    return Err(Trouble::Unsupported { who: self.who, what: what.clone() });
                }
            }
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                let problems: Vec<&str> = all[mark.min(all.len())..]
                    .iter()
                    .filter_map(|(_, report)| match report {
                        Report::Problem { what } => Some(what.as_str()),
                        _ => None,
                    })
                    .collect();
                let problems = match problems.first() {
                    Some(first) => format!(" (it says: {first})"),
                    None => String::new(),
                };
                return Err(Trouble::Late { who: self.who, what: what.to_owned(), within, problems });
            }
            all = self.reports.more.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the call is in `state`.
    pub(crate) fn until_state(&self, mark: usize, state: State) -> Result<Instant, Trouble> {
        self.until(
            mark,
            PATIENCE,
            &format!("{state:?}"),
            |report| matches!(report, Report::State { state: entered, .. } if *entered == state),
        )
    }

    /// Waits until the call has ended, and checks why.
    pub(crate) fn until_ended(&self, within: Duration, reasons: &[&str]) -> Result<Instant, Trouble> {
        let at = self.until(0, within, "the end of the call", |report| {
            matches!(report, Report::State { state: State::Ended, .. })
        })?;
        let reason = self.all().iter().find_map(|(_, report)| match report {
            Report::State { state: State::Ended, reason } => reason.clone(),
            _ => None,
        });
        let reason = reason.unwrap_or_default();
        if reasons.contains(&reason.as_str()) {
            return Ok(at);
        }
        let who = self.who;
        Err(Trouble::Wrong(format!("{who} ended with `{reason}`, not with `{}`", reasons.join("` or `"))))
    }

    /// What it counted so far.
    pub(crate) fn counts(&mut self) -> Result<Counts, Trouble> {
        let mark = self.mark();
        self.tell(&Command::Counts);
        self.until(mark, PATIENCE, "its counts", |report| matches!(report, Report::Counts(_)))?;
        let counts = self.all()[mark..].iter().find_map(|(_, report)| match report {
            Report::Counts(counts) => Some(*counts),
            _ => None,
        });
        Ok(counts.unwrap_or_default())
    }

    /// The problems that it reported.
    pub(crate) fn problems(&self) -> Vec<String> {
        let problem = |(_, report): &(Instant, Report)| match report {
            Report::Problem { what } => Some(what.clone()),
            _ => None,
        };
        self.all().iter().filter_map(problem).collect()
    }

    /// When it first said this after `mark`, if it did.
    pub(crate) fn said(&self, mark: usize, is_it: impl Fn(&Report) -> bool) -> Option<Instant> {
        self.all()[mark..].iter().find(|(_, report)| is_it(report)).map(|(at, _)| *at)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Report)>> {
        self.reports.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.tell(&Command::Quit);
        let deadline = now() + Duration::from_secs(5);
        while now() < deadline {
            if !matches!(self.program.try_wait(), Ok(None)) {
                return;
            }
            pause(Duration::from_millis(20));
        }
        // It may have ended in this moment.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[allow(clippy::disallowed_methods, reason = "calls on real sockets take real time")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[allow(clippy::disallowed_methods, reason = "calls on real sockets take real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
