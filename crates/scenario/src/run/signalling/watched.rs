use netsim::World;
use signaller::{Outgoing, Transport, TransportError, TransportEvent, transport::TransportFuture};
use timeline::Name;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{record::MessageRecord, run::recorder::Recording};

/// A transport whose application is watched: what it hands over, and what it takes.
pub(super) struct Watched<T> {
    inner: T,
    peer: Name,
    world: World,
    recording: Recording,
    /// What the script sends in the application's name.
    foreign: UnboundedReceiver<Outgoing>,
}

impl<T: Transport> Watched<T> {
    pub(super) fn new(inner: T, peer: Name, world: World, recording: Recording) -> Self {
        let foreign = recording.foreign(&peer);
        Self { inner, peer, world, recording, foreign }
    }

    /// Sends what the script wants sent; the next event of the transport itself.
    async fn next(&mut self) -> Option<TransportEvent> {
        loop {
            let foreign = tokio::select! {
                biased;
                Some(foreign) = self.foreign.recv() => foreign,
                event = self.inner.recv() => return event,
            };
            // A transport that is closed takes nothing from anybody.
            let _ = self.send(foreign);
        }
    }

    fn taken(&self, event: &TransportEvent) {
        let at = self.world.now();
        match event {
            TransportEvent::Message(envelope) => match envelope.body {
                signaller::Message::Error { about, .. } => {
                    let Some(about) = about else { return };
                    self.recording.signalling(|record| {
                        record.fated(&self.peer, about, crate::record::Fate::Refused);
                    });
                }
                _ => self.recording.signalling(|record| record.taken(&envelope.from, envelope.id, at)),
            },
            TransportEvent::Via { way } => {
                self.recording.signalling(|record| record.way(&self.peer, way.to_string(), at));
            }
            TransportEvent::Down { .. } => self.recording.signalling(|record| record.down(&self.peer, at)),
            _ => {}
        }
    }
}

impl<T: Transport> Transport for Watched<T> {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        let (to, kind, detail) = (outgoing.to.clone(), outgoing.body.kind(), outgoing.body.detail());
        let id = self.inner.send(outgoing)?;
        let message = MessageRecord {
            from: self.peer.clone(),
            to,
            id,
            kind,
            detail,
            handed_over: self.world.now(),
            accepted: None,
            fate: None,
            taken: Vec::new(),
            waits: false,
        };
        self.recording.signalling(|record| record.handed_over(message));
        Ok(id)
    }

    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>> {
        Box::pin(async {
            let event = self.next().await?;
            self.taken(&event);
            Some(event)
        })
    }

    /// What had arrived and nobody asks for any more was taken as well.
    fn close(&mut self) -> TransportFuture<'_, ()> {
        Box::pin(async {
            self.inner.close().await;
            while let Some(event) = self.inner.recv().await {
                self.taken(&event);
            }
        })
    }
}
