//! Rules about candidates and the servers that they come from.

use capture::audit::{audit, verdict};

use super::{CONNECTED, check, check_after_connected, codes, sorted};
use crate::script::trace;

#[test]
fn candidates_that_the_browser_refused() {
    let early = "
        0 a offers A1
        1 a found A1 host
        5 b adds! A1 host The remote description was null
        10 b gets offer A1
        15 b answers B1
        20 a gets answer B1
        20 a ice checking
        12000 a connection failed";
    check(
        early,
        "candidate-before-remote-description@callee!! ice-never-connected@callee!! ice-never-connected@caller!!",
    );
    check_after_connected("60 b adds! A9 host Error processing ICE candidate", "candidate-rejected@callee!");
}

#[test]
fn candidates_of_an_ignored_offer_may_be_refused() {
    check(
        &format!(
            "{}{}",
            "0 a offers A1\n1 b offers B9\n2 b found B9 host\n",
            CONNECTED.replace("0 a offers A1\n", "").replace(
                "32 a adds B1 host",
                "32 a adds B1 host\n33 a adds! B9 host Error processing ICE candidate"
            )
        ),
        "glare@- glare-rolled-back@callee",
    );
}

#[test]
fn early_candidates_are_held_or_dropped() {
    let call = "
        0 a offers A1
        1 a found A1 host
        2 in a offer A1
        2 in a candidate A1 host
        3 out b candidate A1 host
        1203 out b offer A1
        1210 b gets offer A1
        1215 b answers B1
        1216 b found B1 host
        1217 in b answer B1
        1217 in b candidate B1 host
        1218 out a answer B1
        1219 out a candidate B1 host
        1220 a gets answer B1
        1222 a adds B1 host
        1222 a ice checking";
    let held = format!(
        "{call}\n1216 b adds A1 host\n1300 a connection connected\n1300 b connection connected\n3000 a closes"
    );
    check(&sorted(&held), "early-candidates-held@b");
    let dropped = format!("{call}\n13000 a connection failed\n13000 b connection failed");
    let trace = trace(&dropped);
    let findings = audit(&trace);
    let said = verdict(&trace, &findings);
    assert_eq!(
        said,
        "The call never connected: 1 candidate reached b 1.2 s before the description that they belong to was \
         applied, and the app dropped them."
    );
}

/// A call over the relay that fails, with what `a` does about its candidates.
fn relayed(of_a: &str) -> String {
    sorted(&format!(
        "0 a offers A1
        2 in a offer A1
        3 out b offer A1
        10 b gets offer A1
        15 b answers B1
        16 b found B1 host
        17 in b answer B1
        17 in b candidate B1 host
        18 out a answer B1
        19 out a candidate B1 host
        20 a gets answer B1
        22 a adds B1 host
        22 a ice checking
        22 b ice checking
        13000 a connection failed
        13000 b connection failed
        {of_a}"
    ))
}

#[test]
fn candidates_are_followed_on_their_way() {
    let failed = "ice-never-connected@a!! ice-never-connected@b!!";
    let on_its_way =
        "1 a found A1 host\n4 in a candidate A1 host\n5 out b candidate A1 host\n12 b adds A1 host";
    check(&relayed(on_its_way), failed);
    let never_sent = "1 a found A1 host";
    check(&relayed(never_sent), failed);
    let one_of_two = "1 a found A1 host\n1 a found A1 srflx\n4 in a candidate A1 srflx\n5 out b candidate A1 srflx\n12 b adds A1 srflx";
    check(&relayed(one_of_two), &format!("candidates-never-relayed@a! {failed}"));
    let lost = "1 a found A1 host\n4 in a candidate A1 host";
    check(&relayed(lost), &format!("candidates-never-relayed@a!! {failed}"));
    let dropped = "1 a found A1 host\n4 in a candidate A1 host\n4 drop a candidate A1 host";
    check(&relayed(dropped), &format!("candidates-never-relayed@a!! {failed}"));
    let not_applied = "1 a found A1 host\n4 in a candidate A1 host\n12 out b candidate A1 host";
    check(&relayed(not_applied), &format!("candidates-never-applied@a!! {failed}"));
}

#[test]
fn kinds_of_candidates() {
    let only = |kind: &str| {
        let candidates = CONNECTED.replace(" host", &format!(" {kind}"));
        audit(&trace(&candidates)).iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(only("host"), "only-host-candidates only-host-candidates");
    assert_eq!(only("mdns"), "mdns-only mdns-only");
    assert_eq!(only("relay"), "relay-only relay-only");
    assert_eq!(only("srflx"), "");
}

#[test]
fn no_candidates_at_all() {
    let bare: String =
        CONNECTED.lines().filter(|line| !line.contains("B1 host")).collect::<Vec<_>>().join("\n");
    check(&format!("{bare}\n2000 b gathering complete\n2001 b closes"), "no-candidates@callee");
    check(&format!("{bare}\n2001 b closes"), "");
}

#[test]
fn servers_that_refuse() {
    let error = |code: &str| {
        format!(
            "0 a offers A1\n5 a error {code} Unauthorized\n6 a gathering complete\n10 b gets offer A1\n12 b answers B1\n13 b found B1 relay\n20 a gets answer B1\n21 a adds B1 relay\n30000 a closes"
        )
    };
    assert!(codes(&error("401")).contains("turn-unauthorized@caller!!"));
    assert!(codes(&error("701")).contains("ice-server-error@caller!"));
    assert!(!codes(&error("701")).contains("turn-unauthorized"));
}

#[test]
fn gathering_that_does_not_end() {
    check_after_connected("91 a gathering gathering\n10090 a closes", "");
    check_after_connected("91 a gathering gathering\n10091 a closes", "gathering-never-completed@caller");
    check_after_connected("91 a gathering gathering\n92 a gathering complete\n90091 a closes", "");
}
