//! The dataset's key: a digest of everything that its contents depend on. The same key means the same
//! dataset; whatever changes the dataset must stand here.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use pegbox_runtime::Severity;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::job::{
    AnnotationSettings, BalanceSettings, DuplicateSettings, LeakageSettings, PrepareJob, Reading,
    SuspectAction,
};
use crate::split::SplitSettings;
use crate::stage::{OnFailure, StageIdentity};
use crate::task::Task;
use crate::tokenize::TokenSettings;
use pegbox_records::{Origins, Part, Schema};

/// The version of what a prepared dataset is: of its files, and of how rows become splits and tokens.
/// Raise it with any change that would give other contents for the same inputs.
pub const FORMAT: u32 = 4;

/// Everything that a dataset depends on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeyParts {
    pub format: u32,
    pub task: Task,
    pub sources: Vec<SourceDigest>,
    pub schema: Schema,
    pub reading: Reading,
    pub cleaners: Vec<CleanerKey>,
    pub annotations: Option<AnnotationSettings>,
    pub duplicates: Option<DuplicateSettings>,
    pub validators: Vec<ValidatorKey>,
    pub suspects: Option<SuspectAction>,
    pub split: SplitSettings,
    pub leakage: Option<LeakageSettings>,
    /// Benchmark files: their names count, because the report shows them.
    pub benchmarks: Vec<(String, String)>,
    pub balance: BalanceSettings,
    /// `sha256:` of the tokenizer.json.
    pub tokenizer: String,
    pub tokens: TokenSettings,
}

/// A file of records. Its name counts, because origins show it; the folder that it lies in does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceDigest {
    pub part: Part,
    pub name: String,
    /// `sha256:` of the file as it lies on disk.
    pub digest: String,
}

/// A cleaner counts with what its failure means: a dataset from which a record was left out is not one that a cleaner
/// which may not fail would give.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CleanerKey {
    pub stage: StageIdentity,
    pub on_failure: OnFailure,
    /// Roles: their values are counted in the sources.
    pub modes: Vec<String>,
}

/// A validator counts with its `fail-on`, too: a dataset that passed under a milder one has not passed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ValidatorKey {
    pub stage: StageIdentity,
    pub fail_on: Option<Severity>,
    pub on_failure: OnFailure,
}

impl KeyParts {
    /// Reads all files of the job once.
    pub fn of(job: &PrepareJob, origins: &Origins) -> Result<Self, DataError> {
        let sources = job
            .sources
            .iter()
            .zip(origins.files())
            .map(|(source, name)| {
                Ok(SourceDigest { part: source.part, name: name.clone(), digest: file_digest(&source.path)? })
            })
            .collect::<Result<_, DataError>>()?;
        let files = job.leakage.as_ref().map(|leakage| leakage.benchmarks.as_slice()).unwrap_or_default();
        let benchmarks = files
            .iter()
            .zip(Origins::new(files).files())
            .map(|(path, name)| Ok((name.clone(), file_digest(path)?)))
            .collect::<Result<_, DataError>>()?;
        Ok(Self {
            format: FORMAT,
            task: job.task,
            sources,
            schema: job.schema.clone(),
            reading: job.reading,
            annotations: job.annotations.clone(),
            duplicates: job.duplicates.clone(),
            suspects: job.suspects,
            leakage: job.leakage.clone(),
            benchmarks,
            balance: job.balance.clone(),
            cleaners: job
                .cleaners
                .iter()
                .map(|stage| CleanerKey {
                    stage: stage.identity.clone(),
                    on_failure: stage.on_failure,
                    modes: stage.modes.clone(),
                })
                .collect(),
            validators: job
                .validators
                .iter()
                .map(|stage| ValidatorKey {
                    stage: stage.identity.clone(),
                    fail_on: stage.fail_on,
                    on_failure: stage.on_failure,
                })
                .collect(),
            split: job.split.clone(),
            tokenizer: digest(&job.tokenizer),
            tokens: job.tokens.clone(),
        })
    }

    /// `sha256:` of the parts.
    pub fn key(&self) -> Result<String, DataError> {
        let json = serde_json::to_vec(self).map_err(|error| DataError::Schema { what: error.to_string() })?;
        Ok(digest(&json))
    }
}

/// `sha256:` and the hex digest.
pub fn digest(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

/// `sha256:` and the hex digest of a file.
pub fn file_digest(path: &Path) -> Result<String, DataError> {
    let hash = || {
        let mut file = BufReader::new(File::open(path)?);
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hash.finalize()),
                read => hash.update(&buffer[..read]),
            }
        }
    };
    hash().map(|hash| hex(hash.as_slice())).map_err(DataError::io("read", path))
}

fn hex(hash: &[u8]) -> String {
    hash.iter().fold("sha256:".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}
