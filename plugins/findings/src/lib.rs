//! What the first-party validators have in common. Not a plugin.

/// JSON that is read without copies, and written with as little change as possible.
mod json;
/// What can be wrong, and how bad the recipe calls it.
mod levels;
/// Findings about rows: listed up to a number, counted beyond.
mod listing;
/// Texts and numbers as messages show them.
mod message;
/// Names that are allowed, and what an unknown one most likely means.
mod names;
/// The faults of one row.
mod row_faults;
/// What travels from one instance to another.
mod state;
/// What the validators' unit tests share.
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use json::{Object, Text, json_text};
pub use levels::{Code, Level, Levels};
pub use listing::{Listed, Listing};
pub use message::{counted, enumerated, quoted, shown};
pub use names::{Names, Near};
pub use row_faults::RowFaults;
pub use state::{broken, decode, encode};

use pegbox_plugin::{Error, RowBatch};

/// The place of the role's value in each row.
///
/// # Errors
/// The rows have no such field.
pub fn column(batch: &RowBatch, role: &str) -> Result<usize, Error> {
    batch.fields.iter().position(|field| field == role).ok_or_else(|| {
        Error::new(format!("the rows have no field `{role}`"))
            .with_help("the manifest lists it under [records] fields")
    })
}
