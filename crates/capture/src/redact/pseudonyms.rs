//! The same for the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use serde_json::Value;

use super::keys::{Meaning, meaning_in};

/// What stands for what.
#[derive(Debug, Default)]
pub(super) struct Pseudonyms {
    names: BTreeMap<String, String>,
    calls: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    hosts: BTreeMap<String, String>,
    words: BTreeMap<String, String>,
    numbers: BTreeMap<String, String>,
    addresses: BTreeMap<IpAddr, IpAddr>,
    /// Networks inside, each by its first address.
    networks: BTreeMap<IpAddr, usize>,
    /// Words that are kept beside those of the vocabulary: an application's own, from its mapping.
    pub(super) own: BTreeSet<String>,
}

/// Names that name a part rather than somebody.
const PARTS: [&str; 8] = ["caller", "callee", "server", "relay", "signaller", "network", "audio", "video"];

/// How deep JSON within JSON is looked into.
const MAX_DEPTH: usize = 32;

impl Pseudonyms {
    /// Finds the names in a document, so that they are known wherever else they stand.
    pub(super) fn learn(&mut self, document: &Value) {
        self.learn_at(document, Meaning::Other, 0);
    }

    fn learn_at(&mut self, value: &Value, says: Meaning, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    self.learn_at(value, meaning_in(object, key), depth + 1);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_at(item, says, depth + 1)),
            Value::String(text) => match nested(text) {
                Some(inner) => self.learn_at(&inner, says, depth + 1),
                None if says == Meaning::Name && !is_address(text) => drop(self.name(text)),
                None if says == Meaning::Call => drop(self.call(text)),
                None => {}
            },
            Value::Number(number) if says == Meaning::Name => drop(self.name(&number.to_string())),
            Value::Number(number) if says == Meaning::Call => drop(self.call(&number.to_string())),
            _ => {}
        }
    }

    pub(super) fn name(&mut self, name: &str) -> String {
        if name.is_empty() || PARTS.contains(&name) || name == "*" {
            return name.to_owned();
        }
        numbered(&mut self.names, name, "peer-")
    }

    pub(super) fn call(&mut self, call: &str) -> String {
        numbered(&mut self.calls, call, "call-")
    }

    pub(super) fn label(&mut self, label: &str) -> String {
        match label {
            "" | "remote audio" | "remote video" => label.to_owned(),
            _ => numbered(&mut self.labels, label, "label-"),
        }
    }

    /// A host's name, in a domain that nobody has (RFC 2606 §2).
    pub(super) fn host(&mut self, host: &str) -> String {
        let bare = host.trim_matches(['[', ']']);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return match self.address(address) {
                IpAddr::V6(v6) => format!("[{v6}]"),
                v4 => v4.to_string(),
            };
        }
        match host {
            "" | "localhost" => host.to_owned(),
            // What was redacted once stays as it is.
            _ if host.strip_suffix(".invalid").is_some_and(|own| is_numbered(own, "host-")) => {
                host.to_owned()
            }
            _ => format!("{}.invalid", numbered(&mut self.hosts, host, "host-")),
        }
    }

    /// What a name of a person or a call that was learnt is replaced by.
    pub(super) fn known(&self, text: &str) -> Option<&String> {
        self.names.get(text).or_else(|| self.calls.get(text))
    }

    /// A credential or an id of as many characters of the same kind.
    pub(super) fn word(&mut self, word: &str) -> String {
        let number = self.words.len() + 1;
        self.words.entry(word.to_owned()).or_insert_with(|| stand_in(word, number)).clone()
    }

    /// A number of as many digits, of at least four.
    pub(super) fn digits(&mut self, digits: &str) -> String {
        let number = self.numbers.len() + 1;
        let wanted = digits.len().max(4);
        self.numbers.entry(digits.to_owned()).or_insert_with(|| format!("1{number:0>0$}", wanted - 1)).clone()
    }

    /// An address of the same kind.
    pub(super) fn address(&mut self, address: IpAddr) -> IpAddr {
        if address.is_unspecified() || address.is_loopback() {
            return address;
        }
        if let Some(known) = self.addresses.get(&address) {
            return *known;
        }
        let number = u32::try_from(self.addresses.len() + 1).unwrap_or(u32::MAX);
        let networks = self.networks.len();
        let network = *self.networks.entry(network_of(address)).or_insert(networks);
        let other = other_address(address, number, network);
        self.addresses.insert(address, other);
        other
    }
}

/// JSON within a string: an object, an array, or a string once more.
pub(super) fn nested(text: &str) -> Option<Value> {
    let trimmed = text.trim_start();
    let inner =
        trimmed.starts_with(['{', '[', '"']).then(|| serde_json::from_str::<Value>(trimmed).ok())??;
    (inner.is_object() || inner.is_array() || inner.is_string()).then_some(inner)
}

/// Whether `text` is an address, with a port or without.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok()
}

/// `peer-7`: at most so many digits as there can be names.
fn is_numbered(word: &str, prefix: &str) -> bool {
    let digits = word.strip_prefix(prefix).unwrap_or_default();
    (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn numbered(all: &mut BTreeMap<String, String>, word: &str, prefix: &str) -> String {
    // What was redacted once stays as it is.
    let own = is_numbered(word, prefix);
    let number = all.len() + 1;
    all.entry(word.to_owned())
        .or_insert_with(|| if own { word.to_owned() } else { format!("{prefix}{number}") })
        .clone()
}

/// As long as `word`, of characters that a user fragment, a password and a hexadecimal id may have.
fn stand_in(word: &str, number: usize) -> String {
    let digits = format!("{number:04x}");
    let wanted = word.chars().count().max(digits.len());
    let padding: String = std::iter::repeat_n('0', wanted - digits.len()).collect();
    format!("{padding}{digits}")
}

/// The first address of the network that an address is in, as networks inside usually are cut: /16, or /48 of IPv6.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from(u32::from(v4) & 0xffff_0000).into(),
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 80)).into(),
    }
}

/// Private addresses become others of 10.0.0.0/8, those of carriers (RFC 6598) others of 100.64.0.0/10, and public ones
/// others of 198.18.0.0/15 (RFC 2544), which nobody has; IPv6 addresses go to 2001:db8::/32 (RFC 3849), fd00::/8 and
/// fe80::/10. Those inside that are of one `network` stay of one: whether a server is a neighbour decides what it can do.
fn other_address(address: IpAddr, number: u32, network: usize) -> IpAddr {
    let network = u8::try_from(network % 256).unwrap_or_default();
    let [_, _, high, low] = number.to_be_bytes();
    match address {
        IpAddr::V4(v4) if v4.is_private() => Ipv4Addr::new(10, network, high, low).into(),
        IpAddr::V4(v4) if v4.is_link_local() => Ipv4Addr::new(169, 254, high, low).into(),
        IpAddr::V4(v4) if is_of_a_carrier(v4) => Ipv4Addr::new(100, 64 + network % 64, high, low).into(),
        IpAddr::V4(_) => Ipv4Addr::from(0xc612_0000 | (number & 0x0001_ffff)).into(),
        IpAddr::V6(v6) => {
            let prefix: u128 = match v6.segments()[0] {
                0xfe80..=0xfebf => 0xfe80 << 112,
                0xfc00..=0xfdff => 0xfd00 << 112 | u128::from(network) << 80,
                _ => 0x2001_0db8 << 96,
            };
            Ipv6Addr::from(prefix | u128::from(number)).into()
        }
    }
}

const fn is_of_a_carrier(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}
