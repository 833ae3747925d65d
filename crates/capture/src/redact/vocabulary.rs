//! The words that are nobody's secret: those of W3C, IETF and of browsers, and plain English between them.
//!
//! A text is kept word by word, and a word only where it is in here. `setLocalDescription` is three words, `ICE_CANDIDATE`
//! two. What is not in here is replaced, whatever it is: to forget a word costs a report some clarity, and leaks nothing.

use std::{collections::BTreeSet, sync::LazyLock};

use timeline::{
    CandidateFate, CandidateType, Cause, ConnectionState, EndReason, GatheringState, IceProtocol, IceState,
    Machine, MediaChange, MediaKind, MessageKind, Needed, SignalingState, StreamChange, TrackChange,
};

use crate::mapping;

/// Words beyond the closed sets of this project; of none of them could it be told whom it is about.
const WORDS: &str = "
activity actor emitted adapter huge ce cm linux macos ascii signalingstatechange connectionstatechange icestatechange pageerror cur gum ok getstats getusermedia getdisplaymedia addtrack removetrack mlineindex a able abort aborted absolute ac acceleration accept accepted acceptable access ack ackconnection acknowledged act
action actions active actpass add added adding addr address addresses adm after again against agc agent algorithm alive
alert all allocate allocation allow allowed alpha already alt always am an analysis and answer answerer answers any apm app
api application applied apply applying apps apt are area args array arrival as assembled assembly assertion asymmetry
async at attempt attribute audio audiotoggle auth authentication authenticated authorized auto automatic available avg
avpf await b back backup bad balanced bandwidth base be because been before began begin begun being between bind binding
bit bitrate bits blank block blocked blur body both bound brand brands bridge browser buffer buffered built bundle bundled
busy but by bye bytes c cache call called callee caller calling calls cam camera can cancel canceled cancellation
cancelled candidate candidates cannot capability capture captured category cause caused causes cb cc ccm certificate
certificates cfg change changed changes channel channels check checking checks chrome chromium cipher circuit clear clearing
client clients clock close closed closing cmd cname cn code codec codecs codes collision color com command complete
completed component concealed concealment concurrency conf config configuration configure confirm confirmed conflict
congestion connect connected connecting connection connections consent const constrained constraint constraints construct
constructor consumer contain contained contains content context control controlled controller controlling convert
corrupted cost cot could count counter cpu create created creating creation creator cross csrc ctx current custom cwnd
d data datachannel date db dc deactivated dead dec deceleration decode decoded decoder decrypt default default-src
deferred degradation delay delayed delays delivered delta denied depth desc descending describe description descriptions
desktop dest destination detail details detection dev device devices dial dialled dialling dials did direction dir disable
disabled discard discarded disconnect disconnected disconnecting dismissed display do does dom done down dp draft drop dropped
dscp dtls dtlsstate dtmf dtx due dump duplex duplicate duration durations dynamic e each ec echo ect edge effect efficient
either element else empty enable enabled enc encode encoded encoder encoding encodings encrypted encryption end
ended endpoint ends energy engine english enhancement entries entry environment eq err error errors established estimate estimated
ethernet ev event events evict exact example exceeded exception exchange execute executed execution exist existing exists experiments expected
expired explicit ext extension extensions external extmap f face facing fail failed failing fails failure failures fallback false
family far fast fate fault fec feedback fid field fields file files filter final finished fingerprint fingerprints
fir firefox firewall first flag flags flexfec flight flow flush flushes flushing fmtp fn focus for forbidden force forced foreground
format found foundation fps fraction fractional fragment frame framerate frames freeze freezes from front full fullband
function g gain gather gathered gathering gatherer gcm gecko gen general generate generated generation generic get given goes gone
good goog google gpp group groups gum guard h had half hand handle handler handshake hang hangup happened hard hardware
has have hb hdrext header headers headless height hello held help high highest hint hmac hold holds host hosts hours http https
hung i ice id icecandidate icecandidateerror iceconnectionstatechange iceerror icegatheringstatechange icelite icerestart
icon ideal identical identifier identifiers identity idle ids idx ietf if ignore ignored illegal image impl implementation
implicit in inactive inband inbandfec inbound incoming incompatible indeed index indexes indicate indication infinite
info init initial initialize initialized initiated initiator inner input inserted inside inspector instance instead
int integer integrity inter interceptor interface interfaces internal internals interrupted interruption interval into
invalid invite invoked io ios ip ipv is isolation it item items iteration its j jitter join joined joining json jsep
just k kb kbps keep keepalive key keyframe khtml khz kind kit kv l label language lang last late latency layer layers
leave leaving left len length less level lib library libvpx libwebrtc license lifetime like limit limitation line lines
link linux list listen listener lite local location lock locked log logged login long longest longer loop loss lost low
lower lowest ls lt m mac machine made main make manager many map marker mask match matched matches matching max maxaveragebitrate
maximum maxplaybackrate maxptime may maybe mdns me means measurements media mediadevices member members memory message
messages met method mic microphone microseconds mid mids milliseconds mime min minimum minptime minutes mismatch missing mixed mixing
mline mobile mode modified moment monitor more most move mozilla ms msg msid msids mslabel mtu multicast multiple
multiplex must mute muted mux n nack nan name named namespace nan nat native navigator necessary need needed negative
negotiate negotiated negotiating negotiation negotiationneeded network networks never new newer next no nobody node noise
nominated nomination none normal not note nothing notice notification notify now ns nth ntp null num number numbers o
object objects observed observer occurred of off offer offered offerer offers offline offset ok old older on onaddstream
once onconnectionstatechange ondatachannel ondtlsstatechange one onhook onicecandidate onicecandidateerror
oniceconnectionstatechange onicegatheringstatechange online only onnegotiationneeded onsignalingstatechange ontrack op
opcode open opened operation operations operators opposite option optional options opus or order ordered ordinary org
orientation origin other others our out outage outband outbound outgoing output outside over overlap own owner
p pace packet packetization packets pad padding page pageref pages pair pairs paired panic param parameter parameters params parse
parsed parser part participant participants partial parties pass passed passive past path pause paused pauses pay payload
pc pcb pcm pcma pcmu peer peerconnection peers pending per perfect perform performance performed permission permissions phase
pick pid ping pixel pixels place platform playback playing playout playwright pli pointer policy poll polling pong
pool port ports position positive possible post power pranswer pre prefer preferred prepare present presence press prevent previous
prflx primary prio priority privileged probation probe problem process processed processing profile program progress
prohibited promise prompt properties property protected protocol protocols prov provided provisional prune ptime public
publish published pull push put q qp quality quantity queue queued queues quit r raddr random range rate rates ratio raw
rcvr re reach reachable reached reaction read ready real reason reasons receive received receiver receivers receives
receiving recent recipient reconnect reconnected reconnecting recover recovered recovery recv recvonly red redacted
reduce reduced ref reference reflexive refresh refused register registered regular reject rejected rejecting rel related
relative relay relayed release released reliable rem remb remote remove removed removing renegotiate renegotiation renewed
repaired repeat repeated replace replaced reply report reported reporter reports req request requested requester requests require
required requires res reset resolution resolved resource resp response responses restart restarted restarts result
results resume resumed retransmission retransmissions retransmitted retries retry return returned reverse rfc rid rids
right ring ringing rings rmcat role rollback rolled room rooms rotation round route rov rport rsize rtc rtcp rtcstats rtp
rtpmap rtt rtx run running s safari same sample samples sandbox saving savp savpf scalability scale scheduled screen
script sctp sctpmap sdes sdp sdparta second secondary seconds section sections secure security see seen segment select
selected selection semantic semantics send sender senders sending sendonly sendrecv sends sent seq sequence serial server servers
service session sessions set sets setting settings setup several sfu sha share shared sharing she short should shut shutdown
side sig sign signal signaling signalling signals silent similar simulcast since single site size sizes skew skipped sleep slice
slow small snapshot so socket sockets soft software solicited some source sources space span speaker speakers speaking spec spec-complete
specified speech speed sprop squared src srflx srtcp srtp ssl ssltcp ssrc ssrcs st stable stack stale standard start started
starting starts startup stat state statechange states static station statistics stats status step stereo still stop stopped
stopping storage store stored str stream streaming streams strict string stun style sub subject subscribe subscribed
subscription succeed succeeded success successful successfully such suite sum support supported suspend suspended switch
switched switching sync synced synchronization syntax synthesized system t tab take taken takes target targets task tcp
tcptype tech telephone temperature temporal temporarily terminate terminated test tests text than that the their them
then there these they thing this those thread threshold through throughput tias ticks tier time timed timeout timer
times timestamp timestamps timing timings tls to toffset toggle too took total trace track tracks transaction transceiver
transceivers transfer transition transmit transmission transmitted transport transports trickle trip tried true truncated
try tries trying ts turn turns two tx typ type types u udp ufrag uint ulpfec unable unauthorized unbound uncaught undefined under
unexpected unexpectedly unhandled unhold unicast unified unknown unlimited unlock unmute unmuted unnamed unpublish unreachable
unreadable unreliable unsigned unspecified unsubscribe unsupported until up update updated updates upgrade upgraded upload uploaded
upper uri uris url urls urn use used usedtx useinbandfec user username users uses using v valid validate value values
variable verdict verify verified version versions very via video videotoggle view vm voice volume vp vpn w wait waiting
waits wants warn warning was way we weather web webgl webkit webm webrtc websocket well went were what when where whether which
while who whole why wideband width wifi window windows wire with within without wms words work worker working would writable
write wrong ws wss www x xr y yes yet you your z zero
janus jsep plugin plugindata handle handles hangup webrtcup slowlink videocall videoroom audiobridge echotest joinandconfigure
incomingcall rejecting declining decline proceeding trickle verto telnyx signalwire dialog sessid calling normal clearing user busy invite ringing
mse hls mjpeg jsonrpc mediasoup protoo produce producing consume consuming dtls ice parameters fingerprints foundation algorithm
here gone moved elsewhere everywhere anywhere exist loop detected ambiguous unavailable gateway intermediate interval
about div span table td tr th pre class border bottom heading history fold proxied relative set modify hold unhold
capabilities router alg cname nonce sent packets camera webrtc home assistant attach detach detached keepalive configured configure
abs aes apple android av aomedia codecs cbr vbr chacha poly curve ecdsa rsa sha dependency descriptor experiments github holmer
hevc ilbc isac lyra speex silk celt ulaw alaw linear mozilla webrtc-experimental params parameter pixelaspect sar sprop
inband video-orientation webrtc-datachannel layers-allocation color-space wide-capture playout-delay rps vla tag tags
http-equiv invalidaccess invalidstate invalidmodification notallowed notfound notreadable notsupported overconstrained
securityerror typeerror referenceerror domexception websocketerror timeouterror aborterror operationerror networkerror
";

/// Types of messages that are written in one word and small letters are among the words of the mappings; the names of
/// events of peer connections come with and without `on`.
static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let closed = [
        MessageKind::WORDS,
        MediaKind::WORDS,
        Cause::WORDS,
        CandidateFate::WORDS,
        CandidateType::WORDS,
        IceProtocol::WORDS,
        Machine::WORDS,
        SignalingState::WORDS,
        GatheringState::WORDS,
        IceState::WORDS,
        ConnectionState::WORDS,
        EndReason::WORDS,
        MediaChange::WORDS,
        Needed::WORDS,
        StreamChange::WORDS,
        TrackChange::WORDS,
    ];
    let closed = closed.into_iter().flatten().copied().chain(timeline::CallState::WORDS.iter().copied());
    let texts = closed.chain(mapping::known_words()).chain(WORDS.split_whitespace());
    texts.flat_map(|text| words(text).flat_map(parts)).map(str::to_ascii_lowercase).collect()
});

/// Whether every part of `word` is in the vocabulary; numbers of up to three digits are. `own` are further words.
pub(super) fn is_known(word: &str, own: &BTreeSet<String>) -> bool {
    if word.len() == 1 {
        return word.as_bytes()[0].is_ascii_alphanumeric();
    }
    if own.contains(word) || WHOLE.contains(&word) {
        return true;
    }
    let mut letters = false;
    let known = parts(word).all(|part| match part.as_bytes()[0].is_ascii_digit() {
        true => part.len() <= 3,
        false => {
            letters = true;
            // One letter within a word is a word of none.
            part.len() > 1 && KNOWN.contains(part.to_ascii_lowercase().as_str())
        }
    });
    known && letters
}

/// Names that are one word, whatever letters and digits they have.
const WHOLE: &[&str] = &[
    "sdpMLineIndex",
    "H264",
    "H265",
    "VP8",
    "VP9",
    "AV1",
    "AV1X",
    "G722",
    "G729",
    "L16",
    "rtp",
    "1x",
    "sha256",
    "vp8",
    "vp9",
    "h264",
    "h265",
    "av1",
    "L1T1",
    "L1T2",
    "L1T3",
    "L3T3",
    "x86",
    "mp4",
    "h3",
    "h4",
    "h5",
    "l10n",
    "r0",
    "r1",
    "r2",
];

/// The words of a text: letters and digits of ASCII, and whatever is not ASCII.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !is_of_a_word(letter)).filter(|word| !word.is_empty())
}

/// What is not ASCII belongs to a word: in no language is it told what divides words.
pub(super) const fn is_of_a_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || !letter.is_ascii()
}

/// The parts of a word: `set`, `Local`, `Description`; `H`, `264`; `ICE`, `Candidate`.
pub(super) fn parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let end = end_of_part(rest);
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

fn end_of_part(word: &str) -> usize {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Upper,
        Lower,
        Digit,
        Other,
    }
    let kind = |letter: char| match letter {
        'A'..='Z' => Kind::Upper,
        'a'..='z' => Kind::Lower,
        '0'..='9' => Kind::Digit,
        _ => Kind::Other,
    };
    let mut letters = word.char_indices().peekable();
    let Some((_, first)) = letters.next() else { return 0 };
    let mut before = kind(first);
    while let Some((at, letter)) = letters.next() {
        let now = kind(letter);
        let next = letters.peek().map(|(_, letter)| kind(*letter));
        let ends = match (before, now) {
            // `Local|Description` begins a part, `RTC|Peer` a letter before the small one, `I|ds` not.
            (Kind::Upper, Kind::Upper) => next == Some(Kind::Lower),
            (Kind::Upper, Kind::Lower) => false,
            (before, now) => before != now,
        };
        if ends {
            return at;
        }
        before = now;
    }
    word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expect: bool) {
        assert_eq!(is_known(word, &BTreeSet::new()), expect, "{word}");
    }

    #[test]
    fn words_of_specifications_are_known_and_all_others_are_not() {
        for word in [
            "setLocalDescriptionOnSuccess",
            "RTCPeerConnection",
            "ICE",
            "sdpMLineIndex",
            "InvalidStateError",
            "H264",
            "icecandidateerror",
            "peerConnection2",
            "iceUfrag",
            "getUserMedia",
            "newpeer",
            "x",
        ] {
            check(word, true);
        }
        for word in [
            "carol",
            "hunter2",
            "Carol",
            "hX7yRZJ",
            "4915",
            "Zoë",
            "AirPods",
            "kitchenRoom",
            "a1b2c3",
            "A1b2C3d4",
        ] {
            check(word, false);
        }
    }
}
