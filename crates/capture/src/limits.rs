/// How much a reader may keep of one file.
///
/// Files are read as streams: what a reader does not need is skipped without being stored, so a HAR of
/// hundreds of megabytes costs what its signalling costs. These settings bound what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory for what is kept of one file, in bytes (approximately: texts and fixed costs per entry are
    /// counted). Where it is used up, reading stops and the recording is marked as partial. Traces, findings and
    /// pictures are made of what was kept, and together take up to about three times as much again.
    pub memory_bytes: usize,
    /// The longest text that is kept whole, in bytes. Longer ones are cut (an SDP has a few kilobytes, a
    /// picture in a HAR has megabytes), and a line of a line-based format that is longer is left out.
    pub text_bytes: usize,
    /// The longest input that is read, in bytes after decompression: a bound on time, and on what a
    /// small compressed file can unfold to.
    pub input_bytes: u64,
}

impl Default for Limits {
    /// 256 MiB of memory, texts of 1 MiB, input of 4 GiB.
    fn default() -> Self {
        Self { memory_bytes: 256 << 20, text_bytes: 1 << 20, input_bytes: 4 << 30 }
    }
}
