//! The page about one call.

use askama::Template;
use serde::Serialize;

use crate::{data, document, view::View};

/// A page about one call: a run, two runs, or a captured call and its re-execution.
#[derive(Debug)]
pub struct CallPage {
    /// What it is about: `happy/host-candidates, seed 7`.
    pub title: String,
    /// One sentence below it.
    pub summary: String,
    /// How the call came out.
    pub verdict: Verdict,
    /// What was found, in order of time.
    pub marks: Vec<Mark>,
    /// One call, or two that are compared.
    pub views: Vec<View>,
    /// Where the two first differ.
    pub difference: Option<Difference>,
    /// Figures about it, name and value.
    pub facts: Vec<(String, String)>,
    /// How two views stand.
    pub layout: Layout,
}

/// How a call came out, and why.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Good or not.
    pub tone: Tone,
    /// In one or two words: `passed`, `failed`.
    pub word: String,
    /// In a sentence: the cause, where something failed.
    pub sentence: String,
    /// What to do about it.
    pub advice: Vec<String>,
    /// What shows it.
    pub evidence: Vec<Moment>,
    /// What followed from it.
    pub consequences: Vec<String>,
    /// The command that repeats it.
    pub command: String,
}

/// How something is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// Something to look at.
    Warning,
    /// Something that went wrong.
    Bad,
}

/// A moment of the call, to go to.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When, milliseconds.
    pub at_ms: f64,
    /// What.
    pub text: String,
}

/// Something to see at a moment: a finding, a tolerated difference, a cause.
#[derive(Clone, Debug, Serialize)]
pub struct Mark {
    /// When, milliseconds.
    pub at: f64,
    /// In which view, from 0 on; `null` for all.
    pub view: Option<usize>,
    /// To whom, where that is one.
    pub who: Option<String>,
    /// How it is to be taken.
    pub tone: Tone,
    /// What it is, in a few words.
    pub title: String,
    /// What it is, in a sentence or two; may be empty.
    pub text: String,
}

/// The first difference between two views.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// When it is, in each of the two, milliseconds.
    pub at: [f64; 2],
    /// What it is.
    pub text: String,
}

/// How two views stand on a wide screen; on a narrow one they stand one above the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Left and right.
    SideBySide,
    /// One above the other.
    Stacked,
}

#[derive(Serialize)]
struct Data<'p> {
    views: &'p [View],
    marks: &'p [Mark],
    difference: &'p Option<Difference>,
    layout: Layout,
}

#[derive(Template)]
#[template(path = "call.html")]
struct Html<'p> {
    page: &'p CallPage,
    head: document::Head,
    data: String,
}

/// The script of the page, in the order in which its parts need each other.
const SCRIPT: &str = concat!(
    include_str!("../assets/uplot.js"),
    "\n",
    "(() => {\n'use strict';\n",
    include_str!("../assets/common.js"),
    include_str!("../assets/axis.js"),
    include_str!("../assets/items.js"),
    include_str!("../assets/lanes.js"),
    include_str!("../assets/list.js"),
    include_str!("../assets/details.js"),
    include_str!("../assets/series.js"),
    include_str!("../assets/call.js"),
    "})();\n",
);

const STYLE: &str = concat!(
    include_str!("../assets/page.css"),
    include_str!("../assets/call.css"),
    include_str!("../assets/uplot.css")
);

impl CallPage {
    /// The page as one HTML file.
    pub fn render(&self) -> String {
        let Self { views, marks, difference, layout, .. } = self;
        let data = data::json(&Data { views, marks, difference, layout: *layout });
        let head = document::Head::new(&self.title, STYLE, SCRIPT);
        document::rendered(&Html { page: self, head, data })
    }
}

impl Tone {
    /// The class of elements that show it.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

impl Moment {
    /// What a link to it leads to: `1168`, `560.25`.
    fn anchor(&self) -> String {
        let text = format!("{:.3}", self.at_ms);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}
