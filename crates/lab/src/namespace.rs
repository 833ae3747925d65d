//! A host's network namespace: a thread that lives in it, with a TUN device.
//!
//! What is started on the thread, a child process or a socket, is in the namespace for good. The namespace has no name
//! and ends with the last of these.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, mpsc},
    thread,
};

use futures::TryStreamExt as _;
use nix::sched::{CloneFlags, unshare};
use rtnetlink::{LinkUnspec, RouteMessageBuilder, packet_route::route::RouteScope};
use timeline::Name;
use tokio::runtime::{Builder, Handle};
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::LabError;

/// What the devices are called: the same in every namespace.
const DEVICE: &str = "lab0";
/// Every namespace has its loopback interface first.
const LOOPBACK: u32 = 1;

/// A namespace. It lasts as long as the process.
#[derive(Clone)]
pub(crate) struct Namespace {
    /// Where tasks run that are in it: one thread.
    pub(crate) handle: Handle,
    pub(crate) device: Arc<SyncDevice>,
    /// For `nsenter --net=`.
    pub(crate) path: String,
    links: Links,
}

/// The way to change what the device has.
#[derive(Clone)]
struct Links {
    netlink: rtnetlink::Handle,
    device: u32,
}

impl Namespace {
    /// Makes one with a device that has these addresses.
    pub(crate) fn open(host: &Name, addresses: &[IpAddr], mtu_bytes: u16) -> Result<Self, LabError> {
        let failed = |doing, reason| LabError::Namespace { host: host.clone(), doing, reason };
        let (sender, opened) = mpsc::sync_channel(1);
        let addresses = addresses.to_vec();
        let name = format!("lab-{host}");
        let live = move || match live(&addresses, mtu_bytes) {
            Ok((runtime, namespace)) => {
                // The lab may have given up.
                let _ = sender.send(Ok(namespace));
                runtime.block_on(std::future::pending::<()>());
            }
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        };
        thread::Builder::new()
            .name(name)
            .spawn(live)
            .map_err(|error| failed("start its thread", error.to_string()))?;
        match opened.recv() {
            Ok(Ok(namespace)) => Ok(namespace),
            Ok(Err((doing, reason))) => Err(failed(doing, reason)),
            Err(_) => Err(failed("start its thread", "it ended".to_owned())),
        }
    }

    /// Gives the device these addresses and no others.
    pub(crate) async fn set_addresses(&self, addresses: Vec<IpAddr>) -> Result<(), String> {
        let links = self.links.clone();
        let changing = self.handle.spawn(async move { links.set_addresses(&addresses).await });
        match changing.await {
            Ok(changed) => changed.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What could not be done, and why.
type Failed = (&'static str, String);

fn live(addresses: &[IpAddr], mtu_bytes: u16) -> Result<(tokio::runtime::Runtime, Namespace), Failed> {
    let failed = |doing| move |error: io::Error| (doing, error.to_string());
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| ("make a network namespace", error.to_string()))?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed("start its runtime"))?;
    let device = DeviceBuilder::new().name(DEVICE).mtu(mtu_bytes).build_sync();
    let device = Arc::new(device.map_err(failed("make its TUN device"))?);
    let index = device.if_index().map_err(failed("find its TUN device"))?;
    let links = runtime.block_on(async {
        let (connection, netlink, _) = rtnetlink::new_connection().map_err(failed("talk to the kernel"))?;
        tokio::spawn(connection);
        let links = Links { netlink, device: index };
        let set = async {
            for index in [LOOPBACK, links.device] {
                let up = LinkUnspec::new_with_index(index).up().build();
                links.netlink.link().set(up).execute().await?;
            }
            links.set_addresses(addresses).await
        };
        set.await.map_err(|error| ("add its addresses", error.to_string()))?;
        Ok(links)
    })?;
    let path = format!("/proc/{}/task/{}/ns/net", std::process::id(), nix::unistd::gettid());
    let namespace = Namespace { handle: runtime.handle().clone(), device, path, links };
    Ok((runtime, namespace))
}

impl Links {
    async fn set_addresses(&self, addresses: &[IpAddr]) -> Result<(), rtnetlink::Error> {
        use rtnetlink::packet_route::address::AddressAttribute;
        let present = self.netlink.address().get().set_link_index_filter(self.device).execute();
        let present: Vec<_> = present.try_collect().await?;
        let address_of = |attribute: &AddressAttribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        };
        let mut missing = addresses.to_vec();
        for message in present {
            let address = message.attributes.iter().find_map(address_of);
            let is_own = |ip: &IpAddr| matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
            match address {
                Some(address) if missing.contains(&address) => missing.retain(|other| *other != address),
                Some(address) if is_own(&address) => {}
                _ => self.netlink.address().del(message).execute().await?,
            }
        }
        for address in missing {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            self.netlink.address().add(self.device, address, prefix).execute().await?;
        }
        // The kernel drops a family's routes with its last address.
        if addresses.iter().any(IpAddr::is_ipv4) {
            let route = RouteMessageBuilder::<Ipv4Addr>::new().output_interface(self.device);
            self.netlink.route().add(route.scope(RouteScope::Link).build()).replace().execute().await?;
        }
        if addresses.iter().any(IpAddr::is_ipv6) {
            let route = RouteMessageBuilder::<Ipv6Addr>::new().output_interface(self.device);
            self.netlink.route().add(route.build()).replace().execute().await?;
        }
        Ok(())
    }
}
