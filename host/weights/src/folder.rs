//! The files of a model folder, and models in several files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::error::{Fault, WeightsError, quoted, said};

/// The names that Transformers writes weights under, the ones that it prefers first.
const NAMES: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// The file of a folder that says where its weights are.
pub(crate) fn weights(folder: &Path) -> Result<PathBuf, WeightsError> {
    if let Some(path) = NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return Ok(path);
    }
    let failed = WeightsError::io("read", folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension() == Some(OsStr::new("gguf")) {
            files.push(path);
        }
    }
    files.sort();
    match files.as_slice() {
        [only] => Ok(only.clone()),
        [] => {
            Err(Fault::unsupported(format!("no weights are here: neither {} nor a *.gguf", NAMES.join(", ")))
                .at(folder))
        }
        several => {
            let names: Vec<_> = several.iter().filter_map(|path| path.file_name()).collect();
            Err(Fault::unsupported(format!("it holds several GGUF files, {names:?}: name one of them"))
                .at(folder))
        }
    }
}

pub(crate) fn is_index(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(".index.json"))
}

/// Which tensor is in which file, as Transformers writes it.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// What `read` finds in the files that an index names, all together. Each tensor must be where the index says.
pub(crate) fn shards<T>(
    index: &Path,
    read: impl Fn(&Path) -> Result<BTreeMap<String, T>, WeightsError>,
) -> Result<BTreeMap<String, T>, WeightsError> {
    let bytes = fs::read(index).map_err(WeightsError::io("read", index))?;
    let Index { weight_map } = serde_json::from_slice(&bytes)
        .map_err(|error| Fault::damaged(format!("not an index of weights: {}", said(error))).at(index))?;
    let files: BTreeSet<&str> = weight_map.values().map(String::as_str).collect();
    let mut all = BTreeMap::new();
    for file in files {
        let mut found = read(&beside(index, file)?)?;
        let mut listed = weight_map.iter().filter(|(_, place)| *place == file);
        if let Some((name, _)) = listed.find(|(name, _)| !found.contains_key(*name)) {
            return Err(
                Fault::damaged(format!("the tensor {} is not in {}", quoted(name), quoted(file))).at(index)
            );
        }
        if let Some(name) = found.keys().find(|name| all.contains_key(*name)) {
            return Err(Fault::damaged(format!("the tensor {} is in two files", quoted(name))).at(index));
        }
        all.append(&mut found);
    }
    Ok(all)
}

/// A file of the index's own folder: its names must not lead anywhere else.
fn beside(index: &Path, name: &str) -> Result<PathBuf, WeightsError> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if !is_index(Path::new(part)) => Ok(index.with_file_name(part)),
        _ => Err(Fault::damaged(format!("{} is not the name of a file beside it", quoted(name))).at(index)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NamedTensor, Weights, write_safetensors};

    fn write(folder: &Path, file: &str, names: &[&str]) {
        let tensors: Vec<_> = names
            .iter()
            .map(|name| NamedTensor { name: (*name).into(), shape: vec![1], values: vec![1.0] })
            .collect();
        write_safetensors(&folder.join(file), &tensors).unwrap();
    }

    fn error(folder: &Path) -> String {
        Weights::read(folder).unwrap_err().to_string()
    }

    #[test]
    fn a_folder_is_read_by_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(error(folder).contains("no weights are here: neither model.safetensors"));
        for name in ["b.gguf", "a.gguf"] {
            fs::write(folder.join(name), "GGUF").unwrap();
        }
        assert!(error(folder).contains(r#"several GGUF files, ["a.gguf", "b.gguf"]"#));
        write(folder, "model-00001-of-00002.safetensors", &["a", "extra"]);
        write(folder, "model-00002-of-00002.safetensors", &["b"]);
        let map = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
        fs::write(folder.join(NAMES[1]), map).unwrap();
        let mut weights = Weights::read(folder).unwrap();
        assert!(weights.take(&["a".into()]).is_some() && weights.take(&["b".into()]).is_some());
        assert_eq!(weights.left_over(), ["extra"], "what the index does not name");
        write(folder, NAMES[0], &["whole"]);
        assert_eq!(Weights::read(folder).unwrap().left_over(), ["whole"]);
    }

    #[test]
    fn an_index_leads_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(folder, "one", &["a"]);
        write(folder, "two", &["a"]);
        // Where a folder counted, its index would be read again, without end.
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder, folder.join("loop")).unwrap();
        #[cfg(not(unix))]
        fs::create_dir(folder.join("loop")).unwrap();
        for (map, told) in [
            (r#"{"a":"../one"}"#, "`../one` is not the name of a file"),
            (r#"{"a":"/etc/passwd"}"#, "`/etc/passwd` is not the name of a file"),
            (r#"{"a":"."}"#, "`.` is not the name"),
            (r#"{"a":""}"#, "`` is not the name"),
            (r#"{"a":"model.safetensors.index.json"}"#, "is not the name of a file"),
            (r#"{"a":"three"}"#, "cannot read"),
            (r#"{"a":"loop"}"#, "it is not a file"),
            (r#"{"b":"one"}"#, "the tensor `b` is not in `one`"),
            ("3", "not an index of weights"),
        ] {
            fs::write(folder.join(NAMES[1]), format!(r#"{{"weight_map":{map}}}"#)).unwrap();
            let error = error(folder);
            assert!(error.contains(told), "{map}: {error}");
        }
        write(folder, "two", &["a", "b"]);
        fs::write(folder.join(NAMES[1]), r#"{"weight_map":{"a":"one","b":"two"}}"#).unwrap();
        assert!(error(folder).contains("the tensor `a` is in two files"));
    }
}
