//! Training rows that stand in the test part, or in a benchmark that the recipe names.

use std::path::Path;

use pegbox_duplicates::NgramIndex;
use pegbox_records::Origins;

use crate::error::DataError;
use crate::job::{LeakageSettings, PrepareJob};
use crate::parallel;
use crate::progress::Progress;
use crate::report::{BenchmarkLeakage, EXAMPLES, LeakageExample, LeakageReport};
use crate::rows::Shards;
use crate::state::State;
use crate::task::Task;

/// What the test part is called among the benchmarks.
const TEST: &str = "test part";
/// Characters of a text that an example shows.
const SHOWN: usize = 300;

/// Marks training rows that have leaked, if the recipe says that they go.
pub(crate) fn leakage(
    job: &PrepareJob,
    settings: &LeakageSettings,
    shards: &Shards,
    states: &mut [State],
    origins: &Origins,
    threads: usize,
    progress: &dyn Progress,
) -> Result<LeakageReport, DataError> {
    let mut builder = NgramIndex::builder(settings.ngram)?;
    let mut benchmarks = Vec::new();
    let texts = test_texts(job.task, shards, states, &mut |text| Ok(builder.add(TEST, text)?))?;
    if texts > 0 {
        benchmarks.push(BenchmarkLeakage { name: TEST.to_owned(), texts, rows: 0 });
    }
    let names = Origins::new(&settings.benchmarks);
    for (path, name) in settings.benchmarks.iter().zip(names.files()) {
        let texts = benchmark_texts(job, path, &mut |text| Ok(builder.add(name, text)?))?;
        benchmarks.push(BenchmarkLeakage { name: name.clone(), texts, rows: 0 });
    }
    let known: Vec<String> = benchmarks.iter().map(|benchmark| benchmark.name.clone()).collect();
    let found =
        Search { index: builder.finish(), benchmarks: &known, task: job.task, settings, shards, origins };
    let leaked = found.all(states, threads, progress)?;
    let mut report = LeakageReport {
        ngram: settings.ngram,
        share: settings.share,
        benchmarks,
        dropped: settings.drop,
        examples: Vec::new(),
    };
    for of_shard in leaked {
        for (benchmark, rows) in report.benchmarks.iter_mut().zip(&of_shard.rows) {
            benchmark.rows += rows;
        }
        for row in of_shard.dropped {
            if let Some(state) = states.get_mut(row as usize) {
                *state = State::Leaked;
            }
        }
        let room = EXAMPLES.saturating_sub(report.examples.len());
        report.examples.extend(of_shard.examples.into_iter().take(room));
    }
    Ok(report)
}

/// Gives the texts of the test part to `take`; how many there are.
fn test_texts(
    task: Task,
    shards: &Shards,
    states: &[State],
    take: &mut dyn FnMut(&str) -> Result<(), DataError>,
) -> Result<u64, DataError> {
    let mut texts = 0;
    for shard in 0..shards.len() {
        let rows = shards.first(shard) as usize..shards.first(shard + 1) as usize;
        let of_shard = states.get(rows).unwrap_or_default();
        if !of_shard.contains(&State::Test) {
            continue;
        }
        for (record, state) in shards.read(shard)?.iter().zip(of_shard) {
            if let (State::Test, Some(text)) = (state, task.text(shards.schema(), record)) {
                take(&text)?;
                texts += 1;
            }
        }
    }
    Ok(texts)
}

/// Gives the texts of a benchmark file to `take`; how many there are.
fn benchmark_texts(
    job: &PrepareJob,
    path: &Path,
    take: &mut dyn FnMut(&str) -> Result<(), DataError>,
) -> Result<u64, DataError> {
    // Of the schema the texts alone: a benchmark need have no labels.
    let texts_of = job.task.texts(&job.schema).iter().map(|role| (*role, job.schema.name_of(role)));
    let schema = pegbox_records::Schema::new(texts_of)?;
    let mut texts = 0;
    for record in pegbox_records::open(path, &job.reading.settings(&schema), 0, 0)? {
        if let Some(text) = job.task.text(&schema, &record?) {
            take(&text)?;
            texts += 1;
        }
    }
    Ok(texts)
}

struct Search<'a> {
    index: NgramIndex,
    benchmarks: &'a [String],
    task: Task,
    settings: &'a LeakageSettings,
    shards: &'a Shards,
    origins: &'a Origins,
}

/// What has leaked of one shard.
#[derive(Default)]
struct Leaked {
    /// By benchmark.
    rows: Vec<u64>,
    /// If leaked rows go.
    dropped: Vec<u32>,
    /// The first ones.
    examples: Vec<LeakageExample>,
}

impl Search<'_> {
    fn all(
        &self,
        states: &[State],
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<Leaked>, DataError> {
        if self.index.is_empty() {
            return Ok(Vec::new());
        }
        parallel::ordered(
            self.shards.len(),
            threads,
            || Ok(()),
            |(), number| {
                let leaked = self.shard(number, states)?;
                progress.at("leakage", self.shards.first(number + 1).into(), Some(self.shards.rows().into()));
                Ok::<_, DataError>(leaked)
            },
        )
    }

    fn shard(&self, number: usize, states: &[State]) -> Result<Leaked, DataError> {
        let mut leaked = Leaked { rows: vec![0; self.benchmarks.len()], ..Leaked::default() };
        for (row, record) in (self.shards.first(number)..).zip(self.shards.read(number)?) {
            if states.get(row as usize) != Some(&State::Train) {
                continue;
            }
            let text = self.task.text(self.shards.schema(), &record).unwrap_or_default();
            let overlap = self.index.overlap(&text);
            let Some(benchmark) = overlap.benchmark.filter(|_| overlap.share >= self.settings.share) else {
                continue;
            };
            let place = self.benchmarks.iter().position(|name| name == benchmark);
            if let Some(rows) = place.and_then(|place| leaked.rows.get_mut(place)) {
                *rows += 1;
            }
            if self.settings.drop {
                leaked.dropped.push(row);
            }
            if leaked.examples.len() < EXAMPLES {
                leaked.examples.push(LeakageExample {
                    origin: self.origins.of(&record).to_string(),
                    text: text.chars().take(SHOWN).collect(),
                    benchmark: benchmark.to_owned(),
                    share: overlap.share,
                    longest: overlap.longest,
                });
            }
        }
        Ok(leaked)
    }
}
