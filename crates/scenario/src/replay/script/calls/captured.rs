//! Of a peer connection that was captured.

use std::collections::BTreeMap;

use capture::{
    sdp::SdpType,
    trace::{ApiCall as Captured, CallResult, Connection, Method, PeerEvent},
};
use timeline::{Machine, SignalingState, State, VirtualTime};

use super::{
    CANDIDATES, Made, Sides,
    described::{Described, find, number, of_candidate},
    has_data_channel,
};
use crate::{
    plan::{ApiCall, LocalWord, MediaKind},
    replay::Unplayable,
};

/// The descriptions that were set locally, without rollbacks and failures.
pub(super) fn described(connection: &Connection) -> Vec<Described> {
    let set = connection.calls_of(Method::SetLocalDescription).filter(|(_, call)| succeeded(call));
    set.filter_map(|(at, call)| match &call.description {
        Some(description) => Described::new(at, description),
        None => Some(Described::bare(at, implicit(connection, at))),
    })
    .collect()
}

/// What `setLocalDescription()` without an argument makes (W3C webrtc-pc §4.4.1.5).
fn implicit(connection: &Connection, at: VirtualTime) -> LocalWord {
    let before = connection.transitions(Machine::Signaling).filter(|(moved, _)| *moved < at).last();
    match before {
        Some((_, State::Signaling(SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer))) => {
            LocalWord::Answer
        }
        _ => LocalWord::Offer,
    }
}

/// Whether a browser refused a description for what it says, and not for when it came.
pub(super) fn refused_for_its_content(call: &Captured) -> bool {
    match &call.result {
        CallResult::Failed(reason) => {
            let lower = reason.to_ascii_lowercase();
            !["wrong state", "invalid state", "invalidstate", "signalingstate"]
                .iter()
                .any(|it| lower.contains(it))
        }
        CallResult::Succeeded | CallResult::Unknown => false,
    }
}

fn succeeded(call: &Captured) -> bool {
    !matches!(call.result, CallResult::Failed(_))
}

/// The calls of `side`, whose connection is `connection`.
///
/// # Errors
/// A description was applied that nobody made.
pub(super) fn calls(
    sides: &Sides<'_>,
    side: usize,
    connection: &Connection,
) -> Result<Vec<Made>, Unplayable> {
    let mut walk = Walk {
        sides,
        side,
        out: Vec::new(),
        set: 0,
        candidates: BTreeMap::new(),
        restart: false,
        channels: has_data_channel(connection),
        applied: applied(sides, side, connection),
    };
    let added =
        connection.calls().any(|(_, call)| matches!(call.method, Method::AddTrack | Method::AddTransceiver));
    let mut needs = !added && !connection.entries.iter().any(|entry| own_track(&entry.event).is_some());
    for entry in &connection.entries {
        let at = entry.at;
        let call = match &entry.event {
            PeerEvent::Call(call) => call,
            PeerEvent::DataChannel { change, .. } if change == "created" => {
                walk.make_channels(at);
                continue;
            }
            // Chromium 144 writes this entry and none of the call.
            event => {
                if let Some(kind) = own_track(event).filter(|_| !added) {
                    walk.push(at, ApiCall::AddTrack(kind));
                }
                continue;
            }
        };
        if call.method == Method::SetLocalDescription && std::mem::take(&mut needs) {
            walk.add_what_is_needed(at);
        }
        walk.call(at, call)?;
    }
    Ok(walk.out)
}

/// The descriptions of the other side, from 1, that were ever applied.
fn applied(sides: &Sides<'_>, side: usize, connection: &Connection) -> Vec<usize> {
    let set = connection.calls_of(Method::SetRemoteDescription).filter(|(_, call)| succeeded(call));
    let of_other = &sides.described[Sides::other(side)];
    set.filter_map(|(at, call)| find(of_other, call.description.as_ref()?, at)).collect()
}

struct Walk<'s, 't> {
    sides: &'s Sides<'t>,
    side: usize,
    out: Vec<Made>,
    /// How many local descriptions were set.
    set: usize,
    candidates: BTreeMap<usize, usize>,
    /// Whether the next offer was asked to restart ICE.
    restart: bool,
    /// Whether channels are still to be made.
    channels: bool,
    applied: Vec<usize>,
}

impl Walk<'_, '_> {
    fn push(&mut self, at: VirtualTime, call: ApiCall) {
        self.out.push(Made { at, call });
    }

    /// Older captures do not show which tracks were added.
    fn add_what_is_needed(&mut self, at: VirtualTime) {
        let Some(first) = self.sides.described[self.side].first() else { return };
        // Without a body, a channel is all that is known.
        if first.sdp.trim().is_empty() && self.channels {
            return self.make_channels(at);
        }
        let needs = first.needs();
        for call in needs {
            self.channels &= call != ApiCall::CreateDataChannel;
            self.push(at, call);
        }
    }

    fn call(&mut self, at: VirtualTime, call: &Captured) -> Result<(), Unplayable> {
        match call.method {
            Method::AddTrack | Method::AddTransceiver => {
                if let Some(kind) = kind_of(call).filter(|_| succeeded(call)) {
                    self.push(at, ApiCall::AddTrack(kind));
                }
            }
            Method::RemoveTrack => {
                let kind = kind_of(call).unwrap_or(MediaKind::Video);
                self.push(at, ApiCall::RemoveTrack(kind));
            }
            Method::CreateDataChannel => self.make_channels(at),
            Method::RestartIce => self.restart_ice(at),
            Method::CreateOffer if wants_restart(call) => self.restart_ice(at),
            Method::SetLocalDescription if succeeded(call) => self.set_local(at, call),
            Method::SetRemoteDescription => self.set_remote(at, call)?,
            Method::AddIceCandidate => self.add_candidate(at, call),
            Method::Close => self.push(at, ApiCall::Close),
            _ => {}
        }
        Ok(())
    }

    /// Ours are made once, whatever theirs were called.
    fn make_channels(&mut self, at: VirtualTime) {
        if std::mem::replace(&mut self.channels, false) {
            self.push(at, ApiCall::CreateDataChannel);
        }
    }

    fn restart_ice(&mut self, at: VirtualTime) {
        if !std::mem::replace(&mut self.restart, true) {
            self.push(at, ApiCall::RestartIce);
        }
    }

    fn set_local(&mut self, at: VirtualTime, call: &Captured) {
        if call.description.as_ref().is_some_and(|description| description.kind == SdpType::Rollback) {
            return self.push(at, ApiCall::SetLocalDescription(LocalWord::Rollback));
        }
        let own = &self.sides.described[self.side];
        let Some(now) = own.get(self.set) else { return };
        let (word, sdp_has_channel) = (now.word, now.sdp.contains("\nm=application"));
        let restarts = self.set.checked_sub(1).is_some_and(|before| now.restarts(&own[before]));
        if word == LocalWord::Offer {
            if sdp_has_channel {
                self.make_channels(at);
            }
            // A rollback gives the next offer another generation as well; it does no harm here.
            if restarts {
                self.restart_ice(at);
            }
            self.restart = false;
        }
        self.set += 1;
        self.push(at, ApiCall::SetLocalDescription(word));
    }

    fn set_remote(&mut self, at: VirtualTime, call: &Captured) -> Result<(), Unplayable> {
        let Some(description) = &call.description else { return Ok(()) };
        // What was refused for what it says changed nothing, and what is made here says something else.
        if description.kind == SdpType::Rollback || refused_for_its_content(call) {
            return Ok(());
        }
        let other = Sides::other(self.side);
        let unknown = || Unplayable::UnknownMaker { at, peer: self.sides.peers[other].id.clone() };
        let nth = find(&self.sides.described[other], description, at).ok_or_else(unknown)?;
        let offered = self.sides.foreign_offer(other, nth).map(|_| description.sdp.clone());
        let sdp = offered.or_else(|| self.sides.foreign_answer(other, nth));
        self.push(at, ApiCall::SetRemoteDescription { nth: number(nth), sdp });
        for candidate in self.sides.described[other][nth - 1].candidates(nth) {
            self.push(at, candidate);
        }
        Ok(())
    }

    fn add_candidate(&mut self, at: VirtualTime, call: &Captured) {
        let Some(candidate) = call.candidate.as_ref().filter(|candidate| !candidate.is_end()) else { return };
        let made = &self.sides.described[Sides::other(self.side)];
        let Some(nth) = of_candidate(made, candidate, at) else { return };
        let count = self.candidates.entry(nth).or_default();
        *count += 1;
        // Those of a description that was taken back, or ignored, connect nobody.
        if *count <= CANDIDATES && self.applied.contains(&nth) {
            self.push(at, ApiCall::AddIceCandidate { nth: number(nth) });
        }
    }
}

/// The kind of a transceiver that the application made to send a track of its own.
fn own_track(event: &PeerEvent) -> Option<MediaKind> {
    let PeerEvent::Transceiver(change) = event else { return None };
    let by_application = matches!(change.reason.as_deref(), Some("addTrack" | "addTransceiver"));
    let sends = change.has_track.unwrap_or(change.reason.as_deref() == Some("addTrack"));
    (change.added && by_application && sends).then(|| MediaKind::from_word(&change.kind)).flatten()
}

fn kind_of(call: &Captured) -> Option<MediaKind> {
    let named = call.track.as_ref().map(|track| track.kind.as_str()).or(call.argument.as_deref())?;
    MediaKind::ALL.iter().copied().find(|kind| named.contains(kind.as_str()))
}

/// `createOffer({ iceRestart: true })`.
fn wants_restart(call: &Captured) -> bool {
    let argument = call.argument.as_deref().unwrap_or_default();
    let argument: String =
        argument.chars().filter(|letter| !letter.is_whitespace() && *letter != '"').collect();
    argument.contains("iceRestart:true")
}
