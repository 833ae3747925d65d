//! Who may allocate: users with passwords, and time-limited credentials minted from a shared secret.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use rtc_stun::crypto::providers::RingProvider;
use rtc_stun::crypto::{CryptoError, HmacAlgorithm, RTCCrypto, RTCCryptoProvider};
use thiserror::Error;

/// The credentials that a server accepts. `Debug` shows no secrets.
#[derive(Clone, Default)]
pub struct Credentials {
    users: BTreeMap<String, String>,
    secret: Option<String>,
}

impl Credentials {
    /// One user of the long-term credential mechanism (RFC 8489 §9.2).
    pub fn user(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self::default().and_user(name, password)
    }

    /// Time-limited credentials under a shared secret; see [`mint`].
    pub fn time_limited(secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into()), ..Self::default() }
    }

    /// Adds or replaces a user.
    #[must_use]
    pub fn and_user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.insert(name.into(), password.into());
        self
    }

    /// What is known of `username`; users go before time-limited credentials. `None`: nobody.
    pub(crate) fn look_up(&self, username: &str) -> Option<Known> {
        if let Some(password) = self.users.get(username) {
            return Some(Known { password: password.clone(), account: username.to_owned(), expiry: None });
        }
        let (timestamp, user) = username.split_once(':').unwrap_or((username, ""));
        let expiry = Duration::from_secs(timestamp.parse().ok()?);
        let password = password(self.secret.as_ref()?, username).ok()?;
        Some(Known { password, account: user.to_owned(), expiry: Some(expiry) })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("users", &self.users.keys())
            .field("time_limited", &self.secret.is_some())
            .finish_non_exhaustive()
    }
}

/// What the server knows of a user name.
pub(crate) struct Known {
    pub(crate) password: String,
    /// Whose quota counts.
    pub(crate) account: String,
    /// Unix time at which the credential ends; `None` for a user with a password.
    pub(crate) expiry: Option<Duration>,
}

/// A time-limited credential as a web service hands it to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// Unix seconds of the expiry, a colon, the user.
    pub username: String,
    /// Base64 of the HMAC-SHA1 of the user name under the secret.
    pub password: String,
}

/// Mints a credential for `user` that is good before the Unix time `expiry`, in whole seconds
/// (draft-uberti-behave-turn-rest-00).
///
/// # Errors
///
/// [`CredentialError`] if HMAC-SHA1 is not to be had.
pub fn mint(secret: &str, user: &str, expiry: Duration) -> Result<Minted, CredentialError> {
    let username = format!("{}:{user}", expiry.as_secs());
    let password = password(secret, &username)?;
    Ok(Minted { username, password })
}

/// Why no credential could be minted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The crypto provider failed.
    #[error("HMAC-SHA1 failed: {0}")]
    Crypto(String),
}

impl From<CryptoError> for CredentialError {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error.to_string())
    }
}

/// The operations behind message integrity: MD5 and HMAC-SHA1, neither of which draws randomness.
pub(crate) fn crypto() -> &'static dyn RTCCrypto {
    static PROVIDER: RingProvider = RingProvider::new();
    PROVIDER.crypto()
}

fn password(secret: &str, username: &str) -> Result<String, CredentialError> {
    let mut tag = [0; 20];
    crypto().new_hmac(HmacAlgorithm::Sha1, secret.as_bytes())?.sign(&[username.as_bytes()], &mut tag)?;
    Ok(BASE64_STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 2202 §3, test case 2: key "Jefe", data "what do ya want for nothing?".
    #[test]
    fn a_password_is_base64_of_hmac_sha1() {
        let password = password("Jefe", "what do ya want for nothing?").unwrap();
        assert_eq!(password, "7/zfauXrL6LSdBbV8YTfnCWafHk=");
    }

    #[test]
    fn debug_shows_no_secrets() {
        let credentials =
            Credentials { secret: Some("hush".into()), ..Credentials::user("alice", "wonderland") };
        let shown = format!("{credentials:?}");
        assert!(
            shown.contains("alice") && !shown.contains("hush") && !shown.contains("wonderland"),
            "{shown}"
        );
    }
}
