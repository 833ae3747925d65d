//! Media: what the application asks of its devices, the stream they give, and the tasks that carry
//! frames from a local track to the wire and from the wire to the application.

mod codec;
mod devices;
mod frames;
mod heard;
mod outbound;
mod receive;
mod synthetic;
mod tracks;

pub use timeline::FacingMode;

pub(crate) use codec::codec_of;
pub use devices::{MediaDevices, MediaError, MediaStreamConstraints, VideoConstraints, Wanted};
pub use frames::{ReceivedFrame, RemoteTrack};
pub(crate) use heard::Heard;
pub(crate) use outbound::{Gate, Outbound, Source, answer_requests, send_media};
pub(crate) use receive::{Inbound, ask_for_key_frame, receive_media};
pub use synthetic::{Permission, SyntheticDevices};
pub use tracks::{Enabled, Frame, FrameSource, LocalTrack, MediaStream};
pub(crate) use tracks::{codec_kind, kind_of_codec};
