//! Equal and near-equal texts found, and which of them stay.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_duplicates::{Clusters, Forms, Keep, Kept, Linkage, Pair, Settings, Signature, Signer, Spill};
use pegbox_records::{Origins, Record};

use super::index::{Index, place_of};
use crate::error::DataError;
use crate::job::{DuplicateSettings, KeepRow};
use crate::parallel;
use crate::progress::Progress;
use crate::report::{DuplicateExample, DuplicateReport, EXAMPLES};
use crate::rows::Shards;
use crate::state::State;
use crate::work::Step;

const CLUSTERS: &str = "clusters";
/// Characters of a text that an example shows.
const SHOWN: usize = 300;

/// Who duplicates whom.
pub(crate) struct Duplicates {
    pub report: DuplicateReport,
    pub clusters: Clusters,
}

/// Finds the clusters, and marks the rows that go.
pub(crate) fn duplicates(
    step: &Step,
    shards: &Shards,
    index: &mut Index,
    settings: &DuplicateSettings,
    origins: &Origins,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Duplicates, DataError> {
    let similar = Settings {
        threshold: settings.near.unwrap_or(Settings::default().threshold),
        shingle: settings.shingle,
        seed: settings.seed,
        exact_only: settings.near.is_none(),
        ..Settings::default()
    };
    let spill = Spill::open(&step.folder().join("signatures"), &similar)?;
    let places = settings
        .fields
        .iter()
        .map(|role| place_of(shards.schema(), role, "duplicates.fields"))
        .collect::<Result<Vec<_>, _>>()?;
    let signing = Signing { spill: &spill, similar: &similar, shards, places: &places };
    signing.rows(threads, progress)?;
    let forms = signing.forms(threads, progress)?;
    let file = step.folder().join(CLUSTERS);
    let clusters = match Clusters::load(&file) {
        Ok(clusters) if clusters.rows() == shards.rows() => clusters,
        // Missing or damaged: it is made again.
        _ => {
            progress.at("duplicates", 0, None);
            let clusters = spill.cluster_forms(shards.len() as u32, &forms, threads)?;
            clusters.save(&file)?;
            clusters
        }
    };
    let kept = keepers(&clusters, &spill, index, settings.keep)?;
    let report = remove(index, &clusters, &kept, settings);
    let examples = examples(shards, &kept, &places, origins)?;
    Ok(Duplicates { report: DuplicateReport { examples, ..report }, clusters })
}

/// The signatures of all rows, shard by shard, and behind them those of their other forms.
struct Signing<'a> {
    spill: &'a Spill,
    similar: &'a Settings,
    shards: &'a Shards,
    places: &'a [usize],
}

impl Signing<'_> {
    fn rows(&self, threads: usize, progress: &dyn Progress) -> Result<(), DataError> {
        let total = u64::from(self.shards.rows());
        let done = AtomicU64::new(0);
        self.all(threads, |number, signer| {
            let rows = self.shards.first(number)..self.shards.first(number + 1);
            signer.shard(number, rows.clone(), || self.shards.read(number))?;
            let rows = rows.len() as u64;
            progress.at("duplicates: sign", done.fetch_add(rows, Ordering::Relaxed) + rows, Some(total));
            Ok(())
        })?;
        Ok(())
    }

    /// A text in which a cleaner has replaced something need not be near another any more in which it has not, as with a
    /// number that is wrong in one of them; what they were before is near, and must not come into two parts.
    fn forms(&self, threads: usize, progress: &dyn Progress) -> Result<Forms, DataError> {
        if !self.shards.has_forms() {
            return Ok(Forms::default());
        }
        let rows = self.shards.rows();
        let of = self.all(threads, |number, signer| {
            let forms = self.shards.forms(number);
            let records = self.shards.read_forms(number)?;
            let first = self.shards.first(number);
            let of: Vec<u32> = records.iter().map(|form| first + form.id as u32).collect();
            signer.shard(self.shards.len() + number, rows + forms.start..rows + forms.end, || Ok(records))?;
            progress.at("duplicates: sign", rows.into(), Some(rows.into()));
            Ok(of)
        })?;
        Ok(Forms { shards: self.shards.len() as u32, of: of.concat() })
    }

    fn all<T: Send>(
        &self,
        threads: usize,
        sign: impl Fn(usize, &mut Signatures<'_>) -> Result<T, DataError> + Sync,
    ) -> Result<Vec<T>, DataError> {
        let signer = || {
            let signer = Signer::new(self.similar)?;
            Ok(Signatures { spill: self.spill, places: self.places, signer, signature: Signature::default() })
        };
        parallel::ordered(self.shards.len(), threads, signer, |signer, number| sign(number, signer))
    }
}

/// The signatures that one thread makes.
struct Signatures<'a> {
    spill: &'a Spill,
    places: &'a [usize],
    signer: Signer,
    signature: Signature,
}

impl Signatures<'_> {
    /// Signs a shard, unless that was done.
    fn shard(
        &mut self,
        number: usize,
        rows: Range<u32>,
        read: impl FnOnce() -> Result<Vec<Record>, DataError>,
    ) -> Result<(), DataError> {
        if self.spill.finished(number as u32) == Some(rows.clone()) {
            return Ok(());
        }
        let mut writer = self.spill.shard(number as u32, rows.start)?;
        for record in read()? {
            self.signer.sign(&compared(&record, self.places), &mut self.signature);
            writer.push(&self.signature)?;
        }
        writer.finish()?;
        Ok(())
    }
}

/// The values that are compared, one after the other.
fn compared(record: &Record, places: &[usize]) -> String {
    let values = places.iter().filter_map(|place| record.values.get(*place)?.as_deref());
    values.collect::<Vec<_>>().join("\n")
}

/// Rows of given test and validation files come before all others, and rows that are gone already behind them.
fn keepers(clusters: &Clusters, spill: &Spill, index: &Index, keep: KeepRow) -> Result<Kept, DataError> {
    let rank = |row: u32| match index.states.get(row as usize) {
        Some(State::Test) => 3_u64,
        Some(State::Validation) => 2,
        Some(state) if state.stays() => 1,
        _ => 0,
    };
    let choice = |row: u32| match keep {
        KeepRow::First => 0,
        KeepRow::Last => row,
        KeepRow::Longest => {
            index.sizes.as_ref().and_then(|sizes| sizes.get(row as usize)).copied().unwrap_or(0)
        }
    };
    let score = |row: u32| rank(row) << 32 | u64::from(choice(row));
    Ok(clusters.keepers(spill, Keep::Best, Linkage::Star, score)?)
}

/// Marks what goes; counts.
fn remove(
    index: &mut Index,
    clusters: &Clusters,
    kept: &Kept,
    settings: &DuplicateSettings,
) -> DuplicateReport {
    let mut report = DuplicateReport {
        rows_in: 0,
        threshold: settings.near,
        keep: settings.keep.name().to_owned(),
        exact_removed: 0,
        near_removed: 0,
        held_out_kept: 0,
        clusters: 0,
        sizes: std::collections::BTreeMap::new(),
        examples: Vec::new(),
    };
    for (row, state) in (0_u32..).zip(&mut index.states) {
        if !state.stays() {
            continue;
        }
        report.rows_in += 1;
        if kept.keeps(row) {
            continue;
        }
        if *state != State::Free {
            report.held_out_kept += 1;
        } else if kept.is_exact(row) {
            report.exact_removed += 1;
            *state = State::ExactDuplicate;
        } else {
            report.near_removed += 1;
            *state = State::NearDuplicate;
        }
    }
    let summary = clusters.summary();
    report.clusters = u64::from(summary.clusters);
    report.sizes = summary.sizes;
    report
}

fn examples(
    shards: &Shards,
    kept: &Kept,
    places: &[usize],
    origins: &Origins,
) -> Result<Vec<DuplicateExample>, DataError> {
    // Of equal ones a few, of near ones a few: the near ones come behind.
    let (equal, near): (Vec<Pair>, Vec<Pair>) = kept.examples.iter().partition(|pair| pair.jaccard >= 1.0);
    let pairs: Vec<Pair> = equal.iter().take(2).chain(near.iter().take(EXAMPLES)).copied().collect();
    let mut rows: Vec<u32> = pairs.iter().flat_map(|pair| [pair.row, pair.of]).collect();
    rows.sort_unstable();
    rows.dedup();
    let records = shards.pick(&rows)?;
    let told = |row: u32| {
        let record = rows.binary_search(&row).ok().and_then(|place| records.get(place));
        let shown = |record: &Record| -> (String, String) {
            (origins.of(record).to_string(), compared(record, places).chars().take(SHOWN).collect())
        };
        record.map(shown).unwrap_or_default()
    };
    let example = |pair: &Pair| {
        let ((origin, text), (of, of_text)) = (told(pair.row), told(pair.of));
        DuplicateExample { origin, text, of, of_text, jaccard: pair.jaccard }
    };
    Ok(pairs.iter().map(example).collect())
}
