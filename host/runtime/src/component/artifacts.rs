//! `artifacts.wit` for components. A call has one model and one bundle, so their handles' numbers mean
//! nothing.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::bindings::pegbox::plugin::artifacts as wit;
use super::state::HostState;
use pegbox_plugin_abi::artifacts::Element;

/// Stands for the model in wasmtime's types.
pub struct ModelRep;

/// Stands for the bundle in wasmtime's types.
pub struct BundleRep;

impl wit::Host for HostState {}

impl wit::HostModel for HostState {
    fn configuration(&mut self, _: Resource<ModelRep>) -> Result<String> {
        let result = self.services.model_text(|model| model.configuration());
        self.checked(result)
    }

    fn tokenizer_files(&mut self, _: Resource<ModelRep>) -> Result<Vec<wit::ModelFile>> {
        let result = self.services.tokenizer_files();
        let files = self.checked(result)?;
        Ok(files.into_iter().map(|file| wit::ModelFile { path: file.path, content: file.content }).collect())
    }

    fn labels(&mut self, _: Resource<ModelRep>) -> Result<Vec<String>> {
        let result = self.services.labels();
        self.checked(result)
    }

    fn metrics(&mut self, _: Resource<ModelRep>) -> Result<String> {
        let result = self.services.model_text(|model| model.metrics());
        self.checked(result)
    }

    fn provenance(&mut self, _: Resource<ModelRep>) -> Result<String> {
        let result = self.services.model_text(|model| model.provenance());
        self.checked(result)
    }

    fn tensors(&mut self, _: Resource<ModelRep>) -> Result<Vec<wit::TensorInfo>> {
        let result = self.services.tensor_infos().map(|infos| {
            infos
                .iter()
                .map(|info| wit::TensorInfo { name: info.name.clone(), shape: info.shape.clone() })
                .collect()
        });
        self.checked(result)
    }

    fn read(
        &mut self,
        _: Resource<ModelRep>,
        name: String,
        start: u64,
        count: u64,
        dtype: wit::Element,
    ) -> Result<Vec<u8>> {
        let element = match dtype {
            wit::Element::Float32 => Element::Float32,
            wit::Element::Float16 => Element::Float16,
            wit::Element::Bfloat16 => Element::BFloat16,
        };
        let result = self.services.read_model(&name, start, count, element);
        self.checked(result)
    }

    fn drop(&mut self, _: Resource<ModelRep>) -> Result<()> {
        Ok(())
    }
}

impl wit::HostBundle for HostState {
    fn create(&mut self, _: Resource<BundleRep>, path: String) -> Result<()> {
        let result = self.services.create_file(&path);
        self.checked(result)
    }

    fn append(&mut self, _: Resource<BundleRep>, path: String, content: Vec<u8>) -> Result<()> {
        let result = self.services.append_to_file(&path, &content);
        self.checked(result)
    }

    fn drop(&mut self, _: Resource<BundleRep>) -> Result<()> {
        Ok(())
    }
}
