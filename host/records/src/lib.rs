//! Records: read from every format the field uses, and kept in shards on disk.

/// What can be wrong with a file of records, and how to mend it.
mod error;
/// How the bytes of a file are packed: JSONL, JSON, CSV, TSV, Parquet, CoNLL, plain text, plain or compressed.
mod format;
/// How rows are made: fields, or one of the conventions of instruction and preference data.
mod layout;
/// Parquet files that other tools read: the prepared dataset.
pub mod parquet_out;
/// Readers, streaming.
mod read;
/// Records, their fields and where they come from.
mod record;
/// Records on disk between the stages.
pub mod shard;
/// Which files a recipe's patterns mean.
pub mod sources;

pub use error::{Expected, MissingField, Quarantined, ReadError, ReadFault};
pub use format::{Compression, Format};
pub use layout::Layout;
pub use read::{MAXIMUM_LINE, ReadSettings, Reader, open};
pub use record::{Field, Origin, Origins, Part, Record, Schema, SchemaError};
