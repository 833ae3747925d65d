//! DTLS 1.2 records (RFC 6347), with the handshake messages of the first epoch (RFC 5246 §7.4).

use super::{Bytes, Layer, bytes::hex};

/// The records of a datagram.
pub(super) fn records(payload: &[u8]) -> Vec<Layer> {
    let mut bytes = Bytes(payload);
    let mut layers = Vec::new();
    while let Some(layer) = record(&mut bytes) {
        layers.push(layer);
    }
    layers
}

/// RFC 6347 §4.1.
fn record(bytes: &mut Bytes<'_>) -> Option<Layer> {
    let (kind, version, epoch) = (bytes.u8()?, bytes.u16()?, bytes.u16()?);
    let (sequence, length) = (bytes.uint(6)?, bytes.u16()?);
    let body = bytes.take(usize::from(length).min(bytes.0.len()))?;
    let name = match kind {
        20 => "change cipher spec",
        21 => "alert",
        22 => "handshake",
        23 => "application data",
        _ => "record of an unknown type",
    };
    let encrypted = epoch > 0;
    let layer = Layer::new(format!("DTLS {name}{} (RFC 6347)", if encrypted { ", encrypted" } else { "" }))
        .with("version", version_name(version))
        .with("epoch", epoch)
        .with("sequence number", sequence)
        .with("length", format!("{length} B"));
    Some(match kind {
        _ if encrypted => layer,
        21 => alert(layer, body),
        22 => handshakes(layer, body),
        _ => layer,
    })
}

fn version_name(version: u16) -> String {
    match version {
        0xfeff => "DTLS 1.0".to_owned(),
        0xfefd => "DTLS 1.2".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

/// RFC 5246 §7.2.
fn alert(layer: Layer, body: &[u8]) -> Layer {
    let &[level, description, ..] = body else { return layer };
    let level = match level {
        1 => "warning",
        2 => "fatal",
        _ => "unknown",
    };
    let description = match description {
        0 => "close_notify".to_owned(),
        10 => "unexpected_message".to_owned(),
        20 => "bad_record_mac".to_owned(),
        40 => "handshake_failure".to_owned(),
        42 => "bad_certificate".to_owned(),
        47 => "illegal_parameter".to_owned(),
        50 => "decode_error".to_owned(),
        51 => "decrypt_error".to_owned(),
        70 => "protocol_version".to_owned(),
        80 => "internal_error".to_owned(),
        other => other.to_string(),
    };
    layer.with("level", level).with("description", description)
}

/// The messages of a record, each with its header (RFC 6347 §4.2.2).
fn handshakes(mut layer: Layer, body: &[u8]) -> Layer {
    let mut bytes = Bytes(body);
    while let Some(message) = handshake(&mut bytes) {
        layer = layer.within(message);
    }
    layer
}

fn handshake(bytes: &mut Bytes<'_>) -> Option<Layer> {
    let (kind, length, number) = (bytes.u8()?, bytes.u24()?, bytes.u16()?);
    let (offset, part) = (bytes.u24()?, bytes.u24()?);
    let body = bytes.take((part as usize).min(bytes.0.len()))?;
    let name = match kind {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        3 => "HelloVerifyRequest",
        4 => "NewSessionTicket",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        _ => "unknown handshake message",
    };
    let mut layer = Layer::new(name).with("length", format!("{length} B")).with("message number", number);
    if (offset, part) != (0, length) {
        return Some(layer.with("fragment", format!("{part} B from {offset} on")));
    }
    layer = match kind {
        1 => client_hello(layer.clone(), body).unwrap_or(layer),
        2 => server_hello(layer.clone(), body).unwrap_or(layer),
        3 => body.get(2).map_or(layer.clone(), |cookie| layer.clone().with("cookie", format!("{cookie} B"))),
        11 => Bytes(body.get(3..).unwrap_or_default())
            .u24()
            .map_or(layer.clone(), |first| layer.clone().with("first certificate", format!("{first} B"))),
        _ => layer,
    };
    Some(layer)
}

/// RFC 5246 §7.4.1.2 with the cookie of RFC 6347 §4.2.1.
fn client_hello(layer: Layer, body: &[u8]) -> Option<Layer> {
    let mut bytes = Bytes(body);
    let layer = layer.with("version", version_name(bytes.u16()?)).with("random", hex(bytes.take(32)?));
    let session = bytes.u8()?;
    bytes.take(usize::from(session))?;
    let cookie = bytes.u8()?;
    bytes.take(usize::from(cookie))?;
    let suites = bytes.u16()?;
    let mut suites = Bytes(bytes.take(usize::from(suites))?);
    let mut names = Vec::new();
    while let Some(suite) = suites.u16() {
        names.push(suite_name(suite));
    }
    let compressions = bytes.u8()?;
    bytes.take(usize::from(compressions))?;
    let layer = layer.with("cookie", if cookie == 0 { "none".to_owned() } else { format!("{cookie} B") });
    Some(extensions(layer.with("cipher suites", names.join(", ")), bytes))
}

/// RFC 5246 §7.4.1.3.
fn server_hello(layer: Layer, body: &[u8]) -> Option<Layer> {
    let mut bytes = Bytes(body);
    let layer = layer.with("version", version_name(bytes.u16()?)).with("random", hex(bytes.take(32)?));
    let session = bytes.u8()?;
    bytes.take(usize::from(session))?;
    let layer = layer.with("cipher suite", suite_name(bytes.u16()?));
    bytes.u8()?;
    Some(extensions(layer, bytes))
}

fn extensions(layer: Layer, mut bytes: Bytes<'_>) -> Layer {
    let mut names = Vec::new();
    let _ = bytes.u16();
    while let (Some(kind), Some(length)) = (bytes.u16(), bytes.u16()) {
        if bytes.take(usize::from(length)).is_none() {
            break;
        }
        names.push(match kind {
            0 => "server_name".to_owned(),
            10 => "supported_groups".to_owned(),
            11 => "ec_point_formats".to_owned(),
            13 => "signature_algorithms".to_owned(),
            14 => "use_srtp".to_owned(),
            16 => "alpn".to_owned(),
            23 => "extended_master_secret".to_owned(),
            54 => "connection_id".to_owned(),
            0xff01 => "renegotiation_info".to_owned(),
            other => other.to_string(),
        });
    }
    layer.with("extensions", names.join(", "))
}

fn suite_name(suite: u16) -> String {
    match suite {
        0xc009 => "ECDHE_ECDSA_AES_128_CBC_SHA".to_owned(),
        0xc00a => "ECDHE_ECDSA_AES_256_CBC_SHA".to_owned(),
        0xc014 => "ECDHE_RSA_AES_256_CBC_SHA".to_owned(),
        0xc02b => "ECDHE_ECDSA_AES_128_GCM_SHA256".to_owned(),
        0xc02c => "ECDHE_ECDSA_AES_256_GCM_SHA384".to_owned(),
        0xc02f => "ECDHE_RSA_AES_128_GCM_SHA256".to_owned(),
        0xc030 => "ECDHE_RSA_AES_256_GCM_SHA384".to_owned(),
        0xcca9 => "ECDHE_ECDSA_CHACHA20_POLY1305_SHA256".to_owned(),
        0xc0ac => "ECDHE_ECDSA_AES_128_CCM".to_owned(),
        0xc0ae => "ECDHE_ECDSA_AES_128_CCM_8".to_owned(),
        other => format!("0x{other:04x}"),
    }
}
