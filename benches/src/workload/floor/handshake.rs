//! The cryptographic floor: what `ring` alone needs for the public-key operations of a DTLS handshake.
//!
//! Mutually authenticated DTLS 1.2 with ECDHE-ECDSA on P-256, what WebRTC peers agree on (RFC 8827 §6.5): each side
//! makes an ephemeral key (RFC 8422 §5.7, §5.4), agrees on the premaster secret, signs once (the server its key
//! exchange, RFC 8422 §5.4; the client its certificate verification, RFC 5246 §7.4.8) and verifies the other's
//! signature. A self-signed certificate is checked by its fingerprint (RFC 8122 §5), which takes no public-key
//! operation.

use ring::{
    agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey},
    rand::SystemRandom,
    signature::{self, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};

use super::super::{Broken, PrepareError, Prepared, Region, Size, Workload, within};

/// In the order in which they are shown.
pub(in crate::workload) const ALL: &[Workload] = &[
    Workload {
        id: "floor/handshake",
        about: "The public-key operations of one mutual DTLS 1.2 handshake (ECDHE-ECDSA, P-256), by ring alone: \
                2 key pairs, 2 agreements, 2 signatures, 2 verifications.",
        unit: "handshake",
        prepare: |size, region| floor("floor/handshake", size, region, handshake),
    },
    Workload {
        id: "floor/handshake-and-certificates",
        about: "The same, with two fresh self-signed P-256 certificates: what one call cannot do without.",
        unit: "handshake",
        prepare: |size, region| {
            floor("floor/handshake-and-certificates", size, region, |keys, rng| {
                certificate()?;
                certificate()?;
                handshake(keys, rng)
            })
        },
    },
];

/// Both sides' signing keys.
struct Keys([EcdsaKeyPair; 2]);

type Step = fn(&Keys, &SystemRandom) -> Result<(), Broken>;

fn floor(id: &'static str, size: Size, region: Region, step: Step) -> Result<Prepared, PrepareError> {
    let broken = |what| PrepareError::Broken { id, what };
    let rng = SystemRandom::new();
    let keys = Keys([signing_key(&rng).map_err(broken)?, signing_key(&rng).map_err(broken)?]);
    step(&keys, &rng).map_err(broken)?;
    let times = if size == Size::Full { 20 } else { 1 };
    Ok(Box::new(move || {
        within(region, || {
            for _ in 0..times {
                step(&keys, &rng).unwrap_or_else(|what| panic!("{id}: {what}"));
            }
        });
        times
    }))
}

fn signing_key(rng: &SystemRandom) -> Result<EcdsaKeyPair, Broken> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, rng)?;
    Ok(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), rng)?)
}

fn handshake(Keys([client, server]): &Keys, rng: &SystemRandom) -> Result<(), Broken> {
    let [client_secret, server_secret] = [ephemeral(rng)?, ephemeral(rng)?];
    let client_share = client_secret.compute_public_key()?;
    let server_share = server_secret.compute_public_key()?;
    let signed = server.sign(rng, server_share.as_ref())?;
    verify(server, server_share.as_ref(), signed.as_ref())?;
    let agreed = agree(client_secret, server_share.as_ref())?;
    let same = agree(server_secret, client_share.as_ref())?;
    if agreed != same {
        return Err(Broken::DifferentSecrets);
    }
    let signed = client.sign(rng, &agreed)?;
    verify(client, &agreed, signed.as_ref())
}

fn ephemeral(rng: &SystemRandom) -> Result<EphemeralPrivateKey, Broken> {
    Ok(EphemeralPrivateKey::generate(&ECDH_P256, rng)?)
}

fn agree(secret: EphemeralPrivateKey, share: &[u8]) -> Result<Vec<u8>, Broken> {
    let share = UnparsedPublicKey::new(&ECDH_P256, share);
    Ok(agreement::agree_ephemeral(secret, &share, <[u8]>::to_vec)?)
}

fn verify(signer: &EcdsaKeyPair, message: &[u8], signature: &[u8]) -> Result<(), Broken> {
    let key = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, signer.public_key().as_ref());
    Ok(key.verify(message, signature)?)
}

fn certificate() -> Result<(), Broken> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let parameters = rcgen::CertificateParams::new(vec!["webrtc".to_owned()])?;
    let certificate = parameters.self_signed(&key)?;
    std::hint::black_box(certificate.der());
    Ok(())
}
