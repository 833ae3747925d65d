//! The page about a suite: scenarios × seeds as a grid.

use askama::Template;
use serde::Serialize;

use crate::{data, document};

/// A page about many runs.
#[derive(Debug)]
pub struct SuitePage {
    /// What it is about.
    pub title: String,
    /// What it came to, in a sentence.
    pub sentence: String,
    /// Whether everything held.
    pub passed: bool,
    /// Figures about it, name and value.
    pub facts: Vec<(String, String)>,
    /// The scenarios.
    pub rows: Vec<Row>,
    /// The runs in which something did not hold, in the order of scenarios and seeds.
    pub failed: Vec<FailedRun>,
}

/// The runs of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The command that plays it; `SEED` stands for the seed.
    pub command: String,
    /// Median of the set-up, milliseconds.
    pub setup_ms: Option<u64>,
    /// Each run, in the order of the seeds.
    pub cells: Vec<Cell>,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// Its seed.
    pub seed: u64,
    /// Whether everything held.
    pub passed: bool,
    /// How its call came out.
    pub outcome: String,
    /// From the dial until both sides were connected, milliseconds.
    pub setup_ms: Option<u64>,
}

/// A run in which something did not hold.
#[derive(Clone, Debug)]
pub struct FailedRun {
    /// Its scenario.
    pub name: String,
    /// Its seed; `None` for what concerns all runs of the scenario together.
    pub seed: Option<u64>,
    /// The code of its cause.
    pub code: String,
    /// The cause, in a sentence.
    pub sentence: String,
    /// What to do about it; may be empty.
    pub advice: String,
    /// The command that repeats it.
    pub command: String,
    /// The last lines of its transcript before it failed.
    pub transcript: Vec<String>,
    /// The page about it, as a path from this one; `None` where there is none.
    pub page: Option<String>,
}

#[derive(Template)]
#[template(path = "suite.html")]
struct Html<'p> {
    page: &'p SuitePage,
    head: document::Head,
    data: String,
}

const SCRIPT: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("../assets/common.js"),
    include_str!("../assets/suite.js"),
    "})();\n",
);

const STYLE: &str = concat!(include_str!("../assets/page.css"), include_str!("../assets/suite.css"));

impl SuitePage {
    /// The page as one HTML file.
    pub fn render(&self) -> String {
        let head = document::Head::new(&self.title, STYLE, SCRIPT);
        document::rendered(&Html { page: self, head, data: data::json(&self.rows) })
    }
}

impl FailedRun {
    /// The place of this run on the page.
    fn anchor(&self) -> String {
        format!("run-{}-{}", self.name, self.seed.map_or("all".to_owned(), |seed| seed.to_string()))
    }
}
