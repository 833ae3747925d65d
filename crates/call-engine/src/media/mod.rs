//! Media: what the application asks of its devices, the stream they give, and the tasks that carry
//! frames from a local track to the wire and from the wire to the application.

mod devices;
mod receive;
mod send;
mod synthetic;

pub use devices::{FacingMode, MediaDevices, MediaError, MediaStreamConstraints, VideoConstraints, Wanted};
pub(crate) use receive::receive_media;
pub(crate) use send::Outbound;
pub use send::{Enabled, Frame, FrameSource, LocalTrack, MediaKind, MediaStream};
pub use synthetic::{Permission, SyntheticDevices};
