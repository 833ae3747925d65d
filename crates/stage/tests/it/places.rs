//! A world of two hosts, 20 ms apart.

use std::{sync::Arc, time::Duration};

use netsim::{Access, HostSpec, LinkModel, ProcessingDelay, World, WorldConfig};
use stage::{Journal, Place, Surroundings};

pub(crate) fn world() -> WorldConfig {
    let host = |name: &str, addresses: [&str; 2]| HostSpec {
        name: name.into(),
        addresses: addresses.map(|address| address.parse().unwrap()).into(),
        access: Access::symmetric(LinkModel::with_delay(Duration::from_millis(10))),
        processing: ProcessingDelay::LAPTOP,
    };
    WorldConfig::builder(7)
        .host(host("alice", ["10.0.0.1", "2001:db8::1"]))
        .host(host("bob", ["10.0.0.2", "2001:db8::2"]))
        .deadline(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// Alice's and Bob's, where `bob.test` is Bob's name.
pub(crate) fn places(world: &World, journal: &Arc<dyn Journal>) -> [Place; 2] {
    let names = Arc::new([("bob.test".to_owned(), vec!["10.0.0.2".parse().unwrap()])].into());
    ["alice", "bob"].map(|name| {
        let surroundings = Surroundings { names: Arc::clone(&names), ..Surroundings::default() };
        Place::new(world, &name.into(), surroundings, journal).unwrap()
    })
}
