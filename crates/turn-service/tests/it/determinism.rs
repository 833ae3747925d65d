//! Equal settings and equal calls give equal bytes; and what a session looks like on the timeline.

use std::time::Duration;

use rtc_stun::message::*;
use turn_service::{Output, Server, Settings, Transport};

use crate::harness::*;

struct Session {
    server: Server,
    alice: Client,
    log: Vec<Output>,
}

impl Session {
    fn say(&mut self, now: Duration, bytes: &[u8]) -> Vec<Output> {
        let outputs = self.alice.send(&mut self.server, now, bytes);
        self.log.extend(outputs.clone());
        outputs
    }

    fn ask(&mut self, now: Duration, method: Method, attrs: Attrs) {
        let request = self.alice.signed(method, attrs);
        self.say(now, &request);
    }

    fn hear(&mut self, now: Duration, peer: &str, data: &[u8]) {
        let relay = self.server.relays().next().unwrap();
        self.log.extend(self.server.handle(now, Transport::Udp, at(peer), relay, data));
    }
}

/// Everything that a small session makes a server do.
fn session(seed: u64) -> Vec<Output> {
    let server = Server::new(Settings::with_turn(seed, EPOCH, turn())).unwrap();
    let mut session = Session { server, alice: Client::alice(), log: Vec::new() };
    let binding = session.alice.bare(BINDING_REQUEST, vec![]);
    session.say(s(0), &binding);
    let first = session.alice.bare(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST), vec![udp()]);
    let challenge = session.say(s(0), &first);
    session.alice.answer(&challenge);
    session.ask(s(0), METHOD_ALLOCATE, vec![udp()]);
    session.ask(s(1), METHOD_CREATE_PERMISSION, vec![to(peer())]);
    session.ask(s(2), METHOD_CHANNEL_BIND, vec![number(0x4000), to(at("192.0.2.7:7"))]);
    session.ask(s(2), METHOD_CHANNEL_BIND, vec![number(0x4001), to(at("192.0.2.7:7"))]);
    session.say(s(2), &channel_data(0x4001, b"not bound"));
    session.hear(s(3), "192.0.2.9:5000", b"permitted");
    session.hear(s(3), "192.0.2.66:6", b"not permitted");
    session.ask(s(4), METHOD_REFRESH, vec![lifetime(900)]);
    session.hear(s(400), "192.0.2.9:5000", b"late");
    let rebooted = session.server.reboot(s(500));
    session.log.extend(rebooted);
    session.ask(s(500), METHOD_REFRESH, vec![]);
    session.log
}

#[test]
fn equal_seeds_give_equal_bytes_and_others_do_not() {
    assert_eq!(session(7), session(7));
    assert_ne!(session(7), session(8));
}

#[test]
fn a_session_on_the_timeline() {
    let lines: Vec<String> = events(&session(7)).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
