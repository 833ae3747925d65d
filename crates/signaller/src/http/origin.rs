//! Which web pages may use the server.
//!
//! A browser sends requests for any page to any server, this machine's included, and says in `Origin` (RFC 6454
//! §7) for which. A page whose own name was made to lead to this machine (DNS rebinding) has an `Origin` of its
//! own, and its name in `Host`. A server that admits everybody must refuse both, or every page that somebody opens
//! may read and join his calls.

use std::{collections::BTreeSet, fmt, net::IpAddr, str::FromStr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::Authority};
use thiserror::Error;

use crate::{message::ErrorCode, relay::Refusal};

/// Says from where a page asks, where it sends no `Origin` (W3C Fetch Metadata §2.3).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which web pages may use the server, and read its answers (Fetch standard, CORS).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    check: PageCheck,
    allowed: BTreeSet<Origin>,
}

/// What is asked of `Origin` and `Host`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageCheck {
    /// Nothing, and no answer says who may read it: for servers that no browser reaches.
    #[default]
    Off,
    /// Nothing: who has no token has no right. Pages of this machine and of the allowed origins may read answers.
    Readers,
    /// That they are of this machine or of an allowed origin; and so must `Host` be.
    Everybody {
        /// Whether `Host` may be any IP address, of which none can be rebound: for a server that others reach.
        any_address: bool,
    },
}

/// An origin: scheme, host and port of a page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// Why text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{found}` is no origin; accepted: `https://app.example` or `http://app.example:3000`, without a path"
)]
pub struct OriginError {
    found: String,
}

impl Pages {
    /// Pages of this machine, and of `allowed`.
    pub fn new(check: PageCheck, allowed: impl IntoIterator<Item = Origin>) -> Self {
        Self { check, allowed: allowed.into_iter().collect() }
    }

    /// Whether nothing is asked and nothing said.
    pub(super) fn is_off(&self) -> bool {
        self.check == PageCheck::Off
    }

    /// Which page may read the answer, or why the request is refused.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        let mut reader = None;
        for origin in headers.get_all(header::ORIGIN) {
            if self.is_allowed(origin) {
                reader = Some(origin.clone());
            } else {
                self.refuse("a page of", origin)?;
            }
        }
        if reader.is_none()
            && let Some(site) = headers.get(FETCH_SITE)
            && !["same-origin", "none"].iter().any(|own| site == own)
        {
            self.refuse("a page that is", site)?;
        }
        for host in headers.get_all(header::HOST) {
            if !self.is_own_name(host) {
                self.refuse("the name", host)?;
            }
        }
        Ok(reader)
    }

    fn refuse(&self, what: &str, value: &HeaderValue) -> Result<(), Refusal> {
        let PageCheck::Everybody { .. } = self.check else { return Ok(()) };
        let value = String::from_utf8_lossy(value.as_bytes());
        let reason = format!(
            "{what} `{value}` may not use this server, which admits everybody of this machine; see --allow-origin"
        );
        Err(Refusal { code: ErrorCode::Forbidden, reason })
    }

    fn is_allowed(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().ok().and_then(|text| text.parse::<Origin>().ok());
        origin.is_some_and(|origin| is_loopback(&origin.host) || self.allowed.contains(&origin))
    }

    fn is_own_name(&self, host: &HeaderValue) -> bool {
        let authority = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
        let Some(host) = authority.map(|authority| authority.host().to_ascii_lowercase()) else {
            return false;
        };
        let any_address = matches!(self.check, PageCheck::Everybody { any_address: true });
        is_loopback(&host)
            || any_address && address(&host).is_some()
            || self.allowed.iter().any(|origin| origin.host == host)
    }
}

/// RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || address(host).is_some_and(|ip| ip.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError { found: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (scheme, authority) = (uri.scheme_str().ok_or_else(wrong)?, uri.authority().ok_or_else(wrong)?);
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong()),
        };
        let is_bare = !authority.as_str().contains('@') && uri.path() == "/" && !text.ends_with('/');
        if !is_bare || uri.query().is_some() || authority.host().is_empty() {
            return Err(wrong());
        }
        let port =
            if authority.port().is_some() { authority.port_u16().ok_or_else(wrong)? } else { default_port };
        Ok(Self { scheme: scheme.to_owned(), host: authority.host().to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: PageCheck = PageCheck::Everybody { any_address: false };

    /// Whether a request with these headers is let in, and who may read the answer.
    #[track_caller]
    fn check(check: PageCheck, headers: &[(&str, &str)], expect: Result<Option<&str>, ()>) {
        let pages = Pages::new(check, ["https://app.example".parse().unwrap()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let answer = pages.check(&map).map_err(|refusal| assert_eq!(refusal.code, ErrorCode::Forbidden));
        let expect = expect.map(|reader| reader.map(|reader| reader.parse::<HeaderValue>().unwrap()));
        assert_eq!(answer, expect, "{headers:?}");
    }

    #[test]
    fn pages_of_this_machine_and_allowed_ones_may() {
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "https://[::1]:8443",
            "http://app.localhost",
            "https://app.example",
            "https://APP.example:443",
        ] {
            check(OPEN, &[("origin", origin)], Ok(Some(origin)));
        }
        check(OPEN, &[], Ok(None));
        check(OPEN, &[("sec-fetch-site", "none"), ("host", "localhost:8080")], Ok(None));
    }

    #[test]
    fn other_pages_may_not() {
        for origin in [
            "https://evil.example",
            "null",
            "http://app.example",
            "https://app.example:444",
            "https://app.example.evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "https://evil.example/http://localhost",
            "http://localhost@evil.example",
            "",
        ] {
            check(OPEN, &[("origin", origin)], Err(()));
            check(PageCheck::Readers, &[("origin", origin)], Ok(None));
        }
        check(OPEN, &[("origin", "http://localhost"), ("origin", "https://evil.example")], Err(()));
        check(OPEN, &[("sec-fetch-site", "cross-site")], Err(()));
    }

    #[test]
    fn a_name_that_was_made_to_lead_here_is_refused() {
        for host in ["localhost", "127.0.0.1:8080", "[::1]:8080", "app.example", "app.example:8080"] {
            check(OPEN, &[("host", host)], Ok(None));
        }
        for host in ["evil.example", "evil.example:8080", "192.168.1.2", "x", "", "localhost.evil.example"] {
            check(OPEN, &[("host", host)], Err(()));
        }
        let for_others = PageCheck::Everybody { any_address: true };
        check(for_others, &[("host", "192.168.1.2:8080")], Ok(None));
        check(for_others, &[("host", "evil.example")], Err(()));
    }

    #[test]
    fn what_is_no_origin_is_said() {
        for text in
            ["", "app.example", "ftp://app.example", "https://app.example/", "https://a/b", "https://", "*"]
        {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
        assert_eq!("https://App.example".parse::<Origin>().unwrap().to_string(), "https://app.example:443");
    }

    proptest::proptest! {
        #[test]
        fn only_origins_of_this_machine_pass(text in ".{0,40}") {
            let pages = Pages::new(OPEN, []);
            if let Ok(value) = HeaderValue::from_str(&text) {
                let mut headers = HeaderMap::new();
                headers.insert(header::ORIGIN, value);
                let parsed = text.parse::<Origin>();
                let is_own = parsed.is_ok_and(|origin| is_loopback(&origin.host));
                proptest::prop_assert_eq!(pages.check(&headers).is_ok(), is_own);
            }
        }
    }
}
