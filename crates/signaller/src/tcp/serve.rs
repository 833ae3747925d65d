use std::pin::pin;

use futures::StreamExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time,
};

use super::frame::{self, Incoming, OutgoingFrames, frames, is_oversized};
use crate::relay::{RelayConnection, SharedRelay};

/// The relay's end of one stream. Returns when the connection is over: the client closed it, the stream
/// failed, a newer connection took its place, or a frame was too long. Dropping the future ends the
/// connection as well; it starts no tasks of its own.
pub async fn serve_connection<S>(relay: SharedRelay, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (incoming, outgoing) = frames(stream, relay.settings().limits.message_bytes);
    let connection = relay.connect();
    let mut writing = pin!(write_messages(&connection, outgoing));
    tokio::select! {
        biased;
        () = read_messages(&connection, incoming) => {}
        () = &mut writing => return,
    }
    connection.finish();
    // A client that stopped sending may still read its answers; one that does not read is left.
    let _in_time = time::timeout(relay.settings().drain_within, writing).await;
}

/// Until the stream ends, fails, or cannot be divided into frames any more.
async fn read_messages<S: AsyncRead>(connection: &RelayConnection, mut incoming: Incoming<S>) {
    while let Some(frame) = incoming.next().await {
        match frame {
            Ok(bytes) => connection.receive(&bytes),
            Err(error) => {
                if is_oversized(&error) {
                    connection.receive_oversized();
                }
                return;
            }
        }
    }
}

/// Until the relay has nothing more for this connection, or the stream fails.
async fn write_messages<S: AsyncWrite>(connection: &RelayConnection, mut outgoing: OutgoingFrames<S>) {
    while let Some(message) = connection.next().await {
        if frame::write(&mut outgoing, message).await.is_err() {
            return;
        }
        connection.written();
    }
    // The connection ends here, whether or not the other side takes notice.
    let _closed = frame::close(&mut outgoing).await;
}
