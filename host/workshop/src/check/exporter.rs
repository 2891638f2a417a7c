//! An exporter's case: the files, and that nothing lies outside the artifact.

use std::collections::BTreeMap;

use pegbox_manifest::digest;
use pegbox_runtime::Exporter;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Checked, Make, Refusal, at};
use crate::artifact::{self, Left};
use crate::case::batch::floats;
use crate::case::exporter::{Expected, ExporterCase, Facts, Model};
use crate::error::WorkshopError;
use crate::report::Failure;

/// Larger files stand in a golden file by their digest.
const WRITTEN_OUT: usize = 64 << 10;

pub fn check(case: &ExporterCase, source: &str, make: Make<'_, dyn Exporter>) -> Result<Checked, Refusal> {
    let mut exporter = make()?;
    let left = export(exporter.as_mut(), case.model.as_ref())?;
    let mut checked = Checked::default();
    for path in &left.outside {
        checked.failures.push(Failure::new(format!("{path} lies outside the artifact")));
    }
    match &case.files {
        Some(expected) => {
            for (path, expected) in expected {
                let failure = match left.files.get(path) {
                    None => Some(Failure::of(format!("the file {path}"), "a file", "nothing")),
                    Some(found) => difference(path, expected.as_ref(), found),
                };
                checked.failures.extend(failure.map(|failure| at(failure, source, expected.span())));
            }
            for path in left.files.keys().filter(|path| !expected.contains_key(*path)) {
                let failure = Failure::of(format!("the file {path}"), "nothing", "a file");
                checked.failures.push(failure.help("`files` lists every file of the artifact"));
            }
        }
        None => checked.golden = Some(as_json(&left.files)),
    }

    // A second export on the same instance, as a recipe with several targets does.
    let again = export(exporter.as_mut(), case.model.as_ref())?;
    for (path, first) in &left.files {
        if again.files.get(path) != Some(first) {
            let what = format!("the file {path} differs in a second export of the same model");
            checked.failures.push(Failure::new(what).help("the same model must give the same artifact"));
        }
    }
    checked.notes.push(match left.verified {
        0 => format!("{} files, the same twice", left.files.len()),
        verified => format!("{} files, the same twice, {verified} tensors verified", left.files.len()),
    });
    Ok(checked)
}

fn export(exporter: &mut dyn Exporter, model: &Model) -> Result<Left, Refusal> {
    let folder = TempDir::new().map_err(WorkshopError::io("make a folder in", std::env::temp_dir()))?;
    let weights = folder.path().join("model.safetensors");
    let tensor = |(name, given): (&String, &toml::Spanned<_>)| match floats(given.as_ref()) {
        Ok(numbers) => Ok((name.clone(), numbers)),
        Err(fault) => Err(WorkshopError::usage(format!("{name}: {fault}"))),
    };
    let tensors = model.tensors.iter().map(tensor).collect::<Result<BTreeMap<_, _>, _>>()?;
    artifact::write_weights(&weights, &tensors)?;
    let mut trained = artifact::model(weights, &model.configuration, &model.labels, &model.tokenizer_files);
    trained.metrics = model.metrics.clone();
    trained.provenance = model.provenance.clone();
    Ok(artifact::export(exporter, trained)?)
}

fn difference(path: &str, expected: &Expected, found: &[u8]) -> Option<Failure> {
    let what = format!("the file {path}");
    let text = || match std::str::from_utf8(found) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("{} bytes that are not text", found.len()),
    };
    match expected {
        Expected::Text(wanted) if wanted.as_bytes() == found => None,
        Expected::Text(wanted) => Some(Failure::of(what, wanted, text())),
        Expected::Facts(Facts { digest: wanted, bytes, json, contains }) => {
            let size = found.len() as u64;
            if let Some(bytes) = bytes.filter(|bytes| *bytes != size) {
                return Some(Failure::of(what, format!("{bytes} bytes"), format!("{size} bytes")));
            }
            if let Some(json) = json {
                let parsed: Result<Value, _> = serde_json::from_slice(found);
                match parsed {
                    Ok(parsed) if parsed == *json => {}
                    Ok(parsed) => return Some(Failure::of(what, format!("{json:#}"), format!("{parsed:#}"))),
                    Err(error) => return Some(Failure::of(what, "JSON", format!("{error} in\n{}", text()))),
                }
            }
            if let Some(part) = contains.iter().find(|part| !text().contains(*part)) {
                return Some(Failure::of(what, format!("{part:?} somewhere"), text()));
            }
            let digest = digest::of(found);
            let wanted = wanted.as_ref().filter(|wanted| **wanted != digest)?;
            Some(Failure::of(what, wanted, digest))
        }
    }
}

fn as_json(files: &BTreeMap<String, Vec<u8>>) -> Value {
    let file = |(path, content): (&String, &Vec<u8>)| {
        let text = std::str::from_utf8(content).ok().filter(|_| content.len() <= WRITTEN_OUT);
        let value = match text {
            Some(text) => json!(text),
            None => json!({ "digest": digest::of(content), "bytes": content.len() }),
        };
        (path.clone(), value)
    };
    files.iter().map(file).collect()
}
