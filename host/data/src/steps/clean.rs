//! Cleaners over all cores, shard by shard.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_records::{Origins, Record, Schema, shard};
use serde::{Deserialize, Serialize};

use super::index::place_of;
use super::modes::modes;
use crate::clean::{Chain, Dropped, StageFailed, told};
use crate::error::DataError;
use crate::job::PrepareJob;
use crate::parallel;
use crate::progress::Progress;
use crate::report::StageReport;
use crate::rows::{FORMS, PIECES, Shards};
use crate::stage::{Modes, OnFailure};
use crate::work::Step;

/// What became of all records.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cleaning {
    pub stages: Vec<StageReport>,
    /// Rows, pieces, and rows that were something else before, of each shard.
    pub shards: Vec<(u32, u64, u32)>,
}

/// What became of the records of one shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct CleanedShard {
    rows: u32,
    pieces: u64,
    before: u32,
    stages: Vec<StageReport>,
    /// Records that left, in the file beside it.
    dropped: Vec<Dropped>,
}

/// Why stages are left out: decided by the first failure, kept for whoever goes on.
const DISABLED: &str = "disabled";

/// Cleans all shards that are not clean yet.
pub(crate) fn clean(
    step: &Step,
    job: &PrepareJob,
    read: &Shards,
    origins: &Origins,
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Cleaning, Shards), DataError> {
    let cleaning = match step.finished() {
        Some(cleaning) => cleaning,
        None => {
            let cleaning = all_shards(step, job, read, origins, threads, progress)?;
            step.finish(&cleaning)?;
            cleaning
        }
    };
    let folder = step.folder().to_owned();
    let sizes = cleaning.shards.iter().map(|(rows, pieces, _)| (*rows, *pieces));
    let shards = Shards::new(folder, job.schema.clone(), sizes, u64::from(read.rows()))?;
    let before = cleaning.shards.iter().map(|(.., before)| *before);
    let shards = shards.with_forms(before)?;
    Ok((cleaning, shards))
}

/// A stage that fails and may be left out is left out for all records, or what it did would depend on their order: so
/// the step begins anew without it.
fn all_shards(
    step: &Step,
    job: &PrepareJob,
    read: &Shards,
    origins: &Origins,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Cleaning, DataError> {
    let mut disabled: Vec<Option<String>> = step.get(DISABLED).unwrap_or_default();
    disabled.resize(job.cleaners.len(), None);
    loop {
        let modes = modes(step, job, read, threads, progress)?;
        let cleaner = Cleaner { step, job, read, origins, disabled: &disabled, modes: &modes };
        let failed = match cleaner.all(threads, progress) {
            Ok(cleaning) => return Ok(cleaning),
            Err(failed) => failed,
        };
        let may_be_left_out =
            job.cleaners.get(failed.stage).is_some_and(|stage| stage.on_failure == OnFailure::Disable);
        let Some(slot) = disabled.get_mut(failed.stage).filter(|slot| may_be_left_out && slot.is_none())
        else {
            return Err(failed.error);
        };
        *slot = Some(told(&failed.error));
        step.clear()?;
        step.put(DISABLED, &disabled)?;
    }
}

struct Cleaner<'a> {
    step: &'a Step,
    job: &'a PrepareJob,
    read: &'a Shards,
    origins: &'a Origins,
    disabled: &'a [Option<String>],
    modes: &'a Modes,
}

impl Cleaner<'_> {
    fn all(&self, threads: usize, progress: &dyn Progress) -> Result<Cleaning, StageFailed> {
        // No stage is to blame, so none may be left out.
        let whole = |error| StageFailed { stage: usize::MAX, error };
        let total = u64::from(self.read.rows());
        let done = AtomicU64::new(0);
        progress.at("clean", 0, Some(total));
        let mut stages: Vec<StageReport> = self.job.cleaners.iter().map(StageReport::new).collect();
        for (report, disabled) in stages.iter_mut().zip(self.disabled) {
            report.disabled = disabled.clone();
        }
        let mut sizes = Vec::with_capacity(self.read.len());
        parallel::folded(
            self.read.len(),
            threads,
            || self.chain().map_err(whole),
            |chain, number| {
                let cleaned = self.shard(chain, number)?;
                let rows = u64::from(self.read.first(number + 1) - self.read.first(number));
                progress.at("clean", done.fetch_add(rows, Ordering::Relaxed) + rows, Some(total));
                Ok(cleaned)
            },
            |CleanedShard { rows, pieces, before, stages: of_shard, .. }| {
                sizes.push((rows, pieces, before));
                stages.iter_mut().zip(of_shard).for_each(|(report, later)| report.add(later));
            },
        )?;
        Ok(Cleaning { stages, shards: sizes })
    }

    fn chain(&self) -> Result<Chain<'_>, DataError> {
        let schema = self.read.schema();
        Chain::new(
            schema,
            self.origins,
            &self.job.cleaners,
            self.disabled,
            compared(self.job, schema)?,
            self.modes,
        )
    }

    /// Cleans a shard, or says what it came to if it is clean.
    fn shard(&self, chain: &mut Chain<'_>, number: usize) -> Result<CleanedShard, StageFailed> {
        let whole = |error: DataError| StageFailed { stage: usize::MAX, error };
        let (path, name) = (self.step.shard(number, "records"), Step::name(number));
        if let Some(cleaned) = self.step.get::<CleanedShard>(&name).filter(|cleaned| {
            path.exists() && (cleaned.before == 0 || self.step.shard(number, FORMS).exists())
        }) {
            return Ok(CleanedShard { dropped: Vec::new(), ..cleaned });
        }
        let records = self.read.read(number).map_err(whole)?;
        let cleaned = chain.clean(records, PIECES)?;
        let write = |path: &Path, records: &[Record]| {
            shard::write(path, self.read.schema(), records).map_err(|error| whole(error.into()))
        };
        write(&path, &cleaned.records)?;
        if !cleaned.before.is_empty() {
            write(&self.step.shard(number, FORMS), &cleaned.before)?;
        }
        let summary = CleanedShard {
            rows: cleaned.records.len() as u32,
            pieces: cleaned.pieces,
            before: cleaned.before.len() as u32,
            stages: cleaned.stages,
            dropped: cleaned.dropped,
        };
        // The records are there before what says that they are.
        self.step.put(&name, &summary).map_err(whole)?;
        Ok(CleanedShard { dropped: Vec::new(), ..summary })
    }
}

/// The places of what near-duplicates are compared by. Where only equal texts are looked for, it does not matter what a
/// text was before.
pub(crate) fn compared(job: &PrepareJob, schema: &Schema) -> Result<Vec<usize>, DataError> {
    match job.duplicates.as_ref().filter(|settings| settings.near.is_some()) {
        None => Ok(Vec::new()),
        Some(settings) => {
            settings.fields.iter().map(|role| place_of(schema, role, "duplicates.fields")).collect()
        }
    }
}

/// The records that left a shard; ids of pieces are those of the shard itself.
pub(crate) fn dropped(step: &Step, shards: &Shards, number: usize) -> Result<Vec<Dropped>, DataError> {
    let name = Step::name(number);
    let cleaned = step.get::<CleanedShard>(&name).ok_or_else(|| DataError::Damaged {
        file: step.folder().join(&name),
        what: "it is not as it was written".to_owned(),
    })?;
    let numbered = |mut dropped: Dropped| {
        dropped.id = shards.unique(number, dropped.id);
        dropped
    };
    Ok(cleaned.dropped.into_iter().map(numbered).collect())
}
