//! `cargo xtask book`: the references of the book, written from the code; with `--check` whether they are fresh, and
//! whether every page of `docs/` does what it says.

/// The fenced blocks of a page.
mod block;
/// What was printed against what was expected.
mod compare;
/// `reference/contract.md`.
mod contract;
/// `reference/limits.md`.
mod limits;
/// What pages point at.
mod links;
/// One page, run.
mod page;
/// `reference/recipe.md`, `manifest.md`, `policy.md`.
mod schema;
/// The shell that a page's commands run in.
mod shell;
/// Types and functions as WIT writes them.
mod wit;

use crate::process::{self, root, target_dir};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const BOOK: &str = "docs";
const REFERENCES: &str = "docs/reference";
const WRITTEN: &str = "<!-- Written by `cargo xtask book`; do not edit. -->\n\n";

#[derive(Args)]
pub struct Options {
    /// Write nothing: are the references fresh, do links lead somewhere, does every block do what it says?
    #[arg(long)]
    check: bool,
    /// With --check: run the blocks of these pages only, such as `tutorial`.
    #[arg(requires = "check")]
    pages: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let root = root()?;
    if !options.check {
        for (path, text) in references(&root)? {
            let path = root.join(path);
            fs::create_dir_all(root.join(REFERENCES))?;
            fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
            eprintln!("  {}", path.display());
        }
        return Ok(());
    }
    if options.pages.is_empty() {
        return check(&root);
    }
    let wanted = |page: &PathBuf| {
        let name = page.file_stem().unwrap_or_default().to_string_lossy();
        options.pages.iter().any(|wanted| wanted.trim_end_matches(".md") == name)
    };
    let pages: Vec<_> = pages(&root)?.into_iter().filter(wanted).collect();
    if pages.is_empty() {
        bail!("the book has no such page: {}", options.pages.join(", "));
    }
    run_pages(&root, &pages)
}

/// Everything that can be wrong with the book.
///
/// # Errors
/// A stale reference, a link or include that leads nowhere, a page that does not do what it says.
pub fn check(root: &Path) -> Result<()> {
    for (path, text) in references(root)? {
        let found = fs::read_to_string(root.join(&path)).unwrap_or_default();
        if found != text {
            bail!("{path} is not what the code says; run `cargo xtask book`");
        }
    }
    let faults = links::faults(&root.join(BOOK))?;
    if !faults.is_empty() {
        bail!("the book points nowhere\n  {}", faults.join("\n  "));
    }
    run_pages(root, &pages(root)?)
}

/// The references: path and text.
fn references(root: &Path) -> Result<Vec<(String, String)>> {
    let recipe = serde_json::from_str(pegbox_recipe::SCHEMA).context("the recipe's schema is not JSON")?;
    let manifest = pegbox_manifest::schema().to_value();
    let mut pegbox = Command::new(target_dir(root).join("release/pegbox"));
    let policy = process::output(pegbox.args(["schema", "policy"]))?;
    let policy = serde_json::from_str(&policy).context("the policy's schema is not JSON")?;
    let described = |name: &str, schema: &serde_json::Value, words: &str| {
        let introduction = format!(
            "{words} A key that is not listed here is an error. The JSON Schema, for editors: `pegbox schema {name}`."
        );
        schema::page(schema, &introduction)
    };
    let recipe = described(
        "recipe",
        &recipe,
        "`pegbox init` writes a recipe to start from. Every path is relative to the recipe's folder.",
    )?;
    let manifest = described(
        "manifest",
        &manifest,
        "What a plugin is, what it asks for, what it may use. `pegbox plugin new` writes one.",
    )?;
    let policy = described("policy", &policy, "Which plugins a team lets in.")?;
    let pages = [
        ("contract", contract::page(root)?),
        ("recipe", recipe),
        ("manifest", manifest),
        ("policy", policy),
        ("limits", limits::page()?),
    ];
    let reference =
        |(name, text): (&str, String)| (format!("{REFERENCES}/{name}.md"), format!("{WRITTEN}{text}"));
    Ok(pages.map(reference).into())
}

/// The pages that people wrote; what the references hold was compared with the code.
fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = links::pages(&root.join(BOOK))?;
    pages.retain(|page| !page.starts_with(root.join(REFERENCES)));
    Ok(pages)
}

/// Runs pages, two at a time, and tells how each went.
fn run_pages(root: &Path, pages: &[PathBuf]) -> Result<()> {
    let built = target_dir(root);
    let tried = page::Tried { program: built.join("release/pegbox"), plugins: built.join("pegbox-plugins") };
    let queue = Mutex::new(pages.iter());
    let told = Mutex::new(Told::default());
    let worker = || -> Result<()> {
        loop {
            let next = queue.lock().map_err(|_| anyhow!("a worker panicked"))?.next();
            let Some(path) = next else { return Ok(()) };
            let start = Instant::now();
            let outcome = page::run(&tried, path);
            let shown = path.strip_prefix(root.join(BOOK)).unwrap_or(path).display().to_string();
            let mut told = told.lock().map_err(|_| anyhow!("a worker panicked"))?;
            told.add(&shown, start.elapsed(), outcome);
        }
    };
    std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    })?;
    let Told { mut exempt, failed } = told.into_inner().map_err(|_| anyhow!("a worker panicked"))?;
    exempt.sort();
    eprintln!("  {} block(s) are exempt:", exempt.len());
    for (page, line, reason) in exempt {
        eprintln!("    {page}:{line}: {reason}");
    }
    match failed.len() {
        0 => Ok(()),
        count => bail!("{count} page(s) of the book do not do what they say: {}", failed.join(", ")),
    }
}

/// How the pages went.
#[derive(Default)]
struct Told {
    /// Blocks that were not run: page, line, reason.
    exempt: Vec<(String, usize, String)>,
    failed: Vec<String>,
}

impl Told {
    fn add(&mut self, page: &str, took: Duration, outcome: Result<page::Counted>) {
        let took = took.as_secs_f64();
        match outcome {
            Ok(page::Counted { commands, files, exempt }) => {
                eprintln!("  {took:>6.1} s  {page}: {commands} command(s), {files} file(s)");
                self.exempt.extend(exempt.into_iter().map(|(line, reason)| (page.to_owned(), line, reason)));
            }
            Err(fault) => {
                eprintln!("  {took:>6.1} s  {page} FAILED, {fault:#}");
                self.failed.push(page.to_owned());
            }
        }
    }
}
