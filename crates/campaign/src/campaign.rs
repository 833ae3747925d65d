//! The plan of a campaign, `campaign.json`: which runs there are, which shard plays which, and with which program and
//! scenarios.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use scenario::plan::{Outcome, Plan, Probability, RateBand};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use timeline::Digest;

use crate::{
    seeds::SeedRange,
    split::{self, Piece},
};

/// The version of the file.
const VERSION: u32 = 1;

/// The plan's file in the folder of a campaign.
pub const FILE: &str = "campaign.json";

/// The most shards: their files are numbered with six digits.
pub const MAX_SHARDS: u64 = 1_000_000;

/// The plan of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// The version of this file.
    pub schema: u32,
    /// Always `campaign plan`.
    pub command: String,
    /// The digest of everything below: a plan that was edited is refused.
    pub id: String,
    /// The commit of the project that the plan was made in, with `-dirty` where something was changed; `null` outside git.
    pub commit: Option<String>,
    /// The program that plays.
    pub program: Program,
    /// The seeds of each scenario.
    pub seeds: SeedRange,
    /// On how many threads a shard is played.
    pub jobs: u32,
    /// Where scenarios are, where it is not where the project has them.
    pub dir: Option<PathBuf>,
    /// The scenarios, by name.
    pub scenarios: Vec<PlannedScenario>,
    /// What each shard plays, in the order of scenarios and seeds.
    pub shards: Vec<Vec<Piece>>,
}

/// The program that plays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The digest of its file (XXH3, 128 bits).
    pub hash: String,
}

/// A scenario of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedScenario {
    /// Its name.
    pub name: String,
    /// What the user types for it.
    pub argument: String,
    /// The digest of its file and of everything that it means.
    pub hash: String,
    /// The processor time of a run, measured when the plan was made, in microseconds.
    pub cost_us: u64,
    /// How often outcomes may occur: the least and the most, from 0 to 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rates: BTreeMap<Outcome, [f64; 2]>,
}

/// Why a plan cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CampaignError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is no plan of a campaign.
    #[error("{} is no plan of a campaign: {problem}", path.display())]
    NoPlan {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It was written by a later version.
    #[error("{} has version {found}, and this program reads version {VERSION}", path.display())]
    Version {
        /// Which one.
        path: PathBuf,
        /// What it says.
        found: u64,
    },
    /// It is not what was planned.
    #[error("{} was edited: what is in it does not belong to its id {id}; plan anew instead", path.display())]
    Edited {
        /// Which one.
        path: PathBuf,
        /// What it says of itself.
        id: String,
    },
    /// Another program than planned.
    #[error("this program is not the one that was planned with: its digest is {found}, that of the plan {planned}; plan anew, or use that program (version {version}{})", commit.as_ref().map(|commit| format!(", commit {commit}")).unwrap_or_default())]
    OtherProgram {
        /// That of this one.
        found: String,
        /// That of the plan.
        planned: String,
        /// The version of the plan's.
        version: String,
        /// The commit of the plan.
        commit: Option<String>,
    },
    /// Another scenario than planned.
    #[error(
        "the scenario {name} is not the one that was planned: it was changed since; plan anew, or take the change back"
    )]
    OtherScenario {
        /// Which one.
        name: String,
    },
    /// A planned scenario that is not there.
    #[error("the scenario {name} of the plan is not here")]
    MissingScenario {
        /// Which one.
        name: String,
    },
}

/// What a plan is made of.
#[derive(Clone, Debug)]
pub struct Ingredients {
    /// See [`Campaign::commit`].
    pub commit: Option<String>,
    /// See [`Campaign::program`].
    pub program: Program,
    /// See [`Campaign::seeds`].
    pub seeds: SeedRange,
    /// See [`Campaign::jobs`].
    pub jobs: u32,
    /// See [`Campaign::dir`].
    pub dir: Option<PathBuf>,
    /// See [`Campaign::scenarios`].
    pub scenarios: Vec<PlannedScenario>,
}

/// How many shards there are to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sharding {
    /// So many; fewer where there are fewer runs.
    Count(u64),
    /// As many as it takes for each to last so many minutes.
    Minutes(f64),
}

impl Campaign {
    /// The plan of a campaign.
    pub fn new(ingredients: Ingredients, sharding: Sharding) -> Self {
        let Ingredients { commit, program, seeds, jobs, dir, scenarios } = ingredients;
        let costs: Vec<u64> = scenarios.iter().map(|scenario| scenario.cost_us).collect();
        let shards = match sharding {
            Sharding::Count(count) => count,
            Sharding::Minutes(minutes) => {
                let total: f64 = costs.iter().map(|cost| *cost as f64 * seeds.count() as f64).sum();
                // A cast of a number that is too large, or none, yields the nearest that there is.
                (total / 60e6 / minutes / f64::from(jobs.max(1))).ceil() as u64
            }
        };
        let shards = split::split(&costs, seeds, shards.clamp(1, MAX_SHARDS));
        let (schema, command, id) = (VERSION, "campaign plan".to_owned(), String::new());
        let mut campaign = Self { schema, command, id, commit, program, seeds, jobs, dir, scenarios, shards };
        campaign.id = campaign.digest();
        campaign
    }

    /// Reads the plan at `path`: a file, or the folder that it is in.
    ///
    /// # Errors
    /// A file that is not there, is no plan, or was edited.
    pub fn read(path: &Path) -> Result<Self, CampaignError> {
        let path = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let text = fs::read_to_string(&path)
            .map_err(|source| CampaignError::Unreadable { path: path.clone(), source })?;
        Self::parse(&path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, CampaignError> {
        let no_plan = |problem: String| CampaignError::NoPlan { path: path.to_owned(), problem };
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| no_plan(error.to_string()))?;
        match json.get("schema").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(found) => return Err(CampaignError::Version { path: path.to_owned(), found }),
            None => return Err(no_plan("it has no `schema`".to_owned())),
        }
        let campaign: Self = serde_json::from_value(json).map_err(|error| no_plan(error.to_string()))?;
        if campaign.id != campaign.digest() {
            return Err(CampaignError::Edited { path: path.to_owned(), id: campaign.id });
        }
        campaign.check().map_err(|problem| no_plan(problem.to_owned()))?;
        Ok(campaign)
    }

    /// What every plan that this program made fulfils.
    fn check(&self) -> Result<(), &'static str> {
        let in_range = |piece: &Piece| {
            piece.scenario < self.scenarios.len()
                && self.seeds.first <= piece.first
                && piece.first <= piece.last
                && piece.last <= self.seeds.last
        };
        if self.shards.is_empty() || self.shards.iter().any(Vec::is_empty) {
            return Err("a shard has nothing to play");
        }
        if !self.shards.iter().flatten().all(in_range) {
            return Err("a shard has seeds or scenarios that the plan has not");
        }
        let bands = self.scenarios.iter().flat_map(|scenario| scenario.rates.values().flatten());
        let is_probability = |value: &f64| Probability::new(*value).is_ok();
        if bands.into_iter().all(is_probability) { Ok(()) } else { Err("a rate is no number from 0 to 1") }
    }

    /// The plan in JSON, with a newline at the end.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    fn digest(&self) -> String {
        let mut unnamed = self.clone();
        unnamed.id.clear();
        let mut digest = Digest::new();
        digest.update(serde_json::to_string(&unnamed).unwrap_or_default().as_bytes());
        digest.to_string()
    }

    /// How many shards.
    pub fn shards(&self) -> u64 {
        self.shards.len() as u64
    }

    /// What the shard of this index plays.
    pub fn shard(&self, index: u64) -> Option<&[Piece]> {
        self.shards.get(usize::try_from(index).ok()?).map(Vec::as_slice)
    }

    /// How many runs the whole campaign has.
    pub fn runs(&self) -> u64 {
        self.shards.iter().flatten().map(Piece::runs).sum()
    }

    /// What the runs of this shard cost together, in seconds of processor time, as measured when the plan was made.
    pub fn cost_s(&self, shard: &[Piece]) -> f64 {
        let cost = |piece: &Piece| piece.runs() as f64 * self.scenarios[piece.scenario].cost_us as f64;
        shard.iter().map(cost).sum::<f64>() / 1e6
    }

    /// Whether the running program is the planned one.
    ///
    /// # Errors
    /// Where it is another.
    pub fn check_program(&self, hash: &str) -> Result<(), CampaignError> {
        if hash == self.program.hash {
            return Ok(());
        }
        Err(CampaignError::OtherProgram {
            found: hash.to_owned(),
            planned: self.program.hash.clone(),
            version: self.program.version.clone(),
            commit: self.commit.clone(),
        })
    }

    /// `plans` in the order of the campaign's scenarios.
    ///
    /// # Errors
    /// One that is missing, or is not the one that was planned.
    pub fn check_scenarios(
        &self,
        plans: Vec<Plan>,
        wanted: &[Piece],
    ) -> Result<Vec<Option<Plan>>, CampaignError> {
        let mut found: BTreeMap<String, Plan> =
            plans.into_iter().map(|plan| (plan.name().to_owned(), plan)).collect();
        let mut in_order = Vec::new();
        for (place, scenario) in self.scenarios.iter().enumerate() {
            let plan = found.remove(&scenario.name);
            if wanted.iter().any(|piece| piece.scenario == place) {
                let name = || scenario.name.clone();
                let plan = plan.ok_or_else(|| CampaignError::MissingScenario { name: name() })?;
                if scenario_hash(&plan) != scenario.hash {
                    return Err(CampaignError::OtherScenario { name: name() });
                }
                in_order.push(Some(plan));
            } else {
                in_order.push(None);
            }
        }
        Ok(in_order)
    }
}

impl PlannedScenario {
    /// `plan`, a run of which takes `cost_us`.
    pub fn new(plan: &Plan, argument: String, cost_us: u64) -> Self {
        let rates = plan.expect().rates.iter();
        let rates =
            rates.map(|(outcome, band)| (*outcome, [band.at_least.get(), band.at_most.get()])).collect();
        Self { name: plan.name().to_owned(), argument, hash: scenario_hash(plan), cost_us, rates }
    }

    /// How often outcomes may occur.
    pub(crate) fn bands(&self) -> BTreeMap<Outcome, RateBand> {
        let band = |[least, most]: [f64; 2]| {
            Some(RateBand { at_least: Probability::new(least).ok()?, at_most: Probability::new(most).ok()? })
        };
        self.rates.iter().filter_map(|(outcome, rates)| Some((*outcome, band(*rates)?))).collect()
    }
}

/// The digest of a scenario: of its file, where there is one, and of what it means, the named networks that it uses included.
/// Two programs may have different digests for one scenario; a campaign has one program.
pub(crate) fn scenario_hash(plan: &Plan) -> String {
    let mut digest = plan.digest();
    if let Some(text) = plan.file().and_then(|file| fs::read(file).ok()) {
        digest.update(&text);
    }
    digest.to_string()
}

#[cfg(test)]
mod tests;
