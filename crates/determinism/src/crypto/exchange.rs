//! Diffie-Hellman key exchange (RFC 8422 §5.1: secp256r1, secp384r1, x25519) from seeded keys.

use rtc_crypto::{
    ActiveKeyExchange, CryptoAlgorithm, CryptoError, KeyExchangeAlgorithm, RTCRandom, SecretVec,
};

use super::draw_key;

pub(super) fn supports(algorithm: KeyExchangeAlgorithm) -> bool {
    use KeyExchangeAlgorithm::{P256, P384, X25519};
    matches!(algorithm, P256 | P384 | X25519)
}

pub(super) fn start(
    algorithm: KeyExchangeAlgorithm,
    random: &dyn RTCRandom,
) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
    let (key, public_key) = match algorithm {
        KeyExchangeAlgorithm::P256 => {
            let key = draw_key::<32, _>(random, |bytes| p256::SecretKey::from_slice(bytes).ok())?;
            let public_key = key.public_key().to_sec1_bytes().into_vec();
            (Private::P256(key), public_key)
        }
        KeyExchangeAlgorithm::P384 => {
            let key = draw_key::<48, _>(random, |bytes| p384::SecretKey::from_slice(bytes).ok())?;
            let public_key = key.public_key().to_sec1_bytes().into_vec();
            (Private::P384(key), public_key)
        }
        KeyExchangeAlgorithm::X25519 => {
            let key = draw_key::<32, _>(random, |bytes| Some(x25519_dalek::StaticSecret::from(*bytes)))?;
            let public_key = x25519_dalek::PublicKey::from(&key).to_bytes().to_vec();
            (Private::X25519(key), public_key)
        }
        other => return Err(CryptoError::UnsupportedAlgorithm(CryptoAlgorithm::KeyExchange(other))),
    };
    Ok(Box::new(SeededExchange { algorithm, key, public_key }))
}

enum Private {
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    X25519(x25519_dalek::StaticSecret),
}

struct SeededExchange {
    algorithm: KeyExchangeAlgorithm,
    key: Private,
    public_key: Vec<u8>,
}

impl ActiveKeyExchange for SeededExchange {
    fn algorithm(&self) -> KeyExchangeAlgorithm {
        self.algorithm
    }

    fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<SecretVec, CryptoError> {
        let secret = match &self.key {
            Private::P256(key) => {
                let peer = p256::PublicKey::from_sec1_bytes(uncompressed(peer_public_key)?);
                let peer = peer.map_err(|_| CryptoError::InvalidPublicKey)?;
                let shared = p256::ecdh::diffie_hellman(key.to_nonzero_scalar(), peer.as_affine());
                shared.raw_secret_bytes().to_vec()
            }
            Private::P384(key) => {
                let peer = p384::PublicKey::from_sec1_bytes(uncompressed(peer_public_key)?);
                let peer = peer.map_err(|_| CryptoError::InvalidPublicKey)?;
                let shared = p384::ecdh::diffie_hellman(key.to_nonzero_scalar(), peer.as_affine());
                shared.raw_secret_bytes().to_vec()
            }
            Private::X25519(key) => x25519(key, peer_public_key)?,
        };
        Ok(SecretVec::new(secret))
    }
}

/// Only uncompressed points are allowed (RFC 8422 §5.1.2).
fn uncompressed(point: &[u8]) -> Result<&[u8], CryptoError> {
    const UNCOMPRESSED: u8 = 4;
    if point.first() == Some(&UNCOMPRESSED) { Ok(point) } else { Err(CryptoError::InvalidPublicKey) }
}

/// Refuses the points of small order that would make the secret zero (RFC 7748 §6.1).
fn x25519(key: &x25519_dalek::StaticSecret, peer: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let peer: [u8; 32] = peer.try_into().map_err(|_| CryptoError::InvalidPublicKey)?;
    let shared = key.diffie_hellman(&peer.into());
    if shared.was_contributory() {
        Ok(shared.as_bytes().to_vec())
    } else {
        Err(CryptoError::InvalidPublicKey)
    }
}
