//! Developer commands. `cargo xtask help` lists them; the README names the two that a newcomer needs.
//!
//! This program stays small on purpose: it is the first thing that a fresh clone builds, so it depends
//! on neither Burn nor wasmtime and starts everything heavy as a process of its own.

mod author;
mod bench;
mod book;
mod browser;
mod debian;
mod guest;
mod parity;
mod process;
mod quickstart;
mod registry;
mod templates;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of Pegbox")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up what is missing, build everything, and fine-tune MiniLM on banking77 from start to finish.
    Quickstart,
    /// Run every check that CI runs.
    Test(test::Options),
    /// Build the first-party plugins as WebAssembly components (and as native libraries with --native).
    Plugins {
        /// Build the native libraries too.
        #[arg(long)]
        native: bool,
    },
    /// Make, build and test every template of `pegbox plugin new`.
    Templates,
    /// Time the way of a new plugin author in every language; write docs/benchmarks.md.
    Author,
    /// Measure against PyTorch, native code and built-in losses on this machine; write docs/benchmarks.md.
    Bench(bench::Options),
    /// Write the references of the book from the code; with --check, run every page of docs/.
    Book(book::Options),
    /// Make the parity fixtures anew, or check an exported folder, with Hugging Face Transformers.
    Parity(parity::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Quickstart => quickstart::run(),
        Command::Test(options) => test::run(&options),
        Command::Plugins { native } => guest::build_plugins(&guest::Options { native }).map(|_| ()),
        Command::Author => author::run(),
        Command::Templates => templates::run(&process::root()?),
        Command::Bench(options) => bench::run(&options),
        Command::Book(options) => book::run(&options),
        Command::Parity(options) => parity::run(&options),
    }
}
