//! A trained model becomes an artifact, whole or not at all.

/// The folder that an exporter writes into, until it takes its place.
mod bundle;
/// What an exporter reads.
mod model;
/// An adapter as PEFT has it.
mod peft;
/// Tensors in a safetensors file, read piece by piece.
mod tensors;
/// The artifact on disk against the trained model.
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use pegbox_runtime::Exporter;

use crate::error::ExportError;
use bundle::FolderBundle;

pub use model::{TrainedModel, tokenizer_files};
pub use peft::PeftFolder;

/// An artifact that is in its place.
#[derive(Debug, Clone)]
pub struct Exported {
    pub to: PathBuf,
    /// Relative path and bytes of each file.
    pub files: Vec<(String, u64)>,
    /// Tensors that were read back from the artifact and are equal to the trained ones, in the artifact's dtype.
    pub verified_tensors: usize,
    pub seconds: f64,
}

/// Runs `exporter` on `model`, reads the artifact's safetensors files back and compares them with the trained
/// weights, and puts the artifact at `to`. An artifact of an earlier export is replaced in one step.
///
/// # Errors
/// The exporter fails, the artifact differs from the model, `to` holds something that Pegbox did not write,
/// the disk. After an error `to` is what it was before.
pub fn export(exporter: &mut dyn Exporter, model: TrainedModel, to: &Path) -> Result<Exported, ExportError> {
    let started = Instant::now();
    bundle::check_target(to)?;
    let model = Arc::new(model.open()?);
    let folder = Arc::new(FolderBundle::beside(to)?);
    exporter.export(model.clone(), folder.clone()).map_err(ExportError::Plugin)?;
    let files = folder.finish()?;
    if files.is_empty() {
        return Err(ExportError::Empty);
    }
    let verified_tensors = verify::compare(&model, folder.path(), &files)?;
    folder.commit(to, &files)?;
    Ok(Exported {
        to: to.to_path_buf(),
        files: files.into_iter().map(|file| (file.path, file.bytes)).collect(),
        verified_tensors,
        seconds: started.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pegbox_runtime::{Bundle, Cause, Element, ModelView, PluginError, PluginIdentity};
    use safetensors::tensor::{Dtype, TensorView};

    use super::*;

    /// Writes one tensor, in `dtype`, plus what `also` says.
    struct Writer {
        dtype: Element,
        spoil: bool,
        fail: bool,
    }

    impl Exporter for Writer {
        fn export(&mut self, model: Arc<dyn ModelView>, bundle: Arc<dyn Bundle>) -> Result<(), PluginError> {
            let fail = |error| {
                let plugin = PluginIdentity::built_in("test/writer", semver::Version::new(1, 0, 0));
                PluginError::new(Arc::new(plugin), "exporter.export", Cause::Artifact(error))
            };
            let mut tensors = Vec::new();
            for info in model.tensors() {
                let count = info.shape.iter().product();
                let mut bytes = model.read(&info.name, 0, count, self.dtype).map_err(fail)?;
                if self.spoil {
                    bytes[0] ^= 1;
                }
                tensors.push((info.name, info.shape.iter().map(|&size| size as usize).collect(), bytes));
            }
            let dtype = if self.dtype == Element::Float32 { Dtype::F32 } else { Dtype::F16 };
            let views = tensors.iter().map(|(name, shape, bytes): &(String, Vec<usize>, Vec<u8>)| {
                (name.clone(), TensorView::new(dtype, shape.clone(), bytes).unwrap())
            });
            let file = safetensors::serialize(views, None).unwrap();
            bundle.create("sub/model.safetensors").map_err(fail)?;
            for piece in file.chunks(7) {
                bundle.append("sub/model.safetensors", piece).map_err(fail)?;
            }
            if self.fail {
                bundle.create("../escape").map_err(fail)?;
            }
            Ok(())
        }
    }

    fn trained(folder: &Path) -> TrainedModel {
        let weights = folder.join("weights.safetensors");
        let values: Vec<u8> =
            [1.0f32, 0.1, -2.5, 3e-3].iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![2, 2], &values).unwrap();
        fs::write(&weights, safetensors::serialize([("w", view)], None).unwrap()).unwrap();
        TrainedModel {
            weights,
            configuration: "{}".into(),
            tokenizer_files: Vec::new(),
            labels: vec!["a".into()],
            metrics: serde_json::json!({}),
            provenance: serde_json::json!({}),
        }
    }

    const GOOD: Writer = Writer { dtype: Element::Float32, spoil: false, fail: false };

    #[test]
    fn an_export_takes_its_place_and_replaces_itself() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("out/hf");
        for _ in 0..2 {
            let done = export(&mut { GOOD }, trained(folder.path()), &to).unwrap();
            assert_eq!(done.verified_tensors, 1);
            assert_eq!(done.files[0].0, "sub/model.safetensors");
        }
        let half = Writer { dtype: Element::Float16, ..GOOD };
        assert_eq!(export(&mut { half }, trained(folder.path()), &to).unwrap().verified_tensors, 1);
        // Nothing but the artifact stays behind.
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_export_leaves_the_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("hf");
        export(&mut { GOOD }, trained(folder.path()), &to).unwrap();
        let before = fs::read(to.join("sub/model.safetensors")).unwrap();
        let error = export(&mut Writer { fail: true, ..GOOD }, trained(folder.path()), &to).unwrap_err();
        assert!(matches!(error, ExportError::Plugin(_)), "{error}");
        let error = export(&mut Writer { spoil: true, ..GOOD }, trained(folder.path()), &to).unwrap_err();
        assert!(error.to_string().contains("`w`"), "{error}");
        assert_eq!(fs::read(to.join("sub/model.safetensors")).unwrap(), before);
        assert!(!folder.path().join("escape").exists());
    }

    #[test]
    fn a_folder_of_somebody_elses_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("hf");
        fs::create_dir(&to).unwrap();
        fs::write(to.join("thesis.txt"), "years of work").unwrap();
        let error = export(&mut { GOOD }, trained(folder.path()), &to).unwrap_err();
        assert!(error.to_string().contains("thesis.txt"), "{error}");
        assert_eq!(fs::read(to.join("thesis.txt")).unwrap(), b"years of work");
        fs::remove_file(to.join("thesis.txt")).unwrap();
        export(&mut { GOOD }, trained(folder.path()), &to).unwrap();
        // A file that joined an artifact of ours is somebody's, too.
        fs::write(to.join("sub/notes.txt"), "x").unwrap();
        assert!(export(&mut { GOOD }, trained(folder.path()), &to).is_err());
    }
}
