//! The STUN and TURN servers of a plan, and what peers know of them.

use std::{net::SocketAddr, time::Duration};

use rtc::peer_connection::configuration::RTCIceServer;
use stage::{EPOCH_S, IceServerSettings, Names, REALM, domain};
use turn_service::{Credentials, Settings, TurnSettings, mint};

use crate::plan::{CredentialKind, IceServerKind, IceServerPlan, PeerPlan, Plan, TurnCredentials};

/// Every peer's password at long-term servers, and what time-limited ones share with the application.
const PASSWORD: &str = "correct horse";
/// How long a time-limited credential is good for: the day that coturn's documentation suggests.
const CREDENTIAL_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What a server of the plan is given when it starts.
pub(super) fn settings(plan: &IceServerPlan, peers: &[PeerPlan], seed: u64) -> IceServerSettings {
    IceServerSettings {
        service: service(plan, peers, seed),
        mood: plan.mood,
        listen: plan.addresses.iter().map(|&address| SocketAddr::new(address, plan.port)).collect(),
    }
}

fn service(plan: &IceServerPlan, peers: &[PeerPlan], seed: u64) -> Settings {
    let epoch = Duration::from_secs(EPOCH_S);
    match plan.kind {
        IceServerKind::Stun => Settings::stun_only(seed, epoch),
        IceServerKind::Turn => {
            let credentials = match plan.credentials {
                CredentialKind::LongTerm => peers
                    .iter()
                    .fold(Credentials::default(), |known, peer| known.and_user(peer.name.as_str(), PASSWORD)),
                CredentialKind::TimeLimited => Credentials::time_limited(PASSWORD),
            };
            let turn = TurnSettings {
                relay_ports: plan.relay_ports.clone(),
                default_lifetime: plan.allocation_lifetime,
                nonce_lifetime: plan.nonce_lifetime,
                quota: plan.quota,
                ..TurnSettings::new(REALM, credentials, plan.addresses.clone())
            };
            Settings::with_turn(seed, epoch, turn)
        }
    }
}

/// The domain names of the plan's servers, and of its peers, which may be servers of a user's own: with the addresses
/// that they have at the beginning.
pub(super) fn names(plan: &Plan) -> Names {
    let servers = plan.ice_servers.iter().map(|server| (&server.name, server.addresses.clone()));
    stage::names(servers.chain(plan.peers.iter().map(|peer| (&peer.name, peer.addresses.clone()))))
}

/// The `iceServers` of `peer` (W3C webrtc-pc §4.2.4).
pub(super) fn configuration(plan: &Plan, peer: &PeerPlan) -> Vec<RTCIceServer> {
    let used = plan.ice_servers.iter().filter(|server| peer.ice_servers.contains(&server.name));
    used.flat_map(|server| {
        let urls = |scheme: &str| vec![format!("{scheme}:{}:{}", domain(&server.name), server.port)];
        let stun = RTCIceServer { urls: urls("stun"), ..RTCIceServer::default() };
        let turn = (server.kind == IceServerKind::Turn).then(|| {
            let (username, credential) = credentials(server, peer);
            RTCIceServer { urls: urls("turn"), username, credential }
        });
        [stun].into_iter().chain(turn)
    })
    .collect()
}

fn credentials(server: &IceServerPlan, peer: &PeerPlan) -> (String, String) {
    let user = peer.name.to_string();
    match (server.credentials, peer.turn_credentials) {
        (CredentialKind::LongTerm, TurnCredentials::Valid) => (user, PASSWORD.to_owned()),
        (CredentialKind::LongTerm, TurnCredentials::Wrong) => (user, "wrong".to_owned()),
        (CredentialKind::LongTerm, TurnCredentials::Expired) => {
            (format!("former-{user}"), PASSWORD.to_owned())
        }
        (CredentialKind::TimeLimited, shown) => {
            let now = Duration::from_secs(EPOCH_S);
            let expiry = match shown {
                TurnCredentials::Expired => now.saturating_sub(Duration::from_secs(1)),
                _ => now + CREDENTIAL_LIFETIME,
            };
            let secret = if shown == TurnCredentials::Wrong { "another secret" } else { PASSWORD };
            let minted = mint(secret, peer.name.as_str(), expiry).expect("a peer's name makes a user name");
            (minted.username, minted.password)
        }
    }
}
