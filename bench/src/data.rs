//! Preparation against Hugging Face `datasets`: a dirty corpus whose truth is known, both tools on it, and scores.

/// The rows, each from its place alone.
mod corpus;
/// What happens to texts.
mod corruption;
/// What customers add to their questions.
mod details;
/// Time and memory of a program and its children.
mod measure;
mod names;
/// Rows that are worth nothing.
mod noise;
/// An order without memory.
mod permutation;
/// Personal data of nobody.
mod personal;
/// The shipped sentences.
mod pools;
mod random;
/// Both tools on one corpus.
mod runs;
/// What they made of it, against the truth.
mod score;
/// The Jaccard index.
mod shingles;
/// What is written on the page.
mod table;
mod text;
/// What is known of each row.
mod truth;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use pegbox_durable::Draft;

use crate::page::{Page, Part};
use corpus::{Corpus, TRUTH};
use pools::Pools;
use runs::{Run, Tools};
use score::Scores;

/// Rows of the runs before the measured ones, which fetch the model and fill the caches of compiled code.
const WARM_UP: u64 = 10_000;

/// The sentences of the corpus, as they lie in the repository.
#[derive(Args)]
pub struct Sentences {
    /// Questions with their labels: gzipped JSON Lines with `text` and `label`
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "examples/support-intents/data/train.jsonl.gz,examples/support-intents/data/test.jsonl.gz"
    )]
    questions: Vec<PathBuf>,
    /// Passages: gzipped lines
    #[arg(long, default_value = "bench/data/passages.txt.gz")]
    passages: PathBuf,
    /// Another seed gives another corpus
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

#[derive(Args)]
pub struct CorpusOptions {
    #[command(flatten)]
    sentences: Sentences,
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
    /// The folder to make, with corpus.jsonl and truth.jsonl
    #[arg(long)]
    to: PathBuf,
}

#[derive(Args)]
pub struct ScoreOptions {
    /// A folder with truth.jsonl
    #[arg(long)]
    corpus: PathBuf,
    /// A prepared dataset
    #[arg(long)]
    output: PathBuf,
}

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    sentences: Sentences,
    /// Rows of the corpus
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
    /// Rows that the peer gets, if not all; ours is measured on as many, too
    #[arg(long)]
    peer_rows: Option<u64>,
    /// Rows of the run that shows how memory grows; 0 for none
    #[arg(long, default_value_t = 5_000_000)]
    memory_rows: u64,
    /// The program `pegbox`
    #[arg(long)]
    pegbox: PathBuf,
    /// The folder of built plugins
    #[arg(long)]
    plugins: PathBuf,
    /// A Python with what bench/python/data_peer.txt names; without it, nothing is compared
    #[arg(long)]
    python: Option<PathBuf>,
    /// bench/python/data_peer.py
    #[arg(long)]
    peer: PathBuf,
    /// Where the corpora and the outputs lie meanwhile: some 2 GB for a million rows
    #[arg(long)]
    folder: PathBuf,
    /// The page to write
    #[arg(long)]
    page: PathBuf,
}

/// All that was measured.
pub struct Compared {
    pub ours: Run,
    pub one_thread: Run,
    /// Ours on as many rows as the peer's, and the peer's.
    pub peer: Option<[Run; 2]>,
    pub memory: Option<Run>,
}

pub fn write_corpus(options: &CorpusOptions) -> Result<()> {
    corpus(&options.sentences, options.rows, &options.to)
}

/// Prints the scores of a prepared dataset.
pub fn print_scores(options: &ScoreOptions) -> Result<()> {
    let scores = scores(&options.corpus, &options.output)?;
    println!("{}", table::scores(&[("output", &scores)]));
    Ok(())
}

pub fn measure(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder)
        .with_context(|| format!("cannot make {}", options.folder.display()))?;
    let work = tempfile::Builder::new().prefix("data-").tempdir_in(&options.folder)?;
    let tools = Tools {
        pegbox: std::path::absolute(&options.pegbox)?,
        plugins: std::path::absolute(&options.plugins)?,
        // Not its canonical path: a virtual environment's Python is a link out of it.
        python: options.python.as_deref().map(std::path::absolute).transpose()?,
        peer: std::path::absolute(&options.peer)?,
        folder: work.path().to_path_buf(),
    };
    let corpus_of = |rows: u64| -> Result<PathBuf> {
        let folder = work.path().join(format!("corpus-{rows}"));
        if !folder.exists() {
            eprintln!("  a corpus of {rows} rows");
            corpus(&options.sentences, rows, &folder)?;
        }
        Ok(folder)
    };

    tools.warm_up(&corpus_of(WARM_UP)?)?;
    let all = corpus_of(options.rows)?;
    let ours = tools.ours(&all, options.rows, 2, true)?;
    let one_thread = tools.ours(&all, options.rows, 1, false)?;
    let peer = match &tools.python {
        None => None,
        Some(python) => {
            let rows = options.peer_rows.unwrap_or(options.rows);
            let corpus = corpus_of(rows)?;
            let equal =
                if rows == options.rows { ours.clone() } else { tools.ours(&corpus, rows, 2, true)? };
            Some([equal, tools.theirs(python, &corpus, rows)?])
        }
    };
    let memory = match options.memory_rows {
        0 => None,
        rows => Some(tools.ours(&corpus_of(rows)?, rows, 2, false)?),
    };

    let compared = Compared { ours, one_thread, peer, memory };
    Page::of(Part::Data, table::page(&compared)).write(&options.page)
}

/// Text and label of each row of a corpus, but for malformed lines.
pub fn records(sentences: &Sentences, rows: u64) -> Result<Vec<[Option<String>; 2]>> {
    #[derive(serde::Deserialize)]
    struct Record {
        text: Option<String>,
        label: Option<String>,
    }
    let corpus = sentences.corpus(rows)?;
    let mut records = Vec::new();
    for place in 0..rows {
        if let Ok(Record { text, label }) = serde_json::from_str(&corpus.row(place)?.line) {
            records.push([text, label]);
        }
    }
    Ok(records)
}

impl Sentences {
    fn corpus(&self, rows: u64) -> Result<Corpus> {
        Corpus::new(Pools::load(&self.questions, &self.passages)?, rows, self.seed)
    }
}

fn corpus(sentences: &Sentences, rows: u64, to: &Path) -> Result<()> {
    let corpus = sentences.corpus(rows)?;
    let draft =
        Draft::new(to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    corpus.write(draft.path())?;
    draft.publish(to).with_context(|| format!("cannot make {}", to.display()))
}

fn scores(corpus: &Path, output: &Path) -> Result<Scores> {
    score::score(&truth::read(&corpus.join(TRUTH))?, output)
}
