use std::fmt;

use serde::{Deserialize, Serialize};

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The dump of `chrome://webrtc-internals`.
    WebrtcInternals,
    /// The "rtcstats dump" of the same page.
    Rtcstats,
    /// An HTTP archive with WebSocket frames.
    Har,
    /// A signalling server's log, one JSON object a line.
    RelayLog,
    /// A page's own log of API events, one JSON object a line.
    PageEvents,
    /// A timeline of this project.
    Timeline,
    /// Session descriptions, bare or as JSON.
    Descriptions,
    /// What `getStats` gave, once or several times.
    GetStats,
    /// The page `about:webrtc` of Firefox, saved.
    AboutWebrtc,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::WebrtcInternals,
        Self::Rtcstats,
        Self::Har,
        Self::RelayLog,
        Self::PageEvents,
        Self::Timeline,
        Self::Descriptions,
        Self::GetStats,
        Self::AboutWebrtc,
    ];

    /// The name used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebrtcInternals => "webrtc-internals",
            Self::Rtcstats => "rtcstats",
            Self::Har => "har",
            Self::RelayLog => "relay-log",
            Self::PageEvents => "page-events",
            Self::Timeline => "timeline",
            Self::Descriptions => "sdp",
            Self::GetStats => "get-stats",
            Self::AboutWebrtc => "about-webrtc",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
