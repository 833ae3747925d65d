use std::time::Duration;

/// How a lost connection is recovered; the rules are those of the engine's recovery ladder. Each rung
/// can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// How long `disconnected` may heal by itself: it does within a keepalive or two where packets were
    /// lost, and never where the path is gone.
    pub disconnected_wait: Duration,
    /// How long an offer may stay unanswered; then the peer is rebuilt, for a new peer connection alone can
    /// offer again. `None`: for ever. Longer than signalling can be late, or rebuilds pile up in it.
    pub answer: Option<Duration>,
    /// How long ICE may stay in `checking` when the call first connects. `None`: until it fails.
    pub checking: Option<Duration>,
    /// How long the DTLS handshake may take once ICE is connected; then the peer is rebuilt. `None`:
    /// for ever.
    pub dtls_handshake: Option<Duration>,
    /// How long the caller may leave the callee's wish for a new peer connection unanswered; then the
    /// callee restarts ICE instead, which any other side answers. `None`: as long as an offer.
    pub renegotiate: Option<Duration>,
    /// How long an ICE restart may take, from the answer to its offer. `None`: there is none.
    pub ice_restart: Option<Duration>,
    /// The same for an ICE restart over TURN alone. `None`: there is none.
    pub relay_restart: Option<Duration>,
    /// Rebuilding the peer connection. `None`: it is not rebuilt.
    pub rebuilds: Option<Rebuilds>,
    /// How much longer than the caller the callee waits before it takes a step.
    pub follower_grace: Duration,
    /// How long the other side may be absent from the relay while the connection is lost, until the call ends: it
    /// closed its tab. Longer than a client takes to come back to the relay. `None`: as long as [`Self::give_up`] says.
    pub absent: Option<Duration>,
    /// From the loss of the connection to the end of the call, whatever was tried.
    pub give_up: Duration,
}

/// How a peer connection is rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilds {
    /// How long ICE of a new peer connection may take, from the answer to its offer.
    pub patience: Duration,
    /// How many are made before the call is given up.
    pub attempts: u32,
}

impl Default for Recovery {
    /// 2 s for `disconnected`, 20 s for an answer, 8 s for `checking`, 5 s for DTLS, 8 s for a wish, 6 s
    /// for each ICE restart, 8 rebuilds of up to 8 s, 1.5 s for the caller to act first, 20 s for the other side to
    /// come back to the relay (a client of [`signaller::client`] tries at least every 15 s), 60 s in all.
    fn default() -> Self {
        Self {
            disconnected_wait: Duration::from_secs(2),
            answer: Some(Duration::from_secs(20)),
            checking: Some(Duration::from_secs(8)),
            dtls_handshake: Some(Duration::from_secs(5)),
            renegotiate: Some(Duration::from_secs(8)),
            ice_restart: Some(Duration::from_secs(6)),
            relay_restart: Some(Duration::from_secs(6)),
            rebuilds: Some(Rebuilds { patience: Duration::from_secs(8), attempts: 8 }),
            follower_grace: Duration::from_millis(1_500),
            absent: Some(Duration::from_secs(20)),
            give_up: Duration::from_secs(60),
        }
    }
}
