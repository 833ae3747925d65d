//! Signalling without a network: every message arrives at once, in order, exactly once. For tests of an
//! engine on any runtime.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{
    StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};

use crate::{
    message::{Envelope, ParticipantId, VERSION},
    transport::{Outgoing, Transport, TransportError, TransportEvent, TransportFuture},
};

/// Joins the transports that it gives out. Cheap to clone; all clones are one hub.
#[derive(Clone, Default)]
pub struct Hub {
    mailboxes: Arc<Mutex<BTreeMap<ParticipantId, Mailbox>>>,
}

/// Makes a hub.
pub fn hub() -> Hub {
    Hub::default()
}

/// A participant's transport on a [`Hub`].
pub struct MemoryTransport {
    participant: ParticipantId,
    hub: Hub,
    events: UnboundedReceiver<TransportEvent>,
    next_id: u64,
    closed: bool,
}

struct Mailbox {
    sender: UnboundedSender<TransportEvent>,
    /// Waits here until the participant joins.
    receiver: Option<UnboundedReceiver<TransportEvent>>,
}

impl Hub {
    /// Joins as `participant`: the transport reports `Up`, then what was sent to the participant
    /// before. A second transport of one participant takes the first one's place, and the first one's
    /// `recv` gives `None`.
    pub fn join(&self, participant: impl Into<ParticipantId>) -> MemoryTransport {
        let participant = participant.into();
        let mut mailboxes = self.mailboxes();
        let waiting = mailboxes.remove(&participant).and_then(|mut mailbox| mailbox.receiver.take());
        let (sender, events) = unbounded();
        for event in std::iter::once(TransportEvent::Up).chain(waiting.into_iter().flat_map(drain)) {
            sender.unbounded_send(event).expect("the receiver lives in this function");
        }
        mailboxes.insert(participant.clone(), Mailbox { sender, receiver: None });
        drop(mailboxes);
        MemoryTransport { participant, hub: self.clone(), events, next_id: 1, closed: false }
    }

    /// Lets `participant` see `event`, as if its connection had caused it: a `Down`, an `Up`, a
    /// message of the relay.
    pub fn inject(&self, participant: &ParticipantId, event: TransportEvent) {
        let mut mailboxes = self.mailboxes();
        let mailbox = mailboxes.entry(participant.clone()).or_insert_with(Mailbox::waiting);
        if let Err(refused) = mailbox.sender.unbounded_send(event) {
            // The participant has left: keep it for the next time it joins.
            *mailbox = Mailbox::waiting();
            mailbox.sender.unbounded_send(refused.into_inner()).expect("the mailbox holds the receiver");
        }
    }

    fn mailboxes(&self) -> MutexGuard<'_, BTreeMap<ParticipantId, Mailbox>> {
        self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    fn waiting() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, receiver: Some(receiver) }
    }
}

fn drain(mut waiting: UnboundedReceiver<TransportEvent>) -> impl Iterator<Item = TransportEvent> {
    std::iter::from_fn(move || waiting.try_recv().ok())
}

impl Transport for MemoryTransport {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        let kind = outgoing.body.kind();
        if self.closed {
            return Err(TransportError::Closed);
        }
        if outgoing.body.is_for_relay() {
            return Err(TransportError::NotAllowed { kind });
        }
        let id = self.next_id;
        self.next_id += 1;
        let Outgoing { call, to, body } = outgoing;
        let envelope =
            Envelope { version: VERSION, id, call, from: self.participant.clone(), to: to.clone(), body };
        self.hub.inject(&to, TransportEvent::Message(envelope));
        Ok(id)
    }

    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>> {
        Box::pin(self.events.next())
    }

    fn close(&mut self) -> TransportFuture<'_, ()> {
        self.closed = true;
        self.events.close();
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::message::{CallId, Message};

    fn ringing(to: &str) -> Outgoing {
        Outgoing { call: CallId::new("c"), to: to.into(), body: Message::Ringing }
    }

    #[test]
    fn messages_wait_for_a_participant_and_keep_their_order() {
        let hub = hub();
        let mut alice = hub.join("alice");
        assert_eq!(alice.send(ringing("bob")), Ok(1));
        assert_eq!(alice.send(ringing("bob")), Ok(2));
        let mut bob = hub.join("bob");
        assert_eq!(block_on(bob.recv()), Some(TransportEvent::Up));
        for expected in [1, 2] {
            let Some(TransportEvent::Message(envelope)) = block_on(bob.recv()) else { panic!("no message") };
            assert_eq!((envelope.id, envelope.from.as_str()), (expected, "alice"));
        }
    }

    #[test]
    fn a_closed_transport_drains_and_ends() {
        let hub = hub();
        let mut alice = hub.join("alice");
        hub.inject(&"alice".into(), TransportEvent::Down { reason: "test".to_owned() });
        block_on(alice.close());
        assert_eq!(alice.send(ringing("bob")), Err(TransportError::Closed));
        assert_eq!(block_on(alice.recv()), Some(TransportEvent::Up));
        assert!(matches!(block_on(alice.recv()), Some(TransportEvent::Down { .. })));
        assert_eq!(block_on(alice.recv()), None);
    }

    #[test]
    fn a_second_transport_takes_the_place_of_the_first() {
        let hub = hub();
        let mut first = hub.join("alice");
        let mut second = hub.join("alice");
        let mut bob = hub.join("bob");
        bob.send(ringing("alice")).unwrap();
        assert_eq!(block_on(first.recv()), Some(TransportEvent::Up));
        assert_eq!(block_on(first.recv()), None);
        assert_eq!(block_on(second.recv()), Some(TransportEvent::Up));
        assert!(matches!(block_on(second.recv()), Some(TransportEvent::Message(_))));
    }
}
