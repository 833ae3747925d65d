//! `--store` in a program that was built without it.

use std::path::Path;

use signaller::relay::{Observer, RelaySettings, SharedRelay};

use crate::output::BadInput;

/// A relay, and what may fail beside it: nothing.
pub(super) struct Served {
    pub(super) relay: SharedRelay,
    pub(super) failed: Failed,
}

pub(super) struct Failed;

impl Failed {
    /// Never resolves.
    pub(super) async fn failure(&mut self) -> anyhow::Error {
        std::future::pending().await
    }
}

pub(super) fn relay(
    store: Option<&Path>,
    settings: RelaySettings,
    observer: Observer,
) -> anyhow::Result<Served> {
    if store.is_some() {
        let reason = "this program was built without the durable store: build it with `--features store`; `cargo xtask \
                      serve --store FILE` does so by itself";
        return Err(BadInput(reason.to_owned()).into());
    }
    Ok(Served { relay: SharedRelay::new(settings, observer), failed: Failed })
}
