//! Peers that run programs which callsim has never seen.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use scenario::{
    checks,
    plan::{Command, Plan},
    record::RunRecord,
    run::{Difference, Player, RunError},
    timeline::{self, CallState, VirtualTime},
};
use stage::{BoxFuture, Place, Program, Unsupported};
use tokio::sync::mpsc::UnboundedSender;

#[path = "../../../stage/tests/it/bare.rs"]
mod bare;

use bare::{Ends, Role, talk, wire};

const PLAN: &str = r#"
version = 1
summary = "Two programs of somebody else's talk through two NATs."
escapes = "fail"

[peers.alice]
profile = "lte"
program = "bare"
ice-servers = ["turn"]
[peers.bob]
profile = "wifi"
program = "bare"

[ice-servers.turn]

[[steps]]
at = "1s"
alice = { dial = "bob" }

[[steps]]
at = "2s"
bob = { do = "press the red button" }

[[steps]]
at = "8s"
network = { handover = { peer = "alice", profile = "wifi", gap = "200ms" } }

[[steps]]
at = "12s"
alice = "hang-up"

[expect]
outcome = "connected"
media = [{ audio = "both-ways" }]
"#;

/// An application on plain `webrtc`: both have one end of a wire.
struct Bare {
    place: Place,
    ends: Option<Ends>,
    seen: Seen,
}

/// What the programs were asked to do, and told.
type Seen = UnboundedSender<String>;

impl Bare {
    fn start(place: Place, ends: Ends, seen: Seen) -> Self {
        let mut this = Self { place, ends: Some(ends), seen };
        if this.place.name().as_str() == "bob" {
            this.talk(Role::Answers);
        }
        this
    }

    fn talk(&mut self, role: Role) {
        if let Some(ends) = self.ends.take() {
            self.place.spawn(talk(self.place.clone(), ends, role, Duration::from_secs(15)));
        }
    }
}

impl Program for Bare {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        match command {
            Command::Dial { .. } => self.talk(Role::Offers),
            // It ends by itself after 15 s.
            Command::HangUp => {}
            Command::Do(what) if what == "press the red button" => {
                self.place.reporter().note("the red button was pressed");
            }
            other => return Err(Unsupported::by("this application", other)),
        }
        Ok(())
    }

    fn network_changed(&mut self, addresses: &[IpAddr]) {
        let _ = self.seen.send(format!("{} has {addresses:?}", self.place.name()));
    }

    fn finished(&mut self) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(Duration::from_secs(10)))
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn play_text(text: &str, seed: u64) -> (Plan, Result<RunRecord, RunError>, Vec<String>) {
    let plan = Plan::from_toml("programs/bare", text).unwrap_or_else(|error| panic!("{error:?}"));
    let (at_alice, at_bob) = wire();
    let ends = Arc::new(Mutex::new([Some(at_alice), Some(at_bob)]));
    let (seen, mut told) = tokio::sync::mpsc::unbounded_channel();
    let start = move |place: Place| {
        let own = usize::from(place.name().as_str() == "bob");
        let ends = ends.lock().unwrap()[own].take().expect("each is started once");
        Bare::start(place, ends, seen.clone())
    };
    let played = Player::new(&plan).program("bare", start).seed(seed).play();
    let told = std::iter::from_fn(|| told.try_recv().ok()).collect();
    (plan, played, told)
}

fn play(seed: u64) -> (Plan, RunRecord, Vec<String>) {
    let (plan, played, told) = play_text(PLAN, seed);
    (plan, played.expect("the plan can be played"), told)
}

#[test]
fn programs_are_judged_as_the_engine_is() {
    let (plan, record, told) = play(2);
    let transcript = timeline::transcript(&record.timeline);
    let failures = checks::check(&plan, &record);
    assert!(failures.is_empty(), "{failures:#?}\n{transcript}");
    for name in ["alice", "bob"] {
        let peer = &record.peers[name];
        assert!(peer.connected_at.is_some() && peer.pair.is_some(), "{name}\n{transcript}");
        // `close()` fires no event (W3C webrtc-pc §4.4.1.6): the last state that is known stays.
        assert_eq!(peer.call_state, CallState::Connected, "{name}");
    }
    assert!(transcript.contains("bob      · does: press the red button"), "{transcript}");
    assert!(transcript.contains("bob      the red button was pressed"), "{transcript}");
    assert_eq!(told.len(), 1, "one host moved: {told:?}");
}

#[test]
fn the_same_seed_gives_a_program_the_same_bytes_and_events() {
    let [(_, one, _), (_, other, _)] = [play(3), play(3)];
    assert_eq!(one.digest, other.digest);
    assert_eq!(one.timeline, other.timeline);
    assert_ne!(play(4).1.digest, one.digest);
}

#[test]
fn a_step_that_a_program_does_not_know_fails_the_run() {
    let (plan, played, _) = play_text(&PLAN.replace("press the red button", "press the blue button"), 2);
    let failures = checks::check(&plan, &played.expect("the plan can be played"));
    let [failure] = &failures[..] else { panic!("one thing is wrong: {failures:#?}") };
    assert_eq!(
        (failure.check, failure.message.as_str(), failure.at.as_millis()),
        (
            "steps-understood",
            "a step of bob was not carried out: this application cannot: does: press the blue button",
            2000
        )
    );
}

#[test]
fn a_program_that_the_player_was_not_given_is_named() {
    let plan = Plan::from_toml("programs/bare", PLAN).unwrap_or_else(|error| panic!("{error:?}"));
    let error = Player::new(&plan).seed(1).play().expect_err("nobody brought the program");
    let text = error.to_string();
    assert!(text.contains("`alice` runs the program `bare`, which this player does not have"), "{text}");
}

#[test]
fn what_goes_past_the_world_fails_the_run_and_names_the_caller() {
    /// Sends a datagram to the machine's own loopback.
    struct Escapes;

    impl Program for Escapes {
        fn act(&mut self, _: &Command) -> Result<(), Unsupported> {
            let socket = std::net::UdpSocket::bind("10.0.0.1:0").unwrap();
            assert!(socket.send_to(b"x", "127.0.0.1:9").is_err(), "it is refused");
            Ok(())
        }

        fn stop(&mut self) -> BoxFuture<'_, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    let plan = Plan::from_toml("programs/bare", PLAN).unwrap_or_else(|error| panic!("{error:?}"));
    let record = Player::new(&plan).program("bare", |_| Escapes).seed(1).play().unwrap();
    let failures = checks::check(&plan, &record);
    let escaped = failures.iter().find(|failure| failure.check == "ended-by-itself");
    let message = &escaped.unwrap_or_else(|| panic!("{failures:#?}")).message;
    assert!(message.contains("sendto") && message.contains("programs.rs"), "{message}");
}

#[test]
fn a_program_that_draws_elsewhere_does_not_repeat_itself() {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Reports how often it was started in this process, which is not of its world.
    struct Counts;

    static STARTED: AtomicU32 = AtomicU32::new(0);

    impl Program for Counts {
        fn act(&mut self, _: &Command) -> Result<(), Unsupported> {
            Ok(())
        }

        fn stop(&mut self) -> BoxFuture<'_, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    let plan = Plan::from_toml("programs/bare", PLAN).unwrap_or_else(|error| panic!("{error:?}"));
    let start = |place: Place| {
        let count = STARTED.fetch_add(1, Ordering::Relaxed);
        place.reporter().note(format!("started as number {count}"));
        Counts
    };
    let error = Player::new(&plan).program("bare", start).seed(1).play_twice().expect_err("they differ");
    let text = error.to_string();
    assert!(text.contains("the first event that differs is `0  alice  started as number 0`"), "{text}");
    assert!(text.contains("`0  alice  started as number 2`"), "{text}");
}

#[test]
fn the_engine_repeats_itself() {
    let plan = super::scenario("happy/host-candidates");
    assert!(Player::new(&plan).seed(1).play_twice().is_ok());
}

#[test]
fn the_first_difference_of_two_runs_is_named_and_an_event_goes_before_a_packet() {
    let (_, one, _) = play(3);
    let (_, mut other, _) = play(3);
    assert_eq!(Difference::between(&one, &other), None);
    other.digest = play(4).1.digest;
    assert_eq!(Difference::between(&one, &other), Some(Difference::Bytes));
    other.timeline.packets.last_mut().expect("a packet").at = VirtualTime::default();
    assert!(matches!(Difference::between(&one, &other), Some(Difference::Packet { .. })));
    other.timeline.entries.last_mut().expect("an event").at = VirtualTime::default();
    assert!(matches!(Difference::between(&one, &other), Some(Difference::Event { .. })));
}
