use std::{fmt, sync::Arc, time::Duration};

use rtc::{crypto::RTCCryptoProvider, peer_connection::certificate::RTCCertificate};
use signaller::ParticipantId;

use crate::{Guards, MediaStreamConstraints, PeerConstraints, Recovery, SessionConstraints};

/// Everything that an application can set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who the application is to its signaller.
    pub participant: ParticipantId,
    /// What it asks of its devices when it dials or accepts.
    pub media: MediaStreamConstraints,
    /// Whether the video track starts enabled. A voice call is a call with its video track disabled.
    pub start_video: crate::Enabled,
    /// What its offers ask for.
    pub session: SessionConstraints,
    /// How its peers are built.
    pub peer: PeerSettings,
    /// How long it waits for what.
    pub timers: Timers,
    /// How a connection that fails is recovered. `None`: it is not, and its failure ends the call.
    pub recovery: Option<Recovery>,
    /// Data channels, `None` for none. Both sides of a call must have them or not.
    pub data: Option<DataSettings>,
    /// How often statistics are taken while a call is connected, `None` for never.
    pub statistics: Option<Duration>,
    /// Whether whole frames of the other side are put together for the application
    /// ([`Observer::on_frame_received`]), with what asks for key frames where some are lost.
    ///
    /// [`Observer::on_frame_received`]: crate::Observer::on_frame_received
    pub frames: bool,
    /// After which silence a remote track counts as paused, `None` for never.
    pub media_silence: Option<Duration>,
    /// Switches for tests.
    pub guards: Guards,
}

/// The data channels of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSettings {
    /// How many messages may wait in the engine for each channel; more are refused.
    pub queue: usize,
    /// The high-water mark of each channel, in bytes: where so many were handed to it and are not acknowledged
    /// (`bufferedAmount`, W3C webrtc-pc §6.2), the engine holds messages back. A message that goes while there is
    /// room may be longer than that, so that less than this and one message are buffered at most.
    pub buffered_bytes: usize,
}

/// How a peer is built.
#[derive(Clone)]
pub struct PeerSettings {
    /// STUN and TURN servers, and which candidates may be used.
    pub constraints: PeerConstraints,
    /// The local addresses that ICE gathers on, as `address:port`; port 0 lets the system choose. `0.0.0.0`
    /// stands for every IPv4 interface but loopback, `[::]` for every IPv6 one.
    pub udp_addresses: Vec<String>,
    /// Which codecs are offered.
    pub codecs: Codecs,
    /// Where keys and randomness come from, `None` for `webrtc`'s own.
    pub crypto: Option<Arc<dyn RTCCryptoProvider>>,
    /// What the first peer connection is known by (`certificates`, W3C webrtc-pc §4.2.1), `None` for a certificate of its
    /// own making. Each further peer connection makes its own, as where an application gives none.
    pub certificate: Option<RTCCertificate>,
}

/// Which codecs are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codecs {
    /// Opus and VP8: what every WebRTC endpoint must have (RFC 7874 §3, RFC 7742 §5), and 3.5 times
    /// cheaper to negotiate than the full set.
    #[default]
    OpusVp8,
    /// All that `webrtc` registers by default.
    Full,
}

timeline::words! { impl Codecs { OpusVp8 = "opus-vp8", Full = "full" } }

/// How long a call waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// From dialling, or from the first ring, until the call ends with `no-answer`.
    pub ring: Duration,
    /// From accepting until the call ends with `connect-timeout`. Without [`Settings::recovery`] the only
    /// rescue from a DTLS handshake that `webrtc` 0.21.1 lets stall for ever.
    pub connect: Duration,
}

impl Settings {
    /// The settings of a video call between two people on `participant`'s device, with recovery.
    pub fn new(participant: impl Into<ParticipantId>) -> Self {
        Self {
            participant: participant.into(),
            media: MediaStreamConstraints::default(),
            start_video: crate::Enabled::Yes,
            session: SessionConstraints::default(),
            peer: PeerSettings::default(),
            timers: Timers::default(),
            recovery: Some(Recovery::default()),
            data: None,
            statistics: None,
            frames: true,
            media_silence: None,
            guards: Guards::ALL_ON,
        }
    }
}

impl Default for DataSettings {
    /// 256 messages and 64 KiB.
    fn default() -> Self {
        Self { queue: 256, buffered_bytes: 64 * 1024 }
    }
}

impl Default for Timers {
    /// 30 seconds each.
    fn default() -> Self {
        Self { ring: Duration::from_secs(30), connect: Duration::from_secs(30) }
    }
}

impl Default for PeerSettings {
    /// No servers, every interface, Opus and VP8.
    fn default() -> Self {
        Self {
            constraints: PeerConstraints::default(),
            udp_addresses: vec!["0.0.0.0:0".to_owned(), "[::]:0".to_owned()],
            codecs: Codecs::default(),
            crypto: None,
            certificate: None,
        }
    }
}

impl fmt::Debug for PeerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerSettings")
            .field("constraints", &self.constraints)
            .field("udp_addresses", &self.udp_addresses)
            .field("codecs", &self.codecs)
            .field("crypto", &self.crypto.as_ref().map(|provider| provider.name()))
            .field("certificate", &self.certificate.is_some())
            .finish()
    }
}
