//! The states and candidates of the `webrtc` crate as those of this one. `None` is what none of its
//! specifications has.

use rtc::peer_connection::{
    state::{RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState, RTCSignalingState},
    transport::{RTCIceCandidate, RTCIceCandidateType, RTCIceProtocol},
};

use crate::{
    CandidateAddress, CandidateRef, CandidateType, ConnectionState, GatheringState, IceProtocol, IceState,
    SignalingState,
};

/// The state of the negotiation (W3C webrtc-pc §4.3.1).
pub const fn signaling(state: RTCSignalingState) -> Option<SignalingState> {
    Some(match state {
        RTCSignalingState::Stable => SignalingState::Stable,
        RTCSignalingState::HaveLocalOffer => SignalingState::HaveLocalOffer,
        RTCSignalingState::HaveRemoteOffer => SignalingState::HaveRemoteOffer,
        RTCSignalingState::HaveLocalPranswer => SignalingState::HaveLocalPranswer,
        RTCSignalingState::HaveRemotePranswer => SignalingState::HaveRemotePranswer,
        RTCSignalingState::Closed => SignalingState::Closed,
        _ => return None,
    })
}

/// The state of the gathering of candidates (W3C webrtc-pc §4.3.2).
pub const fn gathering(state: RTCIceGatheringState) -> Option<GatheringState> {
    Some(match state {
        RTCIceGatheringState::New => GatheringState::New,
        RTCIceGatheringState::Gathering => GatheringState::Gathering,
        RTCIceGatheringState::Complete => GatheringState::Complete,
        _ => return None,
    })
}

/// The state of ICE (W3C webrtc-pc §4.3.4).
pub const fn ice(state: RTCIceConnectionState) -> Option<IceState> {
    Some(match state {
        RTCIceConnectionState::New => IceState::New,
        RTCIceConnectionState::Checking => IceState::Checking,
        RTCIceConnectionState::Connected => IceState::Connected,
        RTCIceConnectionState::Completed => IceState::Completed,
        RTCIceConnectionState::Disconnected => IceState::Disconnected,
        RTCIceConnectionState::Failed => IceState::Failed,
        RTCIceConnectionState::Closed => IceState::Closed,
        _ => return None,
    })
}

/// The state of the peer connection as a whole (W3C webrtc-pc §4.3.3).
pub const fn connection(state: RTCPeerConnectionState) -> Option<ConnectionState> {
    Some(match state {
        RTCPeerConnectionState::New => ConnectionState::New,
        RTCPeerConnectionState::Connecting => ConnectionState::Connecting,
        RTCPeerConnectionState::Connected => ConnectionState::Connected,
        RTCPeerConnectionState::Disconnected => ConnectionState::Disconnected,
        RTCPeerConnectionState::Failed => ConnectionState::Failed,
        RTCPeerConnectionState::Closed => ConnectionState::Closed,
        _ => return None,
    })
}

/// The type of a candidate (RFC 8445 §4).
pub const fn candidate_type(kind: RTCIceCandidateType) -> Option<CandidateType> {
    Some(match kind {
        RTCIceCandidateType::Host => CandidateType::Host,
        RTCIceCandidateType::Srflx => CandidateType::ServerReflexive,
        RTCIceCandidateType::Prflx => CandidateType::PeerReflexive,
        RTCIceCandidateType::Relay => CandidateType::Relayed,
        _ => return None,
    })
}

/// A candidate: its type, protocol and address.
pub fn candidate(candidate: &RTCIceCandidate) -> Option<CandidateRef> {
    let protocol = match candidate.protocol {
        RTCIceProtocol::Udp => IceProtocol::Udp,
        RTCIceProtocol::Tcp => IceProtocol::Tcp,
        _ => return None,
    };
    let address = CandidateAddress::new(&candidate.address, candidate.port);
    Some(CandidateRef { kind: candidate_type(candidate.typ)?, protocol, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_library_is_one_of_the_specification_and_the_reverse() {
        use RTCIceConnectionState as Ice;
        use RTCIceGatheringState as Gathering;
        use RTCPeerConnectionState as Connection;
        use RTCSignalingState::{
            Closed, HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
        };
        let states = [Stable, HaveLocalOffer, HaveRemoteOffer, HaveLocalPranswer, HaveRemotePranswer, Closed];
        assert_eq!(states.map(|state| signaling(state).unwrap()), SignalingState::ALL);
        let states = [Gathering::New, Gathering::Gathering, Gathering::Complete];
        assert_eq!(states.map(|state| gathering(state).unwrap()), GatheringState::ALL);
        let (new, checking, connected, completed) = (Ice::New, Ice::Checking, Ice::Connected, Ice::Completed);
        let states = [new, checking, connected, completed, Ice::Disconnected, Ice::Failed, Ice::Closed];
        assert_eq!(states.map(|state| ice(state).unwrap()), IceState::ALL);
        let (new, connecting, connected) = (Connection::New, Connection::Connecting, Connection::Connected);
        let (disconnected, failed) = (Connection::Disconnected, Connection::Failed);
        let states = [new, connecting, connected, disconnected, failed, Connection::Closed];
        assert_eq!(states.map(|state| connection(state).unwrap()), ConnectionState::ALL);
        assert_eq!(signaling(RTCSignalingState::Unspecified), None);
    }
}
