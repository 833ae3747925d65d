//! The headers of SRTP and SRTCP packets, which are in clear (RFC 3711 §3).

use super::{Bytes, Layer};

/// RFC 3550 §5.1 and §6.4, told apart by RFC 5761 §4.
pub(super) fn header(payload: &[u8]) -> Option<Layer> {
    let mut bytes = Bytes(payload);
    let (first, second) = (bytes.u8()?, bytes.u8()?);
    if (192..=223).contains(&second) {
        let words = bytes.u16()?;
        let kind = match second {
            200 => "sender report",
            201 => "receiver report",
            202 => "source description",
            203 => "goodbye",
            205 => "transport feedback (RFC 4585)",
            206 => "payload feedback (RFC 4585)",
            207 => "extended report (RFC 3611)",
            _ => "unknown packet type",
        };
        let layer = Layer::new("SRTCP (RFC 3711)")
            .with("first packet", format!("{second}, {kind}"))
            .with("count or format", first & 31)
            .with("length", format!("{} B", (u32::from(words) + 1) * 4))
            .with("sender's SSRC", bytes.u32()?);
        return Some(layer);
    }
    let layer = Layer::new("SRTP (RFC 3711), payload encrypted")
        .with("payload type", second & 127)
        .with("marker", if second & 128 == 0 { "no" } else { "yes" })
        .with("sequence number", bytes.u16()?)
        .with("timestamp", bytes.u32()?)
        .with("SSRC", bytes.u32()?)
        .with("header extension", if first & 16 == 0 { "no" } else { "yes" });
    Some(layer)
}
