//! Playing one shard into a file.

use std::{io::Write, num::NonZeroUsize, ops::ControlFlow, time::Duration};

use scenario::{
    plan::Plan,
    run::Player,
    suite::{self, Broken, Cancel},
};
use thiserror::Error;

use crate::{
    ordered,
    row::Row,
    split::Piece,
    table::{Label, TableError, Writer},
};

/// What playing a shard came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many runs took place.
    pub runs: u64,
    /// Of those: runs in which something did not hold.
    pub failed_runs: u64,
    /// The processor time of their worlds.
    pub cpu: Duration,
}

/// Why a shard has no file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShardError {
    /// The file cannot be written.
    #[error("cannot write the shard: {0}")]
    Table(#[from] TableError),
    /// A run cannot be played here.
    #[error("{scenario}, seed {seed}: {problem}")]
    NotPlayed {
        /// The scenario.
        scenario: String,
        /// The seed.
        seed: u64,
        /// Why.
        problem: Broken,
    },
    /// A scenario of the shard is not among the plans.
    #[error("a scenario of the shard was not loaded")]
    NotLoaded,
    /// Somebody asked to stop.
    #[error("stopped: {} of {runs} runs took place, nothing was written", tally.runs)]
    Stopped {
        /// What took place.
        tally: Tally,
        /// How many runs the shard has.
        runs: u64,
    },
}

/// Plays `pieces` on `threads` threads, and writes a row for each run into `file`, in order.
///
/// `plans` are the campaign's scenarios; those that the shard needs are there. `progress` is called after each run with how
/// many took place. Memory does not depend on the number of runs.
///
/// # Errors
/// A file that cannot be written, a run that this machine cannot play, or somebody who asked to stop.
pub fn play<W: Write + Send>(
    file: W,
    label: &Label,
    pieces: &[Piece],
    plans: &[Option<Plan>],
    threads: NonZeroUsize,
    cancel: &Cancel,
    mut progress: impl FnMut(Tally),
) -> Result<(W, Tally), ShardError> {
    let mut writer = Writer::new(file, label)?;
    let runs = pieces.iter().map(Piece::runs).sum();
    let (mut tally, mut problem) = (Tally::default(), None);
    let work = |run: u64| {
        let (piece, seed) = find(pieces, run);
        let plan = plans.get(piece.scenario).and_then(Option::as_ref);
        let plan = plan.ok_or(ShardError::NotLoaded)?;
        let run = suite::one_kept(plan, seed, &|plan, seed| Player::new(plan).seed(seed).play());
        let cpu = run.result.as_ref().ok().and_then(|played| played.cpu).unwrap_or_default();
        // The record goes here, on the thread that made it.
        let not_played = |problem| ShardError::NotPlayed { scenario: plan.name().to_owned(), seed, problem };
        Ok((Row::of(plan, run).map_err(not_played)?, cpu))
    };
    let mut take = |row: Row, cpu: Duration| -> Result<(), ShardError> {
        tally.runs += 1;
        tally.failed_runs += u64::from(row.failures > 0);
        tally.cpu += cpu;
        writer.push(row)?;
        progress(tally);
        Ok(())
    };
    ordered::in_order(runs, threads, cancel, work, |played| {
        let taken = played.and_then(|(row, cpu)| take(row, cpu));
        match taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                problem = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    match problem {
        Some(problem) => Err(problem),
        None if tally.runs < runs => Err(ShardError::Stopped { tally, runs }),
        None => Ok((writer.finish()?, tally)),
    }
}

/// The run of this number among those of `pieces`.
fn find(pieces: &[Piece], run: u64) -> (&Piece, u64) {
    let mut before = 0;
    for piece in pieces {
        if run < before + piece.runs() {
            return (piece, piece.first + (run - before));
        }
        before += piece.runs();
    }
    unreachable!("run {run} of {before}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::Reader, testing};

    fn played(pieces: &[Piece], threads: usize) -> (Vec<u8>, Tally) {
        let label = Label { plan: "p".to_owned(), shard: 0 };
        let threads = NonZeroUsize::new(threads).unwrap();
        play(Vec::new(), &label, pieces, &testing::plans().map(Some), threads, &Cancel::new(), |_| {})
            .unwrap()
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bytes_and_a_row_for_each_run() {
        let pieces = [Piece { scenario: 0, first: 5, last: 6 }, Piece { scenario: 1, first: 1, last: 3 }];
        let (one, tally) = played(&pieces, 1);
        let (other, _) = played(&pieces, 3);
        assert_eq!(one, other);
        // Scenario 1 expects what does not happen.
        assert_eq!((tally.runs, tally.failed_runs), (5, 3));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, one).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        let rows = reader.group().unwrap().unwrap();
        let seeds: Vec<(&str, u64)> = rows.iter().map(|row| (row.scenario.as_str(), row.seed)).collect();
        assert_eq!(
            seeds,
            [("test/well", 5), ("test/well", 6), ("test/ill", 1), ("test/ill", 2), ("test/ill", 3)]
        );
        assert!(rows.iter().all(|row| row.setup_ms.is_some() && row.digest.is_some()), "{rows:#?}");
        let finding = rows[2].finding.as_ref().unwrap();
        assert!(finding.check == "outcome" && !finding.cause.is_empty(), "{finding:?}");
        assert!(finding.last_step.contains("dtls"), "{finding:?}");
        assert!(reader.group().unwrap().is_none());
    }

    #[test]
    fn who_is_asked_to_stop_writes_nothing() {
        let label = Label { plan: "p".to_owned(), shard: 0 };
        let pieces = [Piece { scenario: 0, first: 1, last: 1_000_000 }];
        let cancel = Cancel::new();
        let plans = testing::plans().map(Some);
        let result = play(Vec::new(), &label, &pieces, &plans, NonZeroUsize::MIN, &cancel, |tally| {
            if tally.runs == 2 {
                cancel.cancel();
            }
        });
        let error = result.map(|(_, tally)| tally).unwrap_err();
        assert!(
            matches!(error, ShardError::Stopped { runs: 1_000_000, tally } if tally.runs < 10),
            "{error}"
        );
    }
}
