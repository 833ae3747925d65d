//! Allocate (RFC 8656 §7.2), check by check in the RFC's order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rtc_stun::attributes::{
    ATTR_EVEN_PORT, ATTR_LIFETIME, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_REQUESTED_TRANSPORT,
    ATTR_RESERVATION_TOKEN,
};
use rtc_turn::proto::PROTO_UDP;
use rtc_turn::proto::lifetime::Lifetime;
use rtc_turn::proto::relayaddr::RelayedAddress;
use rtc_turn::proto::reqtrans::RequestedTransport;
use rtc_turn::proto::rsrvtoken::ReservationToken;

use super::Server;
use super::auth::Session;
use crate::allocation::{Allocation, Token, Wanted};
use crate::api::{Output, PortSupply, ServiceEvent, TurnSettings};
use crate::code::ErrorCode;
use crate::draw::{Purpose, draw};
use crate::wire::{Attrs, FiveTuple, Received, Refusal, mapped};

impl Server {
    pub(super) fn allocate(
        &mut self,
        turn: &TurnSettings,
        client: FiveTuple,
        session: &Session,
        request: &Received,
        out: &mut Vec<Output>,
    ) -> Result<Attrs, Refusal> {
        if self.allocations.contains_key(&client) {
            return Err(ErrorCode::AllocationMismatch.into());
        }
        match request.read(ATTR_REQUESTED_TRANSPORT)? {
            Some(RequestedTransport { protocol: PROTO_UDP }) => {}
            Some(_) => return Err(ErrorCode::UnsupportedTransportProtocol.into()),
            None => return Err(ErrorCode::BadRequest.into()),
        }
        let lifetime = granted(turn, request.read(ATTR_LIFETIME)?);
        let place = Place::asked_for(request)?;
        self.check_quota(turn, session)?;
        let (relay, token) = self.find_relay(turn, place)?;
        self.open(client, session, relay, lifetime, out);
        let mut attrs: Attrs = vec![
            Box::new(RelayedAddress { ip: relay.ip(), port: relay.port() }),
            Box::new(Lifetime(lifetime)),
            mapped(client.client),
        ];
        if let Some(token) = token {
            attrs.push(Box::new(ReservationToken(token.to_vec())));
        }
        Ok(attrs)
    }

    fn check_quota(&self, turn: &TurnSettings, session: &Session) -> Result<(), ErrorCode> {
        let held = self.allocations.values().filter(|held| held.account == session.account).count();
        match turn.quota {
            Some(quota) if held >= quota => Err(ErrorCode::AllocationQuotaReached),
            _ => Ok(()),
        }
    }

    /// A free relayed address, and the token of the one after it if that was asked for.
    fn find_relay(
        &mut self,
        turn: &TurnSettings,
        place: Place,
    ) -> Result<(SocketAddr, Option<Token>), ErrorCode> {
        if let Place::Any { family, .. } = place
            && !turn.relay_ips.iter().any(|ip| ip.is_ipv4() == family.is_ipv4())
        {
            return Err(ErrorCode::AddressFamilyNotSupported);
        }
        if self.mood.ports == PortSupply::Exhausted {
            return Err(ErrorCode::InsufficientCapacity);
        }
        let found = match place {
            Place::Reserved(token) => self.ports.redeem(token).map(|relay| (relay, None)),
            Place::Any { family, wanted } => self.take_port(turn, family, wanted),
        };
        found.ok_or(ErrorCode::InsufficientCapacity)
    }

    fn take_port(
        &mut self,
        turn: &TurnSettings,
        family: IpAddr,
        wanted: Wanted,
    ) -> Option<(SocketAddr, Option<Token>)> {
        let ip = *turn.relay_ips.iter().find(|ip| ip.is_ipv4() == family.is_ipv4())?;
        let relays = &self.relays;
        let relay = self.ports.take(ip, wanted, |address| relays.contains_key(&address))?;
        if wanted != Wanted::EvenAndNext {
            return Some((relay, None));
        }
        let drawn = draw(self.seed, self.boot, Purpose::ReservationToken, &self.made.to_be_bytes());
        self.made += 1;
        let token = *drawn.first_chunk()?;
        self.ports.reserve(self.now, SocketAddr::new(ip, relay.port() + 1), token);
        Some((relay, Some(token)))
    }

    fn open(
        &mut self,
        client: FiveTuple,
        session: &Session,
        relay: SocketAddr,
        lifetime: Duration,
        out: &mut Vec<Output>,
    ) {
        let Session { username, account, .. } = session;
        let expires = self.now + lifetime;
        let allocation = Allocation::new(relay, username.clone(), account.clone(), expires);
        self.allocations.insert(client, allocation);
        self.relays.insert(relay, client);
        out.push(Output::Open { relay });
        let username = username.clone();
        out.push(Output::Event(ServiceEvent::Allocated { client: client.client, relay, username, lifetime }));
    }
}

/// Where the client wants its relayed address.
#[derive(Clone, Copy)]
enum Place {
    Any { family: IpAddr, wanted: Wanted },
    Reserved(Token),
}

impl Place {
    fn asked_for(request: &Received) -> Result<Self, Refusal> {
        let even = request.value(ATTR_EVEN_PORT);
        let Some(token) = request.value(ATTR_RESERVATION_TOKEN) else {
            let wanted = match even {
                None => Wanted::Any,
                Some([flags]) if flags & 0x80 == 0 => Wanted::Even,
                Some([_]) => Wanted::EvenAndNext,
                Some(_) => return Err(ErrorCode::BadRequest.into()),
            };
            return Ok(Self::Any { family: family(request)?, wanted });
        };
        let token = Token::try_from(token).map_err(|_| ErrorCode::BadRequest)?;
        if even.is_some() || request.contains(ATTR_REQUESTED_ADDRESS_FAMILY) {
            return Err(ErrorCode::BadRequest.into());
        }
        Ok(Self::Reserved(token))
    }
}

/// The family asked for, as its unspecified address; IPv4 unless said otherwise (RFC 8656 §7.2).
/// `rtc-turn` reads a family that nobody knows as malformed; the RFC wants 440.
pub(super) fn family(request: &Received) -> Result<IpAddr, ErrorCode> {
    match request.value(ATTR_REQUESTED_ADDRESS_FAMILY) {
        None | Some([1, _, _, _]) => Ok(Ipv4Addr::UNSPECIFIED.into()),
        Some([2, _, _, _]) => Ok(Ipv6Addr::UNSPECIFIED.into()),
        Some([_, _, _, _]) => Err(ErrorCode::AddressFamilyNotSupported),
        Some(_) => Err(ErrorCode::BadRequest),
    }
}

/// The lifetime granted: at least the default, at most the maximum (RFC 8656 §7.2, §8.2).
pub(super) fn granted(turn: &TurnSettings, asked: Option<Lifetime>) -> Duration {
    asked.map_or(turn.default_lifetime, |asked| asked.0.min(turn.max_lifetime).max(turn.default_lifetime))
}
