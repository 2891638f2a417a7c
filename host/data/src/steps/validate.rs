//! Validators over all cores, shard by shard.

use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_records::{Origins, Record};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::job::PrepareJob;
use crate::parallel;
use crate::progress::Progress;
use crate::report::{CodeCount, CodeCounts};
use crate::rows::Shards;
use crate::stage::OnFailure;
use crate::state::State;
use crate::validate::{Inspection, LocatedFinding};
use crate::work::Step;

/// What all validators found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Validation {
    pub counts: Vec<CodeCount>,
    /// By validator.
    validators: Vec<OfValidator>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct OfValidator {
    /// Of the set as a whole.
    last: Vec<LocatedFinding>,
    /// It failed, and what it found before does not count.
    disabled: bool,
    /// Findings at or above its `fail-on`, and the first of them.
    grave: u64,
    examples: Vec<String>,
}

/// What one validator found in one shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct OfShard {
    findings: Vec<LocatedFinding>,
    /// In hexadecimal digits.
    state: String,
}

/// Grave findings that an error shows.
const SHOWN: usize = 10;

/// Runs all validators over the rows that stay.
pub(crate) fn validate(
    step: &Step,
    job: &PrepareJob,
    shards: &Shards,
    states: &[State],
    origins: &Origins,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Validation, DataError> {
    if let Some(validation) = step.finished() {
        return Ok(validation);
    }
    let inspections = job
        .validators
        .iter()
        .map(|stage| Inspection::new(stage, shards.schema(), origins))
        .collect::<Result<Vec<_>, _>>()?;
    let look = Look { step, job, shards, states, inspections: &inspections };
    let failures = look.all(threads, progress)?;
    let mut counts = CodeCounts::default();
    let mut validators = Vec::new();
    for (number, failure) in failures.into_iter().enumerate() {
        validators.push(look.conclude(number, failure, &mut counts, origins)?);
    }
    let validation = Validation { counts: counts.finish(), validators };
    step.finish(&validation)?;
    Ok(validation)
}

impl Validation {
    /// The first validator whose findings stop the run, with how many there are and the first of them.
    pub fn grave(&self) -> Option<(usize, u64, Vec<String>)> {
        let found = self.validators.iter().enumerate().find(|(_, of)| of.grave > 0);
        found.map(|(number, of)| (number, of.grave, of.examples.clone()))
    }
}

/// Gives every finding to `take`: validator by validator, of each first the shards', then those of the whole.
pub(crate) fn each_finding(
    step: &Step,
    validation: &Validation,
    shards: usize,
    take: &mut dyn FnMut(&LocatedFinding) -> Result<(), DataError>,
) -> Result<(), DataError> {
    for (validator, of) in validation.validators.iter().enumerate() {
        if !of.disabled {
            for shard in 0..shards {
                of_shard(step, validator, shard)?.findings.iter().try_for_each(&mut *take)?;
            }
        }
        of.last.iter().try_for_each(&mut *take)?;
    }
    Ok(())
}

fn name(validator: usize, shard: usize) -> String {
    format!("{validator}-{}", Step::name(shard))
}

fn of_shard(step: &Step, validator: usize, shard: usize) -> Result<OfShard, DataError> {
    let name = name(validator, shard);
    step.get(&name).ok_or_else(|| DataError::Damaged {
        file: step.folder().join(name),
        what: "it is not as it was written".to_owned(),
    })
}

struct Look<'a> {
    step: &'a Step,
    job: &'a PrepareJob,
    shards: &'a Shards,
    states: &'a [State],
    inspections: &'a [Inspection<'a>],
}

impl Look<'_> {
    /// Looks at all shards; the failure of each validator that may be left out.
    fn all(&self, threads: usize, progress: &dyn Progress) -> Result<Vec<Option<DataError>>, DataError> {
        let total = u64::from(self.shards.rows());
        let done = AtomicU64::new(0);
        progress.at("validate", 0, Some(total));
        let of_shards = parallel::ordered(
            self.shards.len(),
            threads,
            || Ok(()),
            |(), number| {
                let failures = self.shard(number)?;
                let rows = u64::from(self.shards.first(number + 1) - self.shards.first(number));
                progress.at("validate", done.fetch_add(rows, Ordering::Relaxed) + rows, Some(total));
                Ok::<_, DataError>(failures)
            },
        )?;
        let mut failures: Vec<Option<DataError>> = self.inspections.iter().map(|_| None).collect();
        for (number, error) in of_shards.into_iter().flatten() {
            if let Some(slot) = failures.get_mut(number).filter(|slot| slot.is_none()) {
                *slot = Some(error);
            }
        }
        Ok(failures)
    }

    /// The validators that failed on a shard and may be left out, with why.
    fn shard(&self, number: usize) -> Result<Vec<(usize, DataError)>, DataError> {
        let mut records: Option<Vec<Record>> = None;
        let mut failures = Vec::new();
        for (validator, inspection) in self.inspections.iter().enumerate() {
            let name = name(validator, number);
            if self.step.get::<OfShard>(&name).is_some() {
                continue;
            }
            let records = match &mut records {
                Some(records) => records,
                none => none.insert(self.staying(number)?),
            };
            let may_fail = self
                .job
                .validators
                .get(validator)
                .is_some_and(|stage| stage.on_failure == OnFailure::Disable);
            match inspection.look(records) {
                Ok(looked) => {
                    let state = looked.state.iter().map(|byte| format!("{byte:02x}")).collect();
                    self.step.put(&name, &OfShard { findings: looked.findings, state })?;
                }
                Err(error @ DataError::Plugin { .. }) if may_fail => failures.push((validator, error)),
                Err(error) => return Err(error),
            }
        }
        Ok(failures)
    }

    /// The records of a shard that are still there.
    fn staying(&self, number: usize) -> Result<Vec<Record>, DataError> {
        let rows = self.shards.first(number)..;
        let stays = |row: u32| self.states.get(row as usize).is_some_and(|state| state.stays());
        let records = rows.zip(self.shards.read(number)?);
        Ok(records.filter(|(row, _)| stays(*row)).map(|(_, record)| record).collect())
    }

    /// What a validator says at the end, and what of all that it said counts.
    fn conclude(
        &self,
        number: usize,
        failure: Option<DataError>,
        counts: &mut CodeCounts,
        origins: &Origins,
    ) -> Result<OfValidator, DataError> {
        let (Some(inspection), Some(stage)) = (self.inspections.get(number), self.job.validators.get(number))
        else {
            return Ok(OfValidator::default());
        };
        let may_fail = stage.on_failure == OnFailure::Disable;
        let states = (0..self.shards.len()).map(|shard| state(self.step, number, shard));
        let last = match failure {
            Some(failure) => Err(failure),
            None => inspection.conclude(states),
        };
        let mut of = OfValidator::default();
        match last {
            Ok(last) => of.last = self.with_origins(last, origins)?,
            Err(error @ DataError::Plugin { .. }) if may_fail => {
                of.disabled = true;
                of.last.push(inspection.disabled(&error));
            }
            Err(error) => return Err(error),
        }
        let (mut grave, mut examples) = (0, Vec::new());
        let mut count = |finding: &LocatedFinding| {
            counts.add(finding);
            if stage.fail_on.is_some_and(|level| finding.level >= level) {
                grave += 1;
                if examples.len() < SHOWN {
                    examples.push(finding.line());
                }
            }
        };
        if !of.disabled {
            for shard in 0..self.shards.len() {
                of_shard(self.step, number, shard)?.findings.iter().for_each(&mut count);
            }
        }
        of.last.iter().for_each(&mut count);
        (of.grave, of.examples) = (grave, examples);
        Ok(of)
    }

    /// Findings of the end that name a row get its place.
    fn with_origins(
        &self,
        mut findings: Vec<LocatedFinding>,
        origins: &Origins,
    ) -> Result<Vec<LocatedFinding>, DataError> {
        let mut wanted: Vec<u64> = findings.iter().filter_map(|finding| finding.record).collect();
        if wanted.is_empty() {
            return Ok(findings);
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut places = std::collections::HashMap::new();
        for shard in 0..self.shards.len() {
            for record in self.shards.read(shard)? {
                if wanted.binary_search(&record.id).is_ok() {
                    places.insert(record.id, origins.of(&record).to_string());
                }
            }
        }
        for finding in &mut findings {
            finding.origin = finding.record.and_then(|id| places.get(&id).cloned());
        }
        Ok(findings)
    }
}

/// What a validator kept of a shard.
fn state(step: &Step, validator: usize, shard: usize) -> Result<Vec<u8>, DataError> {
    let state = of_shard(step, validator, shard)?.state;
    let byte = |pair: &[u8]| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    state.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>().ok_or_else(|| DataError::Damaged {
        file: step.folder().join(name(validator, shard)),
        what: "its state is not hexadecimal".to_owned(),
    })
}
