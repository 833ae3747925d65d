//! The long-term credential mechanism (RFC 8489 §9.2.4), with MD5 keys.

use rtc_stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::METHOD_ALLOCATE;
use rtc_stun::textattrs::TextAttribute;

use super::Server;
use crate::api::{CredentialPolicy, ExpiryCheck, TurnSettings};
use crate::code::ErrorCode;
use crate::credentials::{Known, crypto};
use crate::draw::Nonces;
use crate::wire::{Attrs, FiveTuple, Received};

/// Who sent a request that passed.
pub(super) struct Session {
    pub(super) username: String,
    /// Whose quota counts.
    pub(super) account: String,
    /// For MESSAGE-INTEGRITY of the answer.
    pub(super) key: Vec<u8>,
}

impl Server {
    /// Checks a request in the order of RFC 8489 §9.2.4: the nonce comes last, so a wrong password is
    /// never told that its nonce is stale.
    pub(super) fn authenticate(
        &self,
        turn: &TurnSettings,
        client: &FiveTuple,
        request: &Received,
    ) -> Result<Session, ErrorCode> {
        if !request.contains(ATTR_MESSAGE_INTEGRITY) {
            return Err(ErrorCode::Unauthorized);
        }
        let (Some(username), Some(_), Some(nonce)) =
            (request.text(ATTR_USERNAME), request.text(ATTR_REALM), request.text(ATTR_NONCE))
        else {
            return Err(ErrorCode::BadRequest);
        };
        if self.mood.credentials == CredentialPolicy::Rejected {
            return Err(ErrorCode::Unauthorized);
        }
        let known = turn.credentials.look_up(username);
        let Some(known) = known.filter(|known| self.is_current(turn, known, request)) else {
            return Err(ErrorCode::Unauthorized);
        };
        let key = MessageIntegrity::long_term_integrity_key(
            username.to_owned(),
            turn.realm.clone(),
            known.password,
            crypto(),
        );
        let Some(key) = key.ok().filter(|key| request.is_intact(key)) else {
            return Err(ErrorCode::Unauthorized);
        };
        let lifetime = self.mood.nonce_lifetime.unwrap_or(turn.nonce_lifetime);
        if !self.nonces().is_fresh(nonce, client, self.now, lifetime) {
            return Err(ErrorCode::StaleNonce);
        }
        Ok(Session { username: username.to_owned(), account: known.account, key })
    }

    /// REALM and a new NONCE, which 401 and 438 must carry.
    pub(super) fn challenge(&self, turn: &TurnSettings, client: &FiveTuple) -> Attrs {
        vec![
            Box::new(TextAttribute::new(ATTR_REALM, turn.realm.clone())),
            Box::new(TextAttribute::new(ATTR_NONCE, self.nonces().issue(self.now, client))),
        ]
    }

    fn is_current(&self, turn: &TurnSettings, known: &Known, request: &Received) -> bool {
        let looked_at =
            turn.credential_expiry == ExpiryCheck::EveryRequest || request.kind().method == METHOD_ALLOCATE;
        let unix_now = self.epoch.saturating_add(self.now);
        known.expiry.is_none_or(|expiry| !looked_at || unix_now < expiry)
    }

    fn nonces(&self) -> Nonces {
        Nonces { seed: self.seed, boot: self.boot }
    }
}
