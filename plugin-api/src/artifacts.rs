//! What an exporter reads and writes. There is no file system.

use pegbox_plugin_abi::artifacts::{Element, ModelFile, TensorInfo};

use crate::host;

/// The trained model, read-only.
#[repr(transparent)]
pub struct Model(pub(crate) host::ModelHandle);

impl Model {
    /// config.json of the trained model: the base model's, with its labels and architecture set.
    pub fn configuration(&self) -> String {
        host::model_configuration(&self.0)
    }

    /// tokenizer.json, tokenizer_config.json, vocab.txt and so on: those that the base model has.
    pub fn tokenizer_files(&self) -> Vec<ModelFile> {
        host::model_tokenizer_files(&self.0)
    }

    /// Class names, index = class id.
    pub fn labels(&self) -> Vec<String> {
        host::model_labels(&self.0)
    }

    /// JSON object: scores of the evaluation by part and metric, `{"test": {"accuracy": 0.93}}`.
    pub fn metrics(&self) -> String {
        host::model_metrics(&self.0)
    }

    /// JSON object: base model and its licence, dataset digests, plugins with versions and digests, recipe,
    /// seed, Pegbox's version.
    pub fn provenance(&self) -> String {
        host::model_provenance(&self.0)
    }

    /// Every tensor of the model, in the order in which they are best written.
    pub fn tensors(&self) -> Vec<TensorInfo> {
        host::model_tensors(&self.0)
    }

    /// `count` elements of the tensor `name`, row-major from element `start`, little-endian in `element`.
    ///
    /// Ends the call when the name is unknown or the range leaves the tensor, and above 16 MiB;
    /// [`Model::pieces`] reads a whole tensor without thinking of that.
    pub fn read(&self, name: &str, start: u64, count: u64, element: Element) -> Vec<u8> {
        host::model_read(&self.0, name, start, count, element)
    }

    /// The whole tensor as [`Model::read`] gives it, in pieces of at most 4 MiB, in order.
    pub fn pieces<'a>(
        &'a self,
        tensor: &'a TensorInfo,
        element: Element,
    ) -> impl Iterator<Item = Vec<u8>> + 'a {
        const PIECE_BYTES: u64 = 4 << 20;
        let total: u64 = tensor.shape.iter().product();
        let step = PIECE_BYTES / element.size();
        (0..total.div_ceil(step)).map(move |piece| {
            let start = piece * step;
            self.read(&tensor.name, start, step.min(total - start), element)
        })
    }
}

/// The artifact being written. It appears at the recipe's `to` when the exporter returns `Ok`, whole; after
/// an error nothing of it remains.
#[repr(transparent)]
pub struct Bundle(pub(crate) host::BundleHandle);

impl Bundle {
    /// Starts an empty file. `path` is relative, with `/` between its parts.
    ///
    /// Ends the call for a path that could leave the bundle (`..`, an empty or `.` part, a leading `/`, a
    /// backslash, a colon, a control character), one longer than 255 bytes, and one that was created before,
    /// whatever its case.
    pub fn create(&self, path: &str) {
        host::bundle_create(&self.0, path);
    }

    /// Adds to the end of a file that [`Bundle::create`] started. Ends the call if it did not.
    pub fn append(&self, path: &str, content: &[u8]) {
        host::bundle_append(&self.0, path, content);
    }

    /// A file with this content, whole: [`Bundle::create`], then [`Bundle::append`].
    pub fn write(&self, path: &str, content: &[u8]) {
        self.create(path);
        self.append(path, content);
    }
}
