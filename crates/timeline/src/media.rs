use crate::MediaKind;

/// An RTP packet of a remote track, decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedPacket {
    /// Audio or video.
    pub kind: MediaKind,
    /// Length of its payload, bytes.
    pub bytes: usize,
    /// Its place in its frame.
    pub position: PacketPosition,
}

/// The place of a packet in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketPosition {
    /// It ends a frame: every audio packet does, and a video packet with the marker bit (RFC 3550 §5.1,
    /// RFC 7741 §4.1).
    End,
    /// The frame goes on.
    Within,
}
