//! What the runner and the two sides of a call say to each other: options when a side starts, commands on its standard
//! input, reports on its standard output, one a line. `interop/README.md` describes them for clients in other languages.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use timeline::MediaKind;

/// What a side is started with, as JSON in its last argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options {
    /// The signalling server, `HOST:PORT`.
    pub(crate) server: String,
    /// Its name as a participant.
    pub(crate) name: String,
    /// How it reaches the server.
    pub(crate) way: Way,
    /// What it sends.
    pub(crate) media: Media,
    /// As `RTCConfiguration` has them (W3C webrtc-pc §4.2.1).
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) ice_transport_policy: Policy,
    /// How long it rings.
    pub(crate) ring_ms: u64,
    /// Which client of a program that has several.
    pub(crate) client: String,
    /// Where the packages of node are.
    pub(crate) packages: String,
    /// The program of Chromium.
    pub(crate) chromium: String,
    /// Whether the browser hides its addresses behind names of multicast DNS: it has no permission for a camera.
    pub(crate) mdns: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    Websocket,
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Media {
    pub(crate) audio: bool,
    pub(crate) video: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IceServer {
    pub(crate) urls: String,
    pub(crate) username: String,
    pub(crate) credential: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    All,
    Relay,
}

/// What a side is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Dial { to: String, call: String },
    Accept,
    Reject,
    HangUp,
    Mute(MediaKind),
    Unmute(MediaKind),
    Hold,
    Resume,
    AddVideo,
    Screen,
    NoScreen,
    RestartIce,
    Data(String),
    Counts,
    CloseTab,
    Quit,
}

/// A line that is no command.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no command")]
pub(crate) struct NoCommand(String);

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial { to, call } => write!(f, "dial {to} {call}"),
            Self::Accept => f.write_str("accept"),
            Self::Reject => f.write_str("reject"),
            Self::HangUp => f.write_str("hang-up"),
            Self::Mute(kind) => write!(f, "mute {kind}"),
            Self::Unmute(kind) => write!(f, "unmute {kind}"),
            Self::Hold => f.write_str("hold"),
            Self::Resume => f.write_str("resume"),
            Self::AddVideo => f.write_str("add-video"),
            Self::Screen => f.write_str("screen"),
            Self::NoScreen => f.write_str("no-screen"),
            Self::RestartIce => f.write_str("restart-ice"),
            Self::Data(text) => write!(f, "data {text}"),
            Self::Counts => f.write_str("counts"),
            Self::CloseTab => f.write_str("close-tab"),
            Self::Quit => f.write_str("quit"),
        }
    }
}

impl FromStr for Command {
    type Err = NoCommand;

    fn from_str(line: &str) -> Result<Self, NoCommand> {
        let no = || NoCommand(line.to_owned());
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let kind = || MediaKind::from_word(rest).ok_or_else(no);
        Ok(match word {
            "dial" => {
                let (to, call) = rest.split_once(' ').ok_or_else(no)?;
                Self::Dial { to: to.to_owned(), call: call.to_owned() }
            }
            "mute" => Self::Mute(kind()?),
            "unmute" => Self::Unmute(kind()?),
            "data" => Self::Data(rest.to_owned()),
            _ if !rest.is_empty() => return Err(no()),
            "accept" => Self::Accept,
            "reject" => Self::Reject,
            "hang-up" => Self::HangUp,
            "hold" => Self::Hold,
            "resume" => Self::Resume,
            "add-video" => Self::AddVideo,
            "screen" => Self::Screen,
            "no-screen" => Self::NoScreen,
            "restart-ice" => Self::RestartIce,
            "counts" => Self::Counts,
            "close-tab" => Self::CloseTab,
            "quit" => Self::Quit,
            _ => return Err(no()),
        })
    }
}

/// What a side says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Report {
    /// It is connected to the signalling server.
    Ready,
    /// Somebody rings.
    Incoming { call: String, from: String },
    /// The call is in another state.
    State { state: State, reason: Option<String> },
    /// It made an offer.
    Offered { round: u64 },
    /// A track of the other side is there.
    Track { kind: String },
    /// A message came on a data channel.
    Data { label: String, text: String },
    /// What was sent and received so far.
    Counts(Counts),
    /// Something went wrong.
    Problem { what: String },
    /// It cannot do what it was told.
    Unsupported { what: String },
    /// Whatever else it says; for people who read its output.
    #[serde(other)]
    Other,
}

/// The states of a call, in the words of W3C's `connectionState` where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Idle,
    Dialling,
    Ringing,
    Connecting,
    Connected,
    Reconnecting,
    Ended,
}

/// RTP packets since the call began, and decoded pictures where the side decodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Counts {
    pub(crate) audio_in: u64,
    pub(crate) video_in: u64,
    pub(crate) audio_out: u64,
    pub(crate) video_out: u64,
    pub(crate) decoded: u64,
}

impl Counts {
    /// What came between `earlier` and now.
    pub(crate) const fn since(self, earlier: Self) -> Self {
        Self {
            audio_in: self.audio_in.saturating_sub(earlier.audio_in),
            video_in: self.video_in.saturating_sub(earlier.video_in),
            audio_out: self.audio_out.saturating_sub(earlier.audio_out),
            video_out: self.video_out.saturating_sub(earlier.video_out),
            decoded: self.decoded.saturating_sub(earlier.decoded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_they_are_written() {
        let all = [
            Command::Dial { to: "bob".to_owned(), call: "c1".to_owned() },
            Command::Accept,
            Command::Reject,
            Command::HangUp,
            Command::Mute(MediaKind::Audio),
            Command::Unmute(MediaKind::Video),
            Command::Hold,
            Command::Resume,
            Command::AddVideo,
            Command::Screen,
            Command::NoScreen,
            Command::RestartIce,
            Command::Data("two words".to_owned()),
            Command::Counts,
            Command::CloseTab,
            Command::Quit,
        ];
        for command in all {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
        for line in ["", "dial bob", "mute smell", "accept it", "dance"] {
            assert_eq!(line.parse::<Command>(), Err(NoCommand(line.to_owned())));
        }
    }

    #[test]
    fn reports_of_javascript_and_of_later_versions_are_read() {
        let read = |line| serde_json::from_str::<Report>(line).unwrap();
        let ended = Report::State { state: State::Ended, reason: Some("hung-up".to_owned()) };
        assert_eq!(read(r#"{"event":"state","state":"ended","reason":"hung-up"}"#), ended);
        assert_eq!(read(r#"{"event":"signalling","state":"up"}"#), Report::Other);
        let counts = Counts { audio_in: 3, ..Counts::default() };
        assert_eq!(read(r#"{"event":"counts","audioIn":3}"#), Report::Counts(counts));
    }
}
