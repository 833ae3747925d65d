use std::sync::atomic::{AtomicUsize, Ordering};

use rtc_crypto::providers::RingProvider;

use super::*;
use crate::{Settings, on_simulation_thread};

const SCHEME: SignatureScheme = SignatureScheme::EcdsaP256Sha256;
const EXCHANGES: [KeyExchangeAlgorithm; 3] =
    [KeyExchangeAlgorithm::P256, KeyExchangeAlgorithm::P384, KeyExchangeAlgorithm::X25519];

#[test]
fn conforms_to_the_providers_contract() {
    let conforms =
        || rtc_crypto::conformance::assert_provider(&RememberingProvider::new(Arc::new(RingProvider::new())));
    conforms();
    on_simulation_thread(Settings { seed: 7, epoch_s: 0 }, conforms).unwrap();
}

#[test]
fn a_signature_of_this_thread_is_known() {
    simulated(|provider, work| {
        let key = provider.crypto().generate_signing_key(SCHEME).unwrap();
        let signature = key.sign(SCHEME, b"said").unwrap();
        let verify = || provider.crypto().verify_signature(SCHEME, key.public_key(), b"said", &signature);
        assert_eq!((verify(), verify(), work()), (Ok(()), Ok(()), 0));
    });
}

#[test]
fn what_is_not_just_that_signature_is_verified() {
    let refused = |scheme, other_key: bool, message: &[u8], change: bool| {
        simulated(|provider, work| {
            let crypto = provider.crypto();
            let keys = [0, 1].map(|_| crypto.generate_signing_key(SCHEME).unwrap());
            let mut signature = keys[0].sign(SCHEME, b"said").unwrap();
            if change {
                *signature.last_mut().unwrap() ^= 1;
            }
            let key = keys[usize::from(other_key)].public_key();
            let verified = crypto.verify_signature(scheme, key, message, &signature);
            assert_eq!(work(), 1, "the provider beneath is asked");
            verified.is_err()
        })
    };
    assert!(refused(SCHEME, true, b"said", false), "another key");
    assert!(refused(SCHEME, false, b"unsaid", false), "another message");
    assert!(refused(SCHEME, false, b"said", true), "another signature");
    assert!(refused(SignatureScheme::EcdsaP384Sha384, false, b"said", false), "another scheme");
}

#[test]
fn a_key_in_another_encoding_is_another_key() {
    simulated(|provider, work| {
        let key = provider.crypto().generate_signing_key(SCHEME).unwrap();
        let signature = key.sign(SCHEME, b"said").unwrap();
        let other = PublicKey { encoding: PublicKeyEncoding::RsaPkcs1Der, ..key.public_key() };
        assert!(provider.crypto().verify_signature(SCHEME, other, b"said", &signature).is_err());
        assert_eq!(work(), 1);
    });
}

#[test]
fn imported_keys_are_known_too() {
    simulated(|provider, work| {
        let crypto = provider.crypto();
        let pkcs8 = crypto.generate_signing_key(SCHEME).unwrap().to_pkcs8_der().unwrap().unwrap();
        let key = crypto.import_signing_key(SCHEME, pkcs8.as_ref()).unwrap();
        let signature = key.sign(SCHEME, b"said").unwrap();
        assert_eq!(crypto.verify_signature(SCHEME, key.public_key(), b"said", &signature), Ok(()));
        assert_eq!(work(), 0);
    });
}

#[test]
fn the_second_end_of_an_exchange_has_the_secret_of_the_first() {
    for algorithm in EXCHANGES {
        simulated(|provider, work| {
            let [one, other] = [0, 1].map(|_| provider.crypto().start_key_exchange(algorithm).unwrap());
            let (one_key, other_key) = (one.public_key().to_vec(), other.public_key().to_vec());
            let first = one.complete(&other_key).unwrap();
            assert_eq!(work(), 1);
            let second = other.complete(&one_key).unwrap();
            assert_eq!(work(), 1, "{algorithm:?} is worked out once");
            assert_eq!(first.as_ref(), second.as_ref());
            assert_eq!(with_memory(|memory| memory.secrets.0.len()), Some(0), "and then forgotten");
        });
    }
}

#[test]
fn an_exchange_with_somebody_else_is_worked_out() {
    simulated(|provider, work| {
        let [one, other, third] =
            [0, 1, 2].map(|_| provider.crypto().start_key_exchange(EXCHANGES[0]).unwrap());
        let (one_key, third_key) = (one.public_key().to_vec(), third.public_key().to_vec());
        let with_other = one.complete(other.public_key()).unwrap();
        let with_third = other.complete(&third_key).unwrap();
        let with_one = third.complete(&one_key).unwrap();
        assert_eq!(work(), 3);
        assert_ne!(with_other.as_ref(), with_third.as_ref());
        assert_ne!(with_third.as_ref(), with_one.as_ref());
    });
}

#[test]
fn an_ordinary_thread_remembers_nothing() {
    let beneath = Counted::new();
    let provider = RememberingProvider::new(beneath.clone());
    let key = provider.crypto().generate_signing_key(SCHEME).unwrap();
    let signature = key.sign(SCHEME, b"said").unwrap();
    assert_eq!(provider.crypto().verify_signature(SCHEME, key.public_key(), b"said", &signature), Ok(()));
    assert_eq!(beneath.work(), 1);
}

#[test]
fn one_thread_knows_nothing_of_the_next() {
    let beneath = Counted::new();
    let provider = RememberingProvider::new(beneath.clone());
    let on_thread = |work: &(dyn Fn() -> Vec<u8> + Sync)| {
        on_simulation_thread(Settings { seed: 7, epoch_s: 0 }, work).unwrap()
    };
    let key = provider.crypto().generate_signing_key(SCHEME).unwrap();
    let signature = on_thread(&|| key.sign(SCHEME, b"said").unwrap());
    on_thread(&|| {
        provider.crypto().verify_signature(SCHEME, key.public_key(), b"said", &signature).unwrap();
        Vec::new()
    });
    assert_eq!(beneath.work(), 1);
}

#[test]
fn what_nobody_asks_for_is_forgotten() {
    let mut kept = Kept::new();
    (0..=MOST_KEPT).for_each(|number| kept.keep(number, ()));
    assert_eq!((kept.0.get(&0), kept.0.get(&MOST_KEPT)), (None, Some(&())));
}

/// Runs `f` on a simulation thread, with a provider and with what tells how often the one beneath had to work.
fn simulated<T: Send>(f: impl FnOnce(&RememberingProvider, &dyn Fn() -> usize) -> T + Send) -> T {
    on_simulation_thread(Settings { seed: 7, epoch_s: 0 }, || {
        let beneath = Counted::new();
        f(&RememberingProvider::new(beneath.clone()), &|| beneath.work())
    })
    .unwrap()
}

/// The public-key operations of `ring`, and how often it verified a signature or completed an exchange.
struct Counted {
    ring: RingProvider,
    work: Arc<AtomicUsize>,
}

impl Counted {
    fn new() -> Arc<Self> {
        Arc::new(Self { ring: RingProvider::new(), work: Arc::default() })
    }

    fn work(&self) -> usize {
        self.work.load(Ordering::Relaxed)
    }
}

impl RTCCryptoProvider for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.ring.random()
    }
}

impl RTCCrypto for Counted {
    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let exchange = self.ring.crypto().start_key_exchange(algorithm)?;
        Ok(Box::new(CountedExchange { exchange, work: self.work.clone() }))
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.ring.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.ring.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.work.fetch_add(1, Ordering::Relaxed);
        self.ring.crypto().verify_signature(scheme, public_key, message, signature)
    }

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.ring.crypto().supports(algorithm)
    }
}

struct CountedExchange {
    exchange: Box<dyn ActiveKeyExchange>,
    work: Arc<AtomicUsize>,
}

impl ActiveKeyExchange for CountedExchange {
    fn algorithm(&self) -> KeyExchangeAlgorithm {
        self.exchange.algorithm()
    }

    fn public_key(&self) -> &[u8] {
        self.exchange.public_key()
    }

    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<SecretVec, CryptoError> {
        self.work.fetch_add(1, Ordering::Relaxed);
        self.exchange.complete(peer_public_key)
    }
}
