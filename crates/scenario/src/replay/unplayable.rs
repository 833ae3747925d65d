use std::{sync::Arc, time::Duration};

use capture::trace::Method;
use thiserror::Error;
use timeline::{Name, VirtualTime};

use crate::run::RunError;

/// Why a captured call is not played again, or not by our engine; as half a sentence.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Unplayable {
    /// Not two took part.
    #[error("{count} took part, and a replay has two peers")]
    Participants {
        /// How many did.
        count: usize,
    },
    /// A peer has several connections.
    #[error("{peer} made {count} peer connections one after the other, and a replay has one for each")]
    Connections {
        /// Which peer.
        peer: Name,
        /// How many.
        count: usize,
    },
    /// The capture lacks the beginning.
    #[error(
        "the capture began when a connection stood, or had failed, already: how it was set up is not in it"
    )]
    BegunLate,
    /// The capture shows that descriptions were set, and none of them.
    #[error("the descriptions were left out of the capture: what was negotiated is not in it")]
    NoDescriptions,
    /// Nothing was negotiated.
    #[error("the capture shows no offer")]
    NoOffer,
    /// A peer has descriptions of several connections.
    #[error(
        "{peer} negotiated from several peer connections one after the other (its descriptions have several \
         certificates; was its page reloaded?), and a replay has one for each"
    )]
    Certificates {
        /// Which peer.
        peer: Name,
    },
    /// The call is longer than a world lasts.
    #[error(
        "the capture goes on for {} hours after the first message, and a replay lasts {} at most",
        lasted.as_secs() / 3600,
        most.as_secs() / 3600
    )]
    TooLong {
        /// From the first message to the end of the capture.
        lasted: Duration,
        /// What a replay lasts at most.
        most: Duration,
    },
    /// More was negotiated than our engine would.
    #[error("its applications made {count} offers, by rules of their own")]
    Offers {
        /// How many offers.
        count: usize,
    },
    /// There was a provisional answer.
    #[error("it was answered provisionally, which our engine never does")]
    AnsweredProvisionally,
    /// There was an offer for a call that was not accepted.
    #[error("the callee declined the offer, and our engine offers only what was accepted")]
    Declined,
    /// Somebody applied an offer and never answered it.
    #[error("{peer} applied the offer and never answered it, which our engine does not do")]
    LeftUnanswered {
        /// Who did.
        peer: Name,
    },
    /// A description was rolled back.
    #[error("{peer} rolled a description back by itself, which our engine does only in glare")]
    RolledBack {
        /// Who did.
        peer: Name,
    },
    /// A call of the API failed.
    #[error("{method} of {peer} failed at {at} ms, in a way that our engine avoids")]
    FailedCall {
        /// Which call.
        method: Method,
        /// Whose.
        peer: Name,
        /// When.
        at: VirtualTime,
    },
    /// A peer has media that our engine never has.
    #[error("{peer} brought no microphone, and our engine always does")]
    NoMicrophone {
        /// Which peer.
        peer: Name,
    },
    /// Nothing was done.
    #[error("the capture shows no call of the API, and no description")]
    NoCalls,
    /// A description came from nowhere.
    #[error("the capture does not show who made the description that was applied at {at} ms, if not {peer}")]
    UnknownMaker {
        /// When it was applied.
        at: VirtualTime,
        /// The other peer, who did not make it.
        peer: Name,
    },
    /// Enough calls of the files were played.
    #[error("{most} calls of the files were played again before it, and no more are")]
    TooMany {
        /// How many are played at most.
        most: usize,
    },
    /// Our bug: the scenario file that was made of the call is none.
    #[error("the scenario that was made of it cannot be read: {}", problems.join("; "))]
    Scenario {
        /// What is wrong with it, a line each.
        problems: Vec<String>,
    },
    /// The world failed.
    #[error("{0}")]
    Run(Arc<RunError>),
}
