//! A transport whose program takes its time over each message.

use netsim::{Handling, Sleep, World};
use signaller::{Outgoing, Transport, TransportError, TransportEvent, transport::TransportFuture};

/// A transport whose messages are handled one after the other, each in its own time ([`Handling`]). All
/// other events keep their place among them. What the program sends goes at once.
pub struct Staggered<T> {
    inner: T,
    world: World,
    handling: Handling,
    /// What was received and is not handled yet, and how long that takes.
    present: Option<TransportEvent>,
    wait: Option<Sleep>,
}

impl<T: Transport> Staggered<T> {
    pub(crate) const fn new(inner: T, world: World, handling: Handling) -> Self {
        Self { inner, world, handling, present: None, wait: None }
    }
}

impl<T: Transport> Transport for Staggered<T> {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        self.inner.send(outgoing)
    }

    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>> {
        Box::pin(async {
            if self.present.is_none() {
                let event = self.inner.recv().await?;
                if let TransportEvent::Message(_) = event {
                    let late = self.handling.next_message(self.world.now());
                    self.wait = (!late.is_zero()).then(|| self.world.sleep(late));
                }
                self.present = Some(event);
            }
            if let Some(wait) = &mut self.wait {
                wait.await;
                self.wait = None;
            }
            self.present.take()
        })
    }

    fn close(&mut self) -> TransportFuture<'_, ()> {
        self.inner.close()
    }
}
