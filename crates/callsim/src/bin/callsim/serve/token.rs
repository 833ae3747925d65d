//! Tokens that are printed.

use std::time::Duration;

use signaller::{
    access::{Grant, Secret},
    message::{CallId, MAX_NAME_BYTES, RELAY},
};
use thiserror::Error;

use super::now;

/// Why a token would be of no use.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum UnusableToken {
    #[error(
        "the name of the {whose} has {size} bytes, and 1 to {MAX_NAME_BYTES} are accepted: nobody could join with it"
    )]
    BadName { whose: &'static str, size: usize },
    #[error("`{RELAY}` is the server's own name: nobody could join with it")]
    RelaysName,
}

/// A token for `participant` of `call`, for as long as `lifetime`.
pub(super) fn issue(
    secret: &Secret,
    call: &str,
    participant: &str,
    lifetime: Duration,
) -> Result<String, UnusableToken> {
    for (whose, name) in [("call", call), ("participant", participant)] {
        if !(1..=MAX_NAME_BYTES).contains(&name.len()) {
            return Err(UnusableToken::BadName { whose, size: name.len() });
        }
    }
    if participant == RELAY {
        return Err(UnusableToken::RelaysName);
    }
    let expires_s = (now() + lifetime).as_secs();
    let grant = Grant { call: CallId::new(call), participant: participant.into(), expires_s };
    Ok(secret.issue(&grant).as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_nobody_could_use_is_refused() {
        let secret = Secret::new([1; 32]).unwrap();
        let refused = |call: &str, who: &str| issue(&secret, call, who, Duration::from_secs(9)).err();
        assert_eq!(refused("c", "a"), None);
        assert_eq!(refused("", "a"), Some(UnusableToken::BadName { whose: "call", size: 0 }));
        assert_eq!(refused("c", ""), Some(UnusableToken::BadName { whose: "participant", size: 0 }));
        assert_eq!(refused("c", &"x".repeat(128)), None);
        let long = Some(UnusableToken::BadName { whose: "call", size: 129 });
        assert_eq!(refused(&"x".repeat(129), "a"), long);
        assert_eq!(refused("c", "relay"), Some(UnusableToken::RelaysName));
    }
}
