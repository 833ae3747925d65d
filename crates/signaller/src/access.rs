//! Who may join a call: tokens that say so, signed with a secret that only the servers know.
//!
//! A token is a JSON Web Token (RFC 7519), signed with HMAC-SHA256 (`HS256`, RFC 7518 §3.2), so that any
//! backend can issue it. Its claims: `sub`, the participant; `call`, the call that it may join; `exp`, the first
//! second since 1970-01-01 UTC at which the token is not valid any more. `nbf`, where it is there, is kept; a
//! token with an `aud` is for somebody else (RFC 7519 §4.1.3). It is given as a bearer token (RFC 6750 §2.1).
//!
//! Invariants:
//! - Signatures are compared in constant time, and before anything that the token says is believed.
//! - The time comes from the caller.
//!
//! Deliberately absent: revocation, and any way to make tokens over the network: that is the business
//! of the service that knows its users.

mod hs256;

use std::{fmt, sync::Arc, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::message::{CallId, ErrorCode, ParticipantId};

/// How the tokens of earlier versions of this package begin.
const FORMER: &str = "v1.";

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
    #[error("the token is no JSON Web Token (RFC 7519) that is signed with HS256")]
    Malformed,
    /// It has the form that tokens had before they were JSON Web Tokens.
    #[error(
        "the token has the form of an earlier version, `v1.…`, which is not accepted any more: issue a JSON Web Token \
         (HS256) with the claims `sub`, `call` and `exp`"
    )]
    Former,
    /// It is signed with another algorithm.
    #[error("the token is not signed with HS256")]
    OtherAlgorithm,
    /// It is signed, and a claim is missing or of another type.
    #[error("the token's claim `{claim}` is missing or no {wanted}")]
    BadClaim {
        /// Its name.
        claim: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// It is signed, for a service with another name.
    #[error("the token has an `aud`, and this server is not it (RFC 7519 §4.1.3)")]
    OtherAudience,
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
    /// Its time has not come.
    #[error("the token is valid from second {from_s} on, and this is second {now_s}")]
    NotYet {
        /// When its time comes, in seconds since 1970-01-01 UTC.
        from_s: u64,
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
    pub(crate) const MIN_BYTES: usize = 32;

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
        hs256::install();
        let claims =
            Claims { sub: grant.participant.as_str(), call: grant.call.as_str(), exp: grant.expires_s };
        let signed = EncodingKey::from_secret(&self.0)
            .and_then(|key| jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key));
        Token(signed.expect("HS256 signs texts and numbers with any key that has bytes"))
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
        let now_s = now.as_secs();
        let claims = self.read(token)?;
        let expires_s = seconds(&claims, "exp")?;
        if now_s >= expires_s {
            return Err(AccessError::Expired { expires_s, now_s });
        }
        if claims.contains_key("nbf") {
            let from_s = seconds(&claims, "nbf")?;
            if now_s < from_s {
                return Err(AccessError::NotYet { from_s, now_s });
            }
        }
        let (of_call, holder) = (text(&claims, "call")?, text(&claims, "sub")?);
        if of_call != call.as_str() || holder != participant.as_str() {
            return Err(AccessError::Foreign { call: CallId::new(of_call), participant: holder.into() });
        }
        Ok(())
    }

    /// The claims of a token that somebody signed who knows the secret.
    fn read(&self, token: &str) -> Result<Map<String, Value>, AccessError> {
        if token.starts_with(FORMER) {
            return Err(AccessError::Former);
        }
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Its own check looks at the machine's clock.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let read = DecodingKey::from_secret(&self.0)
            .and_then(|key| jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation));
        read.map(|read| read.claims).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => AccessError::WrongSignature,
            ErrorKind::InvalidAlgorithm => AccessError::OtherAlgorithm,
            ErrorKind::InvalidAudience => AccessError::OtherAudience,
            _ => AccessError::Malformed,
        })
    }
}

/// What a token says, in the order in which it says it.
#[derive(Serialize)]
struct Claims<'c> {
    sub: &'c str,
    call: &'c str,
    exp: u64,
}

fn text<'c>(claims: &'c Map<String, Value>, claim: &'static str) -> Result<&'c str, AccessError> {
    claims.get(claim).and_then(Value::as_str).ok_or(AccessError::BadClaim { claim, wanted: "text" })
}

/// A `NumericDate` (RFC 7519 §2), which may have a fraction.
fn seconds(claims: &Map<String, Value>, claim: &'static str) -> Result<u64, AccessError> {
    let number = claims.get(claim).and_then(|value| value.as_u64().or_else(|| whole(value.as_f64()?)));
    number.ok_or(AccessError::BadClaim { claim, wanted: "number of seconds" })
}

fn whole(seconds: f64) -> Option<u64> {
    // Beyond 2^53 a float is no second any more.
    (0.0..9_007_199_254_740_992.0).contains(&seconds).then_some(seconds as u64)
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
    fn another_secret_or_any_other_letter_is_refused() {
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
    fn what_is_no_token_is_malformed() {
        for text in ["", ".", "v2", "a.b", "a.b.c", "e30.e30.", "e30.e30.e30"] {
            assert_eq!(check(text, "c", "a", 0), Err(AccessError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_token_of_an_earlier_version_is_refused_with_what_to_do() {
        // As versions before JSON Web Tokens issued it, with the same secret.
        let former = "v1.YzE.YWxpY2U.1000.vZx7L4-dXKx11iRUR_QdUyJol5r-f4PMjXrHQwtE2as";
        let refused = check(former, "c1", "alice", 0).unwrap_err();
        assert_eq!((&refused, refused.code()), (&AccessError::Former, ErrorCode::Unauthorized));
        assert!(refused.to_string().contains("issue a JSON Web Token (HS256)"), "{refused}");
    }

    /// What is answered to a token with these claims, signed with the right secret.
    #[track_caller]
    fn check_claims(claims: &Value, expect: Result<(), AccessError>) {
        hs256::install();
        let key = EncodingKey::from_secret(&[1; 32]).unwrap();
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap();
        assert_eq!(check(&token, "c1", "alice", 999), expect, "{claims}");
    }

    #[test]
    fn a_claim_that_is_missing_or_of_another_type_is_named() {
        let bad = |claim, wanted| Err(AccessError::BadClaim { claim, wanted });
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let seconds = "number of seconds";
        check_claims(&json(r#"{"sub":"alice","call":"c1","exp":1000}"#), Ok(()));
        check_claims(&json(r#"{"sub":"alice","call":"c1","exp":1000.5,"iat":1,"jti":"x"}"#), Ok(()));
        check_claims(&json(r#"{"sub":"alice","call":"c1"}"#), bad("exp", seconds));
        for exp in ["\"1000\"", "-1", "1e300", "null"] {
            let claims = format!(r#"{{"sub":"alice","call":"c1","exp":{exp}}}"#);
            check_claims(&json(&claims), bad("exp", seconds));
        }
        check_claims(&json(r#"{"sub":"alice","exp":1000}"#), bad("call", "text"));
        check_claims(&json(r#"{"sub":7,"call":"c1","exp":1000}"#), bad("sub", "text"));
        let early = json(r#"{"sub":"alice","call":"c1","exp":2000,"nbf":1000}"#);
        check_claims(&early, Err(AccessError::NotYet { from_s: 1000, now_s: 999 }));
        check_claims(&json(r#"{"sub":"alice","call":"c1","exp":2000,"nbf":999}"#), Ok(()));
        let elsewhere = json(r#"{"sub":"alice","call":"c1","exp":1000,"aud":"shop"}"#);
        check_claims(&elsewhere, Err(AccessError::OtherAudience));
    }

    #[test]
    fn no_other_algorithm_is_believed() {
        // {"typ":"JWT","alg":"HS512"} and {"alg":"none"}.
        let (_, rest) = token().as_str().split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let other = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.{rest}");
        assert_eq!(check(&other, "c1", "alice", 0), Err(AccessError::OtherAlgorithm));
        let none = format!("eyJhbGciOiJub25lIn0.{}.", rest.split_once('.').unwrap().0);
        assert_eq!(check(&none, "c1", "alice", 0), Err(AccessError::Malformed));
    }

    #[test]
    fn a_known_answer() {
        // Made with Python's `hmac` and a key of 32 bytes 0x01.
        let known = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImNhbGwiOiJjMSIsImV4cCI6MTAwMH0.\
                     E7PiPlGRmh55m9kQx5sUxVV9gFkJavFDif_K52Iz3Os";
        assert_eq!(token().as_str(), known);
        assert!(!format!("{:?}", token()).contains("E7Pi"), "{:?}", token());
    }

    proptest::proptest! {
        /// Never a panic, and no token but the one that was signed.
        #[test]
        fn mangled_tokens_are_refused(at in 0..200_usize, cut in 0..3_usize, put in "[A-Za-z0-9._=-]{0,3}") {
            let good = token();
            let mut bad = good.as_str().to_owned();
            let at = at % bad.len();
            bad.replace_range(at..(at + cut).min(bad.len()), &put);
            let answer = check(&bad, "c1", "alice", 0);
            proptest::prop_assert_eq!(answer.is_ok(), bad == good.as_str());
        }
    }

    #[test]
    fn a_secret_has_at_least_32_bytes() {
        assert!(Secret::new([0; 32]).is_ok());
        assert_eq!(Secret::new([0; 31]), Err(SecretError { size: 31 }));
        assert_eq!(format!("{:?}", secret(7)), "Secret(32 bytes)");
    }
}
