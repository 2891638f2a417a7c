//! Run folders: one for each training, named by date and letter, `2026-11-24-a`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use pegbox_train::RunFolder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::Report;
use pegbox_recipe::Recipe;

/// What was done in a run, with the key of everything that each result depends on. Lies in the run's folder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stages {
    /// `train`, `eval`, `export <to>`.
    pub done: BTreeMap<String, Done>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    pub key: String,
    pub seconds: f64,
    pub finished: bool,
}

const STAGES: &str = "stages.json";

impl Stages {
    /// Nothing is known of a run whose file is missing or damaged: its stages are done again.
    pub fn read(run: &Path) -> Self {
        fs::read(run.join(STAGES))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    pub fn is_done(&self, stage: &str, key: &str) -> bool {
        self.done.get(stage).is_some_and(|done| done.finished && done.key == key)
    }

    /// Notes a stage and writes the file.
    pub fn note(run: &Path, stage: &str, done: Done) -> Result<(), Box<Report>> {
        let mut stages = Self::read(run);
        stages.done.insert(stage.to_string(), done);
        let text = serde_json::to_vec_pretty(&stages).unwrap_or_default();
        write_whole(&run.join(STAGES), &text)
    }
}

/// A key from parts: equal only if all parts are.
pub fn key(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    format!("sha256:{:x}", hasher.finalize())
}

/// A new run's folder.
pub fn create(recipe: &Recipe) -> Result<RunFolder, Box<Report>> {
    let today = date(SystemTime::now());
    let taken = |name: &str| recipe.runs.join(name).exists();
    let name = suffixes().map(|suffix| format!("{today}-{suffix}")).find(|name| !taken(name));
    Ok(RunFolder::create(&recipe.runs, &name.unwrap_or(today))?)
}

/// The run that `--run` names, or the recipe's latest.
pub fn find(recipe: &Recipe, named: Option<&Path>) -> Result<RunFolder, Box<Report>> {
    if let Some(path) = named {
        return Ok(RunFolder::open(path)?);
    }
    match latest(&recipe.runs) {
        Some(path) => Ok(RunFolder::open(&path)?),
        None => Err(Report::usage(format!("there is no run in {}", recipe.runs.display()))
            .help("`pegbox train` makes one; or name a run with --run")),
    }
}

/// The run whose folder was made last, by name: names sort by date and letter.
pub fn latest(runs: &Path) -> Option<PathBuf> {
    let names = fs::read_dir(runs).ok()?.flatten().filter(|entry| entry.path().is_dir());
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let newest = names.filter(|name| is_run_name(name)).max()?;
    Some(runs.join(newest))
}

fn is_run_name(name: &str) -> bool {
    let (date, letter) = name.split_at(name.len().min(11));
    date.len() == 11
        && date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 | 10 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
        && !letter.is_empty()
        && letter.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// a, b, ..., z, za, zb, ..., zz, zza, ...: in this order they also sort.
fn suffixes() -> impl Iterator<Item = String> {
    (0..).flat_map(|count| (b'a'..=b'y').map(move |last| "z".repeat(count) + &char::from(last).to_string()))
}

/// `2026-11-24`, in UTC. The calendar arithmetic is Howard Hinnant's `civil_from_days`.
fn date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Writes `content` to `path` whole or not at all.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), Box<Report>> {
    pegbox_durable::write_file(path, content)
        .map_err(|error| Report::new(format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_civil() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01");
        assert_eq!(at(951_782_400), "2000-02-29");
        assert_eq!(at(1_795_478_400), "2026-11-24");
    }

    #[test]
    fn runs_sort_by_date_and_letter() {
        let folder = tempfile::tempdir().unwrap();
        let suffixes: Vec<_> = suffixes().take(30).collect();
        assert!(suffixes.is_sorted(), "{suffixes:?}");
        for name in ["2026-11-23-y", "2026-11-24-a", "2026-11-24-b", "notes", "2026-11-24-"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        assert_eq!(latest(folder.path()).unwrap(), folder.path().join("2026-11-24-b"));
    }

    #[test]
    fn a_key_tells_parts_apart() {
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
    }
}
