//! What descriptions contain.

mod missing;

use rtc::rtp_transceiver::RTCRtpTransceiverDirection;

use crate::{
    row::{Row, row},
    sdp::Sdp,
    spec,
    stage::{Deviation, Kind, Shown, Stage, expect, expect_that},
};

const INITIAL: &str = "protocol/jsep-initial-offer.https.html";
const MSID: &str = "protocol/msid-generate.html";
const SCTP: &str = "protocol/sctp-format.html";
pub(super) const FINGERPRINT: &str = "protocol/dtls-fingerprint-validation.html";

pub(super) fn rows() -> Vec<Row> {
    [offers(), answers(), later(), data(), missing::rows()].concat()
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

/// A rule for an answer to an offer of audio and video: offer, then answer.
fn answered(
    id: &'static str,
    says: &'static str,
    spec: &'static str,
    source: &'static str,
    rule: fn(&Sdp, &Sdp) -> Shown,
) -> Row {
    row(id, says)
        .of(spec, source)
        .bare(async move |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            for peer in [&alice, &bob] {
                peer.add_track(Kind::Audio).await?;
                peer.add_track(Kind::Video).await?;
            }
            let (offer, answer) = alice.negotiate(&bob).await?;
            rule(&offer, &answer)
        })
        .engine(async move |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            talk.far.peer.add_track(Kind::Video).await?;
            let offer = Sdp::of(&talk.far.offer(1).await?);
            rule(&offer, &talk.far.take_answer().await?)
        })
}

fn offers() -> Vec<Row> {
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

fn answers() -> Vec<Row> {
    vec![
        answered(
            "an-answer-keeps-the-sections",
            "An answer has the sections of the offer, in its order, with its mids.",
            spec::INITIAL_ANSWER,
            "RTCPeerConnection-createAnswer.html",
            |offer, answer| {
                expect("mids", answer.values("a=mid:"), offer.values("a=mid:"))?;
                let kinds = |sdp: &Sdp| -> Vec<String> {
                    sdp.values("m=")
                        .iter()
                        .filter_map(|media| media.split(' ').next())
                        .map(str::to_owned)
                        .collect()
                };
                expect("kinds", kinds(answer), kinds(offer))
            },
        ),
        answered(
            "an-answer-picks-a-dtls-role",
            "An answer says setup:active or setup:passive.",
            spec::INITIAL_ANSWER,
            "RTCPeerConnection-createAnswer.html",
            |_, answer| {
                every_section(
                    answer,
                    |section| section.has("a=setup:active") || section.has("a=setup:passive"),
                    "a section does not",
                )
            },
        ),
        answered(
            "an-answer-has-credentials-of-its-own",
            "An answer has another ufrag and another password than the offer.",
            spec::ICE_CREDENTIALS,
            INITIAL,
            |offer, answer| {
                expect_that(offer.value("a=ice-ufrag:") != answer.value("a=ice-ufrag:"), "the same ufrag")?;
                expect_that(offer.value("a=ice-pwd:") != answer.value("a=ice-pwd:"), "the same password")
            },
        ),
        answered(
            "an-answer-keeps-payload-types",
            "An answer uses the payload types of the offer.",
            spec::INITIAL_ANSWER,
            "RTCPeerConnection-createAnswer.html",
            |offer, answer| expect("a=rtpmap", answer.values("a=rtpmap:"), offer.values("a=rtpmap:")),
        ),
        answered(
            "an-answer-bundles-what-was-offered",
            "The bundle group of an answer is that of the offer.",
            spec::INITIAL_ANSWER,
            INITIAL,
            |offer, answer| {
                expect("a=group:BUNDLE", answer.value("a=group:BUNDLE "), offer.value("a=group:BUNDLE "))
            },
        ),
        row("an-answer-turns-the-direction", "An answer to a section that only sends does not send.")
            .of(spec::INITIAL_ANSWER, "RTCRtpTransceiver-direction.html")
            .bare(async |stage| {
                let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
                alice.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
                bob.add_track(Kind::Audio).await?;
                let (_, answer) = alice.negotiate(&bob).await?;
                expect("a=sendonly", answer.has("a=sendonly"), true)
            })
            .engine(async |stage| {
                let mut talk = stage.callee().await?;
                let peer = talk.far.peer.clone();
                peer.add_transceiver(Kind::Audio, RTCRtpTransceiverDirection::Recvonly).await?;
                talk.far.offer(1).await?;
                let answer = talk.far.take_answer().await?;
                expect("a=sendonly", answer.has("a=sendonly"), true)
            }),
        row(
            "an-unknown-section-is-rejected",
            "A section of a kind that nobody knows is answered with port 0.",
        )
        .of(spec::INITIAL_ANSWER, "protocol/unknown-mediatypes.html")
        .bare(async |stage| {
            let bob = stage.peer("bob").await?;
            let offer = unknown_section(&bare_offer(&stage).await?);
            bob.set_remote(&offer.offer()).await?;
            rejected(&Sdp::of(&bob.create_answer().await?))
        })
        .engine(async |stage| {
            let mut talk = stage.callee().await?;
            talk.far.peer.add_track(Kind::Audio).await?;
            talk.far.peer.add_track(Kind::Video).await?;
            let offer = unknown_section(&Sdp::of(&talk.far.peer.offer().await?));
            talk.far.send_offer(&offer.offer(), 1)?;
            rejected(&talk.far.receive_answer().await?.0)
        }),
    ]
}

fn later() -> Vec<Row> {
    vec![
        row("the-session-id-stays", "Later descriptions of a peer connection keep the session id.")
            .of(spec::SUBSEQUENT_OFFER, INITIAL)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let (first, _) = alice.negotiate(&bob).await?;
                alice.add_track(Kind::Audio).await?;
                let (second, _) = alice.negotiate(&bob).await?;
                expect("session id", origin(&second, 1), origin(&first, 1))
            })
            .engine(async |stage| {
                let (first, second) = engine_twice(&stage).await?;
                expect("session id", origin(&second, 1), origin(&first, 1))
            }),
        row("the-version-grows-by-one", "A later description that differs has the next session version.")
            .of(spec::SUBSEQUENT_OFFER, INITIAL)
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let (first, _) = alice.negotiate(&bob).await?;
                alice.add_track(Kind::Audio).await?;
                let (second, _) = alice.negotiate(&bob).await?;
                version_follows(&first, &second)
            })
            .engine(async |stage| {
                let mut talk = stage.callee().await?;
                let first = talk.offer_and_connect(&stage, &[Kind::Audio, Kind::Video]).await?;
                talk.party.engine.network_changed(None);
                let (second, _) = talk.far.receive_offer().await?;
                version_follows(&first, &second)
            }),
        row("mids-stay", "A later offer keeps the sections that there are, with their mids, in their order.")
            .of(spec::SUBSEQUENT_OFFER, "RTCPeerConnection-createOffer.html")
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let (first, _) = alice.negotiate(&bob).await?;
                alice.add_track(Kind::Audio).await?;
                let (second, _) = alice.negotiate(&bob).await?;
                mids_stay(&first, &second)
            })
            .engine(async |stage| {
                let (first, second) = engine_twice(&stage).await?;
                mids_stay(&first, &second)
            }),
        row(
            "a-removed-track-is-inactive-or-receives",
            "After removeTrack the section stays, and sends no longer.",
        )
        .of(spec::SUBSEQUENT_OFFER, "RTCPeerConnection-removeTrack.https.html")
        .bare(async |stage| {
            let (alice, bob) = (stage.peer("alice").await?, stage.peer("bob").await?);
            let sender = alice.add_track(Kind::Audio).await?;
            alice.negotiate(&bob).await?;
            alice.connection.remove_track(&sender).await?;
            let offer = Sdp::of(&alice.create_offer().await?);
            expect("sections", offer.sections().len(), 1)?;
            expect_that(offer.has("a=recvonly") || offer.has("a=inactive"), "the section still sends")
        })
        .not_applicable("an application cannot remove single tracks of the engine's call"),
        row("a-stopped-transceiver-is-rejected", "After stop the section of a transceiver has port 0.")
            .of(spec::TRANSCEIVER, "RTCRtpTransceiver-stop.html")
            .bare(async |stage| {
                let (alice, bob) = stage.pair().await?;
                let direction = RTCRtpTransceiverDirection::Recvonly;
                let transceiver = alice.add_transceiver(Kind::Audio, direction).await?;
                alice.negotiate(&bob).await?;
                transceiver.stop().await?;
                let offer = Sdp::of(&alice.create_offer().await?);
                let audio = offer.value("m=audio ").split(' ').next().map(str::to_owned);
                expect("port of the section", audio.as_deref(), Some("0"))
            })
            .not_applicable("an application cannot stop single transceivers of the engine's call"),
    ]
}

fn data() -> Vec<Row> {
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

/// A first offer of audio and video.
async fn bare_offer(stage: &Stage) -> Result<Sdp, Deviation> {
    let alice = stage.peer("alice").await?;
    alice.add_track(Kind::Audio).await?;
    alice.add_track(Kind::Video).await?;
    Ok(Sdp::of(&alice.offer().await?))
}

/// The engine's answer, and a later offer of its own.
async fn engine_twice(stage: &Stage) -> Result<(Sdp, Sdp), Deviation> {
    let mut talk = stage.callee().await?;
    talk.far.peer.add_track(Kind::Audio).await?;
    talk.far.offer(1).await?;
    let first = talk.far.take_answer().await?;
    talk.connect(stage).await?;
    Ok((first, talk.far.receive_offer().await?.0))
}

fn every_section(sdp: &Sdp, is_so: impl Fn(&Sdp) -> bool, otherwise: &str) -> Shown {
    let sections = sdp.sections();
    expect_that(!sections.is_empty() && sections.iter().all(is_so), otherwise)
}

/// A field of the origin.
fn origin(sdp: &Sdp, field: usize) -> Option<u64> {
    sdp.value("o=").split(' ').nth(field)?.parse().ok()
}

fn version_follows(first: &Sdp, second: &Sdp) -> Shown {
    let (Some(before), Some(after)) = (origin(first, 2), origin(second, 2)) else {
        return Err(Deviation::new("the version is no number"));
    };
    expect_that(before.checked_add(1) == Some(after), "the version does not grow by one")
}

fn mids_stay(first: &Sdp, second: &Sdp) -> Shown {
    let (before, mut after) = (first.values("a=mid:"), second.values("a=mid:"));
    expect_that(after.len() > before.len(), "nothing was added")?;
    after.truncate(before.len());
    expect("mids", after, before)
}

/// The second section, of a kind that there is not.
fn unknown_section(offer: &Sdp) -> Sdp {
    Sdp::from_text(offer.text().replace("m=video ", "m=hologram "))
}

fn rejected(answer: &Sdp) -> Shown {
    let sections = answer.sections();
    let port = sections.get(1).and_then(|section| section.value("m=").split(' ').nth(1).map(str::to_owned));
    expect("port of the second section", port.as_deref(), Some("0"))
}
