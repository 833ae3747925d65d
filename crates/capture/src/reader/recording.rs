use timeline::escaped;

use crate::{
    error::{Position, ReadError},
    mapping::Unmapped,
    moment::Moment,
    trace::{ApiCall, Configuration, Gap, PeerEvent, Signal, StatsSample},
};

use super::Format;

/// What one file shows, on its own clock. [`merge`](crate::merge()) makes traces of one or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The file's name as it was given.
    pub file: String,
    /// What it is.
    pub format: Format,
    /// Peer connections, in the order of the file.
    pub connections: Vec<ConnectionLog>,
    /// WebSocket connections, and pages whose log shows signalling.
    pub sockets: Vec<SocketLog>,
    /// What the signalling server wrote.
    pub relay: Vec<RelayLine>,
    /// `getUserMedia` and `getDisplayMedia`, which belong to a page rather than to a connection.
    pub media_requests: Vec<MediaRequest>,
    /// Messages that no mapping understood.
    pub unmapped: Unmapped,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// How many more gaps there were than are kept.
    pub gaps_left_out: u64,
    /// Whether the file is of a virtual world: its clock began at 0.
    pub is_virtual: bool,
    /// The last moment at which the file was still being written, where that is later than what it shows.
    pub observed_until: Option<Moment>,
    /// Lines of a server's log in which nothing was understood: when, and at whose connection.
    pub relay_not_understood: Vec<(Moment, String)>,
    /// Lines that name somebody else than the message in them does, each as a sentence; a few at most.
    pub contradictions: Vec<String>,
}

/// The log of one peer connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionLog {
    /// Its name in the file.
    pub key: String,
    /// The name of its owner, where the file tells.
    pub owner: Option<String>,
    /// The page that it belongs to, by the file's name for it.
    pub page: Option<String>,
    /// The page's URL.
    pub url: Option<String>,
    /// Its configuration.
    pub configuration: Option<Configuration>,
    /// When it was made.
    pub created: Option<Moment>,
    /// What happened, in the order of the file.
    pub entries: Vec<(Moment, PeerEvent)>,
    /// What `getStats` told.
    pub stats: Vec<TimedSample>,
}

/// A sample of `getStats` with its time on the file's clock ([`StatsSample::at`] is not set yet).
#[derive(Clone, Debug, PartialEq)]
pub struct TimedSample {
    /// When.
    pub at: Moment,
    /// What.
    pub sample: StatsSample,
}

/// One end of a signalling connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SocketLog {
    /// The page that it belongs to, by the file's name for it.
    pub page: Option<String>,
    /// The name of its owner, where the file tells.
    pub owner: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
    /// Its messages, in the order of the file.
    pub frames: Vec<Frame>,
    /// How many more messages it carried in which nothing was understood.
    pub not_understood: u64,
}

/// One message at one end of a signalling connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// When.
    pub at: Moment,
    /// Which way it went.
    pub direction: FrameDirection,
    /// What it says.
    pub signal: Signal,
}

/// Which way a message went, seen from the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameDirection {
    /// The page sent it.
    Sent,
    /// The page received it.
    Received,
}

/// One line of a signalling server's log.
#[derive(Clone, Debug, PartialEq)]
pub struct RelayLine {
    /// When.
    pub at: Moment,
    /// What the server did.
    pub direction: RelayDirection,
    /// At whose connection.
    pub peer: String,
    /// The message; nothing for a closed connection.
    pub signal: Signal,
}

/// What a signalling server did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayDirection {
    /// It got a message from the peer.
    In,
    /// It passed a message on to the peer.
    Out,
    /// It did not pass on a message from the peer.
    Drop,
    /// The peer's connection ended, with this WebSocket close code (RFC 6455 §7.4).
    Close(Option<u16>),
}

/// A page asked for microphone, camera or screen.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaRequest {
    /// The page, by the file's name for it.
    pub page: String,
    /// When.
    pub at: Moment,
    /// What it asked for, and what it got.
    pub call: ApiCall,
}

/// How many gaps are kept: a file of noise has one per line.
const MAX_GAPS: usize = 20;

/// How many contradictions are kept.
const MAX_CONTRADICTIONS: usize = 5;

impl Recording {
    pub(super) fn new(file: &str, format: Format) -> Self {
        Self {
            file: file.to_owned(),
            format,
            connections: Vec::new(),
            sockets: Vec::new(),
            relay: Vec::new(),
            media_requests: Vec::new(),
            unmapped: Unmapped::default(),
            gaps: Vec::new(),
            gaps_left_out: 0,
            is_virtual: false,
            observed_until: None,
            relay_not_understood: Vec::new(),
            contradictions: Vec::new(),
        }
    }

    /// Something was written at `at`, whether it is of use or not.
    pub(super) fn observe(&mut self, at: Moment) {
        self.observed_until = self.observed_until.max(Some(at));
    }

    pub(super) fn contradiction(&mut self, sentence: String) {
        if self.contradictions.len() < MAX_CONTRADICTIONS {
            self.contradictions.push(sentence);
        }
    }

    /// Whether a part of the file is missing.
    pub fn is_partial(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Whether it shows nothing of a call: neither a connection nor a message.
    pub fn shows_nothing(&self) -> bool {
        self.connections.is_empty()
            && self.relay.is_empty()
            && self.sockets.iter().all(|s| s.frames.is_empty())
    }

    pub(super) fn gap(&mut self, position: Position, what: impl Into<String>) {
        if self.gaps.len() < MAX_GAPS {
            let what = escaped(&what.into()).into_owned();
            self.gaps.push(Gap { line: position.line, offset: position.offset, what });
        } else {
            self.gaps_left_out += 1;
        }
    }

    /// A file of which nothing is left but gaps is an error, not a recording.
    pub(super) fn or_malformed(self, format: Format) -> Result<Self, ReadError> {
        let empty = self.shows_nothing() && self.media_requests.is_empty() && self.unmapped.is_empty();
        match self.gaps.first() {
            Some(gap) if empty => Err(ReadError::Malformed {
                file: self.file,
                format,
                position: Position { line: gap.line, offset: gap.offset },
                reason: gap.what.clone(),
            }),
            _ => Ok(self),
        }
    }
}
