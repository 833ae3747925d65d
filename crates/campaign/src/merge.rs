//! The merge of a campaign's shards: a pure function of their rows, in memory that does not depend on how many there are.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::PathBuf,
};

use scenario::{
    checks::{self, RateVerdict},
    plan::Outcome,
    report::Times,
};
use timeline::Digest;

use crate::{
    campaign::{Campaign, PlannedScenario},
    fingerprint::fingerprint,
    folder::{Attempt, End, Folder, FolderError},
    row::{Finding, Row},
    split::Piece,
    table::{Reader, TableError},
};

/// How many of the slowest set-ups are listed for each scenario.
const SLOWEST: usize = 5;

/// How many rows that differ are listed; all are counted.
const LISTED: usize = 100;

/// What the rows of a campaign come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The scenarios, in the order of the plan; those without a run included.
    pub scenarios: Vec<ScenarioTally>,
    /// What did not hold, the most frequent first.
    pub findings: Vec<Group>,
    /// What machines do not agree on.
    pub disagreements: Disagreements,
    /// The shards that are missing.
    pub missing: Vec<u64>,
}

/// All runs of one scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioTally {
    /// Its name.
    pub name: String,
    /// How many runs.
    pub runs: u64,
    /// Runs in which everything held.
    pub passed: u64,
    /// How often each outcome occurred.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Set-ups.
    pub setup: Distribution,
    /// The longest recovery of each run that has one.
    pub recovery: Distribution,
    /// The virtual time of all runs, in milliseconds.
    pub elapsed_ms: u64,
    /// The digest of all packets of all runs, in the order of the seeds.
    pub digest: Digest,
    /// What was said of its rates.
    pub rates: RateVerdict,
}

/// Times in whole milliseconds, counted by value: there are no more values than a run has milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    counts: BTreeMap<u64, u64>,
    total: u64,
    /// The slowest, the slowest first; of equal ones the first seeds.
    slowest: Vec<(u64, u64)>,
}

/// Runs that failed in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common ([`fingerprint`]).
    pub fingerprint: String,
    /// That of the first run.
    pub finding: Finding,
    /// How many runs.
    pub count: u64,
    /// How many of each scenario.
    pub scenarios: BTreeMap<String, u64>,
    /// The first run's scenario.
    pub scenario: String,
    /// The first run's seed.
    pub seed: u64,
}

/// Shards that were played more than once, with other results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disagreements {
    /// How many runs differ.
    pub count: u64,
    /// The first of them.
    pub rows: Vec<Disagreement>,
}

/// One run that is not the same in two files of one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The shard.
    pub shard: u64,
    /// The run's scenario.
    pub scenario: String,
    /// The run's seed.
    pub seed: u64,
    /// What is different: the columns.
    pub columns: Vec<&'static str>,
    /// The machine of the file that counts, where it is known.
    pub machine: Option<String>,
    /// The machine of the other file.
    pub other_machine: Option<String>,
    /// The digests of both, as far as they are there.
    pub digests: [Option<u128>; 2],
}

/// Which shards must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All.
    Whole,
    /// Those that are there.
    Partial,
}

/// Merges the shards of `folder`.
///
/// # Errors
/// Shards that are missing, where all are wanted; files that cannot be used.
pub fn merge(folder: &Folder, coverage: Coverage) -> Result<Merged, FolderError> {
    let campaign = folder.campaign();
    let missing = folder.missing()?;
    if coverage == Coverage::Whole && !missing.is_empty() {
        return Err(FolderError::Missing { missing, shards: campaign.shards() });
    }
    let mut merge = Merge::new(campaign);
    let mut disagreements = Disagreements::default();
    for index in 0..campaign.shards() {
        read(folder, index, &mut |row, piece| merge.take(row, piece))?;
        compare(folder, index, &mut disagreements)?;
    }
    Ok(Merged { scenarios: merge.scenarios(campaign), findings: merge.findings(), disagreements, missing })
}

/// Hands the rows of a shard to `take`, each with the piece of the plan that it belongs to.
fn read(folder: &Folder, index: u64, take: &mut dyn FnMut(Row, &Piece)) -> Result<(), FolderError> {
    let Some(mut reader) = folder.shard(index)? else { return Ok(()) };
    let path = || folder.shard_path(index);
    let campaign = folder.campaign();
    let pieces = campaign.shard(index).into_iter().flatten();
    let mut planned = pieces.flat_map(|piece| (piece.first..=piece.last).map(move |seed| (piece, seed)));
    let unreadable = |source: TableError| FolderError::Unreadable { path: path(), source };
    while let Some(rows) = reader.group().map_err(unreadable)? {
        for row in rows {
            let planned =
                planned.next().map(|(piece, seed)| (piece, &campaign.scenarios[piece.scenario].name, seed));
            match planned {
                Some((piece, name, seed)) if row.seed == seed && row.scenario == *name => take(row, piece),
                _ => {
                    let what = planned
                        .map_or("nothing".to_owned(), |(_, name, seed)| format!("{name}, seed {seed}"));
                    let problem =
                        format!("it has {}, seed {}, where {what} is planned", row.scenario, row.seed);
                    return Err(FolderError::OtherRuns { path: path(), problem });
                }
            }
        }
    }
    match planned.next() {
        None => Ok(()),
        Some(_) => Err(FolderError::OtherRuns { path: path(), problem: "it ends before them".to_owned() }),
    }
}

/// Notes the runs of a shard that are not the same in its other files.
fn compare(folder: &Folder, index: u64, found: &mut Disagreements) -> Result<(), FolderError> {
    let others = folder.others(index)?;
    if others.is_empty() {
        return Ok(());
    }
    let attempts = folder.attempts(index)?;
    let machine = |is_it: &dyn Fn(&Attempt) -> bool| {
        attempts.iter().find(|attempt| is_it(attempt)).map(|attempt| attempt.machine.clone())
    };
    let written = machine(&|attempt| attempt.end == Some(End::Written));
    for (number, path) in others {
        let other_machine = machine(&|attempt| attempt.attempt == number);
        let Some(mut ours) = folder.shard(index)? else { continue };
        let unreadable = |path: PathBuf| move |source| FolderError::Unreadable { path, source };
        let mut theirs = Reader::open(&path).map_err(unreadable(path.clone()))?;
        loop {
            let one = ours.group().map_err(unreadable(folder.shard_path(index)))?;
            let other = theirs.group().map_err(unreadable(path.clone()))?;
            let (Some(one), Some(other)) = (one, other) else { break };
            for (one, other) in one.iter().zip(&other).filter(|(one, other)| one != other) {
                found.count += 1;
                if found.rows.len() < LISTED {
                    found.rows.push(Disagreement {
                        shard: index,
                        scenario: one.scenario.clone(),
                        seed: one.seed,
                        columns: different(one, other),
                        machine: written.clone(),
                        other_machine: other_machine.clone(),
                        digests: [one.digest, other.digest],
                    });
                }
            }
        }
    }
    Ok(())
}

/// The columns in which two rows differ.
fn different(one: &Row, other: &Row) -> Vec<&'static str> {
    let columns = [
        ("scenario", one.scenario != other.scenario),
        ("seed", one.seed != other.seed),
        ("outcome", one.outcome != other.outcome),
        ("setup_ms", one.setup_ms != other.setup_ms),
        ("recovery_ms", one.recovery_ms != other.recovery_ms),
        ("elapsed_ms", one.elapsed_ms != other.elapsed_ms),
        ("digest", one.digest != other.digest),
        ("failures", one.failures != other.failures),
        ("finding", one.finding != other.finding),
    ];
    columns.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

/// The merge as far as it is.
struct Merge {
    scenarios: Vec<ScenarioTally>,
    groups: BTreeMap<[String; 4], Group>,
}

impl Merge {
    fn new(campaign: &Campaign) -> Self {
        let tally = |name: &String| ScenarioTally {
            name: name.clone(),
            runs: 0,
            passed: 0,
            outcomes: BTreeMap::new(),
            setup: Distribution::default(),
            recovery: Distribution::default(),
            elapsed_ms: 0,
            digest: Digest::new(),
            rates: RateVerdict::NotAsked,
        };
        let scenarios = campaign.scenarios.iter().map(|scenario| tally(&scenario.name)).collect();
        Self { scenarios, groups: BTreeMap::new() }
    }

    fn take(&mut self, row: Row, piece: &Piece) {
        let tally = &mut self.scenarios[piece.scenario];
        tally.runs += 1;
        tally.passed += u64::from(row.failures == 0);
        tally.elapsed_ms += row.elapsed_ms;
        if let Some(outcome) = row.outcome {
            *tally.outcomes.entry(outcome).or_default() += 1;
        }
        if let Some(digest) = row.digest {
            tally.digest.update(&digest.to_le_bytes());
        }
        row.setup_ms.into_iter().for_each(|ms| tally.setup.add(ms, row.seed));
        row.recovery_ms.into_iter().for_each(|ms| tally.recovery.add(ms, row.seed));
        if let Some(finding) = row.finding {
            self.group(row.scenario, row.seed, finding);
        }
    }

    fn group(&mut self, scenario: String, seed: u64, finding: Finding) {
        let Finding { check, cause, last_transition, last_step, .. } = &finding;
        let key = [check, cause, last_transition, last_step].map(Clone::clone);
        let group = match self.groups.entry(key) {
            Entry::Occupied(group) => group.into_mut(),
            Entry::Vacant(place) => {
                let (fingerprint, scenarios) = (fingerprint(&finding), BTreeMap::new());
                let scenario = scenario.clone();
                place.insert(Group { fingerprint, finding, count: 0, scenarios, scenario, seed })
            }
        };
        group.count += 1;
        *group.scenarios.entry(scenario).or_default() += 1;
    }

    fn scenarios(&self, campaign: &Campaign) -> Vec<ScenarioTally> {
        let judged = |(tally, planned): (&ScenarioTally, &PlannedScenario)| {
            let outcomes: BTreeMap<Outcome, usize> =
                tally.outcomes.iter().map(|(outcome, count)| (*outcome, *count as usize)).collect();
            let rates = checks::rates_in(&planned.bands(), &outcomes, tally.runs as usize);
            ScenarioTally { rates, ..tally.clone() }
        };
        self.scenarios.iter().zip(&campaign.scenarios).map(judged).collect()
    }

    fn findings(self) -> Vec<Group> {
        let mut findings: Vec<Group> = self.groups.into_values().collect();
        // Those of one count in the order of their words.
        findings.sort_by_key(|group| std::cmp::Reverse(group.count));
        findings
    }
}

impl Distribution {
    /// Counts a time of the run with `seed`.
    pub fn add(&mut self, ms: u64, seed: u64) {
        *self.counts.entry(ms).or_default() += 1;
        self.total += 1;
        let place = self.slowest.partition_point(|(other, _)| *other >= ms);
        if place < SLOWEST {
            self.slowest.insert(place, (ms, seed));
            self.slowest.truncate(SLOWEST);
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The percentile by nearest rank, as [`scenario::metrics::percentile`] has it; `None` of none.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(percent) * u128::from(self.total)).div_ceil(100).max(1);
        let mut before = 0;
        for (ms, count) in &self.counts {
            before += u128::from(*count);
            if before >= rank {
                return Some(*ms);
            }
        }
        None
    }

    /// The slowest and their seeds, the slowest first.
    pub fn slowest(&self) -> &[(u64, u64)] {
        &self.slowest
    }

    /// In the form of a report; `None` of none.
    pub fn times(&self) -> Option<Times> {
        let (max, slowest_seed) = *self.slowest.first()?;
        Some(Times { p50: self.percentile(50)?, p95: self.percentile(95)?, max, slowest_seed })
    }
}

#[cfg(test)]
mod tests;
