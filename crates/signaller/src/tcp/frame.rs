//! Frames, and what the codec's errors mean.

use std::io;

use bytes::Bytes;
use futures::SinkExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec, LengthDelimitedCodecError};

pub(super) type Incoming<S> = FramedRead<ReadHalf<S>, LengthDelimitedCodec>;
pub(super) type OutgoingFrames<S> = FramedWrite<WriteHalf<S>, LengthDelimitedCodec>;

/// The two directions of `stream`, with frames of at most `limit` bytes.
pub(super) fn frames<S: AsyncRead + AsyncWrite>(stream: S, limit: usize) -> (Incoming<S>, OutgoingFrames<S>) {
    let codec = LengthDelimitedCodec::builder()
        .length_field_type::<u32>()
        .big_endian()
        .max_frame_length(limit)
        .new_codec();
    let (read, write) = tokio::io::split(stream);
    (FramedRead::new(read, codec.clone()), FramedWrite::new(write, codec))
}

/// Whether the codec gave up because a frame's length is over its limit.
pub(super) fn is_oversized(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<LengthDelimitedCodecError>())
}

/// Writes one frame and flushes it.
pub(super) async fn write<S: AsyncWrite>(outgoing: &mut OutgoingFrames<S>, message: Bytes) -> io::Result<()> {
    outgoing.send(message).await
}

/// Flushes and closes this direction.
pub(super) async fn close<S: AsyncWrite>(outgoing: &mut OutgoingFrames<S>) -> io::Result<()> {
    SinkExt::<Bytes>::close(outgoing).await
}
