//! `pegbox schema`: the JSON Schemas of the files that people write, for editors and for the book.

use clap::ValueEnum;

use crate::console::print;
use crate::report::Report;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// plugin.toml
    Manifest,
    /// pegbox-policy.toml
    Policy,
    /// pegbox.toml
    Recipe,
}

pub fn run(document: Document) -> Result<(), Box<Report>> {
    let text = match document {
        Document::Manifest => format!("{:#}", pegbox_manifest::schema().to_value()),
        Document::Policy => format!("{:#}", pegbox_registry::policy_schema().to_value()),
        Document::Recipe => pegbox_recipe::SCHEMA.trim_end().to_owned(),
    };
    print(&format!("{text}\n"));
    Ok(())
}
