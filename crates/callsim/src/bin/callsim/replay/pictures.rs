//! `--svg FILE`: the sequence of each call as a picture.

use std::path::{Path, PathBuf};

use capture::diagram::{Sequence, svg};

use super::report::CallReport;
use crate::output;

/// Writes one picture per call.
pub(super) fn write(path: &Path, calls: &[CallReport]) -> anyhow::Result<()> {
    for (index, call) in calls.iter().enumerate() {
        let picture = svg(&Sequence::new(&call.trace, &call.findings));
        output::write_file(&numbered(path, index), &picture)?;
    }
    Ok(())
}

/// `call.svg`, `call-2.svg`, `call-3.svg`.
pub(super) fn numbered(path: &Path, index: usize) -> PathBuf {
    if index == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{}{extension}", index + 1))
}
