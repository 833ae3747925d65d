//! Cryptography that does not work out twice what both ends of a handshake work out alike.
//!
//! A world plays both ends of a call on one thread. So whoever verifies a signature finds that this thread made just
//! that signature, with just that key, of just that message; and whoever completes a key exchange finds that the other
//! end has the secret already, since the two secrets are one number (RFC 7748 §6, SEC 1 §3.3.1). Both are half of the
//! public-key operations of a DTLS handshake. What is remembered is compared in full, byte by byte; what is not
//! remembered, every forged signature and every foreign key among it, is worked out. So all results, and all bytes on
//! the wire, are those of the provider beneath, which still draws every key and makes every signature.
//!
//! Nothing is remembered outside a simulation thread, or from one such thread to the next.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use rtc_crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher,
    CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey,
    PublicKeyEncoding, RTCCrypto, RTCCryptoProvider, RTCRandom, SecretVec, SignatureScheme, SigningKey,
    StreamCipher, StreamCipherAlgorithm,
};

use super::key_log;
use crate::thread;

/// A provider that asks the thread's memory first, and the provider beneath where that knows nothing.
pub struct RememberingProvider {
    crypto: RememberingCrypto,
}

impl RememberingProvider {
    /// One over `beneath`.
    pub fn new(beneath: Arc<dyn RTCCryptoProvider>) -> Self {
        Self { crypto: RememberingCrypto(beneath) }
    }
}

impl RTCCryptoProvider for RememberingProvider {
    fn name(&self) -> &'static str {
        self.crypto.0.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        &self.crypto
    }

    fn random(&self) -> &dyn RTCRandom {
        self.crypto.0.random()
    }
}

struct RememberingCrypto(Arc<dyn RTCCryptoProvider>);

impl RememberingCrypto {
    fn beneath(&self) -> &dyn RTCCrypto {
        self.0.crypto()
    }
}

impl RTCCrypto for RememberingCrypto {
    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        Ok(Box::new(RememberingExchange(self.beneath().start_key_exchange(algorithm)?)))
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        Ok(Arc::new(RememberingKey(self.beneath().generate_signing_key(scheme)?)))
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        Ok(Arc::new(RememberingKey(self.beneath().import_signing_key(scheme, pkcs8_der)?)))
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if made_here(scheme, public_key, message, signature) {
            return Ok(());
        }
        self.beneath().verify_signature(scheme, public_key, message, signature)
    }

    // The rest goes straight on.

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.beneath().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.beneath().hash(algorithm, data)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.beneath().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        Ok(key_log::watched(algorithm, key, self.beneath().new_hmac(algorithm, key)?))
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.beneath().new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.beneath().new_aead(algorithm, key)
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.beneath().new_cbc(algorithm, key)
    }
}

/// Says of each signature that it made it.
struct RememberingKey(Arc<dyn SigningKey>);

impl SigningKey for RememberingKey {
    fn supports(&self, scheme: SignatureScheme) -> bool {
        self.0.supports(scheme)
    }

    fn public_key(&self) -> PublicKey<'_> {
        self.0.public_key()
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = self.0.sign(scheme, message)?;
        with_memory(|memory| {
            let PublicKey { encoding, bytes } = self.0.public_key();
            let made = Made { scheme, encoding, public_key: bytes.into(), message: message.into() };
            memory.signatures.keep(signature.as_slice().into(), made);
        });
        Ok(signature)
    }

    fn to_pkcs8_der(&self) -> Result<Option<SecretVec>, CryptoError> {
        self.0.to_pkcs8_der()
    }
}

struct RememberingExchange(Box<dyn ActiveKeyExchange>);

impl ActiveKeyExchange for RememberingExchange {
    fn algorithm(&self) -> KeyExchangeAlgorithm {
        self.0.algorithm()
    }

    fn public_key(&self) -> &[u8] {
        self.0.public_key()
    }

    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<SecretVec, CryptoError> {
        let ends = Ends::new(self.0.algorithm(), self.0.public_key(), peer_public_key);
        if let Some(secret) = with_memory(|memory| memory.secrets.0.remove(&ends)).flatten() {
            return Ok(secret);
        }
        let secret = self.0.complete(peer_public_key)?;
        with_memory(|memory| memory.secrets.keep(ends, secret.clone()));
        Ok(secret)
    }
}

thread_local! {
    static MEMORY: RefCell<Memory> = const { RefCell::new(Memory::new()) };
}

/// What one end of a handshake worked out and the other one will ask for: for a signature more than once, for a secret
/// once.
struct Memory {
    signatures: Kept<Box<[u8]>, Made>,
    secrets: Kept<Ends, SecretVec>,
}

impl Memory {
    const fn new() -> Self {
        Self { signatures: Kept::new(), secrets: Kept::new() }
    }
}

/// `None` where this thread does not simulate.
fn with_memory<R>(f: impl FnOnce(&mut Memory) -> R) -> Option<R> {
    if !thread::is_active() {
        return None;
    }
    MEMORY.try_with(|memory| memory.try_borrow_mut().ok().map(|mut memory| f(&mut memory))).ok().flatten()
}

/// What a signature was made of.
struct Made {
    scheme: SignatureScheme,
    encoding: PublicKeyEncoding,
    public_key: Box<[u8]>,
    message: Box<[u8]>,
}

/// Whether this thread made just this signature. `webrtc` 0.21.1 asks twice for that of a CertificateVerify.
fn made_here(scheme: SignatureScheme, key: PublicKey<'_>, message: &[u8], signature: &[u8]) -> bool {
    let is_this = |made: &Made| {
        made.scheme == scheme
            && made.encoding == key.encoding
            && *made.public_key == *key.bytes
            && *made.message == *message
    };
    with_memory(|memory| memory.signatures.0.get(signature).is_some_and(is_this)).unwrap_or(false)
}

/// The two ends of a key exchange, in an order that does not depend on who asks.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ends(u8, Box<[u8]>, Box<[u8]>);

impl Ends {
    fn new(algorithm: KeyExchangeAlgorithm, one: &[u8], other: &[u8]) -> Self {
        let (lower, upper) = if one <= other { (one, other) } else { (other, one) };
        Self(algorithm as u8, lower.into(), upper.into())
    }
}

/// How much of a kind is kept: what a thousand handshakes at once take. Then it is forgotten, and worked out anew where
/// somebody asks for it.
const MOST_KEPT: usize = 4096;

struct Kept<K, V>(BTreeMap<K, V>);

impl<K: Ord, V> Kept<K, V> {
    const fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn keep(&mut self, key: K, value: V) {
        if self.0.len() >= MOST_KEPT {
            self.0.clear();
        }
        self.0.insert(key, value);
    }
}

#[cfg(test)]
mod tests;
