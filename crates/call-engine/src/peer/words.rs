//! `webrtc`'s enums in the words of [`timeline`]. `None` is what none of its specifications has.

use rtc::peer_connection::transport::{RTCIceCandidate, RTCIceCandidateType, RTCIceProtocol};
use timeline::{
    CandidateAddress, CandidateRef, CandidateType, ConnectionState, GatheringState, IceProtocol, IceState,
    SignalingState,
};
use webrtc::peer_connection::{
    RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState, RTCSignalingState,
};

pub(crate) const fn signaling(state: RTCSignalingState) -> Option<SignalingState> {
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

pub(crate) const fn gathering(state: RTCIceGatheringState) -> Option<GatheringState> {
    Some(match state {
        RTCIceGatheringState::New => GatheringState::New,
        RTCIceGatheringState::Gathering => GatheringState::Gathering,
        RTCIceGatheringState::Complete => GatheringState::Complete,
        _ => return None,
    })
}

pub(crate) const fn ice(state: RTCIceConnectionState) -> Option<IceState> {
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

pub(crate) const fn connection(state: RTCPeerConnectionState) -> Option<ConnectionState> {
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

pub(crate) const fn candidate_type(kind: RTCIceCandidateType) -> Option<CandidateType> {
    Some(match kind {
        RTCIceCandidateType::Host => CandidateType::Host,
        RTCIceCandidateType::Srflx => CandidateType::ServerReflexive,
        RTCIceCandidateType::Prflx => CandidateType::PeerReflexive,
        RTCIceCandidateType::Relay => CandidateType::Relayed,
        _ => return None,
    })
}

pub(crate) fn candidate(candidate: &RTCIceCandidate) -> Option<CandidateRef> {
    let protocol = match candidate.protocol {
        RTCIceProtocol::Udp => IceProtocol::Udp,
        RTCIceProtocol::Tcp => IceProtocol::Tcp,
        _ => return None,
    };
    let address = CandidateAddress::new(&candidate.address, candidate.port);
    Some(CandidateRef { kind: candidate_type(candidate.typ)?, protocol, address })
}
