//! Why something that arrived was refused with an error code, or dropped.

use std::fmt;

/// Why a request was refused: an error code of STUN (RFC 8489 §14.8) or TURN (RFC 8656 §19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorCode {
    /// 400: an attribute is missing, malformed or contradicts another.
    BadRequest,
    /// 401: no credentials yet, or not the right ones (RFC 8489 §9.2.4).
    Unauthorized,
    /// 403: the peer's address is on the deny list (RFC 8656 §10.2).
    Forbidden,
    /// 420: a comprehension-required attribute is not understood (RFC 8489 §6.3.1).
    UnknownAttribute,
    /// 437: the 5-tuple has an allocation already, or has none (RFC 8656 §5, §7.2).
    AllocationMismatch,
    /// 438: the nonce is too old, of another client or of another boot (RFC 8489 §9.2.4).
    StaleNonce,
    /// 440: the server has no address of the requested family (RFC 8656 §7.2).
    AddressFamilyNotSupported,
    /// 441: the allocation belongs to another user name (RFC 8656 §5).
    WrongCredentials,
    /// 442: `REQUESTED-TRANSPORT` is not UDP (RFC 8656 §7.2).
    UnsupportedTransportProtocol,
    /// 443: the peer is of another family than the relayed address (RFC 8656 §10.2).
    PeerAddressFamilyMismatch,
    /// 486: the user holds as many allocations as allowed (RFC 8656 §7.2).
    AllocationQuotaReached,
    /// 508: no port with the requested properties is left (RFC 8656 §7.2).
    InsufficientCapacity,
}

impl ErrorCode {
    /// All codes, in order of number.
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::UnknownAttribute,
        Self::AllocationMismatch,
        Self::StaleNonce,
        Self::AddressFamilyNotSupported,
        Self::WrongCredentials,
        Self::UnsupportedTransportProtocol,
        Self::PeerAddressFamilyMismatch,
        Self::AllocationQuotaReached,
        Self::InsufficientCapacity,
    ];

    /// The number on the wire, 400 to 508.
    pub fn number(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::UnknownAttribute => 420,
            Self::AllocationMismatch => 437,
            Self::StaleNonce => 438,
            Self::AddressFamilyNotSupported => 440,
            Self::WrongCredentials => 441,
            Self::UnsupportedTransportProtocol => 442,
            Self::PeerAddressFamilyMismatch => 443,
            Self::AllocationQuotaReached => 486,
            Self::InsufficientCapacity => 508,
        }
    }

    /// The reason phrase on the wire, as the RFCs print it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::UnknownAttribute => "Unknown Attribute",
            Self::AllocationMismatch => "Allocation Mismatch",
            Self::StaleNonce => "Stale Nonce",
            Self::AddressFamilyNotSupported => "Address Family not Supported",
            Self::WrongCredentials => "Wrong Credentials",
            Self::UnsupportedTransportProtocol => "Unsupported Transport Protocol",
            Self::PeerAddressFamilyMismatch => "Peer Address Family Mismatch",
            Self::AllocationQuotaReached => "Allocation Quota Reached",
            Self::InsufficientCapacity => "Insufficient Capacity",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.reason())
    }
}

/// Why something was dropped in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DropReason {
    /// The mood says dead.
    Dead,
    /// Neither STUN nor ChannelData, or not a valid one (RFC 8489 §6.3).
    Malformed,
    /// `FINGERPRINT` is wrong or not last (RFC 8489 §14.7).
    Fingerprint,
    /// A method or class that this server does not serve (RFC 8489 §6.3).
    Unsupported,
    /// An indication with an unknown comprehension-required attribute (RFC 8489 §6.3.2).
    UnknownAttribute,
    /// The 5-tuple, or the relayed port, has no allocation (RFC 8656 §5).
    NoAllocation,
    /// The peer's address has no permission (RFC 8656 §9).
    NoPermission,
    /// The channel is not bound (RFC 8656 §12.6).
    NoChannel,
    /// The message around the data would not fit a datagram.
    TooLarge,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dead => "the server is dead",
            Self::Malformed => "malformed",
            Self::Fingerprint => "wrong fingerprint",
            Self::Unsupported => "unsupported method or class",
            Self::UnknownAttribute => "unknown attribute in an indication",
            Self::NoAllocation => "no allocation",
            Self::NoPermission => "no permission",
            Self::NoChannel => "channel not bound",
            Self::TooLarge => "too large to wrap",
        })
    }
}
