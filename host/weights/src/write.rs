//! Writing safetensors, whole or not at all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pegbox_durable::{FileDraft, sync_folder, write_file};
use serde_json::json;

use crate::dtype::elements;
use crate::error::WeightsError;

/// Bytes of a file, as `save_pretrained` of Transformers splits models by default.
pub const SHARD_LIMIT: u64 = 5_000_000_000;

const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// A tensor to be written in float32.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// Writes `tensors` to the file `path`. Its bytes depend on the tensors alone, not on their order.
///
/// # Errors
/// The disk's, or a tensor whose values are not as many as its shape says; what stood at `path` is untouched then.
pub fn write_safetensors(path: &Path, tensors: &[NamedTensor]) -> Result<(), WeightsError> {
    let mut sorted: Vec<&NamedTensor> = tensors.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let shapes: Vec<_> = sorted.iter().map(|tensor| (tensor.name.as_str(), &tensor.shape[..])).collect();
    unique(&shapes).map_err(WeightsError::io("write", path))?;
    let mut file = Writer::new(path, &shapes)?;
    for tensor in sorted {
        file.write(&tensor.values)?;
    }
    file.publish()
}

/// Writes a model's tensors, names and shapes, into `folder` as `model.safetensors`; where they are more than `limit`
/// bytes ([`SHARD_LIMIT`]) in several files with an index, as Transformers has it. `values` is asked for one tensor
/// after the other, so that they need not all be in memory. What an earlier write left under these names goes.
///
/// # Errors
/// The disk's, or a tensor whose values are not as many as its shape says. No model that was there is damaged then.
pub fn write_model<'a>(
    folder: &Path,
    tensors: &[(String, Vec<usize>)],
    limit: u64,
    mut values: impl FnMut(&str) -> Cow<'a, [f32]>,
) -> Result<(), WeightsError> {
    let mut sorted: Vec<(&str, &[usize])> =
        tensors.iter().map(|(name, shape)| (name.as_str(), &shape[..])).collect();
    sorted.sort_unstable();
    unique(&sorted).map_err(WeightsError::io("write", folder))?;
    let shards = shards(&sorted, limit);
    let names: Vec<String> = match shards.len() {
        1 => vec![WHOLE.to_owned()],
        count => (1..=count).map(|shard| format!("model-{shard:05}-of-{count:05}.safetensors")).collect(),
    };
    let mut drafts = Vec::new();
    for (name, shard) in names.iter().zip(&shards) {
        let mut file = Writer::new(&folder.join(name), shard)?;
        for (name, _) in *shard {
            file.write(&values(name))?;
        }
        drafts.push(file);
    }
    drafts.into_iter().try_for_each(Writer::publish)?;
    if shards.len() > 1 {
        let path = folder.join(INDEX);
        write_file(&path, &index(&names, &shards)).map_err(WeightsError::io("write", &path))?;
    }
    clear(folder, &names).map_err(WeightsError::io("clear the old weights from", folder))
}

/// Of tensors in the order of their names.
fn unique(tensors: &[(&str, &[usize])]) -> io::Result<()> {
    match tensors.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        None => Ok(()),
        Some(pair) => Err(invalid(format!("two tensors are called {}", pair[0].0))),
    }
}

/// One file, tensor after tensor, in the order of its header.
struct Writer {
    path: PathBuf,
    draft: FileDraft,
    /// Name and number of elements of each tensor, the next one last.
    expected: Vec<(String, usize)>,
}

impl Writer {
    fn new(path: &Path, tensors: &[(&str, &[usize])]) -> Result<Self, WeightsError> {
        let failed = WeightsError::io("write", path);
        let header = match header(tensors) {
            Ok(header) => header,
            Err(error) => return Err(failed(error)),
        };
        let draft = FileDraft::new(path).and_then(|mut draft| draft.write_all(&header).map(|()| draft));
        let mut expected: Vec<_> = tensors
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), elements(shape).unwrap_or(usize::MAX)))
            .collect();
        expected.reverse();
        Ok(Self { path: path.to_owned(), draft: draft.map_err(failed)?, expected })
    }

    /// The next tensor's values.
    fn write(&mut self, values: &[f32]) -> Result<(), WeightsError> {
        let failed = WeightsError::io("write", &self.path);
        match self.expected.pop() {
            Some((_, count)) if count == values.len() => {}
            Some((name, count)) => {
                return Err(failed(invalid(format!(
                    "the tensor {name} has {} values, its shape has {count}",
                    values.len()
                ))));
            }
            None => return Err(failed(invalid("more tensors than announced"))),
        }
        let mut bytes = Vec::new();
        for some in values.chunks(1 << 16) {
            bytes.clear();
            bytes.extend(some.iter().flat_map(|value| value.to_le_bytes()));
            if let Err(error) = self.draft.write_all(&bytes) {
                return Err(failed(error));
            }
        }
        Ok(())
    }

    fn publish(self) -> Result<(), WeightsError> {
        self.draft.publish().map_err(WeightsError::io("write", &self.path))
    }
}

fn header(tensors: &[(&str, &[usize])]) -> io::Result<Vec<u8>> {
    // What Transformers asks for before it opens a file.
    let mut entries = vec![r#"{"__metadata__":{"format":"pt"}"#.to_owned()];
    let mut offset = 0u64;
    for (name, shape) in tensors {
        let end = elements(shape)
            .and_then(|count| offset.checked_add((count as u64).checked_mul(4)?))
            .ok_or_else(|| invalid(format!("the tensor {name} is too large")))?;
        let info = json!({ "dtype": "F32", "shape": shape, "data_offsets": [offset, end] });
        entries.push(format!("{}:{info}", json!(name)));
        offset = end;
    }
    let mut text = entries.join(",") + "}";
    // The tensors begin at a multiple of eight.
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    Ok([&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat())
}

/// Tensors in order, as many together as have room in `limit`; one that is larger has a file of its own.
fn shards<'t, 'a>(tensors: &'t [(&'a str, &'a [usize])], limit: u64) -> Vec<&'t [(&'a str, &'a [usize])]> {
    let bytes = |shape: &[usize]| elements(shape).map_or(u64::MAX, |count| (count as u64).saturating_mul(4));
    let (mut shards, mut start, mut size) = (Vec::new(), 0, 0u64);
    for (i, (_, shape)) in tensors.iter().enumerate() {
        size = size.saturating_add(bytes(shape));
        if size > limit && i > start {
            shards.push(&tensors[start..i]);
            (start, size) = (i, bytes(shape));
        }
    }
    shards.push(&tensors[start..]);
    shards
}

fn index(names: &[String], shards: &[&[(&str, &[usize])]]) -> Vec<u8> {
    let all =
        || shards.iter().zip(names).flat_map(|(shard, file)| shard.iter().map(move |tensor| (tensor, file)));
    let total: usize = all().filter_map(|((_, shape), _)| Some(4 * elements(shape)?)).sum();
    let map: BTreeMap<&str, &String> = all().map(|((name, _), file)| (*name, file)).collect();
    let mut text = format!("{:#}", json!({ "metadata": { "total_size": total }, "weight_map": map }));
    text.push('\n');
    text.into_bytes()
}

/// Deletes weights of these formats' names that are not of the model just written: a whole one would be read before
/// an index.
fn clear(folder: &Path, written: &[String]) -> io::Result<()> {
    let stale = |name: &str| {
        let shard = name.starts_with("model-") && name.contains("-of-") && name.ends_with(".safetensors");
        match name {
            WHOLE => written.len() > 1,
            INDEX => written.len() == 1,
            _ => shard && !written.iter().any(|written| written == name),
        }
    };
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().and_then(OsStr::to_str).is_some_and(stale) {
            fs::remove_file(path)?;
        }
    }
    sync_folder(folder)
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Weights;

    fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
        let count = elements(shape).unwrap();
        NamedTensor {
            name: name.into(),
            shape: shape.into(),
            values: (0..count).map(|i| i as f32 - 1.5).collect(),
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn write(folder: &Path, tensors: &[NamedTensor], limit: u64) -> Result<(), WeightsError> {
        let shapes: Vec<_> =
            tensors.iter().map(|tensor| (tensor.name.clone(), tensor.shape.clone())).collect();
        let values =
            |name: &str| Cow::from(&tensors.iter().find(|tensor| tensor.name == name).unwrap().values);
        write_model(folder, &shapes, limit, values)
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let tensors = [tensor("w", &[2, 1]), tensor("a\"b", &[]), tensor("none", &[0, 3])];
        write_safetensors(&path, &tensors).unwrap();
        let mut weights = Weights::read(&path).unwrap();
        for NamedTensor { name, shape, values } in &tensors {
            assert_eq!(weights.take(std::slice::from_ref(name)), Some((shape.clone(), values.clone())));
        }
        assert_eq!(files(folder.path()), ["model.safetensors"], "no temporary file stays");

        let bytes = fs::read(&path).unwrap();
        let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(
            theirs.tensor("w").unwrap().data(),
            [(-1.5f32).to_le_bytes(), (-0.5f32).to_le_bytes()].concat()
        );
        let reversed: Vec<_> = tensors.iter().rev().cloned().collect();
        write_safetensors(&path, &reversed).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_large_model_is_split_and_read_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let tensors = [tensor("c", &[4]), tensor("a", &[2, 4]), tensor("b", &[2])];
        for (limit, expected) in [
            (56, vec!["model.safetensors"]),
            (
                40,
                vec![
                    "model-00001-of-00002.safetensors",
                    "model-00002-of-00002.safetensors",
                    "model.safetensors.index.json",
                ],
            ),
            (
                1,
                vec![
                    "model-00001-of-00003.safetensors",
                    "model-00002-of-00003.safetensors",
                    "model-00003-of-00003.safetensors",
                    "model.safetensors.index.json",
                ],
            ),
            (SHARD_LIMIT, vec!["model.safetensors"]),
        ] {
            write(folder.path(), &tensors, limit).unwrap();
            assert_eq!(files(folder.path()), expected, "what an earlier write left has gone");
            let mut weights = Weights::read(folder.path()).unwrap();
            for NamedTensor { name, shape, values } in &tensors {
                assert_eq!(weights.take(std::slice::from_ref(name)), Some((shape.clone(), values.clone())));
            }
            assert!(weights.left_over().is_empty());
        }
    }

    #[test]
    fn values_that_do_not_fit_leave_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[tensor("a", &[2])], SHARD_LIMIT).unwrap();
        let before = fs::read(folder.path().join("model.safetensors")).unwrap();
        let wrong = NamedTensor { shape: vec![3], ..tensor("b", &[2]) };
        for (tensors, told) in [
            (vec![tensor("a", &[1]), wrong], "the tensor b has 2 values, its shape has 3"),
            (vec![tensor("a", &[1]), tensor("a", &[1])], "two tensors are called a"),
        ] {
            for limit in [4, SHARD_LIMIT] {
                let error = write(folder.path(), &tensors, limit).unwrap_err();
                assert!(error.to_string().contains(told), "{error}");
                assert_eq!(files(folder.path()), ["model.safetensors"]);
                assert_eq!(fs::read(folder.path().join("model.safetensors")).unwrap(), before);
            }
        }
    }
}
