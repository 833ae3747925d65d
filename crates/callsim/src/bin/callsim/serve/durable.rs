//! `--store`: a relay whose memory is a file.

use std::{path::Path, thread};

use signaller::relay::{Observer, RelaySettings, SharedRelay, journal};
use store::StoreError;
use tokio::sync::oneshot;

use crate::output::BadInput;

/// A relay, and what may fail beside it.
pub(super) struct Served {
    pub(super) relay: SharedRelay,
    pub(super) failed: Failed,
}

/// The thread that writes.
pub(super) struct Failed(Option<oneshot::Receiver<StoreError>>);

impl Failed {
    /// Resolves when the store can be written no longer, and so nothing be confirmed any more.
    pub(super) async fn failure(&mut self) -> anyhow::Error {
        match &mut self.0 {
            Some(failed) => match failed.await {
                Ok(error) => error.into(),
                // It has ended with the relay, in good order.
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

/// A relay whose memory is `store`, where there is one.
pub(super) fn relay(
    store: Option<&Path>,
    settings: RelaySettings,
    observer: Observer,
) -> anyhow::Result<Served> {
    let Some(path) = store else {
        return Ok(Served { relay: SharedRelay::new(settings, observer), failed: Failed(None) });
    };
    let (disk, kept) = store::open(path).map_err(|error| BadInput(error.to_string()))?;
    let (changes, end) = journal();
    let (failing, failed) = oneshot::channel();
    thread::spawn(move || {
        if let Err(error) = disk.keep(end) {
            // Whoever waited for it has ended already.
            let _unheard = failing.send(error);
        }
    });
    let relay = SharedRelay::durable(settings, observer, kept, changes);
    Ok(Served { relay, failed: Failed(Some(failed)) })
}
