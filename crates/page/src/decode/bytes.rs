use std::fmt::Write as _;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'b>(pub(super) &'b [u8]);

impl<'b> Bytes<'b> {
    /// The next `count` bytes; `None`, and nothing is read, where there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.uint(1).map(|value| value as u8)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.uint(2).map(|value| value as u16)
    }

    pub(super) fn u24(&mut self) -> Option<u32> {
        self.uint(3).map(|value| value as u32)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.uint(4).map(|value| value as u32)
    }

    /// An unsigned number of `width` bytes, at most 8, in network order.
    pub(super) fn uint(&mut self, width: usize) -> Option<u64> {
        Some(self.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

/// In hexadecimal, at most 32 bytes of it.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(32) {
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > 32 {
        let _ = write!(text, "… ({} B)", bytes.len());
    }
    text
}
