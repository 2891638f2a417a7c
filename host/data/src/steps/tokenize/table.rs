//! The columns of a dataset's Parquet files, task by task, and their values.

use pegbox_records::Record;
use pegbox_records::parquet_out::{Column, ColumnKind, Lists, Values};

use super::Tokenizing;
use crate::error::DataError;
use crate::task::{MESSAGES, Task};
use crate::tokenize::Encoded;

/// The columns of a dataset's Parquet files, of whole conversations or not.
pub(super) fn columns(task: Task, converses: bool) -> Vec<Column> {
    let texts: &[(&str, ColumnKind)] = match task {
        Task::Generation if converses => &[
            (MESSAGES, ColumnKind::Text),
            ("input_ids", ColumnKind::U32List),
            ("labels", ColumnKind::I32List),
        ],
        Task::Classification => &[
            ("text", ColumnKind::Text),
            ("label", ColumnKind::Text),
            ("label_id", ColumnKind::U32),
            ("input_ids", ColumnKind::U32List),
            ("token_type_ids", ColumnKind::U32List),
        ],
        Task::MultiLabel => &[
            ("text", ColumnKind::Text),
            ("label", ColumnKind::Text),
            ("labels", ColumnKind::I32List),
            ("input_ids", ColumnKind::U32List),
            ("token_type_ids", ColumnKind::U32List),
        ],
        Task::Regression => &[
            ("text", ColumnKind::Text),
            ("label", ColumnKind::Text),
            ("target", ColumnKind::F32),
            ("input_ids", ColumnKind::U32List),
            ("token_type_ids", ColumnKind::U32List),
        ],
        Task::MaskedLm => &[
            ("text", ColumnKind::Text),
            ("input_ids", ColumnKind::U32List),
            ("token_type_ids", ColumnKind::U32List),
        ],
        Task::Tagging => &[
            ("tokens", ColumnKind::Text),
            ("tags", ColumnKind::Text),
            ("input_ids", ColumnKind::U32List),
            ("token_type_ids", ColumnKind::U32List),
            ("labels", ColumnKind::I32List),
        ],
        Task::Generation => &[
            ("prompt", ColumnKind::Text),
            ("completion", ColumnKind::Text),
            ("input_ids", ColumnKind::U32List),
            ("labels", ColumnKind::I32List),
        ],
        Task::Seq2Seq => &[
            ("source", ColumnKind::Text),
            ("target", ColumnKind::Text),
            ("input_ids", ColumnKind::U32List),
            ("labels", ColumnKind::I32List),
        ],
    };
    let first = [("record", ColumnKind::U64), ("origin", ColumnKind::Text)];
    let all = first.iter().chain(texts).chain(&[("weight", ColumnKind::F32)]);
    all.map(|(name, kind)| Column::new(*name, *kind)).collect()
}

/// The values of the columns.
#[derive(Default)]
pub(super) struct Table {
    records: Vec<u64>,
    origins: Vec<Option<String>>,
    /// Text and label, tokens and tags, prompt and completion, or source and target; one of masked texts and conversations.
    texts: [Vec<Option<String>>; 2],
    label_ids: Vec<u32>,
    numbers: Vec<f32>,
    ids: Lists<u32>,
    type_ids: Lists<u32>,
    labels: Lists<i32>,
    weights: Vec<f32>,
}

impl Table {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn push(
        &mut self,
        all: &Tokenizing<'_>,
        record: &Record,
        origin: &str,
        label: &str,
        row: &Encoded,
        weight: f32,
    ) -> Result<(), DataError> {
        let value = |role: &str| Some(all.shards.schema().value(record, role).unwrap_or_default().to_owned());
        let [first, second] = &mut self.texts;
        match all.job.task {
            Task::Classification => {
                first.push(value("text"));
                second.push(Some(label.to_owned()));
                self.label_ids.push(all.labels.id(label).unwrap_or_default());
            }
            Task::MultiLabel => {
                first.push(value("text"));
                second.push(value("label"));
            }
            Task::Regression => {
                first.push(value("text"));
                second.push(value("label"));
                self.numbers.push(all.number(record)?);
            }
            Task::MaskedLm => first.push(value("text")),
            Task::Tagging => {
                first.push(value("tokens"));
                second.push(value("tags"));
            }
            Task::Generation if all.job.task.converses(all.shards.schema()) => first.push(value(MESSAGES)),
            Task::Generation => {
                first.push(value("prompt"));
                second.push(value("completion"));
            }
            Task::Seq2Seq => {
                first.push(value("source"));
                second.push(value("target"));
            }
        }
        self.records.push(record.id);
        self.origins.push(Some(origin.to_owned()));
        self.ids.push(&row.ids);
        self.type_ids.push(&row.type_ids);
        match all.job.task {
            Task::MultiLabel => self.labels.push(&all.label_ids(record)),
            _ => self.labels.push(&row.labels),
        }
        self.weights.push(weight);
        Ok(())
    }

    /// In the order of [`columns`].
    pub fn values(self, task: Task) -> Vec<Values> {
        let [first, second] = self.texts;
        let mut values = vec![Values::U64(self.records), Values::Text(self.origins), Values::Text(first)];
        if !second.is_empty() {
            values.push(Values::Text(second));
        }
        match task {
            Task::Classification => values.extend([
                Values::U32(self.label_ids),
                Values::U32List(self.ids),
                Values::U32List(self.type_ids),
            ]),
            Task::MultiLabel => values.extend([
                Values::I32List(self.labels),
                Values::U32List(self.ids),
                Values::U32List(self.type_ids),
            ]),
            Task::Regression => values.extend([
                Values::F32(self.numbers),
                Values::U32List(self.ids),
                Values::U32List(self.type_ids),
            ]),
            Task::MaskedLm => values.extend([Values::U32List(self.ids), Values::U32List(self.type_ids)]),
            Task::Tagging => values.extend([
                Values::U32List(self.ids),
                Values::U32List(self.type_ids),
                Values::I32List(self.labels),
            ]),
            Task::Generation | Task::Seq2Seq => {
                values.extend([Values::U32List(self.ids), Values::I32List(self.labels)]);
            }
        }
        values.push(Values::F32(self.weights));
        values
    }
}
