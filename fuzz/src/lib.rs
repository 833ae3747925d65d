//! What the targets do with their bytes. The harnesses are run by ordinary tests as well, over their corpora and over
//! random bytes.

pub mod relay;
