//! The call engine on real sockets: two participants on the loopback interface, and the signalling server of
//! `callsim serve` between them. Nothing here is simulated.

pub mod participant;
pub mod server;

use std::{io, net::SocketAddr};

use call_engine::MediaKind;
use signaller::{
    CallId,
    access::{Grant, Secret, SecretError, Token},
};

pub use self::participant::{Participant, Seen, Step, TooLate};
use self::server::Server;

/// The call that both take part in.
const CALL: &str = "room-1";

/// Why the call did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The server cannot listen.
    #[error("the signalling server cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// The server's secret is too short.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Something did not happen in time.
    #[error(transparent)]
    TooLate(#[from] TooLate),
}

/// Plays the call: alice dials, bob accepts, they hear and see each other, alice hangs up. What each side sees is
/// printed when it happens, and returned: alice's events first.
///
/// # Errors
/// [`CallError`], where a step of the call does not happen within [`participant::PATIENCE`].
pub async fn play() -> Result<[Vec<Seen>; 2], CallError> {
    // What `callsim serve` takes from a file or from its environment.
    let secret = Secret::new("a secret that only the servers know")?;
    let server = Server::start(secret.clone()).await?;
    let mut alice = join("alice", &secret, server.address());
    let mut bob = join("bob", &secret, server.address());

    alice.engine().dial("bob", CALL);
    bob.until(Step::Rings).await?;
    bob.engine().accept();
    for side in [&mut alice, &mut bob] {
        side.until(Step::Connected).await?;
        side.until(Step::Receives(MediaKind::Audio)).await?;
        side.until(Step::Receives(MediaKind::Video)).await?;
    }
    alice.engine().hang_up();
    alice.until(Step::Released).await?;
    bob.until(Step::Released).await?;

    let seen = [alice.leave().await, bob.leave().await];
    server.stop().await;
    Ok(seen)
}

fn join(who: &str, secret: &Secret, server: SocketAddr) -> Participant {
    Participant::join(who, CallId::new(CALL), token(secret, who), server)
}

/// What `callsim serve --issue-token room-1 WHO` prints; an application has a service for that.
fn token(secret: &Secret, who: &str) -> Token {
    let expires_s = server::now().as_secs() + 3600;
    secret.issue(&Grant { call: CallId::new(CALL), participant: who.into(), expires_s })
}
