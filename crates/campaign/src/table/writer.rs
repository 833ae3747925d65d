use std::{io::Write, sync::Arc};

use parquet::{
    basic::{Compression, Encoding},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
        Int64Type,
    },
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};
use timeline::Digest;

use super::{
    GROUP_ROWS, KEY_PLAN, KEY_ROWS, KEY_SHARD, KEY_VERSION, Label, SCHEMA, TableError, VERSION, digest_row,
};
use crate::row::{Finding, Row};

/// Writes rows, holding at most [`GROUP_ROWS`] of them.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    held: Vec<Row>,
    digest: Digest,
}

impl<W: Write + Send> Writer<W> {
    /// A file of the shard that `label` names.
    ///
    /// # Errors
    /// Where the system refuses to write.
    pub fn new(file: W, label: &Label) -> Result<Self, TableError> {
        let mark = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        let marks = vec![
            mark(KEY_VERSION, VERSION.to_string()),
            mark(KEY_PLAN, label.plan.clone()),
            mark(KEY_SHARD, label.shard.to_string()),
        ];
        let column = |name: &str| ColumnPath::from(name);
        // Every seed is another, and no digest resembles another: a dictionary of them would be a copy.
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by("callsim".to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_column_dictionary_enabled(column("seed"), false)
            .set_column_encoding(column("seed"), Encoding::DELTA_BINARY_PACKED)
            .set_column_dictionary_enabled(column("digest"), false)
            .set_column_compression(column("digest"), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(column("digest"), EnabledStatistics::None)
            .set_key_value_metadata(Some(marks))
            .build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let file = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
        Ok(Self { file, held: Vec::new(), digest: Digest::new() })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Where the system refuses to write.
    pub fn push(&mut self, row: Row) -> Result<(), TableError> {
        digest_row(&mut self.digest, &row);
        self.held.push(row);
        if self.held.len() >= GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes what is left and what makes the file whole.
    ///
    /// # Errors
    /// Where the system refuses to write.
    pub fn finish(mut self) -> Result<W, TableError> {
        self.flush()?;
        let whole = KeyValue::new(KEY_ROWS.to_owned(), self.digest.to_string());
        self.file.append_key_value_metadata(whole);
        Ok(self.file.into_inner()?)
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let rows = std::mem::take(&mut self.held);
        if rows.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        let found = |of: fn(&Finding) -> &str| {
            rows.iter().map(move |row| row.finding.as_ref().map(|it| text(of(it))))
        };
        // In the order of the schema.
        required::<ByteArrayType, _>(&mut group, rows.iter().map(|row| text(&row.scenario)))?;
        required::<Int64Type, _>(&mut group, rows.iter().map(|row| row.seed.cast_signed()))?;
        required::<BoolType, _>(&mut group, rows.iter().map(|row| row.failures == 0))?;
        let outcomes = rows.iter().map(|row| row.outcome.map(|outcome| text(outcome.as_str())));
        optional::<ByteArrayType, _>(&mut group, outcomes)?;
        optional::<Int64Type, _>(&mut group, rows.iter().map(|row| row.setup_ms.map(u64::cast_signed)))?;
        optional::<Int64Type, _>(&mut group, rows.iter().map(|row| row.recovery_ms.map(u64::cast_signed)))?;
        required::<Int64Type, _>(&mut group, rows.iter().map(|row| row.elapsed_ms.cast_signed()))?;
        let digests = rows
            .iter()
            .map(|row| row.digest.map(|digest| FixedLenByteArray::from(digest.to_be_bytes().to_vec())));
        optional::<FixedLenByteArrayType, _>(&mut group, digests)?;
        required::<Int32Type, _>(&mut group, rows.iter().map(|row| row.failures.cast_signed()))?;
        optional::<ByteArrayType, _>(&mut group, found(|finding| &finding.check))?;
        optional::<ByteArrayType, _>(&mut group, found(|finding| &finding.cause))?;
        optional::<ByteArrayType, _>(&mut group, found(|finding| &finding.last_transition))?;
        optional::<ByteArrayType, _>(&mut group, found(|finding| &finding.last_step))?;
        let moments = rows.iter().map(|row| row.finding.as_ref().map(|finding| finding.at_ms.cast_signed()));
        optional::<Int64Type, _>(&mut group, moments)?;
        optional::<ByteArrayType, _>(&mut group, found(|finding| &finding.message))?;
        group.close()?;
        // The memory of a group is used again.
        self.held = rows;
        self.held.clear();
        Ok(())
    }
}

fn text(text: &str) -> ByteArray {
    ByteArray::from(text)
}

type Group<'g, W> = SerializedRowGroupWriter<'g, W>;

fn required<T: DataType, W: Write + Send>(
    group: &mut Group<'_, W>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), TableError> {
    write::<T, W>(group, &values.collect::<Vec<_>>(), None)
}

fn optional<T: DataType, W: Write + Send>(
    group: &mut Group<'_, W>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), TableError> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        present.extend(value);
    }
    write::<T, W>(group, &present, Some(&levels))
}

fn write<T: DataType, W: Write + Send>(
    group: &mut Group<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), TableError> {
    let column = group.next_column()?;
    let mut column =
        column.ok_or_else(|| TableError::Damaged("more columns than the schema has".to_owned()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    Ok(column.close()?)
}
