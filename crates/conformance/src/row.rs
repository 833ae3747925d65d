//! What a row of the table is, and the words that it is written with.

use std::sync::Arc;

use futures::future::LocalBoxFuture;

use crate::stage::{Deviation, Stage};

/// One behaviour, and how it is tried.
#[derive(Clone)]
pub struct Row {
    /// Its name, in kebab case, unique.
    pub id: String,
    /// What it is about.
    pub group: Group,
    /// What is asked, in one sentence.
    pub says: String,
    /// Where that stands.
    pub spec: &'static str,
    /// The file of the web-platform-tests that it was derived from.
    pub source: &'static str,
    pub(crate) bare: Program,
    pub(crate) engine: Result<Program, &'static str>,
}

/// What rows are about, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Six states × local or remote × four types of description.
    SignalingTable,
    /// What descriptions do beyond that.
    Descriptions,
    /// Offers that cross.
    PerfectNegotiation,
    /// When an offer is wanted.
    NegotiationNeeded,
    /// Candidates of the other side.
    RemoteCandidates,
    /// Candidates of one's own.
    Gathering,
    /// Connection and ICE states.
    ConnectionStates,
    /// ICE restarts.
    IceRestart,
    /// The end.
    Close,
    /// What descriptions contain.
    Sdp,
}

/// One try of a row: runs to its end in a world of its own.
pub(crate) type Program = Arc<dyn Fn(Stage) -> LocalBoxFuture<'static, Result<(), Deviation>> + Send + Sync>;

/// A row that is being written.
pub(crate) struct Draft {
    id: String,
    says: String,
    spec: &'static str,
    source: &'static str,
    bare: Option<Program>,
}

/// Begins a row.
pub(crate) fn row(id: impl Into<String>, says: impl Into<String>) -> Draft {
    Draft { id: id.into(), says: says.into(), spec: "", source: "", bare: None }
}

impl Draft {
    /// The section, and the test that the row was derived from.
    pub(crate) fn of(mut self, spec: &'static str, source: &'static str) -> Self {
        (self.spec, self.source) = (spec, source);
        self
    }

    /// The try against bare `webrtc`.
    pub(crate) fn bare<F>(mut self, program: F) -> Self
    where
        F: AsyncFn(Stage) -> Result<(), Deviation> + Send + Sync + 'static,
    {
        self.bare = Some(boxed(program));
        self
    }

    /// The try through the engine.
    pub(crate) fn engine<F>(self, program: F) -> Row
    where
        F: AsyncFn(Stage) -> Result<(), Deviation> + Send + Sync + 'static,
    {
        self.finish(Ok(boxed(program)))
    }

    /// The engine cannot be asked this, and why.
    pub(crate) fn not_applicable(self, because: &'static str) -> Row {
        self.finish(Err(because))
    }

    fn finish(self, engine: Result<Program, &'static str>) -> Row {
        let Self { id, says, spec, source, bare } = self;
        let bare = bare.unwrap_or_else(|| panic!("row {id} has no try against bare webrtc"));
        // Every table sets the group of its rows when they are gathered.
        Row { id, group: Group::SignalingTable, says, spec, source, bare, engine }
    }
}

fn boxed<F>(program: F) -> Program
where
    F: AsyncFn(Stage) -> Result<(), Deviation> + Send + Sync + 'static,
{
    let program = Arc::new(program);
    Arc::new(move |stage| {
        let program = program.clone();
        Box::pin(async move { program(stage).await })
    })
}

impl Group {
    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SignalingTable => "Signalling table",
            Self::Descriptions => "Descriptions",
            Self::PerfectNegotiation => "Perfect negotiation",
            Self::NegotiationNeeded => "negotiationneeded",
            Self::RemoteCandidates => "Remote candidates",
            Self::Gathering => "Gathering",
            Self::ConnectionStates => "Connection states",
            Self::IceRestart => "ICE restart",
            Self::Close => "Close",
            Self::Sdp => "SDP",
        }
    }
}
