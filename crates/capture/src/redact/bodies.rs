//! Signalling that is no JSON: SIP, session descriptions in bodies of their own, and addresses that say what is sent.

use super::{pseudonyms::Pseudonyms, text};
use crate::protocol::{
    is_matrix,
    sip::{Message, Start, cause, user},
};

/// Of a message of SIP (RFC 7118) what is read of one; `None` for any other text.
pub(super) fn sip(pseudonyms: &mut Pseudonyms, text: &str) -> Option<String> {
    let message = Message::parse(text)?;
    let mut out = match message.start {
        Start::Request(method) => format!("{method} sip:host.invalid SIP/2.0\r\n"),
        Start::Response { code, reason } => format!("SIP/2.0 {code} {}\r\n", phrase(pseudonyms, reason)),
    };
    let mut put = |name: &str, value: &str| out.extend([name, ": ", value, "\r\n"]);
    for (name, short) in [("From", "f"), ("To", "t")] {
        if let Some(user) = message.header(name, short).and_then(user) {
            put(name, &format!("<sip:{}@host.invalid>", pseudonyms.name(&user)));
        }
    }
    if let Some(call) = message.header("Call-ID", "i") {
        put("Call-ID", &pseudonyms.call(call));
    }
    if let Some(method) = message.of_method() {
        put("CSeq", &format!("1 {method}"));
    }
    if let Some(reason) = message.header("Reason", "Reason") {
        put("Reason", &format!("text=\"{}\"", phrase(pseudonyms, &cause(reason))));
    }
    let body = message.described();
    if let Some((kind, _)) = body {
        put("Content-Type", kind);
    }
    out.push_str("\r\n");
    if let Some((_, sdp)) = body {
        out.push_str(&text::redacted(pseudonyms, sdp));
    }
    Some(out)
}

/// Words within a line of a message.
fn phrase(pseudonyms: &mut Pseudonyms, words: &str) -> String {
    let mut out = String::new();
    text::plain(pseudonyms, words, &mut out);
    out.replace(['"', ';', '\r', '\n'], " ")
}

/// Whether a text is SIP.
pub(super) fn is_sip(text: &str) -> bool {
    Message::parse(text).is_some()
}

/// Whether a body is a session description, or a fragment of one (RFC 8840).
pub(super) fn is_description(body: &str) -> bool {
    body.trim_start().starts_with("v=0") || body.contains("a=ice-ufrag:") || body.contains("a=candidate:")
}

/// The address of a request. That of a Matrix homeserver names the type of what is sent.
pub(super) fn url(pseudonyms: &mut Pseudonyms, url: &str) -> String {
    let redacted = text::redacted(pseudonyms, url);
    if !is_matrix(url) || !redacted.ends_with('/') {
        return redacted;
    }
    let kind = url.split("/send/").nth(1).and_then(|rest| rest.split(['/', '?']).next());
    match kind.filter(|kind| kind.starts_with("m.")) {
        Some(kind) => {
            let kind = text::redacted(pseudonyms, kind).replace('/', "");
            format!("{redacted}_matrix/client/v3/rooms/x/send/{kind}/x")
        }
        None => format!("{redacted}_matrix/client/v3/sync"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_sip_stays_what_is_read_of_it() {
        let invite = "INVITE sip:bob@corp.example SIP/2.0\r\nVia: SIP/2.0/WSS laptop.corp.example;branch=z9hG4bK1\r\n\
                      From: \"Alice\" <sip:alice@corp.example>;tag=1\r\nt: <sip:bob@corp.example>\r\nCall-ID: secret\r\n\
                      CSeq: 7123 INVITE\r\nAuthorization: Digest secret\r\nContent-Type: application/sdp\r\n\r\n\
                      v=0\r\ns=secret\r\ni=secret\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        let expect = "INVITE sip:host.invalid SIP/2.0\r\nFrom: <sip:peer-1@host.invalid>\r\nTo: <sip:peer-2@host.invalid>\r\n\
                      Call-ID: call-1\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\n\
                      v=0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        assert_eq!(sip(&mut Pseudonyms::default(), invite).as_deref(), Some(expect));
        let busy = "SIP/2.0 486 Busy Here, says Bob\r\nCSeq: 1 INVITE\r\n\r\nsecret";
        let copy = sip(&mut Pseudonyms::default(), busy).unwrap();
        assert_eq!(copy, "SIP/2.0 486 Busy Here, 0001 0002\r\nCSeq: 1 INVITE\r\n\r\n");
        assert_eq!(sip(&mut Pseudonyms::default(), "Bob says hello"), None);
    }

    #[test]
    fn an_address_of_matrix_says_what_is_sent_and_not_where() {
        let mut pseudonyms = Pseudonyms::default();
        let send = "https://matrix.example/_matrix/client/v3/rooms/%21secret%3Ax/send/m.call.invite/m1";
        assert_eq!(
            url(&mut pseudonyms, send),
            "https://host-1.invalid/_matrix/client/v3/rooms/x/send/m.call.invite/x"
        );
        let sync = "https://matrix.example/_matrix/client/v3/sync?since=secret";
        assert_eq!(url(&mut pseudonyms, sync), "https://host-1.invalid/_matrix/client/v3/sync");
        assert_eq!(url(&mut pseudonyms, "https://matrix.example/secret"), "https://host-1.invalid/");
    }
}
