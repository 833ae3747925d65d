use std::{io, time::Duration};

use thiserror::Error;

/// What went wrong in a workload.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Broken {
    /// A call of the library failed, or it cannot read an SDP of ours.
    #[error(transparent)]
    WebRtc(#[from] webrtc::error::Error),
    /// A public-key operation failed.
    #[error("{0}")]
    PublicKey(ring::error::Unspecified),
    /// A key that was just made cannot be read.
    #[error("{0}")]
    Key(ring::error::KeyRejected),
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    /// A captured file cannot be read.
    #[error(transparent)]
    Capture(#[from] capture::ReadError),
    /// The runtime could not be built.
    #[error(transparent)]
    Runtime(#[from] io::Error),
    /// A task panicked or was cancelled.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    /// A plan of ours cannot be read.
    #[error("{lines}")]
    Plan {
        /// What is wrong, as the format shows it.
        lines: String,
    },
    /// A captured file of ours holds no offer.
    #[error("no offer in the log")]
    NoOffer,
    /// A captured file of ours holds nothing at all.
    #[error("the capture shows nothing")]
    NothingCaptured,
    /// Both sides of a handshake must have one secret.
    #[error("the two sides agree on different secrets")]
    DifferentSecrets,
    /// Its peer connection has ended.
    #[error("its driver has stopped")]
    DriverStopped,
    /// A connection failed before it was connected.
    #[error("it does not connect")]
    NotConnected,
    /// A connection was lost.
    #[error("it did not stay connected")]
    Disconnected,
    /// Media packets were lost, where nothing loses them.
    #[error("the {to} got {received} of {sent} packets")]
    PacketsLost {
        /// `caller` or `callee`.
        to: &'static str,
        /// How many arrived.
        received: u64,
        /// How many were sent.
        sent: u64,
    },
    /// It took too long.
    #[error("not over after {deadline:?}")]
    NotOver {
        /// How long it may take in virtual time.
        deadline: Duration,
    },
    /// Calls that are over have left sockets behind.
    #[error("{open} sockets are open after the end of all calls")]
    SocketsLeft {
        /// How many.
        open: usize,
    },
}

// `ring`'s errors are none of `std`'s, which `#[from]` asks for.
impl From<ring::error::Unspecified> for Broken {
    fn from(error: ring::error::Unspecified) -> Self {
        Self::PublicKey(error)
    }
}

impl From<ring::error::KeyRejected> for Broken {
    fn from(error: ring::error::KeyRejected) -> Self {
        Self::Key(error)
    }
}
