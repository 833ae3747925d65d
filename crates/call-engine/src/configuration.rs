//! What the application configures of its peer: the guide's *peer constraints* and *session
//! constraints*, in today's spelling and in the older one that apps still carry around.

use rtc::peer_connection::configuration::{RTCIceServer, RTCIceTransportPolicy};
use serde::{Deserialize, Deserializer, Serialize, de};

/// `RTCConfiguration` (W3C webrtc-pc §4.2.1) as far as a call needs it.
///
/// Reads from JSON with `urls` as a string or as a list (W3C) and with the older `url` (the call
/// guide's spelling). Members that it does not know are ignored, as a browser ignores them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerConstraints {
    /// STUN and TURN servers, in order of preference.
    pub ice_servers: Vec<IceServer>,
    /// Which candidates may be used.
    pub ice_transport_policy: IceTransportPolicy,
}

/// One STUN or TURN server (W3C webrtc-pc §4.2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065); never empty when read from JSON.
    pub urls: Vec<String>,
    /// The TURN user name, empty for STUN.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The TURN password, empty for STUN.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub credential: String,
}

/// `iceTransportPolicy` (W3C webrtc-pc §4.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IceTransportPolicy {
    /// Any candidate.
    #[default]
    All,
    /// Only candidates relayed by a TURN server.
    Relay,
}

timeline::words! { impl IceTransportPolicy { All = "all", Relay = "relay" } }

/// The guide's *session constraints*: what an offer asks for.
///
/// Reads from JSON in today's form, `{ "offerToReceiveAudio": true }` (W3C webrtc-pc §4.4.3), and in
/// the older one, `{ "mandatory": { "OfferToReceiveAudio": true, … } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionConstraints {
    /// Whether the offer asks to receive audio.
    pub offer_to_receive_audio: bool,
    /// Whether the offer asks to receive video.
    pub offer_to_receive_video: bool,
    /// Whether comfort noise may be offered (RFC 9429 §4.1.8). None of the codecs that the engine
    /// registers is comfort noise, so that either value gives the same offer today.
    pub voice_activity_detection: bool,
}

impl PeerConstraints {
    /// Whether there is a TURN server to relay through.
    pub(crate) fn has_turn(&self) -> bool {
        let is_turn = |url: &String| url.starts_with("turn:") || url.starts_with("turns:");
        self.ice_servers.iter().any(|server| server.urls.iter().any(is_turn))
    }

    /// The servers in the form that `webrtc` takes.
    pub(crate) fn rtc_ice_servers(&self) -> Vec<RTCIceServer> {
        let convert = |server: &IceServer| RTCIceServer {
            urls: server.urls.clone(),
            username: server.username.clone(),
            credential: server.credential.clone(),
        };
        self.ice_servers.iter().map(convert).collect()
    }

    /// The policy in the form that `webrtc` takes.
    pub(crate) const fn rtc_policy(&self) -> RTCIceTransportPolicy {
        match self.ice_transport_policy {
            IceTransportPolicy::All => RTCIceTransportPolicy::All,
            IceTransportPolicy::Relay => RTCIceTransportPolicy::Relay,
        }
    }
}

impl Default for SessionConstraints {
    /// The guide's: receive both, with voice activity detection.
    fn default() -> Self {
        Self { offer_to_receive_audio: true, offer_to_receive_video: true, voice_activity_detection: true }
    }
}

impl<'de> Deserialize<'de> for IceServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Urls {
            One(String),
            Many(Vec<String>),
        }
        #[derive(Deserialize)]
        struct Raw {
            urls: Option<Urls>,
            url: Option<Urls>,
            #[serde(default)]
            username: String,
            #[serde(default)]
            credential: String,
        }

        let raw = Raw::deserialize(deserializer)?;
        let urls = match raw.urls.or(raw.url) {
            Some(Urls::One(url)) => vec![url],
            Some(Urls::Many(urls)) => urls,
            None => return Err(de::Error::missing_field("urls")),
        };
        if urls.is_empty() {
            return Err(de::Error::invalid_length(0, &"at least one URL in `urls`"));
        }
        Ok(Self { urls, username: raw.username, credential: raw.credential })
    }
}

impl<'de> Deserialize<'de> for SessionConstraints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Raw {
            #[serde(alias = "OfferToReceiveAudio")]
            offer_to_receive_audio: Option<bool>,
            #[serde(alias = "OfferToReceiveVideo")]
            offer_to_receive_video: Option<bool>,
            #[serde(alias = "VoiceActivityDetection")]
            voice_activity_detection: Option<bool>,
            mandatory: Option<Box<Raw>>,
        }

        let raw = Raw::deserialize(deserializer)?;
        let older = raw.mandatory.unwrap_or_default();
        let default = Self::default();
        let pick = |new: Option<bool>, old: Option<bool>, default| new.or(old).unwrap_or(default);
        Ok(Self {
            offer_to_receive_audio: pick(
                raw.offer_to_receive_audio,
                older.offer_to_receive_audio,
                default.offer_to_receive_audio,
            ),
            offer_to_receive_video: pick(
                raw.offer_to_receive_video,
                older.offer_to_receive_video,
                default.offer_to_receive_video,
            ),
            voice_activity_detection: pick(
                raw.voice_activity_detection,
                older.voice_activity_detection,
                default.voice_activity_detection,
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_servers(json: &str, expect: &[&[&str]]) {
        let read: PeerConstraints = serde_json::from_str(json).unwrap();
        let urls: Vec<Vec<&str>> =
            read.ice_servers.iter().map(|server| server.urls.iter().map(String::as_str).collect()).collect();
        assert_eq!(urls, expect);
    }

    #[test]
    fn reads_urls_as_string_as_list_and_the_older_url() {
        check_servers(r#"{"iceServers":[{"urls":"stun:a"}]}"#, &[&["stun:a"]]);
        check_servers(r#"{"iceServers":[{"urls":["stun:a","turn:b"]}]}"#, &[&["stun:a", "turn:b"]]);
        check_servers(r#"{"iceServers":[{"url":"stun:a"},{"urls":"stun:b"}]}"#, &[&["stun:a"], &["stun:b"]]);
        check_servers("{}", &[]);
    }

    #[test]
    fn refuses_a_server_without_urls() {
        for json in [r#"{"iceServers":[{}]}"#, r#"{"iceServers":[{"urls":[]}]}"#] {
            let error = serde_json::from_str::<PeerConstraints>(json).unwrap_err().to_string();
            assert!(error.contains("urls") || error.contains("URL"), "{error}");
        }
    }

    #[track_caller]
    fn check_session(json: &str, expect: (bool, bool, bool)) {
        let read: SessionConstraints = serde_json::from_str(json).unwrap();
        let found = (read.offer_to_receive_audio, read.offer_to_receive_video, read.voice_activity_detection);
        assert_eq!(found, expect);
    }

    #[test]
    fn reads_session_constraints_in_both_forms() {
        check_session("{}", (true, true, true));
        check_session(r#"{"offerToReceiveVideo":false}"#, (true, false, true));
        check_session(
            r#"{"mandatory":{"OfferToReceiveAudio":false,"OfferToReceiveVideo":true,"VoiceActivityDetection":false}}"#,
            (false, true, false),
        );
    }
}
