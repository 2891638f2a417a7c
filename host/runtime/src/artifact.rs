//! What an exporter reads from and writes to, with the rules that hold for every exporter.

use std::collections::{HashMap, HashSet};

use pegbox_plugin_abi::artifacts::{Element, ModelFile, TensorInfo};

use crate::error::{MAX_NAME, clean_text, cut};

/// The most bytes that one `model.read` returns.
pub const MAX_READ_BYTES: u64 = 16 << 20;

/// Reading the model or writing the bundle failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{operation}: {what}")]
pub struct ArtifactError {
    /// `model.read`, `bundle.create` and so on.
    pub operation: &'static str,
    pub what: String,
    pub help: Option<String>,
}

/// The trained model, read-only.
pub trait ModelView: Send + Sync {
    /// config.json.
    fn configuration(&self) -> String;
    /// tokenizer.json, vocab.txt and so on: those that the base model has.
    fn tokenizer_files(&self) -> Result<Vec<ModelFile>, ArtifactError>;
    /// Index = class id.
    fn labels(&self) -> Vec<String>;
    /// JSON object `{part: {metric: score}}`.
    fn metrics(&self) -> String;
    /// JSON object.
    fn provenance(&self) -> String;
    /// In the order in which they are best written.
    fn tensors(&self) -> Vec<TensorInfo>;
    /// `count` elements of tensor `name` from element `start`, row-major, little-endian. The runtime has
    /// checked that the tensor exists and holds them, and that they are at most [`MAX_READ_BYTES`].
    fn read(&self, name: &str, start: u64, count: u64, element: Element) -> Result<Vec<u8>, ArtifactError>;
}

/// The artifact being written. The runtime has checked the paths: relative, plain, each created once,
/// and created before it is appended to.
pub trait Bundle: Send + Sync {
    /// Starts an empty file.
    fn create(&self, path: &str) -> Result<(), ArtifactError>;
    /// Adds to the end of a file.
    fn append(&self, path: &str, content: &[u8]) -> Result<(), ArtifactError>;
}

/// Checks a `model.read` against the model's tensors.
///
/// # Errors
/// Unknown name, range outside the tensor, more than [`MAX_READ_BYTES`].
pub fn check_read(
    tensors: &[TensorInfo],
    name: &str,
    start: u64,
    count: u64,
    element: Element,
) -> Result<(), ArtifactError> {
    let fail =
        |what: String, help: Option<String>| Err(ArtifactError { operation: "model.read", what, help });
    let Some(info) = tensors.iter().find(|info| info.name == name) else {
        let name = clean_text(name, MAX_NAME);
        let near = pegbox_manifest::suggest::nearest(&name, tensors.iter().map(|info| info.name.as_str()));
        return fail(
            format!("the model has no tensor `{name}`"),
            near.map(|near| format!("did you mean `{near}`?")),
        );
    };
    let size = info.shape.iter().product::<u64>();
    if start.checked_add(count).is_none_or(|end| end > size) {
        return fail(format!("elements {start} to {start} + {count} leave `{name}`, which has {size}"), None);
    }
    if count.checked_mul(element.size()).is_none_or(|bytes| bytes > MAX_READ_BYTES) {
        return fail(
            format!("{count} elements of `{name}` are more than 16 MiB"),
            Some("read large tensors piece by piece".to_owned()),
        );
    }
    Ok(())
}

/// The most files that a bundle has. Each is a line in our tables, and something on the disk even if it is empty.
const MAX_FILES: usize = 65_536;

/// Which files a bundle has so far; refuses paths that could leave it.
#[derive(Default, Debug)]
pub struct BundlePaths {
    /// By lower-case path: two names that differ in case only are one file on some file systems.
    created: HashMap<String, String>,
    /// Lower-case paths of the folders that these files are in.
    folders: HashSet<String>,
}

impl BundlePaths {
    /// # Errors
    /// A path that is not relative and plain, was created before, or leads through a file; too many files.
    pub fn create(&mut self, path: &str) -> Result<(), ArtifactError> {
        let fail = |what| Err(ArtifactError { operation: "bundle.create", what, help: None });
        if let Some(fault) = path_fault(path) {
            return fail(format!("path {:?} {fault}", cut(path, MAX_NAME)));
        }
        if self.created.len() >= MAX_FILES {
            return fail(format!("the bundle has {MAX_FILES} files already"));
        }
        let lower = path.to_lowercase();
        if let Some(earlier) = self.created.get(&lower) {
            return fail(format!("`{earlier}` was created before"));
        }
        if self.folders.contains(&lower) {
            return fail(format!("`{path}` is a folder already"));
        }
        let folders: Vec<&str> = lower.match_indices('/').map(|(at, _)| &lower[..at]).collect();
        if let Some(file) = folders.iter().find_map(|folder| self.created.get(*folder)) {
            return fail(format!("`{file}` is a file already"));
        }
        self.folders.extend(folders.into_iter().map(str::to_owned));
        self.created.insert(lower, path.to_owned());
        Ok(())
    }

    /// # Errors
    /// A path that `create` has not seen.
    pub fn append(&self, path: &str) -> Result<(), ArtifactError> {
        if self.created.get(&path.to_lowercase()).is_some_and(|created| created == path) {
            return Ok(());
        }
        Err(ArtifactError {
            operation: "bundle.append",
            what: format!("{:?} was never created", cut(path, MAX_NAME)),
            help: Some("call `create` with this path first".to_owned()),
        })
    }
}

fn path_fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.len() > 255 {
        return Some("is longer than 255 bytes");
    }
    if path.starts_with('/') {
        return Some("is absolute");
    }
    if path.contains('\\') || path.contains(':') {
        return Some("holds a backslash or a colon");
    }
    if path.chars().any(char::is_control) {
        return Some("holds a control character");
    }
    path.split('/').any(|part| matches!(part, "" | "." | "..")).then_some("has an empty, `.` or `..` part")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_bundle_are_refused() {
        let mut paths = BundlePaths::default();
        for path in ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a\\b", "C:x", "a/./b", "a\0b", "a/"] {
            assert!(paths.create(path).is_err(), "{path:?} was let through");
        }
        assert!(paths.create("1_Pooling/config.json").is_ok());
    }

    #[test]
    fn a_file_is_created_once_and_before_it_grows() {
        let mut paths = BundlePaths::default();
        assert!(paths.append("a").is_err());
        assert!(paths.create("a").is_ok());
        assert!(paths.append("a").is_ok());
        assert!(paths.create("A").is_err());
    }

    #[test]
    fn a_file_is_no_folder_and_a_folder_no_file() {
        let mut paths = BundlePaths::default();
        assert!(paths.create("a/b/c").is_ok());
        assert!(paths.create("A/d").is_ok());
        assert!(paths.create("a/B").unwrap_err().what.contains("is a folder"));
        assert!(paths.create("a/b/c/d").unwrap_err().what.contains("`a/b/c` is a file"));
        assert!(paths.create("b").is_ok());
    }

    #[test]
    fn files_are_counted() {
        let mut paths = BundlePaths::default();
        for number in 0..MAX_FILES {
            paths.create(&number.to_string()).unwrap();
        }
        assert!(paths.create("one-more").unwrap_err().what.contains("65536 files already"));
    }

    #[test]
    fn a_long_name_costs_nothing() {
        let started = std::time::Instant::now();
        let names = (0..200).map(|i| TensorInfo { name: format!("layer.{i}.weight"), shape: vec![1] });
        let tensors: Vec<_> = names.collect();
        let error = check_read(&tensors, &"layer.".repeat(4 << 20), 0, 1, Element::Float32).unwrap_err();
        assert!(error.what.len() < 300 && started.elapsed().as_secs() < 2);
    }

    #[test]
    fn reads_stay_inside_the_tensor() {
        let tensors = [
            TensorInfo { name: "w".to_owned(), shape: vec![4, 4] },
            TensorInfo { name: "big".to_owned(), shape: vec![1 << 30] },
        ];
        assert!(check_read(&tensors, "w", 0, 16, Element::Float32).is_ok());
        assert!(check_read(&tensors, "w", 1, 16, Element::Float32).is_err());
        assert!(check_read(&tensors, "w", u64::MAX, 2, Element::Float32).is_err());
        assert!(check_read(&tensors, "big", 0, 4 << 20, Element::Float32).is_ok());
        assert!(check_read(&tensors, "big", 0, (4 << 20) + 1, Element::Float32).is_err());
        assert!(check_read(&tensors, "big", 0, 8 << 20, Element::Float16).is_ok());
        assert!(check_read(&tensors, "v", 0, 1, Element::Float32).unwrap_err().what.contains("no tensor"));
    }
}
