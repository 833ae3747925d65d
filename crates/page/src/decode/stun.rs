//! STUN and TURN messages (RFC 8489, RFC 8656, RFC 8445 §16).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Bytes, Layer, bytes::hex};

const MAGIC_COOKIE: u32 = 0x2112_a442;

/// The message, or `None` where it is none (RFC 8489 §5).
pub(super) fn message(payload: &[u8]) -> Option<Layer> {
    let mut bytes = Bytes(payload);
    let (kind, length, cookie) = (bytes.u16()?, bytes.u16()?, bytes.u32()?);
    let transaction = bytes.take(12)?;
    if cookie != MAGIC_COOKIE {
        return None;
    }
    let class = match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => "request",
        (false, true) => "indication",
        (true, false) => "success response",
        (true, true) => "error response",
    };
    let method = match (kind & 0x000f) | ((kind & 0x00e0) >> 1) | ((kind & 0x3e00) >> 2) {
        1 => "Binding",
        3 => "Allocate",
        4 => "Refresh",
        6 => "Send",
        7 => "Data",
        8 => "CreatePermission",
        9 => "ChannelBind",
        _ => "unknown method",
    };
    let mut layer = Layer::new(format!("STUN {method} {class} (RFC 8489)"))
        .with("length", format!("{length} B"))
        .with("transaction id", hex(transaction));
    while let (Some(kind), Some(length)) = (bytes.u16(), bytes.u16()) {
        let length = usize::from(length);
        let Some(value) = bytes.take(length) else {
            return Some(layer.with("cut off", format!("{length} B")));
        };
        let _ = bytes.take(length.next_multiple_of(4) - length);
        layer = attribute(layer, kind, value, transaction);
    }
    Some(layer)
}

fn attribute(layer: Layer, kind: u16, value: &[u8], transaction: &[u8]) -> Layer {
    let text = || String::from_utf8_lossy(value).into_owned();
    let number = |width| Bytes(value).uint(width).map_or_else(|| hex(value), |number| number.to_string());
    let address = || address(value, transaction).map_or_else(|| hex(value), |address| address.to_string());
    match kind {
        0x0001 => {
            layer.with("MAPPED-ADDRESS", plain_address(value).map_or_else(|| hex(value), |it| it.to_string()))
        }
        0x0006 => layer.with("USERNAME", text()),
        0x0008 => layer.with("MESSAGE-INTEGRITY", hex(value)),
        0x0009 => layer.with("ERROR-CODE", error_code(value)),
        0x000a => layer.with("UNKNOWN-ATTRIBUTES", hex(value)),
        0x000c => layer.with(
            "CHANNEL-NUMBER",
            Bytes(value).u16().map_or_else(|| hex(value), |it| format!("0x{it:04x}")),
        ),
        0x000d => layer.with("LIFETIME", format!("{} s", number(4))),
        0x0012 => layer.with("XOR-PEER-ADDRESS", address()),
        0x0013 => layer.with("DATA", format!("{} B", value.len())),
        0x0014 => layer.with("REALM", text()),
        0x0015 => layer.with("NONCE", text()),
        0x0016 => layer.with("XOR-RELAYED-ADDRESS", address()),
        0x0017 => layer.with("REQUESTED-ADDRESS-FAMILY", hex(value)),
        0x0018 => layer.with("EVEN-PORT", hex(value)),
        0x0019 => layer.with(
            "REQUESTED-TRANSPORT",
            if value.first() == Some(&17) { "UDP".to_owned() } else { hex(value) },
        ),
        0x0020 => layer.with("XOR-MAPPED-ADDRESS", address()),
        0x0024 => layer.with("PRIORITY", number(4)),
        0x0025 => layer.with("USE-CANDIDATE", "yes"),
        0x8022 => layer.with("SOFTWARE", text()),
        0x8028 => layer.with("FINGERPRINT", hex(value)),
        0x8029 => layer.with("ICE-CONTROLLED", hex(value)),
        0x802a => layer.with("ICE-CONTROLLING", hex(value)),
        other => layer.with("attribute", format!("0x{other:04x}: {}", hex(value))),
    }
}

/// RFC 8489 §14.8.
fn error_code(value: &[u8]) -> String {
    let mut bytes = Bytes(value);
    match (bytes.u16(), bytes.u8(), bytes.u8()) {
        (Some(_), Some(class), Some(number)) => {
            format!("{} {}", u16::from(class & 7) * 100 + u16::from(number), String::from_utf8_lossy(bytes.0))
        }
        _ => hex(value),
    }
}

/// RFC 8489 §14.1.
fn plain_address(value: &[u8]) -> Option<SocketAddr> {
    let mut bytes = Bytes(value);
    let (family, port) = (bytes.u16()? & 0xff, bytes.u16()?);
    let address: IpAddr = match family {
        1 => Ipv4Addr::from_bits(bytes.u32()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.take(16)?).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

/// RFC 8489 §14.2.
fn address(value: &[u8], transaction: &[u8]) -> Option<SocketAddr> {
    let address = plain_address(value)?;
    let port = address.port() ^ (MAGIC_COOKIE >> 16) as u16;
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() ^ MAGIC_COOKIE).into(),
        IpAddr::V6(ip) => {
            let key = Bytes(transaction).uint(4).zip(Bytes(transaction.get(4..)?).uint(8));
            let (high, low) = key?;
            let key = u128::from(MAGIC_COOKIE) << 96 | u128::from(high) << 64 | u128::from(low);
            Ipv6Addr::from_bits(ip.to_bits() ^ key).into()
        }
    };
    Some(SocketAddr::new(ip, port))
}
