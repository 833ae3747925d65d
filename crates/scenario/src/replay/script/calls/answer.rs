//! Answers of somebody whose connection was not captured.
//!
//! Who stands in for somebody answers by itself, and as our stack does: it takes every section, both ways. Where the
//! captured answer decided otherwise, that decision is applied: ports, directions, and DTLS roles that clash. What our
//! stack numbers itself (identification tags, payload types) is as it numbers it.

use capture::sdp::{Description, Direction, MediaSection, SdpType, Setup};

/// The payload types under which our stack offers the codecs that it has.
const OWN: [(&str, &str, &str); 2] = [("audio", "111", "opus/48000/2"), ("video", "96", "VP8/90000")];

/// What is applied instead of the answer of who stands in; `None` where that one says the same.
pub(super) fn decided(offer: &str, answer: &str) -> Option<String> {
    let offered = Description { kind: SdpType::Offer, sdp: offer.to_owned() }.media();
    let answered = Description { kind: SdpType::Answer, sdp: answer.to_owned() }.media();
    if offered.is_empty() || offered.len() != answered.len() {
        return None;
    }
    let pairs: Vec<(&MediaSection, &MediaSection)> = offered.iter().zip(&answered).collect();
    let clash = pairs.iter().find_map(|(one, other)| clashing(one, other));
    let differs = pairs.iter().any(|(one, other)| is_decision(one, other));
    if clash.is_none() && !differs || pairs.iter().any(|(one, other)| one.kind != other.kind) {
        return None;
    }
    Some(written(&pairs, clash.unwrap_or(Setup::Active)))
}

/// The role that both sides claim, or that an answer must not claim (RFC 8842 §5.2).
fn clashing(offered: &MediaSection, answered: &MediaSection) -> Option<Setup> {
    let (one, other) = (offered.setup?, answered.setup?);
    let clash = one == other && one != Setup::ActPass || other == Setup::ActPass;
    (clash && offered.active && answered.active).then_some(other)
}

/// Whether the answer takes less than it was offered.
fn is_decision(offered: &MediaSection, answered: &MediaSection) -> bool {
    let less = match offered.direction {
        Direction::SendRecv => answered.direction != Direction::SendRecv,
        Direction::SendOnly | Direction::RecvOnly => answered.direction == Direction::Inactive,
        Direction::Inactive => false,
    };
    offered.active && (!answered.active || less)
}

fn written(pairs: &[(&MediaSection, &MediaSection)], setup: Setup) -> String {
    let accepted = |section: &MediaSection| section.active;
    let tags: Vec<String> =
        (0..pairs.len()).filter(|at| accepted(pairs[*at].1)).map(|at| at.to_string()).collect();
    let mut out = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\n".to_owned();
    if !tags.is_empty() {
        out += &format!("a=group:BUNDLE {}\n", tags.join(" "));
    }
    for (mid, (_, answered)) in pairs.iter().enumerate() {
        let port = if answered.active { 9 } else { 0 };
        let own = OWN.iter().find(|(kind, ..)| *kind == answered.kind);
        let (protocol, payload) = match own {
            Some((_, payload, _)) => ("UDP/TLS/RTP/SAVPF", *payload),
            None => ("UDP/DTLS/SCTP", "webrtc-datachannel"),
        };
        out += &format!("m={} {port} {protocol} {payload}\nc=IN IP4 0.0.0.0\n", answered.kind);
        out += "a=ice-ufrag:ufrag\na=ice-pwd:password\na=fingerprint:sha-256 00\n";
        out += &format!("a=setup:{setup}\na=mid:{mid}\n");
        match own {
            Some((_, payload, codec)) => {
                out += &format!("a={}\na=rtcp-mux\na=rtpmap:{payload} {codec}\n", answered.direction)
            }
            None => out += "a=sctp-port:5000\n",
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(kind: &str, port: u16, direction: &str, setup: &str) -> String {
        format!("m={kind} {port} UDP/TLS/RTP/SAVPF 7\na={direction}\na=setup:{setup}\n")
    }

    #[test]
    fn only_what_takes_less_is_a_decision() {
        let offer = section("audio", 9, "sendrecv", "actpass") + &section("video", 9, "sendrecv", "actpass");
        let answer = |port: u16, direction: &str, setup: &str| {
            section("audio", 9, "sendrecv", setup) + &section("video", port, direction, setup)
        };
        assert_eq!(decided(&offer, &answer(9, "sendrecv", "active")), None);
        assert_eq!(decided(&offer, &answer(9, "sendrecv", "passive")), None);
        let refused = decided(&offer, &answer(0, "sendrecv", "passive")).unwrap();
        assert!(refused.contains("m=video 0 ") && refused.contains("a=group:BUNDLE 0\n"), "{refused}");
        assert!(refused.contains("a=setup:active\n"), "the role is of who stands in: {refused}");
        let one_way = decided(&offer, &answer(9, "recvonly", "active")).unwrap();
        assert!(one_way.contains("a=mid:1\na=recvonly\n"), "{one_way}");
        assert_eq!(
            decided(&section("audio", 9, "recvonly", "actpass"), &section("audio", 9, "sendonly", "active")),
            None
        );
    }

    #[test]
    fn roles_that_clash_are_kept() {
        let both =
            |setup: &str| (section("audio", 9, "sendrecv", setup), section("audio", 9, "sendrecv", setup));
        let (offer, answer) = both("passive");
        assert!(decided(&offer, &answer).unwrap().contains("a=setup:passive\n"));
        assert_eq!(decided("", &answer), None);
    }
}
