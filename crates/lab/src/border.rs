//! Between the devices and the world: what comes in, what goes out, and connections to the signalling server.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use netsim::{Arrival, Host, Tap};
use timeline::Name;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tun_rs::SyncDevice;

use crate::{
    namespace::Namespace,
    packet::{Unread, read, too_big, write},
    play::run_first,
};

/// Packets that did not get into the world, or out of it.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    /// IP fragments.
    pub(crate) fragments: AtomicU64,
    /// What the world refused, and what no kernel took.
    pub(crate) others: AtomicU64,
}

/// The border of one host.
pub(crate) struct Border {
    pub(crate) host: Name,
    device: Arc<SyncDevice>,
    from_device: UnboundedReceiver<Vec<u8>>,
    dropped: Arc<Dropped>,
}

impl Border {
    /// Starts to read from the device.
    pub(crate) fn open(host: &Name, namespace: &Namespace, dropped: &Arc<Dropped>) -> std::io::Result<Self> {
        let (sender, from_device) = unbounded_channel();
        let device = namespace.device.clone();
        let reading = move || {
            run_first();
            receive(&device, &sender);
        };
        thread::Builder::new().name(format!("from-{host}")).spawn(reading)?;
        let (host, device, dropped) = (host.clone(), namespace.device.clone(), dropped.clone());
        Ok(Self { host, device, from_device, dropped })
    }

    /// Carries packets both ways until the world ends. Within its runtime.
    pub(crate) fn carry(self, host: &Host) {
        let Self { device, from_device, dropped, .. } = self;
        let tap = host.tap();
        tokio::spawn(inwards(tap.clone(), from_device, dropped.clone()));
        tokio::spawn(outwards(tap, device, dropped));
    }
}

/// Reads packets until nobody wants them any more.
fn receive(device: &SyncDevice, sender: &UnboundedSender<Vec<u8>>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length) = device.recv(&mut buffer) {
        if sender.send(buffer[..length].to_vec()).is_err() {
            return;
        }
    }
}

async fn inwards(tap: Tap, mut from_device: UnboundedReceiver<Vec<u8>>, dropped: Arc<Dropped>) {
    while let Some(bytes) = from_device.recv().await {
        match read(&bytes) {
            Ok(packet) => {
                if tap.send(&packet).is_err() {
                    dropped.others.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(Unread::Fragment) => _ = dropped.fragments.fetch_add(1, Ordering::Relaxed),
            Err(Unread::Malformed) => _ = dropped.others.fetch_add(1, Ordering::Relaxed),
            Err(Unread::Foreign) => {}
        }
    }
}

async fn outwards(tap: Tap, device: Arc<SyncDevice>, dropped: Arc<Dropped>) {
    loop {
        let bytes = match tap.recv().await {
            Arrival::Packet(packet) => write(&packet),
            Arrival::TooBig { mtu_bytes, packet } => too_big(mtu_bytes, &packet),
        };
        if bytes.is_none_or(|bytes| device.send(&bytes).is_err()) {
            dropped.others.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Connections to the signalling server's host, each to be passed on to this endpoint of the world.
pub(crate) type Accepted = UnboundedReceiver<(TcpStream, SocketAddr)>;

/// Listens in the signalling server's namespace.
pub(crate) fn listen(namespace: &Namespace, endpoints: Vec<SocketAddr>) -> std::io::Result<Accepted> {
    let (sender, accepted) = unbounded_channel();
    for endpoint in endpoints {
        let (sender, (opened, listening)) = (sender.clone(), std::sync::mpsc::sync_channel(1));
        namespace.handle.spawn(async move {
            let listener = match TcpListener::bind(endpoint).await {
                Ok(listener) => listener,
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            let _ = opened.send(Ok(()));
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that is gone already needs no setting.
                let _ = stream.set_nodelay(true);
                if sender.send((stream, endpoint)).is_err() {
                    return;
                }
            }
        });
        listening.recv().unwrap_or_else(|_| Err(std::io::Error::other("its runtime ended")))?;
    }
    Ok(accepted)
}

/// Passes connections on to the world's own server, which is on the same host there: loopback, which takes no time. A
/// server that refuses a connection, or ends one, does so for its client too.
pub(crate) fn pass_on(host: &Host, mut accepted: Accepted) {
    let host = host.clone();
    tokio::spawn(async move {
        while let Some((mut outside, endpoint)) = accepted.recv().await {
            let host = host.clone();
            tokio::spawn(async move {
                if let Ok(mut inside) = host.connect(endpoint).await {
                    // Either end may break off.
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                }
            });
        }
    });
}
