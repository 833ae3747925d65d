//! Two peers and what happens between them.

use std::time::Duration;

use super::{network::Network, peer::Peer};
use crate::workload::Broken;

/// What happens in a call that stands: media both ways for a while, then nothing for another.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    pub(super) media: Duration,
    pub(super) idle: Duration,
}

/// For the last packets to arrive.
const LAST_PACKETS: Duration = Duration::from_millis(100);

/// Two peers that are connected.
pub(super) struct Call([Peer; 2]);

impl Call {
    /// Offer, answer, and a candidate each, handed over at once; both are connected afterwards.
    pub(super) async fn connect(network: &Network, number: u32) -> Result<Self, Broken> {
        let mut caller = Peer::new(network, 2 * number).await?;
        let mut callee = Peer::new(network, 2 * number + 1).await?;
        let offer = caller.offer().await?;
        let answer = callee.answer(offer).await?;
        caller.accept(answer).await?;
        callee.add_candidate(caller.candidate().await?).await?;
        caller.add_candidate(callee.candidate().await?).await?;
        caller.connected().await?;
        callee.connected().await?;
        Ok(Self([caller, callee]))
    }

    /// How many media packets arrived: all that were sent.
    pub(super) async fn talk(&mut self, talk: Talk) -> Result<u64, Broken> {
        let Self([caller, callee]) = self;
        let (to_callee, to_caller) = tokio::join!(caller.send(talk.media), callee.send(talk.media));
        tokio::time::sleep(LAST_PACKETS.max(talk.idle)).await;
        for (to, peer, sent) in [("callee", callee, to_callee?), ("caller", caller, to_caller?)] {
            let received = peer.received();
            if received != sent {
                return Err(Broken::PacketsLost { to, received, sent });
            }
        }
        if !self.0.iter_mut().all(Peer::is_connected) {
            return Err(Broken::Disconnected);
        }
        Ok(self.0.iter().map(Peer::received).sum())
    }

    /// Closes both sides.
    pub(super) async fn end(self) -> Result<(), Broken> {
        for peer in self.0 {
            peer.close().await?;
        }
        Ok(())
    }
}
