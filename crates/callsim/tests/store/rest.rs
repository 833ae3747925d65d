//! Clients that post and poll, by hand: what they know is what the server has told them.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, atomic::Ordering},
};

use serde_json::{Value, json};

use super::{Progress, Round};

/// How far a sender may be ahead of what its addressee has acknowledged: less than the 256 messages that a mailbox takes.
const AHEAD: u64 = 200;
/// How many messages go with one request.
const TOGETHER: u64 = 5;

/// Sends numbered messages, and keeps each until it is confirmed.
pub(super) struct Sender {
    pair: usize,
    progress: Arc<Progress>,
    confirmed: u64,
}

/// Gets them, and remembers what it has applied.
pub(super) struct Receiver {
    pair: usize,
    progress: Arc<Progress>,
    mailbox: Option<String>,
    cursor: u64,
    turn: u64,
}

impl Sender {
    pub(super) fn new(pair: usize, progress: &Arc<Progress>) -> Self {
        Self { pair, progress: Arc::clone(progress), confirmed: 0 }
    }

    /// The highest number that was confirmed.
    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// How many it has made.
    pub(super) fn sent(&self) -> u64 {
        self.progress.sent.load(Ordering::Relaxed)
    }

    /// New messages, and those that no server has confirmed yet.
    pub(super) fn send_until_over(&mut self, round: &Round) {
        let Ok(mut connection) = Connection::open(round.address) else { return };
        while !round.is_over() {
            let acknowledged = self.progress.acknowledged.load(Ordering::Relaxed);
            let last = (self.confirmed + TOGETHER).min(acknowledged + AHEAD).max(self.sent());
            self.progress.sent.store(last, Ordering::Relaxed);
            if self.post(&mut connection, last).is_err() {
                return;
            }
            // Whoever counts has heard enough.
            let _heard = round.answered.send(());
        }
    }

    pub(super) fn send_rest(&mut self, address: SocketAddr) {
        let mut connection = Connection::open(address).unwrap();
        while self.confirmed < self.sent() {
            self.post(&mut connection, self.sent()).unwrap();
        }
    }

    /// Everything up to `last` that is not confirmed; where that is nothing, an empty request.
    fn post(&mut self, connection: &mut Connection, last: u64) -> io::Result<()> {
        let pair = self.pair;
        let message = |id| {
            json!({"version": 1, "id": id, "call": "c", "from": format!("sender{pair}"), "to": format!("receiver{pair}"),
                "body": {"type": "offer", "sdp": "x".repeat(700), "negotiation": id}})
        };
        let messages: Vec<Value> = (self.confirmed + 1..=last).map(message).collect();
        let query = format!("participant=sender{pair}&session=s1");
        let answer = connection.ask("POST", &query, &Value::from(messages).to_string())?;
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        let confirmed = answer["confirmed"].as_u64().unwrap();
        assert!(confirmed >= self.confirmed, "{} were confirmed, and now {confirmed}", self.confirmed);
        self.confirmed = confirmed;
        Ok(())
    }
}

impl Receiver {
    pub(super) fn new(pair: usize, progress: &Arc<Progress>) -> Self {
        Self { pair, progress: Arc::clone(progress), mailbox: None, cursor: 0, turn: 0 }
    }

    /// How many it has applied.
    pub(super) fn received(&self) -> u64 {
        self.progress.received.load(Ordering::Relaxed)
    }

    pub(super) fn receive_until_over(&mut self, round: &Round) {
        let Ok(mut connection) = Connection::open(round.address) else { return };
        while !round.is_over() {
            if self.poll(&mut connection).is_err() {
                return;
            }
            let _heard = round.answered.send(());
        }
    }

    pub(super) fn receive_rest(&mut self, address: SocketAddr) {
        let mut connection = Connection::open(address).unwrap();
        while self.poll(&mut connection).unwrap() > 0 {}
    }

    /// How many messages came.
    fn poll(&mut self, connection: &mut Connection) -> io::Result<usize> {
        self.turn += 1;
        let Self { pair, cursor, turn, .. } = self;
        let mailbox = self.mailbox.as_ref().map_or_else(String::new, |mailbox| format!("&mailbox={mailbox}"));
        let query =
            format!("participant=receiver{pair}&session=s1{mailbox}&cursor={cursor}&turn={turn}&wait=0");
        let answer = connection.ask("GET", &query, "")?;
        // Each has its number as its place: nobody else sends to this mailbox.
        self.progress.acknowledged.store(self.cursor, Ordering::Relaxed);
        let mailbox = answer["mailbox"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let known = self.mailbox.get_or_insert_with(|| mailbox.clone());
        assert_eq!(*known, mailbox, "a mailbox keeps its name");
        let messages = answer["messages"].as_array().unwrap();
        for mail in messages {
            let id = mail["message"]["id"].as_u64().unwrap();
            assert_eq!(id, self.received() + 1, "each once, in order");
            self.cursor = mail["place"].as_u64().unwrap();
            self.progress.received.store(id, Ordering::Relaxed);
        }
        Ok(messages.len())
    }
}

/// A connection that is kept for many requests.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// # Errors
    /// Where the server has gone before it has answered.
    fn ask(&mut self, method: &str, query: &str, body: &str) -> io::Result<Value> {
        let length = body.len();
        let head = format!(
            "{method} /v1/messages?{query} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\r\n"
        );
        self.stream.write_all((head + body).as_bytes())?;
        loop {
            if let Some((head, rest)) = split(&self.read) {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.unwrap().parse().unwrap();
                if rest.len() >= length {
                    let answer = serde_json::from_slice(&rest[..length]).unwrap();
                    let all = self.read.len() - rest.len() + length;
                    self.read.drain(..all);
                    return Ok(answer);
                }
            }
            let mut part = [0; 65536];
            match self.stream.read(&mut part)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.read.extend_from_slice(&part[..count]),
            }
        }
    }
}

fn split(read: &[u8]) -> Option<(&str, &[u8])> {
    let end = read.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&read[..end]).unwrap(), &read[end + 4..]))
}
