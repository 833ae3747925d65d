//! Signing keys: ECDSA P-256 with deterministic nonces (RFC 6979), Ed25519, and imported RSA.

use std::sync::Arc;

use p256::{
    ecdsa::signature::Signer,
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
};
use rtc_crypto::{
    CryptoAlgorithm, CryptoError, PublicKey, PublicKeyEncoding, RTCCrypto, RTCRandom, SecretVec,
    SignatureScheme, SigningKey, providers::RingCrypto,
};

use super::draw_key;

/// What precedes the 32 bytes of a private key in its PKCS #8 form (RFC 8410 §7).
const ED25519_PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

pub(super) fn generates(scheme: SignatureScheme) -> bool {
    matches!(scheme, SignatureScheme::EcdsaP256Sha256 | SignatureScheme::Ed25519)
}

/// Only schemes whose signatures are a function of key and message.
pub(super) fn imports(scheme: SignatureScheme) -> bool {
    use SignatureScheme::{EcdsaP256Sha256, Ed25519, RsaPkcs1Sha256};
    matches!(scheme, EcdsaP256Sha256 | Ed25519 | RsaPkcs1Sha256)
}

pub(super) fn generate(
    scheme: SignatureScheme,
    random: &dyn RTCRandom,
    ring: &RingCrypto,
) -> Result<Arc<dyn SigningKey>, CryptoError> {
    match scheme {
        SignatureScheme::EcdsaP256Sha256 => {
            let key = draw_key::<32, _>(random, |bytes| p256::SecretKey::from_slice(bytes).ok())?;
            Ok(Arc::new(P256Key::new(key)?))
        }
        SignatureScheme::Ed25519 => {
            let key = draw_key::<32, _>(random, |bytes| Some(*bytes))?;
            let pkcs8_der = [ED25519_PKCS8_PREFIX.as_slice(), &key].concat();
            ring.import_signing_key(scheme, &pkcs8_der)
        }
        _ => Err(CryptoError::UnsupportedAlgorithm(CryptoAlgorithm::SigningKeyGeneration(scheme))),
    }
}

pub(super) fn import(
    scheme: SignatureScheme,
    pkcs8_der: &[u8],
    ring: &RingCrypto,
) -> Result<Arc<dyn SigningKey>, CryptoError> {
    match scheme {
        SignatureScheme::EcdsaP256Sha256 => {
            let key = p256::SecretKey::from_pkcs8_der(pkcs8_der);
            Ok(Arc::new(P256Key::new(key.map_err(|_| CryptoError::InvalidPrivateKey)?)?))
        }
        SignatureScheme::Ed25519 | SignatureScheme::RsaPkcs1Sha256 => {
            ring.import_signing_key(scheme, pkcs8_der)
        }
        _ => Err(CryptoError::UnsupportedAlgorithm(CryptoAlgorithm::SigningKeyImport(scheme))),
    }
}

struct P256Key {
    key: p256::ecdsa::SigningKey,
    public_key: Vec<u8>,
    pkcs8_der: Vec<u8>,
}

impl P256Key {
    fn new(key: p256::SecretKey) -> Result<Self, CryptoError> {
        let pkcs8_der = key.to_pkcs8_der().map_err(|_| CryptoError::InvalidPrivateKey)?;
        Ok(Self {
            public_key: key.public_key().to_sec1_bytes().into_vec(),
            pkcs8_der: pkcs8_der.as_bytes().to_vec(),
            key: key.into(),
        })
    }
}

impl SigningKey for P256Key {
    fn supports(&self, scheme: SignatureScheme) -> bool {
        scheme == SignatureScheme::EcdsaP256Sha256
    }

    fn public_key(&self) -> PublicKey<'_> {
        PublicKey { encoding: PublicKeyEncoding::EcUncompressedPoint, bytes: &self.public_key }
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if !self.supports(scheme) {
            return Err(CryptoError::UnsupportedAlgorithm(CryptoAlgorithm::Signature(scheme)));
        }
        let signature: p256::ecdsa::Signature = self.key.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn to_pkcs8_der(&self) -> Result<Option<SecretVec>, CryptoError> {
        Ok(Some(SecretVec::new(self.pkcs8_der.clone())))
    }
}
