//! The app's signalling server: rooms, whose members hear all that the others say.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};

use crate::{
    net::{TcpListener, TcpStream},
    wire::Wire,
};

/// By name.
type Rooms = Arc<Mutex<BTreeMap<String, Room>>>;

#[derive(Default)]
struct Room {
    /// By name, and what is to be sent to them.
    members: BTreeMap<String, UnboundedSender<String>>,
    /// What was said, and by whom, when nobody was there to hear it.
    unheard: Vec<(String, String)>,
}

impl Room {
    /// Who joins again takes the place of the connection before.
    fn join(&mut self, name: &str, sender: UnboundedSender<String>) {
        let (own, unheard) = self.unheard.drain(..).partition(|(from, _)| from == name);
        self.unheard = own;
        unheard.into_iter().for_each(|(_, line): (String, String)| drop(sender.send(line)));
        self.members.insert(name.to_owned(), sender);
    }

    fn say(&mut self, from: &str, line: String) {
        let line = line + "\n";
        let mut others = self.members.iter().filter(|(name, _)| *name != from).peekable();
        if others.peek().is_none() {
            self.unheard.push((from.to_owned(), line));
            return;
        }
        // Whose connection is gone joins again.
        others.for_each(|(_, other)| drop(other.send(line.clone())));
    }
}

/// Serves until the future is dropped.
///
/// # Errors
/// Where it cannot listen at `address`.
pub async fn serve(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let rooms = Rooms::default();
    let mut clients = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        clients.spawn(client(stream, rooms.clone()));
        while clients.try_join_next().is_some() {}
    }
}

/// Serves one connection. What is no message of ours ends it.
async fn client(stream: TcpStream, rooms: Rooms) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (sender, mut outgoing) = unbounded_channel::<String>();
    let mut own = None;
    loop {
        let line = tokio::select! {
            biased;
            Some(line) = outgoing.recv() => {
                if write.write_all(line.as_bytes()).await.is_err() {
                    break;
                }
                continue;
            }
            line = lines.next_line() => line,
        };
        let Ok(Some(line)) = line else { break };
        let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
        match (serde_json::from_str(&line), &own) {
            (Ok(Wire::Join { room, name }), _) => {
                rooms.entry(room.clone()).or_default().join(&name, sender.clone());
                own = Some((room, name));
            }
            (Ok(_), Some((room, name))) => rooms.entry(room.clone()).or_default().say(name, line),
            _ => break,
        }
    }
}
