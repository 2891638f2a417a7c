//! A case of a cleaner: records, and what becomes of each.

use std::collections::BTreeMap;

use pegbox_manifest::Kind;
use pegbox_runtime::{Outcome, Row, RowBatch};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::{Fault, check_field, no_configuration};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CleanerCase {
    #[serde(rename = "kind")]
    _kind: Option<Kind>,
    pub summary: Option<String>,
    #[serde(default = "no_configuration")]
    pub config: Value,
    pub error: Option<String>,
    /// Cleaning what was cleaned changes nothing.
    #[serde(default)]
    pub idempotent: bool,
    pub records: Vec<Spanned<Record>>,
}

/// Values by field; a field that is left out is one that the record lacks.
pub type Fields = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    #[serde(rename = "in")]
    pub given: Fields,
    keep: Option<bool>,
    replace: Option<Fields>,
    drop: Option<String>,
    split: Option<Vec<Fields>>,
}

impl CleanerCase {
    pub(super) fn check(&self, fields: &[String]) -> Result<(), Fault> {
        let expects = |record: &Spanned<Record>| record.as_ref().expectations() > 0;
        let some = self.records.iter().any(expects);
        for record in &self.records {
            let (span, record) = (record.span(), record.as_ref());
            let split = record.split.iter().flatten();
            for name in record.given.keys().chain(record.replace.iter().chain(split).flat_map(Fields::keys)) {
                check_field(name, fields, &span)?;
            }
            let fault = match record.expectations() {
                0 if some => "the other records say what becomes of them, this one does not".to_owned(),
                0 | 1 if record.keep == Some(false) => "`keep = false` says nothing".to_owned(),
                0 | 1 => continue,
                _ => "a record becomes one thing: `keep`, `replace`, `drop` or `split`".to_owned(),
            };
            let help = "say `keep = true`, `replace = { ... }`, `drop = \"reason\"` or `split = [ ... ]`";
            return Err(Fault::at(span, fault).help(Some(help.to_owned())));
        }
        Ok(())
    }

    pub fn batch(&self, fields: &[String]) -> RowBatch {
        let row = |(index, record): (usize, &Spanned<Record>)| Row {
            id: index as u64 + 1,
            values: values(fields, &record.as_ref().given),
        };
        RowBatch { fields: fields.to_vec(), rows: self.records.iter().enumerate().map(row).collect() }
    }

    /// What becomes of each record; none where a golden file says it.
    pub fn expected(&self, fields: &[String]) -> Option<Vec<Outcome>> {
        self.records.iter().map(|record| record.as_ref().expected(fields)).collect()
    }
}

impl Record {
    fn expectations(&self) -> usize {
        let said = [self.keep.is_some(), self.replace.is_some(), self.drop.is_some(), self.split.is_some()];
        said.iter().filter(|said| **said).count()
    }

    fn expected(&self, fields: &[String]) -> Option<Outcome> {
        // What is not said of a new record is as it was.
        let becomes = |new: &Fields| -> Vec<Option<String>> {
            fields.iter().map(|field| new.get(field).or_else(|| self.given.get(field)).cloned()).collect()
        };
        let replace = self.replace.as_ref().map(|new| Outcome::Replace(becomes(new)));
        let drop = self.drop.clone().map(Outcome::Drop);
        let split = self.split.as_ref().map(|all| Outcome::Split(all.iter().map(becomes).collect()));
        self.keep.map(|_| Outcome::Keep).or(replace).or(drop).or(split)
    }
}

fn values(fields: &[String], given: &Fields) -> Vec<Option<String>> {
    fields.iter().map(|field| given.get(field).cloned()).collect()
}
