//! The library's floor under its own driver: what the asynchronous crate (`webrtc`) needs as it ships. Two peer connections
//! with its driver, its timers and its default interceptors, on the least runtime that it can run on: tokio's paused clock
//! and datagrams that wait in a queue. No links, no signalling but a function call, no engine, no recording.
//!
//! A call of ours runs on the same driver, so that this is what it costs when all of ours costs nothing. In two things ours does
//! less: interceptors that have nothing to say are quiet, and fewer packets are kept to be sent again (`call-engine`,
//! `peer/interceptors/`). In idle minutes and in memory it may therefore stand below this.

mod call;
mod media;
mod network;
mod peer;
mod runtime;

use std::{future::Future, time::Duration};

use stage::thread_settings;

use self::{
    call::{Call, Talk},
    network::Network,
};
use super::super::{Broken, PrepareError, Prepared, Region, Size, Workload, calls::CALLS_PER_MS, within};

/// In the order in which they are shown.
pub(in crate::workload) const ALL: &[Workload] = &[
    Workload {
        id: "floor/driver",
        about: "Two peer connections of the asynchronous library under its own driver, in memory and virtual time: Opus and \
                VP8, offer and answer, a candidate each, until both are connected; their end. 20 ms from one to the other.",
        unit: "call",
        prepare: |size, region| {
            let calls = if size == Size::Full { 10 } else { 1 };
            driver("floor/driver", region, move |network| one_by_one(network, calls))
        },
    },
    Workload {
        id: "floor/driver-idle",
        about: "The same, with a twentieth of a second of media and then, connected, a minute of none.",
        unit: "call",
        prepare: |size, region| {
            let idle = Duration::from_secs(if size == Size::Full { 60 } else { 2 });
            driver("floor/driver-idle", region, move |network| async move {
                with_talk(network, Talk { media: Duration::from_millis(50), idle }).await.map(|_| 1)
            })
        },
    },
    Workload {
        id: "floor/driver-media",
        about: "The same, with a minute of media both ways, 50 audio and 30 video frames a second. The units are media \
                packets that arrive; the set-up is in it.",
        unit: "media packet",
        prepare: |size, region| {
            let media = Duration::from_secs(if size == Size::Full { 60 } else { 2 });
            driver("floor/driver-media", region, move |network| {
                with_talk(network, Talk { media, idle: Duration::ZERO })
            })
        },
    },
    Workload {
        id: "floor/driver-ten",
        about: "Ten such calls without media, all connected before the first one ends: the measure for the next.",
        unit: "call",
        prepare: |size, region| {
            let calls = if size == Size::Full { 10 } else { 2 };
            driver("floor/driver-ten", region, move |network| at_once(network, calls))
        },
    },
    Workload {
        id: "floor/driver-many",
        about: "A thousand such calls without media, all connected before the first one ends.",
        unit: "call",
        prepare: |size, region| {
            let calls = if size == Size::Full { 1000 } else { 3 };
            driver("floor/driver-many", region, move |network| at_once(network, calls))
        },
    },
];

/// How long a run may last in virtual time.
const DEADLINE: Duration = Duration::from_secs(600);

/// Runs `main` on a simulation thread of its own, whose hooks keep the library's sockets off the machine's network and
/// its keys the same each time.
fn driver<F>(
    id: &'static str,
    region: Region,
    main: impl Fn(Network) -> F + Sync + 'static,
) -> Result<Prepared, PrepareError>
where
    F: Future<Output = Result<u64, Broken>>,
{
    determinism::supported()?;
    Ok(Box::new(move || {
        let on_thread = || within(region, || in_virtual_time(&main));
        let units = determinism::on_simulation_thread(thread_settings(1), on_thread);
        let units = units.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        units.unwrap_or_else(|what| panic!("{id}: {what}"))
    }))
}

fn in_virtual_time<F>(main: impl Fn(Network) -> F) -> Result<u64, Broken>
where
    F: Future<Output = Result<u64, Broken>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime?.block_on(async {
        let network = Network::default();
        let delivery = tokio::spawn(network.clone().deliver());
        let finished = tokio::time::timeout(DEADLINE, main(network.clone())).await;
        delivery.abort();
        let units = finished.map_err(|_| Broken::NotOver { deadline: DEADLINE })??;
        match network.open_sockets() {
            0 => Ok(units),
            open => Err(Broken::SocketsLeft { open }),
        }
    })
}

/// One call after the other; how many.
async fn one_by_one(network: Network, calls: u32) -> Result<u64, Broken> {
    for number in 0..calls {
        Call::connect(&network, number).await?.end().await?;
    }
    Ok(calls.into())
}

/// One call in which `talk` happens; how many media packets arrived.
async fn with_talk(network: Network, talk: Talk) -> Result<u64, Broken> {
    let mut call = Call::connect(&network, 0).await?;
    let packets = call.talk(talk).await?;
    call.end().await?;
    Ok(packets)
}

/// Calls that are dialled as closely as those of our own worlds and end when all are connected; how many.
async fn at_once(network: Network, calls: u32) -> Result<u64, Broken> {
    let mut connecting = Vec::new();
    for number in 0..calls {
        let network = network.clone();
        connecting.push(tokio::spawn(async move { Call::connect(&network, number).await }));
        if u64::from(number + 1).is_multiple_of(CALLS_PER_MS) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let mut connected = Vec::new();
    for call in connecting {
        connected.push(call.await??);
    }
    for call in connected {
        call.end().await?;
    }
    Ok(calls.into())
}
