//! What the files of shards are called.

pub(super) fn stem(index: u64) -> String {
    format!("shard-{index:06}")
}

/// The index of the shard whose file is called `name`.
pub(super) fn index_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("shard-")?.strip_suffix(".parquet")?;
    let is_number = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// `0-2, 5, 7-9`: ascending numbers in short. The form of Slurm's `--array` but for the blanks.
pub fn ranges(numbers: &[u64]) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => parts.push((*number, *number)),
        }
    }
    let word = |(first, last): &(u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    parts.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascending_numbers_in_short() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8, 9]), "0-2, 5, 7-9");
        assert_eq!(ranges(&[4]), "4");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn the_file_of_a_shard_is_known_by_its_name() {
        assert_eq!(index_of("shard-000123.parquet"), Some(123));
        for other in ["shard-123.parquet", "shard-000123.2.parquet", "shard-00012x.parquet", "campaign.json"]
        {
            assert_eq!(index_of(other), None, "{other}");
        }
    }
}
