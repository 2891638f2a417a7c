//! The measurements behind docs/benchmarks.md: `cargo xtask bench` builds what is needed and starts this.
//!
//! Each comparison runs both sides in turn on this machine, pair by pair, so that a drift of the machine's speed
//! cancels out of the ratio.

/// Material for the cleaners of all languages.
mod cleaner;
/// The first-party cleaners through WebAssembly against the native ABI.
mod cleaners;
/// Preparing data, against Hugging Face `datasets`.
mod data;
/// The same plugins in every language.
mod languages;
/// A loss through WebAssembly against the same loss built in.
mod loss;
/// What is written down.
mod page;
/// Medians and spreads.
mod sample;
/// A training step against PyTorch's.
mod step;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

/// What to measure, and with what.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    speed: Option<Speed>,
}

#[derive(Subcommand)]
enum Command {
    /// Clean with each first-party cleaner, as WebAssembly and native
    Cleaners(cleaners::Options),
    /// Prepare a dirty corpus, and have Hugging Face `datasets` do it
    Data(data::Options),
    /// Only make the dirty corpus
    Corpus(data::CorpusOptions),
    /// Judge a dataset that was prepared from a dirty corpus
    Score(data::ScoreOptions),
}

/// Steps and losses.
#[derive(clap::Args)]
struct Speed {
    /// The folder of built plugins, with native libraries
    #[arg(long)]
    plugins: PathBuf,
    /// The program `step` of pegbox-models
    #[arg(long)]
    step: PathBuf,
    /// A Python with torch and transformers; without it, nothing is compared with PyTorch
    #[arg(long)]
    python: Option<PathBuf>,
    /// bench/python/torch_step.py
    #[arg(long)]
    torch_step: PathBuf,
    /// JSON Lines with a field `text`, gzipped: material for the cleaners of all languages
    #[arg(long)]
    texts: PathBuf,
    /// Built templates, `<language>-loss` and `<language>-cleaner`
    #[arg(long)]
    templates: Option<PathBuf>,
    /// Compare languages only; the page's other parts stay
    #[arg(long)]
    languages_only: bool,
    /// The page to write
    #[arg(long)]
    page: PathBuf,
    /// Pairs of runs in each comparison
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

fn main() -> Result<()> {
    pegbox_models::device::keep_freed_memory();
    rayon::ThreadPoolBuilder::new().num_threads(step::THREADS).build_global()?;
    let arguments = Arguments::parse();
    match (arguments.command, arguments.speed) {
        (Some(Command::Cleaners(options)), _) => cleaners::measure(&options),
        (Some(Command::Data(options)), _) => data::measure(&options),
        (Some(Command::Corpus(options)), _) => data::write_corpus(&options),
        (Some(Command::Score(options)), _) => data::print_scores(&options),
        (None, Some(speed)) => measure_speed(&speed),
        (None, None) => bail!("`cargo xtask bench` says what to measure; see --help"),
    }
}

fn measure_speed(arguments: &Speed) -> Result<()> {
    if let Some(templates) = &arguments.templates {
        let measured = languages::measure(templates, &arguments.texts, arguments.rounds)?;
        let mut page = page::Page::new(page::Part::Languages);
        page.languages(&measured);
        page.write(&arguments.page)?;
        if arguments.languages_only {
            return Ok(());
        }
    }
    let mut page = page::Page::new(page::Part::Steps);
    if let Some(python) = &arguments.python {
        let compared = step::measure(&arguments.step, python, &arguments.torch_step, arguments.rounds)?;
        page.step(&compared);
    }
    page.loss(&loss::measure(&arguments.plugins)?);
    page.write(&arguments.page)
}
