/// By the ids of the report on field cases where it has them: S are real dumps (here: made after them), P the forms of
/// applications on the wire, D odd descriptions.
const CASES: &[Case] = &[
    // S1, S2, S3
    case("field/stun-error-on-one-interface.webrtc-internals.json", GOOD, "The call connected 34 ms after the offer", "!ice-server-error"),
    case("field/whole-second-times.webrtc-internals.json", GOOD, "about 1 s after the offer (its clock shows whole seconds)", "clock-whole-seconds !slow-step"),
    // S4
    case("field/tracks-without-addtrack-entries.webrtc-internals.json", GOOD, "The call connected 34 ms after the offer", "!own-stack-refused"),
    case("field/media-both-ways.webrtc-internals.json", GOOD, "The call connected 35 ms after the offer.", "!media-one-way !media-not-received"),
    // S5
    case("field/callee-page-reloaded.webrtc-internals.json", GOOD, "The call connected 35 ms after the offer", "page-reloaded"),
    // S6
    case("hand-made/opened-late.webrtc-internals.json", GOOD, "when the capture began; how it came to that is not in it", "partial-capture"),
    // S7
    case("field/statistics-of-received-media-only.webrtc-internals.json", GOOD, "The call connected", "!media-not-received"),
    // S8
    case("field/no-connection-left.webrtc-internals.json", [Code::NothingRan, Code::NothingRan], "", ""),
    // S9
    case("field/about-webrtc-connected.html", GOOD, "offer and answer were exchanged", "!ice-never-connected"),
    case("field/about-webrtc-video-refused.html", GOOD, "callee refused video in its answer", "media-refused"),
    case("field/about-webrtc-no-answer.html", GOOD, "was not answered within 30 s", "offer-unanswered"),
    case("field/about-webrtc-renegotiated.html", GOOD, "offer and answer were exchanged", "renegotiation"),
    // P1
    case("field/json-rpc-verto.har", GOOD, "offer and answer were exchanged", "!offer-unanswered !stale-answer"),
    case("field/verto-busy.har", GOOD, "The call never connected", "call-rejected"),
    case("field/verto-answer-lost.har", GOOD, "it rang, and nobody answered", "offer-unanswered"),
    case("field/verto-held.har", GOOD, "", "!media-refused"),
    // P2
    case("field/matrix-answered.har", GOOD, "offer and answer were exchanged", "!offer-unanswered"),
    case("field/matrix-rejected.har", GOOD, "The call never connected", "call-rejected"),
    case("field/matrix-not-answered.har", GOOD, "was not answered within 60 s", "offer-unanswered"),
    case("field/matrix-encrypted-answer.har", GOOD, "2 messages at the same connection were not understood; an answer may be among them", "messages-not-understood !offer-unanswered"),
    case("field/matrix-renegotiated.har", GOOD, "offer and answer were exchanged", "renegotiation"),
    // P3
    case("field/janus-connected.har", GOOD, "The call connected 200 ms after the offer", "!server-reported-failure"),
    case("field/janus-ice-failed.har", WRONG, "the server reports that its connection with caller was up, and then failed: ICE failed", "server-reported-failure"),
    case("field/janus-answer-lost.har", GOOD, "was not answered within 30 s", "offer-unanswered"),
    case("field/janus-renegotiated.har", GOOD, "slow link", "renegotiation server-reported-failure"),
    case("field/janus-refused.har", WRONG, "No such room (1234)", "server-reported-failure"),
    // P4
    case("field/go2rtc.har", GOOD, "offer and answer were exchanged", "!messages-not-understood"),
    case("field/go2rtc-refused.har", WRONG, "codecs not matched", "server-reported-failure"),
    case("field/go2rtc-answer-lost.har", GOOD, "was not answered within 30 s", "offer-unanswered"),
    case("field/home-assistant-trickled.har", GOOD, "offer and answer were exchanged", "!messages-not-understood"),
    // P5
    case("field/nested-twice.har", [Code::NothingRan, Code::NothingRan], "", ""),
    case("field/answer-in-other-form.har", GOOD, "2 messages at the same connection were not understood", "messages-not-understood !offer-unanswered"),
    // P6
    case("field/peerjs.har", GOOD, "offer and answer were exchanged", ""),
    // P7
    case("field/sip-answered.har", GOOD, "offer and answer were exchanged", "!offer-unanswered"),
    case("field/sip-busy.har", GOOD, "bob did not take the call (486 Busy Here)", "call-rejected"),
    case("field/sip-cancelled.har", GOOD, "it rang, and nobody answered within 30 s", "offer-unanswered"),
    case("field/sip-not-acceptable.har", WRONG, "488 Not Acceptable Here", "server-reported-failure"),
    case("field/sip-renegotiated-and-trickled.har", GOOD, "offer and answer were exchanged", "renegotiation"),
    case("field/sip-answer-lost.har", GOOD, "it rang, and nobody answered within 40 s", "offer-unanswered"),
    case("field/whip-connected.har", GOOD, "offer and answer were exchanged", ""),
    case("field/whip-refused.har", WRONG, "HTTP 404 stream key not found", "server-reported-failure"),
    case("field/whip-answer-lost.har", GOOD, "was not answered within 40 s", "offer-unanswered"),
    case("field/whep-restarted.har", GOOD, "offer and answer were exchanged", ""),
    // P8
    case("field/mediasoup-connected.har", GOOD, "offer and answer were exchanged", ""),
    case("field/mediasoup-refused.har", WRONG, "connect() already called", "server-reported-failure"),
    case("field/mediasoup-never-connected.har", GOOD, "was not answered within 30 s", "offer-unanswered"),
    case("field/mediasoup-restarted.har", GOOD, "offer and answer were exchanged", ""),
    case("field/livekit-connected.har", GOOD, "offer and answer were exchanged", ""),
    case("field/livekit-answer-lost.har", GOOD, "was not answered within 30 s", "offer-unanswered"),
    case("field/livekit-renegotiated.har", GOOD, "offer and answer were exchanged", "renegotiation"),
    case("field/livekit-left-by-server.har", GOOD, "was not answered: the other side ended the call", "offer-unanswered"),
    // P9
    case("field/pasted-descriptions.txt", GOOD, "callee refused video in its answer (port 0)", "media-refused"),
    case("field/pasted-connected-pair.json", GOOD, "offer and answer were exchanged", "!media-refused"),
    case("field/pasted-offer-alone.sdp", GOOD, "neither is an offer with its answer", "!offer-unanswered"),
    case("field/pasted-renegotiation.json", GOOD, "", "media-inactive renegotiation"),
    case("field/get-stats-both-ways.json", GOOD, "The call connected", "!media-one-way"),
    case("field/get-stats-nothing-comes.json", WRONG, "went one way only", "media-not-received media-one-way"),
    case("field/get-stats-one-snapshot.json", GOOD, "The call connected", "!media-not-received"),
    case("field/get-stats-sound-stops.jsonl", GOOD, "audio ceased to arrive", "media-stopped"),
    // D1, D2, D3, D4, D5
    case("field/answer-without-rtcp-mux.webrtc-internals.json", WRONG, "RTCP-MUX is not enabled", "description-refused rtcp-mux-missing"),
    case("field/sections-in-another-order.webrtc-internals.json", WRONG, "The order of m-lines in answer", "description-refused mid-mismatch"),
    case("field/bundle-names-no-section.webrtc-internals.json", WRONG, "matching no m= section", "description-refused bundle-mismatch"),
    case("field/dtls-role-changes-in-second-answer.webrtc-internals.json", WRONG, "The call connected 35 ms after the offer; but the browser of caller refused the remote answer (Failed to set remote answer sdp: Failed to set SSL role", "description-refused"),
    case("field/offer-refused-dump-goes-on.webrtc-internals.json", WRONG, "matching no m= section", "description-refused"),
    case("field/ice-in-first-section-only.webrtc-internals.json", GOOD, "The call connected 35 ms after the offer.", "!mid-mismatch"),
    // D6, D7
    case("field/answer-rejects-everything.webrtc-internals.json", WRONG, "callee refused audio and video in its answer (port 0): nothing is left to connect", "media-refused"),
    case("field/answer-refuses-video.webrtc-internals.json", GOOD, "but callee refused video in its answer (port 0)", "media-refused"),
    case("field/answer-inactive.webrtc-internals.json", WRONG, "but callee made audio and video inactive", "media-inactive"),
    case("field/answer-takes-no-video-from-callee.webrtc-internals.json", GOOD, "it goes from caller to callee only", "media-one-way"),
    case("field/answer-with-codecs-not-offered.webrtc-internals.json", WRONG, "they have no codec in common", "no-common-codec"),
    // D8
    case("field/connected-and-nothing-arrives-at-caller.webrtc-internals.json", WRONG, "but audio and video went one way only, from caller to callee", "media-not-received media-one-way"),
    case("field/one-side-only-nothing-arrives.webrtc-internals.json", WRONG, "but audio and video went one way only, from caller to callee", "media-not-received media-one-way"),
    case("field/sound-stops-in-mid-call.webrtc-internals.json", WRONG, "audio ceased to arrive at caller", "media-stopped !media-not-received"),
    case("field/callee-never-sends-sound.webrtc-internals.json", WRONG, "callee was to send audio and sent none of it", "media-never-sent !media-not-received"),
    // D9
    case("field/both-passive.relay.jsonl", WRONG, "both wait and nobody begins DTLS", "dtls-roles-clash"),
    case("field/both-passive-with-states.webrtc-internals.json", WRONG, "both wait and nobody begins DTLS", "dtls-roles-clash dtls-never-connected"),
    case("field/both-active.webrtc-internals.json", WRONG, "both begin DTLS", "dtls-roles-clash"),
    case("field/both-ice-lite.webrtc-internals.json", WRONG, "both sides are ICE lite", "ice-lite-both-sides"),
    // D10
    case("field/old-data-channel-section.relay.jsonl", GOOD, "callsim's own WebRTC stack refused a description", "own-stack-refused"),
    // D11
    case("field/relay-with-inside-address.webrtc-internals.json", WRONG, "is 172.31.4.7, which is of an inside network", "relay-address-private"),
    // D12
    case("field/plan-b-offer.webrtc-internals.json", GOOD, "The call connected", ""),
    // Rollback, and deliveries
    case("field/explicit-rollback.webrtc-internals.json", GOOD, "the app of caller rolled a description back", "rollback !offer-unanswered"),
    case("field/answer-not-passed-on.relay.jsonl", WRONG, "was never passed on to u_4411: u_4411's connection to the server had ended 300 ms before (close code 1006)", "answer-not-delivered !stale-answer"),
    case("field/answer-dropped-line-names-addressee.relay.jsonl", WRONG, "was dropped by the server", "answer-not-delivered !stale-answer"),
    case("field/offer-not-passed-on.relay.jsonl", WRONG, "the offer of u_4411 for u_9023 reached the server", "offer-not-delivered !offer-unanswered"),
    case("field/callee-leaves-after-offer.relay.jsonl", WRONG, "u_9023's connection to the server ended 199 ms after the offer", "peer-left-the-server !offer-unanswered"),
    case("field/answer-sent-again.relay.jsonl", GOOD, "offer and answer were exchanged", "!answer-not-delivered"),
    case("field/sender-contradicts-line.relay.jsonl", GOOD, "", "names-contradict"),
];
