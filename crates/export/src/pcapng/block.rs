//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng).
//!
//! Written here because the crates that write pcapng lack the decryption secrets block, and the rest of the format is
//! shorter than its use.

use std::net::IpAddr;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;

const OPT_END: u16 = 0;
const OPT_COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
/// Powers of ten: nanoseconds.
const NANOSECONDS: u8 = 9;

/// The secrets are lines of the NSS key log format.
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// What the packets of an interface begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum LinkType {
    /// An IPv4 or IPv6 header, told apart by its version (LINKTYPE_RAW).
    Raw = 101,
    /// Tags of Wireshark's own, then what some dissector takes (LINKTYPE_WIRESHARK_UPPER_PDU).
    UpperPdu = 252,
}

/// A file while it is written.
pub(super) struct File(Vec<u8>);

impl File {
    /// With the header of its only section.
    pub(super) fn new() -> Self {
        let mut file = Self(Vec::new());
        let mut body = Vec::new();
        body.extend(0x1A2B_3C4D_u32.to_le_bytes());
        body.extend(1_u16.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend(u64::MAX.to_le_bytes());
        option(&mut body, SHB_USERAPPL, b"callsim");
        option(&mut body, OPT_END, b"");
        file.block(SECTION_HEADER, &body);
        file
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// An interface; they are numbered in the order of their blocks.
    pub(super) fn interface(&mut self, name: &str, link: LinkType) {
        let mut body = Vec::new();
        body.extend((link as u16).to_le_bytes());
        body.extend([0; 2]);
        // No limit.
        body.extend(0_u32.to_le_bytes());
        option(&mut body, IF_NAME, name.as_bytes());
        option(&mut body, IF_TSRESOL, &[NANOSECONDS]);
        option(&mut body, OPT_END, b"");
        self.block(INTERFACE_DESCRIPTION, &body);
    }

    /// What addresses are called.
    pub(super) fn names<'a>(&mut self, names: impl Iterator<Item = (&'a IpAddr, &'a str)>) {
        let mut body = Vec::new();
        for (address, name) in names {
            let (kind, bytes) = match address {
                IpAddr::V4(v4) => (1_u16, v4.octets().to_vec()),
                IpAddr::V6(v6) => (2, v6.octets().to_vec()),
            };
            // Names end with a zero.
            let value = [&bytes, name.replace('\0', "").as_bytes(), &[0]].concat();
            body.extend(kind.to_le_bytes());
            sized(&mut body, &value);
        }
        body.extend([0; 4]);
        self.block(NAME_RESOLUTION, &body);
    }

    /// Keys, in front of the packets that they open.
    pub(super) fn secrets(&mut self, lines: &[String]) {
        let text = lines.iter().fold(String::new(), |text, line| text + line + "\n");
        let mut body = Vec::new();
        body.extend(TLS_KEY_LOG.to_le_bytes());
        body.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        padded(&mut body, text.as_bytes());
        self.block(DECRYPTION_SECRETS, &body);
    }

    /// A packet on an interface.
    pub(super) fn packet(&mut self, interface: u32, nanos: u64, bytes: &[u8], comment: &str) {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut body = Vec::with_capacity(bytes.len() + 64);
        body.extend(interface.to_le_bytes());
        body.extend(((nanos >> 32) as u32).to_le_bytes());
        body.extend((nanos as u32).to_le_bytes());
        body.extend(len);
        body.extend(len);
        padded(&mut body, bytes);
        if !comment.is_empty() {
            option(&mut body, OPT_COMMENT, comment.as_bytes());
            option(&mut body, OPT_END, b"");
        }
        self.block(ENHANCED_PACKET, &body);
    }

    /// Type, length, body, length again.
    fn block(&mut self, kind: u32, body: &[u8]) {
        let len = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
        self.0.extend(kind.to_le_bytes());
        self.0.extend(len);
        self.0.extend(body);
        self.0.extend(len);
    }
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    sized(body, value);
}

/// With its length in front, and filled up to whole words.
fn sized(body: &mut Vec<u8>, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of a file, by walking over their lengths from both ends.
    fn blocks(bytes: &[u8]) -> Vec<u32> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let (mut at, mut kinds) = (0, Vec::new());
        while at < bytes.len() {
            let len = word(at + 4) as usize;
            assert!(len.is_multiple_of(4) && word(at + len - 4) as usize == len, "at {at}");
            kinds.push(word(at));
            at += len;
        }
        kinds
    }

    #[test]
    fn blocks_are_whole_words_and_say_their_length_twice() {
        let mut file = File::new();
        file.interface("caller", LinkType::Raw);
        let address: IpAddr = "10.0.0.1".parse().unwrap();
        file.names([(&address, "caller")].into_iter());
        file.secrets(&["CLIENT_RANDOM 00 11".to_owned()]);
        for len in 0..9 {
            file.packet(0, 5_000_000_000, &vec![1; len], &"x".repeat(len));
        }
        let kinds = blocks(&file.finish());
        let expect = [SECTION_HEADER, INTERFACE_DESCRIPTION, NAME_RESOLUTION, DECRYPTION_SECRETS];
        assert_eq!(kinds[..4], expect);
        assert_eq!(kinds[4..], [ENHANCED_PACKET; 9]);
    }
}
