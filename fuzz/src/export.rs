//! A model to export, and a bundle that watches its paths.

use std::collections::HashMap;
use std::path::{Component, Path};
use std::sync::{Mutex, PoisonError};

use pegbox_runtime::{ArtifactError, Bundle, Element, ModelFile, ModelView, TensorInfo};

/// A model with a few tensors.
pub struct Model;

impl ModelView for Model {
    fn configuration(&self) -> String {
        "{}".to_owned()
    }

    fn tokenizer_files(&self) -> Result<Vec<ModelFile>, ArtifactError> {
        Ok(vec![ModelFile { path: "vocab.txt".to_owned(), content: b"[PAD]\n".to_vec() }])
    }

    fn labels(&self) -> Vec<String> {
        vec!["no".to_owned(), "yes".to_owned()]
    }

    fn metrics(&self) -> String {
        "{}".to_owned()
    }

    fn provenance(&self) -> String {
        "{}".to_owned()
    }

    fn tensors(&self) -> Vec<TensorInfo> {
        let info = |name: &str, shape: &[u64]| TensorInfo { name: name.to_owned(), shape: shape.to_vec() };
        vec![info("w", &[4, 4]), info("b", &[4]), info("scalar", &[]), info("big", &[1 << 31, 1 << 20])]
    }

    fn read(&self, name: &str, start: u64, count: u64, element: Element) -> Result<Vec<u8>, ArtifactError> {
        let tensors = self.tensors();
        let info = tensors.iter().find(|info| info.name == name).expect("the runtime checked the name");
        let size = info.shape.iter().product::<u64>();
        assert!(start.checked_add(count).is_some_and(|end| end <= size), "{start} + {count} of {size}");
        let bytes = count * element.size();
        assert!(bytes <= 16 << 20);
        Ok(vec![0; usize::try_from(bytes).expect("at most 16 MiB")])
    }
}

/// A bundle in memory that panics at what must never reach a file system.
#[derive(Default)]
pub struct Watched(Mutex<HashMap<String, u64>>);

impl Watched {
    /// Bytes in all files.
    pub fn written(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Bundle for Watched {
    fn create(&self, path: &str) -> Result<(), ArtifactError> {
        assert!(!path.is_empty() && path.len() <= 255, "{path:?}");
        assert!(!path.contains(['\\', ':', '\0', '\n', '\u{1b}']), "{path:?}");
        assert!(Path::new(path).components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!files.keys().any(|file| file.eq_ignore_ascii_case(path)), "{path:?} was there");
        files.insert(path.to_owned(), 0);
        Ok(())
    }

    fn append(&self, path: &str, content: &[u8]) -> Result<(), ArtifactError> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *files.get_mut(path).expect("it was created") += content.len() as u64;
        Ok(())
    }
}
