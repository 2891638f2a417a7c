//! One module a language. Each has
//! - `TEMPLATES`: what `pegbox plugin new` offers; the files lie in `plugin-api/<folder>/templates/<kind>/`;
//! - `versions(tools)`: the versions of the tools that it builds with; with them, what was built before is found;
//! - `build(job)`: the component;
//! - `write_for_editors(job)`: what an author's editor reads of the SDK and the contract, which `build` writes too.

pub(crate) mod c;
pub(crate) mod javascript;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod zig;

use pegbox_manifest::Language;

use crate::error::BuildError;
use crate::job::Job;
use crate::templates::Template;
use crate::tools::Tools;

/// What `pegbox plugin new` offers for a language; the first is the usual one.
pub(crate) fn templates(language: Language) -> &'static [Template] {
    match language {
        Language::Rust => rust::TEMPLATES,
        Language::Python => python::TEMPLATES,
        Language::JavaScript => javascript::TEMPLATES,
        Language::C => c::TEMPLATES,
        Language::Zig => zig::TEMPLATES,
    }
}

/// The tools that the component depends on, with their versions: one text, the same as long as they are.
pub(crate) fn versions(language: Language, tools: &Tools) -> Result<String, BuildError> {
    match language {
        Language::Rust => rust::versions(tools),
        Language::Python => python::versions(tools),
        Language::JavaScript => javascript::versions(tools),
        Language::C => c::versions(tools),
        Language::Zig => zig::versions(tools),
    }
}

/// Makes the component.
pub(crate) fn build(language: Language, job: &Job) -> Result<Vec<u8>, BuildError> {
    match language {
        Language::Rust => rust::build(job),
        Language::Python => python::build(job),
        Language::JavaScript => javascript::build(job),
        Language::C => c::build(job),
        Language::Zig => zig::build(job),
    }
}

/// Writes what an author's editor reads; the plugin's world is written already.
pub(crate) fn write_for_editors(language: Language, job: &Job) -> Result<(), BuildError> {
    match language {
        Language::Rust => rust::write_for_editors(job),
        Language::Python => python::write_for_editors(job),
        Language::JavaScript => javascript::write_for_editors(job),
        Language::C => c::write_for_editors(job),
        Language::Zig => zig::write_for_editors(job),
    }
}

/// Makes the native library.
pub(crate) fn build_native(language: Language, job: &Job) -> Result<Vec<u8>, BuildError> {
    match language {
        Language::Rust => rust::build_native(job),
        other => Err(BuildError::Unsupported {
            what: format!("there are no native plugins in {other}"),
            help: Some("the native ABI is the Rust SDK's; leave `--native` out".to_owned()),
        }),
    }
}

/// Whether sources of the plugin lie outside its folder.
pub(crate) fn has_sources_elsewhere(language: Language, job: &Job) -> Result<bool, BuildError> {
    match language {
        Language::Rust => rust::has_sources_elsewhere(job),
        _ => Ok(false),
    }
}
