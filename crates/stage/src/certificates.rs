//! DTLS certificates and cryptography shared by all worlds of a process. Which certificate a peer has does not affect
//! its call, and making one takes two operations on the curve: a twentieth of a call.

use std::sync::{Arc, OnceLock};

use determinism::crypto::RememberingProvider;
use rtc::{
    crypto::{self, RTCCryptoProvider, SignatureScheme},
    peer_connection::certificate::{CertificateParams, RTCCertificate},
};

use crate::thread_settings;

/// How many there are. In a world with more peers some have the same one.
const POOL: usize = 4096;

static CERTIFICATES: [OnceLock<Option<RTCCertificate>>; POOL] = [const { OnceLock::new() }; POOL];

/// A certificate for peer number `index` of the world with `seed`, from 0: a different one for each peer of a world, and
/// different ones for the next seed. The same in every process, whichever world asks first. `None` where none can be
/// made; the library reports why when it tries itself.
pub fn certificate(seed: u64, index: u64) -> Option<RTCCertificate> {
    let number = seed.wrapping_mul(2).wrapping_add(index) % POOL as u64;
    CERTIFICATES[number as usize].get_or_init(|| make(number)).clone()
}

/// The library's own cryptography, with a memory: both ends of a handshake are in one world, so half of its public-key
/// operations need not be computed twice. `None` where the library has no provider; it reports why itself.
pub fn provider() -> Option<Arc<dyn RTCCryptoProvider>> {
    let own = crypto::default_provider().ok()?;
    Some(Arc::new(RememberingProvider::new(own)))
}

/// On a thread with a seed of its own, so that a world's randomness is the same with a certificate that was there.
fn make(number: u64) -> Option<RTCCertificate> {
    let made = determinism::on_simulation_thread(thread_settings(number), || {
        let provider = provider()?;
        // As long as the names that the library draws.
        let params = CertificateParams::new(vec![format!("{number:016}")]).ok()?;
        RTCCertificate::generate(provider.crypto(), SignatureScheme::EcdsaP256Sha256, params).ok()
    });
    made.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fingerprint(certificate: &RTCCertificate) -> String {
        let provider = crypto::default_provider().unwrap();
        certificate.get_fingerprints(provider.crypto()).unwrap().remove(0).value
    }

    #[test]
    fn each_peer_of_a_world_has_its_own_and_always_the_same() {
        let of_world = |seed| (0..4).map(move |index| fingerprint(&certificate(seed, index).unwrap()));
        let first: Vec<String> = of_world(7).collect();
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(of_world(7).collect::<Vec<_>>(), first);
        assert_ne!(of_world(8).collect::<Vec<_>>(), first);
        assert_eq!(fingerprint(&make(14).unwrap()), first[0], "made anew, it is the same");
    }
}
