//! Switches for tests: each turns one guard of the engine off, so that the failure it stands against
//! comes back.
//!
//! A harness that claims to find bugs must go red when a guard is off. Applications leave them alone.

/// The engine's guards, each against one failure that calling apps reported. All are on by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// 1. A candidate that comes before the remote description waits for it. Off: it is applied at
    ///    once and lost with "The remote description was null" (react-native-webrtc#1377, #1295;
    ///    w3c/webrtc-pc#2519).
    pub hold_early_candidates: bool,
    /// 2. A candidate that comes before there is a peer connection at all waits too: the same race,
    ///    seen as a flake of Pion's tests (pion/webrtc#1029). Off: it is dropped.
    pub hold_candidates_before_peer: bool,
    /// 3. When offers cross, the polite side rolls its own back. Off: neither side yields and both wait
    ///    for ever (feross/simple-peer#265, yjs/y-webrtc PR #39).
    pub roll_back_on_glare: bool,
    /// 4. A duplicated or late description has no effect. Off: it is applied in the wrong state
    ///    (feross/simple-peer#494).
    pub ignore_stale_descriptions: bool,
    /// 5. `negotiationneeded` is answered in `stable` only, and however often it fires one offer
    ///    covers what changed. Off: each event makes an offer (react-native-webrtc's call guide;
    ///    node-webrtc#586).
    pub offer_only_in_stable: bool,
    /// 6. The engine itself offers after asking for an ICE restart, for `restart_ice()` of `webrtc`
    ///    0.21.1 does not fire `negotiationneeded` (webrtc-rs/webrtc#715). Off: the restart waits for
    ///    an event that never comes.
    pub offer_after_ice_restart: bool,
    /// 7. ICE that stays in `checking` has a deadline (react-native-webrtc#35, #545; aiortc#381). Off:
    ///    it is waited for until `webrtc` gives up by itself after 30 s.
    pub checking_deadline: bool,
    /// 8. Candidates are sent as they are found. Off: they are sent when gathering is complete, so that
    ///    the other side's agent runs out of time before it has any (meetecho/janus-gateway#321, #738),
    ///    and a dead TURN server holds up everything.
    pub trickle_at_once: bool,
    /// 9. The peer gets the STUN and TURN servers of its constraints. Off: the call works on a LAN and
    ///    nowhere else (react-native-webrtc#1475, #1667).
    pub use_ice_servers: bool,
    /// 10. A change of network restarts ICE at once. Off: the old path has to fail first, up to 15 s of
    ///     silence (element-call#928, deltachat-android#4536).
    pub restart_on_network_change: bool,
    /// 11. An ICE restart opens new sockets. Off: it goes on with those that the system closed in the
    ///     background, and stays in `checking` (webrtc-rs/webrtc#868, PR #871).
    pub rebind_on_restart: bool,
    /// 12. The DTLS handshake has a deadline of its own, after which the peer is rebuilt. Off: one lost
    ///     flight can stall it for ever in `webrtc` 0.21.1 (see also libdatachannel#1635, rtpengine#1310).
    pub dtls_deadline: bool,
    /// 13. Data channels are part of the first offer, so that SCTP is up before a message is sent. Off:
    ///     the first message asks for them, and pays for a negotiation and for each lost INIT
    ///     (webrtc-rs/rtc#225); `webrtc` 0.21.1, which starts SCTP with the DTLS handshake and never
    ///     later, does not open them at all.
    pub data_channel_in_first_offer: bool,
    /// 14. A call that may use relayed candidates only nominates one at once. Off: it waits 2 s for
    ///     better ones that cannot come (pion/ice#324, livekit PR #4835).
    pub nominate_relay_at_once: bool,
    /// 15. A recovery that waits for signalling goes on when that is back. Off: the reconnect looks
    ///     fine and no offer is made (livekit/server-sdk-go#111, PR #420).
    pub resume_after_signaling: bool,
    /// 16. The end of the candidates is signalled (pion/webrtc#767). Off: the other side cannot tell
    ///     that no more come.
    pub send_end_of_candidates: bool,
    /// 17. A candidate that overtakes the description of its ICE generation waits for that one (janus#327:
    ///     the trickle beats the SDP). Off: it is applied to the generation before.
    pub match_candidate_generation: bool,
}

impl Guards {
    /// Every guard is on.
    pub const ALL_ON: Self = Self {
        hold_early_candidates: true,
        hold_candidates_before_peer: true,
        roll_back_on_glare: true,
        ignore_stale_descriptions: true,
        offer_only_in_stable: true,
        offer_after_ice_restart: true,
        checking_deadline: true,
        trickle_at_once: true,
        use_ice_servers: true,
        restart_on_network_change: true,
        rebind_on_restart: true,
        dtls_deadline: true,
        data_channel_in_first_offer: true,
        nominate_relay_at_once: true,
        resume_after_signaling: true,
        send_end_of_candidates: true,
        match_candidate_generation: true,
    };
}

impl Default for Guards {
    /// [`Guards::ALL_ON`].
    fn default() -> Self {
        Self::ALL_ON
    }
}

macro_rules! named {
    ($($name:ident),+ $(,)?) => {
        impl Guards {
            /// The names of all guards, in the order of their numbers.
            pub const NAMES: &[&str] = &[$(stringify!($name)),+];

            /// Switches the guard `name` on or off. `None` where there is no such guard.
            pub fn set(&mut self, name: &str, on: bool) -> Option<()> {
                match name {
                    $(stringify!($name) => self.$name = on,)+
                    _ => return None,
                }
                Some(())
            }
        }
    };
}

named! {
    hold_early_candidates,
    hold_candidates_before_peer,
    roll_back_on_glare,
    ignore_stale_descriptions,
    offer_only_in_stable,
    offer_after_ice_restart,
    checking_deadline,
    trickle_at_once,
    use_ice_servers,
    restart_on_network_change,
    rebind_on_restart,
    dtls_deadline,
    data_channel_in_first_offer,
    nominate_relay_at_once,
    resume_after_signaling,
    send_end_of_candidates,
    match_candidate_generation,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventeen_guards_each_with_a_switch_of_its_own() {
        assert_eq!(Guards::NAMES.len(), 17);
        let mut seen = vec![Guards::ALL_ON];
        for name in Guards::NAMES {
            let mut guards = Guards::default();
            assert_eq!(guards.set(name, false), Some(()));
            assert!(!seen.contains(&guards), "{name} switches what another one does");
            seen.push(guards);
        }
        assert_eq!(Guards::default().set("no_such_guard", false), None);
    }
}
