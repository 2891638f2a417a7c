//! Cleaners over all cores: one stage after the other, one instance a thread and stage, order kept.

use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_runtime::{Cleaner, Outcome};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::parallel;
use crate::progress::Progress;
use crate::report::{ChangeExample, StageReport};
use crate::stage::{BATCH, CleanStage, Crossing, OnFailure, PLUGIN_FAILED};
use pegbox_records::{Origins, Record, Schema};

/// Examples of each kind of change that a report keeps.
const EXAMPLES: usize = 5;

/// What the cleaners left.
#[derive(Clone, PartialEq, Debug)]
pub struct Cleaned {
    /// In the order of their ids.
    pub records: Vec<Record>,
    /// In the order of the stages, then of the ids.
    pub dropped: Vec<Dropped>,
    /// One a stage.
    pub stages: Vec<StageReport>,
}

/// A record that left the dataset.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dropped {
    pub id: u64,
    /// `train.jsonl:8811`.
    pub origin: String,
    /// The plugin, or `tokenize`.
    pub stage: String,
    pub reason: String,
    pub text: Option<String>,
}

/// Sends `records` through `stages`. A record that is split keeps its id for the first piece; the other
/// pieces get new ids above all others, in the order of the records, and stand at the end. No result
/// depends on the number of threads (0: one a core).
pub fn clean(
    mut records: Vec<Record>,
    schema: &Schema,
    origins: &Origins,
    stages: &[CleanStage],
    threads: usize,
    progress: &dyn Progress,
) -> Result<Cleaned, DataError> {
    let mut dropped = Vec::new();
    let mut reports = Vec::new();
    let mut next_id = records.iter().map(|record| record.id + 1).max().unwrap_or(0);
    for stage in stages {
        let crossing = Crossing::new(&stage.identity, &stage.roles, schema)?;
        let mut report = StageReport::new(&stage.identity, records.len());
        let outcomes = match outcomes(&records, stage, &crossing, origins, threads, progress) {
            Err(error) if stage.on_failure == OnFailure::Disable => {
                report.disabled = Some(told(&error));
                vec![Outcome::Keep; records.len()]
            }
            outcomes => outcomes?,
        };
        let mut applying = Applying {
            schema,
            origins,
            crossing: &crossing,
            report,
            kept: Vec::with_capacity(records.len()),
            pieces: Vec::new(),
            dropped: &mut dropped,
            next_id,
        };
        for (record, outcome) in records.into_iter().zip(outcomes) {
            applying.apply(record, outcome);
        }
        let Applying { mut kept, pieces, mut report, next_id: after, .. } = applying;
        next_id = after;
        kept.extend(pieces);
        report.rows_out = kept.len() as u64;
        reports.push(report);
        records = kept;
    }
    Ok(Cleaned { records, dropped, stages: reports })
}

/// One outcome a record, in order.
fn outcomes(
    records: &[Record],
    stage: &CleanStage,
    crossing: &Crossing<'_>,
    origins: &Origins,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>, DataError> {
    let batches: Vec<&[Record]> = records.chunks(BATCH).collect();
    let name = format!("clean {}", stage.identity.plugin);
    let total = records.len() as u64;
    let done = AtomicU64::new(0);
    progress.at(&name, 0, Some(total));
    let outcomes = parallel::ordered(
        batches.len(),
        parallel::threads(threads),
        || (stage.make)().map_err(|error| crossing.failed(error, &[], origins)),
        |cleaner, batch| {
            let batch = batches.get(batch).copied().unwrap_or_default();
            let outcomes = match cleaner.clean(&crossing.batch(batch)) {
                Err(_) if stage.on_failure == OnFailure::Skip => {
                    one_by_one(cleaner.as_mut(), crossing, batch)
                }
                outcomes => outcomes.map_err(|error| crossing.failed(error, batch, origins))?,
            };
            check(&outcomes, crossing, batch, origins)?;
            let rows = batch.len() as u64;
            progress.at(&name, done.fetch_add(rows, Ordering::Relaxed) + rows, Some(total));
            Ok(outcomes)
        },
    )?;
    Ok(outcomes.into_iter().flatten().collect())
}

/// A batch that a cleaner failed on, again: those records that it fails on by themselves leave.
fn one_by_one(cleaner: &mut dyn Cleaner, crossing: &Crossing<'_>, batch: &[Record]) -> Vec<Outcome> {
    let one = |record: &Record| {
        let outcomes = cleaner.clean(&crossing.batch(std::slice::from_ref(record)));
        let outcome = outcomes.ok().and_then(|mut outcomes| outcomes.pop());
        outcome.unwrap_or_else(|| Outcome::Drop(PLUGIN_FAILED.to_owned()))
    };
    batch.iter().map(one).collect()
}

/// An error in one line, with its cause.
pub(crate) fn told(error: &DataError) -> String {
    match error {
        // Its source is the plugin's error itself; the cause lies behind that.
        DataError::Plugin { error, .. } => format!("{error}: {}", error.cause()),
        error => error.to_string(),
    }
}

/// The sizes that applying the outcomes relies on.
fn check(
    outcomes: &[Outcome],
    crossing: &Crossing<'_>,
    batch: &[Record],
    origins: &Origins,
) -> Result<(), DataError> {
    if outcomes.len() != batch.len() {
        let expected = format!("{} records", batch.len());
        return Err(crossing.broken(expected, format!("{} outcomes", outcomes.len()), batch, origins));
    }
    let width = crossing.places().len();
    for (record, outcome) in batch.iter().zip(outcomes) {
        let wrong = match outcome {
            Outcome::Keep | Outcome::Drop(_) => None,
            Outcome::Replace(values) => (values.len() != width).then(|| format!("{} values", values.len())),
            Outcome::Split(pieces) if pieces.is_empty() => Some("an empty split".to_owned()),
            Outcome::Split(pieces) => pieces
                .iter()
                .find(|piece| piece.len() != width)
                .map(|piece| format!("{} values", piece.len())),
        };
        if let Some(found) = wrong {
            let record = std::slice::from_ref(record);
            return Err(crossing.broken(format!("{width} fields"), found, record, origins));
        }
    }
    Ok(())
}

/// A stage whose outcomes are being applied, record by record.
struct Applying<'a> {
    schema: &'a Schema,
    origins: &'a Origins,
    crossing: &'a Crossing<'a>,
    report: StageReport,
    kept: Vec<Record>,
    pieces: Vec<Record>,
    dropped: &'a mut Vec<Dropped>,
    next_id: u64,
}

impl Applying<'_> {
    fn apply(&mut self, record: Record, outcome: Outcome) {
        match outcome {
            Outcome::Keep => self.keep(record),
            Outcome::Replace(values) if values == self.crossing.values(&record) => self.keep(record),
            Outcome::Replace(values) => self.replace(record, values),
            Outcome::Drop(reason) => self.drop(record, reason),
            Outcome::Split(pieces) => self.split(record, pieces),
        }
    }

    fn keep(&mut self, record: Record) {
        self.report.kept += 1;
        self.kept.push(record);
    }

    fn replace(&mut self, record: Record, values: Vec<Option<String>>) {
        self.report.changed += 1;
        if self.report.changed <= EXAMPLES as u64 {
            self.example(&record, "changed", vec![values.clone()]);
        }
        let changed = self.with(&record, values);
        self.kept.push(changed);
    }

    fn drop(&mut self, record: Record, reason: String) {
        let count = self.report.dropped.entry(reason.clone()).or_default();
        *count += 1;
        if *count <= EXAMPLES as u64 {
            self.example(&record, &format!("dropped: {reason}"), Vec::new());
        }
        self.dropped.push(Dropped {
            id: record.id,
            origin: self.origins.of(&record).to_string(),
            stage: self.report.plugin.clone(),
            reason,
            text: self.schema.text(&record).map(str::to_owned),
        });
    }

    fn split(&mut self, record: Record, pieces: Vec<Vec<Option<String>>>) {
        self.report.split += 1;
        if self.report.split <= EXAMPLES as u64 {
            self.example(&record, "split", pieces.clone());
        }
        for (number, values) in pieces.into_iter().enumerate() {
            let mut piece = self.with(&record, values);
            if number == 0 {
                self.kept.push(piece);
            } else {
                piece.id = self.next_id;
                self.next_id += 1;
                self.pieces.push(piece);
            }
        }
    }

    fn with(&self, record: &Record, values: Vec<Option<String>>) -> Record {
        let mut changed = record.clone();
        for (place, value) in self.crossing.places().iter().zip(values) {
            if let Some(slot) = changed.values.get_mut(*place) {
                *slot = value;
            }
        }
        changed
    }

    fn example(&mut self, record: &Record, what: &str, after: Vec<Vec<Option<String>>>) {
        self.report.examples.push(ChangeExample {
            origin: self.origins.of(record).to_string(),
            what: what.to_owned(),
            before: self.crossing.values(record),
            after,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pegbox_runtime::{Cause, Cleaner, PluginError, PluginIdentity, RowBatch};

    use super::*;
    use crate::stage::StageIdentity;

    /// Drops texts with `bad`, splits at `|`, makes the rest upper case, and fails at `boom`.
    struct Test;

    impl Cleaner for Test {
        fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
            assert_eq!(batch.fields, ["text"]);
            assert!(batch.rows.len() <= BATCH);
            batch
                .rows
                .iter()
                .map(|row| {
                    let text = row.values[0].clone().unwrap_or_default();
                    if text.contains("boom") {
                        let plugin = PluginIdentity::built_in("acme/test", semver::Version::new(1, 0, 0));
                        let cause = Cause::Refused { message: "no".to_owned(), help: None };
                        Err(PluginError::new(Arc::new(plugin), "cleaner.clean", cause)
                            .at_records(vec![row.id]))
                    } else if text.contains("bad") {
                        Ok(Outcome::Drop("bad-word".to_owned()))
                    } else if text.contains('|') {
                        Ok(Outcome::Split(
                            text.split('|').map(|piece| vec![Some(piece.to_owned())]).collect(),
                        ))
                    } else {
                        Ok(Outcome::Replace(vec![Some(text.to_uppercase())]))
                    }
                })
                .collect()
        }
    }

    fn stage() -> CleanStage {
        CleanStage {
            identity: StageIdentity {
                plugin: "acme/test".to_owned(),
                version: "1.0.0".to_owned(),
                digest: None,
                configuration: serde_json::Value::Null,
            },
            roles: vec!["text".to_owned()],
            make: Arc::new(|| Ok(Box::new(Test))),
            on_failure: OnFailure::Fail,
        }
    }

    fn run(texts: &[String], threads: usize) -> Result<Cleaned, DataError> {
        let schema = Schema::new([("label", "y"), ("text", "x")]).unwrap();
        let records = texts
            .iter()
            .enumerate()
            .map(|(row, text)| Record {
                id: row as u64,
                source: 0,
                line: row as u64 + 1,
                values: vec![Some("l".to_owned()), Some(text.clone())],
            })
            .collect();
        clean(records, &schema, &Origins::new(&["a.jsonl"]), &[stage(), stage()], threads, &())
    }

    fn texts() -> Vec<String> {
        (0..2000)
            .map(|row| match row % 10 {
                3 => format!("bad {row}"),
                7 => format!("one {row}|two {row}|three {row}"),
                _ => format!("text {row}"),
            })
            .collect()
    }

    #[test]
    fn order_and_ids_do_not_depend_on_the_threads() {
        let one = run(&texts(), 1).unwrap();
        assert_eq!(one, run(&texts(), 4).unwrap());
        assert_eq!(one.records.len(), 2000 - 200 + 400);
        assert!(one.records.is_sorted_by(|a, b| a.id < b.id));
        let first = &one.stages[0];
        assert_eq!((first.changed, first.split, first.dropped["bad-word"]), (1600, 200, 200));
        // The second stage finds upper case already, but for the pieces of the first.
        assert_eq!((one.stages[1].kept, one.stages[1].changed), (1600, 600));
        let piece = one.records.iter().find(|record| record.id == 2000).unwrap();
        assert_eq!((piece.line, piece.values[1].as_deref()), (8, Some("TWO 7")));
        assert_eq!(one.dropped[0].origin, "a.jsonl:4");
        assert_eq!(first.examples[0].before, [Some("text 0".to_owned())]);
    }

    #[test]
    fn an_error_names_the_record() {
        let mut texts = texts();
        texts[1500] = "boom".to_owned();
        texts[700] = "boom".to_owned();
        let error = run(&texts, 4).unwrap_err();
        assert_eq!(error.record_origins(), ["a.jsonl:701"]);
        assert!(error.plugin().is_some());
    }

    #[test]
    fn a_role_that_the_recipe_lacks_is_told() {
        let schema = Schema::new([("label", "y"), ("text", "x")]).unwrap();
        let mut stage = stage();
        stage.roles.push("title".to_owned());
        let error = clean(vec![], &schema, &Origins::default(), &[stage], 1, &()).unwrap_err();
        assert!(error.to_string().contains("reads the field `title`"));
    }
}
