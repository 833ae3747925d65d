//! The page `about:webrtc` of Firefox: text, in which some attributes hold JSON.

use serde_json::Value;

use super::{document, pseudonyms::Pseudonyms, text};

/// What the page gives its translators: times, ids and addresses.
const ARGUMENTS: &str = "data-l10n-args=\"";

/// The page with everything replaced that is nobody else's business.
pub(super) fn redacted(pseudonyms: &mut Pseudonyms, page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find(ARGUMENTS) {
        let (before, after) = rest.split_at(at);
        let after = &after[ARGUMENTS.len()..];
        let Some(end) = after.find('"') else { break };
        out.push_str(&text::redacted(pseudonyms, before));
        out.push_str(ARGUMENTS);
        // What is no JSON is left out.
        if let Ok(arguments) = serde_json::from_str::<Value>(&decoded(&after[..end])) {
            out.push_str(&encoded(&document::redacted(pseudonyms, arguments).to_string()));
        }
        out.push('"');
        rest = &after[end + 1..];
    }
    out + &text::redacted(pseudonyms, rest)
}

fn decoded(text: &str) -> String {
    let named = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'");
    named.replace("&amp;", "&")
}

fn encoded(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_and_people_go() {
        let page = "<h3 data-l10n-args=\"{&quot;now&quot;: &quot;2026-02-02T02:40:30.000Z&quot;, &quot;url&quot;: \
                    &quot;https://meet.example/carol&quot;}\" data-l10n-id=\"about-webrtc-connection-open\">carol</h3>\
                    <h5 data-l10n-args=\"{&quot;timestamp&quot;: 1770000000300.5}\" data-l10n-id=\"about-webrtc-sdp-set-timestamp\">\
                    <i data-l10n-args=\"carol\">";
        let copy = redacted(&mut Pseudonyms::default(), page);
        let expect = "<h3 data-l10n-args=\"{&quot;now&quot;:&quot;2026-02-02T02:40:30.000Z&quot;,&quot;url&quot;:\
                      &quot;https://host-1.invalid/&quot;}\" data-l10n-id=\"about-webrtc-connection-open\">00001</h3>\
                      <h5 data-l10n-args=\"{&quot;timestamp&quot;:1770000000300.5}\" data-l10n-id=\"about-webrtc-sdp-set-timestamp\">\
                      <i data-l10n-args=\"\">";
        assert_eq!(copy, expect);
    }
}
