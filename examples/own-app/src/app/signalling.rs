//! The app's connection to its signalling server, which is made again whenever it is lost.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines, ReadHalf, WriteHalf},
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, UnboundedSender},
    },
    time::sleep,
};

use super::Config;
use crate::{net::TcpStream, wire::Wire};

/// Sends what comes from `outbox` and hands what it receives to `inbox`. Messages wait while there is no connection;
/// those that were on their way when it was lost are lost with it.
pub(super) struct Signalling<'a> {
    pub(super) config: &'a Config,
    pub(super) outbox: UnboundedReceiver<Wire>,
    pub(super) inbox: UnboundedSender<Wire>,
    /// The device is in another network: the connection is of the old one.
    pub(super) moved: &'a Notify,
}

struct Connection {
    lines: Lines<BufReader<ReadHalf<TcpStream>>>,
    write: WriteHalf<TcpStream>,
}

/// Between two attempts to connect.
const WAIT: Duration = Duration::from_secs(1);

impl Signalling<'_> {
    /// Until the app is gone.
    pub(super) async fn run(mut self) {
        loop {
            let joined = tokio::select! {
                biased;
                () = self.moved.notified() => continue,
                joined = self.join() => joined,
            };
            match joined {
                Ok(connection) => {
                    if self.serve(connection).await.is_ok() {
                        return;
                    }
                }
                Err(_) => tokio::select! {
                    biased;
                    () = self.moved.notified() => {}
                    () = sleep(WAIT) => {}
                },
            }
        }
    }

    async fn join(&self) -> io::Result<Connection> {
        let (read, write) = TcpStream::connect(&self.config.server).await?.into_split();
        let mut connection = Connection { lines: BufReader::new(read).lines(), write };
        let (room, name) = (self.config.room.clone(), self.config.name.clone());
        connection.send(&Wire::Join { room, name }).await?;
        Ok(connection)
    }

    /// Until the app is gone; an error is a connection that is of no use any more.
    async fn serve(&mut self, mut connection: Connection) -> io::Result<()> {
        loop {
            tokio::select! {
                biased;
                () = self.moved.notified() => return Err(io::ErrorKind::ConnectionAborted.into()),
                message = self.outbox.recv() => match message {
                    Some(message) => connection.send(&message).await?,
                    None => return Ok(()),
                },
                line = connection.lines.next_line() => {
                    let line = line?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    // An app that is gone hears nothing.
                    let _ = self.inbox.send(serde_json::from_str(&line)?);
                }
            }
        }
    }
}

impl Connection {
    async fn send(&mut self, message: &Wire) -> io::Result<()> {
        self.write.write_all(message.line()?.as_bytes()).await
    }
}
