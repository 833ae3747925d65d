//! The closed sets of words in events.

use crate::words;

words! {
    /// The types of messages between the participants of a call, in the order in which a call first uses them.
    pub enum MessageKind {
        /// A participant makes itself known to the relay.
        Join = "join",
        /// The relay knows the participant.
        Joined = "joined",
        /// The caller calls.
        Ring = "ring",
        /// The callee's device rings.
        Ringing = "ringing",
        /// The callee takes the call.
        Accept = "accept",
        /// The callee does not take the call.
        Reject = "reject",
        /// A session description of type `offer` (RFC 9429).
        Offer = "offer",
        /// A provisional answer, which only applications that make each call of the API themselves hand to each other:
        /// it is not signalled.
        Pranswer = "pranswer",
        /// A session description of type `answer`.
        Answer = "answer",
        /// The sender asks for a new peer connection.
        Renegotiate = "renegotiate",
        /// An ICE candidate (RFC 8838).
        Candidate = "candidate",
        /// No more candidates (RFC 8838 §13).
        EndOfCandidates = "end-of-candidates",
        /// The sender has left the call.
        Bye = "bye",
        /// The relay's notice that a participant's connection to it has ended.
        Absent = "absent",
        /// The relay's notice that the participant is connected to it again.
        Present = "present",
        /// The relay refused something.
        Error = "error",
    }
}

words! {
    /// The two kinds of media (W3C mediacapture-streams §4.3, `kind`).
    pub enum MediaKind {
        /// Sound.
        Audio = "audio",
        /// Pictures.
        Video = "video",
    }
}

words! {
    /// The direction in which a camera faces (`VideoFacingModeEnum`, W3C mediacapture-streams §4.3.8).
    pub enum FacingMode {
        /// Towards the user.
        User = "user",
        /// Away from the user.
        Environment = "environment",
    }
}

words! {
    /// How a data channel delivers (RFC 8831 §6.1).
    pub enum Delivery {
        /// In the order of sending.
        Ordered = "ordered",
        /// As they come.
        Unordered = "unordered",
    }
}

words! {
    /// What made a state machine move.
    pub enum Cause {
        /// The user dials.
        Dial = "dial",
        /// A ring arrives.
        RingReceived = "ring received",
        /// Both sides dial each other at once.
        RingsCrossed = "rings crossed",
        /// The callee's device rings.
        RingingReceived = "ringing received",
        /// The user accepts.
        Accept = "accept",
        /// The callee accepted.
        AcceptReceived = "accept received",
        /// The user declines.
        Reject = "reject",
        /// The callee declined.
        RejectReceived = "reject received",
        /// The user hangs up.
        HangUp = "hang-up",
        /// The other side left the call.
        ByeReceived = "bye received",
        /// `getUserMedia` was refused.
        NotAllowed = "NotAllowedError",
        /// `getUserMedia` found no device.
        NotFound = "NotFoundError",
        /// It rang for too long.
        RingTimer = "ring timer",
        /// It was connecting for too long.
        ConnectTimer = "connect timer",
        /// The connection state is `connected`.
        ConnectionConnected = "connection connected",
        /// The connection is being recovered.
        Recovery = "recovery",
        /// The connection state is `failed`.
        ConnectionFailed = "connection failed",
        /// A description could not be made or applied.
        NegotiationFailed = "negotiation failed",
        /// The signalling transport closed for good.
        SignalingLost = "signaling lost",
        /// Microphone or camera may not be used any longer.
        PermissionLost = "permission lost",
        /// The application shuts down.
        ShutDown = "shut-down",
        /// A local offer was applied.
        LocalOffer = "setLocalDescription(offer)",
        /// A remote offer was applied.
        RemoteOffer = "setRemoteDescription(offer)",
        /// A local answer was applied.
        LocalAnswer = "setLocalDescription(answer)",
        /// A remote answer was applied.
        RemoteAnswer = "setRemoteDescription(answer)",
        /// A local description was applied.
        LocalDescription = "setLocalDescription",
        /// ICE and DTLS are both connected.
        IceAndDtlsConnected = "ice and dtls are connected",
        /// ICE is disconnected.
        IceDisconnected = "ice is disconnected",
        /// DTLS failed.
        DtlsFailed = "dtls failed",
        /// ICE failed.
        IceFailed = "ice failed",
        /// The peer connection was replaced by another one.
        NewPeerConnection = "a new peer connection",
        /// The peer connection was made.
        PeerConnectionMade = "the peer connection is made",
        /// The peer connection was closed.
        Close = "close",
    }
}

words! {
    /// What became of an ICE candidate.
    pub enum CandidateFate {
        /// The local agent found it.
        Gathered = "gathered",
        /// It came before the remote description and waits for it.
        Held = "held",
        /// `addIceCandidate` took it.
        Applied = "applied",
        /// `addIceCandidate` refused it.
        Rejected = "rejected",
    }
}

words! {
    /// What `negotiationneeded` leads to.
    pub enum Needed {
        /// An offer is made now.
        Offer = "offer",
        /// An offer is in flight; what it does not cover is offered after its answer.
        Coalesced = "coalesced",
        /// The other side makes the first offer.
        Deferred = "deferred",
        /// Nothing changed since the last offer.
        Ignored = "ignored",
    }
}

words! {
    /// What happens to a remote track.
    pub enum TrackChange {
        /// It was announced.
        Added = "added",
        /// It ended.
        Ended = "ended",
    }
}

words! {
    /// What happens to a remote stream.
    pub enum StreamChange {
        /// Its first track is there.
        Added = "added",
        /// Its last track ended.
        Removed = "removed",
    }
}

words! {
    /// What happens to media that arrives.
    pub enum MediaChange {
        /// The first packet of its kind arrived.
        FirstPacket = "first-packet",
        /// A packet arrived after a pause.
        Resumed = "resumed",
        /// Nothing has arrived for some time, and a user would notice.
        Paused = "paused",
        /// It arrives again after that.
        ComesAgain = "comes-again",
    }
}
