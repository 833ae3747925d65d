//! The cryptography of peers, and the certificates that the worlds of one process have in common. To make one takes two operations on the curve and some
//! encoding, a twentieth of a call, and which one a peer has changes nothing that its call does.

use std::sync::{Arc, OnceLock};

use determinism::crypto::RememberingProvider;
use rtc::{
    crypto::{self, RTCCryptoProvider, SignatureScheme},
    peer_connection::certificate::{CertificateParams, RTCCertificate},
};

use super::thread_settings;

/// How many there are. In a world with more peers some have the same one.
const POOL: usize = 4096;

static CERTIFICATES: [OnceLock<Option<RTCCertificate>>; POOL] = [const { OnceLock::new() }; POOL];

/// The certificate of the first peer connection of a plan's peer number `index`: another one for each of a world's
/// peers, and others with the next seed. The same in every process, whoever asked first. `None` where none can be
/// made; the library says why when it tries itself.
pub(super) fn of(seed: u64, index: u64) -> Option<RTCCertificate> {
    let number = seed.wrapping_mul(2).wrapping_add(index) % POOL as u64;
    CERTIFICATES[number as usize].get_or_init(|| make(number)).clone()
}

/// The library's own cryptography, which makes these certificates and with which peers use them: both ends of a
/// handshake are in one world, so that half of it need not be worked out twice. `None` where there is none; the library
/// says why when it looks for it itself.
pub(super) fn provider() -> Option<Arc<dyn RTCCryptoProvider>> {
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
        let of_world = |seed| (0..4).map(move |index| fingerprint(&of(seed, index).unwrap()));
        let first: Vec<String> = of_world(7).collect();
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(of_world(7).collect::<Vec<_>>(), first);
        assert_ne!(of_world(8).collect::<Vec<_>>(), first);
        assert_eq!(fingerprint(&make(14).unwrap()), first[0], "made anew, it is the same");
    }
}
