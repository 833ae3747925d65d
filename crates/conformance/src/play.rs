//! Plays rows, each try on a simulation thread of its own, on all cores.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use ::stage::StageError;
use call_engine::Guards;
use netsim::End;
use thiserror::Error;
use timeline::Digest;

use crate::{
    row::{Program, Row},
    stage::{self, Stage},
};

/// A row and what came of it.
#[derive(Clone)]
pub struct Played {
    /// The row.
    pub row: Row,
    /// Of bare `webrtc`.
    pub bare: Result<Verdict, Broken>,
    /// Of the engine.
    pub engine: Result<Verdict, Broken>,
    /// What went over the wire of each, where it could be played: two runs that agree in this are the same.
    pub digests: [Option<Digest>; 2],
}

/// What a try showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the specification says.
    Pass,
    /// It is not, and what was found.
    Deviates(String),
    /// It cannot be tried, and why.
    NotApplicable(&'static str),
}

/// Why a try shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Broken {
    /// There could be no world.
    #[error("{reason}")]
    NoWorld {
        /// The world's words.
        reason: String,
    },
    /// It panicked.
    #[error("it panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// Its world was cut off.
    #[error("its world was {0}")]
    CutOff(End),
}

impl Verdict {
    /// The word that reports use: `pass`, `deviates`, `not-applicable`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Deviates(_) => "deviates",
            Self::NotApplicable(_) => "not-applicable",
        }
    }

    /// What was found, or why it was not tried; nothing where it passed.
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Pass => None,
            Self::Deviates(found) => Some(found),
            Self::NotApplicable(because) => Some(because),
        }
    }
}

/// Plays `rows` on `jobs` threads until `stop` says so; those that were played, in order. `progress` is
/// called after each with how many are done, from any thread.
pub fn play(
    rows: Vec<Row>,
    jobs: NonZeroUsize,
    stop: impl Fn() -> bool + Sync,
    progress: impl Fn(usize) + Sync,
) -> Vec<Played> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let played: Vec<Mutex<Option<Played>>> = rows.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some((row, slot)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            rows.get(index).zip(played.get(index))
        } {
            if stop() {
                return;
            }
            let result = play_row(row.clone());
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.get() {
            scope.spawn(work);
        }
        work();
    });
    played.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Plays one row: both tries.
pub fn play_row(row: Row) -> Played {
    play_row_guarded(row, Guards::ALL_ON)
}

/// The same with other guards of the engine: with one of them off, rows have to deviate.
pub fn play_row_guarded(row: Row, guards: Guards) -> Played {
    let (bare, of_bare) = attempt(&row.bare, guards);
    let (engine, of_engine) = match &row.engine {
        Ok(program) => attempt(program, guards),
        Err(because) => (Ok(Verdict::NotApplicable(because)), None),
    };
    Played { row, bare, engine, digests: [of_bare, of_engine] }
}

fn attempt(program: &Program, guards: Guards) -> (Result<Verdict, Broken>, Option<Digest>) {
    let played = ::stage::run(stage::world(), |world| async {
        let stage = Stage::new(world, guards);
        let shown = program(stage.clone()).await;
        let ended = stage.finish().await;
        shown.and(ended)
    });
    let outcome = match played {
        Ok(outcome) => outcome,
        Err(StageError::Panicked(message)) => return (Err(Broken::Panicked { message }), None),
        Err(error) => return (Err(Broken::NoWorld { reason: error.to_string() }), None),
    };
    let verdict = match outcome.value {
        Some(Ok(())) => Ok(Verdict::Pass),
        Some(Err(deviation)) => Ok(Verdict::Deviates(deviation.to_string())),
        None => Err(Broken::CutOff(outcome.end)),
    };
    (verdict, Some(outcome.digest))
}
