//! Both tools on a corpus, from nothing to a dataset on disk. Caches of compiled code and the model are there already;
//! whatever a run makes of the corpus, it makes anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::corpus::CORPUS;
use super::measure::{self, Measured};
use super::score::Scores;
use super::scores;

const RECIPE: &str = include_str!("recipe.toml");

/// One tool on one corpus.
#[derive(Clone, Debug)]
pub struct Run {
    pub rows: u64,
    pub measured: Measured,
    /// The tool's own account: `(step, seconds)`.
    pub steps: Vec<(String, f64)>,
    /// None if the run is about time and memory only.
    pub scores: Option<Scores>,
}

pub struct Tools {
    pub pegbox: PathBuf,
    pub plugins: PathBuf,
    pub python: Option<PathBuf>,
    pub peer: PathBuf,
    /// Where everything is written.
    pub folder: PathBuf,
}

impl Tools {
    /// Fetches the model, compiles the plugins, and imports all of Python's modules once.
    pub fn warm_up(&self, corpus: &Path) -> Result<()> {
        eprintln!("  warming up");
        let warm = self.warm();
        fs::create_dir_all(&warm)?;
        self.prepare(corpus, &warm, 2)?;
        if let Some(python) = &self.python {
            self.peer(python, corpus, &self.fresh("peer")?)?;
        }
        Ok(())
    }

    /// `pegbox prepare`.
    pub fn ours(&self, corpus: &Path, rows: u64, threads: u32, scored: bool) -> Result<Run> {
        eprintln!("  pegbox prepare: {rows} rows, {threads} threads");
        let cache = self.fresh("cache")?;
        // What does not depend on the corpus.
        let copied = Command::new("cp").arg("-a").arg(self.warm().join(".")).arg(&cache).status()?;
        ensure!(copied.success(), "the cache could not be copied");
        let before = datasets(&cache)?;
        let measured = self.prepare(corpus, &cache, threads)?;
        let made: Vec<PathBuf> =
            datasets(&cache)?.into_iter().filter(|path| !before.contains(path)).collect();
        let [dataset] = made.as_slice() else { bail!("{} datasets were made, not one", made.len()) };
        let run = finished(corpus, dataset, rows, measured, scored)?;
        fs::remove_dir_all(&cache)?;
        Ok(run)
    }

    /// data_peer.py, always with two processes.
    pub fn theirs(&self, python: &Path, corpus: &Path, rows: u64) -> Result<Run> {
        eprintln!("  Hugging Face datasets: {rows} rows (minutes for 100,000)");
        let folder = self.fresh("peer")?;
        let measured = self.peer(python, corpus, &folder)?;
        let run = finished(corpus, &folder.join("dataset"), rows, measured, true)?;
        fs::remove_dir_all(&folder)?;
        Ok(run)
    }

    fn prepare(&self, corpus: &Path, cache: &Path, threads: u32) -> Result<Measured> {
        // Beside the corpus, because recipes name their files from where they are.
        let recipe = corpus.join("pegbox.toml");
        pegbox_durable::write_file(&recipe, RECIPE.as_bytes())?;
        let mut command = Command::new(&self.pegbox);
        command.arg("--plugins").arg(&self.plugins).arg("--threads").arg(threads.to_string());
        command.arg("prepare").arg(&recipe).env("PEGBOX_CACHE", cache).current_dir(&self.folder);
        measure::run(&mut command, &self.folder.join("pegbox.log"))
    }

    fn peer(&self, python: &Path, corpus: &Path, folder: &Path) -> Result<Measured> {
        let mut command = Command::new(python);
        command.arg(&self.peer).arg(corpus.join(CORPUS)).arg(folder.join("dataset"));
        // Its own cache is as new as ours.
        command.env("HF_HOME", folder.join("cache")).env("HF_HUB_OFFLINE", "1").current_dir(&self.folder);
        measure::run(&mut command, &self.folder.join("peer.log"))
    }

    fn warm(&self) -> PathBuf {
        self.folder.join("warm")
    }

    /// An empty folder of this name.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

fn finished(corpus: &Path, dataset: &Path, rows: u64, measured: Measured, scored: bool) -> Result<Run> {
    // Both tools write it beside the data.
    let path = dataset.join("timings.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let steps = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let scores = if scored { Some(scores(corpus, dataset)?) } else { None };
    Ok(Run { rows, measured, steps, scores })
}

/// The prepared datasets in a cache.
fn datasets(cache: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(cache.join("datasets")).into_iter().flatten() {
        let path = entry?.path();
        if path.join("report.json").is_file() {
            found.push(path);
        }
    }
    Ok(found)
}
