//! A description of one peer connection for another one: what its maker wrote of media stays, and what belongs to
//! the transport is that of the peer which stands in for the maker (RFC 8839 §5, RFC 8122 §5).

/// The attributes of a transport that are replaced, in each section that has them.
const REPLACED: [&str; 3] = ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"];
/// The attributes that are left out: candidates come one by one, who stands in has a whole ICE (RFC 8445 §2.5), and
/// streams are those that are really sent (RFC 5576).
const LEFT_OUT: [&str; 4] = ["a=candidate:", "a=end-of-candidates", "a=ice-lite", "a=ssrc"];

/// `captured` with the ICE credentials, the fingerprint and the stream identifiers of `made`, and without candidates.
pub(super) fn transport(captured: &str, made: &str) -> String {
    let (head, sections) = split(captured);
    let (_, mut own) = split(made);
    let mut out = String::new();
    push(&mut out, head, made);
    for section in sections {
        push(&mut out, section, made);
        if let Some(at) = own.iter().position(|other| kind(other) == kind(section)) {
            for line in own.remove(at).lines().map(str::trim_end).filter(|line| line.starts_with("a=ssrc")) {
                out.push_str(line);
                out.push_str("\r\n");
            }
        }
    }
    out
}

fn push(out: &mut String, captured: &str, made: &str) {
    for line in captured.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if LEFT_OUT.iter().any(|attribute| line.starts_with(attribute)) {
            continue;
        }
        let replaced = REPLACED.iter().find(|attribute| line.starts_with(**attribute));
        out.push_str(replaced.and_then(|attribute| first(made, attribute)).unwrap_or(line));
        out.push_str("\r\n");
    }
}

/// `answer` with the sections of `offer`, in its order and under its identification tags: each section of the
/// answer goes to one of its kind, and what finds none is rejected (RFC 3264 §6).
pub(super) fn sections(answer: &str, offer: &str) -> String {
    let (head, mut answered) = split(answer);
    let (_, offered) = split(offer);
    let mut accepted = Vec::new();
    let mut body = String::new();
    for section in offered {
        let tag = first(section, "a=mid:").unwrap_or_default();
        match answered.iter().position(|other| kind(other) == kind(section)) {
            Some(at) => {
                let taken = answered.remove(at);
                accepted.push(tag.trim_start_matches("a=mid:"));
                for line in taken.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
                    body.push_str(if line.starts_with("a=mid:") { tag } else { line });
                    body.push_str("\r\n");
                }
            }
            None => {
                let formats: Vec<&str> =
                    first(section, "m=").unwrap_or_default().split(' ').skip(2).collect();
                let formats = formats.join(" ");
                body.push_str(&format!(
                    "m={} 0 {formats}\r\nc=IN IP4 0.0.0.0\r\n{tag}\r\na=inactive\r\n",
                    kind(section)
                ));
            }
        }
    }
    let mut out = String::new();
    for line in head.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        match line.starts_with("a=group:BUNDLE") {
            true => out.push_str(&format!("a=group:BUNDLE {}", accepted.join(" "))),
            false => out.push_str(line),
        }
        out.push_str("\r\n");
    }
    out + &body
}

/// The identification tags of the sections, in their order (RFC 5888 §4).
pub(super) fn tags(sdp: &str) -> Vec<String> {
    let (_, sections) = split(sdp);
    let tag =
        |section: &&str| first(section, "a=mid:").map(|line| line.trim_start_matches("a=mid:").to_owned());
    sections.iter().filter_map(tag).collect()
}

/// The session's part, and the media sections.
fn split(sdp: &str) -> (&str, Vec<&str>) {
    let mut starts: Vec<usize> = sdp.match_indices("\nm=").map(|(at, _)| at + 1).collect();
    let head = &sdp[..starts.first().copied().unwrap_or(sdp.len())];
    starts.push(sdp.len());
    (head, starts.windows(2).map(|pair| &sdp[pair[0]..pair[1]]).collect())
}

fn kind(section: &str) -> &str {
    section.trim_start_matches("m=").split(' ').next().unwrap_or_default()
}

fn first<'s>(sdp: &'s str, prefix: &str) -> Option<&'s str> {
    sdp.lines().map(str::trim_end).find(|line| line.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CAPTURED: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na=group:BUNDLE 0 1\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n\
        a=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\na=ice-ufrag:theirs\r\na=ice-pwd:secret\r\na=fingerprint:sha-256 AA\r\n\
        a=mid:0\r\na=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
        a=ice-ufrag:theirs\r\na=mid:1\r\n";
    const MADE: &str = "v=0\r\na=fingerprint:sha-256 BB\r\na=group:BUNDLE v a\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
        a=mid:v\r\na=ice-ufrag:ours\r\na=ice-pwd:own\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n";

    #[test]
    fn only_what_belongs_to_the_transport_is_replaced() {
        let found = transport(CAPTURED, MADE);
        for kept in ["m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "a=extmap:14", "a=mid:1", "a=group:BUNDLE 0 1"] {
            assert!(found.contains(kept), "{kept} is missing in {found}");
        }
        assert!(!found.contains("theirs") && !found.contains("secret") && !found.contains("AA"), "{found}");
        assert!(!found.contains("candidate") && !found.contains("ice-lite"), "{found}");
        assert_eq!(found.matches("a=ice-ufrag:ours\r\n").count(), 2);
        assert_eq!(found.matches("a=fingerprint:sha-256 BB\r\n").count(), 1);
    }

    #[test]
    fn an_answer_gets_the_order_and_the_tags_of_the_offer() {
        let found = sections(CAPTURED, MADE);
        let (video, audio) = (found.find("m=video").unwrap(), found.find("m=audio").unwrap());
        assert!(video < audio, "{found}");
        assert!(found.contains("a=group:BUNDLE v a\r\n"), "{found}");
        assert!(
            found[video..audio].contains("a=mid:v\r\n") && found[audio..].contains("a=mid:a\r\n"),
            "{found}"
        );
    }

    #[test]
    fn tags_are_those_of_the_sections_in_their_order() {
        assert_eq!(tags(CAPTURED), ["0", "1"]);
        assert_eq!(tags(MADE), ["v", "a"]);
        assert!(tags("v=0\r\n").is_empty());
    }

    #[test]
    fn a_section_without_an_answer_is_rejected() {
        let offer = format!("{MADE}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n");
        let found = sections(CAPTURED, &offer);
        assert!(found.contains("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"), "{found}");
        assert!(found.contains("a=group:BUNDLE v a\r\n"), "{found}");
    }

    proptest! {
        #[test]
        fn mangled_descriptions_never_panic(one in "\\PC{0,80}", cut in 0..CAPTURED.len(), junk in "\\PC{0,8}") {
            let mut mangled = CAPTURED.to_owned();
            mangled.insert_str(cut, &junk);
            for (a, b) in [(one.as_str(), MADE), (&mangled, MADE), (MADE, &mangled), (&CAPTURED[cut..], &one)] {
                transport(a, b);
                sections(a, b);
                tags(a);
            }
        }
    }
}
