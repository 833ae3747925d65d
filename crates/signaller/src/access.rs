//! Who may join a call: tokens that say so, signed with a secret that only the servers know.
//!
//! A token is text: `v1.CALL.PARTICIPANT.EXPIRY.SIGNATURE`, where names and signature are in base64url
//! without padding (RFC 4648 §5), the expiry is in whole seconds since 1970-01-01 UTC, and the signature
//! is HMAC-SHA256 (RFC 2104, RFC 6234) over all that stands before its dot. It is given as a bearer
//! token (RFC 6750 §2.1).
//!
//! Invariants:
//! - Signatures are compared in constant time, and before anything that the token says is believed.
//! - The time comes from the caller.
//!
//! Deliberately absent: revocation, and any way to make tokens over the network: that is the business
//! of the service that knows its users.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use thiserror::Error;

use crate::message::{CallId, ErrorCode, ParticipantId};

const VERSION: &str = "v1";

/// The key with which tokens are signed and checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

/// What a token says: this participant may join this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The call.
    pub call: CallId,
    /// The participant.
    pub participant: ParticipantId,
    /// The first second, since 1970-01-01 UTC, at which the token is not valid any more.
    pub expires_s: u64,
}

/// A signed [`Grant`] as text. Its `Debug` does not show the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why bytes are no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the secret has {size} bytes, and at least {} are wanted (RFC 2104 §3)", Secret::MIN_BYTES)]
pub struct SecretError {
    /// Their number.
    pub size: usize,
}

/// Why a token does not admit its holder.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// There is none.
    #[error("a token is wanted, in the header `Authorization: Bearer …`")]
    Missing,
    /// It is not made of the parts that a token has.
    #[error("the token is not readable")]
    Malformed,
    /// Nobody who knows the secret has signed it.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// Its time is over.
    #[error("the token was valid until second {expires_s}, and this is second {now_s}")]
    Expired {
        /// When its time was over, in seconds since 1970-01-01 UTC.
        expires_s: u64,
        /// The present, likewise.
        now_s: u64,
    },
    /// It is good, for something else.
    #[error("the token is for `{participant}` in call `{call}`")]
    Foreign {
        /// The call that it admits to.
        call: CallId,
        /// Whom it admits.
        participant: ParticipantId,
    },
}

impl Secret {
    /// The least length in bytes: the length of the hash, below which RFC 2104 §3 warns.
    pub const MIN_BYTES: usize = 32;

    /// The secret `bytes`.
    ///
    /// # Errors
    /// [`SecretError`] where they are fewer than [`Secret::MIN_BYTES`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, SecretError> {
        let bytes = bytes.as_ref();
        if bytes.len() < Self::MIN_BYTES {
            return Err(SecretError { size: bytes.len() });
        }
        Ok(Self(bytes.into()))
    }

    /// Signs a token.
    pub fn issue(&self, grant: &Grant) -> Token {
        let (call, participant) = (encode(grant.call.as_str()), encode(grant.participant.as_str()));
        let claims = format!("{VERSION}.{call}.{participant}.{}", grant.expires_s);
        let signature = encode(self.signature(&claims).finalize().into_bytes());
        Token(format!("{claims}.{signature}"))
    }

    /// Whether `token` admits `participant` to `call` at `now`, counted from 1970-01-01 UTC.
    ///
    /// # Errors
    /// [`AccessError`] says why not.
    pub fn check(
        &self,
        token: &str,
        call: &CallId,
        participant: &ParticipantId,
        now: Duration,
    ) -> Result<(), AccessError> {
        let grant = self.read(token)?;
        if now.as_secs() >= grant.expires_s {
            return Err(AccessError::Expired { expires_s: grant.expires_s, now_s: now.as_secs() });
        }
        if grant.call != *call || grant.participant != *participant {
            return Err(AccessError::Foreign { call: grant.call, participant: grant.participant });
        }
        Ok(())
    }

    fn read(&self, token: &str) -> Result<Grant, AccessError> {
        let (claims, signature) = token.rsplit_once('.').ok_or(AccessError::Malformed)?;
        let signature = decode(signature)?;
        self.signature(claims).verify_slice(&signature).map_err(|_| AccessError::WrongSignature)?;
        let mut parts = claims.split('.');
        let (Some(VERSION), Some(call), Some(participant), Some(expires), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(AccessError::Malformed);
        };
        Ok(Grant {
            call: CallId::new(decode_text(call)?),
            participant: ParticipantId::new(decode_text(participant)?),
            expires_s: expires.parse().map_err(|_| AccessError::Malformed)?,
        })
    }

    fn signature(&self, claims: &str) -> Hmac<Sha256> {
        let hmac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        hmac.chain_update(claims)
    }
}

impl AccessError {
    /// The code with which a relay answers it (RFC 6750 §3.1: 401 for `unauthorized`, 403 for
    /// `forbidden`).
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Foreign { .. } => ErrorCode::Forbidden,
            _ => ErrorCode::Unauthorized,
        }
    }
}

impl Token {
    /// The token `text`, unchecked, as a client gets it from whoever admits it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claims = self.0.rsplit_once('.').map_or("", |(claims, _)| claims);
        write!(f, "Token({claims}.…)")
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>, AccessError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| AccessError::Malformed)
}

fn decode_text(text: &str) -> Result<String, AccessError> {
    String::from_utf8(decode(text)?).map_err(|_| AccessError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret::new([byte; 32]).unwrap()
    }

    fn token() -> Token {
        secret(1).issue(&Grant { call: CallId::new("c1"), participant: "alice".into(), expires_s: 1000 })
    }

    #[track_caller]
    fn check(token: &str, call: &str, participant: &str, now_s: u64) -> Result<(), AccessError> {
        secret(1).check(token, &CallId::new(call), &participant.into(), Duration::from_secs(now_s))
    }

    #[test]
    fn a_token_admits_its_participant_to_its_call_until_it_expires() {
        assert_eq!(check(token().as_str(), "c1", "alice", 999), Ok(()));
        let expired = AccessError::Expired { expires_s: 1000, now_s: 1000 };
        assert_eq!(check(token().as_str(), "c1", "alice", 1000), Err(expired));
        let foreign = AccessError::Foreign { call: CallId::new("c1"), participant: "alice".into() };
        assert_eq!(check(token().as_str(), "c2", "alice", 999), Err(foreign.clone()));
        assert_eq!(check(token().as_str(), "c1", "bob", 999), Err(foreign));
    }

    #[test]
    fn another_secret_or_any_other_letter_is_a_wrong_signature() {
        let grant = Grant { call: CallId::new("c1"), participant: "alice".into(), expires_s: 1000 };
        let forged = secret(2).issue(&grant);
        assert_eq!(check(forged.as_str(), "c1", "alice", 0), Err(AccessError::WrongSignature));
        let good = token();
        for at in 0..good.as_str().len() {
            let mut bad = good.as_str().to_owned().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bad).unwrap();
            assert!(check(&bad, "c1", "alice", 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_token_is_malformed_even_when_signed() {
        for text in ["", ".", "v1", "a.b", "v1.Yw.YQ.1.!"] {
            assert!(check(text, "c", "a", 0).is_err(), "{text}");
        }
        for claims in ["v2.Yw.YQ.9", "v1.Yw.YQ", "v1.Yw.YQ.9.9", "v1.Yw.YQ.x", "v1.!.YQ.9", "v1._w.YQ.9"] {
            let signed = format!("{claims}.{}", encode(secret(1).signature(claims).finalize().into_bytes()));
            assert_eq!(check(&signed, "c", "a", 0), Err(AccessError::Malformed), "{claims}");
        }
    }

    #[test]
    fn a_known_answer() {
        // Made with `openssl dgst -sha256 -mac HMAC` and a key of 32 bytes 0x01.
        let known = "v1.YzE.YWxpY2U.1000.vZx7L4-dXKx11iRUR_QdUyJol5r-f4PMjXrHQwtE2as";
        assert_eq!(token().as_str(), known);
        assert_eq!(format!("{:?}", token()), "Token(v1.YzE.YWxpY2U.1000.…)");
    }

    #[test]
    fn a_secret_has_at_least_32_bytes() {
        assert!(Secret::new([0; 32]).is_ok());
        assert_eq!(Secret::new([0; 31]), Err(SecretError { size: 31 }));
        assert_eq!(format!("{:?}", secret(7)), "Secret(32 bytes)");
    }
}
