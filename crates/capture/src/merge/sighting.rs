use crate::{
    moment::Moment,
    reader::{FrameDirection, Recording, RelayDirection},
    trace::Signal,
};

/// One moment at which one message was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting<'r> {
    /// In which recording.
    pub(super) recording: usize,
    /// At whose end.
    pub(super) holder: Holder<'r>,
    /// Where on its way.
    pub(super) stage: Stage,
    /// When, on that recording's clock.
    pub(super) at: Moment,
    /// What it says.
    pub(super) signal: &'r Signal,
}

/// At whose end a message was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder<'r> {
    /// At a socket of the recording.
    Socket(usize),
    /// At a server's connection with somebody of this name.
    Name(&'r str),
}

/// Where on its way a message was seen, in the order of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// What it carries was made: `setLocalDescription`, `icecandidate`.
    Made,
    /// The page sent it.
    Sent,
    /// The server got it.
    RelayIn,
    /// The server dropped it.
    Dropped,
    /// The server passed it on.
    RelayOut,
    /// The page got it.
    Received,
    /// What it carries was applied: `setRemoteDescription`, `addIceCandidate`.
    Applied,
}

impl Stage {
    /// Whether it is on the sender's side of the server.
    pub(super) const fn is_outgoing(self) -> bool {
        matches!(self, Self::Made | Self::Sent | Self::RelayIn | Self::Dropped)
    }
}

/// All sightings of a recording's signalling, in the order of the file.
pub(super) fn of_recording(index: usize, recording: &Recording) -> Vec<Sighting<'_>> {
    let sockets = recording.sockets.iter().enumerate().flat_map(move |(socket, log)| {
        log.frames.iter().map(move |frame| Sighting {
            recording: index,
            holder: Holder::Socket(socket),
            stage: match frame.direction {
                FrameDirection::Sent => Stage::Sent,
                FrameDirection::Received => Stage::Received,
            },
            at: frame.at,
            signal: &frame.signal,
        })
    });
    let relay = recording.relay.iter().filter_map(move |line| {
        let stage = match line.direction {
            RelayDirection::In => Stage::RelayIn,
            RelayDirection::Out => Stage::RelayOut,
            RelayDirection::Drop => Stage::Dropped,
            RelayDirection::Close(_) => return None,
        };
        Some(Sighting {
            recording: index,
            holder: Holder::Name(&line.peer),
            stage,
            at: line.at,
            signal: &line.signal,
        })
    });
    sockets.chain(relay).collect()
}
