use std::{cell::RefCell, collections::BTreeSet};

use call_engine::{CallState, Enabled, EndReason, EngineEvent, MediaKind, Mesh, MeshEvent, RecoveryCause};
use signaller::{ByeReason, Kind, Message, TransportEvent, memory::Hub};

use crate::{
    rig::play,
    room::{Guest, Member, Told},
};

const ROOM: &str = "standup";

fn joined() -> MeshEvent {
    MeshEvent::Joined { room: ROOM.to_owned() }
}

fn left() -> MeshEvent {
    MeshEvent::Left { room: ROOM.to_owned() }
}

fn started(remote: &str) -> MeshEvent {
    MeshEvent::PairStarted { remote: remote.into() }
}

fn ended(remote: &str) -> MeshEvent {
    MeshEvent::PairEnded { remote: remote.into() }
}

/// `name` joins the room, in which `members` are.
async fn join(name: &str, members: &[&str], hub: &Hub) -> Member {
    let mut member = Member::start(name, hub);
    member.mesh.join(ROOM, members.iter().map(|member| (*member).into()).collect());
    member.until_room(joined()).await;
    member
}

#[test]
fn each_hears_each_and_who_leaves_leaves_the_others_talking() {
    play(async {
        let hub = Hub::default();
        let mut alice = join("alice", &[], &hub).await;
        let mut bob = join("bob", &["alice"], &hub).await;
        alice.until_state("bob", CallState::Connected).await;
        let mut carol = join("carol", &["alice", "bob"], &hub).await;
        for _ in 0..2 {
            for (listener, speakers) in [
                (&mut carol, ["alice", "bob"]),
                (&mut alice, ["carol", "bob"]),
                (&mut bob, ["carol", "alice"]),
            ] {
                for speaker in speakers {
                    listener.until_packet(speaker, None).await;
                }
            }
            carol.mesh.leave();
            carol.until_room(left()).await;
            for stays in [&mut alice, &mut bob] {
                stays.until_room(ended("carol")).await;
            }
            // Who comes again is another call, not a message of the last one.
            carol.mesh.join(ROOM, ["alice", "bob", "carol"].map(Into::into).to_vec());
        }
        for member in [&alice, &bob, &carol] {
            member.mesh.shut_down().await;
        }
        alice.until_room(left()).await;
    });
}

#[test]
fn a_ring_for_another_room_or_for_somebody_in_none_is_declined() {
    play(async {
        let hub = Hub::default();
        let mut alice = Member::start("alice", &hub);
        let mut guest = Guest::join("guest", &hub);
        guest.is_declined("alice", ROOM, "she is in no room").await;
        alice.mesh.join(ROOM, Vec::new());
        guest.is_declined("alice", "another", "she is in this one").await;
        let call = guest.is_taken_in("alice", ROOM).await;
        alice.until_room(started("guest")).await;
        guest.sends("alice", &call, Message::Bye { reason: ByeReason::HungUp });
        alice.until_room(ended("guest")).await;
        alice.mesh.leave();
        alice.until_room(left()).await;
        guest.is_declined("alice", ROOM, "she has left").await;
        alice.mesh.shut_down().await;
    });
}

#[test]
fn a_room_takes_six() {
    play(async {
        let hub = Hub::default();
        let mut alice = join("alice", &[], &hub).await;
        let mut guests: Vec<Guest> =
            (0..Mesh::MOST).map(|number| Guest::join(&format!("guest-{number}"), &hub)).collect();
        for guest in &mut guests[..Mesh::MOST - 1] {
            guest.is_taken_in("alice", ROOM).await;
        }
        guests[Mesh::MOST - 1].is_declined("alice", ROOM, "six are in it").await;
        // Who is in it already is not turned away for that: a ring that comes again changes nothing.
        let call = guests[0].rings("alice", ROOM);
        guests[0].sends("alice", &call, Message::Bye { reason: ByeReason::HungUp });
        let told = alice.until_room(ended("guest-0")).await;
        assert!(!told.iter().any(|told| matches!(told, Told::Room(MeshEvent::Problem { .. }))));
        alice.mesh.shut_down().await;
    });
}

#[test]
fn nobody_joins_a_room_that_is_full_or_a_second_one_or_leaves_none() {
    play(async {
        let hub = Hub::default();
        let mut alice = Member::start("alice", &hub);
        alice.mesh.leave();
        assert_eq!(alice.problem().await, "cannot leave: in no room");
        let six = (0..Mesh::MOST).map(|number| format!("guest-{number}").as_str().into()).collect::<Vec<_>>();
        alice.mesh.join(ROOM, six.clone());
        assert_eq!(alice.problem().await, "cannot join standup: 6 are in it already");
        alice.mesh.join(ROOM, six[1..].to_vec());
        for remote in &six[1..] {
            alice.until_room(started(remote.as_str())).await;
        }
        alice.mesh.join("another", Vec::new());
        assert_eq!(alice.problem().await, "cannot join another: in standup");
        alice.mesh.shut_down().await;
    });
}

#[test]
fn who_leaves_takes_nobody_in_while_pairs_end() {
    play(async {
        let hub = Hub::default();
        let alice = join("alice", &[], &hub).await;
        let (mut first, mut second) = (Guest::join("first", &hub), Guest::join("second", &hub));
        first.rings("alice", ROOM);
        assert_eq!(first.hears_kind().await, "ringing");
        alice.mesh.leave();
        second.is_declined("alice", ROOM, "she is leaving").await;
        let last = loop {
            match first.hears_kind().await {
                kind if kind == "accept" => {}
                kind => break kind,
            }
        };
        assert!(last.starts_with("bye") || last.starts_with("reject"), "{last}");
        alice.mesh.shut_down().await;
    });
}

#[test]
fn who_joins_again_makes_a_call_of_another_id() {
    play(async {
        let hub = Hub::default();
        let mut alice = join("alice", &["guest"], &hub).await;
        let mut guest = Guest::join("guest", &hub);
        let first = guest.hears().await.call;
        alice.mesh.leave();
        alice.until_room(left()).await;
        assert!(guest.hears_kind().await.starts_with("bye"));
        alice.mesh.join(ROOM, vec!["guest".into()]);
        let second = guest.hears().await;
        assert_eq!(second.body.kind(), Kind::Ring);
        assert_ne!(first, second.call);
        alice.mesh.shut_down().await;
    });
}

#[test]
fn who_is_shut_down_says_so_to_each_and_is_in_no_room() {
    play(async {
        let hub = Hub::default();
        let mut alice = join("alice", &["guest"], &hub).await;
        let mut guest = Guest::join("guest", &hub);
        assert_eq!(guest.hears_kind().await, "ring audio+video");
        alice.mesh.shut_down().await;
        assert!(guest.hears_kind().await.starts_with("bye"));
        let told = alice.until_room(left()).await;
        assert!(told.iter().any(|told| matches!(told, Told::Room(event) if *event == ended("guest"))));
    });
}

/// Of `remote`, audio arrives and no video with it.
async fn check_hears_without_seeing(member: &mut Member, remote: &str) {
    for _ in 0..10 {
        let told = member.until_packet(remote, Some(MediaKind::Audio)).await;
        let seen = told.iter().any(|told| told.is_packet(remote, Some(MediaKind::Video)));
        assert!(!seen, "{remote} is seen");
    }
}

#[test]
fn what_was_switched_off_is_off_towards_who_comes_later() {
    play(async {
        let hub = Hub::default();
        let mut alice = join("alice", &[], &hub).await;
        let mut bob = join("bob", &["alice"], &hub).await;
        bob.until_packet("alice", Some(MediaKind::Video)).await;
        alice.mesh.set_enabled(MediaKind::Video, Enabled::No);
        let mut carol = join("carol", &["alice", "bob"], &hub).await;
        carol.until_packet("bob", Some(MediaKind::Video)).await;
        check_hears_without_seeing(&mut carol, "alice").await;
        // What was on its way to bob has arrived long since.
        bob.until_packet("carol", Some(MediaKind::Video)).await;
        check_hears_without_seeing(&mut bob, "alice").await;
        alice.until_state("carol", CallState::Connected).await;
        for member in [&alice, &bob, &carol] {
            member.mesh.shut_down().await;
        }
    });
}

fn is_down(told: &Told, remote: &str) -> bool {
    let Told::Pair(with, EngineEvent::Signaling { what }) = told else { return false };
    with.as_str() == remote && what.starts_with("signalling is down")
}

#[test]
fn each_pair_knows_whether_messages_go_out() {
    play(async {
        let hub = Hub::default();
        let mut alice = join("alice", &[], &hub).await;
        let mut guests = ["first", "second", "third"].map(|name| Guest::join(name, &hub));
        guests[0].rings("alice", ROOM);
        alice.until_state("first", CallState::Connecting).await;
        hub.inject(&"alice".into(), TransportEvent::Down { reason: "no network".to_owned() });
        alice.until(|told| is_down(told, "first")).await;
        guests[1].rings("alice", ROOM);
        alice.until(|told| is_down(told, "second")).await;
        hub.inject(&"alice".into(), TransportEvent::Up);
        guests[2].rings("alice", ROOM);
        let told = alice.until_state("third", CallState::Connecting).await;
        assert!(!told.iter().any(|told| is_down(told, "third")), "it is up again");
        alice.mesh.shut_down().await;
    });
}

#[test]
fn pairs_that_do_not_stand_end_with_their_signalling() {
    play(async {
        let hub = Hub::default();
        let mut alice = join("alice", &["guest"], &hub).await;
        // Somebody else takes her place, and her transport is closed for good.
        let _other = hub.join("alice");
        alice.until_state("guest", CallState::Ended(EndReason::SignalingLost)).await;
        alice.until_room(ended("guest")).await;
        alice.mesh.shut_down().await;
    });
}

#[test]
fn each_pair_has_the_lowest_port_that_is_free_also_after_the_network_changed() {
    play(async {
        // An address that no other process of this machine uses.
        let [high, low, ..] = std::process::id().to_be_bytes()[2..] else { unreachable!("two bytes") };
        let (home, away) = (format!("127.{high}.{low}.2"), format!("127.{high}.{low}.3"));
        let hub = Hub::default();
        let mut alice = Member::start_at("alice", &format!("{home}:50000"), &hub);
        alice.mesh.join(ROOM, Vec::new());
        let bob = join("bob", &["alice"], &hub).await;
        assert_eq!(alice.gathers_at("bob").await, format!("{home}:50000"));
        let _carol = join("carol", &["alice"], &hub).await;
        assert_eq!(alice.gathers_at("carol").await, format!("{home}:50001"));
        bob.mesh.leave();
        alice.until_room(ended("bob")).await;
        let _dave = join("dave", &["alice"], &hub).await;
        assert_eq!(alice.gathers_at("dave").await, format!("{home}:50000"));

        alice.until_state("dave", CallState::Connected).await;
        alice.mesh.network_changed(Some(vec![format!("{away}:50000")]));
        // In whichever order the two notice.
        let missing = RefCell::new(BTreeSet::from(["carol", "dave"]));
        let notices = |told: &Told| {
            if let Told::Pair(with, EngineEvent::Recovery { cause: RecoveryCause::NetworkChanged, .. }) = told
            {
                missing.borrow_mut().remove(with.as_str());
            }
            missing.borrow().is_empty()
        };
        alice.until(notices).await;
        let _erin = join("erin", &["alice"], &hub).await;
        assert_eq!(alice.gathers_at("erin").await, format!("{away}:50002"));
        alice.mesh.shut_down().await;
    });
}
