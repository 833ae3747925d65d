//! How much each code usually matters, and what to do about it.

use crate::{Code, Level};

impl Code {
    /// How much it matters in a call that failed. In one that connected, some matter less ([`crate::Cause::level`]).
    pub const fn level(self) -> Level {
        match self {
            Self::EarlyCandidatesHeld
            | Self::Glare
            | Self::GlareRolledBack
            | Self::IceRestart
            | Self::Renegotiation
            | Self::TrackAdded
            | Self::TrackRemoved
            | Self::MdnsOnly
            | Self::RelayOnly
            | Self::VideoToggled
            | Self::SlowStep
            | Self::PageReloaded
            | Self::ClockWholeSeconds
            | Self::ClockSkew
            | Self::CallRejected
            | Self::CalleeBusy
            | Self::NotAnswered
            | Self::HungUpEarly => Level::Note,
            Self::Rollback
            | Self::CandidatesLate
            | Self::CandidatesStale
            | Self::MessagesNotUnderstood
            | Self::NamesContradict
            | Self::DuplicateOffer
            | Self::StaleAnswer
            | Self::NeedlessOffers
            | Self::OnlyHostCandidates
            | Self::IceServerError
            | Self::GatheringNeverCompleted
            | Self::ConnectionLostAndRecovered
            | Self::MediaInactive
            | Self::PartialCapture => Level::Warning,
            Self::CandidateBeforeRemoteDescription
            | Self::CandidateRejected
            | Self::CandidatesNeverRelayed
            | Self::CandidatesNeverApplied
            | Self::GlareUnresolved
            | Self::DescriptionInWrongState
            | Self::DescriptionRefused
            | Self::OwnStackRefused
            | Self::DtlsRolesClash
            | Self::IceLiteBothSides
            | Self::RtcpMuxMissing
            | Self::MidMismatch
            | Self::BundleMismatch
            | Self::NoCommonCodec
            | Self::MediaRefused
            | Self::OfferNotDelivered
            | Self::AnswerNotDelivered
            | Self::MessageNotDelivered
            | Self::MessageNotApplied
            | Self::MessageRefused
            | Self::SignallingUnreachable
            | Self::SignallingUnauthorized
            | Self::PeerLeftTheServer
            | Self::OfferUnanswered
            | Self::NoCandidates
            | Self::RelayAddressPrivate
            | Self::TurnUnauthorized
            | Self::TurnExhausted
            | Self::IceServerUnreachable
            | Self::NoWorkingPair
            | Self::UdpBlocked
            | Self::IceNeverConnected
            | Self::DtlsFlightLost
            | Self::DtlsFingerprintMismatch
            | Self::DtlsNeverConnected
            | Self::RemoteVanished
            | Self::ConnectionLost
            | Self::LinkDown
            | Self::PacketLoss
            | Self::PacketTooBig
            | Self::LinkCongested
            | Self::NetworkChanged
            | Self::NatMappingLost
            | Self::RelayLost
            | Self::MediaNotReceived
            | Self::MediaOneWay
            | Self::MediaStopped
            | Self::MediaNeverSent
            | Self::MediaUnexpected
            | Self::DataNotDelivered
            | Self::MediaDenied
            | Self::ServerReportedFailure
            | Self::Outcome
            | Self::Path
            | Self::EndReason
            | Self::FinalState
            | Self::Connected
            | Self::Milestone
            | Self::MediaBothWays
            | Self::MediaNone
            | Self::MediaOnly
            | Self::Data
            | Self::Statistics
            | Self::Offers
            | Self::Recoveries
            | Self::RecoveryTime
            | Self::HeldCandidates
            | Self::CandidateEnds
            | Self::Ways
            | Self::Reconnects
            | Self::Never
            | Self::Sequence
            | Self::StepsUnderstood
            | Self::NoCandidateLost
            | Self::NothingLeaked
            | Self::EndedByItself
            | Self::SignallingExactlyOnce
            | Self::Rate
            | Self::Budget
            | Self::Pin
            | Self::Panicked
            | Self::NotRepeatable
            | Self::NotPlayed => Level::Error,
        }
    }

    /// What is usually to be done about it; empty where there is nothing to do.
    pub const fn recommendation(self) -> &'static str {
        match self {
            Self::CandidateBeforeRemoteDescription => {
                "Keep incoming candidates in a queue until `setRemoteDescription` has resolved, then apply them."
            }
            Self::CandidateRejected => {
                "Compare the candidate with the one that its sender gathered: its line, its `sdpMid`, its ufrag."
            }
            Self::CandidatesNeverRelayed => {
                "Look at what the application does in `icecandidate`, and at the way to the other side."
            }
            Self::CandidatesNeverApplied => "Pass every candidate that arrives to `addIceCandidate`.",
            Self::CandidatesLate => {
                "Send each candidate as soon as `icecandidate` fires; do not wait for the end of gathering."
            }
            Self::CandidatesStale => {
                "Send the ufrag along with each candidate, and throw away those of an earlier generation."
            }
            Self::EarlyCandidatesHeld
            | Self::GlareRolledBack
            | Self::IceRestart
            | Self::Renegotiation
            | Self::TrackAdded
            | Self::TrackRemoved
            | Self::VideoToggled
            | Self::SlowStep
            | Self::CallRejected
            | Self::CalleeBusy
            | Self::HungUpEarly => "",
            Self::Glare => "Let one side be polite and roll back (perfect negotiation, W3C webrtc-pc §10.7).",
            Self::GlareUnresolved => {
                "Decide which side is polite: it rolls its own offer back and answers the other's (perfect negotiation, \
                 W3C webrtc-pc §10.7)."
            }
            Self::Rollback => "Look at what made the application give its description up.",
            Self::DescriptionInWrongState => {
                "Set an answer only while an offer is open, and an offer only in `stable` (or to roll one's own \
                 back); keep incoming descriptions in a queue."
            }
            Self::DescriptionRefused => {
                "Compare the description with the one that its author made: rewritten or cut SDP is refused."
            }
            Self::OwnStackRefused => {
                "The captured call may have fared otherwise here: trust the capture, not what was played again."
            }
            Self::DtlsRolesClash => {
                "Have the application that answers take the part that the offer leaves to it (RFC 5763 §5): one side \
                 begins, the other waits."
            }
            Self::IceLiteBothSides => "One of the two must be a full ICE agent.",
            Self::RtcpMuxMissing => "Have both sides offer and answer `a=rtcp-mux`.",
            Self::MidMismatch => {
                "Answer each section under the `a=mid` that the offer gave it, in the same order."
            }
            Self::BundleMismatch => "Put into the answer's BUNDLE group only sections of the offer's.",
            Self::NoCommonCodec => {
                "Offer Opus, and VP8 or H.264, which every browser has (RFC 7874, RFC 7742)."
            }
            Self::MediaRefused => {
                "Look at why the answerer refuses it: no device, no codec in common, or on purpose."
            }
            Self::MediaInactive => "Look at the direction that each side set on its transceiver.",
            Self::OfferNotDelivered | Self::AnswerNotDelivered | Self::MessageNotDelivered => {
                "Look at the signalling server at that moment; have it keep messages for those who are away, and the \
                 sender send again what was not acknowledged."
            }
            Self::MessageNotApplied => "Look at what the application does with this message when it arrives.",
            Self::MessagesNotUnderstood => {
                "Say with a mapping file (`--mapping`) where type, SDP and candidate stand."
            }
            Self::MessageRefused => "Look at the server's limits, and at what the application sends.",
            Self::SignallingUnreachable => {
                "Check that the server runs and that the participant's network lets it through; reconnect with a \
                 fallback."
            }
            Self::SignallingUnauthorized => "Check the token: its secret, its room, and when it expires.",
            Self::PeerLeftTheServer => "Look at why the connection ended, and have the client connect again.",
            Self::NamesContradict => "Say in the mapping file whose name the line carries.",
            Self::OfferUnanswered => {
                "Look at the callee: was the offer ignored, or did creating the answer fail?"
            }
            Self::NotAnswered => "Ring for longer, or tell the caller that nobody answers.",
            Self::DuplicateOffer => "Number messages, and throw away what came already.",
            Self::StaleAnswer => "Say with each answer which offer it is for, and throw away others.",
            Self::NeedlessOffers => "Make one offer per `negotiationneeded`, and only while `stable`.",
            Self::NoCandidates => {
                "Check the machine's network interfaces, and that the policy is not `relay` without TURN."
            }
            Self::OnlyHostCandidates => "Configure STUN and TURN servers.",
            Self::MdnsOnly => "Configure STUN and TURN servers, or ask for the microphone first.",
            Self::RelayOnly => "Nothing, if `iceTransportPolicy` is meant to be `relay`.",
            Self::RelayAddressPrivate => "Tell the TURN server its public address (`external-ip` of coturn).",
            Self::TurnUnauthorized => "Check user name, password, and when the credentials expire.",
            Self::TurnExhausted => "Give the TURN server more relay ports, or the user a greater quota.",
            Self::IceServerUnreachable => {
                "Check that the server runs and that its port is open from this network; name a second one."
            }
            Self::IceServerError => "Look at the error code, and at the server's log.",
            Self::GatheringNeverCompleted => {
                "Look for a server that does not answer; do not wait for `complete`."
            }
            Self::NoWorkingPair => "Configure a TURN server that both networks reach.",
            Self::UdpBlocked => {
                "Configure a TURN server over TCP or TLS on port 443, or have the firewall opened."
            }
            Self::IceNeverConnected => {
                "A TURN server over TCP or TLS reaches where UDP does not; look at which checks arrive."
            }
            Self::DtlsFlightLost => {
                "Have the application give up and connect anew after some seconds, as the engine's recovery does."
            }
            Self::DtlsFingerprintMismatch => "Hand `a=fingerprint` over as its author made it.",
            Self::DtlsNeverConnected => {
                "Look at roles (`a=setup`), fingerprints, and whether long packets arrive."
            }
            Self::RemoteVanished => "Have the server say who is gone, and end the call on `failed`.",
            Self::ConnectionLostAndRecovered => {
                "Nothing, if this is rare; else look at the network at these times."
            }
            Self::ConnectionLost => "Restart ICE when the connection is `disconnected` for some seconds.",
            Self::LinkDown => {
                "Nothing in the call: the network was away. Recovery must last longer than that."
            }
            Self::PacketLoss => "Look at the network of this peer; a relay near it or TCP may help.",
            Self::PacketTooBig => "Look for a tunnel on the way, and for shorter certificates.",
            Self::LinkCongested => "Send at a lower bit rate, or less.",
            Self::NetworkChanged => "Restart ICE with new sockets when the network changes.",
            Self::NatMappingLost => {
                "Send something at least every 15 s (RFC 7675, consent freshness); name a TURN server."
            }
            Self::RelayLost => {
                "Restart ICE when the relay is gone; refresh allocations and credentials in time."
            }
            Self::MediaNotReceived => "Look at where the packets end: network, decryption, or track.",
            Self::MediaOneWay => {
                "Look at the directions of both descriptions, and at the network of one side."
            }
            Self::MediaStopped => "Look at what happened to the sender's track and network at that moment.",
            Self::MediaNeverSent => "Look at whether a track was added, enabled, and has a device.",
            Self::MediaUnexpected => "Look at what the sender should have stopped.",
            Self::DataNotDelivered => "Bound what is written to a channel by `bufferedAmount`.",
            Self::MediaDenied => "Ask the user to allow the devices, or go on without.",
            Self::PageReloaded => "Compare each set-up on its own.",
            Self::ClockWholeSeconds => "Take times of the capture as accurate to a second.",
            Self::ClockSkew => "Take differences between the two files with care.",
            Self::PartialCapture => "Capture again from before the call until its end.",
            Self::ServerReportedFailure => "Look at the server's own log.",
            Self::Outcome
            | Self::Path
            | Self::EndReason
            | Self::FinalState
            | Self::Connected
            | Self::Milestone
            | Self::MediaBothWays
            | Self::MediaNone
            | Self::MediaOnly
            | Self::Data
            | Self::Statistics
            | Self::Offers
            | Self::Recoveries
            | Self::RecoveryTime
            | Self::HeldCandidates
            | Self::CandidateEnds
            | Self::Ways
            | Self::Reconnects
            | Self::Never
            | Self::Sequence => "Compare what the scenario expects with what is meant to happen.",
            Self::StepsUnderstood => "Give the peer a program that knows the step, or take the step out.",
            Self::NoCandidateLost => "Look at what the program did with the candidate that is missing.",
            Self::NothingLeaked => "Look for tasks, sockets or tracks that `close` does not end.",
            Self::EndedByItself => "Look for a loop, or for a task that waits for what never comes.",
            Self::SignallingExactlyOnce => "Look at the numbering of messages across reconnects.",
            Self::Rate => "Play more seeds, and look at the slowest and the failed ones.",
            Self::Budget => "Look at what has become slower, or allow more.",
            Self::Pin => "Look at what has changed; if it is meant, `--accept-pins` takes what was found.",
            Self::Panicked => "Report it with the scenario and the seed.",
            Self::NotRepeatable => "Look for time, randomness or order that comes from the machine.",
            Self::NotPlayed => "Correct the scenario, or report it.",
        }
    }
}
