use std::sync::{Arc, Mutex, atomic::AtomicBool};

use super::{
    Connector, FallbackSettings, Identity, Jitter, Target, session::Client, shared::Shared, ways::Ways,
};
use crate::{
    handle::{Handle, HandleSettings},
    transport::{Outgoing, Transport, TransportError, TransportEvent, TransportFuture},
};

/// A participant's transport over WebSocket or REST, whichever gets through. One task owns all
/// connections; it ends when the transport is closed or dropped.
///
/// What was handed over is kept until the relay has confirmed it. A message that the relay refuses
/// comes back as an `error` with its id.
pub struct FallbackTransport(Handle<Shared>);

impl FallbackTransport {
    /// Starts to connect at once. Needs to be called within a tokio runtime with time. `connector` makes
    /// a fresh stream to the relay for each connection, of which there may be three at a time.
    pub fn spawn(
        identity: Identity,
        target: Target,
        settings: FallbackSettings,
        jitter: Jitter,
        connector: impl Connector,
    ) -> Self {
        let (participant, shared) = (identity.participant.clone(), Arc::new(Shared::default()));
        let FallbackSettings { queue, events, message_bytes, flush_within, .. } = settings;
        let kept = HandleSettings { queue, events, message_bytes, flush_within };
        Self(Handle::spawn(participant, kept, Arc::clone(&shared), |end| {
            let client = Client {
                identity,
                target,
                settings,
                shared,
                events: end.events,
                closing: end.closing,
                up: AtomicBool::new(false),
                ways: Mutex::new(Ways::new(settings)),
                jitter: Mutex::new(jitter),
                connector: tokio::sync::Mutex::new(connector),
            };
            client.run()
        }))
    }
}

impl Transport for FallbackTransport {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        self.0.send(outgoing)
    }

    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>> {
        self.0.recv()
    }

    fn close(&mut self) -> TransportFuture<'_, ()> {
        self.0.close()
    }
}
