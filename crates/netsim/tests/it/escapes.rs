//! Programs that call the machine instead of the world.

use std::{net::UdpSocket, thread};

use netsim::{End, Escapes, Outcome, World};

use crate::world::{Recipe, config, ms, perfect, run};

fn world(escapes: Escapes) -> Recipe {
    Recipe { escapes, ..config(1, perfect(ms(20))) }
}

/// Sends a datagram to the machine's own loopback, from a socket that no runtime has taken over.
fn send_past_the_world() -> bool {
    let socket = UdpSocket::bind("10.0.0.1:0").unwrap();
    socket.send_to(b"x", "127.0.0.1:9").is_ok()
}

fn calls<T>(outcome: &Outcome<T>) -> Vec<&'static str> {
    outcome.escapes.iter().map(|escape| escape.call).collect()
}

#[test]
fn an_escape_is_refused_and_ends_the_world_at_its_next_rest() {
    let outcome = run(world(Escapes::Fail), |world| async move {
        world.sleep(ms(30)).await;
        assert!(!send_past_the_world());
        world.sleep(ms(1)).await;
    });
    assert_eq!((outcome.end, outcome.elapsed.as_millis(), outcome.value), (End::Escaped, 30, None));
    let [escape] = &outcome.escapes[..] else { panic!("there is one") };
    assert_eq!((escape.call, escape.at), ("sendto", ms(30)));
    let frame = escape.frame.as_deref().unwrap();
    assert!(frame.contains("send_past_the_world") && frame.contains("tests/it/escapes.rs:"), "{frame}");
}

#[test]
fn an_escape_in_the_last_moment_counts_too() {
    let outcome = run(world(Escapes::Fail), |_| async { send_past_the_world() });
    assert_eq!((outcome.end, outcome.value), (End::Escaped, Some(false)));
    let outcome = run(world(Escapes::Fail), |_| async {
        tokio::spawn(OnDrop::pending());
        tokio::task::yield_now().await;
    });
    assert_eq!((outcome.end, calls(&outcome)), (End::Escaped, vec!["sendto"]));
}

struct OnDrop;

impl OnDrop {
    async fn pending() {
        let _on_drop = Self;
        std::future::pending::<()>().await;
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        send_past_the_world();
    }
}

#[test]
fn an_escape_that_is_noted_or_allowed_does_not_end_the_world() {
    for (escapes, recorded) in [(Escapes::Note, vec!["sendto"]), (Escapes::Allow, vec![])] {
        let outcome = run(world(escapes), |world| async move {
            let is_sent = send_past_the_world();
            world.sleep(ms(1)).await;
            is_sent
        });
        assert_eq!((outcome.end, outcome.value), (End::Finished, Some(true)));
        assert_eq!(calls(&outcome), recorded);
    }
}

/// The standard library and `tokio` panic where they are refused a thread.
#[test]
fn a_panic_over_an_escape_is_not_the_end_that_is_reported() {
    async fn blocking(_: World) {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
    let outcome = run(world(Escapes::Fail), blocking);
    assert_eq!((outcome.end, calls(&outcome)), (End::Escaped, vec!["pthread_create"]));
    let frame = outcome.escapes[0].frame.as_deref().unwrap();
    assert!(frame.contains("tests/it/escapes.rs:"), "{frame}");

    let outcome = run(world(Escapes::Fail), |world| async move {
        tokio::spawn(async { thread::spawn(|| ()) }).await.unwrap_err();
        world.sleep(ms(1)).await;
    });
    assert_eq!((outcome.end, calls(&outcome)), (End::Escaped, vec!["pthread_create"]));
}
