//! Who asks, and whether he may: the query and the token of a request.

use std::time::Duration;

use axum::{
    http::{HeaderMap, Uri, header},
    response::Response,
};

use super::{HttpSettings, answer, routes::App};
use crate::{
    access::AccessError,
    message::{CallId, ErrorCode, MAX_ID, MAX_NAME_BYTES, ParticipantId, SessionId},
    relay::{Entry, EntryWay, MailboxId, Refusal, SharedRelay},
};

/// What a request says besides its body.
pub(super) struct Asked {
    pub(super) entry: Entry,
    /// How long a poll is to wait.
    pub(super) wait: Option<Duration>,
}

/// Reads and checks the query and the token.
///
/// # Errors
/// The answer to a request that is refused, which is reported.
pub(super) fn read(app: &App, uri: &Uri, headers: &HeaderMap, way: EntryWay) -> Result<Asked, Box<Response>> {
    checked(&app.relay, &app.settings, uri, headers, way).map_err(|refusal| {
        let (participant, call) = claimed(uri);
        Box::new(answer::refused(app, call, participant, refusal))
    })
}

fn checked(
    relay: &SharedRelay,
    settings: &HttpSettings,
    uri: &Uri,
    headers: &HeaderMap,
    way: EntryWay,
) -> Result<Asked, Refusal> {
    let mut query = Query::read(uri.query().unwrap_or_default());
    let participant = query.wanted("participant")?.as_str().into();
    let session = SessionId::new(query.wanted("session")?);
    let call = match &relay.settings().secret {
        None => None,
        Some(secret) => {
            let call = CallId::new(query.wanted("call")?);
            let token = bearer(headers).or_else(|| query.take("token")).ok_or(AccessError::Missing)?;
            secret.check(&token, &call, &participant, settings.clock.now())?;
            Some(call)
        }
    };
    let mailbox = query.name("mailbox")?.map(MailboxId::new);
    let cursor = query.number("cursor")?.unwrap_or(0);
    let turn = query.number("turn")?.unwrap_or(0);
    let wait = query.number("wait")?.map(Duration::from_secs);
    Ok(Asked { entry: Entry { call, participant, session, mailbox, cursor, turn, way }, wait })
}

/// As whom a request asks and for which call, whether or not it may.
pub(super) fn claimed(uri: &Uri) -> (Option<ParticipantId>, Option<CallId>) {
    let mut query = Query::read(uri.query().unwrap_or_default());
    let mut name = |field| query.name(field).ok().flatten();
    (name("participant").map(ParticipantId::from), name("call").map(CallId::new))
}

/// The credentials of RFC 6750 §2.1. The name of the scheme is read in any case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Names and values; of a name that stands there twice, the last value.
struct Query(std::collections::BTreeMap<String, String>);

impl Query {
    fn read(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn take(&mut self, field: &'static str) -> Option<String> {
        self.0.remove(field)
    }

    fn name(&mut self, field: &'static str) -> Result<Option<String>, Refusal> {
        match self.take(field) {
            Some(name) if !(1..=MAX_NAME_BYTES).contains(&name.len()) => {
                let size = name.len();
                let accepted = format!("1 to {MAX_NAME_BYTES} are accepted");
                let reason = format!("the name in the query's `{field}` has {size} bytes, and {accepted}");
                Err(Refusal { code: ErrorCode::Malformed, reason })
            }
            name => Ok(name),
        }
    }

    fn wanted(&mut self, field: &'static str) -> Result<String, Refusal> {
        self.name(field)?.ok_or_else(|| {
            let reason = format!("`{field}` is missing in the query");
            Refusal { code: ErrorCode::Malformed, reason }
        })
    }

    fn number(&mut self, field: &'static str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.take(field) else { return Ok(None) };
        match text.parse() {
            Ok(number) if number <= MAX_ID => Ok(Some(number)),
            _ => {
                let reason = format!("the query's `{field}` is no whole number from 0 to {MAX_ID}");
                Err(Refusal { code: ErrorCode::Malformed, reason })
            }
        }
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}
