//! Feeds the recovery ladder, and carries out its steps.

use std::time::Duration;

use signaller::Message;

use super::{
    actor::{Actor, Signaling},
    call::{Recovering, TimerKind, Trickle},
    endpoints::Endpoints,
};
use crate::{
    CallEvent, Cause, ConnectionState, EngineEvent, Machine, RecoveryStep, Role,
    recovery::{Input, Ladder, Lead, Relays, Step},
};

/// Audio comes every 20 ms, and half a second is heard as a gap.
const HEARD_WITHIN: Duration = Duration::from_millis(500);

impl Actor {
    /// The first peer is built: the ladder watches it from now on.
    pub(super) async fn start_recovery(&mut self) {
        let Some(settings) = self.settings.recovery else { return };
        let since = self.runtime.now();
        let has_turn = self.settings.peer.constraints.has_turn() && self.settings.guards.use_ice_servers;
        let relays = if has_turn { Relays::Available } else { Relays::None };
        let Some(call) = &mut self.call else { return };
        if call.recovery.is_some() {
            return;
        }
        let lead = if call.role == Role::Caller { Lead::Leads } else { Lead::Follows };
        let ladder = Ladder::new(settings, self.settings.guards, lead, relays);
        call.recovery = Some(Recovering { ladder, since, armed: None });
        self.recover(Input::Negotiating).await;
        if self.signaling != Signaling::Up {
            self.recover(Input::SignalingDown).await;
        }
    }

    /// Whether the other side is connected and heard at present: then its ICE restart interrupts nothing,
    /// for media goes the old way until there is a new one (RFC 8445 §2.4).
    fn hears(&mut self) -> bool {
        self.machines().connection == ConnectionState::Connected
            && self.peer().is_some_and(|peer| peer.has_heard_within(HEARD_WITHIN))
    }

    /// The connection is interrupted while an attempt to mend it is under way that had not interrupted it.
    pub(super) async fn interrupted(&mut self) {
        if self.recovering().is_some_and(|recovering| recovering.ladder.is_mending()) {
            self.happen(CallEvent::RecoveryStarted).await;
        }
    }

    /// Whether a failure of the connection is the ladder's to answer.
    pub(super) fn recovers(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.recovery.is_some())
    }

    /// Tells the ladder what happened, and does what it says.
    pub(super) async fn recover(&mut self, input: Input) {
        let now = self.runtime.now();
        let Some(recovering) = self.recovering() else { return };
        let now = now.duration_since(recovering.since);
        let steps = recovering.ladder.on(now, input);
        self.carry_out(now, steps).await;
    }

    pub(super) async fn on_recovery_timer(&mut self) {
        let now = self.runtime.now();
        let Some(recovering) = self.recovering() else { return };
        recovering.armed = None;
        let now = now.duration_since(recovering.since);
        let steps = recovering.ladder.on_timer(now);
        self.carry_out(now, steps).await;
    }

    async fn carry_out(&mut self, now: Duration, steps: Vec<Step>) {
        self.arm(now);
        for Step { what, cause } in steps {
            self.observer.on_event(EngineEvent::Recovery { step: what, cause });
            match what {
                RecoveryStep::Wait | RecoveryStep::Recovered => {}
                RecoveryStep::GiveUp => self.happen(CallEvent::PeerFailed).await,
                RecoveryStep::FollowRestart if self.hears() => {}
                step => {
                    self.happen(CallEvent::RecoveryStarted).await;
                    self.take_step(step).await;
                }
            }
        }
    }

    async fn take_step(&mut self, step: RecoveryStep) {
        match step {
            RecoveryStep::IceRestart => self.restart_ice().await,
            RecoveryStep::RelayRestart => {
                let Some(peer) = self.peer() else { return };
                if let Err(error) = peer.relay_only().await {
                    self.problem(format!("cannot restrict ICE to relays: {error}"));
                }
                self.restart_ice().await;
            }
            // Boxed, for a rebuild that fails is one more thing to recover from.
            RecoveryStep::Rebuild => Box::pin(self.lead_rebuild()).await,
            RecoveryStep::AskForRebuild => {
                let Some(peer) = self.peer() else { return };
                let negotiation = peer.negotiation.round();
                self.send(Message::Renegotiate { negotiation });
            }
            // Nobody is left to send anything through.
            RecoveryStep::AwaitSignaling if self.signaling == Signaling::Closed => {
                self.happen(CallEvent::SignalingLost).await;
            }
            _ => {}
        }
    }

    /// `restart_ice()` of `webrtc` 0.21.1 fires no `negotiationneeded`: the engine makes it itself.
    async fn restart_ice(&mut self) {
        let Some(peer) = self.peer() else { return };
        peer.negotiation.want_restart();
        if self.settings.guards.offer_after_ice_restart {
            Box::pin(self.on_negotiation_needed()).await;
        }
    }

    /// The other side asks for a new peer connection. A newer offer than it knows is the answer already.
    pub(super) async fn on_renegotiate(&mut self, round: u64) {
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &call.peer else { return };
        if call.role != Role::Caller {
            return self.problem("asked for a rebuild, which is the caller's to make".to_owned());
        }
        if round < peer.negotiation.round() {
            return;
        }
        self.recover(Input::RemoteAsks).await;
    }

    pub(super) async fn on_network_changed(&mut self, addresses: Option<Vec<String>>) {
        if let Some(addresses) = addresses {
            self.addresses.replace(addresses);
        }
        self.recover(Input::NetworkChanged).await;
    }

    async fn lead_rebuild(&mut self) {
        if self.replace_peer().await {
            self.on_negotiation_needed().await;
        }
    }

    /// The other side's offer comes from a new peer connection. True where ours is new then, too.
    pub(super) async fn follow_rebuild(&mut self) -> bool {
        Box::pin(self.recover(Input::RemoteRebuilt)).await;
        self.replace_peer().await
    }

    /// Closes the peer and builds another one for the same call.
    async fn replace_peer(&mut self) -> bool {
        self.generation += 1;
        let generation = self.generation;
        let Some(call) = &mut self.call else { return false };
        let Some(peer) = call.peer.take() else { return false };
        call.generation = generation;
        call.trickle = Trickle::default();
        call.endpoints = Endpoints::default();
        let negotiation = peer.negotiation.rebuilt();
        if let Err(error) = peer.close().await {
            self.problem(format!("closing the peer: {error}"));
        }
        for machine in Machine::OF_A_PEER {
            self.enter(machine.initial(), Some(Cause::NewPeerConnection));
        }
        self.end_remote_tracks();
        self.build_peer(negotiation).await
    }

    /// Sets the timer to the ladder's deadline.
    fn arm(&mut self, now: Duration) {
        let Some(recovering) = self.recovering() else { return };
        let deadline = recovering.ladder.deadline();
        if recovering.armed == deadline {
            return;
        }
        recovering.armed = deadline;
        match deadline {
            Some(deadline) => self.start_timer(TimerKind::Recovery, deadline.saturating_sub(now)),
            None => self.stop_timer(TimerKind::Recovery),
        }
    }

    fn recovering(&mut self) -> Option<&mut Recovering> {
        self.call.as_mut()?.recovery.as_mut()
    }
}
