//! str0m on one socket of the host. It opens no sockets and reads no clock itself: it is handed packets and the time, and
//! says what to send and when to call it again.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use callsim::{Place, timeline::MediaKind};
use netsim::UdpSocket;
use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError,
    change::SdpOffer,
    media::{Frequency, MediaKind as Kind, MediaTime, Mid},
    net::{Protocol, Receive},
};

use crate::{
    app::AppError,
    stun::{self, TransactionId},
};

/// How much sound is in one packet.
const FRAME: Duration = Duration::from_millis(20);
/// The same in samples of Opus, which has 48 of them in a millisecond (RFC 7587 §4.1).
const FRAME_SAMPLES: u64 = 960;
/// Silence, as Opus writes it.
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];
/// How often and how many times the STUN server is asked (RFC 8489 §6.2.1 has longer and longer waits).
const STUN_RETRY: Duration = Duration::from_millis(500);
const STUN_TRIES: u32 = 7;

/// One peer connection.
pub(crate) struct Peer {
    place: Place,
    socket: UdpSocket,
    local: SocketAddr,
    rtc: Rtc,
    /// When str0m wants to be called again.
    due: Instant,
    /// What carries the voice.
    audio: Option<Mid>,
    /// Once it is connected.
    voice: Option<Voice>,
    stun: Option<Stun>,
}

/// What a peer does by itself.
pub(crate) enum Happened {
    Ice(IceConnectionState),
    Connected,
    Track(MediaKind),
    Frame(MediaKind, usize),
    Closed,
}

/// What gathering comes to.
pub(crate) enum Gathered {
    Candidate(Candidate),
    Complete,
}

struct Voice {
    next: Instant,
    frames: u64,
}

/// A question to a STUN server that is not answered yet: str0m leaves that to the application.
struct Stun {
    server: SocketAddr,
    id: TransactionId,
    next: Instant,
    tries: u32,
}

impl Peer {
    pub(crate) fn new(place: &Place) -> Result<Self, AppError> {
        let address = place.socket_addresses(0).first().copied().ok_or(AppError::NoAddress)?;
        let socket = place.bind_udp(address)?;
        let now = place.world().instant();
        Ok(Self {
            place: place.clone(),
            local: socket.local_addr()?,
            socket,
            // What every WebRTC endpoint has (RFC 7874 §3, RFC 7742 §5), and the engine offers.
            rtc: RtcConfig::new().clear_codecs().enable_opus(true, false).enable_vp8(true).build(now),
            due: now,
            audio: None,
            voice: None,
            stun: None,
        })
    }

    /// The next packet; never where there is no peer.
    pub(crate) async fn receive(peer: Option<&Self>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match peer {
            Some(peer) => peer.socket.recv_from(buffer).await,
            None => std::future::pending().await,
        }
    }

    /// Resolves when the peer has something to do; never where there is none.
    pub(crate) async fn due(peer: Option<&Self>) {
        let Some(peer) = peer else { return std::future::pending().await };
        let voice = peer.voice.as_ref().map_or(peer.due, |voice| voice.next);
        let stun = peer.stun.as_ref().map_or(peer.due, |stun| stun.next);
        let due = peer.due.min(voice).min(stun);
        peer.place.sleep(due.saturating_duration_since(peer.now())).await;
    }

    /// The answer to an offer (RFC 9429).
    pub(crate) fn answer(&mut self, offer: &str) -> Result<String, AppError> {
        let offer = SdpOffer::from_sdp_string(offer).map_err(RtcError::from)?;
        Ok(self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
    }

    /// Begins to gather: the host's own address now, and the one that `stun` sees when that answers.
    pub(crate) fn gather(&mut self, stun: Option<SocketAddr>) -> Result<Gathered, AppError> {
        let next = self.now();
        self.stun = stun.map(|server| Stun { server, id: self.transaction(), next, tries: 0 });
        let host = Candidate::host(self.local, "udp")?;
        self.rtc.add_local_candidate(host.clone());
        Ok(Gathered::Candidate(host))
    }

    pub(crate) fn is_gathering(&self) -> bool {
        self.stun.is_some()
    }

    pub(crate) fn add_remote_candidate(&mut self, candidate: &str) -> Result<(), AppError> {
        self.rtc.add_remote_candidate(Candidate::from_sdp_string(candidate)?);
        Ok(())
    }

    /// Everything that str0m has to say after a change.
    pub(crate) fn drain(&mut self) -> Result<Vec<Happened>, AppError> {
        let mut happened = Vec::new();
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(due) => {
                    self.due = due;
                    return Ok(happened);
                }
                Output::Transmit(packet) => self.send(&packet.contents, packet.destination),
                Output::Event(event) => happened.extend(self.on_event(event)),
            }
        }
    }

    fn on_event(&mut self, event: Event) -> Option<Happened> {
        match event {
            Event::IceConnectionStateChange(state) => Some(Happened::Ice(state)),
            Event::Connected => {
                self.voice = Some(Voice { next: self.now(), frames: 0 });
                Some(Happened::Connected)
            }
            Event::MediaAdded(media) => {
                if media.kind == Kind::Audio {
                    self.audio = Some(media.mid);
                }
                Some(Happened::Track(kind(media.kind)))
            }
            Event::MediaData(data) => {
                let media = self.rtc.media(data.mid)?;
                Some(Happened::Frame(kind(media.kind()), data.data.len()))
            }
            Event::Closed => Some(Happened::Closed),
            _ => None,
        }
    }

    /// A packet came.
    pub(crate) fn on_packet(
        &mut self,
        packet: &[u8],
        from: SocketAddr,
    ) -> Result<Option<Gathered>, AppError> {
        if let Some(seen) = self.seen_by_stun(packet, from) {
            self.stun = None;
            let candidate = Candidate::server_reflexive(seen, self.local, "udp")?;
            // `None` for one that str0m has already: there is no NAT.
            let is_new = self.rtc.add_local_candidate(candidate.clone()).is_some();
            return Ok(Some(if is_new { Gathered::Candidate(candidate) } else { Gathered::Complete }));
        }
        // What is no packet of WebRTC concerns nobody.
        if let Ok(packet) = Receive::new(Protocol::Udp, from, self.local, packet) {
            self.rtc.handle_input(Input::Receive(self.now(), packet))?;
        }
        Ok(None)
    }

    fn seen_by_stun(&self, packet: &[u8], from: SocketAddr) -> Option<SocketAddr> {
        let stun = self.stun.as_ref().filter(|stun| stun.server == from)?;
        stun::mapped_address(packet, stun.id)
    }

    /// Something is due.
    pub(crate) fn tick(&mut self) -> Result<Option<Gathered>, AppError> {
        let now = self.now();
        if let Some(stun) = self.stun.as_mut().filter(|stun| stun.next <= now) {
            if stun.tries == STUN_TRIES {
                self.stun = None;
                return Ok(Some(Gathered::Complete));
            }
            (stun.tries, stun.next) = (stun.tries + 1, now + STUN_RETRY);
            let (request, server) = (stun::request(stun.id), stun.server);
            self.send(&request, server);
        } else if self.voice.as_ref().is_some_and(|voice| voice.next <= now) {
            self.speak(now)?;
        } else {
            self.rtc.handle_input(Input::Timeout(now))?;
        }
        Ok(None)
    }

    fn speak(&mut self, now: Instant) -> Result<(), AppError> {
        let Some(voice) = &mut self.voice else { return Ok(()) };
        let time = MediaTime::new(voice.frames * FRAME_SAMPLES, Frequency::FORTY_EIGHT_KHZ);
        (voice.frames, voice.next) = (voice.frames + 1, voice.next + FRAME);
        let Some(writer) = self.audio.and_then(|mid| self.rtc.writer(mid)) else { return Ok(()) };
        let Some(opus) = writer.payload_params().next().map(|codec| codec.pt()) else { return Ok(()) };
        Ok(writer.write(opus, now, time, SILENCE)?)
    }

    /// Says goodbye to the other side (RFC 8446 §6.1, `close_notify`).
    pub(crate) fn close(mut self) -> Result<(), AppError> {
        self.rtc.close()?;
        self.drain().map(|_| ())
    }

    /// A datagram that does not go is lost, as others are.
    fn send(&self, packet: &[u8], to: SocketAddr) {
        let _ = self.socket.try_send_to(packet, to);
    }

    /// In a world the seed is random enough; a real app draws it (RFC 8489 §5).
    fn transaction(&self) -> TransactionId {
        let mut id = TransactionId::default();
        id[..8].copy_from_slice(&self.place.seed().to_be_bytes());
        id
    }

    fn now(&self) -> Instant {
        self.place.world().instant()
    }
}

const fn kind(kind: Kind) -> MediaKind {
    match kind {
        Kind::Audio => MediaKind::Audio,
        Kind::Video => MediaKind::Video,
    }
}
