//! `plugin run`: what a plugin makes of real data.

/// An exporter on a model.
mod export;
/// A cleaner and a validator on records.
mod records;
/// A loss and a metric on the labels of records.
mod tensors;

use std::collections::BTreeMap;
use std::path::Path;

use pegbox_data::DataError;
use pegbox_records::{Layout, ReadSettings, Schema};
use pegbox_runtime::{Row, RowBatch};

use crate::error::WorkshopError;
use crate::random::Random;

pub use export::{ModelOrigin, export};
pub use records::{Change, CleanSample, ValidateSample, clean, validate};
pub use tensors::{LossSample, LossValue, MetricSample, loss, metric};

/// Records of a batch.
const BATCH: usize = 256;

/// Records drawn from a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Records {
    /// The fields' roles, in the order of the values.
    pub fields: Vec<String>,
    /// In the order of the file.
    pub rows: Vec<SampledRow>,
    /// How many the file has.
    pub of: u64,
}

/// One record and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct SampledRow {
    /// `train.jsonl:8811`.
    pub origin: String,
    pub values: Vec<Option<String>>,
}

/// Draws `count` records from `file`, the same ones each time. `fields` are roles; `names` says what the file calls
/// them, where that is something else.
///
/// # Errors
/// The file cannot be read, or lacks a field.
pub fn draw(
    file: &Path,
    fields: &[String],
    names: &BTreeMap<String, String>,
    count: usize,
) -> Result<Records, WorkshopError> {
    if let Some(stranger) = names.keys().find(|role| !fields.contains(role)) {
        return Err(WorkshopError::Usage {
            what: format!("the plugin reads no field `{stranger}`"),
            help: Some(format!("it reads: {}", fields.join(", "))),
        });
    }
    let name = |role: &str| names.get(role).cloned().unwrap_or_else(|| role.to_owned());
    let roles: Vec<(String, String)> = fields.iter().map(|role| (role.clone(), name(role))).collect();
    let schema = Schema::new(roles).map_err(DataError::from)?;
    let settings = ReadSettings { layout: Some(Layout::Fields), ..ReadSettings::new(schema) };
    let short = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();

    let mut random = Random::new(1);
    let mut rows: Vec<(u64, SampledRow)> = Vec::new();
    let mut of = 0;
    // Algorithm R (Vitter 1985): every record is as likely as any other, in one pass.
    for record in pegbox_records::open(file, &settings, 0, 0)? {
        let record = record?;
        of += 1;
        let row = SampledRow { origin: format!("{short}:{}", record.line), values: record.values };
        if rows.len() < count {
            rows.push((of, row));
            continue;
        }
        let place = random.below(usize::try_from(of).unwrap_or(usize::MAX));
        if let Some(slot) = rows.get_mut(place) {
            *slot = (of, row);
        }
    }
    rows.sort_by_key(|(number, _)| *number);
    Ok(Records { fields: fields.to_vec(), rows: rows.into_iter().map(|(_, row)| row).collect(), of })
}

impl Records {
    /// In batches, with the rows' places as their ids.
    fn batches(&self) -> Vec<RowBatch> {
        let row = |(place, row): (usize, &SampledRow)| Row { id: place as u64, values: row.values.clone() };
        let rows: Vec<Row> = self.rows.iter().enumerate().map(row).collect();
        let batch = |rows: &[Row]| RowBatch { fields: self.fields.clone(), rows: rows.to_vec() };
        rows.chunks(BATCH).map(batch).collect()
    }

    fn column(&self, field: &str) -> Vec<Option<&str>> {
        let Some(place) = self.fields.iter().position(|known| known == field) else { return Vec::new() };
        self.rows.iter().map(|row| row.values.get(place).and_then(|value| value.as_deref())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_the_file_and_always_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.jsonl");
        let lines: String = (0..1000).map(|n| format!("{{\"body\": \"{n}\"}}\n")).collect();
        std::fs::write(&file, lines).unwrap();
        let names = BTreeMap::from([("text".to_owned(), "body".to_owned())]);
        let records = draw(&file, &["text".to_owned()], &names, 50).unwrap();
        assert_eq!((records.rows.len(), records.of), (50, 1000));
        assert_eq!(records, draw(&file, &["text".to_owned()], &names, 50).unwrap());
        let numbers: Vec<usize> =
            records.rows.iter().map(|row| row.values[0].as_ref().unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted() && numbers[0] < 200 && numbers[49] > 800, "{numbers:?}");
        assert_eq!(records.rows[0].origin, format!("a.jsonl:{}", numbers[0] + 1));
        // All of them, where fewer are there than wanted.
        assert_eq!(draw(&file, &["text".to_owned()], &names, 5000).unwrap().rows.len(), 1000);
        assert!(draw(&file, &["other".to_owned()], &names, 5).is_err());
    }
}
