//! What a scenario with programs of a user's own promises them.

use std::net::{IpAddr, SocketAddr};

use scenario::{checks::check, plan::Plan, record::RunRecord, run::Player, timeline::Event};
use stage::{BoxFuture, Command, Place, Program, Unsupported};
use timeline::{MediaKind, PacketPosition, ReceivedPacket};

/// Notes what it is told, and hears a packet of audio for every command but `hold`.
struct Witness(Place);

impl Witness {
    fn start(place: Place) -> Self {
        let witness = place.clone();
        place.spawn(async move {
            let found = witness.look_up("server.test:9000").await.unwrap();
            witness.reporter().note(format!("server: {found:?}"));
        });
        Self(place)
    }
}

impl Program for Witness {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        if *command == Command::Hold {
            return Err(Unsupported::because("a witness cannot hold"));
        }
        let (kind, position) = (MediaKind::Audio, PacketPosition::End);
        self.0.reporter().packet_received(ReceivedPacket { kind, bytes: 80, position });
        Ok(())
    }

    fn network_changed(&mut self, addresses: &[IpAddr]) {
        let has = self.0.host().addresses();
        self.0.reporter().note(format!("told {addresses:?}, has {has:?}"));
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Three peers, of whom `anna` calls `bert`.
fn play(steps: &str) -> (Plan, RunRecord) {
    let text = format!(
        r#"version = 1
summary = "Witnesses."
[peers.anna]
program = "witness"
[peers.bert]
program = "witness"
[peers.server]
program = "witness"
address = "198.51.100.80"
[[steps]]
at = "1s"
anna = {{ dial = "bert" }}
{steps}
[expect]
"#
    );
    let plan = Plan::from_toml("programs", &text).unwrap();
    let record = Player::new(&plan).program("witness", Witness::start).seed(7).play().unwrap();
    (plan, record)
}

fn notes(record: &RunRecord, of: &str) -> Vec<String> {
    let own = record.timeline.entries.iter().filter(|entry| entry.actor.as_str() == of);
    own.filter_map(|entry| match &entry.event {
        Event::Note { what } => Some(what.to_string()),
        _ => None,
    })
    .collect()
}

#[test]
fn peers_have_domain_names() {
    let (_, record) = play("");
    let server = SocketAddr::new("198.51.100.80".parse().unwrap(), 9000);
    assert_eq!(notes(&record, "bert"), [format!("server: {:?}", [server])]);
}

#[test]
fn media_come_from_who_was_called_and_from_who_called() {
    let (_, record) = play("[[steps]]\nat = \"2s\"\nbert = { do = \"listen\" }\n");
    let from = |name: &str| record.peers[name].received.keys().cloned().collect::<Vec<_>>();
    assert_eq!(from("anna"), [("bert".into(), MediaKind::Audio)]);
    assert_eq!(from("bert"), [("anna".into(), MediaKind::Audio)]);
    assert_eq!(from("server"), []);
}

#[test]
fn a_program_that_is_told_of_a_network_is_in_it() {
    for transition in ["gap = \"300ms\"", "overlap = \"1s\""] {
        let (_, record) = play(&format!(
            "[[steps]]\nat = \"2s\"\nnetwork = {{ handover = {{ peer = \"anna\", address = \"10.9.0.1\", {transition} }} }}\n\
             [[steps]]\nat = \"4s\"\nanna = {{ do = \"wait\" }}\n"
        ));
        let notes = notes(&record, "anna");
        let told = notes.last().unwrap();
        assert!(told.starts_with("told [10.9.0.1], has ["), "{transition}: {told}");
        let (_, has) = told.split_once(", has ").unwrap();
        assert!(has.contains("10.9.0.1"), "{transition}: {told}");
    }
}

#[test]
fn a_step_that_a_program_does_not_know_fails_the_run() {
    let (plan, record) = play("[[steps]]\nat = \"2s\"\nanna = \"hold\"\n");
    let failures = check(&plan, &record);
    let shown: Vec<_> = failures
        .iter()
        .map(|failure| format!("{} {}: {}", failure.at, failure.check, failure.message))
        .collect();
    assert_eq!(shown, ["2000 steps-understood: a step of anna was not carried out: a witness cannot hold"]);
}
