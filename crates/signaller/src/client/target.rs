use form_urlencoded::Serializer;
use hyper::{
    Request, header,
    http::{HeaderValue, request},
};

use super::{Identity, ledger::Place};
use crate::{
    access::Token,
    delivery::{MESSAGES_PATH, WEBSOCKET_PATH},
    message::CallId,
};

/// Which relay, and with which right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host, and port where it is not 80: what stands in `Host` (RFC 9110 §7.2).
    pub authority: String,
    /// The call to join and the token for it; `None` for an open relay.
    pub access: Option<(CallId, Token)>,
}

impl Target {
    /// An open relay.
    pub fn open(authority: impl Into<String>) -> Self {
        Self { authority: authority.into(), access: None }
    }

    /// A relay that wants a token.
    pub fn guarded(authority: impl Into<String>, call: CallId, token: Token) -> Self {
        Self { authority: authority.into(), access: Some((call, token)) }
    }

    /// The path and query of a request.
    fn path(&self, path: &str, who: &Identity, place: &Place, wait_s: Option<u64>) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("participant", who.participant.as_str());
        query.append_pair("session", who.session.as_str());
        if let Some((call, _)) = &self.access {
            query.append_pair("call", call.as_str());
        }
        if let Some(mailbox) = &place.mailbox {
            query.append_pair("mailbox", mailbox);
        }
        query.append_pair("cursor", &place.cursor.to_string());
        query.append_pair("turn", &place.turn.to_string());
        if let Some(wait_s) = wait_s {
            query.append_pair("wait", &wait_s.to_string());
        }
        format!("{path}?{}", query.finish())
    }

    pub(super) fn request(&self, method: &str, path: &str) -> request::Builder {
        let builder = Request::builder().method(method).uri(path).header(header::HOST, &self.authority);
        match self.bearer() {
            Some(token) => builder.header(header::AUTHORIZATION, token),
            None => builder,
        }
    }

    /// The token as RFC 6750 §2.1 wants it; `None` where it is no text that a header may hold.
    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        let (_, token) = self.access.as_ref()?;
        HeaderValue::from_str(&format!("Bearer {}", token.as_str())).ok()
    }

    pub(super) fn messages(&self, who: &Identity, place: &Place, wait_s: Option<u64>) -> String {
        self.path(MESSAGES_PATH, who, place, wait_s)
    }

    /// With scheme and host: tungstenite takes `Host` from the request's own URI.
    pub(super) fn websocket(&self, who: &Identity, place: &Place) -> String {
        format!("ws://{}{}", self.authority, self.path(WEBSOCKET_PATH, who, place, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::SessionId;

    #[test]
    fn names_are_encoded_in_the_query() {
        let target = Target::guarded("h:1", CallId::new("a&b"), Token::new("t"));
        let who = Identity { participant: "Zoë 1".into(), session: SessionId::new("s=+") };
        let place = Place { mailbox: Some("1-2".to_owned()), cursor: 3, turn: 4 };
        assert_eq!(
            target.messages(&who, &place, Some(25)),
            "/v1/messages?participant=Zo%C3%AB+1&session=s%3D%2B&call=a%26b&mailbox=1-2&cursor=3&turn=4&wait=25"
        );
    }
}
