//! Messages of data channels that say which they are, so that what is lost, repeated or overtaken shows.

/// How long the number is at most, in bytes.
const LONGEST: usize = 8;

/// The message of this `number`, `bytes` long: the number with its most significant byte first, then dots. In
/// less than 8 bytes only the lower part of the number has room.
pub(super) fn message(number: u64, bytes: u32) -> Vec<u8> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let digits = number.to_be_bytes();
    let mut message = digits[LONGEST - bytes.min(LONGEST)..].to_vec();
    message.resize(bytes, b'.');
    message
}

/// Which message this is.
pub(super) fn number_of(message: &[u8]) -> u64 {
    message.iter().take(LONGEST).fold(0, |number, digit| (number << 8) | u64::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_which_it_is() {
        for (number, bytes) in [(0, 1), (255, 1), (256, 2), (70_000, 8), (70_000, 65_536)] {
            let message = message(number, bytes);
            assert_eq!((message.len(), number_of(&message)), (bytes as usize, number));
        }
        assert_eq!(number_of(&message(256, 1)), 0, "one byte has room for 256 messages");
        assert_eq!(number_of(&[]), 0);
    }
}
