//! An exporter's model and bundle, in memory: the disk is not the plugin's merit.

use std::sync::atomic::{AtomicU64, Ordering};

use pegbox_runtime::{ArtifactError, Bundle, Element, ModelFile, ModelView, TensorInfo};

/// Tensors of the model, and elements of each: 64 MiB in single precision.
const TENSORS: usize = 16;
const ELEMENTS: u64 = 1 << 20;

/// A model whose tensors are all the same numbers.
pub struct MemoryModel {
    bytes: Vec<u8>,
}

impl MemoryModel {
    pub fn new() -> Self {
        let values = (0..ELEMENTS).map(|element| (element % 1000) as f32 / 1000.0 - 0.5);
        Self { bytes: values.flat_map(f32::to_le_bytes).collect() }
    }

    pub fn size(&self) -> u64 {
        self.bytes.len() as u64 * TENSORS as u64
    }
}

impl ModelView for MemoryModel {
    fn configuration(&self) -> String {
        r#"{"model_type":"bert","architectures":["BertForSequenceClassification"],"id2label":{"0":"a","1":"b"}}"#
            .to_owned()
    }

    fn tokenizer_files(&self) -> Result<Vec<ModelFile>, ArtifactError> {
        Ok(Vec::new())
    }

    fn labels(&self) -> Vec<String> {
        vec!["a".to_owned(), "b".to_owned()]
    }

    fn metrics(&self) -> String {
        "{}".to_owned()
    }

    fn provenance(&self) -> String {
        "{}".to_owned()
    }

    fn tensors(&self) -> Vec<TensorInfo> {
        let info = |layer| TensorInfo { name: format!("layer.{layer}.weight"), shape: vec![1024, 1024] };
        (0..TENSORS).map(info).collect()
    }

    fn read(&self, _: &str, start: u64, count: u64, element: Element) -> Result<Vec<u8>, ArtifactError> {
        let fail = |what: &str| ArtifactError { operation: "model.read", what: what.to_owned(), help: None };
        if element != Element::Float32 {
            return Err(fail("the benchmark's model is there in float32 only"));
        }
        let (start, end) = (start as usize * 4, (start + count) as usize * 4);
        self.bytes.get(start..end).map(<[u8]>::to_vec).ok_or_else(|| fail("outside the tensor"))
    }
}

/// Counts what is written.
#[derive(Default)]
pub struct CountingBundle(AtomicU64);

impl CountingBundle {
    pub fn written(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Bundle for CountingBundle {
    fn create(&self, _: &str) -> Result<(), ArtifactError> {
        Ok(())
    }

    fn append(&self, _: &str, content: &[u8]) -> Result<(), ArtifactError> {
        self.0.fetch_add(content.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}
