use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use parquet::{
    column::reader::{ColumnReaderImpl, get_typed_column_reader},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArrayType, Int32Type, Int64Type},
    file::{
        reader::{ChunkReader, FileReader, RowGroupReader},
        serialized_reader::SerializedFileReader,
    },
    schema::{parser::parse_message_type, printer::print_schema},
};
use scenario::plan::Outcome;
use timeline::Digest;

use super::{
    GROUP_ROWS, KEY_PLAN, KEY_ROWS, KEY_SHARD, KEY_VERSION, Label, SCHEMA, TableError, VERSION, digest_row,
};
use crate::row::{Finding, Row};

/// Reads rows, group by group.
pub struct Reader<R: ChunkReader + 'static> {
    file: SerializedFileReader<R>,
    label: Label,
    whole: String,
    next: usize,
    digest: Digest,
}

impl Reader<File> {
    /// The file at `path`.
    ///
    /// # Errors
    /// A file that is not there, is no shard, or is not whole.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Self::new(File::open(path)?)
    }
}

impl<R: ChunkReader + 'static> Reader<R> {
    /// Reads `file`, whose end says what it is.
    ///
    /// # Errors
    /// What is no shard, or not whole.
    pub fn new(file: R) -> Result<Self, TableError> {
        let file = without_panic(|| Ok(SerializedFileReader::new(file)?))?;
        let metadata = file.metadata().file_metadata();
        let marks = metadata.key_value_metadata();
        let mark = |key: &str| {
            let mark = marks.into_iter().flatten().find(|mark| mark.key == key);
            mark.and_then(|mark| mark.value.clone())
        };
        let version = mark(KEY_VERSION).ok_or(TableError::Foreign("it does not say so"))?;
        if version != VERSION.to_string() {
            return Err(TableError::Version { found: version });
        }
        let plan = mark(KEY_PLAN).ok_or(TableError::Foreign("it does not name its plan"))?;
        let shard = mark(KEY_SHARD).and_then(|shard| shard.parse().ok());
        let shard = shard.ok_or(TableError::Foreign("it does not name its shard"))?;
        let whole = mark(KEY_ROWS).ok_or(TableError::Foreign("it does not say what is in it"))?;
        let expected = parse_message_type(SCHEMA)?;
        if printed(metadata.schema()) != printed(&expected) {
            return Err(TableError::Foreign("its columns are others"));
        }
        Ok(Self { file, label: Label { plan, shard }, whole, next: 0, digest: Digest::new() })
    }

    /// Which shard of which plan it is.
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// How many rows it says that it has.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.file.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// The next rows, at most [`GROUP_ROWS`]; `None` at the end.
    ///
    /// # Errors
    /// What is not whole: at the latest with the last rows.
    pub fn group(&mut self) -> Result<Option<Vec<Row>>, TableError> {
        if self.next >= self.file.num_row_groups() {
            let is_whole = self.digest.to_string() == self.whole;
            return if is_whole {
                Ok(None)
            } else {
                Err(damaged("its rows are not those that were written"))
            };
        }
        let (file, next) = (&self.file, self.next);
        let rows = without_panic(|| rows(&*file.get_row_group(next)?))?;
        self.next += 1;
        rows.iter().for_each(|row| digest_row(&mut self.digest, row));
        Ok(Some(rows))
    }
}

/// A damaged file can make the library panic; that is no more than an error here.
fn without_panic<T>(read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    let read = catch_unwind(AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(damaged("its structure makes no sense")))
}

fn damaged(what: &str) -> TableError {
    TableError::Damaged(what.to_owned())
}

fn printed(schema: &parquet::schema::types::Type) -> String {
    let mut text = Vec::new();
    print_schema(&mut text, schema);
    String::from_utf8_lossy(&text).into_owned()
}

fn rows(group: &dyn RowGroupReader) -> Result<Vec<Row>, TableError> {
    let count = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
    if count > GROUP_ROWS {
        return Err(damaged("a group of rows is longer than any that is written"));
    }
    let mut columns = Columns { group, count, next: 0 };
    // In the order of the schema.
    let scenarios = columns.texts()?;
    let seeds = columns.required::<Int64Type>()?;
    let passed = columns.required::<BoolType>()?;
    let outcomes = columns.optional_texts()?;
    let setups = columns.numbers()?;
    let recoveries = columns.numbers()?;
    let elapsed = columns.required::<Int64Type>()?;
    let digests = columns.optional::<FixedLenByteArrayType>()?;
    let failures = columns.required::<Int32Type>()?;
    let [checks, causes, transitions, steps] = [
        columns.optional_texts()?,
        columns.optional_texts()?,
        columns.optional_texts()?,
        columns.optional_texts()?,
    ];
    let moments = columns.numbers()?;
    let messages = columns.optional_texts()?;
    let found = checks.into_iter().zip(causes).zip(transitions).zip(steps).zip(moments).zip(messages);
    let mut findings = found.map(|(((((check, cause), last_transition), last_step), at_ms), message)| {
        Some(Finding {
            check: check?,
            cause: cause?,
            last_transition: last_transition?,
            last_step: last_step?,
            at_ms: at_ms?,
            message: message?,
        })
    });
    let mut digests = digests.into_iter();
    let mut rows = Vec::with_capacity(count);
    for (at, ((scenario, outcome), (setup_ms, recovery_ms))) in
        scenarios.into_iter().zip(outcomes).zip(setups.into_iter().zip(recoveries)).enumerate()
    {
        let outcome =
            outcome.map(|word| Outcome::from_word(&word).ok_or_else(|| damaged("an unknown outcome")));
        let digest = digests.next().flatten().map(|bytes| {
            <[u8; 16]>::try_from(bytes.data()).map(u128::from_be_bytes).map_err(|_| damaged("a short digest"))
        });
        let row = Row {
            scenario,
            seed: seeds[at].cast_unsigned(),
            outcome: outcome.transpose()?,
            setup_ms,
            recovery_ms,
            elapsed_ms: elapsed[at].cast_unsigned(),
            digest: digest.transpose()?,
            failures: failures[at].cast_unsigned(),
            finding: findings.next().flatten(),
        };
        if passed[at] != (row.failures == 0) || row.finding.is_some() == passed[at] {
            return Err(damaged("a run that passed and failed"));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The columns of one group, one after the other.
struct Columns<'g> {
    group: &'g dyn RowGroupReader,
    count: usize,
    next: usize,
}

impl Columns<'_> {
    fn required<T: DataType>(&mut self) -> Result<Vec<T::T>, TableError> {
        let mut values = Vec::with_capacity(self.count);
        let (read, ..) = self.column::<T>()?.read_records(self.count, None, None, &mut values)?;
        if read != self.count || values.len() != self.count {
            return Err(damaged("a column is too short"));
        }
        Ok(values)
    }

    fn optional<T: DataType>(&mut self) -> Result<Vec<Option<T::T>>, TableError> {
        let (mut values, mut levels) = (Vec::new(), Vec::with_capacity(self.count));
        let (read, ..) =
            self.column::<T>()?.read_records(self.count, Some(&mut levels), None, &mut values)?;
        let present = levels.iter().filter(|level| **level > 0).count();
        if read != self.count || levels.len() != self.count || present != values.len() {
            return Err(damaged("a column is too short"));
        }
        let mut values = values.into_iter();
        Ok(levels.iter().map(|level| if *level > 0 { values.next() } else { None }).collect())
    }

    fn texts(&mut self) -> Result<Vec<String>, TableError> {
        self.required::<ByteArrayType>()?.iter().map(text).collect()
    }

    fn optional_texts(&mut self) -> Result<Vec<Option<String>>, TableError> {
        let texts = self.optional::<ByteArrayType>()?.into_iter();
        texts.map(|bytes| bytes.as_ref().map(text).transpose()).collect()
    }

    fn numbers(&mut self) -> Result<Vec<Option<u64>>, TableError> {
        let numbers = self.optional::<Int64Type>()?.into_iter();
        Ok(numbers.map(|number| number.map(i64::cast_unsigned)).collect())
    }

    fn column<T: DataType>(&mut self) -> Result<ColumnReaderImpl<T>, TableError> {
        let column = self.group.get_column_reader(self.next)?;
        self.next += 1;
        Ok(get_typed_column_reader(column))
    }
}

fn text(bytes: &ByteArray) -> Result<String, TableError> {
    bytes.as_utf8().map(str::to_owned).map_err(|_| damaged("a text that is none"))
}
