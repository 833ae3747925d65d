//! What the section of data channels contains.

use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Shown, expect, expect_that},
};

const SCTP: &str = "protocol/sctp-format.html";

pub(super) fn rows() -> Vec<Row> {
    let rule = |id: &'static str, says: &'static str, rule: fn(&Sdp) -> Shown| {
        row(id, says)
            .of(spec::SCTP_SDP, SCTP)
            .bare(async move |stage| {
                let (alice, _) = stage.pair().await?;
                rule(&Sdp::of(&alice.create_offer().await?))
            })
            .not_applicable("what a data section contains is webrtc's: the engine adds nothing to it")
    };
    vec![
        rule(
            "the-data-section",
            "The section of data channels is UDP/DTLS/SCTP webrtc-datachannel.",
            |sdp| expect("m=application", sdp.value("m=application "), "9 UDP/DTLS/SCTP webrtc-datachannel"),
        ),
        rule("the-sctp-port", "The section of data channels says its SCTP port.", |sdp| {
            expect_that(sdp.value("a=sctp-port:").parse::<u16>().is_ok(), "it does not")
        }),
        rule(
            "the-largest-message",
            "The section of data channels says the largest message that it takes.",
            |sdp| expect_that(sdp.value("a=max-message-size:").parse::<u64>().is_ok(), "it does not"),
        ),
        rule("one-data-section", "However many data channels there are, they have one section.", |sdp| {
            expect("data sections", sdp.values("m=application").len(), 1)
        }),
    ]
}
