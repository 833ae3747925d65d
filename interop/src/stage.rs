//! What all flows share: the signalling server, the folder of logs, and TURN servers behind a forwarder.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command as Program, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::{
    side::{Side, Trouble, now},
    words::Options,
};

pub(crate) struct Stage {
    root: PathBuf,
    logs: PathBuf,
    server: String,
    program: Child,
}

impl Stage {
    /// Starts the signalling server of `callsim serve`.
    pub(crate) fn start(root: &Path) -> anyhow::Result<Self> {
        let logs = root.join("target/interop");
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let callsim = build_callsim(root)?;
        let mut program = Program::new(callsim)
            .args(["serve", "--open", "--listen", "127.0.0.1:0", "--format", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `callsim serve`")?;
        let output = program.stdout.take().context("`callsim serve` has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let said: serde_json::Value = serde_json::from_str(&line).context("`callsim serve` says nothing")?;
        let Some(server) = said["address"].as_str() else { bail!("`callsim serve` says no address: {line}") };
        Ok(Self { root: root.to_owned(), logs, server: server.to_owned(), program })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// The engine's program: this one.
    #[allow(clippy::unused_self, reason = "it is one of the stage's programs")]
    pub(crate) fn engine(&self) -> Program {
        let mut program = Program::new(std::env::current_exe().unwrap_or_else(|_| "callsim-interop".into()));
        program.arg("peer");
        program
    }

    /// Starts a side with its options; its log is `target/interop/NAME.log`.
    pub(crate) fn side(
        &self,
        who: &'static str,
        mut program: Program,
        options: &Options,
    ) -> Result<Side, Trouble> {
        let cannot = |error| Trouble::Start(who.to_owned(), error);
        let json = serde_json::to_string(options).map_err(|error| cannot(error.into()))?;
        let log = File::create(self.logs.join(format!("{}.log", options.name))).map_err(cannot)?;
        program.arg(json);
        Side::start(who, &options.name, program, log)
    }

    /// Starts coturn, and the forwarder before it.
    pub(crate) fn turn(&self) -> Result<Turn, Trouble> {
        let cannot = |error| Trouble::Start("coturn".to_owned(), error);
        // Free a moment ago; who takes it meanwhile makes coturn fail, and the flow with it.
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.local_addr())
            .map_err(cannot)?;
        let log = File::create(self.logs.join("coturn.log")).map_err(cannot)?;
        let program = Program::new("turnserver")
            .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--allow-loopback-peers"])
            .args(["--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--realm", "interop"])
            .args(["--listening-port", &port.port().to_string()])
            .args(["--user", &format!("{}:{}", Turn::USER, Turn::PASSWORD)])
            .args(["--pidfile", "/dev/null", "--log-file", "stdout", "--verbose"])
            .stdout(Stdio::from(log.try_clone().map_err(cannot)?))
            .stderr(Stdio::from(log))
            .spawn()
            .map_err(cannot)?;
        let forwarder = Forwarder::start(port).map_err(cannot)?;
        let turn = Turn { program, forwarder };
        turn.wait_until_it_answers().map_err(cannot)?;
        Ok(turn)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        end(&mut self.program);
    }
}

/// The program `callsim` beside this one, built if it is not.
fn build_callsim(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Program::new(cargo)
        .args(["build", "--quiet", "--bin", "callsim", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .status()
        .context("cannot start cargo")?;
    if !built.success() {
        bail!("`callsim` cannot be built");
    }
    let beside = std::env::current_exe()?.with_file_name("callsim");
    if !beside.exists() {
        bail!("{} is not there", beside.display());
    }
    Ok(beside)
}

/// A TURN server, and the way to it.
pub(crate) struct Turn {
    program: Child,
    forwarder: Forwarder,
}

impl Turn {
    pub(crate) const USER: &str = "interop";
    pub(crate) const PASSWORD: &str = "interop";

    pub(crate) fn address(&self) -> SocketAddr {
        self.forwarder.address
    }

    pub(crate) fn block(&self, is_blocked: bool) {
        self.forwarder.shared.is_blocked.store(is_blocked, Ordering::Relaxed);
    }

    pub(crate) fn passed(&self) -> u64 {
        self.forwarder.shared.passed.load(Ordering::Relaxed)
    }

    /// A STUN binding request (RFC 8489 §5) until there is an answer.
    fn wait_until_it_answers(&self) -> std::io::Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let mut request = [0; 20];
        request[1] = 1;
        request[4..8].copy_from_slice(&0x2112_A442_u32.to_be_bytes());
        let deadline = now() + Duration::from_secs(10);
        while now() < deadline {
            socket.send_to(&request, self.address())?;
            if socket.recv(&mut [0; 512]).is_ok() {
                return Ok(());
            }
        }
        Err(std::io::ErrorKind::TimedOut.into())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.forwarder.shared.is_over.store(true, Ordering::Relaxed);
        end(&mut self.program);
    }
}

fn end(program: &mut Child) {
    // It may have ended already.
    let _ = program.kill();
    let _ = program.wait();
}

/// Passes datagrams on to a server and back, unless it is told to drop them.
struct Forwarder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_blocked: AtomicBool,
    is_over: AtomicBool,
    passed: AtomicU64,
}

impl Forwarder {
    fn start(server: SocketAddr) -> std::io::Result<Self> {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        front.set_read_timeout(Some(Duration::from_millis(200)))?;
        let address = front.local_addr()?;
        let shared = Arc::<Shared>::default();
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut clients: Vec<(SocketAddr, UdpSocket)> = Vec::new();
            let mut buffer = vec![0; 65_536];
            while !state.is_over.load(Ordering::Relaxed) {
                let Ok((length, from)) = front.recv_from(&mut buffer) else { continue };
                let known = clients.iter().position(|(client, _)| *client == from);
                let Some(known) = known.or_else(|| {
                    let back = Self::way_back(&front, from, server, &state).ok()?;
                    clients.push((from, back));
                    Some(clients.len() - 1)
                }) else {
                    continue;
                };
                state.pass(|| clients[known].1.send(&buffer[..length]));
            }
        });
        Ok(Self { address, shared })
    }

    /// A socket to the server for one client, and the thread that brings back what comes.
    fn way_back(
        front: &UdpSocket,
        client: SocketAddr,
        server: SocketAddr,
        state: &Arc<Shared>,
    ) -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let (back, front, state) = (socket.try_clone()?, front.try_clone()?, Arc::clone(state));
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while !state.is_over.load(Ordering::Relaxed) {
                let Ok(length) = back.recv(&mut buffer) else { continue };
                state.pass(|| front.send_to(&buffer[..length], client));
            }
        });
        Ok(socket)
    }
}

impl Shared {
    fn pass(&self, send: impl FnOnce() -> std::io::Result<usize>) {
        // A datagram that cannot be sent is lost, as datagrams are.
        if !self.is_blocked.load(Ordering::Relaxed) && send().is_ok() {
            self.passed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
