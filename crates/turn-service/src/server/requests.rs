//! STUN messages to the server: which method, who may, what answer (RFC 8489 §6.3, RFC 8656 §8–12).

use std::net::SocketAddr;
use std::time::Duration;

use rtc_stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY, ATTR_REQUESTED_ADDRESS_FAMILY,
};
use rtc_stun::message::*;
use rtc_turn::proto::channum::ChannelNumber;
use rtc_turn::proto::lifetime::Lifetime;

use super::auth::Session;
use super::{Server, allocate};
use crate::api::{Output, ServiceEvent, TurnSettings};
use crate::code::{DropReason, ErrorCode};
use crate::wire::{
    Attrs, CHANNEL_NUMBERS, FiveTuple, Received, Refusal, Transport, mapped, understood_by_stun,
    understood_by_turn,
};

impl Server {
    pub(super) fn stun(
        &mut self,
        client: FiveTuple,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), DropReason> {
        let message = Received::parse(bytes)?;
        let kind = message.kind();
        match (kind.class, kind.method) {
            (CLASS_REQUEST, METHOD_BINDING) => self.binding(client, &message, out),
            (CLASS_INDICATION, METHOD_BINDING) => {}
            (CLASS_INDICATION, METHOD_SEND) => self.send_indication(client, &message, out)?,
            (
                CLASS_REQUEST,
                METHOD_ALLOCATE | METHOD_REFRESH | METHOD_CREATE_PERMISSION | METHOD_CHANNEL_BIND,
            ) => {
                let turn = self.turn.clone().ok_or(DropReason::Unsupported)?;
                self.turn_request(&turn, client, &message, bytes, out);
            }
            _ => return Err(DropReason::Unsupported),
        }
        Ok(())
    }

    fn binding(&mut self, client: FiveTuple, request: &Received, out: &mut Vec<Output>) {
        let understood = if self.turn.is_some() { understood_by_turn } else { understood_by_stun };
        let unknown = request.unknown(understood);
        let answer = if unknown.is_empty() {
            out.push(Output::Event(ServiceEvent::Bound { client: client.client }));
            request.success(vec![mapped(client.client)], None)
        } else {
            let refusal = Refusal { code: ErrorCode::UnknownAttribute, unknown };
            out.push(refused(client, request, refusal.code));
            request.error(&refusal, vec![], None)
        };
        if let Some(answer) = answer {
            self.send_to_client(client, answer, out);
        }
    }

    fn turn_request(
        &mut self,
        turn: &TurnSettings,
        client: FiveTuple,
        request: &Received,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let id = request.transaction_id();
        let answer = if let Some(answer) = self.cache.recall(self.now, client, id, bytes) {
            let method = request.method_name();
            out.push(Output::Event(ServiceEvent::Repeated { client: client.client, method }));
            Some(answer)
        } else {
            match self.authenticate(turn, &client, request) {
                Ok(session) => self.authenticated(turn, client, &session, request, bytes, out),
                Err(code) => self.unauthenticated(turn, client, request, code, out),
            }
        };
        if let Some(answer) = answer {
            self.send_to_client(client, answer, out);
        }
    }

    fn unauthenticated(
        &self,
        turn: &TurnSettings,
        client: FiveTuple,
        request: &Received,
        code: ErrorCode,
        out: &mut Vec<Output>,
    ) -> Option<Vec<u8>> {
        out.push(if request.contains(ATTR_MESSAGE_INTEGRITY) {
            refused(client, request, code)
        } else {
            let method = request.method_name();
            Output::Event(ServiceEvent::Challenged { client: client.client, method })
        });
        let attrs = if code == ErrorCode::BadRequest { vec![] } else { self.challenge(turn, &client) };
        request.error(&code.into(), attrs, None)
    }

    fn authenticated(
        &mut self,
        turn: &TurnSettings,
        client: FiveTuple,
        session: &Session,
        request: &Received,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Option<Vec<u8>> {
        let answer = match self.perform(turn, client, session, request, out) {
            Ok(attrs) => request.success(attrs, Some(&session.key)),
            Err(refusal) => {
                out.push(refused(client, request, refusal.code));
                request.error(&refusal, vec![], Some(&session.key))
            }
        };
        // Over TCP nothing is retransmitted.
        if let (Some(answer), Transport::Udp) = (&answer, client.transport) {
            self.cache.keep(self.now, client, request.transaction_id(), bytes, answer);
        }
        answer
    }

    fn perform(
        &mut self,
        turn: &TurnSettings,
        client: FiveTuple,
        session: &Session,
        request: &Received,
        out: &mut Vec<Output>,
    ) -> Result<Attrs, Refusal> {
        let unknown = request.unknown(understood_by_turn);
        if !unknown.is_empty() {
            return Err(Refusal { code: ErrorCode::UnknownAttribute, unknown });
        }
        let method = request.kind().method;
        if method == METHOD_ALLOCATE {
            return self.allocate(turn, client, session, request, out);
        }
        let allocation = self.allocations.get(&client).ok_or(ErrorCode::AllocationMismatch)?;
        if allocation.username != session.username {
            return Err(ErrorCode::WrongCredentials.into());
        }
        match method {
            METHOD_REFRESH => self.refresh(turn, client, request, out),
            METHOD_CREATE_PERMISSION => self.create_permission(turn, client, request, out),
            _ => self.channel_bind(turn, client, request, out),
        }
    }

    /// RFC 8656 §8.2.
    fn refresh(
        &mut self,
        turn: &TurnSettings,
        client: FiveTuple,
        request: &Received,
        out: &mut Vec<Output>,
    ) -> Result<Attrs, Refusal> {
        let asked: Option<Lifetime> = request.read(ATTR_LIFETIME)?;
        let allocation = self.allocations.get_mut(&client).ok_or(ErrorCode::AllocationMismatch)?;
        let relay = allocation.relay;
        if request.contains(ATTR_REQUESTED_ADDRESS_FAMILY)
            && allocate::family(request)?.is_ipv4() != relay.is_ipv4()
        {
            return Err(ErrorCode::PeerAddressFamilyMismatch.into());
        }
        if asked == Some(Lifetime(Duration::ZERO)) {
            self.release(client, out);
            return Ok(vec![Box::new(Lifetime(Duration::ZERO))]);
        }
        let lifetime = allocate::granted(turn, asked);
        allocation.expires = self.now + lifetime;
        out.push(Output::Event(ServiceEvent::Refreshed { relay, lifetime }));
        Ok(vec![Box::new(Lifetime(lifetime))])
    }

    /// RFC 8656 §10.2: all the peers or none.
    fn create_permission(
        &mut self,
        turn: &TurnSettings,
        client: FiveTuple,
        request: &Received,
        out: &mut Vec<Output>,
    ) -> Result<Attrs, Refusal> {
        let peers = request.peers()?;
        let allocation = self.allocations.get_mut(&client).ok_or(ErrorCode::AllocationMismatch)?;
        if peers.is_empty() {
            return Err(ErrorCode::BadRequest.into());
        }
        for peer in &peers {
            check_peer(turn, allocation.relay, *peer)?;
        }
        out.extend(peers.iter().map(|peer| Output::Event(allocation.permit(self.now, peer.ip()))));
        Ok(vec![])
    }

    /// RFC 8656 §12.2.
    fn channel_bind(
        &mut self,
        turn: &TurnSettings,
        client: FiveTuple,
        request: &Received,
        out: &mut Vec<Output>,
    ) -> Result<Attrs, Refusal> {
        let number: Option<ChannelNumber> = request.read(ATTR_CHANNEL_NUMBER)?;
        let (Some(ChannelNumber(number)), Some(peer)) = (number, request.peers()?.first().copied()) else {
            return Err(ErrorCode::BadRequest.into());
        };
        let allocation = self.allocations.get_mut(&client).ok_or(ErrorCode::AllocationMismatch)?;
        check_peer(turn, allocation.relay, peer)?;
        if !CHANNEL_NUMBERS.contains(&number) {
            return Err(ErrorCode::BadRequest.into());
        }
        let events = allocation.bind(self.now, number, peer).ok_or(ErrorCode::BadRequest)?;
        out.extend(events.map(Output::Event));
        Ok(vec![])
    }
}

/// May an allocation on `relay` talk to `peer` (RFC 8656 §10.2, §12.2)?
fn check_peer(turn: &TurnSettings, relay: SocketAddr, peer: SocketAddr) -> Result<(), ErrorCode> {
    if peer.is_ipv4() != relay.is_ipv4() {
        return Err(ErrorCode::PeerAddressFamilyMismatch);
    }
    if turn.denied_peers.iter().any(|range| range.contains(&peer.ip())) {
        return Err(ErrorCode::Forbidden);
    }
    Ok(())
}

fn refused(client: FiveTuple, request: &Received, code: ErrorCode) -> Output {
    Output::Event(ServiceEvent::Refused { client: client.client, method: request.method_name(), code })
}
