//! The keys of one DTLS connection: of its own records (RFC 5246 §6.3), and of the media beside it (RFC 5764 §4.2).

use std::collections::BTreeMap;

use netsim::Wire;
use rtc_crypto::{AeadAlgorithm, HmacAlgorithm, RTCCryptoProvider};
use rtc_srtp::{context::Context, protection_profile::ProtectionProfile};
use timeline::{Name, PacketRecord};

use super::dtls::{self, Hello, RECORD_HEADER};

/// A client hello and a server hello that may belong together, and the client's master secret: that something opens shows
/// that they do.
pub(super) struct Session {
    client: Name,
    server: Name,
    randoms: Randoms,
    secret: Vec<u8>,
    cipher: Option<Cipher>,
    srtp: Option<u16>,
    /// Of the client and of the server, once they are needed.
    data: Option<[Key; 2]>,
    media: Option<[Media; 2]>,
}

#[derive(Clone)]
struct Randoms {
    client: Vec<u8>,
    server: Vec<u8>,
}

/// How records are encrypted.
#[derive(Clone, Copy)]
enum Cipher {
    Aes128Gcm,
    ChaCha20Poly1305,
}

#[derive(Clone)]
struct Key {
    key: Vec<u8>,
    iv: Vec<u8>,
}

/// The media of one end: RTP and RTCP have states of their own.
struct Media {
    rtp: Context,
    rtcp: Context,
}

/// Both ends in one order.
const CLIENT: usize = 0;
const SERVER: usize = 1;

/// All pairs of hellos whose secret is known.
pub(super) fn sessions(
    packets: &[PacketRecord],
    wire: &Wire,
    secrets: &BTreeMap<Vec<u8>, Vec<u8>>,
) -> Vec<Session> {
    let mut clients: BTreeMap<Vec<u8>, Name> = BTreeMap::new();
    let mut servers: BTreeMap<Vec<u8>, Name> = BTreeMap::new();
    let mut sessions = Vec::new();
    for (packet, payload) in packets.iter().zip(&wire.payloads) {
        for hello in dtls::hellos(dtls::relayed(payload)) {
            match hello {
                Hello::Client { random } => {
                    clients.entry(random).or_insert_with(|| packet.from_host.clone());
                }
                Hello::Server { random, cipher_suite, srtp } => {
                    if servers.contains_key(&random) {
                        continue;
                    }
                    servers.insert(random.clone(), packet.from_host.clone());
                    for (client_random, client) in &clients {
                        let Some(secret) = secrets.get(client_random).filter(|_| *client != packet.from_host)
                        else {
                            continue;
                        };
                        let randoms = Randoms { client: client_random.clone(), server: random.clone() };
                        sessions.push(Session {
                            client: client.clone(),
                            server: packet.from_host.clone(),
                            randoms,
                            secret: secret.clone(),
                            cipher: Cipher::of(cipher_suite),
                            srtp,
                            data: None,
                            media: None,
                        });
                    }
                }
            }
        }
    }
    sessions
}

impl Session {
    /// The application data of the records in a datagram of `from`.
    pub(super) fn data(
        &mut self,
        from: &Name,
        datagram: &[u8],
        provider: &dyn RTCCryptoProvider,
    ) -> Option<Vec<u8>> {
        let (end, cipher) = (self.end(from)?, self.cipher?);
        if self.data.is_none() {
            self.data = Some(self.data_keys(cipher, provider)?);
        }
        let Key { key, iv } = &self.data.as_ref()?[end];
        // One SCTP packet a record (RFC 8261 §4), and one record a datagram, mostly.
        dtls::records(datagram).find_map(|record| opened(cipher, key, iv, record, provider))
    }

    /// The RTP packet in an SRTP packet of `from`.
    pub(super) fn rtp(
        &mut self,
        from: &Name,
        packet: &[u8],
        provider: &dyn RTCCryptoProvider,
    ) -> Option<Vec<u8>> {
        Some(self.media(from, provider)?.rtp.decrypt_rtp(packet).ok()?.to_vec())
    }

    /// The RTCP packet in an SRTCP packet of `from`.
    pub(super) fn rtcp(
        &mut self,
        from: &Name,
        packet: &[u8],
        provider: &dyn RTCCryptoProvider,
    ) -> Option<Vec<u8>> {
        Some(self.media(from, provider)?.rtcp.decrypt_rtcp(packet).ok()?.to_vec())
    }

    fn end(&self, from: &Name) -> Option<usize> {
        match from {
            from if *from == self.client => Some(CLIENT),
            from if *from == self.server => Some(SERVER),
            _ => None,
        }
    }

    fn media(&mut self, from: &Name, provider: &dyn RTCCryptoProvider) -> Option<&mut Media> {
        let end = self.end(from)?;
        if self.media.is_none() {
            self.media = Some(self.media_keys(provider)?);
        }
        Some(&mut self.media.as_mut()?[end])
    }

    /// Key block: both keys, then both initialisation vectors. Neither cipher has keys for a MAC.
    fn data_keys(&self, cipher: Cipher, provider: &dyn RTCCryptoProvider) -> Option<[Key; 2]> {
        let (key_len, iv_len) = cipher.lengths();
        let seed = [b"key expansion", self.randoms.server.as_slice(), &self.randoms.client].concat();
        let block = expand(&self.secret, &seed, 2 * (key_len + iv_len), provider)?;
        let [keys, ivs] = [block[..2 * key_len].chunks(key_len), block[2 * key_len..].chunks(iv_len)];
        let mut both = keys.zip(ivs).map(|(key, iv)| Key { key: key.to_vec(), iv: iv.to_vec() });
        Some([both.next()?, both.next()?])
    }

    /// Exported keying material (RFC 5705): both master keys, then both master salts.
    fn media_keys(&self, provider: &dyn RTCCryptoProvider) -> Option<[Media; 2]> {
        let profile = profile(self.srtp?)?;
        let (key_len, salt_len) = (profile.key_len(), profile.salt_len());
        let seed = [b"EXTRACTOR-dtls_srtp", self.randoms.client.as_slice(), &self.randoms.server].concat();
        let block = expand(&self.secret, &seed, 2 * (key_len + salt_len), provider)?;
        let context = |end: usize| {
            let key = &block[end * key_len..][..key_len];
            let salt = &block[2 * key_len + end * salt_len..][..salt_len];
            Context::new(key, salt, profile, None, None, provider.crypto()).ok()
        };
        let media = |end| Some(Media { rtp: context(end)?, rtcp: context(end)? });
        Some([media(CLIENT)?, media(SERVER)?])
    }
}

impl Cipher {
    const fn of(suite: u16) -> Option<Self> {
        match suite {
            0xc02b | 0xc02f => Some(Self::Aes128Gcm),
            0xcca8 | 0xcca9 => Some(Self::ChaCha20Poly1305),
            _ => None,
        }
    }

    /// Of the key, and of the part of the nonce that is not in records.
    const fn lengths(self) -> (usize, usize) {
        match self {
            Self::Aes128Gcm => (16, 4),
            Self::ChaCha20Poly1305 => (32, 12),
        }
    }
}

/// The plaintext of a record of application data (RFC 5288 §3, RFC 7905 §2).
fn opened(
    cipher: Cipher,
    key: &[u8],
    iv: &[u8],
    record: &[u8],
    provider: &dyn RTCCryptoProvider,
) -> Option<Vec<u8>> {
    const APPLICATION_DATA: u8 = 23;
    const TAG: usize = 16;
    let (header, body) = record.split_at_checked(RECORD_HEADER)?;
    if header[0] != APPLICATION_DATA {
        return None;
    }
    // Epoch and sequence number.
    let number = &header[3..11];
    let (algorithm, nonce, sealed) = match cipher {
        Cipher::Aes128Gcm => {
            let (explicit, sealed) = body.split_at_checked(8)?;
            (AeadAlgorithm::Aes128Gcm, [iv, explicit].concat(), sealed)
        }
        Cipher::ChaCha20Poly1305 => {
            let number = [&[0; 4], number].concat();
            let nonce = iv.iter().zip(number).map(|(iv, number)| iv ^ number).collect();
            (AeadAlgorithm::ChaCha20Poly1305, nonce, body)
        }
    };
    let (text, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
    let len = u16::try_from(text.len()).ok()?.to_be_bytes();
    let covered = [number, &header[..3], &len].concat();
    let mut text = text.to_vec();
    let mut aead = provider.crypto().new_aead(algorithm, key).ok()?;
    aead.open_in_place(&nonce, &covered, &mut text, tag).ok()?;
    Some(text)
}

/// P_SHA256 (RFC 5246 §5).
fn expand(secret: &[u8], seed: &[u8], len: usize, provider: &dyn RTCCryptoProvider) -> Option<Vec<u8>> {
    let mac = |parts: &[&[u8]]| {
        let mut mac = provider.crypto().new_hmac(HmacAlgorithm::Sha256, secret).ok()?;
        let mut output = vec![0; mac.output_len()];
        mac.sign(parts, &mut output).ok()?;
        Some(output)
    };
    let mut out = Vec::new();
    let mut round = mac(&[seed])?;
    while out.len() < len {
        out.extend(mac(&[&round, seed])?);
        round = mac(&[&round])?;
    }
    out.truncate(len);
    Some(out)
}

fn profile(number: u16) -> Option<ProtectionProfile> {
    match number {
        1 => Some(ProtectionProfile::Aes128CmHmacSha1_80),
        2 => Some(ProtectionProfile::Aes128CmHmacSha1_32),
        7 => Some(ProtectionProfile::AeadAes128Gcm),
        8 => Some(ProtectionProfile::AeadAes256Gcm),
        _ => None,
    }
}
