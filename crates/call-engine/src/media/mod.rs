//! Media: what the application asks of its devices, the stream they give, and the tasks that carry
//! frames from a local track to the wire and from the wire to the application.

mod devices;
mod heard;
mod outbound;
mod receive;
mod synthetic;
mod tracks;

pub use timeline::FacingMode;

pub use devices::{MediaDevices, MediaError, MediaStreamConstraints, VideoConstraints, Wanted};
pub(crate) use heard::Heard;
pub(crate) use outbound::{Gate, Outbound, Source, send_media};
pub(crate) use receive::{Inbound, receive_media};
pub use synthetic::{Permission, SyntheticDevices};
pub use tracks::{Enabled, Frame, FrameSource, LocalTrack, MediaStream};
pub(crate) use tracks::{codec_kind, kind_of_codec};
