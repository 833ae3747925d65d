//! The secrets of DTLS connections on this thread, in the NSS key log format: a line
//! `CLIENT_RANDOM <client random> <master secret>` each, which Wireshark and others read.
//!
//! The master secret passes through a provider as the key of an HMAC (RFC 5246 §5): the one whose first input is the
//! label `key expansion`, followed by the server's and the client's random (§6.3). [`super::RememberingProvider`] looks
//! for it while a log is kept, and changes nothing.

use std::{cell::RefCell, fmt::Write as _};

use rtc_crypto::{CryptoError, HmacAlgorithm, Mac};

thread_local! {
    static LOG: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

const MASTER_SECRET_BYTES: usize = 48;
const RANDOM_BYTES: usize = 32;
const LABEL: &[u8] = b"key expansion";

/// Keeps a log on this thread from now on, an empty one.
pub fn begin() {
    LOG.with_borrow_mut(|log| *log = Some(Vec::new()));
}

/// Ends the log of this thread: its lines, each once. None where none was kept.
pub fn take() -> Vec<String> {
    LOG.with_borrow_mut(Option::take).unwrap_or_default()
}

/// Adds a line in the NSS key log format, of a connection whose cryptography is not the world's. Nothing happens where
/// no log is kept, or the log has it already.
pub fn note(line: &str) {
    LOG.with_borrow_mut(|log| {
        if let Some(log) = log
            && !log.iter().any(|noted| noted == line)
        {
            log.push(line.to_owned());
        }
    });
}

/// `mac` with its key, where that may be a master secret and a log is kept.
pub(super) fn watched(algorithm: HmacAlgorithm, key: &[u8], mac: Box<dyn Mac>) -> Box<dyn Mac> {
    let is_kept = || LOG.with_borrow(Option::is_some);
    match <[u8; MASTER_SECRET_BYTES]>::try_from(key) {
        Ok(secret) if algorithm == HmacAlgorithm::Sha256 && is_kept() => Box::new(WatchedMac { mac, secret }),
        _ => mac,
    }
}

struct WatchedMac {
    mac: Box<dyn Mac>,
    secret: [u8; MASTER_SECRET_BYTES],
}

impl Mac for WatchedMac {
    fn output_len(&self) -> usize {
        self.mac.output_len()
    }

    fn sign(&mut self, input: &[&[u8]], output: &mut [u8]) -> Result<(), CryptoError> {
        let seed = input.concat();
        if let Some(randoms) = seed.strip_prefix(LABEL)
            && randoms.len() == 2 * RANDOM_BYTES
        {
            note(&format!("CLIENT_RANDOM {} {}", hex(&randoms[RANDOM_BYTES..]), hex(&self.secret)));
        }
        self.mac.sign(input, output)
    }

    fn verify(&mut self, input: &[&[u8]], expected: &[u8]) -> Result<(), CryptoError> {
        self.mac.verify(input, expected)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use rtc_crypto::{RTCCryptoProvider as _, default_provider};

    use super::*;
    use crate::crypto::RememberingProvider;

    /// What the provider makes of a seed under a key of 48 bytes.
    fn signed(label: &[u8]) -> Vec<u8> {
        let provider = RememberingProvider::new(default_provider().unwrap());
        let mut mac = provider.crypto().new_hmac(HmacAlgorithm::Sha256, &[7; 48]).unwrap();
        let mut output = vec![0; mac.output_len()];
        mac.sign(&[label, &[1; 32], &[2; 32]], &mut output).unwrap();
        output
    }

    #[test]
    fn the_master_secret_is_noted_once_and_changes_nothing() {
        let unwatched = signed(LABEL);
        assert_eq!(take(), Vec::<String>::new());
        begin();
        assert_eq!(signed(LABEL), unwatched);
        assert_eq!(signed(LABEL), unwatched);
        signed(b"master secret");
        assert_eq!(take(), [format!("CLIENT_RANDOM {} {}", "02".repeat(32), "07".repeat(48))]);
        signed(LABEL);
        assert_eq!(take(), Vec::<String>::new());
    }
}
