//! The sequence as a reader sees it.

use capture::{
    audit::audit,
    diagram::{Sequence, svg, terminal},
};

use crate::{
    fixtures::{capture_of, root},
    script::trace,
};

fn sequence(files: &[&str]) -> Sequence {
    let capture = capture_of(&files.iter().map(|file| root().join(file)).collect::<Vec<_>>());
    Sequence::new(&capture.calls[0], &audit(&capture.calls[0]))
}

#[test]
fn a_call_with_the_server_between() {
    let sequence = sequence(&["callee-closes/rtcstats.txt", "callee-closes/relay.jsonl"]);
    insta::assert_snapshot!(terminal(&sequence, 110));
}

#[test]
fn a_call_whose_messages_nobody_saw() {
    insta::assert_snapshot!(terminal(&sequence(&["glare-perfect-rollback/webrtc-internals.json"]), 90));
}

#[test]
fn what_was_lost_and_refused_is_marked() {
    let trace = trace(
        "0 a offers A1
        2 in a offer A1
        3 out b offer A1
        5 in a candidate A1 host
        6 drop a candidate A1 host
        10 b adds! A1 host The remote description was null
        12 b gets offer A1
        9000 a closes",
    );
    let sequence = Sequence::new(&trace, &audit(&trace));
    insta::assert_snapshot!(terminal(&sequence, 100));
    insta::assert_snapshot!(svg(&sequence));
}

#[test]
fn names_can_steer_neither_a_terminal_nor_a_browser() {
    let mut trace = trace("0 in a offer A1\n1 out b offer A1\n9 in b reject <b>&\u{1b}[31m");
    for peer in &mut trace.peers {
        peer.id = format!("<script>\u{1b}[2J{}漢字", peer.id).into();
    }
    for message in &mut trace.messages {
        message.from = format!("<script>\u{1b}[2J{}漢字", message.from).into();
        message.to = message.to.as_ref().map(|to| format!("<script>\u{1b}[2J{to}漢字").into());
    }
    let sequence = Sequence::new(&trace, &audit(&trace));
    let picture = svg(&sequence);
    let (text, wide) = (terminal(&sequence, 80), terminal(&sequence, 160));
    assert!(!text.contains('\u{1b}') && wide.contains("漢字"), "{wide}");
    assert!(
        !picture.contains('\u{1b}') && !picture.contains("<script>") && picture.contains("&lt;script&gt;")
    );
}

#[test]
fn a_narrow_terminal_is_no_reason_to_fail() {
    let sequence = sequence(&["callee-closes/relay.jsonl"]);
    for columns in [0, 1, 20, 40, 500] {
        assert!(terminal(&sequence, columns).lines().count() > 10);
    }
}
