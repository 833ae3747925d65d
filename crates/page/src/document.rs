//! What all pages have in common.

use askama::Template;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use timeline::escaped_lines;

/// The head of a page: its title, and what it may do.
pub(crate) struct Head {
    pub(crate) title: String,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    /// The Content-Security-Policy (W3C CSP3): this style and this script, by their hashes, and nothing else.
    pub(crate) policy: String,
}

impl Head {
    pub(crate) fn new(title: &str, style: &'static str, script: &'static str) -> Self {
        let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            hash(script),
            hash(style)
        );
        Self { title: title.to_owned(), style, script, policy }
    }
}

/// A page without a character that steers a terminal or turns the direction of writing.
pub(crate) fn rendered(template: &impl Template) -> String {
    let text = template.render().expect("templates write into memory");
    escaped_lines(&text).into_owned()
}
