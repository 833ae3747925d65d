//! The harness of the fuzz target `relay` (`fuzz/`), over its corpus and over random bytes.

use std::{fs, path::Path};

use proptest::prelude::*;

#[allow(unreachable_pub, reason = "for the fuzz target it is another package")]
#[path = "../../../../fuzz/src/relay.rs"]
mod relay;

#[test]
fn the_corpus_breaks_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/relay");
    let files: Vec<_> = fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        relay::check(&fs::read(&file).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do_no_promise_is_broken(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        relay::check(&bytes);
    }
}
