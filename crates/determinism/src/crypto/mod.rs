//! Cryptography for `webrtc` whose every secret comes from a seed.
//!
//! `ring` does what is deterministic anyway (hashes, ciphers, verification, import of keys that sign
//! deterministically). It refuses a random source of ours, so key exchange, key generation and ECDSA
//! signatures (RFC 6979: the nonce is derived from key and message) come from the RustCrypto crates.
//!
//! Nothing here protects anybody: whoever knows the seed knows the keys.

mod exchange;
pub mod key_log;
mod remembering;
mod signing;

use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use rtc_crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher,
    CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey,
    RTCCrypto, RTCCryptoProvider, RTCRandom, SignatureScheme, SigningKey, StreamCipher,
    StreamCipherAlgorithm, providers::RingCrypto,
};

pub use remembering::RememberingProvider;

use crate::thread::stream;

/// A crypto provider for one peer of one run.
pub struct SeededProvider {
    crypto: SeededCrypto,
}

impl SeededProvider {
    /// The provider number `peer` of the run with `seed`. Equal numbers give equal keys, in the order
    /// in which they are asked for.
    pub fn new(seed: u64, peer: u64) -> Self {
        let random = SeededRandom(Arc::new(Mutex::new(stream(seed, peer))));
        Self { crypto: SeededCrypto { ring: RingCrypto, random } }
    }
}

impl RTCCryptoProvider for SeededProvider {
    fn name(&self) -> &'static str {
        "seeded"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        &self.crypto
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.crypto.random
    }
}

/// One stream of random bytes, shared by a provider's keys and its `random`.
struct SeededRandom(Arc<Mutex<ChaCha8Rng>>);

impl RTCRandom for SeededRandom {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(output);
        Ok(())
    }
}

struct SeededCrypto {
    ring: RingCrypto,
    random: SeededRandom,
}

impl RTCCrypto for SeededCrypto {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        match algorithm {
            CryptoAlgorithm::KeyExchange(exchange) => exchange::supports(exchange),
            CryptoAlgorithm::SigningKeyGeneration(scheme) => signing::generates(scheme),
            CryptoAlgorithm::SigningKeyImport(scheme) => signing::imports(scheme),
            other => self.ring.supports(other),
        }
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        exchange::start(algorithm, &self.random)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        signing::generate(scheme, &self.random, &self.ring)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        signing::import(scheme, pkcs8_der, &self.ring)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.ring.verify_signature(scheme, public_key, message, signature)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.ring.hash(algorithm, data)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.ring.block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.ring.new_hmac(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.ring.new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.ring.new_aead(algorithm, key)
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.ring.new_cbc(algorithm, key)
    }
}

/// Asks for random numbers until `parse` accepts one as a private key: an elliptic curve takes all but
/// a vanishing share of them.
fn draw_key<const N: usize, K>(
    random: &dyn RTCRandom,
    parse: impl Fn(&[u8; N]) -> Option<K>,
) -> Result<K, CryptoError> {
    let mut bytes = [0; N];
    loop {
        random.fill(&mut bytes)?;
        if let Some(key) = parse(&bytes) {
            return Ok(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conforms_to_the_providers_contract() {
        rtc_crypto::conformance::assert_provider(&SeededProvider::new(7, 0));
    }

    /// Public keys of every kind, a signature and plain random bytes.
    fn products(seed: u64, peer: u64) -> Vec<Vec<u8>> {
        let provider = SeededProvider::new(seed, peer);
        let mut products = Vec::new();
        for algorithm in
            [KeyExchangeAlgorithm::P256, KeyExchangeAlgorithm::P384, KeyExchangeAlgorithm::X25519]
        {
            products.push(provider.crypto().start_key_exchange(algorithm).unwrap().public_key().to_vec());
        }
        for scheme in [SignatureScheme::EcdsaP256Sha256, SignatureScheme::Ed25519] {
            let key = provider.crypto().generate_signing_key(scheme).unwrap();
            products.push(key.public_key().bytes.to_vec());
            products.push(key.sign(scheme, b"callsim").unwrap());
        }
        let mut bytes = vec![0; 16];
        provider.random().fill(&mut bytes).unwrap();
        products.push(bytes);
        products
    }

    #[test]
    fn equal_seeds_give_equal_keys_and_others_other_keys() {
        let first = products(7, 0);
        assert_eq!(first, products(7, 0));
        for other in [products(8, 0), products(7, 1)] {
            assert!(first.iter().zip(&other).all(|(a, b)| a != b));
        }
    }
}
