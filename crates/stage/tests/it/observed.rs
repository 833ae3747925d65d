use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use netsim::Outcome;
use stage::{Journal, Leftovers};
use timeline::{
    CandidateType, ConnectionState, Entry, Event, IceState, MediaKind, Name, ReceivedPacket, SignalingState,
    State, Timeline, TrackChange, VirtualTime,
};

use crate::{
    bare::{Role, talk, wire},
    places::{places, world},
};

/// Keeps what is written down, and counts the packets of media.
#[derive(Default)]
struct Kept {
    timeline: Mutex<Timeline>,
    packets: Mutex<BTreeMap<(Name, MediaKind), usize>>,
}

impl Journal for Kept {
    fn record(&self, entry: Entry) {
        self.timeline.record(entry);
    }

    fn packet_received(&self, _: VirtualTime, actor: &Name, packet: ReceivedPacket) {
        *self.packets.lock().unwrap().entry((actor.clone(), packet.kind)).or_default() += 1;
    }
}

/// A call of ten seconds between two bare peer connections; what each host held two seconds after it.
fn play(kept: &Arc<Kept>) -> Outcome<Vec<Leftovers>> {
    let journal: Arc<dyn Journal> = kept.clone();
    let outcome = stage::run(world(), |world| async move {
        let [alice, bob] = places(&world, &journal);
        let (at_alice, at_bob) = wire();
        let ten = Duration::from_secs(10);
        alice.spawn(talk(alice.clone(), at_alice, Role::Offers, ten));
        bob.spawn(talk(bob.clone(), at_bob, Role::Answers, ten));
        world.sleep(Duration::from_secs(12)).await;
        vec![alice.leftovers().unwrap(), bob.leftovers().unwrap()]
    });
    outcome.unwrap()
}

#[test]
fn states_candidates_pair_tracks_and_media_of_any_connection_are_reported() {
    let kept = Arc::new(Kept::default());
    let outcome = play(&kept);
    assert_eq!(outcome.value.unwrap(), [Leftovers::default(); 2], "nothing is left");
    let timeline = kept.timeline.lock().unwrap().clone();
    for (name, first) in [("alice", SignalingState::HaveLocalOffer), ("bob", SignalingState::HaveRemoteOffer)]
    {
        let name = Name::from(name);
        let states: Vec<State> = timeline
            .entries
            .iter()
            .filter(|entry| entry.actor == name)
            .filter_map(|entry| match entry.event {
                Event::Transition { from, to, .. } => {
                    assert_eq!(from.machine(), to.machine());
                    Some(to)
                }
                _ => None,
            })
            .collect();
        for expected in [
            State::Signaling(first),
            State::Signaling(SignalingState::Stable),
            State::Ice(IceState::Checking),
            State::Ice(IceState::Connected),
            State::Connection(ConnectionState::Connected),
        ] {
            assert!(states.contains(&expected), "{name}: {expected} is not in {states:?}");
        }
        let of_name = |is: &dyn Fn(&Event) -> bool| {
            timeline.entries.iter().filter(|entry| entry.actor == name && is(&entry.event)).count()
        };
        assert_eq!(of_name(&|event| matches!(event, Event::Candidate { .. })), 2, "{name} gathered");
        let is_pair = |event: &Event| {
            matches!(event, Event::PairSelected { local, remote }
                if local.kind == CandidateType::Host && remote.kind == CandidateType::Host)
        };
        assert_eq!(of_name(&is_pair), 1, "{name}'s pair");
        let added = Event::Track { change: TrackChange::Added, kind: MediaKind::Audio };
        assert_eq!(of_name(&|event| *event == added), 1, "{name}'s remote track");
        let packets = kept.packets.lock().unwrap()[&(name.clone(), MediaKind::Audio)];
        assert!((400..=500).contains(&packets), "{name} read {packets} packets of 9 to 10 s");
    }
}

#[test]
fn a_seed_gives_the_same_events_and_bytes() {
    let [one, other] = [(); 2].map(|()| {
        let kept = Arc::new(Kept::default());
        let digest = play(&kept).digest;
        let timeline = kept.timeline.lock().unwrap().clone();
        (digest, timeline)
    });
    assert_eq!(one, other);
}
