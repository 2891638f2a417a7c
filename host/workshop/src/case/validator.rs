//! A case of a validator: records, the findings about each, and those of the set as a whole.

use pegbox_manifest::Kind;
use pegbox_runtime::{Row, RowBatch, Severity};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::cleaner::Fields;
use super::{Fault, check_field, no_configuration};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorCase {
    #[serde(rename = "kind")]
    _kind: Option<Kind>,
    pub summary: Option<String>,
    #[serde(default = "no_configuration")]
    pub config: Value,
    pub error: Option<String>,
    #[serde(default)]
    pub records: Vec<Spanned<Record>>,
    /// What `finish` finds.
    pub finish: Option<Vec<Spanned<Expected>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    #[serde(rename = "in")]
    pub given: Fields,
    /// What `validate` finds about this record.
    pub finds: Option<Vec<Spanned<Expected>>>,
}

/// A finding; `message` and `fix` are compared where they are given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub level: Severity,
    pub code: String,
    pub field: Option<String>,
    pub message: Option<String>,
    pub fix: Option<ExpectedFix>,
    /// Number of the record that a finding of `finish` is about, from 1.
    pub record: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFix {
    pub field: String,
    pub value: String,
}

impl ValidatorCase {
    pub(super) fn check(&self, fields: &[String]) -> Result<(), Fault> {
        for record in &self.records {
            for name in record.as_ref().given.keys() {
                check_field(name, fields, &record.span())?;
            }
            for finding in record.as_ref().finds.iter().flatten() {
                if finding.as_ref().record.is_some() {
                    let fault = "a finding under a record is about that record; leave `record` out";
                    return Err(Fault::at(finding.span(), fault));
                }
                finding.as_ref().check(fields, finding.span())?;
            }
        }
        for finding in self.finish.iter().flatten() {
            finding.as_ref().check(fields, finding.span())?;
            let last = self.records.len() as u64;
            if finding.as_ref().record.is_some_and(|record| record == 0 || record > last) {
                return Err(Fault::at(finding.span(), format!("records are numbered from 1 to {last}")));
            }
        }
        Ok(())
    }

    /// Whether the file says what is found; otherwise a golden file does.
    pub fn has_expectations(&self) -> bool {
        self.finish.is_some() || self.records.iter().any(|record| record.as_ref().finds.is_some())
    }

    pub fn batch(&self, fields: &[String]) -> RowBatch {
        let value = |record: &Record, field: &String| record.given.get(field).cloned();
        let row = |(index, record): (usize, &Spanned<Record>)| Row {
            id: index as u64 + 1,
            values: fields.iter().map(|field| value(record.as_ref(), field)).collect(),
        };
        RowBatch { fields: fields.to_vec(), rows: self.records.iter().enumerate().map(row).collect() }
    }
}

impl Expected {
    fn check(&self, fields: &[String], span: std::ops::Range<usize>) -> Result<(), Fault> {
        let fix = self.fix.as_ref().map(|fix| &fix.field);
        self.field.iter().chain(fix).try_for_each(|field| check_field(field, fields, &span))
    }
}
