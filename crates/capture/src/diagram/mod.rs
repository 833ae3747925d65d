//! The sequence of a call.
