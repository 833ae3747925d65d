use std::sync::Arc;

use super::{ClientSettings, Connector, Identity, outbox::Outbox, session::Client};
use crate::{
    handle::{Handle, HandleSettings},
    transport::{Outgoing, Transport, TransportError, TransportEvent, TransportFuture},
};

/// A participant's transport over byte streams. One task owns the stream, joins on each new one, and
/// connects again when one is lost; it ends when the transport is closed or dropped.
///
/// What was handed over is kept until it was written, across reconnects. A message that was written to
/// a connection which then died is lost.
pub struct TcpTransport(Handle<Outbox>);

impl TcpTransport {
    /// Starts to connect at once. Needs to be called within a tokio runtime with time.
    pub fn spawn(identity: Identity, settings: ClientSettings, connector: impl Connector) -> Self {
        let (participant, outbox) = (identity.participant.clone(), Arc::new(Outbox::default()));
        let ClientSettings { queue, events, message_bytes, flush_within, .. } = settings;
        let kept = HandleSettings { queue, events, message_bytes, flush_within };
        Self(Handle::spawn(participant, kept, Arc::clone(&outbox), |end| {
            let client = Client { identity, settings, outbox, events: end.events, closing: end.closing };
            client.run(connector)
        }))
    }
}

impl Transport for TcpTransport {
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
