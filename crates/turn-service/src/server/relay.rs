//! Relaying: Send indications and ChannelData from clients, datagrams from peers (RFC 8656 §11, §12).

use std::net::SocketAddr;

use rtc_stun::attributes::ATTR_DATA;
use rtc_stun::message::{CLASS_INDICATION, METHOD_DATA, MessageType};
use rtc_turn::proto::data::Data;
use rtc_turn::proto::peeraddr::PeerAddress;

use super::Server;
use crate::api::Output;
use crate::code::DropReason;
use crate::draw::{Purpose, draw};
use crate::wire::{
    FiveTuple, Received, Transport, decode_channel_data, encode_channel_data, indication, understood_by_turn,
};

/// The largest payload of a UDP datagram.
const MAX_DATAGRAM: usize = 65_507;
/// What a Data indication adds at most: header, XOR-PEER-ADDRESS of IPv6, DATA with padding.
const MAX_INDICATION_OVERHEAD: usize = 20 + 24 + 4 + 3;

impl Server {
    /// RFC 8656 §11.2.
    pub(super) fn send_indication(
        &mut self,
        client: FiveTuple,
        message: &Received,
        out: &mut Vec<Output>,
    ) -> Result<(), DropReason> {
        let allocation = self.allocations.get(&client).ok_or(DropReason::NoAllocation)?;
        if !message.unknown(understood_by_turn).is_empty() {
            return Err(DropReason::UnknownAttribute);
        }
        let peer = message.peers().ok().and_then(|peers| peers.first().copied());
        let (Some(peer), Some(data)) = (peer, message.value(ATTR_DATA)) else {
            return Err(DropReason::Malformed);
        };
        if !allocation.permits(peer.ip()) {
            return Err(DropReason::NoPermission);
        }
        self.relay_to_peer(allocation.relay, peer, data, out)
    }

    /// RFC 8656 §12.6. A bound channel needs no permission in this direction: the RFC asks for none,
    /// though the binding outlives the permission that came with it.
    pub(super) fn channel_data(
        &mut self,
        client: FiveTuple,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), DropReason> {
        let (number, data) = decode_channel_data(bytes).ok_or(DropReason::Malformed)?;
        let allocation = self.allocations.get(&client).ok_or(DropReason::NoAllocation)?;
        let peer = allocation.peer_of(number).ok_or(DropReason::NoChannel)?;
        self.relay_to_peer(allocation.relay, peer, &data, out)
    }

    /// RFC 8656 §11.3: a datagram from `peer` at the relayed address `relay`.
    pub(super) fn relay_to_client(
        &mut self,
        peer: SocketAddr,
        relay: SocketAddr,
        data: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), DropReason> {
        let client = *self.relays.get(&relay).ok_or(DropReason::NoAllocation)?;
        let allocation = self.allocations.get(&client).ok_or(DropReason::NoAllocation)?;
        if !allocation.permits(peer.ip()) {
            return Err(DropReason::NoPermission);
        }
        if data.len() + MAX_INDICATION_OVERHEAD > MAX_DATAGRAM {
            return Err(DropReason::TooLarge);
        }
        let wrapped = match allocation.number_of(peer) {
            Some(number) => encode_channel_data(number, data, client.transport),
            None => self.data_indication(peer, data),
        };
        let wrapped = wrapped.ok_or(DropReason::TooLarge)?;
        self.traffic.to_clients += 1;
        self.traffic.to_clients_bytes += data.len() as u64;
        self.send_to_client(client, wrapped, out);
        Ok(())
    }

    /// To the network, or straight to the other allocation if the peer is one of this server's: that
    /// hop is lossless and takes no time.
    fn relay_to_peer(
        &mut self,
        relay: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), DropReason> {
        self.traffic.to_peers += 1;
        self.traffic.to_peers_bytes += data.len() as u64;
        if self.is_relay_address(peer) {
            return self.relay_to_client(relay, peer, data, out);
        }
        let (bytes, after) = (data.to_vec(), self.mood.delay);
        out.push(Output::Send { transport: Transport::Udp, from: relay, to: peer, bytes, after });
        Ok(())
    }

    fn data_indication(&mut self, peer: SocketAddr, data: &[u8]) -> Option<Vec<u8>> {
        let drawn = draw(self.seed, self.boot, Purpose::TransactionId, &self.made.to_be_bytes());
        self.made += 1;
        let kind = MessageType::new(METHOD_DATA, CLASS_INDICATION);
        let address = PeerAddress { ip: peer.ip(), port: peer.port() };
        indication(kind, *drawn.first_chunk()?, vec![Box::new(address), Box::new(Data(data.to_vec()))])
    }
}
