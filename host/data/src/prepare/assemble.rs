//! The files of the steps, put together as a dataset.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pegbox_annotations::adjudicate::Doubtful;

use crate::dataset::{FileDigest, LENGTHS};
use crate::durable::Draft;
use crate::error::DataError;
use crate::job::PrepareJob;
use crate::json_lines::JsonLines;
use crate::report::PrepareReport;
use crate::rows::Shards;
use crate::steps::read::QUARANTINED;
use crate::steps::tokenize::{SHARDS_A_FILE, Tokenized, dropped_file, suspects_file};
use crate::steps::validate::Validation;
use crate::steps::{clean, validate};
use crate::work::Step;

/// The steps whose files go into the dataset.
pub(super) struct Files<'a> {
    pub job: &'a PrepareJob,
    pub report: &'a PrepareReport,
    pub read: Step,
    pub clean: Option<(Step, Shards)>,
    pub validation: Option<(Step, Validation)>,
    pub adjudicate: Vec<Doubtful>,
    pub tokenize: &'a Step,
    /// How many there are.
    pub shards: usize,
}

impl Files<'_> {
    /// Puts them into a draft of the dataset beside `folder`; with the digests of all of them.
    pub fn assemble(
        &self,
        folder: &Path,
        tokenized: &Tokenized,
    ) -> Result<(Draft, BTreeMap<String, FileDigest>), DataError> {
        let draft = Draft::new(folder.parent().unwrap_or(Path::new(".")))?;
        let mut listed = tokenized.files.clone();
        for name in tokenized.files.keys() {
            link(&self.tokenize.folder().join(name), &draft.path().join(name))?;
        }
        let lengths: Vec<u8> = tokenized.widths.iter().flat_map(|length| length.to_le_bytes()).collect();
        draft.write(LENGTHS, &lengths)?;
        listed.insert(LENGTHS.to_owned(), FileDigest::of(&draft.path().join(LENGTHS))?);
        let mut add = |name: &str, fill: &dyn Fn(&mut JsonLines) -> Result<(), DataError>| {
            let path = draft.path().join(name);
            let mut lines = JsonLines::create(&path)?;
            fill(&mut lines)?;
            lines.finish()?;
            listed.insert(name.to_owned(), FileDigest::of(&path)?);
            Ok::<(), DataError>(())
        };
        let groups = 0..self.shards.div_ceil(SHARDS_A_FILE);
        let append = |lines: &mut JsonLines, name: &dyn Fn(usize) -> String| {
            groups.clone().try_for_each(|number| lines.append(&self.tokenize.folder().join(name(number))))
        };
        add("dropped.jsonl", &|lines| {
            if let Some((step, cleaned)) = &self.clean {
                for shard in 0..cleaned.len() {
                    for dropped in clean::dropped(step, cleaned, shard)? {
                        lines.add(&dropped)?;
                    }
                }
            }
            append(lines, &dropped_file)
        })?;
        add("findings.jsonl", &|lines| match &self.validation {
            Some((step, validation)) => {
                let all = self.clean.as_ref().map_or(self.shards, |(_, cleaned)| cleaned.len());
                validate::each_finding(step, validation, all, &mut |finding| lines.add(finding))
            }
            None => Ok(()),
        })?;
        if self.job.suspects.is_some() {
            add("suspects.jsonl", &|lines| append(lines, &suspects_file))?;
        }
        if self.job.annotations.is_some() {
            add("adjudicate.jsonl", &|lines| self.adjudicate.iter().try_for_each(|item| lines.add(item)))?;
        }
        if self.report.quarantined > 0 {
            add(QUARANTINED, &|lines| lines.append(&self.read.folder().join(QUARANTINED)))?;
        }
        Ok((draft, listed))
    }
}

/// The same file under another name where the disk can do that, else a copy.
fn link(from: &PathBuf, to: &PathBuf) -> Result<(), DataError> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).map_err(DataError::io("create", to))
}
