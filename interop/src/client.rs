//! The programs that the engine is tried against.

use std::{path::Path, process::Command as Program};

use serde::{Deserialize, Serialize};

use crate::flow::Flow;

timeline::words! {
    /// A client of another make.
    pub(crate) enum Client {
        /// A browser, with the page of `interop/page`.
        Chromium = "chromium",
        /// Python.
        Aiortc = "aiortc",
        /// Google's implementation in node.
        Roamhq = "roamhq",
        /// TypeScript.
        Werift = "werift",
        /// libdatachannel in node.
        NodeDatachannel = "node-datachannel",
        /// Rust, without input or output of its own.
        Str0m = "str0m",
        /// Go.
        Pion = "pion",
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Caller {
    Engine,
    Client,
}

impl Client {
    /// The client as people know it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Aiortc => "aiortc",
            Self::Roamhq => "@roamhq/wrtc",
            Self::Werift => "werift",
            Self::NodeDatachannel => "node-datachannel",
            Self::Str0m => "str0m",
            Self::Pion => "Pion",
        }
    }

    /// Whether it sends audio and video.
    pub(crate) const fn has_media(self) -> bool {
        !matches!(self, Self::NodeDatachannel)
    }

    /// Whether it decodes what comes.
    pub(crate) const fn decodes(self) -> bool {
        matches!(self, Self::Chromium | Self::Aiortc | Self::Roamhq)
    }

    /// Why a flow is not played with it, where that is known before.
    pub(crate) const fn lacks(self, flow: Flow) -> Option<&'static str> {
        match (self, flow) {
            (Self::Str0m | Self::Pion, _) => Some("there is no program for it here yet"),
            (_, Flow::Mdns) if !matches!(self, Self::Chromium) => Some("it has no names of multicast DNS"),
            (Self::Chromium, _) => None,
            (_, Flow::RestOnly) => Some("REST is a matter of the client of signalling, which Chromium tries"),
            (Self::NodeDatachannel, _) if flow.needs_media() => Some("it has no media"),
            (Self::Aiortc, Flow::RestartByClient) => Some("it cannot restart ICE"),
            (Self::Aiortc, Flow::Glare) => Some("it cannot roll back"),
            _ => None,
        }
    }

    /// What is missing on this machine to play it.
    pub(crate) fn missing(self, root: &Path) -> Option<String> {
        let needed = match self {
            Self::Chromium => {
                if !Path::new(CHROMIUM).exists() {
                    return Some(format!("{CHROMIUM} is not installed"));
                }
                root.join("interop/node_modules/playwright-core")
            }
            Self::Aiortc => root.join("interop/venv/bin/python"),
            Self::Roamhq => root.join("interop/node_modules/@roamhq/wrtc"),
            Self::Werift => root.join("interop/node_modules/werift"),
            Self::NodeDatachannel => root.join("interop/node_modules/node-datachannel"),
            Self::Str0m | Self::Pion => return None,
        };
        (!needed.exists()).then(|| format!("{} is not installed", needed.display()))
    }

    /// The program, without its options.
    pub(crate) fn program(self, root: &Path) -> Program {
        let clients = root.join("interop/clients");
        let (program, script) = match self {
            Self::Chromium => ("node".into(), "chromium.mjs"),
            Self::Aiortc => (root.join("interop/venv/bin/python"), "aiortc_client.py"),
            _ => ("node".into(), "node.mjs"),
        };
        let mut program = Program::new(program);
        program.arg(clients.join(script));
        program
    }
}

/// Where Debian has it.
pub(crate) const CHROMIUM: &str = "/usr/bin/chromium";
