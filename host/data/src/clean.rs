//! Cleaners: one stage after the other, one instance a thread and stage, order kept.

use std::collections::HashMap;

use pegbox_runtime::{Cleaner, Outcome};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::report::{ChangeExample, EXAMPLES, StageReport};
use crate::stage::{BATCH, CleanStage, Crossing, Modes, OnFailure, PLUGIN_FAILED};
use pegbox_records::{Origins, Record, Schema};

/// What the cleaners left of some records.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Cleaned {
    /// In the order of their ids.
    pub records: Vec<Record>,
    /// In the order of the stages, then of the ids.
    pub dropped: Vec<Dropped>,
    /// One a stage.
    pub stages: Vec<StageReport>,
    /// How many ids pieces of split records got.
    pub pieces: u64,
    /// What some of the records were before the last cleaner that changed more of the compared values than case and
    /// white space. Their ids are the places of the records.
    pub before: Vec<Record>,
}

/// A record that left the dataset.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dropped {
    pub id: u64,
    /// `train.jsonl:8811`.
    pub origin: String,
    /// The plugin, or the step: `duplicates`, `split`, `tokenize` and so on.
    pub stage: String,
    pub reason: String,
    pub text: Option<String>,
    /// The record that is there in its place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<String>,
}

/// A stage that failed, and may be left out.
pub(crate) struct StageFailed {
    pub stage: usize,
    pub error: DataError,
}

/// The cleaners of one thread, one after the other.
pub(crate) struct Chain<'a> {
    schema: &'a Schema,
    origins: &'a Origins,
    stages: Vec<Link<'a>>,
    /// Places of the values that duplicates are compared by; none if it does not matter what a record was before.
    compared: Vec<usize>,
    /// Of all roles that any stage asks for.
    modes: &'a Modes,
}

/// A stage with its instance, which is made when it is first needed.
struct Link<'a> {
    stage: &'a CleanStage,
    crossing: Crossing<'a>,
    cleaner: Option<Box<dyn Cleaner>>,
    /// Why it is left out.
    disabled: Option<String>,
}

impl<'a> Chain<'a> {
    /// `disabled` says of each stage why it is left out, if it is.
    pub fn new(
        schema: &'a Schema,
        origins: &'a Origins,
        stages: &'a [CleanStage],
        disabled: &[Option<String>],
        compared: Vec<usize>,
        modes: &'a Modes,
    ) -> Result<Self, DataError> {
        let link = |(number, stage): (usize, &'a CleanStage)| {
            let crossing = Crossing::new(&stage.identity, &stage.roles, schema)?;
            let disabled = disabled.get(number).cloned().flatten();
            Ok(Link { stage, crossing, cleaner: None, disabled })
        };
        Ok(Self {
            schema,
            origins,
            stages: stages.iter().enumerate().map(link).collect::<Result<_, DataError>>()?,
            compared,
            modes,
        })
    }

    /// Sends `records` through all stages. A record that is split keeps its id for the first piece; the other pieces
    /// get the ids from `next_id` on, in the order of the records, and stand at the end.
    pub fn clean(&mut self, mut records: Vec<Record>, first_piece: u64) -> Result<Cleaned, StageFailed> {
        let mut dropped = Vec::new();
        let mut reports = Vec::new();
        let mut before = HashMap::new();
        let mut next_id = first_piece;
        for (number, link) in self.stages.iter_mut().enumerate() {
            let failed = |error| StageFailed { stage: number, error };
            let outcomes = link.outcomes(&records, self.origins, self.modes).map_err(failed)?;
            let mut report = StageReport::new(link.stage);
            report.rows_in = records.len() as u64;
            report.disabled = link.disabled.clone();
            let mut applying = Applying {
                schema: self.schema,
                origins: self.origins,
                crossing: &link.crossing,
                report,
                kept: Vec::with_capacity(records.len()),
                pieces: Vec::new(),
                dropped: &mut dropped,
                compared: &self.compared,
                before: &mut before,
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
        let of = |(place, record): (u64, &Record)| {
            let before = before.remove(&record.id)?;
            Some(Record { id: place, ..before })
        };
        let before = (0..).zip(&records).filter_map(of).collect();
        Ok(Cleaned { records, dropped, stages: reports, pieces: next_id - first_piece, before })
    }
}

impl Link<'_> {
    /// One outcome a record, in order.
    fn outcomes(
        &mut self,
        records: &[Record],
        origins: &Origins,
        modes: &Modes,
    ) -> Result<Vec<Outcome>, DataError> {
        if self.disabled.is_some() {
            return Ok(vec![Outcome::Keep; records.len()]);
        }
        let crossing = &self.crossing;
        let mut cleaner = match self.cleaner.take() {
            Some(cleaner) => cleaner,
            None => {
                let asked = modes.iter().filter(|(role, _)| self.stage.modes.contains(role));
                let asked = asked.map(|(role, values)| (role.clone(), values.clone())).collect();
                (self.stage.make)(&asked).map_err(|error| crossing.failed(error, &[], origins))?
            }
        };
        let mut outcomes = Vec::with_capacity(records.len());
        for batch in records.chunks(BATCH) {
            let of_batch = match cleaner.clean(&crossing.batch(batch)) {
                Err(_) if self.stage.on_failure == OnFailure::Skip => {
                    one_by_one(cleaner.as_mut(), crossing, batch)
                }
                outcomes => outcomes.map_err(|error| crossing.failed(error, batch, origins))?,
            };
            check(&of_batch, crossing, batch, origins)?;
            outcomes.extend(of_batch);
        }
        self.cleaner = Some(cleaner);
        Ok(outcomes)
    }
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
    compared: &'a [usize],
    /// By the records' ids.
    before: &'a mut HashMap<u64, Record>,
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
        if self
            .compared
            .iter()
            .any(|place| !says_the_same(record.values.get(*place), changed.values.get(*place)))
        {
            self.before.insert(record.id, record);
        }
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
            of: None,
        });
    }

    fn split(&mut self, record: Record, pieces: Vec<Vec<Option<String>>>) {
        self.report.split += 1;
        if self.report.split <= EXAMPLES as u64 {
            self.example(&record, "split", pieces.clone());
        }
        // No piece is near the whole.
        self.before.remove(&record.id);
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

/// Whether two values differ in nothing but case and white space.
fn says_the_same(one: Option<&Option<String>>, other: Option<&Option<String>>) -> bool {
    fn letters(value: Option<&Option<String>>) -> impl Iterator<Item = char> {
        let text = value.and_then(Option::as_deref).unwrap_or_default();
        text.chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase)
    }
    letters(one).eq(letters(other))
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
            modes: Vec::new(),
            make: Arc::new(|_| Ok(Box::new(Test))),
            on_failure: OnFailure::Fail,
        }
    }

    fn run(texts: &[String]) -> Result<Cleaned, DataError> {
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
        let origins = Origins::new(&["a.jsonl"]);
        let stages = [stage(), stage()];
        let modes = Modes::new();
        let mut chain = Chain::new(&schema, &origins, &stages, &[], vec![0], &modes)?;
        chain.clean(records, 2000).map_err(|failed| failed.error)
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
    fn records_keep_their_order_and_pieces_get_ids_of_their_own() {
        let one = run(&texts()).unwrap();
        assert_eq!(one.pieces, 400);
        assert_eq!(one.records.len(), 2000 - 200 + 400);
        assert!(one.records.is_sorted_by(|a, b| a.id < b.id));
        let first = &one.stages[0];
        assert_eq!((first.changed, first.split, first.dropped["bad-word"]), (1600, 200, 200));
        // The second stage finds upper case already, but for the pieces of the first.
        assert_eq!((one.stages[1].kept, one.stages[1].changed), (1600, 600));
        let piece = one.records.iter().find(|record| record.id == 2000).unwrap();
        assert_eq!((piece.line, piece.values[1].as_deref()), (8, Some("TWO 7")));
        assert_eq!(one.dropped[0].origin, "a.jsonl:4");
        assert_eq!(first.fields, ["text"]);
        assert_eq!(first.examples[0].before, [Some("text 0".to_owned())]);
    }

    #[test]
    fn an_error_names_the_record() {
        let mut texts = texts();
        texts[1500] = "boom".to_owned();
        texts[700] = "boom".to_owned();
        let error = run(&texts).unwrap_err();
        assert_eq!(error.record_origins(), ["a.jsonl:701"]);
        assert!(error.plugin().is_some());
    }

    #[test]
    fn a_role_that_the_recipe_lacks_is_told() {
        let schema = Schema::new([("label", "y"), ("text", "x")]).unwrap();
        let mut stage = stage();
        stage.roles.push("title".to_owned());
        let (origins, stages) = (Origins::default(), [stage]);
        let error = Chain::new(&schema, &origins, &stages, &[], vec![0], &Modes::new()).err().unwrap();
        assert!(error.to_string().contains("reads the field `title`"));
    }
}
