//! The texts that the commands work on.

use std::path::Path;

use clap::Args;
use pegbox_vocabulary::Corpus;

use crate::report::Report;

#[derive(Debug, Args)]
pub struct Texts {
    /// The texts: files, globs or folders, of every format that a recipe's data may have
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub data: Vec<String>,
    /// The field that holds a text; once for each field, such as `prompt` and `completion`
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub field: Vec<String>,
}

impl Texts {
    /// `progress` is told how many texts were worked on.
    pub fn corpus<'p>(&self, progress: &'p (dyn Fn(u64) + Sync)) -> Result<Corpus<'p>, Box<Report>> {
        Ok(Corpus::new(Path::new("."), &self.data, &self.field, progress)?)
    }
}
