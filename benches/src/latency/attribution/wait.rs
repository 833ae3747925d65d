//! What a host waited for, where no packet explains what it did.

use timeline::{CallState, IceState, Name, PacketRecord, Protocol, State, StunClass, Verdict, VirtualTime};

use super::{
    Cause, Effect,
    evidence::{Evidence, is_tcp, sender},
};

/// A wait of a host.
pub(super) struct Wait<'a> {
    /// When it began.
    pub(super) since: VirtualTime,
    /// What for.
    pub(super) cause: Cause,
    /// What it began with: to be explained next.
    pub(super) effect: Effect<'a>,
}

impl<'a> Wait<'a> {
    /// Since the last packet that can have to do with its end; the dial where there is none.
    fn since_last(
        evidence: &Evidence<'a>,
        host: &Name,
        now: VirtualTime,
        cause: Cause,
        effect: Effect<'a>,
    ) -> Self {
        let since = evidence.last_cause(host, now, effect).unwrap_or(evidence.dialled);
        Self { since, cause, effect }
    }
}

/// The wait of `host` that ended at `now` with `effect`.
pub(super) fn of<'a>(evidence: &Evidence<'a>, host: &Name, now: VirtualTime, effect: Effect<'a>) -> Wait<'a> {
    match effect {
        Effect::Sent(packet) if is_tcp(packet) => signalling(evidence, host, now, effect),
        Effect::Relayed(_) => Wait::since_last(evidence, host, now, Cause::Engine, effect),
        Effect::Sent(packet) if is_checking(evidence, host, now) => check(evidence, host, now, packet),
        _ => handshake(evidence, host, now, effect),
    }
}

fn is_checking(evidence: &Evidence<'_>, host: &Name, now: VirtualTime) -> bool {
    let states = [IceState::Connected, IceState::Completed].map(State::Ice);
    let connected = states.into_iter().filter_map(|state| evidence.entered(host, state)).min();
    connected.is_none_or(|connected| connected >= now)
}

/// Somebody takes a call, or the way to the signaller is slow.
fn signalling<'a>(evidence: &Evidence<'a>, host: &Name, now: VirtualTime, effect: Effect<'a>) -> Wait<'a> {
    let rang = evidence.entered(host, State::Call(CallState::Ringing));
    let accepted = evidence.entered(host, State::Call(CallState::Connecting));
    if let (Some(rang), Some(accepted)) = (rang, accepted)
        && *host != *evidence.caller
        && accepted == now
        && rang < now
    {
        return Wait { since: rang, cause: Cause::Person, effect };
    }
    if let Some(since) = evidence.held_until(host, now) {
        return Wait { since, cause: Cause::Signalling, effect };
    }
    Wait::since_last(evidence, host, now, Cause::Signalling, effect)
}

/// Before ICE is connected: checks go out in rounds.
fn check<'a>(evidence: &Evidence<'a>, host: &Name, now: VirtualTime, sent: &'a PacketRecord) -> Wait<'a> {
    let effect = Effect::Sent(sent);
    let is_answer = |packet: &PacketRecord| sender(packet) == sent.to && is_answered_check(packet);
    let valid = evidence.first_arrival(host, now, is_answer).filter(|_| *host == *evidence.caller);
    if let Some(valid) = valid {
        return Wait { since: valid, cause: Cause::Nomination, effect };
    }
    let before = evidence.last_sent(host, now, |packet| {
        packet.at >= evidence.dialled && packet.protocol == sent.protocol && packet.to == sent.to
    });
    if let Some(before) = before.filter(|before| was_lost(evidence, before, now)) {
        return Wait { since: before.at, cause: Cause::Retransmission, effect: Effect::Sent(before) };
    }
    // Since what made the check possible: a description or a candidate, the peer's own check, a server's answer.
    Wait::since_last(evidence, host, now, Cause::CheckPacing, effect)
}

/// After ICE: DTLS flights, and what the library makes of them.
fn handshake<'a>(evidence: &Evidence<'a>, host: &Name, now: VirtualTime, effect: Effect<'a>) -> Wait<'a> {
    let Effect::Sent(sent) = effect else {
        return Wait::since_last(evidence, host, now, Cause::Engine, effect);
    };
    let before = evidence.last_sent(host, now, |packet| {
        packet.at >= evidence.dialled && packet.to == sent.to && is_like(packet, sent)
    });
    let heard = evidence.last_arrival(host, now, |packet| sender(packet) == sent.to && is_like(packet, sent));
    match before {
        // A flight and no reply to it: it goes out again.
        Some(before) if heard.is_none_or(|heard| heard <= before.at) => {
            Wait { since: before.at, cause: Cause::Retransmission, effect: Effect::Sent(before) }
        }
        Some(_) => Wait::since_last(evidence, host, now, Cause::Engine, effect),
        // `webrtc` 0.21.1 begins its DTLS handshake on a tick of the timer that paces checks.
        None => Wait::since_last(evidence, host, now, Cause::CheckPacing, effect),
    }
}

/// Both are DTLS, or both are within TURN.
fn is_like(one: &PacketRecord, other: &PacketRecord) -> bool {
    std::mem::discriminant(&one.protocol) == std::mem::discriminant(&other.protocol)
}

/// A check that was answered, in the open or through a relay.
fn is_answered_check(packet: &PacketRecord) -> bool {
    match packet.protocol {
        Protocol::Stun { class, method } => (class, method) == (StunClass::Success, 1) || method == 7,
        Protocol::ChannelData => true,
        _ => false,
    }
}

/// Whether a request, or the answer to it, was lost on the way (rather than stopped by a NAT).
fn was_lost(evidence: &Evidence<'_>, request: &PacketRecord, now: VirtualTime) -> bool {
    let is_loss = |verdict| {
        use Verdict::{Corrupted, LinkDown, LostDown, LostUp, QueueFull};
        matches!(verdict, LostUp | LostDown | QueueFull | LinkDown | Corrupted)
    };
    if is_loss(request.verdict) {
        return true;
    }
    let packets = &evidence.record.timeline.packets;
    let begin = packets.partition_point(|packet| packet.at < request.at);
    let mut later = packets[begin..].iter().take_while(|packet| packet.at < now);
    let receiver = request.to_host.as_ref();
    later.any(|packet| {
        Some(&packet.from_host) == receiver
            && packet.to_host.as_ref() == Some(&request.from_host)
            && matches!(packet.protocol, Protocol::Stun { class: StunClass::Success, .. })
            && is_loss(packet.verdict)
    })
}
