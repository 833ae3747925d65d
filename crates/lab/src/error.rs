use std::io;

use thiserror::Error;
use timeline::Name;

/// Why there is no lab.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// The device that makes TUN devices cannot be opened.
    #[error(
        "a lab needs TUN devices, and /dev/net/tun cannot be opened ({0}); load the module with `modprobe tun`, or give a \
         container the device (`docker run --device /dev/net/tun`)"
    )]
    NoTun(io::Error),
    /// The system gives no namespaces of its own to this user.
    #[error(
        "a lab needs namespaces: as {user} they were refused ({source}); run it as root, or let users have them \
         (`sysctl kernel.unprivileged_userns_clone=1`, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; a \
         container needs `--cap-add SYS_ADMIN --security-opt seccomp=unconfined`)"
    )]
    NoNamespaces {
        /// `root` or `a user without rights`.
        user: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// A step on the way into the namespaces failed.
    #[error("cannot {doing}: {source}")]
    Enclosure {
        /// What was tried: `mount /proc`.
        doing: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// A host's namespace or device could not be made.
    #[error("the network of {host}: cannot {doing}: {reason}")]
    Namespace {
        /// The host.
        host: Name,
        /// What was tried: `add its addresses`.
        doing: &'static str,
        /// Why not.
        reason: String,
    },
    /// A command could not be started.
    #[error("cannot start `{command}` at {host}: {source}")]
    Command {
        /// The host.
        host: Name,
        /// The command.
        command: String,
        /// The system's words.
        source: io::Error,
    },
    /// The engine does not play this kind of peer on real sockets.
    #[error(
        "{peer} takes part in a call of several or makes calls of the API by itself, which callsim's engine does only in \
         simulated runs; give it a program with `--exec {peer} '…'`"
    )]
    NotForEngines {
        /// The peer.
        peer: Name,
    },
    /// A lab that was not made within [`enclose`](crate::enclose).
    #[error("a lab is made within its own namespaces only")]
    NotEnclosed,
    /// The world's thread could not be had, or something panicked.
    #[error(transparent)]
    Stage(#[from] stage::StageError),
    /// The world could not be run.
    #[error(transparent)]
    Run(#[from] scenario::run::RunError),
}
