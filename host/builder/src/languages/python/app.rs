//! The module that componentize-py begins with: it has the author's class loaded, and the classes that export it.

use std::path::{Path, PathBuf};

use pegbox_manifest::Kind;

use crate::error::BuildError;
use crate::job::Job;

/// Its name, which none of the author's modules may have.
pub(super) const MODULE: &str = "pegbox_app";

/// Writes it to `folder`, which is returned.
pub(super) fn written(job: &Job, folder: &Path) -> Result<PathBuf, BuildError> {
    let about = &job.manifest.plugin;
    let text = text(&module_of(&job.source)?, &about.name, &about.version.to_string(), &about.kinds);
    let path = folder.join(format!("{MODULE}.py"));
    std::fs::create_dir_all(folder).map_err(BuildError::file("made", folder))?;
    std::fs::write(&path, text).map_err(BuildError::file("written", &path))?;
    Ok(folder.to_owned())
}

/// `plugin` for `plugin.py`.
fn module_of(source: &Path) -> Result<String, BuildError> {
    let stem = source.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_name = stem.bytes().next().is_some_and(|first| !first.is_ascii_digit())
        && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let taken = [MODULE, "pegbox_plugin", "wit_world"].contains(&stem);
    let is_python = source.extension().is_some_and(|extension| extension == "py");
    if is_name && is_python && !taken {
        return Ok(stem.to_owned());
    }
    Err(BuildError::Source {
        file: source.to_owned(),
        fault: "the file's name cannot be the name of a plugin's Python module".to_owned(),
        help: Some("call it plugin.py".to_owned()),
    })
}

/// The manifest has checked that name and version need no quoting.
fn text(module: &str, name: &str, version: &str, kinds: &[Kind]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
    let exports: String = kinds
        .iter()
        .map(|kind| format!("from pegbox_plugin._glue.{kind} import {}\n", export_of(*kind)))
        .collect();
    format!(
        "# Written from plugin.toml by `pegbox plugin build`.\n\
         import sys\n\n\
         # The folders are the builder's or the author's, not Python's.\n\
         sys.dont_write_bytecode = True\n\n\
         from pegbox_plugin._glue import load\n\n\
         load.plugin(\"{module}\", name=\"{name}\", version=\"{version}\", kinds=[{}])\n\n\
         from pegbox_plugin._glue.lifecycle import Lifecycle\n\
         {exports}",
        names.join(", ")
    )
}

/// componentize-py looks for classes that are called as the interfaces are.
fn export_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Cleaner => "Cleaning",
        Kind::Validator => "Validation",
        Kind::Loss => "Objective",
        Kind::Metric => "Measurement",
        Kind::Exporter => "Exporting",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_loads_the_authors_module_as_the_manifest_describes_it() {
        let text = text("plugin", "acme/both", "1.2.0-rc.1", &[Kind::Loss, Kind::Metric]);
        assert!(text.contains(
            "load.plugin(\"plugin\", name=\"acme/both\", version=\"1.2.0-rc.1\", kinds=[\"loss\", \"metric\"])"
        ));
        assert!(text.contains("import Objective\n") && text.contains("import Measurement\n"));
    }

    #[test]
    fn a_file_that_cannot_be_a_module_is_refused() {
        assert_eq!(module_of(Path::new("a/plugin.py")).unwrap(), "plugin");
        for wrong in ["my-plugin.py", "1.py", "plugin.txt", "wit_world.py"] {
            assert!(module_of(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
