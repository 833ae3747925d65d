//! What a first offer contains.

use rtc::rtp_transceiver::RTCRtpTransceiverDirection;

use super::{FINGERPRINT, INITIAL, bare_offer, every_section};
use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, Kind, Shown, expect, expect_that},
};

const MSID: &str = "protocol/msid-generate.html";

pub(super) fn rows() -> Vec<Row> {
    vec![
        offered(
            "the-first-lines",
            "An offer begins with v=0, an o= line, s= and t=0 0.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| {
                let starts: Vec<String> =
                    sdp.lines().take(4).map(|line| line.chars().take(2).collect()).collect();
                expect("first lines", starts, ["v=", "o=", "s=", "t="])?;
                expect("t=", sdp.value("t="), "0 0")
            },
        ),
        offered(
            "the-origin",
            "The origin is -, a session id below 2^63, a version, and an address that tells nothing.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| {
                let fields: Vec<&str> = sdp.value("o=").split(' ').collect();
                let [user, id, version, rest @ ..] = fields.as_slice() else {
                    return Err(Deviation::new("the origin has too few fields"));
                };
                expect("user", *user, "-")?;
                expect_that(
                    id.parse::<u64>().is_ok_and(|id| id < 1 << 63),
                    "the session id is no such number",
                )?;
                expect_that(version.parse::<u64>().is_ok(), "the version is no number")?;
                expect_that(
                    rest == ["IN", "IP4", "0.0.0.0"] || rest == ["IN", "IP4", "127.0.0.1"],
                    "the address tells something",
                )
            },
        ),
        offered(
            "the-session-name",
            "The session name is -, which tells nothing.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| expect("s=", sdp.value("s="), "-"),
        ),
        offered(
            "every-section-is-bundled",
            "The bundle group names every section's mid, in order.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| {
                let mids = sdp.values("a=mid:").join(" ");
                expect("a=group:BUNDLE", sdp.value("a=group:BUNDLE "), mids.as_str())
            },
        ),
        offered(
            "mids-are-unique",
            "Every section has a mid of its own, of at most 16 characters.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| {
                let mut mids = sdp.values("a=mid:");
                expect("mids", mids.len(), sdp.sections().len())?;
                expect_that(
                    mids.iter().all(|mid| !mid.is_empty() && mid.len() <= 16),
                    "a mid is empty or too long",
                )?;
                mids.sort_unstable();
                mids.dedup();
                expect("mids that differ", mids.len(), sdp.sections().len())
            },
        ),
        offered(
            "trickle-is-offered",
            "An offer says ice-options:trickle.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| {
                expect_that(
                    sdp.values("a=ice-options:").iter().any(|options| options.contains("trickle")),
                    "it does not",
                )
            },
        ),
        offered(
            "every-section-offers-the-mid-extension",
            "Every section with media offers the header extension sdes:mid.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| {
                let offers = |section: &Sdp| {
                    section.values("a=extmap:").iter().any(|extension| extension.ends_with("sdes:mid"))
                };
                every_section(
                    sdp,
                    |section| section.value("m=").starts_with("application") || offers(section),
                    "one does not",
                )
            },
        ),
        offered(
            "credentials-are-long-enough",
            "Every section has a ufrag of 4 to 256 characters and a password of 22 to 256.",
            spec::ICE_CREDENTIALS,
            INITIAL,
            |sdp| {
                for section in sdp.sections() {
                    let (ufrag, password) =
                        (section.value("a=ice-ufrag:").len(), section.value("a=ice-pwd:").len());
                    expect_that((4..=256).contains(&ufrag), "a ufrag is too short or too long")?;
                    expect_that((22..=256).contains(&password), "a password is too short or too long")?;
                }
                Ok(())
            },
        ),
        offered(
            "an-offer-leaves-the-dtls-role-open",
            "Every section of an offer says setup:actpass.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| every_section(sdp, |section| section.has("a=setup:actpass"), "a section does not"),
        ),
        offered(
            "a-sha-256-fingerprint",
            "An offer has a SHA-256 fingerprint of 32 upper-case bytes.",
            spec::FINGERPRINT,
            FINGERPRINT,
            |sdp| {
                let bytes: Vec<&str> = sdp.value("a=fingerprint:sha-256 ").split(':').collect();
                let is_byte = |byte: &&str| {
                    byte.len() == 2
                        && byte.chars().all(|digit| digit.is_ascii_digit() || ('A'..='F').contains(&digit))
                };
                expect_that(bytes.len() == 32 && bytes.iter().all(is_byte), "there is none of that form")
            },
        ),
        offered(
            "rtcp-is-multiplexed",
            "Every section says rtcp-mux.",
            spec::INITIAL_OFFER,
            "RTCConfiguration-rtcpMuxPolicy.html",
            |sdp| every_section(sdp, |section| section.has("a=rtcp-mux"), "a section does not"),
        ),
        offered(
            "rtcp-has-reduced-size",
            "Every section says rtcp-rsize.",
            spec::INITIAL_OFFER,
            "RTCRtpParameters-rtcp.html",
            |sdp| every_section(sdp, |section| section.has("a=rtcp-rsize"), "a section does not"),
        ),
        offered(
            "the-profile",
            "Media sections are UDP/TLS/RTP/SAVPF, on the dummy port 9.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| {
                let is_so = |section: &Sdp| {
                    section.value("m=").split(' ').skip(1).take(2).eq(["9", "UDP/TLS/RTP/SAVPF"])
                };
                every_section(sdp, is_so, "a section is not")
            },
        ),
        offered(
            "the-dummy-address",
            "Media sections have the dummy address 0.0.0.0.",
            spec::INITIAL_OFFER,
            INITIAL,
            |sdp| every_section(sdp, |section| section.value("c=") == "IN IP4 0.0.0.0", "a section has not"),
        ),
        offered(
            "the-order-of-sections",
            "Sections come in the order in which their tracks were added.",
            spec::INITIAL_OFFER,
            "RTCPeerConnection-createOffer.html",
            |sdp| {
                let kinds: Vec<&str> =
                    sdp.values("m=").iter().filter_map(|media| media.split(' ').next()).collect();
                expect("sections", kinds, ["audio", "video"])
            },
        ),
        offered(
            "a-msid-for-each-track",
            "A section that sends has a msid of stream and track.",
            spec::MSID,
            MSID,
            |sdp| {
                every_section(
                    sdp,
                    |section| {
                        section.value("a=msid:").split(' ').filter(|part| !part.is_empty()).count() == 2
                    },
                    "a section has none of that form",
                )
            },
        ),
        row("no-msid-without-a-track", "A section that only receives has no msid.")
            .of(spec::MSID, MSID)
            .bare(async |stage| {
                let alice = stage.peer("alice").await?;
                alice.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
                let offer = Sdp::of(&alice.create_offer().await?);
                expect("a=msid lines", offer.values("a=msid").len(), 0)
            })
            .engine(async |stage| {
                let mut talk = stage.caller_with(|settings| settings.media.video = None).await?;
                let (offer, _) = talk.far.receive_offer().await?;
                let sections = offer.sections();
                let Some(video) = sections.iter().find(|section| section.value("m=").starts_with("video"))
                else {
                    return Err(Deviation::new("there is no video section"));
                };
                expect("direction", video.has("a=recvonly"), true)?;
                expect("a=msid lines", video.values("a=msid").len(), 0)
            }),
        row(
            "one-section-for-each-transceiver",
            "An offer has one section for each transceiver, and one for data.",
        )
        .of(spec::INITIAL_OFFER, "RTCPeerConnection-createOffer-offerToReceive.html")
        .bare(async |stage| {
            let (alice, _) = stage.pair().await?;
            alice.add_track(Kind::Audio).await?;
            alice.add_transceiver(Kind::Video, RTCRtpTransceiverDirection::Recvonly).await?;
            expect("sections", Sdp::of(&alice.create_offer().await?).sections().len(), 3)
        })
        .engine(async |stage| {
            let mut talk = stage.caller().await?;
            expect("sections", talk.far.receive_offer().await?.0.sections().len(), 2)
        }),
    ]
}

/// A rule for a first offer of audio and video.
fn offered(
    id: &'static str,
    says: &'static str,
    spec: &'static str,
    source: &'static str,
    rule: fn(&Sdp) -> Shown,
) -> Row {
    row(id, says).of(spec, source).bare(async move |stage| rule(&bare_offer(&stage).await?)).engine(
        async move |stage| {
            let mut talk = stage.caller().await?;
            rule(&talk.far.receive_offer().await?.0)
        },
    )
}
