//! The descriptions that are signalled: those of `webrtc` 0.21.1, which apply locally as they are made,
//! with what it leaves out or gets wrong.

/// A side of a DTLS association, as `a=setup` of an answer says it (RFC 5763 §5, RFC 8842 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DtlsRole {
    /// The client.
    Active,
    /// The server.
    Passive,
}

const SETUP: &str = "a=setup:";
const TRICKLE: &str = "a=ice-options:trickle";

impl DtlsRole {
    /// The role that the maker of a description takes; `None` where it leaves the choice to the other side.
    pub(super) fn said_in(sdp: &str) -> Option<Self> {
        match sdp.lines().find_map(|line| line.trim_end().strip_prefix(SETUP))? {
            "active" => Some(Self::Active),
            "passive" => Some(Self::Passive),
            _ => None,
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive => Self::Active,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }
}

/// An offer in the form in which it is signalled.
pub(super) fn offer(made: &str) -> String {
    edited(made, None)
}

/// An answer in the form in which it is signalled. `role` is this side's: `webrtc` 0.21.1 says `active` in
/// every answer, whatever the association's role is, and a browser refuses an answer that changes it (RFC
/// 8842 §5.3).
pub(super) fn answer(made: &str, role: DtlsRole) -> String {
    edited(made, Some(role))
}

/// With `role` in every section that has one, and with the support of trickled candidates (RFC 8840 §4.1)
/// in the session's part.
fn edited(made: &str, role: Option<DtlsRole>) -> String {
    let mut sdp = String::with_capacity(made.len() + TRICKLE.len() + 2);
    let mut says_trickle = made.lines().any(|line| line.trim_end() == TRICKLE);
    for line in made.lines().map(str::trim_end) {
        if line.starts_with("m=") && !std::mem::replace(&mut says_trickle, true) {
            sdp += TRICKLE;
            sdp += "\r\n";
        }
        match role {
            Some(role) if line.starts_with(SETUP) => {
                sdp += SETUP;
                sdp += role.as_str();
            }
            _ => sdp += line,
        }
        sdp += "\r\n";
    }
    sdp
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SDP: &str =
        "v=0\r\ns=-\r\nm=audio 9\r\na=setup:active\r\nm=video 9\r\na=setup:active\r\na=mid:1\r\n";

    #[test]
    fn an_answer_says_the_role_in_every_section() {
        let passive = answer(SDP, DtlsRole::Passive);
        assert_eq!(
            passive,
            "v=0\r\ns=-\r\na=ice-options:trickle\r\nm=audio 9\r\na=setup:passive\r\nm=video 9\r\na=setup:passive\r\na=mid:1\r\n"
        );
        assert_eq!(
            answer(&passive, DtlsRole::Active),
            SDP.replace("s=-\r\n", "s=-\r\na=ice-options:trickle\r\n")
        );
    }

    #[test]
    fn an_offer_leaves_the_role_alone() {
        let actpass = SDP.replace("active", "actpass");
        assert_eq!(offer(&actpass).replace("a=ice-options:trickle\r\n", ""), actpass);
        assert_eq!(DtlsRole::said_in(&actpass), None);
    }

    #[test]
    fn a_role_is_read_and_turned() {
        assert_eq!(DtlsRole::said_in(SDP), Some(DtlsRole::Active));
        assert_eq!(DtlsRole::said_in("v=0\na=setup:passive\n"), Some(DtlsRole::Passive));
        assert_eq!(DtlsRole::said_in("v=0\r\n"), None);
        assert_eq!(DtlsRole::Active.other(), DtlsRole::Passive);
        assert_eq!(DtlsRole::Passive.other(), DtlsRole::Active);
    }

    proptest! {
        #[test]
        fn mangled_descriptions_never_panic_and_edits_are_stable(junk in "\\PC{0,40}", at in 0..SDP.len()) {
            let mut sdp = SDP.to_owned();
            sdp.insert_str(at, &junk);
            let _ = DtlsRole::said_in(&sdp);
            let once = answer(&sdp, DtlsRole::Passive);
            prop_assert_eq!(answer(&once, DtlsRole::Passive), once);
        }
    }
}
